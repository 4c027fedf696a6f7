//go:build integration

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// nestedRows is how many events of discovered types a test sends.
const nestedRows = 700

// nestedEvent has a field of every type that schema discovery tells apart.
func nestedEvent(i int) map[string]any {
	doc := map[string]any{"a": i % 10, "b": map[string]any{"c": fmt.Sprintf("x%d", i%5)}, "list": []int{1, i}}
	if i%2 == 0 {
		doc["opt"] = float64(i) + 0.5
	}
	e := map[string]any{
		"ts": time.Date(2026, 3, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339), "n": i, "f": float64(i) / 4, "flag": i%3 == 0,
		"tags": []string{fmt.Sprintf("t%d", i%4), "all"}, "nums": []int{i, i + 1}, "mix": []any{i, "s", 2.5}[i%3], "doc": doc,
		"user": fmt.Sprintf("u%d", i%50),
		// What metrics read is not discovered.
		"long": i, "double": float64(i) / 4, "who": fmt.Sprintf("u%d", i%50),
	}
	if i%7 > 0 {
		e["word"] = fmt.Sprintf("w%d\U0001F600", i%7)
		e["text"] = e["word"]
	}
	return e
}

// submitNested sends the events and submits a supervisor that discovers their types and has aggregates that are more than
// numbers, with all options of an indexSpec that are not the default.
func submitNested(t *testing.T, b *broker, s *server) {
	t.Helper()
	b.createTopic("nested", 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := b.client()
	for i := range nestedRows {
		value, err := json.Marshal(nestedEvent(i))
		if err != nil {
			t.Fatal(err)
		}
		client.Produce(ctx, &kgo.Record{Topic: "nested", Value: value}, nil)
	}
	if err := client.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	s.submit(specOf("nested", "nested", b.servers, func(spec sections) {
		metric := func(kind, name, field string) map[string]any {
			return map[string]any{"type": kind, "name": name, "fieldName": field}
		}
		spec.io["taskDuration"], spec.io["period"], spec.io["taskCount"] = "PT5S", "PT1S", 1
		spec.schema["dimensionsSpec"] = map[string]any{
			"dimensions": []any{map[string]any{"type": "json", "name": "doc"}}, "useSchemaDiscovery": true,
		}
		spec.schema["metricsSpec"] = []any{
			map[string]any{"type": "count", "name": "cnt"}, metric("longLast", "last_n", "long"), metric("doubleFirst", "first_f", "double"),
			metric("stringLast", "last_word", "text"), metric("hyperUnique", "users", "who"), metric("longMax", "top", "long"),
		}
		spec.schema["granularitySpec"] = map[string]any{"segmentGranularity": "HOUR", "queryGranularity": "NONE", "rollup": false}
		spec.tuning["maxRowsInMemory"] = 150
		spec.tuning["indexSpec"] = map[string]any{
			"bitmap": map[string]any{"type": "concise"}, "longEncoding": "auto", "dimensionCompression": "zstd",
			"metricCompression": "lzf", "jsonCompression": "zstd",
			"stringDictionaryEncoding": map[string]any{"type": "frontCoded", "bucketSize": 8, "formatVersion": 1},
		}
	}))
}

// checkNested asks Druid about every column, by filters that its indexes answer.
func checkNested(t *testing.T, l *lab) {
	count := func(keep func(i int) bool) (n float64) {
		for i := range nestedRows {
			if keep(i) {
				n++
			}
		}
		return n
	}
	for where, keep := range map[string]func(i int) bool{
		`TRUE`:                             func(int) bool { return true },
		`ARRAY_CONTAINS(tags, 't3')`:       func(i int) bool { return i%4 == 3 },
		`ARRAY_CONTAINS(nums, 7)`:          func(i int) bool { return i == 6 || i == 7 },
		`ARRAY_OVERLAP(tags, ARRAY['t1'])`: func(i int) bool { return i%4 == 1 },
		`mix = 's'`:                        func(i int) bool { return i%3 == 1 },
		`mix = '2.5'`:                      func(i int) bool { return i%3 == 2 },
		`CAST(JSON_VALUE(doc, '$.a') AS BIGINT) = 3`:         func(i int) bool { return i%10 == 3 },
		`JSON_VALUE(doc, '$.a' RETURNING BIGINT) > 7`:        func(i int) bool { return i%10 > 7 },
		`JSON_VALUE(doc, '$.b.c') = 'x4'`:                    func(i int) bool { return i%5 == 4 },
		`JSON_VALUE(doc, '$.opt' RETURNING DOUBLE) IS NULL`:  func(i int) bool { return i%2 == 1 },
		`JSON_VALUE(doc, '$.opt' RETURNING DOUBLE) < 10.6`:   func(i int) bool { return i%2 == 0 && i <= 10 },
		`JSON_VALUE(doc, '$.list[1]' RETURNING BIGINT) = 20`: func(i int) bool { return i == 20 },
		`JSON_VALUE(doc, '$.missing' RETURNING BIGINT) = 20`: func(int) bool { return false },
		`word IS NULL`:            func(i int) bool { return i%7 == 0 },
		"word = 'w3\U0001F600'":   func(i int) bool { return i%7 == 3 },
		"word >= 'w5'":            func(i int) bool { return i%7 >= 5 },
		`flag = 1`:                func(i int) bool { return i%3 == 0 },
		`"user" IN ('u1', 'u49')`: func(i int) bool { return i%50 == 1 || i%50 == 49 },
		`n = 5`:                   func(i int) bool { return i == 5 },
		`f = 2.5`:                 func(i int) bool { return i == 10 },
		`f > 100`:                 func(i int) bool { return i > 400 },
		`top BETWEEN 10 AND 12`:   func(i int) bool { return i >= 10 && i <= 12 },
	} {
		got := number(t, l.query(fmt.Sprintf(`SELECT COUNT(*) FROM nested WHERE %s`, where))[0][0])
		if want := count(keep); got != want {
			t.Errorf("%s: %v rows, produced were %v", where, got, want)
		}
	}
	for sql, want := range map[string]float64{
		`SUM(JSON_VALUE(doc, '$.a' RETURNING BIGINT))`: float64(nestedRows / 10 * 45), `SUM(cnt)`: nestedRows,
		`LATEST(last_n)`: nestedRows - 1, `EARLIEST(first_f)`: 0,
	} {
		if got := number(t, l.query(`SELECT ` + sql + ` FROM nested`)[0][0]); !same(got, want) {
			t.Errorf("%s is %v, produced was %v", sql, got, want)
		}
	}
	if got := number(t, l.query(`SELECT APPROX_COUNT_DISTINCT_BUILTIN(users) FROM nested`)[0][0]); math.Abs(got-50) > 2 {
		t.Errorf("%v different users, produced were 50", got)
	}
	last := fmt.Sprintf("w%d\U0001F600", (nestedRows-1)%7)
	if got := l.query(`SELECT LATEST(last_word, 1024) FROM nested WHERE word IS NOT NULL`)[0][0]; got != last {
		t.Errorf("the last word is %v, produced was %s", got, last)
	}
}
