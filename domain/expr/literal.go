package expr

// element is one element of an array literal; only literals may stand there.
type element struct {
	kind tokenKind
	text string
	at   int
}

// array reads an array literal. Its type is the one given before it, or follows from its elements: strings where there is
// no other, longs, or doubles where one of the numbers is one.
func (p *parser) array(typ Type) Value {
	p.want("[")
	elements := p.elements()
	if typ == unknown {
		typ = literalType(elements)
	}
	elem := typ.Elem()
	values := make([]Value, 0, len(elements))
	for _, el := range elements {
		v, ok := literal(el, elem)
		if !ok {
			p.fail(el.at, "Failed to parse array element %s as a %s", el.text, elem)
			break
		}
		values = append(values, v)
	}
	return OfArray(elem, values)
}

func (p *parser) elements() (elements []element) {
	if p.take("]") {
		return nil
	}
	for {
		el := element{p.next.kind, p.next.text, p.next.at}
		if p.take("-") { // Druid's grammar has no negative numbers here; they can mean only one thing
			el = element{p.next.kind, "-" + p.next.text, el.at}
			if el.kind != tokenLong && el.kind != tokenDouble {
				p.unexpected("a number")
				return elements
			}
		}
		switch el.kind {
		case tokenNull, tokenLong, tokenDouble, tokenString:
		default:
			p.unexpected("a literal")
			return elements
		}
		p.count(nil)
		p.advance()
		elements = append(elements, el)
		switch {
		case p.take("]"):
			return elements
		case !p.take(","):
			p.unexpected("',' or ']'")
			return elements
		}
	}
}

// literalType gives the type of an array without a type before it.
func literalType(elements []element) Type {
	typ := unknown
	for _, el := range elements {
		switch el.kind {
		case tokenLong:
			if typ == unknown {
				typ = Long
			}
		case tokenDouble:
			if typ != String {
				typ = Double
			}
		case tokenString:
			if typ != unknown && typ != String {
				return Double.Array() // numbers and strings do not mix: the string will be refused
			}
			typ = String
		}
	}
	if typ == unknown {
		typ = String
	}
	return typ.Array()
}

// literal converts an element to the type of its array.
func literal(el element, to Type) (Value, bool) {
	if el.kind == tokenNull {
		return Null(to), true
	}
	switch to {
	case String:
		return OfString(el.text), true
	case Long:
		if n, ok := parseLong(el.text, 10); ok {
			return OfLong(n), true
		}
		n, ok := parseNumber(el.text)
		return OfLong(n.asLong()), ok
	case Double:
		n, ok := parseNumber(el.text)
		return OfDouble(n.asDouble()), ok
	}
	return Value{}, false
}
