package spec

import (
	"fmt"
	"slices"
	"strings"
)

const (
	classDimensions = "org.apache.druid.data.input.impl.DimensionsSpec"
	classDimension  = "org.apache.druid.data.input.impl.DimensionSchema"

	classStringDimension = "org.apache.druid.data.input.impl.StringDimensionSchema"

	typeString  = "string"
	typeSpatial = "spatial"
)

// defaultNestedFormat is the version of nested columns that Druid 33 writes. It takes any number.
const defaultNestedFormat = 5

// readDimensions reads the dimensionsSpec; null stands for a spec that has none, which means schemaless.
func readDimensions(schema *reader, out *DimensionsSpec) *node {
	r := schema.child("dimensionsSpec", classDimensions)
	if r == nil {
		return null
	}
	dims := array()
	items, _ := r.list("dimensions", classDimension)
	for i, item := range items {
		if n := readDimension(r, item, itemPath(r.at("dimensions"), i), out); n != nil {
			dims.items = append(dims.items, n)
		}
	}
	spatial, _ := r.list("spatialDimensions", "org.apache.druid.data.input.impl.SpatialDimensionSchema")
	for i, item := range spatial {
		if n := readSpatial(r, item, itemPath(r.at("spatialDimensions"), i), out); n != nil {
			dims.items = append(dims.items, n)
		}
	}
	out.DimensionExclusions = r.texts("dimensionExclusions")
	out.IncludeAllDimensions = r.boolOr("includeAllDimensions", false)
	out.UseSchemaDiscovery = r.boolOr("useSchemaDiscovery", false)
	out.ForceSegmentSortByTime = r.bool("forceSegmentSortByTime")
	checkDimensionNames(r, out)
	r.done()
	n := object(
		member{"dimensions", dims},
		member{"dimensionExclusions", null},
		member{"includeAllDimensions", boolean(out.IncludeAllDimensions)},
		member{"useSchemaDiscovery", boolean(out.UseSchemaDiscovery)},
	)
	if force := out.ForceSegmentSortByTime; force != nil {
		n.members = append(n.members, member{"forceSegmentSortByTime", boolean(*force)})
	}
	return n
}

func checkDimensionNames(r *reader, out *DimensionsSpec) {
	count := map[string]int{}
	var twice []string
	for _, d := range out.Dimensions {
		if count[d.Name]++; count[d.Name] == 2 {
			twice = append(twice, d.Name)
		}
	}
	if len(twice) > 0 {
		r.fail("dimensions", "Duplicate column entries found : [%s]", strings.Join(twice, ", "))
	}
	for _, name := range out.DimensionExclusions {
		if count[name] > 0 {
			r.fail("dimensionExclusions", "dimensions and dimensions exclusions cannot overlap")
			return
		}
	}
}

func readDimension(r *reader, item *node, path string, out *DimensionsSpec) *node {
	switch item.kind {
	case kindString:
		item = object(member{"name", item}) // the shorthand
	case kindNull:
		r.failPath(path, classDimensions, "a dimension must not be null")
		return nil
	}
	if !r.scan.isObject(item, path, classStringDimension) {
		return nil
	}
	d := newReader(r.scan, item, path, classDimension, r.link("dimensions"))
	dim := Dimension{Type: d.textOr("type", typeString), MultiValueHandling: "SORTED_ARRAY"}
	if !slices.Contains([]string{typeString, "long", "float", "double", "json", "auto", typeSpatial}, dim.Type) {
		r.scan.warn(d.at("type"), fmt.Sprintf("unknown dimension type '%s', taken for string", dim.Type))
		dim.Type = typeString
	}
	if name := d.text("name"); name != nil && *name != "" {
		dim.Name = *name
	} else {
		d.failClass("name", classSchema, "Encountered dimension with null or empty name at position[%d]", len(out.Dimensions))
	}
	dim.CreateBitmapIndex = !slices.Contains([]string{"long", "float", "double"}, dim.Type)
	if dim.Type == typeString {
		dim.MultiValueHandling = multiValueHandling(d, d.textOr("multiValueHandling", dim.MultiValueHandling))
		dim.CreateBitmapIndex = d.boolOr("createBitmapIndex", true)
	} else { // Druid writes them for every type, and reads them of strings only
		d.ignore("multiValueHandling")
		d.ignore("createBitmapIndex")
	}
	return addDimension(d, dim, out)
}

// addDimension ends the reading of a dimension.
func addDimension(d *reader, dim Dimension, out *DimensionsSpec) *node {
	n := dimensionNode(dim, readDimensionExtra(d, &dim)...)
	d.done()
	dim.Raw = n.encode()
	out.Dimensions = append(out.Dimensions, dim)
	return n
}

func multiValueHandling(d *reader, text string) string {
	upper := strings.ToUpper(text)
	if !slices.Contains([]string{"SORTED_ARRAY", "SORTED_SET", "ARRAY"}, upper) {
		d.failClass("multiValueHandling", classDimension+"$MultiValueHandling",
			"No enum constant %s.MultiValueHandling.%s", classDimension, upper)
	}
	return upper
}

// readDimensionExtra reads the members that only some types have.
func readDimensionExtra(d *reader, dim *Dimension) []member {
	switch dim.Type {
	case "json":
		return []member{{"formatVersion", integer(d.integerOr("formatVersion", defaultNestedFormat))}}
	case "auto":
		return castToType(d, dim)
	case typeSpatial:
		if d.get("dims") == nil {
			return []member{{"dims", null}}
		}
		dims, _ := textList(d, "dims")
		dim.Coordinates = d.texts("dims")
		return []member{{"dims", dims}}
	}
	return nil
}

// castToType reads the type that an auto dimension is to have; a float becomes a double, and what is no type is left out.
func castToType(d *reader, dim *Dimension) []member {
	if n := d.get("castToType"); n != nil && n.kind != kindString {
		d.failClass("castToType", "org.apache.druid.segment.column.ColumnType", "name the type as a text")
		return nil
	}
	text := d.text("castToType")
	if text == nil {
		return nil
	}
	t := strings.ReplaceAll(columnType(*text), "FLOAT", "DOUBLE")
	switch {
	case t == "" && strings.HasPrefix(*text, "ARRAY<") && strings.HasSuffix(*text, ">"):
		d.fail("castToType", "Array element type must not be null")
		return nil
	case t == "":
		d.scan.warn(d.at("castToType"), fmt.Sprintf("unknown type '%s', ignored", *text))
		return nil
	case strings.HasPrefix(t, "COMPLEX") && t != nestedColumn:
		d.fail("castToType", "Cannot find strategy for type [%s]: leave castToType out, or name STRING, LONG, DOUBLE or an ARRAY of one of them", t)
		return nil
	}
	dim.CastToType = t
	return []member{{"castToType", str(t)}}
}

// nestedColumn is the type of columns of objects.
const nestedColumn = "COMPLEX<json>"

// columnType is the type that Druid takes a dimension's column for.
func (d *Dimension) columnType() string {
	switch {
	case d.Type == "auto" && d.CastToType != "":
		return d.CastToType
	case d.Type == "auto" || d.Type == "json":
		return nestedColumn
	case d.Type == typeSpatial:
		return "STRING"
	}
	return strings.ToUpper(d.Type)
}

// readSpatial reads the legacy form of spatial dimensions, which Druid turns into ordinary ones.
func readSpatial(r *reader, item *node, path string, out *DimensionsSpec) *node {
	const class = "org.apache.druid.data.input.impl.SpatialDimensionSchema"
	if !r.scan.isObject(item, path, class) {
		return nil
	}
	d := newReader(r.scan, item, path, class, r.link("spatialDimensions"))
	name := d.textOr("dimName", "")
	if name == "" {
		d.failClass("dimName", classSchema, "Encountered dimension with null or empty name at position[%d]", len(out.Dimensions))
	}
	return addDimension(d, Dimension{Type: typeSpatial, Name: name, MultiValueHandling: "SORTED_ARRAY", CreateBitmapIndex: true}, out)
}

func dimensionNode(d Dimension, extra ...member) *node {
	n := object(member{"type", str(d.Type)}, member{"name", str(d.Name)})
	n.members = append(n.members, extra...)
	n.members = append(n.members,
		member{"multiValueHandling", str(d.MultiValueHandling)},
		member{"createBitmapIndex", boolean(d.CreateBitmapIndex)})
	return n
}
