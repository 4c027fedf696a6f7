package inputformat

import "ogham/domain/row"

// nested reads the object or list at i; depth is how many objects and lists it is within. The value is returned because
// one that is pointed to in a recursion would be on the heap.
func (p *JSON) nested(b []byte, i, depth int) (v row.Value, next int) {
	if depth >= maxDepth {
		return v, bad
	}
	if b[i] == '{' {
		return p.nestedObject(b, i+1, depth+1)
	}
	first := len(p.elems)
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		v = p.rows.NewList(nil)
		return v, i + 1
	}
	for {
		var e row.Value
		if i = p.value(b, i, depth+1, &e); i < 0 {
			return v, bad
		}
		p.elems = append(p.elems, e)
		if i = skipSpace(b, i); i >= len(b) {
			return v, bad
		}
		if b[i] == ']' {
			v = p.rows.NewList(p.elems[first:])
			p.elems = p.elems[:first]
			return v, i + 1
		}
		if b[i] != ',' {
			return v, bad
		}
		i = skipSpace(b, i+1)
	}
}

// nestedObject reads an object's members, from after its brace.
func (p *JSON) nestedObject(b []byte, i, depth int) (v row.Value, next int) {
	first := len(p.members)
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		v = p.rows.NewObject(nil)
		return v, i + 1
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return v, bad
		}
		end, escaped := scanString(b, i+1)
		if end < 0 {
			return v, bad
		}
		m := row.Member{Key: b[i+1 : end : end]}
		if escaped {
			m.Key = p.unescape(m.Key)
		}
		if i = skipSpace(b, end+1); i >= len(b) || b[i] != ':' {
			return v, bad
		}
		if i = p.value(b, skipSpace(b, i+1), depth, &m.Value); i < 0 {
			return v, bad
		}
		p.members = append(p.members, m)
		if i = skipSpace(b, i); i >= len(b) {
			return v, bad
		}
		if b[i] == '}' {
			v = p.rows.NewObject(p.members[first:])
			p.members = p.members[:first]
			return v, i + 1
		}
		if b[i] != ',' {
			return v, bad
		}
		i = skipSpace(b, i+1)
	}
}
