package inputformat

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"ogham/domain/row"
)

// protoConverter makes values of messages as Druid's converter does: fields that are set, by their JSON names, and the
// well-known types as JSON has them.
type protoConverter struct {
	rows  *row.Rows
	depth int
}

func textValue(s string) row.Value { return row.Value{Kind: row.String, Text: []byte(s)} }

// message gives a message as an object. Druid puts the fields into a HashMap, whose order is kept.
func (c *protoConverter) message(m protoreflect.Message) (row.Value, error) {
	if c.depth++; c.depth > maxDepth {
		return row.Value{}, errAvroDeep
	}
	defer func() { c.depth-- }()
	var members []row.Member
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !m.Has(f) {
			continue
		}
		v, err := c.field(f, m.Get(f))
		if err != nil {
			return v, err
		}
		members = append(members, row.Member{Key: []byte(f.JSONName()), Value: v})
	}
	hashOrder(members, func(m row.Member) string { return string(m.Key) }, len(members))
	return c.rows.NewObject(members), nil
}

func (c *protoConverter) field(f protoreflect.FieldDescriptor, v protoreflect.Value) (row.Value, error) {
	switch {
	case f.IsMap():
		return c.mapOf(f, v.Map())
	case f.IsList():
		return c.list(f, v.List())
	case f.Kind() == protoreflect.MessageKind:
		return c.known(v.Message())
	}
	return c.single(f, v)
}

func (c *protoConverter) list(f protoreflect.FieldDescriptor, l protoreflect.List) (row.Value, error) {
	return c.elems(l, func(v protoreflect.Value) (row.Value, error) { return c.single(f, v) })
}

func (c *protoConverter) elems(l protoreflect.List, of func(protoreflect.Value) (row.Value, error)) (row.Value, error) {
	elems := make([]row.Value, l.Len())
	for i := range elems {
		var err error
		if elems[i], err = of(l.Get(i)); err != nil {
			return row.Value{}, err
		}
	}
	return c.rows.NewList(elems), nil
}

// mapOf gives a map, whose keys are texts, as an object; Druid fails over other keys, which are written here.
func (c *protoConverter) mapOf(f protoreflect.FieldDescriptor, m protoreflect.Map) (row.Value, error) {
	return c.entries(m, func(v protoreflect.Value) (row.Value, error) { return c.single(f.MapValue(), v) })
}

func (c *protoConverter) entries(m protoreflect.Map, of func(protoreflect.Value) (row.Value, error)) (row.Value, error) {
	var members []row.Member
	var err error
	m.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		var value row.Value
		value, err = of(v)
		members = append(members, row.Member{Key: []byte(k.String()), Value: value})
		return err == nil
	})
	if err != nil {
		return row.Value{}, err
	}
	// A Go map comes in any order: sort first, so that keys of one bucket have one too.
	slices.SortFunc(members, func(a, b row.Member) int { return bytes.Compare(a.Key, b.Key) })
	hashOrder(members, func(m row.Member) string { return string(m.Key) }, len(members))
	return c.rows.NewObject(members), nil
}

func (c *protoConverter) single(f protoreflect.FieldDescriptor, v protoreflect.Value) (row.Value, error) {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return boolean(v.Bool()), nil
	case protoreflect.StringKind:
		return textValue(v.String()), nil
	case protoreflect.BytesKind:
		return textValue(base64.StdEncoding.EncodeToString(v.Bytes())), nil
	case protoreflect.EnumKind:
		return c.enum(f, v.Enum()), nil
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return c.message(v.Message())
	case protoreflect.FloatKind:
		return float(float32(v.Float())), nil
	case protoreflect.DoubleKind:
		return row.Value{Kind: row.Double, Num: math.Float64bits(v.Float())}, nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		// Java has no unsigned numbers: the upper half comes out negative.
		return row.Value{Kind: row.Long, Num: uint64(int64(int32(uint32(v.Uint()))))}, nil
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return row.Value{Kind: row.Long, Num: v.Uint()}, nil
	}
	return row.Value{Kind: row.Long, Num: uint64(v.Int())}, nil
}

func (c *protoConverter) enum(f protoreflect.FieldDescriptor, n protoreflect.EnumNumber) row.Value {
	if f.Enum().FullName() == "google.protobuf.NullValue" {
		return row.Value{Kind: row.Null}
	}
	if v := f.Enum().Values().ByNumber(n); v != nil {
		return textValue(string(v.Name()))
	}
	return textValue("UNKNOWN_ENUM_VALUE_" + string(f.Enum().Name()) + "_" + strconv.Itoa(int(n)))
}

// known gives a message of a well-known type as JSON has it, any other as an object.
func (c *protoConverter) known(m protoreflect.Message) (row.Value, error) {
	d := m.Descriptor()
	first := func(name protoreflect.Name) protoreflect.FieldDescriptor { return d.Fields().ByName(name) }
	switch d.FullName() {
	case "google.protobuf.BoolValue", "google.protobuf.Int32Value", "google.protobuf.UInt32Value", "google.protobuf.Int64Value",
		"google.protobuf.UInt64Value", "google.protobuf.StringValue", "google.protobuf.BytesValue", "google.protobuf.FloatValue",
		"google.protobuf.DoubleValue":
		return c.single(first("value"), m.Get(first("value")))
	case "google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask", "google.protobuf.Any":
		return c.json(m)
	case "google.protobuf.Struct": // over which Druid's converter fails
		return c.entries(m.Get(first("fields")).Map(), c.any)
	case "google.protobuf.ListValue":
		return c.elems(m.Get(first("values")).List(), c.any)
	case "google.protobuf.Value":
		set := m.WhichOneof(d.Oneofs().Get(0))
		if set == nil {
			return row.Value{Kind: row.Null}, nil
		}
		if set.Kind() == protoreflect.MessageKind {
			return c.known(m.Get(set).Message())
		}
		return c.single(set, m.Get(set))
	}
	return c.message(m)
}

// any gives a value that is a message.
func (c *protoConverter) any(v protoreflect.Value) (row.Value, error) {
	if c.depth++; c.depth > maxDepth {
		return row.Value{}, errAvroDeep
	}
	defer func() { c.depth-- }()
	return c.known(v.Message())
}

// json gives a well-known type that JSON writes as text.
func (c *protoConverter) json(m protoreflect.Message) (row.Value, error) {
	b, err := protojson.Marshal(m.Interface())
	if err != nil {
		return row.Value{}, fmt.Errorf("write %s: %w", m.Descriptor().FullName(), err)
	}
	if text, err := strconv.Unquote(string(b)); err == nil {
		return textValue(text), nil
	}
	return textValue(string(b)), nil
}

// decodeProto decodes a message of a type. The library panics over some bytes, such as an entry of a map that has its key
// once more, of another wire type: they are no message.
func decodeProto(t protoreflect.MessageDescriptor, b []byte) (m *dynamicpb.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("proto: cannot decode %s: %v", t.FullName(), p)
		}
	}()
	m = dynamicpb.NewMessage(t)
	if err := protoUnmarshal.Unmarshal(b, m); err != nil {
		return nil, err
	}
	return m, nil
}
