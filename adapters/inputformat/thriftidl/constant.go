package thriftidl

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// constant is a constant as the file has it.
type constant struct {
	file  *File
	line  int
	kind  tokenKind // of a number, a text or a name; tokenSign for a list or a map
	text  string
	list  []*constant
	keys  []*constant // of a map
	isMap bool
	typ   *Type // of one that has a name
	busy  bool
}

func (p *parser) constant() *constant {
	p.in()
	defer func() { p.depth-- }()
	c := &constant{file: p.file, line: p.tok.line, kind: p.tok.kind, text: p.tok.text}
	switch {
	case p.tok.kind == tokenInt || p.tok.kind == tokenDouble || p.tok.kind == tokenText || p.tok.kind == tokenName:
		p.advance()
	case p.sign("["):
		for !p.sign("]") {
			c.list = append(c.list, p.constant())
			p.separator()
		}
	case p.sign("{"):
		c.isMap = true
		for !p.sign("}") {
			c.keys = append(c.keys, p.constant())
			p.want(":")
			c.list = append(c.list, p.constant())
			p.separator()
		}
	default:
		p.fail("a constant is missing")
	}
	return c
}

// defaults works out the defaults of the file's fields.
func (f *File) defaults() error {
	for _, s := range f.structs {
		for i := range s.Fields {
			field := &s.Fields[i]
			if field.constant == nil {
				continue
			}
			c, err := field.constant.as(field.Type, 0)
			if err != nil {
				return err
			}
			field.Default = c
		}
	}
	return nil
}

func (c *constant) bad(what string) error { return &Error{c.file.name, what, c.line} }

// as gives the constant as a value of a type.
func (c *constant) as(t *Type, depth int) (*Const, error) {
	if depth > maxNesting || c.busy {
		return nil, c.bad("a constant stands for itself, or is nested too deep")
	}
	if c.kind == tokenName {
		if named := c.named(); named != nil {
			c.busy = true
			out, err := named.as(t, depth+1)
			c.busy = false
			return out, err
		}
	}
	switch t.Kind {
	case Bool, I8, I16, I32, I64, Enum:
		return c.number(t)
	case Double:
		v, err := strconv.ParseFloat(c.text, 64)
		if err != nil || c.kind != tokenInt && c.kind != tokenDouble {
			return nil, c.bad("a default must be a number")
		}
		return &Const{Double: v, size: 1}, nil
	case String, Binary, UUID:
		if c.kind != tokenText {
			return nil, c.bad("a default must be a text")
		}
		return &Const{Text: c.text, size: 1}, nil
	}
	return c.container(t, depth)
}

// number reads a whole number, a bool or a value of an enum.
func (c *constant) number(t *Type) (*Const, error) {
	switch {
	case c.kind == tokenInt:
		if v, err := parseInt(c.text); err == nil && inRange(v, t.Kind) {
			return &Const{Int: v, size: 1}, nil
		}
	case c.kind == tokenName && t.Kind == Bool && (c.text == "true" || c.text == "false"):
		out := &Const{size: 1}
		if c.text == "true" {
			out.Int = 1
		}
		return out, nil
	case c.kind == tokenName:
		if v, ok := c.enumValue(); ok {
			return &Const{Int: v, size: 1}, nil
		}
	}
	return nil, c.bad("a default is no value of its type")
}

func inRange(v int64, k Kind) bool {
	switch k {
	case Bool:
		return v == 0 || v == 1
	case I8:
		return v == int64(int8(v))
	case I16:
		return v == int64(int16(v))
	case I32, Enum:
		return v >= math.MinInt32 && v <= math.MaxInt32
	}
	return true
}

// enumValue finds Enum.VALUE, of this file or one that it includes.
func (c *constant) enumValue() (int64, bool) {
	cut := strings.LastIndexByte(c.text, '.')
	if cut < 0 {
		return 0, false
	}
	enum, value := c.text[:cut], c.text[cut+1:]
	file := c.file
	if space, name, ok := strings.Cut(enum, "."); ok {
		if file, enum = file.includes[space], name; file == nil {
			return 0, false
		}
	}
	v, ok := file.enums[enum][value]
	return v, ok
}

// named finds the constant that a name stands for; nil: none.
func (c *constant) named() *constant {
	if found := c.file.consts[c.text]; found != nil {
		return found
	}
	if space, name, ok := strings.Cut(c.text, "."); ok && c.file.includes[space] != nil {
		return c.file.includes[space].consts[name]
	}
	return nil
}

// container reads a list, a set, a map or a struct. An empty one may be written either way.
func (c *constant) container(t *Type, depth int) (*Const, error) {
	keyed := t.Kind == Map || t.Kind == StructKind
	if c.kind != tokenSign || c.isMap != keyed && len(c.list) > 0 {
		return nil, c.bad("a default must be a list or a map, as its type is")
	}
	out := &Const{size: 1}
	add := func(to *[]*Const, from *constant, t *Type) error {
		v, err := from.as(t, depth+1)
		if err != nil {
			return err
		}
		if out.size += v.size; out.size > maxConst {
			return c.bad("a default has too many values")
		}
		*to = append(*to, v)
		return nil
	}
	for i, item := range c.list {
		elem := t.Elem
		switch t.Kind {
		case Map:
			if err := add(&out.Keys, c.keys[i], t.Key); err != nil {
				return nil, err
			}
		case StructKind:
			at := slices.IndexFunc(t.Struct.Fields, func(f Field) bool { return c.keys[i].kind == tokenText && f.Name == c.keys[i].text })
			if at < 0 {
				return nil, c.bad("a default names a field that its struct has not")
			}
			elem = t.Struct.Fields[at].Type
			out.Fields = append(out.Fields, t.Struct.Fields[at].ID)
		}
		if err := add(&out.List, item, elem); err != nil {
			return nil, err
		}
	}
	return out, nil
}
