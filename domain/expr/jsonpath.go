package expr

import (
	"fmt"
	"strconv"
	"strings"
)

// step is one part of a path: a field of an object, or an element of a list, from its end if negative.
type step struct {
	field string
	index int
	list  bool
}

// parsePath reads Druid's small part of JSONPath: $, .name, ['name'] and [number].
func parsePath(path string) ([]step, error) {
	if path == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, fmt.Errorf("JSONPath [%s] is invalid, it must start with '$'", path)
	}
	var steps []step
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "['"):
			name, tail, ok := strings.Cut(rest[2:], "']")
			if !ok {
				return nil, fmt.Errorf("JSONPath [%s] is invalid, a name is not closed with ']", path)
			}
			steps, rest = append(steps, step{field: name}), tail
		case rest[0] == '[':
			number, tail, ok := strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(number)
			if !ok || err != nil {
				return nil, fmt.Errorf("JSONPath [%s] is invalid, array specifier [%s] should be a number, it was not.  Use ' if this value was meant to be a field name", path, number)
			}
			steps, rest = append(steps, step{index: n, list: true}), tail
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			name := rest[1:end]
			switch {
			case name == "" && end == len(rest):
				return steps, nil // a dot at the end is nothing
			case name == "" && rest[end] == '[':
				return nil, fmt.Errorf("JSONPath [%s] is invalid, found '[' at invalid position [%d], must not follow '.' or must be contained with '",
					path, len(path)-len(rest)+1)
			case name == "":
				return nil, fmt.Errorf("jq path [%s] is invalid, path parts separated by '.' must not be empty", path)
			}
			steps, rest = append(steps, step{field: name}), rest[end:]
		default:
			return nil, fmt.Errorf("JSONPath [%s] is invalid, path parts must be separated with '.'", path)
		}
	}
	return steps, nil
}

// find follows a path into a tree; nil where it leads nowhere.
func find(tree any, path []step) any {
	for _, s := range path {
		switch t := tree.(type) {
		case *Object:
			if s.list {
				return nil
			}
			tree, _ = t.Get(s.field)
		case []any:
			i := s.index
			if i < 0 {
				i += len(t)
			}
			if !s.list || i < 0 || i >= len(t) {
				return nil
			}
			tree = t[i]
		default:
			return nil
		}
	}
	return tree
}

// appendPath writes a path in the form in which json_paths gives it.
func appendPath(path string, s step) string {
	switch {
	case s.list:
		return path + "[" + strconv.Itoa(s.index) + "]"
	case s.field == "" || strings.ContainsAny(s.field, ".'[]\""):
		return path + "['" + s.field + "']"
	}
	return path + "." + s.field
}

// place is a value somewhere in a tree: the path to it, and the hash that Java's list of the path's steps has.
type place struct {
	tree any
	path string
	hash uint32
}

func (p *place) to(s step, value any) place {
	own := uint32(s.index)
	if !s.list {
		own = javaHash(s.field)
	}
	return place{value, appendPath(p.path, s), p.hash*31 + 31 + own}
}

// children gives what an object or a list holds; ok is false for a scalar, and for a list of scalars.
func (p *place) children() (list []place, ok bool) {
	switch t := p.tree.(type) {
	case *Object:
		for i, key := range t.Keys {
			list = append(list, p.to(step{field: key}, t.Values[i]))
		}
		return list, true
	case []any:
		if flat(t) {
			return nil, false
		}
		for i, item := range t {
			list = append(list, p.to(step{index: i, list: true}, item))
		}
		return list, true
	}
	return nil, false
}

// leaves gives the places of all scalars of a tree, and of all lists of scalars, in the order of a HashSet of Java's that
// they are put into from one for each object and list, the outer ones first. spend is told the length of each path.
func leaves(tree any, spend func(n int) bool) []place {
	var all []place
	queue := []place{{tree, "$", 1}}
	if _, ok := queue[0].children(); !ok {
		return queue
	}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		inner, ok := next.children()
		if !ok { // a list of scalars
			all = append(all, next)
			continue
		}
		var found []place
		for _, p := range inner {
			if !spend(len(p.path)) {
				return nil
			}
			switch p.tree.(type) {
			case *Object, []any:
				queue = append(queue, p)
			default:
				found = append(found, p)
			}
		}
		all = append(all, inHashOrder(found, func(p place) uint32 { return p.hash })...)
	}
	return inHashOrder(all, func(p place) uint32 { return p.hash })
}

// flat says whether a list holds scalars only.
func flat(list []any) bool {
	for _, item := range list {
		switch item.(type) {
		case []any, *Object:
			return false
		}
	}
	return true
}
