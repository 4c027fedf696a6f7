package inputformat

import "ogham/domain/row"

// nested reads the object or list at i into v; depth is how many objects and lists it is within.
func (p *JSON) nested(b []byte, i, depth int, v *row.Value) int {
	if depth >= maxDepth {
		return bad
	}
	if b[i] == '{' {
		return p.nestedObject(b, i+1, depth+1, v)
	}
	first := len(p.elems)
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		*v = p.rows.NewList(nil)
		return i + 1
	}
	for {
		var e row.Value
		if i = p.value(b, i, depth+1, &e); i < 0 {
			return bad
		}
		p.elems = append(p.elems, e)
		if i = skipSpace(b, i); i >= len(b) {
			return bad
		}
		if b[i] == ']' {
			*v = p.rows.NewList(p.elems[first:])
			p.elems = p.elems[:first]
			return i + 1
		}
		if b[i] != ',' {
			return bad
		}
		i = skipSpace(b, i+1)
	}
}

// nestedObject reads an object's members, from after its brace.
func (p *JSON) nestedObject(b []byte, i, depth int, v *row.Value) int {
	first := len(p.members)
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		*v = p.rows.NewObject(nil)
		return i + 1
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return bad
		}
		end, escaped := scanString(b, i+1)
		if end < 0 {
			return bad
		}
		m := row.Member{Key: b[i+1 : end : end]}
		if escaped {
			m.Key = p.unescape(m.Key)
		}
		if i = skipSpace(b, end+1); i >= len(b) || b[i] != ':' {
			return bad
		}
		if i = p.value(b, skipSpace(b, i+1), depth, &m.Value); i < 0 {
			return bad
		}
		p.members = append(p.members, m)
		if i = skipSpace(b, i); i >= len(b) {
			return bad
		}
		if b[i] == '}' {
			*v = p.rows.NewObject(p.members[first:])
			p.members = p.members[:first]
			return i + 1
		}
		if b[i] != ',' {
			return bad
		}
		i = skipSpace(b, i+1)
	}
}
