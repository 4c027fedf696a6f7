package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

const usage = `ogham runs Kafka ingestion for Apache Druid, and keeps every decision in a log.

  ogham server             the service: Druid's Overlord API, workers, the log (see ogham server -h)
  ogham demo               all of it in one process, with an embedded Kafka and a click stream
  ogham log tail           follow the events of a running server
  ogham log replay         print the events that there are
  ogham log verify         check the chain of hashes of a stopped server's log
  ogham segment dump DIR   print a segment's rows as NDJSON (-metadata: what it is)
  ogham bench              measure this machine: tasks beside a raw consumer, the log beside raw JetStream, how cost grows
  ogham version
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "ogham:", err)
		os.Exit(1)
	}
}

// run is the whole program but for the process: tests start it with their own arguments and streams.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return flag.ErrHelp
	}
	switch args[0] {
	case "server":
		return runServer(ctx, args[1:], env, stderr)
	case "demo":
		return runDemo(ctx, args[1:], env, stdout, stderr)
	case "log":
		return runLog(ctx, args[1:], stdout, stderr)
	case "segment":
		return runSegment(args[1:], stdout, stderr)
	case "bench":
		return runBench(ctx, args[1:], stdout, stderr)
	case "bench-broker":
		return runBenchBroker(ctx, args[1:])
	case "version", "--version", "-version":
		fmt.Fprintln(stdout, "ogham", version)
		return nil
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return nil
	}
	fmt.Fprint(stderr, usage)
	return fmt.Errorf("unknown command %q", args[0])
}
