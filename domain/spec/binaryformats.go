package spec

import (
	"math"
	"slices"
)

const (
	classHeaderFormat  = kafkaPackage + "KafkaHeaderFormat"
	avroPackage        = "org.apache.druid.data.input.avro."
	protobufPackage    = "org.apache.druid.data.input.protobuf."
	typeSchemaRegistry = "schema_registry"
)

var headerEncodings = []string{"UTF-8", "ISO-8859-1", "US-ASCII", "UTF-16", "UTF-16BE", "UTF-16LE"}

func readKafkaFormat(r *reader, out *node) {
	out.set("headerFormat", readHeaderFormat(r))
	for _, name := range []string{"keyFormat", "valueFormat"} {
		n, format := r.get(name), null
		if n != nil {
			var id string
			if id, format = readFormat(r, name, n); id == "kafka" {
				r.fail(name, "kafka cannot stand within kafka")
			}
		} else if name == "valueFormat" {
			r.fail(name, "valueFormat must not be null")
		}
		out.set(name, format)
	}
	for _, c := range []struct{ name, missing string }{
		{"headerColumnPrefix", "kafka.header."}, {"keyColumnName", "kafka.key"}, {"timestampColumnName", "kafka.timestamp"},
		{"topicColumnName", "kafka.topic"},
	} {
		out.set(c.name, str(r.textOr(c.name, c.missing)))
	}
}

func readHeaderFormat(r *reader) *node {
	n := r.get("headerFormat")
	if n == nil {
		return null
	}
	if _, ok := r.scan.typeID(n, r.at("headerFormat"), classHeaderFormat, "headerFormat", []string{"string"}); !ok {
		return null
	}
	h := newReader(r.scan, n, r.at("headerFormat"), kafkaPackage+"KafkaStringHeaderFormat", r.link("headerFormat"))
	h.ignore("type")
	encoding := h.textOr("encoding", "UTF-8")
	if !slices.Contains(headerEncodings, encoding) {
		h.fail("encoding", "%s", encoding)
	}
	h.done()
	return object(member{"type", str("string")}, member{"encoding", str(encoding)})
}

func readAvro(r *reader, out *node, id string) {
	nestedFlatten(r, out)
	refuseFlatten(r, out)
	asString, unions := r.boolOr("binaryAsString", false), r.boolOr("extractUnionsByType", false)
	if id == "avro_ocf" {
		r.class = avroPackage + "AvroOCFInputFormat"
		if schema := r.child("schema", classMap); schema != nil {
			out.set("schema", schema.obj)
		}
		if asString {
			out.set("binaryAsString", boolean(true))
		}
		if unions {
			out.set("extractUnionsByType", boolean(true))
		}
		return
	}
	r.class = avroPackage + "AvroStreamInputFormat"
	out.set("avroBytesDecoder", readAvroDecoder(r))
	out.set("binaryAsString", boolean(asString))
	out.set("extractUnionsByType", boolean(unions))
}

// refuseFlatten refuses what Druid's flattener of Avro throws at.
func refuseFlatten(r *reader, out *node) {
	spec := out.get("flattenSpec")
	if spec == nil {
		return
	}
	for i, f := range spec.get("fields").items {
		path := itemPath(memberPath(r.at("flattenSpec"), "fields"), i)
		switch f.get("type").text {
		case "jq":
			r.failPath(path, classFlattenPart, "Avro + JQ not supported")
		case "tree":
			if len(f.get("nodes").items) > 1 {
				r.failPath(path, classFlattenPart, "Avro + nested tree extraction not supported")
			}
		}
	}
}

func readAvroDecoder(r *reader) *node {
	d := r.child("avroBytesDecoder", avroPackage+"AvroBytesDecoder")
	if d == nil {
		if r.get("avroBytesDecoder") == nil {
			r.fail("avroBytesDecoder", "avroBytesDecoder must not be null")
		}
		return null
	}
	defer d.done()
	id := d.textOr("type", "schema_repo")
	out := object(member{"type", str(id)})
	switch id {
	case "schema_inline":
		d.class = avroPackage + "InlineSchemaAvroBytesDecoder"
		schema := d.get("schema")
		if schema == nil {
			d.fail("schema", "schema must be provided")
			schema = null
		}
		out.set("schema", schema)
	case "multiple_schemas_inline":
		d.class = avroPackage + "InlineSchemasAvroBytesDecoder"
		schemas := d.child("schemas", classMap)
		if schemas == nil || len(schemas.obj.members) == 0 {
			d.fail("schemas", "at least one schema must be provided in schemas attribute")
			return out
		}
		for _, m := range schemas.obj.members {
			if _, ok := cut(m.name, math.MinInt32, math.MaxInt32); !ok {
				schemas.fail(m.name, "For input string: \"%s\"", m.name)
			}
		}
		out.set("schemas", schemas.obj)
	case typeSchemaRegistry:
		d.class = avroPackage + "SchemaRegistryBasedAvroBytesDecoder"
		readRegistry(d, out)
	case "schema_repo":
		d.fail("type", "avroBytesDecoder 'schema_repo' (the default type) is not supported: the repository of AVRO-1124 was never released. "+
			"Use schema_registry, schema_inline or multiple_schemas_inline")
	default:
		unknownDecoder(d, id, avroPackage+"AvroBytesDecoder", "multiple_schemas_inline, schema_inline, schema_registry, schema_repo")
	}
	return out
}

func unknownDecoder(d *reader, id, base, known string) {
	d.scan.add(d.at("type"), "decoder type '"+id+"' is not known, there are "+known,
		"Could not resolve type id '"+id+"' as a subtype of `"+base+"` known type ids = ["+known+"]")
}

// readRegistry reads what a decoder says of its schema registry.
func readRegistry(d *reader, out *node) {
	url, urls := registryURL(d), null
	if items, _ := d.list("urls", "java.lang.String"); len(items) > 0 {
		urls = array(items...)
	}
	if (url.kind == kindNull || url.kind == kindString && url.text == "") && urls.kind == kindNull {
		d.fail("url", "url or urls must be given")
	}
	out.set("url", url)
	out.set("capacity", integer(d.integerOr("capacity", math.MaxInt32)))
	out.set("urls", urls)
	for _, name := range []string{"config", "headers"} {
		m := null
		if c := d.child(name, classMap); c != nil {
			m = c.obj
		}
		out.set(name, m)
	}
}

// registryURL is the member url. One with a password in it is stored sealed, as an object.
func registryURL(d *reader) *node {
	if n := d.get("url"); n != nil && n.kind == kindObject {
		return n
	}
	return orNull(d.text("url"), str)
}

func readProtobuf(r *reader, out *node) {
	r.class = protobufPackage + "ProtobufInputFormat"
	nestedFlatten(r, out)
	d := r.child("protoBytesDecoder", protobufPackage+"ProtobufBytesDecoder")
	if d == nil {
		if r.get("protoBytesDecoder") == nil {
			r.fail("protoBytesDecoder", "protoBytesDecoder must not be null")
		}
		return
	}
	defer d.done()
	id := d.textOr("type", typeSchemaRegistry)
	decoder := object(member{"type", str(id)})
	out.set("protoBytesDecoder", decoder)
	switch id {
	case "file", "inline":
		name := map[string]string{"file": "descriptor", "inline": "descriptorString"}[id]
		d.class = protobufPackage + map[string]string{"file": "FileBased", "inline": "InlineDescriptor"}[id] + "ProtobufBytesDecoder"
		text := d.text(name)
		if text == nil || *text == "" {
			d.fail(name, "%s must be given", name)
		}
		decoder.set(name, orNull(text, str))
		decoder.set("protoMessageType", orNull(d.text("protoMessageType"), str))
	case typeSchemaRegistry:
		d.class = protobufPackage + "SchemaRegistryBasedProtobufBytesDecoder"
		readRegistry(d, decoder)
	default:
		unknownDecoder(d, id, protobufPackage+"ProtobufBytesDecoder", "file, inline, schema_registry")
	}
}

// readThrift reads the inputFormat thrift of later Druids, whose classes come from a jar; thriftFile and thriftIdl are ours.
// The jar may stand beside them, so that one spec serves both.
func readThrift(r *reader, out *node) {
	r.class = "org.apache.druid.data.input.thrift.ThriftInputFormat"
	nestedFlatten(r, out)
	class, file, idl, jar := r.text("thriftClass"), r.text("thriftFile"), r.text("thriftIdl"), r.text("thriftJar")
	switch {
	case file != nil && idl != nil:
		r.fail("thriftIdl", "thriftFile and thriftIdl cannot both be given")
	case (file == nil || *file == "") && (idl == nil || *idl == ""):
		at := "thriftFile"
		for _, name := range []string{"thriftJar", "jarPath"} {
			if r.get(name) != nil {
				at = name
			}
		}
		r.fail(at, "the classes of a jar cannot be run here: give the definitions that they were generated from, as thriftFile (path or "+
			"URL of the .thrift file) or thriftIdl (its text); thriftClass names the struct")
	}
	if class == nil || *class == "" {
		r.fail("thriftClass", "thriftClass must not be null")
	}
	for _, m := range []struct {
		name string
		text *string
	}{{"thriftJar", jar}, {"thriftFile", file}, {"thriftIdl", idl}} {
		if m.text != nil {
			out.set(m.name, str(*m.text))
		}
	}
	out.set("thriftClass", orNull(class, str))
}
