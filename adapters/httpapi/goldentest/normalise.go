package goldentest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// parse reads JSON into maps, lists, strings, bools, nil and json.Number. A key that comes a second time in an object is
// kept under its name with a mark, since Druid's tombstones have such.
func parse(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := parseValue(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the value")
	}
	return v, nil
}

func parseValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		o := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string)
			for _, again := o[name]; again; _, again = o[name] {
				name += " (again)"
			}
			if o[name], err = parseValue(d); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := parseValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return t, nil
}

// The members whose values differ from run to run, by what must still hold.
var (
	times   = []string{"generationTime", "offsetsLastUpdated", "startTime", "version", "createdTime", "queueInsertionTime", "timestamp", "lastCompletedTaskTime", "minimumMessageTime", "maximumMessageTime"}
	numbers = []string{"remainingSeconds", "duration", "timeOfExceptionMillis", "minimumLagMillis", "segmentAvailabilityWaitTimeMs", "port"}
	hosts   = []string{"host", "ip"}
	sets    = []string{"dimensionExclusions"}

	taskID       = regexp.MustCompile(`(index_kafka_.+?)_[0-9a-f]{15}_[a-p]{8}`)
	sequenceName = regexp.MustCompile(`(index_kafka_.+?)_[0-9a-f]{15}`)
)

// normalise puts placeholders where values differ from run to run. Nulls stay: whether a value is there does not differ.
func normalise(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := make(map[string]any, len(v))
		for k, member := range v {
			o[anonymous(k)] = normalise(k, member)
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = normalise("", item)
		}
		if slices.Contains(sets, key) {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		return list
	case string:
		return normaliseText(key, v)
	case json.Number:
		return normaliseNumber(key, v)
	}
	return v
}

func normaliseText(key, text string) any {
	switch {
	case key == "specString", key == "checkpoints":
		if inner, err := parse([]byte(text)); err == nil {
			return normalise("", inner)
		}
	case slices.Contains(times, key):
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", text); err == nil {
			return "<time>"
		}
	case slices.Contains(hosts, key):
		return "<host>"
	}
	return anonymous(text)
}

func anonymous(text string) string {
	text = taskID.ReplaceAllString(text, "${1}_<task>")
	return sequenceName.ReplaceAllString(text, "${1}_<hash>")
}

// normaliseNumber keeps the kind apart: 0 and 0.0 are not the same.
func normaliseNumber(key string, n json.Number) any {
	if slices.Contains(numbers, key) || isDecimal(n) && averaged[key] {
		return "<" + kind(n) + ">"
	}
	return n
}

// averaged are the members of moving averages. Their totals, of the same names, are whole numbers.
var averaged = map[string]bool{"processed": true, "processedBytes": true, "unparseable": true, "thrownAway": true, "processedWithError": true}

func isDecimal(n json.Number) bool { return strings.ContainsAny(string(n), ".eE") }

func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		if v == "<integer>" || v == "<decimal>" {
			return strings.Trim(v, "<>")
		}
		return "string"
	case json.Number:
		if isDecimal(v) {
			return "decimal"
		}
		return "integer"
	case []any:
		return "list"
	}
	return "object"
}
