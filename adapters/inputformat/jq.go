package inputformat

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"ogham/domain/row"
)

// jq is a field that a jq query works out: its first result, null if it has none.
type jq struct {
	field flattenField
	code  *gojq.Code
	// plain says that the query only picks a value, so that a whole decimal is one of the record and not a result.
	plain bool
}

// jqTime bounds a query: the language has loops.
const jqTime = 10 * time.Second

var plainQuery = regexp.MustCompile(`^[.\[\]"\w -]+$`)

func newJQ(f flattenField) (extractor, error) {
	query, err := gojq.Parse(f.Expr)
	if err != nil {
		return nil, fmt.Errorf("flattenSpec field %q: jq query %q: %w", f.Name, f.Expr, err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, fmt.Errorf("flattenSpec field %q: jq query %q: %w", f.Name, f.Expr, err)
	}
	return jq{f, code, plainQuery.MatchString(f.Expr)}, nil
}

func (q jq) extract(rows *row.Rows, root row.Value) (row.Value, error) {
	ctx, cancel := context.WithTimeout(context.Background(), jqTime)
	defer cancel()
	result, ok := q.code.RunWithContext(ctx, fromValue(rows, root)).Next()
	if !ok {
		return row.Value{Kind: row.Null}, nil
	}
	if err, failed := result.(error); failed {
		return row.Value{}, &FieldError{q.field.Name, q.field.Expr, jqError{err}}
	}
	return q.value(rows, result), nil
}

// jqError words an error as jackson-jq does where the two say the same.
type jqError struct{ error }

func (e jqError) Error() string {
	text := e.error.Error()
	if rest, ok := strings.CutPrefix(text, "cannot iterate over: "); ok {
		return "Cannot iterate over " + rest
	}
	return text
}

func (e jqError) Unwrap() error { return e.error }

// fromValue gives a value as gojq takes it.
func fromValue(rows *row.Rows, v row.Value) any {
	switch v.Kind {
	case row.String:
		return string(v.Text)
	case row.Long:
		return int(int64(v.Num))
	case row.Double:
		return math.Float64frombits(v.Num)
	case row.Bool:
		return v.Num != 0
	case row.List:
		elems := rows.ListOf(&v)
		out := make([]any, len(elems))
		for i := range elems {
			out[i] = fromValue(rows, elems[i])
		}
		return out
	case row.Object:
		members := rows.MembersOf(&v)
		out := make(map[string]any, len(members))
		for i := range members {
			out[string(members[i].Key)] = fromValue(rows, members[i].Value)
		}
		return out
	}
	return nil
}

// value gives a result as a value. Whole numbers are longs: jackson-jq makes integers of all that it works out.
func (q jq) value(rows *row.Rows, v any) row.Value {
	switch x := v.(type) {
	case string:
		return row.Value{Kind: row.String, Text: []byte(x)}
	case bool:
		return boolean(x)
	case int:
		return row.Value{Kind: row.Long, Num: uint64(int64(x))}
	case float64:
		if n := int64(x); !q.plain && float64(n) == x && n != math.MaxInt64 {
			return row.Value{Kind: row.Long, Num: uint64(n)}
		}
		return row.Value{Kind: row.Double, Num: math.Float64bits(x)}
	case *big.Int:
		f, _ := new(big.Float).SetInt(x).Float64()
		return row.Value{Kind: row.Double, Num: math.Float64bits(f)}
	case []any:
		elems := make([]row.Value, len(x))
		for i := range x {
			elems[i] = q.value(rows, x[i])
		}
		return rows.NewList(elems)
	case map[string]any:
		members := make([]row.Member, 0, len(x))
		for k, e := range x {
			members = append(members, row.Member{Key: []byte(k), Value: q.value(rows, e)})
		}
		slices.SortFunc(members, func(a, b row.Member) int { return strings.Compare(string(a.Key), string(b.Key)) })
		return rows.NewObject(members)
	}
	return row.Value{Kind: row.Null}
}

func boolean(b bool) row.Value {
	if b {
		return row.Value{Kind: row.Bool, Num: 1}
	}
	return row.Value{Kind: row.Bool}
}
