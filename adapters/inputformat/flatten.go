package inputformat

import (
	"bytes"
	"encoding/json"
	"fmt"

	"ogham/adapters/index"
	"ogham/adapters/inputformat/jsonpath"
	"ogham/domain/row"
)

// flattenSpec is a format's flattenSpec as it stands in the spec. Types and names were checked when it was posted.
type flattenSpec struct {
	UseFieldDiscovery *bool             `json:"useFieldDiscovery"`
	Fields            []json.RawMessage `json:"fields"`
}

func (s *flattenSpec) fields() []json.RawMessage {
	if s == nil {
		return nil
	}
	return s.Fields
}

type flattenField struct {
	Type  string   `json:"type"`
	Name  string   `json:"name"`
	Expr  string   `json:"expr"`
	Nodes []string `json:"nodes"`
}

// extractor gives a field's value in a document.
type extractor interface {
	extract(rows *row.Rows, root row.Value) (row.Value, error)
}

// flattener makes rows of documents: trees of values, whatever their format was.
type flattener struct {
	t *table
	// extractors are those of the fields that are wanted, in the order of the flattenSpec.
	extractors []field
	all        []field         // of all fields of the flattenSpec; their slots mean nothing
	byName     map[string]bool // of all fields of the flattenSpec
	discover   bool            // top-level fields are discovered
	// nested says that whatever a field holds it is discovered, keepNull that a field that is null is.
	nested, keepNull bool
	// discovers says which values of top-level fields are discovered unless nested is set.
	discovers func(rows *row.Rows, v *row.Value) bool
	// named, if set, says instead which top-level fields are discovered unless nested is set.
	named func(key []byte) bool
	// finish changes a list or an object that goes into a row; nil: nothing.
	finish func(rows *row.Rows, v row.Value) row.Value
	// order puts the discovered fields of a document into another order; nil: as they stand there.
	order func(members []row.Member) []row.Member
	// guesses holds what became of the members of the last document, in their order: most documents repeat it.
	guesses []memberGuess
}

// memberGuess is a key with the slot of its field; skipped: nobody wants it, or the flattenSpec has a field of the name.
type memberGuess struct {
	key  []byte
	slot int
}

// forks says whether several may flatten at the same time.
func (f *flattener) forks() bool {
	for i := range f.extractors {
		switch f.extractors[i].extractor.(type) {
		case tree, path:
		default:
			return false
		}
	}
	return true
}

// fork gives a flattener of the same fields for a table that has the same slots.
func (f *flattener) fork(t *table) *flattener {
	out := *f
	out.t, out.guesses = t, nil
	return &out
}

type field struct {
	name string
	slot int
	// plain says that it reads the fields as they are, where the document has them in another form too.
	plain bool
	extractor
}

// FieldError says that a field of the flattenSpec cannot be worked out over a record: the task fails.
type FieldError struct {
	Name, Expr string
	Err        error
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("flattenSpec field [%s], expression [%s]: %v", e.Name, e.Expr, e.Err)
}

func (e *FieldError) Unwrap() error { return e.Err }

// flattening is what the parts of a format tell of its flattening.
type flattening struct {
	spec             *flattenSpec
	nested, keepNull bool
	withoutJQ        bool // the format has neither jq nor trees of more than a node
}

func (f *flattening) discovers() bool {
	return f.spec == nil || f.spec.UseFieldDiscovery == nil || *f.spec.UseFieldDiscovery
}

func newFlattener(t *table, f flattening) (*flattener, error) {
	out := &flattener{
		t: t, byName: map[string]bool{}, discover: true, nested: f.nested, keepNull: f.keepNull, discovers: scalars,
	}
	t.rows.Exact = t.discover
	out.discover = f.discovers()
	for _, raw := range f.spec.fields() {
		spec, err := readFlattenField(raw)
		if err != nil {
			return nil, err
		}
		if out.byName[spec.Name] {
			return nil, fmt.Errorf("Cannot have duplicate field definition: %s", spec.Name) //nolint:staticcheck // Druid's words
		}
		out.byName[spec.Name] = true
		x, err := newExtractor(spec, f.withoutJQ)
		if err != nil {
			return nil, err
		}
		_, plain := x.(tree)
		out.all = append(out.all, field{spec.Name, skipped, plain, x})
		if slot := t.slot([]byte(spec.Name)); slot != skipped {
			out.extractors = append(out.extractors, field{spec.Name, slot, plain, x})
		}
	}
	return out, nil
}

func readFlattenField(raw json.RawMessage) (flattenField, error) {
	var f flattenField
	if len(raw) > 0 && raw[0] == '"' {
		f.Type = "root"
		if err := json.Unmarshal(raw, &f.Name); err != nil {
			return f, fmt.Errorf("read flattenSpec: %w", err)
		}
	} else if err := json.Unmarshal(raw, &f); err != nil {
		return f, fmt.Errorf("read flattenSpec: %w", err)
	}
	if f.Type == "root" && f.Expr == "" {
		f.Expr = f.Name
	}
	return f, nil
}

func newExtractor(f flattenField, withoutJQ bool) (extractor, error) {
	switch f.Type {
	case "root":
		return tree{[]string{f.Expr}}, nil
	case "path":
		p, err := jsonpath.Compile(f.Expr)
		if err != nil {
			return nil, err
		}
		return path{f, p}, nil
	case "jq":
		if withoutJQ {
			return nil, &UnsupportedError{What: fmt.Sprintf("jq (flattenSpec field %q) with this format", f.Name)}
		}
		return newJQ(f)
	case "tree":
		if withoutJQ && len(f.Nodes) > 1 {
			return nil, &UnsupportedError{What: fmt.Sprintf("tree of several nodes (flattenSpec field %q) with this format", f.Name)}
		}
		if len(f.Nodes) == 0 {
			return nil, fmt.Errorf("Missing 'nodes' for field[%s], was [%s]", f.Name, f.Nodes) //nolint:staticcheck // Druid's words
		}
		return tree{f.Nodes}, nil
	}
	return nil, fmt.Errorf("flattenSpec field %q has the type %q, which is none of root, path, jq and tree", f.Name, f.Type)
}

type path struct {
	field flattenField
	*jsonpath.Path
}

func (p path) extract(rows *row.Rows, root row.Value) (row.Value, error) {
	v, err := p.Read(rows, root)
	if err != nil {
		return v, &FieldError{p.field.Name, p.field.Expr, err}
	}
	return v, nil
}

// tree goes down by the names of members.
type tree struct{ nodes []string }

func (t tree) extract(rows *row.Rows, root row.Value) (row.Value, error) {
	v := root
	for _, name := range t.nodes {
		v = memberOf(rows, v, name)
	}
	if v.Kind == row.Missing {
		v.Kind = row.Null
	}
	return v, nil
}

// memberOf gives a member's value, a missing one where there is none.
func memberOf(rows *row.Rows, v row.Value, name string) row.Value {
	if v.Kind == row.Object {
		members := rows.MembersOf(&v)
		for i := range members {
			if string(members[i].Key) == name {
				return members[i].Value
			}
		}
	}
	return row.Value{}
}

// quiet gives null where an extractor fails: for texts of errors.
type quiet struct{ extractor }

func (q quiet) extract(rows *row.Rows, root row.Value) (row.Value, error) {
	v, err := q.extractor.extract(rows, root)
	if err != nil {
		v = row.Value{Kind: row.Null}
	}
	return v, nil
}

// scalars are the values that are discovered in JSON: scalars and lists of them.
func scalars(rows *row.Rows, v *row.Value) bool {
	return v.Kind != row.Object && (v.Kind != row.List || row.Flat(rows.ListOf(v)))
}

// add makes a row of a document and counts it. Fields are there as Druid's reader has them: those of the flattenSpec
// first, then the top-level ones. A null that does not count as a field is missing.
func (f *flattener) add(root row.Value) error { return f.addPlain(root, root) }

// addPlain is add for a document whose top-level fields are those of another one.
func (f *flattener) addPlain(root, plain row.Value) error {
	f.t.newRow()
	rows := &f.t.rows
	for i := range f.extractors {
		x := &f.extractors[i]
		f.t.found(x.slot)
		from := root
		if x.plain {
			from = plain
		}
		v, err := x.extract(rows, from)
		if err != nil {
			f.t.dropRow()
			return err
		}
		f.put(x.slot, v)
	}
	if plain.Kind == row.Object {
		members := rows.MembersOf(&plain)
		if f.order != nil && f.t.discover {
			members = f.order(members)
		}
		for i := range members {
			if m := &members[i]; f.t.discover {
				f.member(m)
			} else if slot := f.guess(i, m.Key); slot != skipped {
				f.known(slot, m)
			}
		}
	}
	rows.Count++
	return nil
}

// guess gives the slot of member i of a document where fields are not discovered.
func (f *flattener) guess(i int, key []byte) int {
	if i < len(f.guesses) && bytes.Equal(f.guesses[i].key, key) {
		return f.guesses[i].slot
	}
	slot, known := f.t.slots[string(key)]
	if !known || f.byName[string(key)] {
		slot = skipped
	}
	if i < maxGuesses {
		for len(f.guesses) <= i {
			f.guesses = append(f.guesses, memberGuess{slot: skipped})
		}
		g := &f.guesses[i]
		g.key, g.slot = append(g.key[:0], key...), slot
	}
	return slot
}

// member puts a member into a table that may discover it.
func (f *flattener) member(m *row.Member) {
	if f.byName[string(m.Key)] {
		return
	}
	slot, known := f.t.slots[string(m.Key)]
	if !known {
		if !f.counts(m) {
			return
		}
		if slot = f.t.slot(m.Key); slot == skipped {
			return
		}
	}
	f.known(slot, m)
}

// known puts a member into its slot.
func (f *flattener) known(slot int, m *row.Member) {
	if null := m.Value.Kind <= row.Null; f.t.discover || null {
		if f.counts(m) {
			f.t.found(slot)
		} else if null {
			return
		}
	}
	f.put(slot, m.Value)
}

// counts says whether a member is a field of the document, to be discovered.
func (f *flattener) counts(m *row.Member) bool {
	switch {
	case !f.discover:
		return false
	case f.nested:
		return true
	case f.named != nil:
		return f.named(m.Key)
	}
	return f.discovers(&f.t.rows, &m.Value) && (f.keepNull || m.Value.Kind > row.Null)
}

func (f *flattener) put(slot int, v row.Value) {
	if f.finish != nil && v.Kind >= row.List {
		v = f.finish(&f.t.rows, v)
	}
	f.t.set(slot, v)
}

// everything gives the flattener of a table that takes every field, for texts of errors.
func (f *flattener) everything(t *table) *flattener {
	out := *f
	out.t, out.extractors = t, nil
	t.rows.Exact = true
	for _, x := range f.all {
		out.extractors = append(out.extractors, field{x.name, t.slot([]byte(x.name)), x.plain, quiet{x.extractor}})
	}
	return &out
}

// event is the text of row i of a record, as Druid prints its events. The record is read again, by a parser of
// everything: only the fields that are wanted were kept.
func event(p reader, r *index.Record, i int) string {
	all := p.everything()
	rows, err := all.Parse(r)
	if err != nil || i >= rows.Count {
		return javaText(r.Value)
	}
	return eventText(all.output(), i)
}

// eventText is the text of row i of a table whose rows are exact, as Java prints the map of its fields.
func eventText(t *table, i int) string {
	vals := t.rows.Row(i)
	text := []byte{'{'}
	for k, slot := range t.rows.Order[i] {
		if k > 0 {
			text = append(text, ", "...)
		}
		text = append(append(text, t.names[slot]...), '=')
		text = t.rows.AppendText(text, &vals[slot])
	}
	return string(append(text, '}'))
}
