package spec

import (
	"math/bits"
	"slices"
	"strings"

	"ogham/domain/row"
)

// sketchTypes are the aggregators of the extension druid-datasketches that tasks compute, and their classes.
var sketchTypes = map[string]string{
	"HLLSketch":      hllPackage + "HllSketchMergeAggregatorFactory",
	"HLLSketchMerge": hllPackage + "HllSketchMergeAggregatorFactory",
	"HLLSketchBuild": hllPackage + "HllSketchBuildAggregatorFactory",
	"thetaSketch":    sketchPackage + "theta.SketchMergeAggregatorFactory",
}

const (
	sketchPackage = aggregatorPackage + "datasketches."
	hllPackage    = sketchPackage + "hll."

	defaultLgK       = 12
	defaultThetaSize = 16384
)

// otherSketches are the aggregators of Druid's extensions that tasks do not compute.
var otherSketches = []string{
	"quantilesDoublesSketch", "quantilesDoublesSketchMerge", "KllDoublesSketch", "KllDoublesSketchMerge", "KllFloatsSketch",
	"KllFloatsSketchMerge", "arrayOfDoublesSketch", "tDigestSketch", "momentSketch", "momentSketchMerge", "approxHistogram",
	"approxHistogramFold", "fixedBucketsHistogram", "bloom", "bloomMerge", "variance", "varianceFold", "sketchBuild",
	"sketchMerge", "setDigest", "ddSketch", "spectatorHistogram", "spectatorHistogramTimer", "spectatorHistogramDistribution",
}

// aggregatorID gives the type of an aggregator that can be read.
func aggregatorID(s *scan, item *node, path, property string) (id string, ok bool) {
	if item.kind == kindObject {
		if t := item.get("type"); t != nil && t.kind == kindString {
			if sketchTypes[t.text] != "" {
				return t.text, true
			}
			if slices.Contains(otherSketches, t.text) {
				message := "aggregator '" + t.text + "' is one of an extension of Druid's that tasks have no part of: leave it out and " +
					"ingest its field as a dimension or a number, from which a query builds the sketch; of sketches there are " +
					"HLLSketchBuild, HLLSketchMerge, thetaSketch and hyperUnique"
				s.add(memberPath(path, "type"), message, message)
				return "", false
			}
		}
	}
	return s.typeID(item, path, classAggregator, property, aggregatorTypes)
}

// readSketch reads the members of a sketch behind its name. What Druid leaves out where it is the default is left out.
func readSketch(r *reader, m *Metric) []member {
	out := readFieldName(r, m)
	if out == nil {
		return nil
	}
	unless := func(name string, def bool) {
		if v := r.boolOr(name, def); v != def {
			out = append(out, member{name, boolean(v)})
		}
	}
	if m.Type == "thetaSketch" {
		size := r.integerOr("size", defaultThetaSize)
		switch {
		case size <= 0 || bits.OnesCount(uint(size)) != 1:
			r.fail("size", "The value of the int argument \"size\" must be a positive integer-power of 2 and greater than 0: %d", size)
		case size < row.MinThetaSize || size > row.MaxThetaSize:
			r.fail("size", "size must be from %d to %d, not %d", row.MinThetaSize, row.MaxThetaSize, size)
		}
		out = append(out, member{"size", integer(size)})
		unless("shouldFinalize", true)
		unless("isInputThetaSketch", false)
		if n := r.integer("errorBoundsStdDev"); n != nil {
			out = append(out, member{"errorBoundsStdDev", integer(*n)})
		}
		return out
	}
	lgK := r.integerOr("lgK", defaultLgK)
	if lgK < row.MinLgK || lgK > row.MaxLgK {
		r.fail("lgK", "lgK must be from %d to %d, not %d", row.MinLgK, row.MaxLgK, lgK)
	}
	target := r.textOr("tgtHllType", "HLL_4")
	if !slices.Contains([]string{"HLL_4", "HLL_6", "HLL_8"}, target) {
		r.fail("tgtHllType", "No enum constant org.apache.datasketches.hll.TgtHllType.%s", target)
	}
	out = append(out, member{"lgK", integer(lgK)}, member{"tgtHllType", str(target)})
	encoding := r.enum("stringEncoding", "utf16le", []string{"utf8", "utf16le"}, "org.apache.druid.java.util.common.StringEncoding", "")
	if encoding.text == "utf8" {
		out = append(out, member{"stringEncoding", encoding})
	}
	unless("shouldFinalize", true)
	unless("round", false)
	return out
}

// sketchName is the name under which Druid writes a sketch's type.
func sketchName(id string) string {
	if strings.EqualFold(id, "HLLSketch") {
		return "HLLSketchMerge"
	}
	return id
}
