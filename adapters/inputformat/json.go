package inputformat

import (
	"bytes"

	"ogham/adapters/index"
	"ogham/domain/row"
)

// JSON reads records of JSON objects, with white space between several. It refuses what Druid's reader refuses: any
// syntax error, in whatever field, loses the whole record. It is not safe for concurrent use.
type JSON struct {
	table
	// guesses holds the keys of the last object in their order: most objects repeat them.
	guesses []guess
	// arena holds decoded text of the record: strings with escapes.
	arena []byte
	// elems and members hold those of the lists and objects that are being read, the innermost last.
	elems   []row.Value
	members []row.Member
}

type guess struct {
	quoted []byte // the key in quotes
	slot   int
}

const (
	// maxDepth is Jackson's limit of nesting.
	maxDepth = 1000
	// maxNumber is Jackson's limit of a number's length.
	maxNumber = 1000
	// maxGuesses bounds the keys remembered; objects with more are read by looking the rest up.
	maxGuesses = 1024
)

// NewJSON makes a parser of the fields that a schema wants.
func NewJSON(schema row.Schema) *JSON { return newJSON(schema.Fields(), schema.DiscoverDimensions) }

func newJSON(fields []string, discover bool) *JSON { return &JSON{table: newTable(fields, discover)} }

var byteOrderMark = []byte{0xEF, 0xBB, 0xBF}

// Parse reads a record. What is not an object, a number say, counts as an object without fields.
func (p *JSON) Parse(r *index.Record) (*row.Rows, error) { return p.parse(r.Value) }

// Fork implements index.Forker. Fields that are discovered have their places in the order in which one parser meets them.
func (p *JSON) Fork() (index.Keeper, bool) {
	if p.discover {
		return nil, false
	}
	return newJSON(p.names, false), true
}

// Keep implements index.Keeper.
func (p *JSON) Keep(r *index.Record) error { return p.keep(r.Value) }

// Kept implements index.Keeper.
func (p *JSON) Kept() *row.Rows { return &p.rows }

// Forget implements index.Keeper.
func (p *JSON) Forget() { p.reset() }

func (p *JSON) parse(value []byte) (*row.Rows, error) {
	p.reset()
	if err := p.keep(value); err != nil {
		return nil, err
	}
	return &p.rows, nil
}

// keep reads a record's rows behind those that are there.
func (p *JSON) keep(value []byte) error {
	before := p.rows.Count
	p.elems, p.members = p.elems[:0], p.members[:0]
	b := value
	i := 0
	if bytes.HasPrefix(b, byteOrderMark) {
		i = len(byteOrderMark)
	}
	for {
		i = skipSpace(b, i)
		if i == len(b) {
			break
		}
		vals := p.newRow()
		if b[i] == '{' {
			i = p.object(b, i+1, vals)
		} else {
			number := b[i] == '-' || b[i]-'0' <= 9
			i = p.skip(b, i, 0)
			// Root values need no space between them, but numbers do.
			if number && i >= 0 && i < len(b) && !isSpace(b[i]) {
				i = bad
			}
		}
		if i < 0 {
			p.rows.Count = before
			p.dropRow()
			return p.refuse(value)
		}
		p.rows.Count++
	}
	if p.rows.Count == before {
		text := javaText(value)
		return &row.RecordError{Input: text, Message: row.EmptyMessage(text)}
	}
	return nil
}

func (p *JSON) refuse(value []byte) error {
	text := javaText(value)
	return &row.RecordError{Input: text, Message: row.SyntaxMessage(text)}
}

func (p *JSON) reset() {
	p.table.reset()
	p.arena = p.arena[:0]
	p.elems, p.members = p.elems[:0], p.members[:0]
}

// object reads an object's fields, from after its brace, into vals. It returns the place after it, or bad.
func (p *JSON) object(b []byte, i int, vals []row.Value) int {
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for k := 0; ; k++ {
		var slot int
		if k < len(p.guesses) {
			g := &p.guesses[k]
			end := i + len(g.quoted)
			if end < len(b) && b[end] == ':' && string(b[i:end]) == string(g.quoted) {
				slot, i = g.slot, end+1
				goto value
			}
		}
		if i, slot = p.key(b, i, k); i < 0 {
			return bad
		}
		if p.discover { // a new field may have moved the row
			vals = p.rows.Values[p.rows.Count*p.rows.Width:]
		}
	value:
		if i < len(b) && b[i] <= ' ' {
			i = skipSpace(b, i)
		}
		if slot >= 0 {
			v := &vals[slot]
			if p.discover && v.Kind == row.Missing {
				p.rows.Order[p.rows.Count] = append(p.rows.Order[p.rows.Count], int32(slot))
			}
			i = p.value(b, i, 1, v)
		} else {
			i = p.skip(b, i, 1)
		}
		if i < 0 {
			return bad
		}
		if i < len(b) && b[i] <= ' ' {
			i = skipSpace(b, i)
		}
		if i >= len(b) {
			return bad
		}
		switch b[i] {
		case ',':
			i++
			if i < len(b) && b[i] <= ' ' {
				i = skipSpace(b, i)
			}
		case '}':
			return i + 1
		default:
			return bad
		}
	}
}

// key reads a key and its colon, remembers it as the guess for place k, and gives its slot.
func (p *JSON) key(b []byte, i, k int) (next, slot int) {
	if i >= len(b) || b[i] != '"' {
		return bad, 0
	}
	end, escaped := scanString(b, i+1)
	if end < 0 {
		return bad, 0
	}
	name := b[i+1 : end]
	quoted := b[i : end+1]
	if escaped {
		if name = p.unescape(name); name == nil {
			return bad, 0
		}
	}
	slot = p.slot(name)
	if !escaped && k <= len(p.guesses) && k < maxGuesses {
		if k == len(p.guesses) {
			p.guesses = append(p.guesses, guess{})
		}
		g := &p.guesses[k]
		g.quoted, g.slot = append(g.quoted[:0], quoted...), slot
	}
	i = skipSpace(b, end+1)
	if i >= len(b) || b[i] != ':' {
		return bad, 0
	}
	return i + 1, slot
}

// Event implements index.Parser.
func (p *JSON) Event(r *index.Record, i int) string { return event(p, r, i) }

func (p *JSON) everything() reader {
	all := &jsonTree{JSON: newJSON(nil, true)}
	all.flat = &flattener{t: &all.table, discover: true, discovers: scalars, nested: p.rows.Exact}
	all.rows.Exact = true
	return all
}
