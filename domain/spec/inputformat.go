package spec

import (
	"slices"
	"strings"
)

const (
	classInputFormat = "org.apache.druid.data.input.InputFormat"
	inputPackage     = "org.apache.druid.data.input.impl."
	classFlatten     = "org.apache.druid.java.util.common.parsers.JSONPathSpec"
	classFlattenPart = "org.apache.druid.java.util.common.parsers.JSONPathFieldSpec"
)

var inputFormatTypes = []string{"csv", "json", "kafka", "regex", "tsv"}

// readInputFormat reads the inputFormat; Druid takes a spec without one, whose tasks fail.
func readInputFormat(io *reader, out *InputFormat) *node {
	n := io.get("inputFormat")
	result := null
	if n != nil {
		if id, ok := io.scan.typeID(n, io.at("inputFormat"), classInputFormat, "inputFormat", inputFormatTypes); ok {
			out.Type = id
			result = inputFormatOf(io.scan, n, io.at("inputFormat"), id)
		}
	}
	out.Raw = result.encode()
	return result
}

func inputFormatOf(s *scan, n *node, path, id string) *node {
	switch id {
	case "json":
		return readJSONFormat(newReader(s, n, path, inputPackage+"JsonInputFormat", ""))
	case "kafka":
		r := newReader(s, n, path, "org.apache.druid.data.input.kafkainput.KafkaInputFormat", "")
		value := r.get("valueFormat")
		if value == nil {
			r.fail("valueFormat", "valueFormat must not be null")
			return n
		}
		s.typeID(value, r.at("valueFormat"), classInputFormat, "valueFormat", inputFormatTypes)
	case "csv", "tsv":
		class := inputPackage + map[string]string{"csv": "CsvInputFormat", "tsv": "DelimitedInputFormat"}[id]
		r := newReader(s, n, path, class, "")
		columns, _ := r.list("columns", "java.lang.String")
		if len(columns) == 0 && !r.boolOr("findColumnsFromHeader", false) && !r.boolOr("hasHeaderRow", false) {
			r.fail("", "Either [columns] or [findColumnsFromHeader] must be set")
		}
	}
	// Formats that no task reads yet are kept as they are given.
	return n
}

func readJSONFormat(r *reader) *node {
	out := object(member{"type", str("json")})
	r.ignore("type")
	if f := r.child("flattenSpec", classFlatten); f != nil {
		out.members = append(out.members, member{"flattenSpec", readFlatten(f)})
	}
	if f := r.child("featureSpec", classMap); f != nil && len(f.obj.members) > 0 {
		features := object()
		for _, m := range f.obj.members {
			features.members = append(features.members, member{m.name, boolean(f.boolOr(m.name, false))})
		}
		out.members = append(out.members, member{"featureSpec", features})
	}
	if keep := r.bool("keepNullColumns"); keep != nil {
		out.members = append(out.members, member{"keepNullColumns", boolean(*keep)})
	}
	lines, nodes := r.boolOr("assumeNewlineDelimited", false), r.boolOr("useJsonNodeReader", false)
	if lines && nodes {
		r.fail("useJsonNodeReader", "useJsonNodeReader cannot be set to true when assumeNewlineDelimited is true.")
	}
	if lines {
		out.members = append(out.members, member{"assumeNewlineDelimited", boolean(true)})
	}
	if nodes {
		out.members = append(out.members, member{"useJsonNodeReader", boolean(true)})
	}
	r.done()
	return out
}

func readFlatten(r *reader) *node {
	discovery := r.boolOr("useFieldDiscovery", true)
	fields := array()
	items, _ := r.list("fields", classFlattenPart)
	seen := map[string]bool{}
	for i, item := range items {
		path := itemPath(r.at("fields"), i)
		if item.kind == kindString {
			item = object(member{"type", str("root")}, member{"name", item}, member{"expr", item})
		}
		if !r.scan.isObject(item, path, classFlattenPart) {
			continue
		}
		name, n := readFlattenField(newReader(r.scan, item, path, classFlattenPart, ""))
		if seen[name] {
			r.fail("fields", "Cannot have duplicate field definition: %s", name)
		}
		seen[name] = true
		fields.items = append(fields.items, n)
	}
	r.done()
	return object(member{"useFieldDiscovery", boolean(discovery)}, member{"fields", fields})
}

func readFlattenField(r *reader) (string, *node) {
	kind := strings.ToLower(r.textOr("type", ""))
	if !slices.Contains([]string{"root", "path", "jq", "tree"}, kind) {
		r.failClass("type", "org.apache.druid.java.util.common.parsers.JSONPathFieldType",
			"No enum constant org.apache.druid.java.util.common.parsers.JSONPathFieldType.%s", strings.ToUpper(kind))
	}
	name, expr, nodes := r.textOr("name", ""), r.text("expr"), r.get("nodes")
	if name == "" {
		r.fail("name", "Missing 'name' in field spec")
	}
	switch {
	case kind == "tree" && (nodes == nil || nodes.kind != kindArray):
		r.fail("nodes", "Missing 'nodes' for field[%s], was [%s]", name, "null")
	case kind == "root" && expr == nil:
		expr = &name
	case kind != "tree" && expr == nil:
		r.fail("expr", "Missing 'expr' for field[%s]", name)
	}
	r.done()
	if nodes == nil {
		nodes = null
	}
	return name, object(
		member{"type", str(kind)}, member{"name", str(name)}, member{"expr", orNull(expr, str)}, member{"nodes", nodes})
}
