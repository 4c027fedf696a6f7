package goldentest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Mode says how closely an answer must follow the recording.
type Mode int

const (
	// Exact wants equal JSON up to the fields that differ from run to run.
	Exact Mode = iota
	// Shape wants the same members with values of the same kind: for polls, which another server answers at another
	// moment.
	Shape
)

// Compare returns what is different, one sentence each; nil where the answer is as good as the recorded one. Druid's 500
// on bad input may be a 4xx, and an error may say more than Druid's.
func Compare(x Exchange, got Answer, mode Mode) []string {
	want := x.Response
	if want.Status >= 500 && want.Status != 503 && got.Status >= 400 && got.Status < 500 {
		return nil
	}
	var diffs []string
	if got.Status != want.Status {
		diffs = append(diffs, fmt.Sprintf("status is %d, recorded %d", got.Status, want.Status))
	}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if g, w := got.Header.Get(name), header(want.Headers, name); g != w {
			diffs = append(diffs, fmt.Sprintf("%s is %q, recorded %q", name, g, w))
		}
	}
	if len(diffs) > 0 {
		return append(diffs, "the answer was "+clip(string(got.Body)))
	}
	if isLog(x.Request.Path) && want.Status == 200 {
		return nil // what a task writes is its own
	}
	return compareBodies(x, got.Body, []byte(want.Body), mode)
}

// isLog says which answers are a task's log.
func isLog(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	return strings.HasSuffix(path, "/log")
}

func header(h map[string]string, name string) string {
	for key, value := range h {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

func compareBodies(x Exchange, got, want []byte, mode Mode) []string {
	w, err := parse(want)
	if err != nil { // text
		if !bytes.Equal(got, want) {
			return []string{fmt.Sprintf("the body is %q, recorded %q", clip(string(got)), clip(string(want)))}
		}
		return nil
	}
	g, err := parse(got)
	if err != nil {
		return []string{fmt.Sprintf("the body is no JSON: %v: %q", err, clip(string(got)))}
	}
	g, w = normalise("", g), normalise("", w)
	if isList(x.Request.Path) {
		sortList(g)
		sortList(w)
	}
	if x.Response.Status >= 400 {
		if text, ok := errorText(w); ok {
			return compareErrors(text, g)
		}
	}
	c := comparison{mode: mode}
	c.values("$", g, w)
	return c.diffs
}

// isList says which answers have no fixed order: the lists of supervisors.
func isList(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	return strings.TrimRight(path, "/") == "/druid/indexer/v1/supervisor"
}

func sortList(v any) {
	list, ok := v.([]any)
	if !ok {
		return
	}
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(listKey(a), listKey(b)) })
}

func listKey(v any) string {
	if o, ok := v.(map[string]any); ok {
		return fmt.Sprint(o["id"])
	}
	return fmt.Sprint(v)
}

func errorText(v any) (string, bool) {
	o, ok := v.(map[string]any)
	if !ok {
		return "", false
	}
	text, ok := o["error"].(string)
	return text, ok
}

// compareErrors compares what Druid's own checks say. Texts with Java's classes in them, which come from its JSON
// library, are its own.
func compareErrors(want string, got any) []string {
	text, ok := errorText(got)
	if !ok {
		return []string{fmt.Sprintf("the error is not in the member error: %v", got)}
	}
	if core(text) == core(want) || strings.Contains(core(want), "`") || strings.Contains(want, "JsonToken") || strings.Contains(want, "[Source:") {
		return nil
	}
	return []string{fmt.Sprintf("the error is %q, recorded %q", text, want)}
}

// core is the part of an error that is comparable.
func core(text string) string {
	text, _, _ = strings.Cut(text, " (through reference chain")
	if _, problem, ok := strings.Cut(text, "problem: "); ok {
		return problem
	}
	return text
}

type comparison struct {
	mode  Mode
	diffs []string
}

func (c *comparison) add(format string, args ...any) {
	if len(c.diffs) < 10 {
		c.diffs = append(c.diffs, fmt.Sprintf(format, args...))
	}
}

// mayBeAbsent are the members of a status report that come with the first measurement.
var mayBeAbsent = []string{"latestOffsets", "offsetsLastUpdated", "minimumLagMillis"}

func (c *comparison) values(path string, got, want any) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			c.add("%s is %s, recorded an object", path, clip(fmt.Sprint(got)))
			return
		}
		c.objects(path, g, w)
	case []any:
		g, ok := got.([]any)
		if !ok {
			c.add("%s is %s, recorded a list", path, clip(fmt.Sprint(got)))
			return
		}
		c.lists(path, g, w)
	default:
		if c.mode == Shape {
			if gk, wk := kind(got), kind(want); gk != wk && gk != "null" && wk != "null" {
				c.add("%s is %v, recorded %v", path, got, want)
			}
			return
		}
		if got != want {
			c.add("%s is %v, recorded %v", path, got, want)
		}
	}
}

func (c *comparison) objects(path string, got, want map[string]any) {
	if c.mode == Shape && (isOffsets(got) || isOffsets(want)) {
		if !isOffsets(got) && len(got) > 0 || !isOffsets(want) && len(want) > 0 {
			c.add("%s is %v, recorded %v", path, got, want)
		}
		return
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		g, ok := got[key]
		if !ok {
			if c.mode != Shape || !slices.Contains(mayBeAbsent, key) {
				c.add("%s.%s is missing, recorded %s", path, key, clip(fmt.Sprint(want[key])))
			}
			continue
		}
		c.values(path+"."+key, g, want[key])
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok && (c.mode != Shape || !slices.Contains(mayBeAbsent, key)) {
			c.add("%s.%s is too much: %s", path, key, clip(fmt.Sprint(got[key])))
		}
	}
}

// isOffsets says whether all keys are partitions.
func isOffsets(o map[string]any) bool {
	for key := range o {
		if strings.Trim(key, "0123456789") != "" && !strings.Contains(key, ":") {
			return false
		}
	}
	return len(o) > 0
}

func (c *comparison) lists(path string, got, want []any) {
	if c.mode == Shape {
		if len(got) > 0 && len(want) > 0 {
			c.values(path+"[0]", got[0], want[0])
		}
		return
	}
	if len(got) != len(want) {
		c.add("%s has %d entries, recorded %d", path, len(got), len(want))
		return
	}
	for i := range want {
		c.values(fmt.Sprintf("%s[%d]", path, i), got[i], want[i])
	}
}

func clip(s string) string {
	if len(s) > 300 {
		return s[:300] + "..."
	}
	return s
}
