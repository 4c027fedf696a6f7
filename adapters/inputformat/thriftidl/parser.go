package thriftidl

import (
	"math"
	"strconv"
)

// parser reads one file.
type parser struct {
	lexer
	file     *File
	tok      token
	included []string
	depth    int
}

// stop carries an error out of the parser, whose methods go on only where all is well.
type stop struct{ err *Error }

func (p *parser) fail(what string) {
	panic(stop{&Error{p.file.name, what, p.tok.line}})
}

// parse reads the file and gives the names of those that it includes.
func (p *parser) parse() (included []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, ours := r.(stop)
			if !ours {
				panic(r)
			}
			err = s.err
		}
	}()
	p.advance()
	for p.tok.kind != tokenEnd {
		p.definition()
		p.separator()
	}
	return p.included, nil
}

func (p *parser) advance() {
	tok, wrong := p.next()
	p.tok = tok
	if wrong != "" {
		p.fail(wrong)
	}
}

// sign says whether the token is a sign, and passes it.
func (p *parser) sign(c string) bool {
	if p.tok.kind != tokenSign || p.tok.text != c {
		return false
	}
	p.advance()
	return true
}

func (p *parser) want(c string) {
	if !p.sign(c) {
		p.fail("a " + strconv.Quote(c) + " is missing")
	}
}

func (p *parser) word(w string) bool {
	if p.tok.kind != tokenName || p.tok.text != w {
		return false
	}
	p.advance()
	return true
}

func (p *parser) take(kind tokenKind, what string) string {
	if p.tok.kind != kind {
		p.fail(what + " is missing")
	}
	text := p.tok.text
	p.advance()
	return text
}

func (p *parser) separator() {
	if !p.sign(",") {
		p.sign(";")
	}
}

// in guards against types and constants that are nested without end.
func (p *parser) in() {
	if p.depth++; p.depth > maxNesting {
		p.fail("it is nested too deep")
	}
}

func (p *parser) definition() {
	switch line := p.tok.line; {
	case p.word("include"):
		p.included = append(p.included, p.take(tokenText, "the name of a file"))
	case p.word("cpp_include"):
		p.take(tokenText, "the name of a file")
	case p.word("namespace"):
		if !p.sign("*") {
			p.take(tokenName, "the language of a namespace")
		}
		if p.tok.kind == tokenText {
			p.advance()
		} else {
			p.take(tokenName, "the name of a namespace")
		}
		p.annotations()
	case p.word("const"):
		t := p.typ()
		name := p.take(tokenName, "the name of a constant")
		p.want("=")
		c := p.constant()
		c.typ = t
		p.file.consts[name] = c
	case p.word("typedef"):
		t := p.typ()
		p.define(p.take(tokenName, "the name of a type"), t, line)
		p.annotations()
	case p.word("enum"):
		p.enum(line)
	case p.word("senum"):
		p.define(p.take(tokenName, "the name of a type"), &Type{Kind: String}, line)
		p.want("{")
		for !p.sign("}") {
			p.take(tokenText, "a text")
			p.separator()
		}
	case p.word("struct"), p.word("exception"):
		p.structure(line, false)
	case p.word("union"):
		p.structure(line, true)
	case p.word("service"), p.word("interaction"):
		p.service()
	default:
		p.fail("here must be include, namespace, const, typedef, enum, struct, union, exception or service")
	}
}

func (p *parser) define(name string, t *Type, line int) {
	if _, twice := p.file.types[name]; twice {
		panic(stop{&Error{p.file.name, "a type of this name is there already", line}})
	}
	p.file.types[name] = t
}

func (p *parser) enum(line int) {
	name := p.take(tokenName, "the name of an enum")
	p.define(name, &Type{Kind: Enum}, line)
	values := map[string]int64{}
	next := int64(0)
	p.want("{")
	for !p.sign("}") {
		key := p.take(tokenName, "the name of a value")
		if p.sign("=") {
			next = p.integer(math.MinInt32, math.MaxInt32)
		}
		values[key] = next
		next++
		p.annotations()
		p.separator()
	}
	p.annotations()
	p.file.enums[name] = values
}

func (p *parser) integer(low, high int64) int64 {
	if p.tok.kind != tokenInt {
		p.fail("a whole number is missing")
	}
	n, err := parseInt(p.tok.text)
	if err != nil || n < low || n > high {
		p.fail("a number is too large")
	}
	p.advance()
	return n
}

// parseInt reads digits, which are decimal even behind a zero, or hexadecimal ones.
func parseInt(s string) (int64, error) {
	sign := ""
	if s[0] == '-' || s[0] == '+' {
		sign, s = s[:1], s[1:]
	}
	if len(s) > 1 && s[1]|0x20 == 'x' {
		return strconv.ParseInt(sign+s[2:], 16, 64)
	}
	return strconv.ParseInt(sign+s, 10, 64)
}

func (p *parser) structure(line int, union bool) {
	s := &Struct{Name: p.take(tokenName, "the name of a struct"), Union: union}
	p.define(s.Name, &Type{Kind: StructKind, Struct: s}, line)
	p.file.structs = append(p.file.structs, s)
	p.word("xsd_all")
	p.want("{")
	ids, names, auto := map[int16]bool{}, map[string]bool{}, int16(0)
	for !p.sign("}") {
		f := Field{line: p.tok.line}
		if p.tok.kind == tokenInt {
			f.ID = int16(p.integer(math.MinInt16, math.MaxInt16))
			p.want(":")
		} else {
			if auto == math.MinInt16 {
				p.fail("there are too many fields without an id")
			}
			auto--
			f.ID = auto
		}
		p.field(&f)
		if ids[f.ID] || names[f.Name] {
			panic(stop{&Error{p.file.name, "two fields have the same id or name", f.line}})
		}
		ids[f.ID], names[f.Name] = true, true
		s.Fields = append(s.Fields, f)
	}
	p.annotations()
}

func (p *parser) field(f *Field) {
	if f.Required = p.word("required"); !f.Required {
		f.Optional = p.word("optional")
	}
	f.Type = p.typ()
	p.sign("&") // a reference, in other languages than ours
	f.Name = p.take(tokenName, "the name of a field")
	if p.sign("=") {
		f.constant = p.constant()
	}
	for p.word("xsd_optional") || p.word("xsd_nillable") {
	}
	if p.word("xsd_attrs") {
		p.skip("{", "}")
	}
	p.annotations()
	p.separator()
}

// annotations passes what stands in parentheses behind something.
func (p *parser) annotations() {
	if p.tok.kind == tokenSign && p.tok.text == "(" {
		p.skip("(", ")")
	}
}

// skip passes what stands between brackets, with brackets in it.
func (p *parser) skip(open, closed string) {
	p.want(open)
	for depth := 1; depth > 0; p.advance() {
		switch {
		case p.tok.kind == tokenEnd:
			p.fail("a " + strconv.Quote(closed) + " is missing")
		case p.tok.kind == tokenSign && p.tok.text == open:
			depth++
		case p.tok.kind == tokenSign && p.tok.text == closed:
			depth--
		}
	}
}

func (p *parser) service() {
	p.take(tokenName, "the name of a service")
	if p.word("extends") {
		p.take(tokenName, "the name of a service")
	}
	p.skip("{", "}")
	p.annotations()
}

var baseTypes = map[string]Kind{
	"bool": Bool, "byte": I8, "i8": I8, "i16": I16, "i32": I32, "i64": I64, "double": Double, "string": String, "binary": Binary,
	"slist": String, "uuid": UUID,
}

func (p *parser) typ() *Type {
	p.in()
	defer func() { p.depth-- }()
	name, line := p.take(tokenName, "a type"), p.tok.line
	t := &Type{}
	switch name {
	case "list":
		t.Kind = List
	case "set":
		t.Kind = Set
	case "map":
		t.Kind = Map
	default:
		if t.Kind = baseTypes[name]; t.Kind == 0 {
			t.ref = &ref{file: p.file, name: name, line: line}
			p.file.pending = append(p.file.pending, t)
		}
		p.annotations()
		return t
	}
	p.cppType()
	p.want("<")
	if t.Kind == Map {
		t.Key = p.typ()
		p.want(",")
	}
	t.Elem = p.typ()
	p.want(">")
	p.cppType()
	p.annotations()
	return t
}

// cppType passes the name of a type of C++, which may stand before and behind a container's types.
func (p *parser) cppType() {
	if p.word("cpp_type") {
		p.take(tokenText, "the name of a type")
	}
}
