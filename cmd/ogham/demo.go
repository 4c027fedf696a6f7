package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	demoTopic      = "clicks"
	demoPartitions = 4
	// demoTick is how often the generator sends what is due.
	demoTick = 20 * time.Millisecond
)

// demo is the whole product in one process: a broker, a click stream, a server, and an account of what happens.
type demo struct {
	cfg       *config
	out       io.Writer
	rate      int
	kafkaPort int
	duration  string
	produced  atomic.Int64
}

// runDemo runs until ctx ends. Started again on the same folder it goes on where it was.
func runDemo(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	d := &demo{out: stdout}
	c, err := parseConfig("demo", args, append([]string{"OGHAM_DATA_DIR=./ogham-demo", "OGHAM_LOG_LEVEL=error"}, env...), stderr,
		func(fs *flag.FlagSet) {
			fs.IntVar(&d.rate, "rate", 2000, "rows per second")
			fs.IntVar(&d.kafkaPort, "kafka-port", 19092, "port of the embedded Kafka on loopback")
			fs.StringVar(&d.duration, "task-duration", "PT1M", "taskDuration of the supervisor")
		})
	if err != nil {
		return err
	}
	if c.nats != "" || !c.is("overlord") || !c.is("worker") {
		return errors.New("the demo is one process with everything in it: -nats and -roles are for ogham server")
	}
	if d.rate < 1 {
		return fmt.Errorf("-rate %d: want 1 or more", d.rate)
	}
	d.cfg = c
	return d.run(ctx, stderr)
}

func (d *demo) run(ctx context.Context, stderr io.Writer) error {
	if err := os.MkdirAll(d.cfg.dataDir, 0o755); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(d.kafkaPort),
		kfake.DataDir(filepath.Join(d.cfg.dataDir, "kafka")), kfake.SeedTopics(demoPartitions, demoTopic))
	if err != nil {
		return fmt.Errorf("start the embedded Kafka on port %d (-kafka-port takes another): %w", d.kafkaPort, err)
	}
	defer broker.Close()
	bootstrap := "127.0.0.1:" + strconv.Itoa(d.kafkaPort)

	a, err := startApp(ctx, d.cfg, newLogger(stderr, d.cfg.logLevel))
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, `Ogham demo: a click stream goes in, Druid segments come out, every step is an event.

  supervisor   %[1]s/druid/indexer/v1/supervisor/clicks/status
  events       %[1]s/ogham/v1/events?supervisor=clicks   (or: ogham log tail -text -url %[1]s)
  Kafka        %[2]s, topic %[3]s, %[4]d partitions, %[5]d rows/s
  data         %[6]s
  stop         Ctrl-C; started again it goes on where it was

`, a.url, bootstrap, demoTopic, demoPartitions, d.rate, d.cfg.dataDir)

	work, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	spawn := func(what string, fn func(context.Context) error) {
		wg.Go(func() {
			if err := fn(work); err != nil && work.Err() == nil {
				stop(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	spawn("click stream", func(ctx context.Context) error { return d.generate(ctx, bootstrap) })
	spawn("supervisor", func(ctx context.Context) error { return submitOnce(ctx, a.url, clickSpec(bootstrap, d.duration)) })
	acc := &account{url: a.url, out: d.out, produced: &d.produced}
	spawn("account", acc.run)
	spawn("server", a.wait)
	<-work.Done()
	stop(nil)
	fmt.Fprintln(d.out, "\nstopping in order …")
	err = a.stop()
	wg.Wait()
	if cause := context.Cause(work); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if err == nil {
		fmt.Fprintln(d.out, "stopped; start it again to go on")
	}
	return err
}

// generate produces the click stream at the demo's rate. The numbers of the events go on behind those that the topic has.
func (d *demo) generate(ctx context.Context, bootstrap string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.DefaultProduceTopic(demoTopic),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(10*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	// Microseconds: no demo makes a million events a second, so the clock is ahead of the last start's numbers.
	c := newClicks(uint64(d.rate), time.Now().UnixMicro())
	ticker := time.NewTicker(demoTick)
	defer ticker.Stop()
	began, sent := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return client.Flush(flush)
		case <-ticker.C:
		}
		due := int(time.Since(began).Seconds() * float64(d.rate))
		for ; sent < due; sent++ {
			user, value := c.next(time.Now())
			client.Produce(ctx, &kgo.Record{Key: []byte(user), Value: value}, func(_ *kgo.Record, err error) {
				if err == nil {
					d.produced.Add(1)
				}
			})
		}
	}
}
