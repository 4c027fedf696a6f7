package segment

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// ColumnInfo describes a column.
type ColumnInfo struct {
	// Name is the column's name.
	Name string
	// Type is STRING, LONG, FLOAT, DOUBLE, or COMPLEX for auto columns and for
	// what cannot be read.
	Type string
	// Logical is the type that queries see of an auto column or a complex
	// metric, empty for others.
	Logical string
	// MultiValue says that a row may have several values.
	MultiValue bool
	// HasNulls says that some row may be null: for strings, that null is in
	// the dictionary.
	HasNulls bool
	// Dimension tells dimensions from metrics; __time is neither.
	Dimension bool
}

// Reader reads one segment. It may be used by several goroutines at a time;
// the columns it hands out may not. Nothing that comes from a Reader may be
// used after Close.
type Reader struct {
	src        source
	files      map[string][]byte
	rows       int
	start, end int64
	metadata   []byte
	bitmapType string
	names      []string // __time, dimensions, metrics
	columns    map[string]*column
}

// column is a column whose headers are read and checked.
type column struct {
	info ColumnInfo
	err  error // why it cannot be read

	number *numberPart
	str    *stringPartData
	json   *jsonPart

	complex *complexData
}

// Open opens a segment folder or an index.zip. A folder's files are mapped and
// must not be cut short while the Reader is open.
func Open(path string) (*Reader, error) {
	src, err := openSource(path)
	if err != nil {
		return nil, err
	}
	return newReader(src)
}

// newReader takes the source over, and closes it where it fails.
func newReader(src source) (*Reader, error) {
	r := &Reader{src: src, columns: map[string]*column{}}
	if err := r.load(); err != nil {
		return nil, errors.Join(err, src.close())
	}
	return r, nil
}

func (r *Reader) load() error {
	files, err := readSmoosh(r.src)
	if err != nil {
		return err
	}
	r.files = files
	r.metadata = files[metadataFile]
	x, err := readIndexDrd(files[indexFile])
	if err != nil {
		return err
	}
	r.start, r.end, r.bitmapType = x.start, x.end, x.bitmap
	r.names = []string{timeColumn}
	seen := map[string]bool{timeColumn: true}
	for _, n := range slices.Concat(x.dimensions, x.columns) {
		if !seen[n] {
			seen[n] = true
			r.names = append(r.names, n)
		}
	}
	dims := map[string]bool{}
	for _, d := range x.dimensions {
		dims[d] = true
	}
	for _, name := range r.names {
		b, ok := files[name]
		if !ok {
			return corruptf(name, "the column has no internal file")
		}
		c, err := r.readColumn(name, b)
		if err != nil {
			return err
		}
		c.info.Dimension = dims[name]
		r.columns[name] = c
	}
	return nil
}

// Close gives the segment's memory back.
func (r *Reader) Close() error {
	r.files, r.columns, r.metadata = nil, nil, nil
	return r.src.close()
}

// Rows is the number of rows.
func (r *Reader) Rows() int { return r.rows }

// Columns lists __time, the dimensions in order, and the metrics by name.
func (r *Reader) Columns() []ColumnInfo {
	list := make([]ColumnInfo, len(r.names))
	for i, n := range r.names {
		list[i] = r.columns[n].info
	}
	return list
}

// column finds a readable column.
func (r *Reader) column(name string, kind valueType) (*column, error) {
	c, ok := r.columns[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("segment column %q: %w", name, ErrNoColumn)
	case c.err != nil:
		return nil, c.err
	case c.info.Type != string(kind):
		return nil, fmt.Errorf("segment column %q is %s, not %s: %w", name, c.info.Type, kind, ErrNoColumn)
	}
	return c, nil
}

// Bitmap returns the rows that have value id of a string column.
func (r *Reader) Bitmap(col string, id int) (*roaring.Bitmap, error) {
	c, err := r.column(col, kindString)
	if err != nil {
		return nil, err
	}
	return c.str.bitmap(id)
}

// indexDrd is the content of index.drd.
type indexDrd struct {
	columns, dimensions []string
	start, end          int64
	bitmap              string
}

func readIndexDrd(b []byte) (*indexDrd, error) {
	c := &cursor{part: indexFile, b: b}
	cols, dims := c.indexed(nil), c.indexed(nil)
	x := &indexDrd{start: c.i64(), end: c.i64(), bitmap: "concise"}
	if c.err != nil {
		return nil, c.err
	}
	if len(c.b) > 0 {
		var t typed
		if err := json.Unmarshal(c.str32(), &t); c.err == nil && err != nil {
			c.corrupt("bitmap type: %v", err)
		}
		x.bitmap = t.Type
	}
	var nullCols, nullDims *indexed
	if len(c.b) > 0 {
		nullCols, nullDims = c.indexed(nil), c.indexed(nil)
	}
	if c.err != nil {
		return nil, c.err
	}
	var err error
	if x.columns, err = mergeNames(cols, nullCols); err != nil {
		return nil, err
	}
	x.dimensions, err = mergeNames(dims, nullDims)
	return x, err
}

// mergeNames puts the names of the columns with data and of those without into
// the order that the second list gives.
func mergeNames(data, nulls *indexed) ([]string, error) {
	with, err := data.strings()
	if err != nil {
		return nil, err
	}
	all := with
	if nulls != nil {
		if all, err = nulls.strings(); err != nil {
			return nil, err
		}
		for i := range all {
			if !all[i].null {
				continue
			}
			if len(with) == 0 {
				return nil, corruptf(indexFile, "the lists of columns do not fit")
			}
			all[i], with = with[0], with[1:]
		}
		if len(with) > 0 {
			return nil, corruptf(indexFile, "the lists of columns do not fit")
		}
	}
	names, seen := make([]string, len(all)), map[string]bool{}
	for i, n := range all {
		names[i] = string(n.b)
		if n.null || seen[names[i]] {
			return nil, corruptf(indexFile, "column %.40q is listed twice or without a name", names[i])
		}
		seen[names[i]] = true
	}
	return names, nil
}

// readColumn reads a column's descriptor and the headers of its part.
func (r *Reader) readColumn(name string, b []byte) (*column, error) {
	c := &cursor{part: name, b: b}
	var d struct {
		ValueType         string            `json:"valueType"`
		HasMultipleValues bool              `json:"hasMultipleValues"`
		Parts             []json.RawMessage `json:"parts"`
	}
	if err := json.Unmarshal(c.str32(), &d); c.err == nil && err != nil {
		c.corrupt("descriptor: %v", err)
	}
	if c.err != nil {
		return nil, c.err
	}
	col := &column{info: ColumnInfo{Name: name, Type: d.ValueType, MultiValue: d.HasMultipleValues}}
	var p partHeader
	if len(d.Parts) > 0 {
		if err := json.Unmarshal(d.Parts[0], &p); err != nil {
			return nil, corruptf(name, "descriptor: %v", err)
		}
	}
	kind := valueType(d.ValueType)
	if kind == kindComplex && len(d.Parts) == 1 && p.Type == nestedPartTag && name != timeColumn {
		if col.json = r.readJSON(c, d.Parts[0]); c.err != nil {
			return nil, c.err
		}
		col.info.Logical, col.info.HasNulls = col.json.logical, p.HasNulls
		return col, nil
	}
	if kind == kindComplex && len(d.Parts) == 1 && p.Type == complexPartTag && name != timeColumn {
		if col.complex = r.readComplex(c, p.TypeName); c.err != nil {
			return nil, c.err
		}
		if col.complex != nil {
			col.info.Logical = "COMPLEX<" + p.TypeName + ">"
			return col, nil
		}
	}
	known := len(d.Parts) == 1 && (p.Type == kind.part() || p.Type == "null" && kind == kindString) && slices.Contains([]valueType{kindString, kindLong, kindFloat, kindDouble}, kind)
	if name == timeColumn && (!known || kind != kindLong) {
		return nil, corruptf(name, "not a column of longs")
	}
	if !known {
		col.err = &UnsupportedError{Column: name, Feature: fmt.Sprintf("column of type %s with part %q", d.ValueType, p.Type)}
		return col, nil
	}
	if p.Bitmap.Type == "" {
		p.Bitmap.Type = r.bitmapType
	}
	switch {
	case p.Type == "null":
		col.str, c.err = nullString(r, name, p)
	case kind == kindString:
		col.str = r.readString(c, p, d.HasMultipleValues)
	default:
		col.number = r.readNumber(c, kind, p)
	}
	if c.err != nil {
		return nil, c.err
	}
	if col.str != nil {
		col.info.HasNulls = col.str.hasNull
	} else {
		col.info.HasNulls = len(col.number.nulls) > 0
	}
	return col, nil
}

// partHeader is what the parts of scalar columns say in the descriptor.
type partHeader struct {
	Type      string `json:"type"`
	ByteOrder string `json:"byteOrder"`
	Bitmap    typed  `json:"bitmapSerdeFactory"`
	NumRows   int64  `json:"numRows"`
	HasNulls  bool   `json:"hasNulls"`
	TypeName  string `json:"typeName"`
}
