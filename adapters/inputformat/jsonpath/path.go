package jsonpath

import (
	"bytes"

	"ogham/domain/row"
)

// Path is a compiled expression. It is safe for concurrent use.
type Path struct {
	text   string
	tokens []token
	// fromItem says that the path starts at the item of a filter (@) instead of the document ($).
	fromItem bool
	// definite says that the path leads to one value; otherwise the result is a list.
	definite bool
}

// String gives the expression as it was compiled.
func (p *Path) String() string { return p.text }

// Error is a value that an expression cannot be evaluated over, as the sum of no numbers. Druid fails the task.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

type tokenKind uint8

const (
	tokenNames tokenKind = iota // one or several members
	tokenIndexes
	tokenSlice
	tokenWildcard
	tokenScan // everything below, applied to the token that follows
	tokenFilter
	tokenFunction
)

type token struct {
	kind    tokenKind
	names   []string
	indexes []int
	from    *int
	to      *int
	filter  filter
	call    *call
}

// definite says whether a token leads to one value; last is whether it is the path's last.
func (t *token) definite(last bool) bool {
	switch t.kind {
	case tokenNames:
		return len(t.names) == 1 || last
	case tokenIndexes:
		return len(t.indexes) == 1
	case tokenFunction:
		return true
	}
	return false
}

// run is one evaluation.
type run struct {
	rows    *row.Rows
	root    row.Value
	path    *Path
	results []row.Value
	// strict makes a step that leads nowhere an error instead of no result, as a filter that asks for existence does.
	strict  bool
	missing bool
	problem error
	steps   int
}

// maxSteps bounds an evaluation: scans within scans lead to the same places again and again.
const maxSteps = 10_000_000

// Read gives the value that the path leads to in a document. A definite path that leads nowhere gives null, any other a
// list, which may be empty. Lists that are made go into rows. The error is an *Error.
func (p *Path) Read(rows *row.Rows, root row.Value) (row.Value, error) {
	r := run{rows: rows, root: root, path: p}
	r.step(0, root)
	if r.problem != nil {
		return row.Value{}, r.problem
	}
	return r.value(), nil
}

func (r *run) value() row.Value {
	if !r.path.definite {
		return r.rows.NewList(r.results)
	}
	if n := len(r.results); n > 0 {
		return r.results[n-1]
	}
	return row.Value{Kind: row.Null}
}

// isMap says whether a value counts as an object.
func isMap(v row.Value) bool { return v.Kind == row.Object || v.Kind <= row.Null }

// nowhere notes that the path leads nowhere here.
func (r *run) nowhere(i int) {
	if r.strict && r.upstreamDefinite(i) {
		r.missing = true
	}
}

func (r *run) upstreamDefinite(i int) bool {
	for k := range r.path.tokens[:i] {
		if !r.path.tokens[k].definite(false) {
			return false
		}
	}
	return true
}

// step applies the tokens from i on to a value.
func (r *run) step(i int, v row.Value) {
	if r.problem != nil || r.missing {
		return
	}
	if r.steps++; r.steps > maxSteps {
		r.problem = &Error{"JsonPath " + r.path.text + " leads to too many places"}
		return
	}
	if i == len(r.path.tokens) {
		r.results = append(r.results, v)
		return
	}
	t := &r.path.tokens[i]
	switch t.kind {
	case tokenNames:
		r.names(i, t, v)
	case tokenIndexes, tokenSlice:
		if v.Kind != row.List {
			r.nowhere(i)
			return
		}
		r.elements(i, t, v)
	case tokenWildcard:
		r.wildcard(i, v)
	case tokenScan:
		r.scan(i+1, v)
	case tokenFilter:
		r.filtered(i, t, v)
	case tokenFunction:
		result, err := t.call.invoke(r, v)
		if err != nil {
			r.problem = err
			return
		}
		r.step(i+1, result)
	}
}

func (r *run) names(i int, t *token, v row.Value) {
	if !isMap(v) {
		r.nowhere(i)
		return
	}
	if last := i+1 == len(r.path.tokens); len(t.names) == 1 || !last {
		for _, name := range t.names {
			m, _ := r.member(v, name)
			r.step(i+1, m)
		}
		return
	}
	var members []row.Member
	for _, name := range t.names {
		if m, ok := r.member(v, name); ok {
			members = append(members, row.Member{Key: []byte(name), Value: m})
		}
	}
	r.results = append(r.results, r.rows.NewObject(members))
}

// member gives a member's value, null where there is none.
func (r *run) member(v row.Value, name string) (m row.Value, ok bool) {
	if v.Kind == row.Object {
		members := r.rows.MembersOf(&v)
		for k := range members {
			if string(members[k].Key) == name {
				return members[k].Value, true
			}
		}
	}
	return row.Value{Kind: row.Null}, false
}

// element applies the rest of the path to an element, which beyond the end is null.
func (r *run) element(i int, v row.Value, at int) {
	elems := r.rows.ListOf(&v)
	if at < 0 {
		at += len(elems)
	}
	if at < 0 || at >= len(elems) {
		r.step(i+1, row.Value{Kind: row.Null})
		return
	}
	r.step(i+1, elems[at])
}

func (r *run) elements(i int, t *token, v row.Value) {
	n := len(r.rows.ListOf(&v))
	if t.kind == tokenIndexes {
		for _, at := range t.indexes {
			r.element(i, v, at)
		}
		return
	}
	low, high := 0, n
	switch {
	case t.from != nil && t.to != nil:
		// Both ends as they are: two negative ones count from the end, one of them gives nothing.
		low, high = *t.from, min(n, *t.to)
		if n == 0 {
			return
		}
	case t.from != nil:
		if low = *t.from; low < 0 {
			low = max(0, n+low)
		}
	default:
		if high = *t.to; high < 0 {
			high += n
		}
		high = min(high, n)
	}
	for at := max(low, -n); at < high; at++ {
		r.element(i, v, at)
	}
}

func (r *run) wildcard(i int, v row.Value) {
	switch v.Kind {
	case row.Object:
		for k := range r.rows.MembersOf(&v) {
			r.step(i+1, r.rows.MembersOf(&v)[k].Value)
		}
	case row.List:
		for k := range r.rows.ListOf(&v) {
			r.element(i, v, k)
		}
	}
}

// scan applies the tokens from i on to a value and to everything below it.
func (r *run) scan(i int, v row.Value) {
	if r.problem != nil || r.missing || !isMap(v) && v.Kind != row.List {
		return
	}
	if r.scannable(&r.path.tokens[i], v) {
		r.step(i, v)
	}
	switch v.Kind {
	case row.Object:
		for k := range r.rows.MembersOf(&v) {
			r.scan(i, r.rows.MembersOf(&v)[k].Value)
		}
	case row.List:
		for k := range r.rows.ListOf(&v) {
			r.scan(i, r.rows.ListOf(&v)[k])
		}
	}
}

// scannable says whether a scan applies a token to a value that it meets.
func (r *run) scannable(t *token, v row.Value) bool {
	switch t.kind {
	case tokenNames:
		if v.Kind != row.Object {
			return false
		}
		for _, name := range t.names {
			if _, ok := r.member(v, name); !ok {
				return false
			}
		}
		return true
	case tokenIndexes, tokenSlice:
		return v.Kind == row.List
	case tokenWildcard:
		return true
	case tokenFilter:
		return r.accepts(t.filter, v)
	}
	return false
}

func (r *run) filtered(i int, t *token, v row.Value) {
	switch {
	case isMap(v):
		if r.accepts(t.filter, v) {
			r.step(i+1, v)
		}
	case v.Kind == row.List:
		for k := range r.rows.ListOf(&v) {
			if e := r.rows.ListOf(&v)[k]; r.accepts(t.filter, e) {
				r.step(i+1, e)
			}
		}
	case r.upstreamDefinite(i):
		r.problem = &Error{"Filter: [?] can not be applied to primitives. Current context is: " + r.text(v)}
	}
}

func (r *run) accepts(f filter, v row.Value) bool {
	ok, err := f.apply(r, v)
	if err != nil && r.problem == nil {
		r.problem = err
	}
	return ok && err == nil
}

// read evaluates a path of a filter or an argument.
func (r *run) read(p *Path, item row.Value) (row.Value, error) {
	start := r.root
	if p.fromItem {
		start = item
	}
	inner := run{rows: r.rows, root: r.root, path: p}
	inner.step(0, start)
	return inner.value(), inner.problem
}

// exists says whether a path of a filter leads anywhere.
func (r *run) exists(p *Path, item row.Value) (bool, error) {
	inner := run{rows: r.rows, root: r.root, path: p, strict: true}
	inner.step(0, item)
	if inner.problem != nil {
		return false, inner.problem
	}
	return !inner.missing && (len(inner.results) > 0 || !p.definite), nil
}

func (r *run) text(v row.Value) string { return string(r.rows.AppendText(nil, &v)) }

// equal compares values in depth; integers and decimals are never equal.
func (r *run) equal(a, b row.Value) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case row.String:
		return bytes.Equal(a.Text, b.Text)
	case row.Long, row.Double, row.Bool:
		return a.Num == b.Num
	case row.List:
		x, y := r.rows.ListOf(&a), r.rows.ListOf(&b)
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if !r.equal(x[i], y[i]) {
				return false
			}
		}
	case row.Object:
		x, y := r.rows.MembersOf(&a), r.rows.MembersOf(&b)
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if m, ok := r.member(b, string(x[i].Key)); !ok || !r.equal(x[i].Value, m) {
				return false
			}
		}
	}
	return true
}
