package inputformat

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"ogham/adapters/index"
	"ogham/domain/row"
)

// defaultListDelimiter stands between the values of a list: Ctrl-A.
const defaultListDelimiter = "\x01"

// delimitedSpec is the inputFormat csv or tsv.
type delimitedSpec struct {
	Columns               []string `json:"columns"`
	ListDelimiter         *string  `json:"listDelimiter"`
	Delimiter             *string  `json:"delimiter"`
	HasHeaderRow          *bool    `json:"hasHeaderRow"`
	FindColumnsFromHeader *bool    `json:"findColumnsFromHeader"`
	SkipHeaderRows        int      `json:"skipHeaderRows"`
	TryParseNumbers       bool     `json:"tryParseNumbers"`
	// ShouldTryParseNumbers is the name by which Druid writes it.
	ShouldTryParseNumbers bool `json:"shouldTryParseNumbers"`
}

// delimited reads lines of columns: csv and tsv. Each line is a row that stands for itself.
type delimited struct {
	table
	lists splitter
	split func(line []byte, dst []text) []text
	// comma is the delimiter if it is one byte, or 0; quotes says that fields may be in quotes.
	comma  byte
	quotes bool
	skip   int
	header bool // each record begins with its column names
	asLong bool // a row has as many fields as its line

	columns []column
	named   []byte // the header that columns were made of
	fields  []text
}

// column is one column of the lines.
type column struct {
	name string
	slot int
}

// text is a column's text in a line; null where it is empty and not in quotes.
type text struct {
	b    []byte
	null bool
}

func newDelimited(kind string, s delimitedSpec, fields []string, discover bool) (*delimited, error) {
	p := &delimited{table: newTable(fields, discover), skip: max(0, s.SkipHeaderRows)}
	p.rows.Exact, p.rows.Apart = true, true
	p.lists = newSplitter(s.ListDelimiter, s.TryParseNumbers || s.ShouldTryParseNumbers)
	delimiter := ","
	if kind == "tsv" {
		delimiter = "\t"
		if s.Delimiter != nil {
			delimiter = *s.Delimiter
		}
		if delimiter == "" {
			return nil, fmt.Errorf("inputFormat tsv: delimiter is empty")
		}
		p.split = func(line []byte, dst []text) []text { return splitFields(line, []byte(delimiter), dst) }
	} else {
		p.split, p.quotes = splitCSV, true
	}
	if len(delimiter) == 1 {
		p.comma = delimiter[0]
	}
	if s.ListDelimiter != nil && *s.ListDelimiter == delimiter {
		return nil, fmt.Errorf("Cannot have same delimiter and list delimiter of [%s]", delimiter) //nolint:staticcheck // Druid's words
	}
	switch {
	case len(s.Columns) == 0 && s.HasHeaderRow != nil && s.FindColumnsFromHeader != nil:
		return nil, fmt.Errorf("Cannot accept both [findColumnsFromHeader] and [hasHeaderRow]") //nolint:staticcheck // Druid's words
	case s.FindColumnsFromHeader != nil:
		p.header = *s.FindColumnsFromHeader
	case s.HasHeaderRow != nil && len(s.Columns) == 0:
		p.header = *s.HasHeaderRow
	}
	for _, name := range s.Columns {
		if strings.Contains(name, delimiter) {
			return nil, fmt.Errorf("Column[%s] cannot have the delimiter[%s] in its name", name, delimiter) //nolint:staticcheck // Druid's words
		}
	}
	if p.header {
		return p, nil
	}
	if len(s.Columns) == 0 {
		return nil, fmt.Errorf("Either [columns] or [findColumnsFromHeader] must be set") //nolint:staticcheck // Druid's words
	}
	return p, p.setColumns(s.Columns)
}

// columnsOf gives the columns of names. One without a name is called by its place.
func (t *table) columnsOf(names []string) ([]column, error) {
	seen := make(map[string]bool, len(names))
	out := make([]column, 0, len(names))
	for i, name := range names {
		if name == "" {
			name = columnName(i)
		}
		if seen[name] {
			return nil, fmt.Errorf("Duplicate column entries found : [%s]", name) //nolint:staticcheck // Druid's words
		}
		seen[name] = true
		out = append(out, column{name: name, slot: t.slot([]byte(name))})
	}
	return out, nil
}

// columnName is the name of a column that has none.
func columnName(i int) string { return "column_" + strconv.Itoa(i+1) }

func (p *delimited) setColumns(names []string) (err error) {
	p.columns, err = p.columnsOf(names)
	return err
}

// Parse implements index.Parser.
func (p *delimited) Parse(r *index.Record) (*row.Rows, error) {
	p.Forget()
	if err := p.Keep(r); err != nil {
		return nil, err
	}
	return &p.rows, nil
}

// Fork implements index.Forker. Columns that records name are discovered, or else those of the record before.
func (p *delimited) Fork() (index.Keeper, bool) {
	if p.discover || p.header {
		return nil, false
	}
	f := p.over(newTable(p.names, false))
	f.columns = p.columns
	return f, true
}

// over is a reader of the same lines into another table. It has no columns yet.
func (p *delimited) over(t table) *delimited {
	out := &delimited{table: t, lists: p.lists, split: p.split, comma: p.comma, quotes: p.quotes, skip: p.skip, header: p.header}
	out.rows.Exact, out.rows.Apart = true, true
	return out
}

// Keep implements index.Keeper.
func (p *delimited) Keep(r *index.Record) error {
	for number, line := range textLines(r.Value) {
		switch {
		case number <= p.skip:
			continue
		case number == p.skip+1 && p.header:
			if err := p.readHeader(line); err != nil {
				return &row.RecordError{Input: javaText(r.Value), Message: err.Error()}
			}
			continue
		}
		p.add(line)
		p.rows.Lines = append(p.rows.Lines, number)
	}
	return nil
}

// Kept implements index.Keeper.
func (p *delimited) Kept() *row.Rows { return &p.rows }

// Forget implements index.Keeper.
func (p *delimited) Forget() {
	p.reset()
	p.rows.Lines = p.rows.Lines[:0]
}

func (p *delimited) readHeader(line []byte) error {
	if p.columns != nil && bytes.Equal(line, p.named) {
		return nil
	}
	var names []string
	for _, f := range p.split(row.JavaUTF8(line), nil) {
		names = append(names, string(f.b))
	}
	p.named = append(p.named[:0], line...)
	return p.setColumns(names)
}

// plain says that a line, in UTF-8, is nothing but single values between delimiters of a byte.
func (p *delimited) plain(line []byte) bool {
	return p.comma != 0 && !p.discover && !p.asLong && !(p.quotes && bytes.IndexByte(line, '"') >= 0) &&
		(len(p.lists.delimiter) == 0 || !bytes.Contains(line, p.lists.delimiter))
}

// addPlain is add for a plain line.
func (p *delimited) addPlain(line []byte) {
	vals := p.newRow()
	at := 0
	for i := range p.columns {
		end := at
		for end < len(line) && line[end] != p.comma {
			end++
		}
		if slot := p.columns[i].slot; slot != skipped {
			switch v := &vals[slot]; {
			case at == end:
				v.Kind = row.Null
			case p.lists.numbers:
				*v = p.lists.single(line[at:end:end])
			default:
				v.Kind, v.Text = row.String, line[at:end:end]
			}
		}
		at = min(end+1, len(line))
	}
	p.rows.Count++
}

func (p *delimited) add(line []byte) {
	line = row.JavaUTF8(line)
	if p.plain(line) {
		p.addPlain(line)
		return
	}
	p.newRow()
	p.fields = p.split(line, p.fields[:0])
	for i := range p.columns {
		slot := p.columns[i].slot
		if slot == skipped || p.asLong && i >= len(p.fields) {
			continue
		}
		p.found(slot)
		v := row.Value{Kind: row.Null}
		if i < len(p.fields) && !p.fields[i].null {
			v = p.lists.value(&p.rows, p.fields[i].b)
		}
		p.set(slot, v)
	}
	p.rows.Count++
}

// Event implements index.Parser.
func (p *delimited) Event(r *index.Record, i int) string { return event(p, r, i) }

func (p *delimited) everything() reader {
	all := p.over(newTable(nil, true))
	all.asLong = true
	for _, c := range p.columns {
		all.columns = append(all.columns, column{c.name, all.slot([]byte(c.name))})
	}
	all.named = append(all.named, p.named...)
	return all
}

// splitFields cuts a line at a delimiter.
func splitFields(line, delimiter []byte, dst []text) []text {
	for {
		i := bytes.Index(line, delimiter)
		if i < 0 {
			return append(dst, text{line, len(line) == 0})
		}
		dst = append(dst, text{line[:i], i == 0})
		line = line[i+len(delimiter):]
	}
}

// splitCSV cuts a line as the parser of opencsv does that Druid uses: a field in quotes ends at a quote with a comma
// behind it, quotes in it are doubled, and what is not well formed is taken as far as it goes.
func splitCSV(line []byte, dst []text) []text {
	if bytes.IndexByte(line, '"') < 0 {
		return splitFields(line, []byte{','}, dst)
	}
	at := 0
	for at < len(line) {
		comma := bytes.IndexByte(line[at:], ',')
		if comma < 0 {
			dst = append(dst, unquoteCSV(line[at:]))
			at = len(line)
			break
		}
		end := at + comma
		if line[at] == '"' {
			end = endOfQuoted(line, at)
		}
		dst = append(dst, unquoteCSV(line[at:min(end, len(line))]))
		at = end + 1
	}
	if line[len(line)-1] == ',' {
		dst = append(dst, text{null: true})
	}
	return dst
}

// endOfQuoted gives the place of the comma that ends the field in quotes at i, or the line's end.
func endOfQuoted(line []byte, i int) int {
	next := func(from int) int {
		if from < len(line) {
			if k := bytes.IndexByte(line[from:], '"'); k >= 0 {
				return from + k
			}
		}
		return -1
	}
	more := func(quote int) bool { return quote >= 0 && quote < len(line)-1 }
	quote, within := next(i+1), false
	for more(quote) {
		if !within && line[quote+1] == ',' {
			return quote + 1
		}
		for {
			quote = next(quote + 1)
			within = !within
			if !more(quote) || line[quote+1] != '"' {
				break
			}
		}
	}
	return len(line)
}

func unquoteCSV(b []byte) text {
	first := bytes.IndexByte(b, '"')
	if first < 0 {
		return text{b, len(b) == 0}
	}
	if b[0] == '"' && bytes.LastIndexByte(b, '"') != first {
		b = bytes.TrimSuffix(b[1:], []byte{'"'})
	}
	if bytes.Contains(b, []byte(`""`)) {
		b = bytes.ReplaceAll(b, []byte(`""`), []byte{'"'})
	}
	return text{b: b}
}

// splitter makes values of texts.
type splitter struct {
	delimiter []byte
	numbers   bool
}

func newSplitter(delimiter *string, numbers bool) splitter {
	if delimiter == nil {
		return splitter{[]byte(defaultListDelimiter), numbers}
	}
	return splitter{[]byte(*delimiter), numbers}
}

// value gives the value of a text: a list if the list delimiter is in it.
func (s splitter) value(rows *row.Rows, b []byte) row.Value {
	if !bytes.Contains(b, s.delimiter) {
		return s.single(b)
	}
	if len(s.delimiter) == 0 {
		return s.single(b)
	}
	first := len(rows.Elems)
	for {
		i := bytes.Index(b, s.delimiter)
		if i < 0 {
			rows.Elems = append(rows.Elems, s.single(b))
			return row.Value{Kind: row.List, Num: uint64(first)<<32 | uint64(len(rows.Elems)-first)}
		}
		rows.Elems = append(rows.Elems, s.single(b[:i:i]))
		b = b[i+len(s.delimiter):]
	}
}

func (s splitter) single(b []byte) row.Value {
	if s.numbers && creatable(b) {
		if n, err := strconv.ParseInt(string(b), 10, 64); err == nil && b[0] != '+' {
			return row.Value{Kind: row.Long, Num: uint64(n)}
		}
		t := strings.TrimRight(string(b), "fFdD")
		if f, err := strconv.ParseFloat(t, 64); (err == nil || math.IsInf(f, 0)) && len(b)-len(t) <= 1 && !strings.ContainsAny(t, "xX_") {
			return row.Value{Kind: row.Double, Num: math.Float64bits(f)}
		}
	}
	return row.Value{Kind: row.String, Text: b}
}

// creatable says what tryParseNumbers tries to read as a number: Java's notations of numbers, so that a text of digits with
// a zero before them is one only if it is octal.
func creatable(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if b[0] == '-' || b[0] == '+' {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == '0' && bytes.IndexByte(b, '.') < 0 && isDigit(b[1]) {
		return bytes.IndexFunc(b, func(r rune) bool { return r < '0' || r > '7' }) < 0
	}
	digits, point, exponent := 0, false, false
	for i, c := range b {
		switch {
		case isDigit(c):
			digits++
		case c == '.' && !point && !exponent:
			point = true
		case c|0x20 == 'e' && digits > 0 && !exponent:
			exponent, digits = true, 0
		case (c == '+' || c == '-') && exponent && b[i-1]|0x20 == 'e':
		case (c|0x20 == 'f' || c|0x20 == 'd') && digits > 0 && i == len(b)-1:
		default:
			return false
		}
	}
	return digits > 0
}
