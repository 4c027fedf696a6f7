package spec

import (
	"strings"
	"time"

	"ogham/domain/calendar"
)

const (
	classGranularitySpec = "org.apache.druid.indexer.granularity.UniformGranularitySpec"
	classGranularity     = "org.apache.druid.java.util.common.granularity.Granularity"
	granularityPackage   = "org.apache.druid.java.util.common.granularity."
)

// granularityPeriods are the granularities with a name; ALL and NONE have no period.
var granularityPeriods = map[string]string{
	"SECOND": "PT1S", "MINUTE": "PT1M", "FIVE_MINUTE": "PT5M", "TEN_MINUTE": "PT10M", "FIFTEEN_MINUTE": "PT15M",
	"THIRTY_MINUTE": "PT30M", "HOUR": "PT1H", "SIX_HOUR": "PT6H", "EIGHT_HOUR": "PT8H", "DAY": "P1D", "WEEK": "P1W",
	"MONTH": "P1M", "QUARTER": "P3M", "YEAR": "P1Y", "ALL": "", "NONE": "",
}

// readGranularitySpec reads the granularitySpec. An unknown type is read as uniform, as Druid does.
func readGranularitySpec(schema *reader, out *GranularitySpec) *node {
	out.Rollup = true
	segment, query, intervals := str("DAY"), str("NONE"), array()
	r := schema.child("granularitySpec", classGranularitySpec)
	if r == nil {
		r = newReader(schema.scan, object(), schema.at("granularitySpec"), classGranularitySpec, "")
	}
	if id := r.textOr("type", "uniform"); id == "arbitrary" {
		r.fail("type", "granularitySpec of type arbitrary is for batch ingestion, a supervisor needs uniform")
	} else if id != "uniform" {
		r.scan.warn(r.at("type"), "unknown granularitySpec type '"+id+"', taken for uniform")
	}
	if n := r.get("segmentGranularity"); n != nil {
		segment = n
	}
	if n := r.get("queryGranularity"); n != nil {
		query = n
	}
	segment = readGranularity(r, "segmentGranularity", segment, &out.SegmentGranularity)
	query = readGranularity(r, "queryGranularity", query, &out.QueryGranularity)
	out.Rollup = r.boolOr("rollup", true)
	items, _ := r.list("intervals", "org.joda.time.Interval")
	for i, item := range items {
		if n := readInterval(r.scan, item, itemPath(r.at("intervals"), i)); n != nil {
			intervals.items = append(intervals.items, n)
		}
	}
	r.done()
	return object(
		member{"type", str("uniform")},
		member{"segmentGranularity", segment},
		member{"queryGranularity", query},
		member{"rollup", boolean(out.Rollup)},
		member{"intervals", intervals},
	)
}

// readGranularity reads a name or an object and returns the form in which Druid writes it.
func readGranularity(r *reader, name string, n *node, out *Granularity) *node {
	result := null
	switch n.kind {
	case kindString:
		upper := strings.ToUpper(n.text)
		if _, known := granularityPeriods[upper]; known {
			result = namedGranularity(upper, out)
			break
		}
		r.failClass(name, classGranularity, "No enum constant %sGranularityType.%s", granularityPackage, upper)
	case kindObject:
		result = granularityObject(newReader(r.scan, n, r.at(name), classGranularity, r.link(name)), out)
	default:
		r.scan.notAnObject(n, r.at(name), classGranularity)
	}
	out.Raw = result.encode()
	return result
}

func namedGranularity(name string, out *Granularity) *node {
	out.Name, out.Period, out.TimeZone = name, granularityPeriods[name], "UTC"
	if out.Period == "" {
		return object(member{"type", str(strings.ToLower(name))})
	}
	return str(name)
}

func granularityObject(r *reader, out *Granularity) *node {
	switch id := r.textOr("type", ""); id {
	case "all", "none":
		r.done()
		return namedGranularity(strings.ToUpper(id), out)
	case "duration":
		return durationGranularity(r, out)
	case "period":
	default: // Druid takes none of these for a default, and has no words for it
		message := "Cannot construct instance of `" + classGranularity + "` (although at least one Creator exists): cannot deserialize " +
			"from Object value (no delegate- or property-based Creator)"
		r.scan.add(r.at("type"), "the type of a granularity is period, duration, all or none, it is '"+id+"'", message)
		return null
	}
	r.class = granularityPackage + "PeriodGranularity"
	before := len(r.scan.problems)
	period, zone, origin := r.period("period"), r.textOr("timeZone", "UTC"), r.instant("origin")
	switch {
	case period == nil && len(r.scan.problems) > before:
		return null
	case period == nil:
		r.fail("period", "period can't be null!")
		return null
	case *period == Period{}:
		r.fail("period", "zero period is not acceptable in PeriodGranularity!")
		return null
	}
	switch {
	case zone == "GMT":
		zone = "Etc/GMT" // Joda-Time knows it by this name
	case zone == "Z" || strings.EqualFold(zone, "UTC"):
		zone = "UTC"
	default:
		if _, known := calendar.Zone(zone); !known {
			r.scan.warn(r.at("timeZone"), "unknown time zone '"+zone+"', taken for UTC")
			zone = "UTC"
		}
	}
	r.done()
	out.Period, out.TimeZone, out.Origin = period.String(), zone, origin
	if zone == "UTC" && origin == nil {
		for name, text := range granularityPeriods {
			if text == out.Period {
				return namedGranularity(name, out)
			}
		}
	}
	return object(
		member{"type", str("period")},
		member{"period", str(out.Period)},
		member{"timeZone", str(zone)},
		member{"origin", orNull(origin, instantNode)},
	)
}

func durationGranularity(r *reader, out *Granularity) *node {
	r.class = granularityPackage + "DurationGranularity"
	length := r.longOr("duration", 0)
	origin := r.instant("origin")
	r.done()
	if length <= 0 {
		r.fail("duration", "duration should be greater than 0!")
	}
	if origin == nil {
		epoch := time.UnixMilli(0).UTC()
		origin = &epoch
	}
	if length > 0 { // only the place within the duration counts, and is kept
		at := time.UnixMilli(origin.UnixMilli() % length).UTC()
		origin = &at
	}
	out.DurationMillis, out.TimeZone, out.Origin = length, "UTC", origin
	return object(
		member{"type", str("duration")},
		member{"duration", integer(length)},
		member{"origin", instantNode(*origin)},
	)
}

func instantNode(t time.Time) *node { return str(instantText(t)) }

func givenInstantNode(t time.Time) *node { return str(givenInstantText(t)) }
