//go:build integration

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// questions are what there is to ask about a column. The groups are asked at once: the filters are about their values.
type questions struct {
	l              *lab
	t              *testing.T
	source, column string
	filters        []string
	groups         []answer
}

func (q *questions) filter(format string, args ...any) {
	q.filters = append(q.filters, fmt.Sprintf(format, args...))
}

// group asks a question with groups of values. What Druid cannot answer about its own segments is no question.
func (q *questions) group(format string, args ...any) [][]any {
	sql := fmt.Sprintf(format, args...)
	rows, err := q.l.answerOf(sql, q.source)
	if err != nil {
		q.t.Logf("no question: %s: %v", sql, err)
		return nil
	}
	slices.SortFunc(rows, byText)
	q.groups = append(q.groups, answer{sql, rows})
	return rows
}

// values are some of those that an expression has: few enough to ask about each.
func (q *questions) values(expr, from string) (some []any) {
	var all []any
	for _, row := range q.group(`SELECT %s, COUNT(*) FROM {source} %s GROUP BY 1`, expr, from) {
		if row[0] != nil {
			all = append(all, row[0])
		}
	}
	const most = 3
	for i := 0; i < len(all) && len(some) < most; i += (len(all) + most - 1) / most {
		some = append(some, all[i])
	}
	return some
}

func (q *questions) about(kind string) {
	q.filter("%s IS NULL", q.column)
	q.filter("%s IS NOT NULL", q.column)
	switch {
	case kind == "STRING":
		values := q.values(q.column, "")
		q.text(q.column, values)
		if len(values) > 0 {
			q.filter("MV_CONTAINS(%s, ARRAY[%s])", q.column, literal(values[0]))
			q.filter("MV_OVERLAP(%s, ARRAY[%s, 'none'])", q.column, literal(values[0]))
		}
		q.group(`SELECT MV_TO_STRING(%s, '|'), MV_LENGTH(%[1]s), COUNT(*) FROM {source} GROUP BY 1, 2`, q.column)
	case kind == "LONG" || kind == "DOUBLE" || kind == "FLOAT":
		q.numbers(q.column, q.values(q.column, ""))
		q.group(`SELECT SUM(%[1]s), MIN(%[1]s), MAX(%[1]s), COUNT(%[1]s) FROM {source}`, q.column)
	case strings.HasPrefix(kind, "ARRAY"):
		for _, v := range q.values("u.v", fmt.Sprintf("CROSS JOIN UNNEST(%s) AS u(v)", q.column)) {
			q.filter("ARRAY_CONTAINS(%s, %s)", q.column, literal(v))
			q.filter("ARRAY_OVERLAP(%s, ARRAY[%s])", q.column, literal(v))
		}
		q.group(`SELECT ARRAY_TO_STRING(%s, '|'), ARRAY_LENGTH(%[1]s), COUNT(*) FROM {source} GROUP BY 1, 2`, q.column)
	case kind == "COMPLEX<json>":
		q.json()
	case kind == "COMPLEX<HLLSketch>":
		q.group(`SELECT __time, APPROX_COUNT_DISTINCT_DS_HLL(%s), HLL_SKETCH_ESTIMATE(DS_HLL(%[1]s)) FROM {source} GROUP BY 1`, q.column)
		q.group(`SELECT APPROX_COUNT_DISTINCT_DS_HLL(%s), HLL_SKETCH_TO_STRING(DS_HLL(%[1]s)) FROM {source}`, q.column)
	case kind == "COMPLEX<thetaSketch>":
		q.group(`SELECT __time, APPROX_COUNT_DISTINCT_DS_THETA(%s), THETA_SKETCH_ESTIMATE(DS_THETA(%[1]s)) FROM {source} GROUP BY 1`, q.column)
		q.group(`SELECT THETA_SKETCH_ESTIMATE_WITH_ERROR_BOUNDS(DS_THETA(%s), 2) FROM {source}`, q.column)
	case kind == "COMPLEX<hyperUnique>":
		q.group(`SELECT __time, APPROX_COUNT_DISTINCT_BUILTIN(%s) FROM {source} GROUP BY 1`, q.column)
	case strings.HasPrefix(kind, "COMPLEX<serializablePairLongString"):
		q.group(`SELECT LATEST(%s, 1024), EARLIEST(%[1]s, 1024) FROM {source}`, q.column)
	case strings.HasPrefix(kind, "COMPLEX<serializablePair"):
		q.group(`SELECT LATEST(%s), EARLIEST(%[1]s) FROM {source}`, q.column)
	default:
		q.t.Errorf("no question is known for column %s of type %s", q.column, kind)
	}
}

// text asks about an expression that is a text.
func (q *questions) text(expr string, values []any) {
	var some []string
	for _, v := range values {
		if s, ok := v.(string); ok {
			q.filter("%s = %s", expr, literal(s))
			some = append(some, s)
		}
	}
	if len(some) == 0 {
		return
	}
	last := some[len(some)-1]
	q.filter("%s <> %s", expr, literal(last))
	q.filter("%s > %s", expr, literal(some[0]))
	q.filter("%s <= %s", expr, literal(last))
	q.filter("%s IN (%s, 'none')", expr, literal(last))
	q.filter("%s NOT IN (%s, 'none')", expr, literal(some[0]))
	if runes := []rune(last); len(runes) > 0 && !strings.ContainsAny(last, `%_\`) {
		q.filter("%s LIKE %s", expr, literal(string(runes[:1])+"%"))
		q.filter("%s LIKE %s", expr, literal("%"+string(runes[len(runes)-1:])))
	}
}

// numbers asks about an expression that is a number.
func (q *questions) numbers(expr string, values []any) {
	var some []string
	for _, v := range values {
		if _, ok := v.(json.Number); ok { // NaN and the infinities have no literal
			q.filter("%s = %s", expr, literal(v))
			some = append(some, literal(v))
		}
	}
	if len(some) == 0 {
		return
	}
	last := some[len(some)-1]
	q.filter("%s > %s", expr, some[0])
	q.filter("%s <= %s", expr, last)
	q.filter("%s <> %s", expr, last)
	q.filter("%s IN (%s, %s)", expr, some[0], last)
	q.filter("%s BETWEEN %s AND %s", expr, some[0], last)
}

// json asks about the values at each path of objects.
func (q *questions) json() {
	for _, p := range q.values("p.v", fmt.Sprintf("CROSS JOIN UNNEST(JSON_PATHS(%s)) AS p(v)", q.column)) {
		value := fmt.Sprintf("JSON_VALUE(%s, %s)", q.column, literal(p))
		number := fmt.Sprintf("JSON_VALUE(%s, %s RETURNING DOUBLE)", q.column, literal(p))
		q.filter("%s IS NULL", value)
		q.text(value, q.values(value, ""))
		q.numbers(number, q.values(number, ""))
	}
	q.group(`SELECT TO_JSON_STRING(%s), COUNT(*) FROM {source} GROUP BY 1`, q.column)
}

// literal writes a value as SQL.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return `U&'` + escaped(v) + `'`
	case json.Number:
		if v == "-9223372036854775808" {
			return `CAST('-9223372036854775808' AS BIGINT)`
		}
		return v.String()
	}
	return fmt.Sprint(v)
}
