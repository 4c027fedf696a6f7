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
	kafkaPackage     = "org.apache.druid.data.input.kafkainput."
)

// inputFormatTypes are those that Druid 33 knows with the Kafka extension loaded, builtIn those that it has in further
// extensions and that are always there here.
var (
	inputFormatTypes = []string{"csv", "json", "kafka", "regex", "tsv"}
	builtInFormats   = []string{"avro_ocf", "avro_stream", "protobuf", "thrift"}
)

const forFiles = "it is a format of files, for batch ingestion; records of a topic are read as json, csv, tsv, regex, avro_stream, avro_ocf, protobuf or thrift"

// otherFormats are types that users may know from elsewhere, with what to do instead. With its extension loaded Druid
// takes each record for a whole file of ORC or Parquet.
var otherFormats = map[string]string{
	"orc":        forFiles,
	"parquet":    forFiles,
	"kinesis":    "it is of records of Kinesis; those of Kafka have the type kafka",
	"lines":      `Druid 33 has no such type; {"type":"regex","pattern":"(.*)","columns":["line"]} reads a text whole`,
	"delimited":  "the type is called tsv; it has an option delimiter",
	"javascript": "there is no JavaScript here; use regex, or transforms over the fields of another format",
}

// readInputFormat reads the inputFormat; Druid takes a spec without one, whose tasks fail.
func readInputFormat(io *reader, out *InputFormat) *node {
	n := io.get("inputFormat")
	result := null
	if n != nil {
		out.Type, result = readFormat(io, "inputFormat", n)
	}
	out.Raw = result.encode()
	return result
}

// readFormat reads a member that is a format and returns its type and the form in which Druid writes it.
func readFormat(r *reader, name string, n *node) (id string, result *node) {
	ok := true
	if t := n.get("type"); n.kind == kindObject && t != nil && slices.Contains(builtInFormats, t.scalarText()) {
		id = t.scalarText()
	} else if id, ok = r.scan.typeID(n, r.at(name), classInputFormat, name, inputFormatTypes); !ok {
		if t != nil {
			r.scan.advise(otherFormats[t.scalarText()])
		}
		return "", null
	}
	return id, inputFormatOf(newReader(r.scan, n, r.at(name), "", r.link(name)), id)
}

func inputFormatOf(r *reader, id string) *node {
	r.ignore("type")
	out := object(member{"type", str(id)})
	switch id {
	case "json":
		r.class = inputPackage + "JsonInputFormat"
		readJSONFormat(r, out)
	case "csv":
		r.class = inputPackage + "CsvInputFormat"
		readDelimited(r, out, ",")
	case "tsv":
		r.class = inputPackage + "DelimitedInputFormat"
		readDelimited(r, out, r.textOr("delimiter", "\t"))
	case "regex":
		r.class = inputPackage + "RegexInputFormat"
		readRegex(r, out)
	case "kafka":
		r.class = kafkaPackage + "KafkaInputFormat"
		readKafkaFormat(r, out)
	case "avro_stream", "avro_ocf":
		readAvro(r, out, id)
	case "protobuf":
		readProtobuf(r, out)
	case "thrift":
		readThrift(r, out)
	}
	r.done()
	return out
}

// set adds a member to an object that is being made.
func (n *node) set(name string, value *node) { n.members = append(n.members, member{name, value}) }

// nestedFlatten reads the flattenSpec of a format.
func nestedFlatten(r *reader, out *node) {
	if f := r.child("flattenSpec", classFlatten); f != nil {
		out.set("flattenSpec", readFlatten(f))
	}
}

// jsonFeatures are the features of Jackson's parser that Druid 33 can turn on.
var jsonFeatures = []string{
	"AUTO_CLOSE_SOURCE", "ALLOW_COMMENTS", "ALLOW_YAML_COMMENTS", "ALLOW_UNQUOTED_FIELD_NAMES", "ALLOW_SINGLE_QUOTES",
	"ALLOW_UNQUOTED_CONTROL_CHARS", "ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER", "ALLOW_NUMERIC_LEADING_ZEROS",
	"ALLOW_LEADING_DECIMAL_POINT_FOR_NUMBERS", "ALLOW_NON_NUMERIC_NUMBERS", "ALLOW_MISSING_VALUES",
	"ALLOW_TRAILING_COMMA", "STRICT_DUPLICATE_DETECTION", "IGNORE_UNDEFINED", "INCLUDE_SOURCE_IN_LOCATION",
}

func readJSONFormat(r *reader, out *node) {
	nestedFlatten(r, out)
	if f := r.child("featureSpec", classMap); f != nil && len(f.obj.members) > 0 {
		features := object()
		for _, m := range f.obj.members {
			if !slices.Contains(jsonFeatures, m.name) {
				r.fail("featureSpec", "No enum constant com.fasterxml.jackson.core.JsonParser.Feature.%s", m.name)
			}
			features.set(m.name, boolean(f.boolOr(m.name, false)))
		}
		out.set("featureSpec", features)
	}
	if keep := r.bool("keepNullColumns"); keep != nil {
		out.set("keepNullColumns", boolean(*keep))
	}
	lines, nodes := r.boolOr("assumeNewlineDelimited", false), r.boolOr("useJsonNodeReader", false)
	if lines && nodes {
		r.fail("useJsonNodeReader", "useJsonNodeReader cannot be set to true when assumeNewlineDelimited is true.")
	}
	if lines {
		out.set("assumeNewlineDelimited", boolean(true))
	}
	if nodes {
		out.set("useJsonNodeReader", boolean(true))
	}
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
	case kind == "tree" && (nodes == nil || nodes.kind != kindArray || len(nodes.items) == 0):
		was := "null"
		if nodes != nil {
			was = "[]"
		}
		r.fail("nodes", "Missing 'nodes' for field[%s], was [%s]", name, was)
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
