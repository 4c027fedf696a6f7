package expr

import (
	"unsafe"

	"ogham/domain/row"
)

// OfColumn gives the value of a row's field the type that Druid finds for it. Its texts are the row's own.
func OfColumn(rows *row.Rows, v *row.Value) Value {
	switch v.Kind {
	case row.String:
		return OfString(view(v.Text))
	case row.Long:
		return OfLong(int64(v.Num))
	case row.Double:
		return Value{typ: Double, some: true, num: v.Num}
	case row.Bool:
		return OfBool(v.Num != 0)
	case row.List:
		items := rows.ListOf(v)
		elems := make([]Value, len(items))
		for i := range items {
			elems[i] = OfColumn(rows, &items[i])
		}
		array := arrayOf(elems)
		for i := range items {
			if items[i].Kind == row.Bool && array.typ == String.Array() {
				elems[i] = OfString(boolText(items[i].Num != 0))
			}
		}
		return array
	case row.Object:
		return OfJSON(treeOf(rows, v))
	}
	return Value{}
}

// treeOf makes the tree of a field.
func treeOf(rows *row.Rows, v *row.Value) any {
	switch v.Kind {
	case row.Bool:
		return v.Num != 0
	case row.List:
		items := rows.ListOf(v)
		list := make([]any, len(items))
		for i := range items {
			list[i] = treeOf(rows, &items[i])
		}
		return list
	case row.Object:
		members := rows.MembersOf(v)
		o := &Object{Keys: make([]string, len(members)), Values: make([]any, len(members))}
		for i := range members {
			o.Keys[i], o.Values[i] = view(members[i].Key), treeOf(rows, &members[i].Value)
		}
		return o
	}
	return toTree(OfColumn(rows, v))
}

// Column makes a row's field of a value: an array becomes a list, JSON what it holds. The field's texts are the value's.
func (v Value) Column(rows *row.Rows) row.Value {
	if !v.some {
		return row.Value{Kind: row.Null}
	}
	switch v.typ {
	case String:
		return row.Value{Kind: row.String, Text: bytesOf(v.str)}
	case Long:
		return row.Value{Kind: row.Long, Num: v.num}
	case Double:
		return row.Value{Kind: row.Double, Num: v.num}
	case JSON:
		return columnOf(rows, v.box)
	}
	var small [fewArgs]row.Value
	list := small[:0]
	for _, elem := range v.Elems() {
		list = append(list, elem.Column(rows))
	}
	return rows.NewList(list)
}

func columnOf(rows *row.Rows, tree any) row.Value {
	switch t := tree.(type) {
	case bool:
		return row.Value{Kind: row.Bool, Num: uint64(OfBool(t).Long())}
	case []any:
		list := make([]row.Value, len(t))
		for i, item := range t {
			list[i] = columnOf(rows, item)
		}
		return rows.NewList(list)
	case *Object:
		members := make([]row.Member, len(t.Keys))
		for i, key := range t.Keys {
			members[i] = row.Member{Key: bytesOf(key), Value: columnOf(rows, t.Values[i])}
		}
		return rows.NewObject(members)
	case nil:
		return row.Value{Kind: row.Null}
	}
	return fromTree(tree).Column(rows)
}

// bytesOf gives the bytes of a text, which must not be changed.
func bytesOf(s string) []byte {
	if s == "" {
		return nil
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// Number gives the number that a value counts as, a long or a double; ok is false where it has none.
func (v Value) Number() (n Value, ok bool) {
	x, ok := v.number()
	switch {
	case !ok:
		return Value{}, false
	case x.isLong:
		return OfLong(x.long), true
	}
	return OfDouble(x.double), true
}
