package kafka

import (
	"cmp"
	"maps"
	"slices"
)

// Warning says of a consumer property that it is not followed here, or not wholly. It never has the value. Property is
// empty where it is about all of them.
type Warning struct {
	Property string
	Reason   string
}

const (
	notUsable     = "no consumer can be made: "
	noEffectHere  = "it has no effect here: "
	noCounterpart = "it has no effect here: Kafka's consumer has no such property"
)

// Warnings says what of consumerProperties is not followed, by property. It reads no file and asks no server, and takes a
// variable of the environment that is not set here for one that is set where the properties are used.
func Warnings(raw map[string]any, env Lookup) []Warning {
	elsewhere := false
	lenient := func(name string) (string, bool) {
		if env != nil {
			if v, ok := env(name); ok {
				return v, true
			}
		}
		elsewhere = true
		return "", true
	}
	values, err := resolve(raw, lenient)
	if err != nil {
		values = map[string]string{}
		for name, v := range raw {
			values[name], _ = valueText(v)
		}
	}
	_, r := translate(values)
	switch {
	case elsewhere:
	case err != nil:
		r.warn("", notUsable+err.Error())
	default:
		for _, bad := range r.invalid {
			r.warn(bad.name, notUsable+bad.reason)
		}
	}
	return r.allWarnings()
}

// allWarnings are those that were noted, and those that the table has for what was given.
func (r *propertyReader) allWarnings() []Warning {
	out := slices.Clone(r.warnings)
	for _, name := range slices.Sorted(maps.Keys(r.values)) {
		p, ok := propertyOf(name)
		if !ok {
			out = append(out, Warning{name, noCounterpart})
			continue
		}
		if reason, due := p.warning(r.values[name]); due {
			out = append(out, Warning{name, noEffectHere + reason})
		}
	}
	slices.SortStableFunc(out, func(a, b Warning) int { return cmp.Compare(a.Property, b.Property) })
	return out
}
