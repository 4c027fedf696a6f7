package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"

	"ogham/adapters/segment"
)

// runSegment is `ogham segment dump DIR`.
func runSegment(args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] != "dump" {
		return errors.New("ogham segment: want dump DIR")
	}
	fs := flag.NewFlagSet("ogham segment dump", flag.ContinueOnError)
	fs.SetOutput(stderr)
	metadata := fs.Bool("metadata", false, "print what the segment is, not its rows")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return errors.New("ogham segment dump: want one folder, or an index.zip")
	}
	r, err := segment.Open(fs.Arg(0))
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	defer func() { _ = r.Close() }()
	out := bufio.NewWriterSize(stdout, 1<<20)
	dump := r.DumpRows
	if *metadata {
		dump = r.DumpMetadata
	}
	if err := dump(out); err != nil {
		return fmt.Errorf("dump segment: %w", err)
	}
	return out.Flush()
}
