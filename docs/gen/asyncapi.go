package main

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// doc is an ordered YAML mapping.
type doc []entry

type entry struct {
	key   string
	value any // string, bool, doc or []string
}

// write prints a mapping with its keys in order. Every string is quoted: a JSON string is a YAML one.
func (d doc) write(b *strings.Builder, indent string) {
	for _, e := range d {
		key := e.key
		if strings.ContainsAny(key, " :{}[]$/") {
			key = strconv.Quote(key)
		}
		switch v := e.value.(type) {
		case doc:
			if len(v) == 0 {
				fmt.Fprintf(b, "%s%s: {}\n", indent, key)
				continue
			}
			fmt.Fprintf(b, "%s%s:\n", indent, key)
			v.write(b, indent+"  ")
		case []string:
			fmt.Fprintf(b, "%s%s:\n", indent, key)
			for _, s := range v {
				fmt.Fprintf(b, "%s  - %s\n", indent, strconv.Quote(s))
			}
		case string:
			fmt.Fprintf(b, "%s%s: %s\n", indent, key, strconv.Quote(v))
		default:
			fmt.Fprintf(b, "%s%s: %v\n", indent, key, v)
		}
	}
}

// asyncAPI is the AsyncAPI 3.0 document over all events.
func asyncAPI(t types, events []event) string {
	var channels, operations, messages, schemas doc
	used := map[string]bool{}
	for _, e := range events {
		parameters := doc{{"supervisorId", doc{{"description", "the supervisor's id as one token"}}}}
		address := subject(e, "{supervisorId}", "{state}")
		states := e.states
		if !e.task && len(states) != 1 || len(states) == 0 {
			states = append(slices.Clone(states), "-")
		}
		parameters = append(parameters, entry{"state", doc{{"description", "the state that the machine was moved to"}, {"enum", states}}})
		channels = append(channels, entry{e.name, doc{
			{"address", address}, {"messages", doc{{e.name, ref("messages", e.name)}}}, {"parameters", parameters},
		}})
		operations = append(operations, entry{"on" + e.name, doc{
			{"action", "receive"}, {"channel", doc{{"$ref", "#/channels/" + e.name}}},
		}})
		messages = append(messages, entry{e.name, doc{
			{"name", e.name},
			{"summary", says(e)},
			{"contentType", "application/json"},
			{"headers", ref("schemas", "Headers")},
			{"payload", ref("schemas", e.name)},
		}})
		schemas = append(schemas, entry{e.name, t.object(e.doc, e.fields, used)})
	}
	schemas = append(schemas, entry{"Headers", headerSchema()})
	schemas = append(schemas, t.usedSchemas(used)...)
	root := doc{
		{"asyncapi", "3.0.0"},
		{"info", doc{
			{"title", "Ogham's log"},
			{"version", "1"},
			{"description", "Every event of every supervisor and task. Written by `go run ./docs/gen`."},
		}},
		{"defaultContentType", "application/json"},
		{"channels", channels},
		{"operations", operations},
		{"components", doc{{"messages", messages}, {"schemas", schemas}}},
	}
	var b strings.Builder
	b.WriteString("# Written by `go run ./docs/gen`. Change the code, not this file.\n")
	root.write(&b, "")
	return b.String()
}

func ref(kind, name string) doc { return doc{{"$ref", "#/components/" + kind + "/" + name}} }

func headerSchema() doc {
	var properties doc
	for _, h := range headers {
		properties = append(properties, entry{h.name, doc{{"type", "string"}, {"description", h.doc}}})
	}
	return doc{{"type", "object"}, {"properties", properties}}
}

// usedSchemas are the structs that schemas refer to, and those that they refer to.
func (t types) usedSchemas(used map[string]bool) doc {
	done := map[string]doc{}
	for len(done) < len(used) {
		for _, name := range slices.Sorted(maps.Keys(used)) {
			if done[name] == nil {
				done[name] = t.object(t[name].doc, t.fields(t[name]), used)
			}
		}
	}
	var all doc
	for _, name := range slices.Sorted(maps.Keys(done)) {
		all = append(all, entry{short(name), done[name]})
	}
	return all
}

func (t types) object(text string, fields []field, used map[string]bool) doc {
	var properties doc
	var required []string
	for _, f := range fields {
		s := t.schema(f.pkg, f.expr, used)
		if text := t.meaning(f); text != "" && s[0].key != "$ref" && s[0].key != "description" {
			s = append(s, entry{"description", text})
		}
		properties = append(properties, entry{f.name, s})
		if !f.optional {
			required = append(required, f.name)
		}
	}
	d := doc{{"type", "object"}, {"description", text}, {"properties", properties}}
	if len(required) > 0 {
		d = append(d, entry{"required", required})
	}
	return d
}

// schema is the JSON schema of a type expression.
func (t types) schema(pkg string, e ast.Expr, used map[string]bool) doc {
	switch e := e.(type) {
	case *ast.StarExpr:
		return t.schema(pkg, e.X, used)
	case *ast.ArrayType:
		return doc{{"type", []string{"array", "null"}}, {"items", t.schema(pkg, e.Elt, used)}}
	case *ast.MapType:
		return doc{{"type", []string{"object", "null"}}, {"additionalProperties", t.schema(pkg, e.Value, used)}}
	}
	name := qualified(pkg, e)
	switch name {
	case "json.RawMessage":
		return doc{{"description", "any JSON value"}}
	case "time.Time":
		return doc{{"type", "string"}, {"format", "date-time"}}
	}
	if info, ok := t[name]; ok {
		if _, ok := info.expr.(*ast.StructType); ok {
			used[name] = true
			return ref("schemas", short(name))
		}
		return t.schema(info.pkg, info.expr, used)
	}
	switch short(name) {
	case "string":
		return doc{{"type", "string"}}
	case "bool":
		return doc{{"type", "boolean"}}
	case "float64":
		return doc{{"type", "number"}}
	}
	return doc{{"type", "integer"}}
}
