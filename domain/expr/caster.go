package expr

import (
	"strconv"

	"ogham/domain/row"
)

// Caster casts fields of rows to one type, as an auto dimension with a castToType does: Druid's AutoTypeColumnIndexer. It
// keeps its memory from row to row. One goroutine uses it at a time.
type Caster struct {
	to    Type
	env   Env
	elems []Value
}

// NewCaster makes a Caster to a type by Druid's name for it: STRING, LONG, DOUBLE or an ARRAY of one of them. ok is false
// for any other.
func NewCaster(name string) (c *Caster, ok bool) {
	for _, t := range []Type{String, Long, Double} {
		switch name {
		case t.String():
			return &Caster{to: t}, true
		case t.Array().String():
			return &Caster{to: t.Array()}, true
		}
	}
	return nil, false
}

// Type is what is cast to.
func (c *Caster) Type() Type { return c.to }

// Cast gives a field's value as the Caster's type: a scalar in one, or an array's elements, each of the type or null. A
// null is null in one, and has no elements; one of an array is not null where the array is not. What has no number
// becomes a null; ok is false where the value has no place in the type: an object, or in a scalar a list that is not of
// one element. All of it is valid until the next call.
func (c *Caster) Cast(rows *row.Rows, v *row.Value) (one Value, elems []Value, ok bool) {
	c.env.Reset()
	c.env.start(nil)
	switch {
	case v.Kind <= row.Null:
		return Value{}, nil, true
	case v.Kind == row.Object:
		return Value{}, nil, false
	case v.Kind == row.List:
		if items := rows.ListOf(v); row.Flat(items) {
			return c.flat(rows, items)
		}
		return c.nested(rows, v)
	case c.to.IsArray():
		c.elems = append(c.elems[:0], c.env.cast(OfColumn(rows, v), c.to.Elem()))
		return Value{some: true}, c.elems, true
	}
	return c.env.cast(OfColumn(rows, v), c.to), nil, true
}

// flat casts a list of scalars: first to the type that takes all of them, then to the one that is wanted.
func (c *Caster) flat(rows *row.Rows, items []row.Value) (one Value, elems []Value, ok bool) {
	if !c.to.IsArray() && len(items) != 1 {
		return Value{}, nil, false
	}
	common := Long
	for i := range items {
		switch items[i].Kind {
		case row.String:
			common = String
		case row.Double:
			if common == Long {
				common = Double
			}
		}
	}
	c.elems = c.elems[:0]
	for i := range items {
		c.elems = append(c.elems, c.element(rows, &items[i], common))
	}
	if !c.to.IsArray() {
		return c.elems[0], nil, true
	}
	return Value{some: true}, c.elems, true
}

func (c *Caster) element(rows *row.Rows, v *row.Value, common Type) Value {
	if v.Kind <= row.Null {
		return Null(c.to.Elem())
	}
	x := OfColumn(rows, v)
	if v.Kind == row.Bool && common == String {
		x = OfString(strconv.FormatBool(v.Num != 0))
	}
	return c.env.cast(c.env.cast(x, common), c.to.Elem())
}

// nested casts a list with lists or objects in it, which has a place in an array where each list is of one scalar. The
// only element of a list that is itself a list or an object counts as 0 where a number is wanted, as it does in Druid.
func (c *Caster) nested(rows *row.Rows, v *row.Value) (one Value, elems []Value, ok bool) {
	items := rows.ListOf(v)
	switch {
	case c.to.IsArray():
		for i := range items {
			if items[i].Kind == row.Object {
				return Value{}, nil, false
			}
		}
		x := c.env.cast(OfColumn(rows, v), c.to)
		return Value{some: true}, x.Elems(), c.env.err == nil
	case len(items) != 1:
		return Value{}, nil, false
	case c.to == Long:
		return OfLong(0), nil, true
	case c.to == Double:
		return OfDouble(0), nil, true
	}
	x := c.env.cast(OfColumn(rows, v), c.to)
	return x, nil, c.env.err == nil
}
