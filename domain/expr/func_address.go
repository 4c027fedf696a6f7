package expr

import (
	"net/netip"
	"strings"
)

// addressFunctions work on IP addresses.
var addressFunctions = []*function{
	{name: "ipv4_match", arity: exactly(2), kind: always(Long), macro: true, make: makeMatch4},
	{name: "ipv4_parse", arity: exactly(1), kind: always(Long), macro: true, run: func(e *Env, args []node) Value {
		n, ok := address4(args[0].eval(e))
		if !ok {
			return Null(Long)
		}
		return OfLong(int64(n))
	}},
	{name: "ipv4_stringify", arity: exactly(1), kind: always(String), macro: true, run: stringify4},
	{name: "ipv6_match", arity: exactly(2), kind: always(Long), macro: true, make: makeMatch6},
}

// address4 reads an IPv4 address from a text, or from the long that it is.
func address4(v Value) (n uint32, ok bool) {
	switch {
	case !v.some:
		return 0, false
	case v.typ == Long:
		return uint32(v.Long()), v.Long() >= 0 && v.Long() <= 1<<32-1
	case v.typ == String:
		return parse4(strings.TrimSpace(v.str))
	}
	return 0, false
}

func parse4(s string) (n uint32, ok bool) {
	for part := range 4 {
		text, rest, found := strings.Cut(s, ".")
		if found != (part < 3) || text == "" || len(text) > 3 {
			return 0, false
		}
		b, ok := parseLong(text, 10)
		if !ok || b < 0 || b > 255 || !isDigit(text[0]) {
			return 0, false
		}
		n = n<<8 | uint32(b)
		s = rest
	}
	return n, true
}

func stringify4(e *Env, args []node) Value {
	v := args[0].eval(e)
	n, ok := address4(v)
	switch {
	case !ok:
		return Value{}
	case v.typ == String:
		return v
	}
	return OfString(e.build(func(dst []byte) []byte {
		return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).AppendTo(dst)
	}))
}

// literalSubnet reads the second argument of a match.
func literalSubnet(args []node) (string, error) {
	v, ok := isConstant(args[1])
	if !ok || !v.some {
		return "", errLiteral("subnet argument must be a literal")
	}
	return string(appendText(nil, v)), nil
}

func makeMatch4(args []node) (runner, error) {
	text, err := literalSubnet(args)
	if err != nil {
		return nil, err
	}
	base, width, _ := strings.Cut(text, "/")
	subnet, ok := parse4(base)
	length, ok2 := parseLong(width, 10)
	if !ok || !ok2 || length < 0 || length > 32 {
		return nil, errLiteral("subnet arg has an invalid format: " + text)
	}
	mask := uint32(uint64(1<<32-1) << (32 - length))
	return func(e *Env, args []node) Value {
		n, ok := address4(args[0].eval(e))
		return OfBool(ok && n&mask == subnet&mask)
	}, nil
}

func makeMatch6(args []node) (runner, error) {
	text, err := literalSubnet(args)
	if err != nil {
		return nil, err
	}
	subnet, err := netip.ParsePrefix(text)
	if err != nil || !subnet.Addr().Is6() {
		return nil, errLiteral("failed to parse address")
	}
	return func(e *Env, args []node) Value {
		v := args[0].eval(e)
		if !v.some || v.typ != String {
			return OfBool(false)
		}
		address, err := netip.ParseAddr(v.str)
		return OfBool(err == nil && subnet.Contains(address))
	}, nil
}
