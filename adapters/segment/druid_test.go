//go:build integration

package segment

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// druidTool is the script that runs Druid's own reader.
func druidTool(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("OGHAM_DRUID_TOOLS")
	if dir == "" {
		dir = filepath.Join(repoRoot(t), "..", "shared", "tools", "druid")
	}
	script := filepath.Join(dir, "dump-segment.sh")
	if _, err := os.Stat(script); err != nil {
		t.Fatalf("Druid's tools are needed here, set OGHAM_DRUID_TOOLS: %v", err)
	}
	return script
}

func runTool(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", append([]string{druidTool(t)}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("dump-segment %v: %v\n%s%s", args, err, out, errs.Bytes())
	}
	return out
}

// TestDruidFindsReencodedGoldensEqual has Druid's validate-segments compare
// rows and indexes of each golden with the same written by us.
func TestDruidFindsReencodedGoldensEqual(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			r := open(t, g.zip())
			dir := filepath.Join(t.TempDir(), "segment")
			reencode(t, r, dir, specOf(r))
			runTool(t, "--same", g.zip(), dir)
		})
	}
}

// TestDruidReadsEveryCodec has Druid print rows and bitmaps of one segment
// with blocks of all kinds, written with each pair of codecs.
func TestDruidReadsEveryCodec(t *testing.T) {
	for _, g := range goldens(t) {
		if g.name != "many-blocks" {
			continue
		}
		r := open(t, g.zip())
		for dim, metric := range map[Codec]Codec{
			CodecLZ4: CodecNone, CodecLZF: CodecLZF, CodecZSTD: CodecZSTD, CodecUncompressed: CodecUncompressed,
		} {
			t.Run(dim.String()+"/"+metric.String(), func(t *testing.T) {
				s := DefaultIndexSpec()
				s.DimensionCompression, s.MetricCompression = dim, metric
				dir := filepath.Join(t.TempDir(), "segment")
				reencode(t, r, dir, s)
				runTool(t, "--same", g.zip(), dir)
			})
		}
	}
}

// TestDruidReadsALargeSegment has Druid print 140,000 rows with more values
// than the goldens have: several windows of bitmaps, nulls and lists.
func TestDruidReadsALargeSegment(t *testing.T) {
	const rows, card = 140_000, 90_000
	w, dir := create(t, Meta{
		IntervalEnd: rows, Dimensions: []string{"wide", "tags", "none", "n"}, Metrics: []MetricMeta{{Type: "doubleSum", Name: "d"}},
		TimestampSpec: []byte(`{"column":"t","format":"iso","missingValue":null}`), QueryGranularity: []byte(`{"type":"none"}`),
		OrderedDimensions: []string{"wide", "tags", "none", "n"},
	})
	times(t, w, rows)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := w.String("wide", StringOptions{Dictionary: newWords(card)})
	check(err)
	for i := range rows {
		check(s.Append(uint32(i * 7919 % card)))
	}
	check(s.Close())
	s, err = w.String("tags", StringOptions{Dictionary: list{null, "", "a", "b", "\U0001f600", "\uffee"}, MultiValue: true})
	check(err)
	ids := []uint32{2, 1, 4, 5, 0, 3, 3}
	for i := range rows {
		check(s.AppendMulti(ids[i%5 : i%5+i/7%3]))
	}
	check(s.Close())
	_, err = w.String("none", StringOptions{AllNull: true})
	check(err)
	n, err := w.Long("n")
	check(err)
	for i := range rows {
		if i/70_000 == 1 {
			check(n.AppendNull())
		} else {
			check(n.Append(int64(i) * -3))
		}
	}
	check(n.Close())
	d, err := w.Double("d")
	check(err)
	for i := range rows {
		check(d.Append(float64(i) / 8))
	}
	check(d.Close())
	_, err = w.Close()
	check(err)
	r := open(t, dir)
	sameLines(t, "rows", runTool(t, dir, "rows"), dumpRowsOf(t, r))
	sameLines(t, "bitmaps", bytes.TrimSpace(runTool(t, dir, "bitmaps")), dumpBitmaps(t, r))
}
