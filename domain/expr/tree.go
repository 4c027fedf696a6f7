package expr

import (
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"ogham/domain/row"
)

// Object is an object of a JSON tree: its keys in order, and their values, as described at OfJSON.
type Object struct {
	Keys   []string
	Values []any
}

// Get gives the value of a key.
func (o *Object) Get(key string) (any, bool) {
	if i := slices.Index(o.Keys, key); i >= 0 {
		return o.Values[i], true
	}
	return nil, false
}

// set replaces the value of a key or adds it behind the others.
func (o *Object) set(key string, value any) {
	if i := slices.Index(o.Keys, key); i >= 0 {
		o.Values[i] = value
		return
	}
	o.Keys = append(o.Keys, key)
	o.Values = append(o.Values, value)
}

// fromTree gives a tree the type that Druid finds for it: scalars are scalars, lists arrays of the least restrictive type
// of their elements, objects JSON.
func fromTree(tree any) Value {
	switch t := tree.(type) {
	case bool:
		return OfBool(t)
	case int64:
		return OfLong(t)
	case float64:
		return OfDouble(t)
	case string:
		return OfString(t)
	case []any:
		elems := make([]Value, len(t))
		for i, item := range t {
			elems[i] = fromTree(item)
		}
		array := arrayOf(elems)
		for i, item := range t {
			if b, ok := item.(bool); ok && array.typ == String.Array() {
				elems[i] = OfString(boolText(b))
			}
		}
		return array
	case *Object:
		return OfJSON(t)
	}
	return Value{}
}

// boolText is what a Boolean becomes beside texts in a list.
func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// arrayOf makes an array of values found in data, cast to their least restrictive type; it keeps the slice. Booleans have
// been made longs, which is what they are to numbers; beside texts they are to be made texts behind it.
func arrayOf(elems []Value) Value {
	elem := unknown
	for i := range elems {
		if elems[i].some {
			elem = leastRestrictive(elem, elems[i].typ)
		}
	}
	if elem == unknown {
		elem = String
	}
	for i := range elems {
		switch {
		case !elems[i].some:
			elems[i] = Null(elem)
		case elems[i].typ != elem:
			elems[i], _ = castFound(elems[i], elem)
		}
	}
	return OfArray(elem, elems)
}

// castFound is a cast whose text need not live in an Env's memory; what cannot be cast becomes a null.
func castFound(v Value, to Type) (Value, bool) {
	var e Env
	v = e.cast(v, to)
	return v, e.err == nil
}

// toTree is the reverse of fromTree: the tree of any value.
func toTree(v Value) any {
	if !v.some {
		return nil
	}
	switch v.typ {
	case String:
		return v.str
	case Long:
		return v.Long()
	case Double:
		return v.Double()
	case JSON:
		return v.box
	}
	elems := v.Elems()
	list := make([]any, len(elems))
	for i := range elems {
		list[i] = toTree(elems[i])
	}
	return list
}

// sameTree says whether two trees are equal; the order of an object's keys does not matter.
func sameTree(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, sameTree)
	case *Object:
		y, ok := b.(*Object)
		if !ok || len(x.Keys) != len(y.Keys) {
			return false
		}
		for i, key := range x.Keys {
			if other, has := y.Get(key); !has || !sameTree(x.Values[i], other) {
				return false
			}
		}
		return true
	case float64:
		y, ok := b.(float64)
		return ok && compareDoubles(x, y) == 0
	}
	switch b.(type) {
	case []any, *Object:
		return false
	}
	return a == b
}

// appendTreeText appends the text that Java prints for maps and lists.
func appendTreeText(dst []byte, tree any) []byte {
	switch t := tree.(type) {
	case bool:
		return strconv.AppendBool(dst, t)
	case int64:
		return strconv.AppendInt(dst, t, 10)
	case float64:
		return row.AppendDouble(dst, t)
	case string:
		return append(dst, t...)
	case []any:
		dst = append(dst, '[')
		for i, item := range t {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendTreeText(dst, item)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		for i, key := range t.Keys {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(append(dst, key...), '=')
			dst = appendTreeText(dst, t.Values[i])
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// appendJSON appends a tree as JSON, as Jackson writes it: numbers that JSON has not are quoted.
func appendJSON(dst []byte, tree any) []byte {
	switch t := tree.(type) {
	case bool:
		return strconv.AppendBool(dst, t)
	case int64:
		return strconv.AppendInt(dst, t, 10)
	case float64:
		if math.IsNaN(t) || math.IsInf(t, 0) {
			return append(row.AppendDouble(append(dst, '"'), t), '"')
		}
		return row.AppendDouble(dst, t)
	case string:
		return appendQuoted(dst, t)
	case []any:
		dst = append(dst, '[')
		for i, item := range t {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, item)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		for i, key := range t.Keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, key), ':')
			dst = appendJSON(dst, t.Values[i])
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

const hexDigits = "0123456789ABCDEF"

// appendQuoted escapes no more than JSON asks for.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= 0x20:
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(dst, '"')
}

// hashOrder puts an object's keys in the order of Java's HashMap.
func (o *Object) hashOrder() {
	order := make([]int, len(o.Keys))
	for i := range order {
		order[i] = i
	}
	order = inHashOrder(order, func(i int) uint32 { return javaHash(o.Keys[i]) })
	keys, values := make([]string, len(order)), make([]any, len(order))
	for i, from := range order {
		keys[i], values[i] = o.Keys[from], o.Values[from]
	}
	o.Keys, o.Values = keys, values
}

// inHashOrder sorts items into the order of Java's HashMap and HashSet, which is the order of the buckets that their hashes
// select.
func inHashOrder[T any](items []T, hash func(T) uint32) []T {
	capacity := 16
	for capacity*3/4 < len(items) {
		capacity *= 2
	}
	bucket := func(x T) int {
		h := hash(x)
		return int((h ^ h>>16) & uint32(capacity-1))
	}
	slices.SortStableFunc(items, func(a, b T) int { return bucket(a) - bucket(b) })
	return items
}

// javaHash is String.hashCode.
func javaHash(s string) uint32 {
	h := uint32(0)
	for _, r := range s {
		if r > 0xFFFF {
			high, low := utf16.EncodeRune(r)
			h = (h*31+uint32(high))*31 + uint32(low)
			continue
		}
		h = h*31 + uint32(r)
	}
	return h
}

// compareUTF16 orders strings as Java does, by UTF-16 units: characters beyond U+FFFF come before those from U+E000.
func compareUTF16(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	if i == n {
		return len(a) - len(b)
	}
	if a[i] < utf8.RuneSelf || b[i] < utf8.RuneSelf {
		return int(a[i]) - int(b[i])
	}
	return unitRank(a[i]) - unitRank(b[i])
}

// unitRank gives the first byte in which two characters differ its place in the order of UTF-16. Only leading bytes
// can differ in what matters: the first bytes of four-byte sequences sort before those of U+E000 to U+FFFF.
func unitRank(c byte) int {
	switch {
	case c == 0xEE || c == 0xEF:
		return int(c) + 0x10
	case c >= 0xF0:
		return int(c) - 2
	}
	return int(c)
}

// Found gives a tree that was found in data the type that Druid finds for it, as a column's value: scalars are scalars,
// lists arrays of the least restrictive type of their elements, objects COMPLEX<json>.
func Found(tree any) Value { return fromTree(tree) }
