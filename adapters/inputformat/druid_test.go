//go:build integration

package inputformat_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestDruidFindsTheSegmentsEqual has Druid's own tool compare what is built from the inputs with what Druid built.
func TestDruidFindsTheSegmentsEqual(t *testing.T) {
	tools := os.Getenv("OGHAM_DRUID_TOOLS")
	if tools == "" {
		tools = filepath.Join(goldens(t), "..", "tools", "druid")
	}
	for _, name := range []string{
		"single-string", "multi-value", "nulls-empty", "numeric-dims", "metrics-norollup", "rollup", "many-blocks",
		"high-cardinality", "spills", "spills-rollup", "schemaless", "lzf", "zstd", "uncompressed", "long-auto",
		"uncompressed-blocks", "concise", "front-coded",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(goldens(t), "segments", name)
			k := readTask(t, filepath.Join(dir, "spec.json"))
			_, built := build(t, k.config(t), recordsOf(readLines(t, filepath.Join(dir, "input.ndjson"))), 10)
			out, err := exec.Command("bash", filepath.Join(tools, "dump-segment.sh"), "--same",
				filepath.Join(dir, "index.zip"), built[0].Dir).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}
