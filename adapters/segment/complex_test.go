package segment

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// complexSegment writes a few rows of every complex metric and of a column with objects, and gives its files.
func complexSegment(t testing.TB) zipped {
	t.Helper()
	const rows = 5
	names := []string{TypeHyperUnique, TypePairLongLong, TypePairLongDouble, TypePairLongFloat, TypePairLongString, TypeHLLSketch, TypeThetaSketch}
	m := Meta{IntervalEnd: rows, Dimensions: []string{"doc"}}
	for _, n := range names {
		m.Metrics = append(m.Metrics, MetricMeta{Type: "hyperUnique", Name: n})
	}
	w, dir := create(t, m)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	times(t, w, rows)
	for _, n := range []string{TypeHyperUnique, TypePairLongString, TypeHLLSketch, TypeThetaSketch} {
		c, err := w.Complex(n, n)
		check(err)
		for i := range rows {
			b := []byte{1, 0, 0, 0, 0, 0, 0}
			if n == TypePairLongString {
				b = PairLongString(int64(i), bytes.Repeat([]byte("é"), i))
			}
			check(c.AppendBatch([][]byte{b}))
		}
		check(c.Close())
	}
	for _, n := range []string{TypePairLongLong, TypePairLongDouble, TypePairLongFloat} {
		c, err := w.Pairs(n, n)
		check(err)
		for i := range rows {
			time := int64(i)
			if n == TypePairLongDouble {
				time <<= 40 // more than four bytes hold
			}
			check(c.Append(time, i == 2, 0))
		}
		check(c.Close())
	}
	var docs []string
	var s SmileWriter
	for i := range rows {
		s.Reset()
		n := node{kind: nodeObject, keys: [][]byte{[]byte("a"), []byte("b")}, elems: []node{
			{kind: nodeLong, num: uint64(i)}, {kind: nodeList, elems: []node{{kind: nodeString, text: []byte("x")}, {}}},
		}}
		n.appendSmile(&s)
		docs = append(docs, string(s.Bytes()))
	}
	docs[3] = ""
	values, ids := collectDocs(docs)
	j, err := w.JSON("doc", JSONOptions{Values: values})
	check(err)
	check(j.AppendBatch(ids))
	check(j.Close())
	_, err = w.Close()
	check(err)
	files := zipped{}
	for _, name := range []string{"version.bin", "factory.json", "meta.smoosh", "00000.smoosh"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		check(err)
		files[name] = b
	}
	return files
}

func TestComplexColumnsReadBack(t *testing.T) {
	r, err := newReader(complexSegment(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var want bytes.Buffer
	for i := range 5 {
		doc := fmt.Sprintf(`{"a":%d,"b":["x",null]}`, i)
		if i == 3 {
			doc = "null"
		}
		pair := func(time int64, value string) string {
			if i == 2 {
				value = "null"
			}
			return fmt.Sprintf(`{"lhs":%d,"rhs":%s}`, time, value)
		}
		text := fmt.Sprintf(`"%s"`, bytes.Repeat([]byte("é"), i))
		if i == 0 {
			text = "null"
		}
		fmt.Fprintf(&want, `{"__time":%d,"doc":%s,"HLLSketch":"AQAAAAAAAA==","hyperUnique":"AQAAAAAAAA==","%s":%s,"%s":%s,"%s":%s,"%s":{"lhs":%d,"rhs":%s},"thetaSketch":"AQAAAAAAAA=="}`+"\n",
			i, doc, TypePairLongDouble, pair(int64(i)<<40, "0.0"), TypePairLongFloat, pair(int64(i), "0.0"),
			TypePairLongLong, pair(int64(i), "0"), TypePairLongString, i, text)
	}
	sameLines(t, "rows", dumpRowsOf(t, r), want.Bytes())
}

func TestDamageToComplexColumnsIsATypedError(t *testing.T) {
	files := complexSegment(t)
	b := files["00000.smoosh"]
	for i := 0; i < len(b); i += 3 * damageStep {
		for _, v := range []byte{0xff, b[i] ^ 1, b[i] ^ 0x80} {
			files["00000.smoosh"] = bytes.Clone(b)
			files["00000.smoosh"][i] = v
			checkTyped(t, readAll(files))
		}
		files["00000.smoosh"] = b[:i:i]
		checkTyped(t, readAll(files))
	}
}

// TestAHyperUniqueOfNothingIsNull: Druid cannot print the sketch that it makes of no bytes.
func TestAHyperUniqueOfNothingIsNull(t *testing.T) {
	w, dir := create(t, Meta{IntervalEnd: 2, Metrics: []MetricMeta{{Type: "hyperUnique", Name: "h"}, {Type: "thetaSketch", Name: "t"}}})
	times(t, w, 2)
	for _, column := range []struct{ name, typeName string }{{"h", TypeHyperUnique}, {"t", TypeThetaSketch}} {
		c, err := w.Complex(column.name, column.typeName)
		if err == nil {
			err = errors.Join(c.AppendBatch([][]byte{nil, {1, 0, 0, 0, 0, 0, 0}}), c.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for name, want := range map[string]string{"h": `null "AQAAAAAAAA=="`, "t": `"" "AQAAAAAAAA=="`} {
		c, err := r.Complex(name)
		if err != nil {
			t.Fatal(err)
		}
		first, err := c.AppendJSON(nil, 0)
		both, err2 := c.AppendJSON(append(first, ' '), 1)
		if err != nil || err2 != nil || string(both) != want {
			t.Errorf("column %s holds %s, %v, %v, want %s", name, both, err, err2, want)
		}
	}
}
