package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is the nesting at which Jackson gives up, too.
const maxDepth = 1000

// maxNumberText is the longest number text that Jackson reads.
const maxNumberText = 1000

type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

// node is one JSON value. It keeps the order of an object's members and the text of numbers; of members with the same
// name the last value wins, as in Jackson.
type node struct {
	kind    kind
	flag    bool
	text    string // of a string, or of a number
	items   []*node
	members []member
	// tooDeep is set at the root where values nested deeper than maxDepth were left out.
	tooDeep bool
}

type member struct {
	name  string
	value *node
}

var null = &node{kind: kindNull}

func str(s string) *node { return &node{kind: kindString, text: s} }

func boolean(b bool) *node { return &node{kind: kindBool, flag: b} }

func integer[T int | int64](i T) *node {
	return &node{kind: kindNumber, text: strconv.FormatInt(int64(i), 10)}
}

func double(f float64) *node {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return str(javaDouble(f)) // Jackson quotes what is not a number in JSON
	}
	return &node{kind: kindNumber, text: javaDouble(f)}
}

func array(items ...*node) *node { return &node{kind: kindArray, items: items} }

func object(members ...member) *node { return &node{kind: kindObject, members: members} }

// orNull is the node of a value that may be missing.
func orNull[T any](v *T, of func(T) *node) *node {
	if v == nil {
		return null
	}
	return of(*v)
}

// get is the member of that name, nil where there is none.
func (n *node) get(name string) *node {
	for i := range n.members {
		if n.members[i].name == name {
			return n.members[i].value
		}
	}
	return nil
}

// with is a copy of an object in which the member of that name, which it has, is another one.
func (n *node) with(name string, value *node) *node {
	c := object(slices.Clone(n.members)...)
	for i := range c.members {
		if c.members[i].name == name {
			c.members[i].value = value
		}
	}
	return c
}

// syntaxError is what is wrong with a body that is not JSON.
type syntaxError struct{ message string }

func (e *syntaxError) Error() string { return e.message }

// parseTree reads the first JSON value of a body; text after it is ignored, as Druid does. Where the body is empty it
// returns nil and no error.
func parseTree(body []byte) (*node, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimLeft(body, " \t\r\n")) == 0 {
		return nil, nil
	}
	var raw json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&raw); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil, &syntaxError{"Unexpected end-of-input: the JSON value is not closed"}
		}
		return nil, &syntaxError{"Unexpected character in JSON: " + err.Error()}
	}
	if at := invalidUTF8(raw); at >= 0 {
		return nil, &syntaxError{fmt.Sprintf("Invalid UTF-8 start byte 0x%02x", raw[at])}
	}
	d := &treeReader{Decoder: json.NewDecoder(bytes.NewReader(raw))}
	d.UseNumber()
	n, err := d.value(1)
	if err == nil && d.tooDeep {
		n.tooDeep = true
	}
	return n, err
}

// treeReader builds nodes from the tokens of a value that is known to be JSON.
type treeReader struct {
	*json.Decoder
	tooDeep bool
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func (d *treeReader) value(depth int) (*node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, &syntaxError{"Unexpected character in JSON: " + err.Error()}
	}
	switch t := token.(type) {
	case nil:
		return null, nil
	case bool:
		return boolean(t), nil
	case string:
		return str(t), nil
	case json.Number:
		return readNumber(t.String())
	}
	if depth > maxDepth {
		// Druid reads as it goes and may find something else wrong first, so the depth is told last.
		d.tooDeep = true
		return null, d.skip()
	}
	if token == json.Delim('[') {
		return d.array(depth)
	}
	return d.object(depth)
}

// skip reads to the end of the array or object that was just opened.
func (d *treeReader) skip() error {
	for open := 1; open > 0; {
		token, err := d.Token()
		if err != nil {
			return &syntaxError{"Unexpected character in JSON: " + err.Error()}
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			open++
		case json.Delim(']'), json.Delim('}'):
			open--
		}
	}
	return nil
}

// readNumber keeps the text, by which whole numbers of any size survive.
func readNumber(text string) (*node, error) {
	if len(text) > maxNumberText {
		return nil, &syntaxError{fmt.Sprintf(
			"Number value length (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNumberLength()`)",
			len(text), maxNumberText)}
	}
	if text == "-0" {
		text = "0"
	}
	return &node{kind: kindNumber, text: text}, nil
}

func (d *treeReader) array(depth int) (*node, error) {
	n := array()
	for d.More() {
		item, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	return n, d.close()
}

func (d *treeReader) object(depth int) (*node, error) {
	n := object()
	index := map[string]int{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, &syntaxError{"Unexpected character in JSON: " + err.Error()}
		}
		name, _ := token.(string)
		value, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if at, twice := index[name]; twice {
			n.members[at].value = value
			continue
		}
		index[name] = len(n.members)
		n.members = append(n.members, member{name, value})
	}
	return n, d.close()
}

func (d *treeReader) close() error {
	if _, err := d.Token(); err != nil {
		return &syntaxError{"Unexpected character in JSON: " + err.Error()}
	}
	return nil
}

// encode writes the value as JSON without spaces.
func (n *node) encode() json.RawMessage { return n.append(nil, false) }

// encodeSorted is encode with the members of every object in the order of their names: equal for equal values.
func (n *node) encodeSorted() json.RawMessage { return n.append(nil, true) }

func (n *node) append(b []byte, sorted bool) []byte {
	switch n.kind {
	case kindNull:
		return append(b, "null"...)
	case kindBool:
		return strconv.AppendBool(b, n.flag)
	case kindNumber:
		return append(b, jacksonNumber(n.text)...)
	case kindString:
		return appendString(b, n.text)
	case kindArray:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.append(b, sorted)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	for i, m := range n.ordered(sorted) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, m.name)
		b = append(b, ':')
		b = m.value.append(b, sorted)
	}
	return append(b, '}')
}

const hexDigits = "0123456789abcdef"

// appendString escapes no more than JSON asks for, which is what Jackson does.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\b':
			b = append(b, '\\', 'b')
		case c == '\f':
			b = append(b, '\\', 'f')
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// jacksonNumber is a number as Jackson writes it after reading it as an Object: integers keep their text, everything
// with a fraction or exponent becomes a double.
func jacksonNumber(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range gives an infinity, as in Java
	if math.IsInf(f, 0) {
		return `"` + javaDouble(f) + `"`
	}
	return javaDouble(f)
}

// javaDouble is Double.toString: plain between 1e-3 and 1e7, else with an exponent, always with a fraction.
func javaDouble(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0 || (math.Abs(f) >= 1e-3 && math.Abs(f) < 1e7):
		text := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	e, _ := strconv.Atoi(exponent)
	return digits + "E" + strconv.Itoa(e)
}
