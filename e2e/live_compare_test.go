//go:build integration

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// sqlTable is the answer to SELECT *.
type sqlTable struct {
	Names, Types, SQLTypes []string
	Rows                   [][]any // sorted by their text
}

// eternity is every time that a native query may ask for.
const eternity = "-146136543-09-08T08:23:32.096Z/146140482-04-24T15:36:27.903Z"

func (l *lab) table(t *testing.T, source string) (all sqlTable) {
	t.Helper()
	var rows [][]any
	l.ask(t, "/druid/v2/sql", map[string]any{
		"query": `SELECT * FROM "` + source + `"`, "resultFormat": "array", "header": true, "typesHeader": true, "sqlTypesHeader": true,
	}, &rows)
	for i, list := range []*[]string{&all.Names, &all.Types, &all.SQLTypes} {
		for _, v := range rows[i] {
			*list = append(*list, v.(string))
		}
	}
	all.Rows = rows[3:]
	slices.SortFunc(all.Rows, byText)
	return all
}

// compare asks Druid about our segments of a case what was asked about its own, and wants the same answers.
func (l *lab) compare(t *testing.T, c *liveCase, want *recording) {
	l.waitColumns(t, c, func() [][]any { return want.Columns })
	got := l.table(t, c.ours())
	if !slices.Equal(got.Names, want.Table.Names) || !slices.Equal(got.Types, want.Table.Types) || !slices.Equal(got.SQLTypes, want.Table.SQLTypes) {
		t.Errorf("the columns are\n%v %v %v\nDruid's are\n%v %v %v", got.Names, got.Types, got.SQLTypes, want.Table.Names, want.Table.Types, want.Table.SQLTypes)
	}
	c.leaveOut(want.Table.Names, got.Rows, want.Table.Rows)
	slices.SortFunc(got.Rows, byText)
	slices.SortFunc(want.Table.Rows, byText)
	compareRows(t, "SELECT *", want.Table.Names, got.Rows, want.Table.Rows)
	if c.dir != "" && len(c.archives) == 0 {
		compareRows(t, "SELECT *, as recorded,", got.Names, got.Rows, c.recordedRows(t, got.Names))
	}
	c.compareSegments(t, l.scan(t, c, c.ours()), want.Segments)
	compareMetadata(t, l.metadataOf(t, c, c.ours()), want.Metadata)
	l.compareAnswers(t, c, want)
	t.Logf("%d rows, %d columns, %d filters, %d groups", len(got.Rows), len(got.Names), len(want.Filters), len(want.Groups))
}

func (c *liveCase) isApart(column string) bool { return slices.Contains(c.apart, column) }

// leaveOut clears what is not compared of rows.
func (c *liveCase) leaveOut(columns []string, lists ...[][]any) {
	for i, name := range columns {
		for _, rows := range lists {
			for _, row := range rows {
				if c.isApart(name) && i < len(row) {
					row[i] = nil
				}
			}
		}
	}
}

// recordedRows are the rows that were recorded, with the columns in the order of names.
func (c *liveCase) recordedRows(t *testing.T, names []string) (rows [][]any) {
	t.Helper()
	var recorded struct {
		Columns []string
		Rows    [][]any
	}
	c.read(t, "rows", &recorded)
	for _, r := range recorded.Rows {
		row := make([]any, len(names))
		for i, name := range names {
			if at := slices.Index(recorded.Columns, name); at >= 0 && !c.isApart(name) {
				row[i] = r[at]
			}
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, byText)
	return rows
}

// columnsOf asks the broker for the columns that it knows of a data source.
func (l *lab) columnsOf(t *testing.T, source string) [][]any {
	t.Helper()
	return l.sqlRows(t, `SELECT COLUMN_NAME, DATA_TYPE, JDBC_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = '`+source+`' ORDER BY ORDINAL_POSITION`)
}

// waitColumns waits until the broker, which asks for the columns of new segments once in a while, knows those that are
// wanted of our segments. That it never does, for all patience, is for the comparison to tell.
func (l *lab) waitColumns(t *testing.T, c *liveCase, want func() [][]any) {
	t.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if w := want(); len(w) > 0 && reflect.DeepEqual(l.columnsOf(t, c.ours()), w) {
			return
		}
	}
}

// scan asks for the rows of each segment in the order stored.
func (l *lab) scan(t *testing.T, c *liveCase, source string) map[string]scanned {
	t.Helper()
	var list []scanned
	l.ask(t, "/druid/v2", map[string]any{
		"queryType": "scan", "dataSource": source, "intervals": []string{eternity}, "resultFormat": "compactedList",
	}, &list)
	all := map[string]scanned{}
	for _, s := range list {
		// What the name of a segment has but the data source and the version.
		parts := strings.Split(strings.TrimPrefix(s.SegmentID, source+"_"), "_")
		key := parts[0] + "/" + parts[1]
		if len(parts) > 3 && !c.spread {
			key += "_" + parts[3]
		}
		whole := all[key]
		whole.Columns, whole.Events = s.Columns, append(whole.Events, s.Events...)
		all[key] = whole
	}
	return all
}

// compareSegments compares the rows of each segment, in the order stored where one task read them.
func (c *liveCase) compareSegments(t *testing.T, got, want map[string]scanned) {
	t.Helper()
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Errorf("the segments are\n%v\nDruid's are\n%v", g, w)
		return
	}
	for name, w := range want {
		g := got[name]
		if !slices.Equal(g.Columns, w.Columns) {
			t.Errorf("segment %s has the columns\n%v\nDruid's has\n%v", name, g.Columns, w.Columns)
			continue
		}
		c.leaveOut(w.Columns, g.Events, w.Events)
		if c.spread || c.partitions() > 1 {
			slices.SortFunc(g.Events, byText)
			slices.SortFunc(w.Events, byText)
		}
		compareRows(t, "segment "+name, w.Columns, g.Events, w.Events)
	}
}

// metadataOf answers a segmentMetadata query with all that can be asked, by segment.
func (l *lab) metadataOf(t *testing.T, c *liveCase, source string) map[string]map[string]any {
	t.Helper()
	if c.spread {
		return nil
	}
	var list []map[string]any
	l.ask(t, "/druid/v2", map[string]any{
		"queryType": "segmentMetadata", "dataSource": source, "intervals": []string{eternity}, "merge": false,
		"analysisTypes": []string{"cardinality", "interval", "minmax", "size", "timestampSpec", "queryGranularity", "aggregators", "rollup"},
	}, &list)
	all := map[string]map[string]any{}
	for _, s := range list {
		id := strings.Split(strings.TrimPrefix(s["id"].(string), source+"_"), "_")
		id[2] = ""
		delete(s, "id")
		for _, column := range c.apart {
			delete(s["columns"].(map[string]any), column)
			delete(s, "size")
		}
		all[strings.Join(id, "_")] = s
	}
	return all
}

// compareMetadata compares what is known of each segment and its columns.
func compareMetadata(t *testing.T, got, want map[string]map[string]any) {
	t.Helper()
	for id, w := range want {
		g := got[id]
		for key, v := range w {
			if key != "columns" && !reflect.DeepEqual(g[key], v) {
				t.Errorf("segment metadata of %s: %s is\n%v\nDruid's is\n%v", id, key, g[key], v)
			}
		}
		columns, _ := g["columns"].(map[string]any)
		for name, v := range w["columns"].(map[string]any) {
			if !reflect.DeepEqual(columns[name], v) {
				t.Errorf("segment metadata of %s: column %s is\n%v\nDruid's is\n%v", id, name, columns[name], v)
			}
		}
	}
}

// compareAnswers asks again what was asked about Druid's own segments: groups, and counts by filters on each column.
func (l *lab) compareAnswers(t *testing.T, c *liveCase, want *recording) {
	t.Helper()
	for _, w := range want.Groups {
		got, err := l.answerOf(w.SQL, c.ours())
		if err != nil {
			t.Errorf("%s: %v", w.SQL, err)
			continue
		}
		slices.SortFunc(got, byText)
		compareRows(t, w.SQL, strings.Split(strings.Repeat("value,", 12), ","), got, w.Rows)
	}
	wheres := make([]string, len(want.Filters))
	for i, f := range want.Filters {
		wheres[i] = f.Where
	}
	got := l.count(t, c.ours(), wheres)
	for i, g := range got {
		if i >= len(want.Filters) || !reflect.DeepEqual(g, want.Filters[i]) {
			t.Errorf("filters: %+v, of Druid's own %+v", g, want.Filters[min(i, len(want.Filters)-1)])
			if len(got) != len(want.Filters) {
				break
			}
		}
	}
	if len(got) != len(want.Filters) {
		t.Errorf("%d filters can be asked, %d were of Druid's own", len(got), len(want.Filters))
	}
}

// answerOf answers a question about a data source.
func (l *lab) answerOf(sql, source string) (rows [][]any, err error) {
	body, err := json.Marshal(map[string]any{"query": strings.ReplaceAll(sql, "{source}", quoted(source)), "resultFormat": "array"})
	if err != nil {
		return nil, err
	}
	b, err := send(l.broker+"/druid/v2/sql", body)
	if err == nil {
		err = decodeNumbers(b, &rows)
	}
	return rows, err
}

// count has filters let rows through, many of them in one query. Those that Druid cannot answer are left out.
func (l *lab) count(t *testing.T, source string, wheres []string) (all []filtered) {
	t.Helper()
	const many = 32
	for batch := range slices.Chunk(wheres, many) {
		all = append(all, l.countBatch(t, source, batch)...)
	}
	return all
}

func (l *lab) countBatch(t *testing.T, source string, wheres []string) (all []filtered) {
	t.Helper()
	var parts []string
	for i, where := range wheres {
		parts = append(parts, fmt.Sprintf(`SELECT %d, COUNT(*), COALESCE(SUM(TIMESTAMP_TO_MILLIS(__time)), 0) FROM {source} WHERE %s`, i, where))
	}
	rows, err := l.answerOf(strings.Join(parts, "\nUNION ALL\n"), source)
	if err != nil {
		if len(wheres) == 1 {
			t.Logf("no question: %s: %v", wheres[0], err)
			return nil
		}
		half := len(wheres) / 2
		return append(l.countBatch(t, source, wheres[:half]), l.countBatch(t, source, wheres[half:])...)
	}
	if len(rows) != len(wheres) {
		t.Fatalf("%d filters have %d answers", len(wheres), len(rows))
	}
	for i, where := range wheres {
		all = append(all, filtered{where, rows[i][1], rows[i][2]})
	}
	return all
}
