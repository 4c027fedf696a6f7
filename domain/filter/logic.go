package filter

import (
	"encoding/json"
	"strconv"
)

// and holds where all of its fields do.
type and []matcher

func (a and) match(f *Filter, unknown bool) bool {
	for _, m := range a {
		if !m.match(f, unknown) {
			return false
		}
	}
	return true
}

// or holds where one of its fields does.
type or []matcher

func (o or) match(f *Filter, unknown bool) bool {
	for _, m := range o {
		if m.match(f, unknown) {
			return true
		}
	}
	return false
}

// not holds where its field cannot.
type not struct{ field matcher }

func (n not) match(f *Filter, unknown bool) bool { return !n.field.match(f, !unknown) }

// isTrue makes unknown false; isFalse holds where its field is false, not where it is unknown.
type isTrue struct{ field matcher }

func (t isTrue) match(f *Filter, _ bool) bool { return t.field.match(f, false) }

type isFalse struct{ field matcher }

func (t isFalse) match(f *Filter, _ bool) bool { return !t.field.match(f, true) }

func parseFields(p *parser, m members, path string) matcher {
	kind, _ := m.text("type")
	var list []json.RawMessage
	if err := json.Unmarshal(m["fields"], &list); err != nil || len(list) == 0 {
		operator := "AND"
		if kind == "or" {
			operator = "OR"
		}
		return p.fail(path+".fields", operator+" operator requires at least one field")
	}
	fields := make([]matcher, len(list))
	for i, raw := range list {
		fields[i] = p.parse(raw, path+".fields["+strconv.Itoa(i)+"]")
	}
	if kind == "or" {
		return or(fields)
	}
	return and(fields)
}

func parseNot(p *parser, m members, path string) matcher {
	if !m.has("field") {
		return p.fail(path+".field", "NOT operator requires at least one field")
	}
	field := p.parse(m["field"], path+".field")
	switch kind, _ := m.text("type"); kind {
	case "istrue":
		return isTrue{field}
	case "isfalse":
		return isFalse{field}
	}
	return not{field}
}
