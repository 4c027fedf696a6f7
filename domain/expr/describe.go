package expr

import "strings"

// describe writes a node as Druid writes an expression in its messages.
func describe(n node) string {
	switch n := n.(type) {
	case constant:
		return describeValue(n.v)
	case column:
		return describeName(n.name)
	case local:
		return describeName(n.name)
	case *minus:
		return "-" + describe(n.of)
	case *not:
		return "!" + describe(n.of)
	case *operator:
		return "(" + describe(n.left) + " " + n.sign + " " + describe(n.right) + ")"
	case *call:
		return describeCall(n.f.name, "", n.args)
	case *apply:
		names := make([]string, len(n.names))
		for i, name := range n.names {
			names[i] = describeName(name)
		}
		return describeCall(n.f.name, "("+strings.Join(names, ", ")+") -> "+describe(n.body), n.args)
	}
	return ""
}

func describeName(name string) string { return `"` + escape(name) + `"` }

func describeCall(name, lambda string, args []node) string {
	var parts []string
	if lambda != "" {
		parts = append(parts, lambda)
	}
	for _, a := range args {
		parts = append(parts, describe(a))
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

func describeValue(v Value) string {
	switch {
	case !v.some:
		return "null"
	case v.typ == String:
		return "'" + escape(v.str) + "'"
	case v.typ.IsArray():
		parts := make([]string, len(v.Elems()))
		for i, elem := range v.Elems() {
			parts[i] = describeValue(elem)
		}
		return v.typ.String() + "[" + strings.Join(parts, ", ") + "]"
	}
	return string(appendText(nil, v))
}

// escape is Java's escaping of strings, in ASCII only where it must be.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`).Replace(s)
}
