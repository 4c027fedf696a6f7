package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// scan collects what is wrong and what is doubtful while one spec is read.
type scan struct {
	problems []problem
	warnings []Problem
}

// problem is a Problem with the text that Druid answers for it.
type problem struct {
	Problem
	wire string
}

// add notes a problem. Druid's text ends with its first line: what Jackson adds behind it is about the place.
func (s *scan) add(path, message, wire string) {
	wire, _, _ = strings.Cut(wire, "\n")
	s.problems = append(s.problems, problem{Problem{path, message}, wire})
}

// advise adds to the last problem what to do about it, if there is anything; Druid's text stays as it is.
func (s *scan) advise(what string) {
	if what != "" {
		s.problems[len(s.problems)-1].Message += ": " + what
	}
}

func (s *scan) warn(path, message string) {
	s.warnings = append(s.warnings, Problem{path, message})
}

// err is nil, or all problems as one error.
func (s *scan) err() error {
	if len(s.problems) == 0 {
		return nil
	}
	return s.invalid()
}

func (s *scan) invalid() *InvalidError {
	e := &InvalidError{Message: s.problems[0].wire}
	for _, p := range s.problems {
		e.Problems = append(e.Problems, p.Problem)
	}
	return e
}

// reader takes the members out of one object of a spec, with Jackson's leniency. A member that is missing and one that
// is null are the same. What it cannot read it reports, and goes on with the default.
type reader struct {
	scan *scan
	obj  *node
	path string
	// class is the Java class that Druid would make; error texts name it.
	class string
	// chain is Jackson's reference chain down to this object, empty at the top.
	chain string
	used  map[string]bool
}

func newReader(s *scan, obj *node, path, class, chain string) *reader {
	return &reader{scan: s, obj: obj, path: path, class: class, chain: chain, used: map[string]bool{}}
}

// get is the member's value, nil if it is missing or null.
func (r *reader) get(name string) *node {
	r.used[name] = true
	if n := r.obj.get(name); n != nil && n.kind != kindNull {
		return n
	}
	return nil
}

// ignore marks members that are known and mean nothing.
func (r *reader) ignore(names ...string) {
	for _, name := range names {
		r.used[name] = true
	}
}

// done warns of members that nobody asked for.
func (r *reader) done() {
	for _, m := range r.obj.members {
		if !r.used[m.name] {
			r.scan.warn(r.at(m.name), "unknown field, ignored")
		}
	}
}

// at is the path of a member; a name that is not an identifier stands in brackets.
func (r *reader) at(name string) string {
	if name == "" {
		return r.path
	}
	return memberPath(r.path, name)
}

func memberPath(path, name string) string {
	for i, c := range name {
		if !(c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && '0' <= c && c <= '9') {
			return path + "[" + strconv.Quote(name) + "]"
		}
	}
	if name == "" {
		return path + `[""]`
	}
	return path + "." + name
}

func itemPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// fail reports what Druid's constructor would refuse. An empty name means the object itself.
func (r *reader) fail(name, format string, args ...any) {
	r.failClass(name, r.class, format, args...)
}

// failClass is fail for a member whose own class refuses its value.
func (r *reader) failClass(name, class, format string, args ...any) {
	r.failPath(r.at(name), class, format, args...)
}

func (r *reader) failPath(path, class, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	r.scan.add(path, message, "Cannot construct instance of `"+class+"`, problem: "+message)
}

// child is a reader for a member that is an object, nil if the member is missing, null or something else.
func (r *reader) child(name, class string) *reader {
	n := r.get(name)
	if n == nil || !r.scan.isObject(n, r.at(name), class) {
		return nil
	}
	return newReader(r.scan, n, r.at(name), class, r.link(name))
}

// link is the reference chain to a member.
func (r *reader) link(name string) string {
	link := r.class + "[" + strconv.Quote(name) + "]"
	if r.chain == "" {
		return link
	}
	return r.chain + "->" + link
}

// list is the items of a member that is an array, and whether the member is one.
func (r *reader) list(name, class string) ([]*node, bool) {
	n := r.get(name)
	if n == nil {
		return nil, false
	}
	if n.kind != kindArray {
		if !strings.HasPrefix(class, "[") { // Java's name of an array
			class = "java.util.ArrayList<" + class + ">"
		}
		r.scan.wrongKind(n, r.at(name), class)
		return nil, false
	}
	return n.items, true
}

// isObject says whether a node can be read as an object of a class, and reports it if not.
func (s *scan) isObject(n *node, path, class string) bool {
	if n.kind == kindObject {
		return true
	}
	s.notAnObject(n, path, class)
	return false
}

func (s *scan) notAnObject(n *node, path, class string) {
	creator := "Cannot construct instance of `" + class + "` (although at least one Creator exists): no "
	var message string
	switch n.kind {
	case kindString:
		message = creator + "String-argument constructor/factory method to deserialize from String value ('" + n.text + "')"
	case kindBool:
		message = fmt.Sprintf("%sboolean/Boolean-argument constructor/factory method to deserialize from boolean value (%t)",
			creator, n.flag)
	case kindNumber:
		argument := "int/Int"
		if strings.ContainsAny(n.text, ".eE") {
			argument = "double/Double"
		}
		message = creator + argument + "-argument constructor/factory method to deserialize from Number value (" + n.text + ")"
	default:
		s.wrongKind(n, path, class)
		return
	}
	s.add(path, message, message)
}

// wrongKind reports a value of a kind that its class cannot be read from.
func (s *scan) wrongKind(n *node, path, class string) {
	kinds := map[kind][2]string{
		kindNull:   {"Null", "VALUE_NULL"},
		kindArray:  {"Array", "START_ARRAY"},
		kindObject: {"Object", "START_OBJECT"},
		kindNumber: {"Integer", "VALUE_NUMBER_INT"},
		kindString: {"String", "VALUE_STRING"},
		kindBool:   {"Boolean", "VALUE_TRUE"},
	}
	names := kinds[n.kind]
	switch {
	case n.kind == kindBool && !n.flag:
		names[1] = "VALUE_FALSE"
	case n.kind == kindNumber && strings.ContainsAny(n.text, ".eE"):
		names = [2]string{"Floating-point", "VALUE_NUMBER_FLOAT"}
	}
	message := fmt.Sprintf("Cannot deserialize value of type `%s` from %s value (token `JsonToken.%s`)", class, names[0], names[1])
	s.add(path, message, message)
}

// typeID reads the member `type` of an object that must be one of a few known types. The property is where the object
// stands, for Druid's text; empty at the top.
func (s *scan) typeID(n *node, path, base, property string, known []string) (string, bool) {
	suffix := ""
	if property != "" {
		suffix = " (for POJO property '" + property + "')"
	}
	if n.kind == kindArray {
		message := "Unexpected token (END_ARRAY), expected VALUE_STRING: need JSON String that contains type id (for subtype of " + base + ")"
		s.add(path, message, message)
		return "", false
	}
	var t *node
	if n.kind == kindObject {
		t = n.get("type")
	}
	if t == nil {
		message := "Could not resolve subtype of [simple type, class " + base + "]: missing type id property 'type'" + suffix
		s.add(path, message, message)
		return "", false
	}
	id := t.scalarText()
	for _, k := range known {
		if k == id && t.kind != kindNull {
			return id, true
		}
	}
	message := fmt.Sprintf("Please make sure to load all the necessary extensions and jars with type '%s' on 'druid/coordinator' service. "+
		"Could not resolve type id '%s' as a subtype of `%s` known type ids = [%s]%s", id, id, base, strings.Join(known, ", "), suffix)
	s.add(memberPath(path, "type"), message, message)
	return "", false
}
