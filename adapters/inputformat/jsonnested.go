package inputformat

import "ogham/domain/row"

// nested reads the object or list at i, a value of a field, into v: an object as its text, a list as its elements, of
// which nested ones are text again.
func (p *JSON) nested(b []byte, i int, v *row.Value) int {
	if b[i] == '{' {
		start := len(p.arena)
		if i = p.text(b, i, 1); i < 0 {
			return bad
		}
		*v = row.Value{Kind: row.Object, Text: p.arena[start:len(p.arena):len(p.arena)]}
		return i
	}
	first := len(p.rows.Elems)
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		*v = row.Value{Kind: row.List, Num: uint64(first) << 32}
		return i + 1
	}
	for {
		var e row.Value
		if i = p.element(b, i, &e); i < 0 {
			return bad
		}
		p.rows.Elems = append(p.rows.Elems, e)
		if i = skipSpace(b, i); i >= len(b) {
			return bad
		}
		if b[i] == ']' {
			n := len(p.rows.Elems) - first
			*v = row.Value{Kind: row.List, Num: uint64(first)<<32 | uint64(n)}
			return i + 1
		}
		if b[i] != ',' {
			return bad
		}
		i = skipSpace(b, i+1)
	}
}

// element reads an element of a list.
func (p *JSON) element(b []byte, i int, e *row.Value) int {
	if i < len(b) && (b[i] == '{' || b[i] == '[') {
		start := len(p.arena)
		list := b[i] == '['
		if i = p.text(b, i, 2); i < 0 {
			return bad
		}
		*e = row.Value{Kind: row.Object, NestedList: list, Text: p.arena[start:len(p.arena):len(p.arena)]}
		return i
	}
	return p.value(b, i, e)
}

// text appends the text of the value at i to the arena as Java prints maps and lists: {a=1, b=[x, null]}.
func (p *JSON) text(b []byte, i, depth int) int {
	if i >= len(b) {
		return bad
	}
	switch b[i] {
	case '{':
		return p.mapText(b, i+1, depth+1)
	case '[':
		return p.listText(b, i+1, depth+1)
	case '"':
		end, escaped := scanString(b, i+1)
		if end < 0 {
			return bad
		}
		if escaped {
			p.unescape(b[i+1 : end])
		} else {
			p.arena = append(p.arena, b[i+1:end]...)
		}
		return end + 1
	}
	var v row.Value
	if i = scalar(b, i, &v); i >= 0 {
		p.arena = p.rows.AppendText(p.arena, &v)
	}
	return i
}

func (p *JSON) listText(b []byte, i, depth int) int {
	if depth > maxDepth {
		return bad
	}
	p.arena = append(p.arena, '[')
	i = skipSpace(b, i)
	if i < len(b) && b[i] == ']' {
		p.arena = append(p.arena, ']')
		return i + 1
	}
	for {
		if i = p.text(b, i, depth); i < 0 {
			return bad
		}
		if i = skipSpace(b, i); i >= len(b) {
			return bad
		}
		switch b[i] {
		case ']':
			p.arena = append(p.arena, ']')
			return i + 1
		case ',':
			p.arena = append(p.arena, ", "...)
		default:
			return bad
		}
		i = skipSpace(b, i+1)
	}
}

// mapText writes an object. A key that comes twice keeps its first place and its last value, as in Java's maps; so the
// members are written behind each other first, and put together at the end.
func (p *JSON) mapText(b []byte, i, depth int) int {
	if depth > maxDepth {
		return bad
	}
	type member struct{ key, end, valueEnd int }
	start := len(p.arena)
	var members []member
	var at map[string]int
	i = skipSpace(b, i)
	empty := i < len(b) && b[i] == '}'
	for !empty {
		m := member{key: len(p.arena)}
		if i >= len(b) || b[i] != '"' {
			return bad
		}
		if i = p.text(b, i, depth); i < 0 {
			return bad
		}
		m.end = len(p.arena)
		if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
			return bad
		}
		if i = p.text(b, skipSpace(b, i+1), depth); i < 0 {
			return bad
		}
		m.valueEnd = len(p.arena)
		if at == nil {
			at = map[string]int{}
		}
		name := string(p.arena[m.key:m.end])
		if k, ok := at[name]; ok {
			members[k] = m
		} else {
			at[name] = len(members)
			members = append(members, m)
		}
		if i = skipSpace(b, i); i >= len(b) {
			return bad
		}
		if b[i] == '}' {
			break
		}
		if b[i] != ',' {
			return bad
		}
		i = skipSpace(b, i+1)
	}
	out := []byte{'{'}
	for k, m := range members {
		if k > 0 {
			out = append(out, ", "...)
		}
		out = append(append(out, p.arena[m.key:m.end]...), '=')
		out = append(out, p.arena[m.end:m.valueEnd]...)
	}
	p.arena = append(append(p.arena[:start], out...), '}')
	return i + 1
}
