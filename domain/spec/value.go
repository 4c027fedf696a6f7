package spec

import (
	"cmp"
	"encoding/json"
	"slices"
)

// ordered is the object's members, by name if asked for.
func (n *node) ordered(sorted bool) []member {
	if !sorted {
		return n.members
	}
	ms := slices.Clone(n.members)
	slices.SortFunc(ms, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	return ms
}

// value is the node as plain Go values: string, json.Number, bool, nil, []any and map[string]any.
func (n *node) value() any {
	switch n.kind {
	case kindBool:
		return n.flag
	case kindNumber:
		return json.Number(jacksonNumber(n.text))
	case kindString:
		return n.text
	case kindArray:
		items := make([]any, len(n.items))
		for i, item := range n.items {
			items[i] = item.value()
		}
		return items
	case kindObject:
		return n.valueMap()
	}
	return nil
}

func (n *node) valueMap() map[string]any {
	m := make(map[string]any, len(n.members))
	for _, e := range n.members {
		m[e.name] = e.value.value()
	}
	return m
}
