package jsonpath

import (
	"math"
	"slices"

	"ogham/domain/row"
)

// call is a function with its arguments.
type call struct {
	name string
	args []argument
}

// argument is a path, or text of JSON.
type argument struct {
	path *Path
	text string
}

// functions are those of the library.
var functions = map[string]bool{
	"avg": true, "stddev": true, "sum": true, "min": true, "max": true, "concat": true, "length": true, "size": true,
	"keys": true, "first": true, "last": true, "index": true, "append": true,
}

var errEmpty = &Error{"Aggregation function attempted to calculate value using empty array"}

// invoke applies the function to the value that the path has led to.
func (c *call) invoke(r *run, v row.Value) (row.Value, error) {
	switch c.name {
	case "length", "size":
		return c.length(r, v)
	case "keys":
		return keys(r, v), nil
	case "concat":
		return c.concat(r, v)
	case "append":
		return c.append(r, v)
	case "first", "last", "index":
		return c.pick(r, v)
	}
	return c.aggregate(r, v)
}

func long(n int) row.Value { return row.Value{Kind: row.Long, Num: uint64(int64(n))} }

// length counts elements or members. Of nothing it is null, where Druid fails with a null pointer.
func (c *call) length(r *run, v row.Value) (row.Value, error) {
	if len(c.args) > 0 && c.args[0].path != nil {
		// The children of what the path leads to are counted.
		p := *c.args[0].path
		if len(p.tokens) > 0 && p.tokens[len(p.tokens)-1].kind != tokenFunction {
			p.tokens = append(p.tokens[:len(p.tokens):len(p.tokens)], token{kind: tokenWildcard})
			p.definite = false
		}
		inner, err := r.read(&p, v)
		if err != nil {
			return inner, err
		}
		if inner.Kind == row.List {
			return long(len(r.rows.ListOf(&inner))), nil
		}
	}
	switch v.Kind {
	case row.List:
		return long(len(r.rows.ListOf(&v))), nil
	case row.Object:
		return long(len(r.rows.MembersOf(&v))), nil
	}
	return row.Value{Kind: row.Null}, nil
}

func keys(r *run, v row.Value) row.Value {
	if !isMap(v) {
		return row.Value{Kind: row.Null}
	}
	var names []row.Value
	if v.Kind == row.Object {
		for _, m := range r.rows.MembersOf(&v) {
			names = append(names, row.Value{Kind: row.String, Text: m.Key})
		}
	}
	return r.rows.NewList(names)
}

// concat puts texts together: those of the list that it is applied to, then the arguments, JSON as it is written.
func (c *call) concat(r *run, v row.Value) (row.Value, error) {
	var text []byte
	if v.Kind == row.List {
		for _, e := range r.rows.ListOf(&v) {
			if e.Kind == row.String {
				text = append(text, e.Text...)
			}
		}
	}
	for _, a := range c.args {
		if a.path == nil {
			text = append(text, a.text...)
			continue
		}
		value, err := r.read(a.path, v)
		if err != nil {
			return value, err
		}
		elems := []row.Value{value}
		if value.Kind == row.List {
			elems = r.rows.ListOf(&value)
		}
		for i := range elems {
			if elems[i].Kind > row.Null {
				text = r.rows.AppendText(text, &elems[i])
			}
		}
	}
	return row.Value{Kind: row.String, Text: text}, nil
}

func (c *call) append(r *run, v row.Value) (row.Value, error) {
	if v.Kind != row.List {
		return row.Value{Kind: row.Null}, nil
	}
	elems := slices.Clone(r.rows.ListOf(&v))
	for _, a := range c.args {
		if a.path == nil {
			value, ok := literal(r.rows, a.text)
			if !ok {
				return value, &Error{"append: " + a.text + " is no JSON"}
			}
			elems = append(elems, value)
			continue
		}
		value, err := r.read(a.path, v)
		if err != nil {
			return value, err
		}
		elems = append(elems, value)
	}
	return r.rows.NewList(elems), nil
}

func (c *call) pick(r *run, v row.Value) (row.Value, error) {
	if v.Kind != row.List {
		return row.Value{}, errEmpty
	}
	elems := r.rows.ListOf(&v)
	at := 0
	switch c.name {
	case "last":
		at = -1
	case "index":
		if len(c.args) == 0 {
			return row.Value{}, &Error{"index needs a number"}
		}
		n, err := c.number(r, v)
		if err != nil {
			return row.Value{}, err
		}
		at = n
	}
	if at < 0 {
		at += len(elems)
	}
	if at < 0 || at >= len(elems) {
		return row.Value{}, &Error{"Target index is beyond the end of the list"}
	}
	return elems[at], nil
}

func (c *call) number(r *run, v row.Value) (int, error) {
	value, ok := literal(r.rows, c.args[0].text)
	if c.args[0].path != nil {
		var err error
		if value, err = r.read(c.args[0].path, v); err != nil {
			return 0, err
		}
		ok = true
	}
	if n := int64(value.Num); ok && value.Kind == row.Long && n == int64(int32(n)) {
		return int(n), nil
	}
	return 0, &Error{"index needs a number"}
}

// aggregate is sum, avg, min, max and stddev over the numbers of a list and of paths that are arguments. Numbers that are
// written as arguments are left out, as the library leaves them out.
func (c *call) aggregate(r *run, v row.Value) (row.Value, error) {
	var sum, squares, count float64
	low, high := math.Inf(1), math.Inf(-1)
	add := func(v row.Value) {
		elems := []row.Value{v}
		if v.Kind == row.List {
			elems = r.rows.ListOf(&v)
		}
		for i := range elems {
			var f float64
			switch e := &elems[i]; e.Kind {
			case row.Long:
				f = float64(int64(e.Num))
			case row.Double:
				f = math.Float64frombits(e.Num)
			default:
				continue
			}
			sum += f
			squares += f * f
			count++
			low, high = min(low, f), max(high, f)
		}
	}
	if v.Kind == row.List {
		add(v)
	}
	for _, a := range c.args {
		if a.path == nil {
			continue
		}
		value, err := r.read(a.path, v)
		if err != nil {
			return value, err
		}
		add(value)
	}
	if count == 0 {
		return row.Value{}, errEmpty
	}
	result := sum
	switch c.name {
	case "avg":
		result = sum / count
	case "min":
		result = low
	case "max":
		result = high
	case "stddev":
		result = math.Sqrt(squares/count - sum*sum/count/count)
	}
	return row.Value{Kind: row.Double, Num: math.Float64bits(result)}, nil
}
