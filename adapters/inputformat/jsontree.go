package inputformat

import (
	"bytes"

	"ogham/adapters/index"
	"ogham/domain/row"
)

// jsonMode is how the text of a record is cut into documents.
type jsonMode uint8

const (
	// jsonWhole takes all documents of a record or none.
	jsonWhole jsonMode = iota
	// jsonLines takes one document a line; a bad line loses itself.
	jsonLines
	// jsonNodes takes document after document; a bad one loses itself and what follows.
	jsonNodes
)

// jsonTree reads JSON with whatever the plain parser has not: a flattenSpec, features, ways to read several documents. It
// makes a tree of each document and a row of the tree.
type jsonTree struct {
	*JSON
	flat     *flattener
	mode     jsonMode
	features features
}

// Fork implements index.Forker. Where a record's documents stand for themselves, it says more than a Keeper can.
func (p *jsonTree) Fork() (index.Keeper, bool) {
	if p.discover || p.mode != jsonWhole || !p.flat.forks() {
		return nil, false
	}
	f := &jsonTree{JSON: newJSON(p.names, false), features: p.features}
	f.flat = p.flat.fork(&f.table)
	return f, true
}

// Keep implements index.Keeper.
func (p *jsonTree) Keep(r *index.Record) error { return p.whole(r) }

// document reads the document at i. next is the place after it, or bad.
func (p *jsonTree) document(b []byte, i int) (root row.Value, next int) {
	if p.features != 0 {
		return p.lenient(b, i)
	}
	next = p.value(b, i, 0, &root)
	if next >= 0 && next < len(b) && (root.Kind == row.Long || root.Kind == row.Double) && !isSpace(b[next]) {
		next = bad
	}
	return root, next
}

func (p *jsonTree) space(b []byte, i int) int {
	if p.features != 0 {
		return p.features.space(b, i)
	}
	return skipSpace(b, i)
}

// Parse implements index.Parser.
func (p *jsonTree) Parse(r *index.Record) (*row.Rows, error) {
	p.reset()
	p.rows.Apart = p.mode != jsonWhole
	p.rows.Broken, p.rows.Lines = p.rows.Broken[:0], p.rows.Lines[:0]
	value := bytes.TrimPrefix(r.Value, byteOrderMark)
	switch p.mode {
	case jsonLines:
		return p.lines(value)
	case jsonWhole:
		if err := p.whole(r); err != nil {
			return nil, err
		}
		return &p.rows, nil
	}
	for i := p.space(value, 0); i != len(value); i = p.space(value, i) {
		root := row.Value{}
		if i >= 0 {
			root, i = p.document(value, i)
		}
		if i < 0 {
			text := javaText(r.Value)
			p.broken(text, "Unable to parse row ["+text+"]", 0)
			return &p.rows, nil
		}
		if err := p.flat.add(root); err != nil {
			return nil, err
		}
	}
	if p.rows.Count == 0 {
		text := javaText(r.Value)
		return nil, &row.RecordError{Input: text, Message: row.EmptyMessage(text)}
	}
	return &p.rows, nil
}

// whole reads all documents of a record, or none, behind the rows that are there.
func (p *jsonTree) whole(r *index.Record) error {
	before := p.rows.Count
	p.elems, p.members = p.elems[:0], p.members[:0]
	value := bytes.TrimPrefix(r.Value, byteOrderMark)
	for i := p.space(value, 0); i != len(value); i = p.space(value, i) {
		root := row.Value{}
		if i >= 0 {
			root, i = p.document(value, i)
		}
		err := error(nil)
		if i < 0 {
			err = p.refuse(r.Value)
		} else {
			err = p.flat.add(root)
		}
		if err != nil {
			p.rows.Count = before
			p.dropRow()
			return err
		}
	}
	if p.rows.Count == before {
		text := javaText(r.Value)
		return &row.RecordError{Input: text, Message: row.EmptyMessage(text)}
	}
	return nil
}

func (p *jsonTree) broken(input, message string, line int) {
	p.rows.Broken = append(p.rows.Broken, row.Broken{Input: input, Message: message, Before: p.rows.Count, Line: line})
}

// lines reads a document from each line. What follows it on the line is ignored, as Druid's reader does.
func (p *jsonTree) lines(value []byte) (*row.Rows, error) {
	for number, line := range textLines(value) {
		root, next := row.Value{}, bad
		if i := p.space(line, 0); i >= 0 && i < len(line) {
			root, next = p.document(line, i)
		}
		if next < 0 {
			text := javaText(line)
			p.broken(text, "Unable to parse row ["+text+"]", number)
			continue
		}
		if err := p.flat.add(root); err != nil {
			return nil, err
		}
		p.rows.Lines = append(p.rows.Lines, number)
	}
	return &p.rows, nil
}

// textLines goes over the lines of a text, which a newline ends, with their numbers from 1. A carriage return before the
// newline belongs to it; nothing follows the last newline.
func textLines(b []byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for number := 1; len(b) > 0; number++ {
			line := b
			if i := bytes.IndexByte(b, '\n'); i >= 0 {
				line, b = b[:i], b[i+1:]
				line = bytes.TrimSuffix(line, []byte{'\r'})
			} else {
				b = nil
			}
			if !yield(number, line) {
				return
			}
		}
	}
}

// Event implements index.Parser.
func (p *jsonTree) Event(r *index.Record, i int) string { return event(p, r, i) }

func (p *jsonTree) everything() reader {
	all := &jsonTree{JSON: newJSON(nil, true), mode: p.mode, features: p.features}
	all.flat = p.flat.everything(&all.table)
	return all
}
