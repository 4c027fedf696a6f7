//go:build integration

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/adapters/segment"
)

// TestRealKafkaAndDruid takes rows from a real Kafka, from a compressing and from a transactional producer, has Druid's
// reader print every segment, and has a historical load them and answer queries over every column.
func TestRealKafkaAndDruid(t *testing.T) {
	const rows, inTransactions, partitions = 60_000, 8000, 4
	l := newLab(t)
	b := l.kafka()
	b.createTopic("edits", partitions)
	b.createTopic("ledger", partitions)
	p := b.producer("edits", partitions)
	p.send(rows)
	p.flush()
	produceTransactions(t, b, "ledger", partitions, inTransactions)

	s := newServer(t, "real").start()
	for _, id := range []string{"edits", "ledger"} {
		s.submit(specOf(id, id, b.servers, func(spec sections) { spec.io["taskDuration"], spec.io["period"] = "PT8S", "PT1S" }))
	}
	submitNested(t, b, s)
	s.waitRows("nested", nestedRows)
	s.waitRows("edits", rows)
	s.waitRows("ledger", inTransactions)
	edits, ledger := s.checkRows("edits", rows), s.checkRows("ledger", inTransactions)
	nested, err := s.segments("nested")
	if err != nil {
		t.Fatal(err)
	}
	events := s.events(t)
	checkHistory(t, events)
	s.stop()

	var starting sync.WaitGroup
	starting.Go(func() { l.druid() })
	t.Run("Druid's reader prints the same rows", func(t *testing.T) {
		l.dump(edits).check(t, upTo(rows))
		l.dump(ledger).check(t, upTo(inTransactions))
	})
	starting.Wait()
	if l.sql == "" {
		t.Fatal("Druid did not start")
	}
	l.load(append(append(edits, ledger...), nested...))
	l.settle()
	t.Run("queries of edits", func(t *testing.T) { checkQueries(t, l, "edits", rows) })
	t.Run("queries of nested", func(t *testing.T) { checkNested(t, l) })
	t.Run("queries of ledger", func(t *testing.T) { checkQueries(t, l, "ledger", inTransactions) })
}

// produceTransactions sends rows 0 to n-1 in transactions that are committed, with transactions between them that are
// aborted: their rows, with ids from n on, must never be seen.
func produceTransactions(t *testing.T, b *broker, topic string, partitions, n int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := b.client(kgo.TransactionalID("ledger-producer"))
	send := func(first, count int64, commit kgo.TransactionEndTry) {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for id := first; id < first+count; id++ {
			client.Produce(ctx, &kgo.Record{Topic: topic, Partition: int32(id % partitions), Value: message(id)}, nil)
		}
		if err := client.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if err := client.EndTransaction(ctx, commit); err != nil {
			t.Fatal(err)
		}
	}
	const step = 500
	for first := int64(0); first < n; first += step {
		send(first, step, kgo.TryCommit)
		send(n+first, step/2, kgo.TryAbort)
	}
}

// checkQueries asks Druid about every column, and counts the same over what was produced.
func checkQueries(t *testing.T, l *lab, source string, n int64) {
	all := make([]row, n)
	for id := range all {
		all[id] = rowOf(int64(id))
	}
	checkSums(t, l, source, all)
	checkGroups(t, l, source, all)
	checkFilters(t, l, source, all)
}

func number(t *testing.T, v any) float64 {
	t.Helper()
	n, err := v.(json.Number).Float64()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func checkSums(t *testing.T, l *lab, source string, all []row) {
	t.Helper()
	sum := func(f func(row) float64) (total float64) {
		for _, r := range all {
			total += f(r)
		}
		return total
	}
	text := func(s string) float64 {
		if s == "null" {
			return 0
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	present := func(s string) float64 {
		if s == "null" {
			return 0
		}
		return 1
	}
	for sql, want := range map[string]float64{
		`COUNT(*)`:                       float64(len(all)),
		`SUM(cnt)`:                       sum(func(r row) float64 { return float64(r.Count) }),
		`SUM(id)`:                        sum(func(r row) float64 { return float64(r.ID) }),
		`SUM(shift)`:                     sum(func(r row) float64 { return text(r.Shift) }),
		`SUM(ratio)`:                     sum(func(r row) float64 { return float64(r.Ratio) }),
		`SUM(weight)`:                    sum(func(r row) float64 { return text(r.Weight) }),
		`SUM("bytes")`:                   sum(func(r row) float64 { return float64(r.Bytes) }),
		`SUM(price)`:                     sum(func(r row) float64 { return r.Price }),
		`SUM(low)`:                       sum(func(r row) float64 { return float64(r.Low) }),
		`SUM(high)`:                      sum(func(r row) float64 { return r.High }),
		`SUM(score)`:                     sum(func(r row) float64 { return float64(r.Score) }),
		`COUNT(shift)`:                   sum(func(r row) float64 { return present(r.Shift) }),
		`COUNT(weight)`:                  sum(func(r row) float64 { return present(r.Weight) }),
		`COUNT(note)`:                    sum(func(r row) float64 { return present(r.Note) }),
		`COUNT(DISTINCT "user")`:         float64(min(len(all), 20011)),
		`SUM(EXTRACT(HOUR FROM __time))`: sum(func(r row) float64 { return float64(time.UnixMilli(r.Time).UTC().Hour()) }),
	} {
		got := number(t, l.query(fmt.Sprintf(`SELECT %s FROM %s`, sql, source))[0][0])
		if !same(got, want) {
			t.Errorf("%s is %v, produced was %v", sql, got, want)
		}
	}
}

// checkGroups compares counts and sums per value of each dimension.
func checkGroups(t *testing.T, l *lab, source string, all []row) {
	t.Helper()
	for column, values := range map[string]func(row) []string{
		`page`:   func(r row) []string { return []string{r.Page} },
		`"user"`: func(r row) []string { return []string{r.User} },
		`note`:   func(r row) []string { return []string{plain(r.Note)} },
		`tags`: func(r row) []string {
			if r.Tags == "" {
				return []string{"<null>"}
			}
			return strings.Split(r.Tags, "|")
		},
		`shift`:          func(r row) []string { return []string{strings.ReplaceAll(r.Shift, "null", "<null>")} },
		`ratio`:          func(r row) []string { return []string{strconv.FormatFloat(float64(r.Ratio), 'f', -1, 32)} },
		`low`:            func(r row) []string { return []string{strconv.FormatInt(r.Low, 10)} },
		`FLOOR(id/1000)`: func(r row) []string { return []string{strconv.FormatInt(r.ID/1000, 10)} },
	} {
		type group struct {
			count float64
			bytes float64
		}
		want := map[string]group{}
		for _, r := range all {
			for _, v := range values(r) {
				g := want[v]
				want[v] = group{g.count + 1, g.bytes + float64(r.Bytes)}
			}
		}
		got := map[string]group{}
		for _, line := range l.query(fmt.Sprintf(`SELECT %[1]s, SUM(cnt), SUM("bytes") FROM %[2]s GROUP BY %[1]s`, column, source)) {
			key := "<null>"
			switch v := line[0].(type) {
			case string:
				key = v
			case json.Number:
				f := number(t, v)
				key = strconv.FormatFloat(f, 'f', -1, 64)
			}
			got[key] = group{number(t, line[1]), number(t, line[2])}
		}
		if maps.Equal(got, want) {
			continue
		}
		shown := 0
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if got[key] != want[key] && shown < 5 {
				shown++
				t.Errorf("GROUP BY %s: %q has %+v, produced was %+v", column, key, got[key], want[key])
			}
		}
		if len(got) != len(want) {
			t.Errorf("GROUP BY %s gives %d groups, produced were %d", column, len(got), len(want))
		}
	}
}

// plain is a note as it was produced.
func plain(note string) string {
	if note == "null" {
		return "<null>"
	}
	s, err := strconv.Unquote(note)
	if err != nil {
		panic(err) // it was quoted by rowOf
	}
	return s
}

// checkFilters compares the ids that filters let through: a dictionary in the wrong order dumps well and filters wrong.
func checkFilters(t *testing.T, l *lab, source string, all []row) {
	t.Helper()
	long := func(s string, f func(int64) bool) bool {
		v, err := strconv.ParseInt(s, 10, 64)
		return err == nil && f(v)
	}
	double := func(s string, f func(float64) bool) bool {
		v, err := strconv.ParseFloat(s, 64)
		return err == nil && f(v)
	}
	order := func(a, b string) int { return segment.CompareUTF16([]byte(a), []byte(b)) }
	filters := map[string]func(row) bool{
		`page = 'page_7'`:                            func(r row) bool { return r.Page == "page_7" },
		`page IN ('page_1','page_499','none')`:       func(r row) bool { return r.Page == "page_1" || r.Page == "page_499" },
		`page < 'page_2'`:                            func(r row) bool { return r.Page < "page_2" },
		`page LIKE 'page_1%'`:                        func(r row) bool { return strings.HasPrefix(r.Page, "page_1") },
		`"user" >= 'user_9' AND "user" <> 'user_99'`: func(r row) bool { return r.User >= "user_9" && r.User != "user_99" },
		`note IS NULL`:                               func(r row) bool { return r.Note == "null" },
		`note > 'a'`:                                 func(r row) bool { return r.Note != "null" && order(plain(r.Note), "a") > 0 },
		`note <= 'zz'`:                               func(r row) bool { return r.Note != "null" && order(plain(r.Note), "zz") <= 0 },
		`MV_CONTAINS(tags, 'x')`:                     func(r row) bool { return slices.Contains(strings.Split(r.Tags, "|"), "x") },
		`tags = 'red'`:                               func(r row) bool { return slices.Contains(strings.Split(r.Tags, "|"), "red") },
		`MV_CONTAINS(tags, ARRAY['a','z'])`:          func(r row) bool { return r.Tags == "a|m|z" },
		`shift IS NULL`:                              func(r row) bool { return r.Shift == "null" },
		`shift > 10000000000`:                        func(r row) bool { return long(r.Shift, func(v int64) bool { return v > 10_000_000_000 }) },
		`weight IS NULL`:                             func(r row) bool { return r.Weight == "null" },
		`weight < 1000.5`:                            func(r row) bool { return double(r.Weight, func(v float64) bool { return v < 1000.5 }) },
		`ratio = 3.5`:                                func(r row) bool { return r.Ratio == 3.5 },
		`id BETWEEN 1000 AND 1999`:                   func(r row) bool { return r.ID >= 1000 && r.ID <= 1999 },
		`"bytes" = 77`:                               func(r row) bool { return r.Bytes == 77 },
		`price > 150`:                                func(r row) bool { return r.Price > 150 },
		`low < 0`:                                    func(r row) bool { return r.Low < 0 },
		`high >= 0.5`:                                func(r row) bool { return r.High >= 0.5 },
		`score = 12.25`:                              func(r row) bool { return r.Score == 12.25 },
		`__time < TIMESTAMP '2026-03-01 11:00:00'`: func(r row) bool {
			return r.Time < time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC).UnixMilli()
		},
	}
	for _, note := range notes {
		filters[fmt.Sprintf(`note = U&'%s'`, escaped(note))] = func(r row) bool { return r.Note == strconv.Quote(note) }
	}
	for sql, passes := range filters {
		want := [2]float64{}
		for _, r := range all {
			if passes(r) {
				want[0]++
				want[1] += float64(r.ID)
			}
		}
		line := l.query(fmt.Sprintf(`SELECT COUNT(*), COALESCE(SUM(id), 0) FROM %s WHERE %s`, source, sql))[0]
		if got := [2]float64{number(t, line[0]), number(t, line[1])}; got != want {
			t.Errorf("WHERE %s gives %v rows with ids that sum up to %v, produced were %v", sql, got[0], got[1], want)
		}
	}
}

// escaped writes a text for a SQL literal with UTF-16 escapes.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\'':
			b.WriteString("''")
		case r == '\\':
			b.WriteString(`\\`)
		case r < ' ' || r > '~' && r <= 0xffff:
			fmt.Fprintf(&b, `\%04x`, r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\%04x\%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
