package jsonpath

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"ogham/domain/row"
)

// operand is one side of a comparison: a path or a literal.
type operand struct {
	path *Path
	node node
}

type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeNumber
	nodeString
	nodeJSON // a list or an object
	nodePattern
)

// node is a value in a comparison.
type node struct {
	kind nodeKind
	bool bool
	text string // of a string; of a number as it is written
	// integer and float are a number's value; whole says that integer holds it.
	integer int64
	float   float64
	whole   bool
	pattern *regexp.Regexp
	// a list or an object is a value of the document, or decoded JSON of the expression
	value   row.Value
	literal any
}

func numberNode(text string) (node, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || text == "" || strings.IndexByte("+iInN", text[0]) >= 0 {
		return node{}, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return node{kind: nodeNumber, text: text, integer: n, float: f, whole: err == nil}, true
}

func (n *node) compareNumber(o *node) int {
	if n.whole && o.whole {
		return cmp.Compare(n.integer, o.integer)
	}
	return cmp.Compare(n.float, o.float)
}

// eval gives the value of an operand for an item.
func (o *operand) eval(r *run, item row.Value) (node, error) {
	if o.path == nil {
		return o.node, nil
	}
	v, err := r.read(o.path, item)
	return r.node(v), err
}

func (r *run) node(v row.Value) node {
	switch v.Kind {
	case row.Bool:
		return node{kind: nodeBool, bool: v.Num != 0}
	case row.String:
		return node{kind: nodeString, text: string(v.Text)}
	case row.Long:
		n := int64(v.Num)
		return node{kind: nodeNumber, text: strconv.FormatInt(n, 10), integer: n, float: float64(n), whole: true}
	case row.Double:
		return node{kind: nodeNumber, text: r.text(v), float: math.Float64frombits(v.Num)}
	case row.List, row.Object:
		return node{kind: nodeJSON, value: v}
	}
	return node{}
}

// equals compares as the library's nodes do: a number and a text are equal if the right one, read as the left one's type,
// is.
func (n *node) equals(r *run, o *node) bool {
	switch n.kind {
	case nodeNull:
		return o.kind == nodeNull
	case nodeBool:
		return o.kind == nodeBool && n.bool == o.bool
	case nodeNumber:
		if o.kind == nodeString {
			number, ok := numberNode(o.text)
			return ok && n.compareNumber(&number) == 0
		}
		return o.kind == nodeNumber && n.compareNumber(o) == 0
	case nodeString:
		return (o.kind == nodeString || o.kind == nodeNumber) && n.text == o.text
	case nodeJSON:
		return o.kind == nodeJSON && r.equal(n.document(r), o.document(r))
	}
	return false
}

// document gives a list or an object as a value; a literal becomes one.
func (n *node) document(r *run) row.Value {
	if n.literal != nil {
		return toValue(r.rows, n.literal)
	}
	return n.value
}

// elems gives the elements of a list; ok is false for anything else.
func (n *node) elems(r *run) (elems []node, ok bool) {
	if n.kind != nodeJSON {
		return nil, false
	}
	v := n.document(r)
	if v.Kind != row.List {
		return nil, false
	}
	for _, e := range r.rows.ListOf(&v) {
		elems = append(elems, r.node(e))
	}
	return elems, true
}

// in says whether a list has an element that equals n, n being asked.
func (n *node) in(r *run, elems []node) bool {
	for i := range elems {
		if n.equals(r, &elems[i]) {
			return true
		}
	}
	return false
}

func (f compares) apply(r *run, item row.Value) (bool, error) {
	left, err := f.left.eval(r, item)
	if err != nil {
		return false, err
	}
	right, err := f.right.eval(r, item)
	if err != nil {
		return false, err
	}
	switch f.operator {
	case "==":
		return left.equals(r, &right), nil
	case "!=":
		return !left.equals(r, &right), nil
	case "===":
		return left.kind == right.kind && left.equals(r, &right), nil
	case "!==":
		return left.kind != right.kind || !left.equals(r, &right), nil
	case "<", "<=", ">", ">=":
		return ordered(f.operator, &left, &right), nil
	case "=~":
		return matches(r, &left, &right), nil
	}
	return sets(r, f.operator, &left, &right), nil
}

// ordered compares two numbers or two texts; anything else is in no order.
func ordered(operator string, left, right *node) bool {
	var c int
	switch {
	case left.kind == nodeNumber && right.kind == nodeNumber:
		c = left.compareNumber(right)
	case left.kind == nodeString && right.kind == nodeString:
		c = compareUTF16(left.text, right.text)
	default:
		return false
	}
	switch operator {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// compareUTF16 orders texts as Java does.
func compareUTF16(a, b string) int {
	x, y := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
	for i := range min(len(x), len(y)) {
		if c := cmp.Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

func matches(r *run, left, right *node) bool {
	if (left.kind == nodePattern) == (right.kind == nodePattern) {
		return false
	}
	if left.kind == nodePattern {
		left, right = right, left
	}
	if elems, ok := left.elems(r); ok {
		for i := range elems {
			if right.pattern.MatchString(elems[i].input()) {
				return true
			}
		}
		return false
	}
	return right.pattern.MatchString(left.input())
}

// input is the text that patterns are matched against.
func (n *node) input() string {
	switch n.kind {
	case nodeString, nodeNumber:
		return n.text
	case nodeBool:
		return strconv.FormatBool(n.bool)
	}
	return ""
}

// sets are the operators with words. ALL never holds for a list that is written in the expression, in the library too.
func sets(r *run, operator string, left, right *node) bool {
	switch operator {
	case "SIZE":
		return right.kind == nodeNumber && left.size(r) == int(right.float)
	case "EMPTY":
		return right.kind == nodeBool && (left.kind == nodeString || left.kind == nodeJSON) && (left.size(r) == 0) == right.bool
	case "CONTAINS":
		if left.kind == nodeString && right.kind == nodeString {
			return strings.Contains(left.text, right.text)
		}
		elems, ok := left.elems(r)
		return ok && right.in(r, elems)
	case "IN", "NIN":
		elems, ok := right.elems(r)
		if !ok && right.kind != nodeJSON {
			return false
		}
		return left.in(r, elems) == (operator == "IN")
	}
	x, ok := left.elems(r)
	y, ok2 := right.elems(r)
	if !ok || !ok2 || operator == "ALL" {
		return false
	}
	common := 0
	for i := range x {
		if x[i].in(r, y) {
			common++
		}
	}
	switch operator {
	case "SUBSETOF":
		return common == len(x)
	case "ANYOF":
		return common > 0
	}
	return common == 0 // NONEOF
}

// size gives a text's length, a list's or, only for EMPTY, an object's; -1 for anything else.
func (n *node) size(r *run) int {
	switch n.kind {
	case nodeString:
		return len(utf16.Encode([]rune(n.text)))
	case nodeJSON:
		v := n.document(r)
		if v.Kind == row.List {
			return len(r.rows.ListOf(&v))
		}
		if len(r.rows.MembersOf(&v)) == 0 {
			return 0
		}
	}
	return -1
}

// decode reads JSON of an expression.
func decode(text string) (any, bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, errors.Is(err, io.EOF)
}

// literal reads JSON into a value.
func literal(rows *row.Rows, text string) (row.Value, bool) {
	v, ok := decode(text)
	if !ok {
		return row.Value{}, false
	}
	return toValue(rows, v), true
}

func toValue(rows *row.Rows, v any) row.Value {
	switch x := v.(type) {
	case bool:
		if x {
			return row.Value{Kind: row.Bool, Num: 1}
		}
		return row.Value{Kind: row.Bool}
	case string:
		return row.Value{Kind: row.String, Text: []byte(x)}
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return row.Value{Kind: row.Long, Num: uint64(n)}
		}
		f, _ := x.Float64()
		return row.Value{Kind: row.Double, Num: math.Float64bits(f)}
	case []any:
		elems := make([]row.Value, len(x))
		for i := range x {
			elems[i] = toValue(rows, x[i])
		}
		return rows.NewList(elems)
	case map[string]any:
		members := make([]row.Member, 0, len(x))
		for k, e := range x {
			members = append(members, row.Member{Key: []byte(k), Value: toValue(rows, e)})
		}
		return rows.NewObject(members)
	}
	return row.Value{Kind: row.Null}
}
