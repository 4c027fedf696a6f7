package segment

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// dumpRows is how many rows of every column are decoded at a time.
const dumpRows = 4096

// DumpRows writes one JSON object per row, in segment order: __time, the
// dimensions in order, the metrics by name, each value as Druid's dump-segment
// writes it. A column that cannot be read is an error.
func (r *Reader) DumpRows(w io.Writer) error {
	var dumps []columnDump
	for i, info := range r.Columns() {
		d, err := r.dumpColumn(info)
		if err != nil {
			return err
		}
		key := appendJSONString(nil, info.Name)
		if i > 0 {
			key = append([]byte{','}, key...)
		}
		dumps = append(dumps, columnDump{append(key, ':'), d})
	}
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	for start := 0; start < r.rows; start += dumpRows {
		n := min(dumpRows, r.rows-start)
		for _, d := range dumps {
			if err := d.load(start, n); err != nil {
				return err
			}
		}
		for i := range n {
			line = append(line[:0], '{')
			for _, d := range dumps {
				line = d.append(append(line, d.key...), i)
			}
			if _, err := out.Write(append(line, "}\n"...)); err != nil {
				return fmt.Errorf("dump rows: %w", err)
			}
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("dump rows: %w", err)
	}
	return nil
}

// columnDump is a column with its JSON key.
type columnDump struct {
	key []byte
	rowDump
}

// rowDump prints the rows of a column: load decodes some, append prints one of
// them.
type rowDump interface {
	load(start, n int) error
	append(dst []byte, i int) []byte
}

func (r *Reader) dumpColumn(info ColumnInfo) (rowDump, error) {
	switch valueType(info.Type) {
	case kindLong:
		c, err := numeric[int64](r, info.Name, kindLong)
		return &numericDump[int64]{c: c, put: func(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }}, err
	case kindFloat:
		c, err := numeric[float32](r, info.Name, kindFloat)
		return &numericDump[float32]{c: c, put: func(dst []byte, v float32) []byte { return appendJavaDouble(dst, float64(v), 32) }}, err
	case kindDouble:
		c, err := numeric[float64](r, info.Name, kindDouble)
		return &numericDump[float64]{c: c, put: func(dst []byte, v float64) []byte { return appendJavaDouble(dst, v, 64) }}, err
	}
	if valueType(info.Type) == kindComplex {
		if r.columns[info.Name].complex != nil {
			c, err := r.Complex(info.Name)
			return &jsonDump{c: c}, err
		}
		c, err := r.JSON(info.Name)
		return &jsonDump{c: c}, err
	}
	c, err := r.String(info.Name)
	return &stringDump{c: c}, err
}

// jsonDump prints an auto column or a complex metric; its rows are read when they are loaded, where
// an error can be returned.
type jsonDump struct {
	c interface {
		AppendJSON(dst []byte, row int) ([]byte, error)
	}
	text []byte
	ends []int
}

func (d *jsonDump) load(start, n int) (err error) {
	d.text, d.ends = d.text[:0], d.ends[:0]
	for row := start; row < start+n; row++ {
		if d.text, err = d.c.AppendJSON(d.text, row); err != nil {
			return err
		}
		d.ends = append(d.ends, len(d.text))
	}
	return nil
}

func (d *jsonDump) append(dst []byte, i int) []byte {
	from := 0
	if i > 0 {
		from = d.ends[i-1]
	}
	return append(dst, d.text[from:d.ends[i]]...)
}

type numericDump[T int64 | float32 | float64] struct {
	c     *numericColumn[T]
	vs    []T
	nulls []bool
	put   func(dst []byte, v T) []byte
}

func (d *numericDump[T]) load(start, n int) error {
	if d.vs == nil {
		d.vs, d.nulls = make([]T, dumpRows), make([]bool, dumpRows)
	}
	d.vs, d.nulls = d.vs[:n], d.nulls[:n]
	return d.c.Read(start, d.vs, d.nulls)
}

func (d *numericDump[T]) append(dst []byte, i int) []byte {
	if d.nulls[i] {
		return append(dst, "null"...)
	}
	return d.put(dst, d.vs[i])
}

type stringDump struct {
	c    *StringColumn
	ends []int
	ids  []uint32
}

func (d *stringDump) load(start, n int) (err error) {
	d.ends, d.ids, err = d.c.ReadLists(start, n, d.ends[:0], d.ids[:0])
	return err
}

// append prints a row of no value as null and one of one value as that value.
func (d *stringDump) append(dst []byte, i int) []byte {
	from := 0
	if i > 0 {
		from = d.ends[i-1]
	}
	ids := d.ids[from:d.ends[i]]
	switch len(ids) {
	case 0:
		return append(dst, "null"...)
	case 1:
		return d.value(dst, ids[0])
	}
	for j, id := range ids {
		dst = append(dst, "[,"[min(j, 1)])
		dst = d.value(dst, id)
	}
	return append(dst, ']')
}

func (d *stringDump) value(dst []byte, id uint32) []byte {
	v, null := d.c.dict.Value(int(id))
	if null {
		return append(dst, "null"...)
	}
	return appendJSONString(dst, string(v))
}

// appendJSONString quotes as Druid's tools do: characters beyond U+FFFF become
// two escaped surrogates, all others but control characters stand as they are.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', byte(c))
		case c < 0x20:
			dst = appendControl(dst, byte(c))
		case c > 0xffff:
			c -= 0x10000
			dst = fmt.Appendf(dst, `\u%04X\u%04X`, 0xd800+c>>10, 0xdc00+c&0x3ff)
		default:
			dst = utf8.AppendRune(dst, c)
		}
	}
	return append(dst, '"')
}

func appendControl(dst []byte, c byte) []byte {
	switch c {
	case '\b':
		return append(dst, `\b`...)
	case '\t':
		return append(dst, `\t`...)
	case '\n':
		return append(dst, `\n`...)
	case '\f':
		return append(dst, `\f`...)
	case '\r':
		return append(dst, `\r`...)
	}
	return fmt.Appendf(dst, `\u%04X`, c)
}
