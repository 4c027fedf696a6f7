package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// curveBytes is about what a point of a curve over wide rows reads, so that each takes seconds.
const curveBytes = 200_000_000

func allCurves(large bool) []curve {
	return []curve{rowsCurve(large), valuesCurve(), columnsCurve(), tasksCurve(), sizesCurve("read past", false), sizesCurve("stored", true), formatsCurve()}
}

func rowsCurve(large bool) curve {
	c := curve{name: "rows", title: "Rows of one task, nine columns", grows: "millions of rows"}
	counts := []int{1, 3, 10}
	if large {
		counts = append(counts, 30, 100)
	}
	for _, n := range counts {
		c.points = append(c.points, curvePoint{
			label: strconv.Itoa(n), x: float64(n), rows: n * 1_000_000, partitions: benchPartitions, row: benchRow, task: usualTask(),
		})
	}
	return c
}

// valuesCurve has one dimension, of more and more different values in no order.
func valuesCurve() curve {
	c := curve{name: "values", title: "Different values of one dimension", grows: "different values"}
	for n := 10; n <= 10_000_000; n *= 10 {
		row := func(dst []byte, i int, _ *rand.Rand) []byte {
			dst = appendBenchTime(dst, i)
			dst = append(dst, `","value":"value_`...)
			// A prime that no power of ten is divisible by: n rows in a row have n different values.
			dst = strconv.AppendInt(dst, int64(i)*7_368_787%int64(n), 10)
			return append(dst, `"}`...)
		}
		c.points = append(c.points, curvePoint{
			label: grouped(int64(n)), x: float64(n), rows: max(3_000_000, n), partitions: benchPartitions, row: row, task: plainTask([]string{"value"}, nil, nil),
		})
	}
	return c
}

// columnsCurve has half of its columns of a thousand strings each, and the rest longs and doubles.
func columnsCurve() curve {
	c := curve{name: "columns", title: "Columns: a half strings of 1,000 values, a quarter longs, a quarter doubles", grows: "columns"}
	for _, n := range []int{5, 10, 20, 50, 100, 200, 500} {
		var kinds [3][]string
		for i := range n {
			k := [...]int{0, 1, 0, 2}[i%4]
			kinds[k] = append(kinds[k], "column_"+strconv.Itoa(i))
		}
		row := func(dst []byte, i int, rnd *rand.Rand) []byte {
			dst = append(appendBenchTime(dst, i), '"')
			for k := range n {
				dst = append(dst, `,"column_`...)
				dst = strconv.AppendInt(dst, int64(k), 10)
				v := int64(rnd.IntN(1000))
				switch k % 4 {
				case 1:
					dst = strconv.AppendInt(append(dst, `":`...), v, 10)
				case 3:
					dst = strconv.AppendFloat(append(dst, `":`...), float64(v)/8, 'f', 3, 64)
				default:
					dst = append(strconv.AppendInt(append(dst, `":"value_`...), v, 10), '"')
				}
			}
			return append(dst, '}')
		}
		c.points = append(c.points, curvePoint{
			label: strconv.Itoa(n), x: float64(n), rows: min(curveBytes/(40+n*22), 2_000_000), partitions: benchPartitions, row: row, task: plainTask(kinds[0], kinds[1], kinds[2]),
		})
	}
	return c
}

// tasksCurve shares one topic of a partition each among more and more tasks of one process.
func tasksCurve() curve {
	c := curve{name: "tasks", title: "Tasks of one supervisor in one worker, a partition each", grows: "tasks"}
	for _, n := range []int{1, 2, 5, 10, 20, 50, 100} {
		t := usualTask()
		t.tasks = n
		c.points = append(c.points, curvePoint{
			label: strconv.Itoa(n), x: float64(n), rows: 3_000_000, partitions: int32(n), row: benchRow, task: t,
		})
	}
	return c
}

// sizesCurve has messages of one size: a page, and a text of words, which is a column of its own or is not looked at.
func sizesCurve(what string, stored bool) curve {
	c := curve{name: "sizes", title: "Message sizes: JSON with one long text, which is " + what, grows: "bytes"}
	dims := []string{"page"}
	if stored {
		c.name, dims = "texts", append(dims, "text")
	}
	words := benchWords()
	for _, size := range []int{100, 300, 1000, 3000, 10_000, 30_000, 100_000} {
		row := func(dst []byte, i int, rnd *rand.Rand) []byte {
			from := len(dst)
			dst = append(appendBenchTime(dst, i), `","page":"page_`...)
			dst = strconv.AppendInt(dst, int64(rnd.IntN(benchPages)), 10)
			dst = append(dst, `","text":"`...)
			left := max(size-(len(dst)-from)-len(`"}`), 1)
			at := rnd.IntN(len(words) - left)
			dst = append(dst, words[at:at+left]...)
			return append(dst, `"}`...)
		}
		c.points = append(c.points, curvePoint{
			label: grouped(int64(size)), x: float64(size), rows: min(curveBytes/size, 2_000_000), partitions: benchPartitions, row: row, task: plainTask(dims, nil, nil),
		})
	}
	return c
}

// benchWords is a long text of made-up words, of which each message has a piece: hardly two messages are alike.
func benchWords() []byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	var b bytes.Buffer
	for b.Len() < 4<<20 {
		for range 2 + rnd.IntN(9) {
			b.WriteByte('a' + byte(rnd.IntN(26)))
		}
		b.WriteByte(' ')
	}
	return b.Bytes()
}

// formatsCurve has the same rows in several formats.
func formatsCurve() curve {
	c := curve{name: "formats", title: "Formats of the same nine columns", grows: "format"}
	list := `["timestamp","page","user","country","language","isRobot","added","deleted","delta"]`
	for _, f := range []struct {
		name, spec string
		row        rowMaker
	}{
		{"json", `{"type":"json"}`, benchRow},
		{"json, flattenSpec", `{"type":"json","flattenSpec":{"fields":[{"type":"path","name":"page","expr":"$.page"}]}}`, benchRow},
		{"json within kafka", `{"type":"kafka","valueFormat":{"type":"json"}}`, benchRow},
		{"csv", `{"type":"csv","columns":` + list + `}`, separated(',')},
		{"tsv", `{"type":"tsv","columns":` + list + `}`, separated('\t')},
		{"avro", `{"type":"avro_stream","avroBytesDecoder":{"type":"schema_inline","schema":{"type":"record","name":"click","fields":[` +
			`{"name":"timestamp","type":"string"},{"name":"page","type":"string"},{"name":"user","type":"string"},` +
			`{"name":"country","type":"string"},{"name":"language","type":"string"},{"name":"isRobot","type":"boolean"},` +
			`{"name":"added","type":"long"},{"name":"deleted","type":"long"},{"name":"delta","type":"double"}]}}}`, avroRow},
	} {
		t := usualTask()
		t.format = f.spec
		c.points = append(c.points, curvePoint{label: f.name, rows: 3_000_000, partitions: benchPartitions, row: f.row, task: t})
	}
	return c
}

// separated is benchRow without names.
func separated(by byte) rowMaker {
	return func(dst []byte, i int, rnd *rand.Rand) []byte {
		dst = appendInstant(dst, i)
		dst = strconv.AppendInt(append(append(dst, by), "page_"...), int64(rnd.IntN(benchPages)), 10)
		dst = strconv.AppendInt(append(append(dst, by), "user_"...), int64(rnd.IntN(benchUsers)), 10)
		dst = append(append(dst, by), benchCountries[rnd.IntN(len(benchCountries))]...)
		dst = append(append(dst, by), benchLanguages[rnd.IntN(len(benchLanguages))]...)
		dst = strconv.AppendBool(append(dst, by), rnd.IntN(10) == 0)
		dst = strconv.AppendInt(append(dst, by), int64(rnd.IntN(1000)), 10)
		dst = strconv.AppendInt(append(dst, by), int64(rnd.IntN(100)), 10)
		return strconv.AppendFloat(append(dst, by), float64(rnd.IntN(1_000_000))/1000, 'f', 3, 64)
	}
}

// avroRow is benchRow as Avro data.
func avroRow(dst []byte, i int, rnd *rand.Rand) []byte {
	text := func(make func(dst []byte) []byte) {
		b := make(nil)
		dst = append(binary.AppendVarint(dst, int64(len(b))), b...)
	}
	text(func(b []byte) []byte { return appendInstant(b, i) })
	text(func(b []byte) []byte {
		return strconv.AppendInt(append(b, "page_"...), int64(rnd.IntN(benchPages)), 10)
	})
	text(func(b []byte) []byte {
		return strconv.AppendInt(append(b, "user_"...), int64(rnd.IntN(benchUsers)), 10)
	})
	text(func(b []byte) []byte { return append(b, benchCountries[rnd.IntN(len(benchCountries))]...) })
	text(func(b []byte) []byte { return append(b, benchLanguages[rnd.IntN(len(benchLanguages))]...) })
	robot := byte(0)
	if rnd.IntN(10) == 0 {
		robot = 1
	}
	dst = append(dst, robot)
	dst = binary.AppendVarint(dst, int64(rnd.IntN(1000)))
	dst = binary.AppendVarint(dst, int64(rnd.IntN(100)))
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(rnd.IntN(1_000_000))/1000))
}

// appendBenchTime opens a row: its time is not closed.
func appendBenchTime(dst []byte, i int) []byte {
	return appendInstant(append(dst, `{"timestamp":"`...), i)
}

// appendInstant writes the time of row i, ten milliseconds after the one before.
func appendInstant(dst []byte, i int) []byte {
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 10 * time.Millisecond)
	return at.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}
