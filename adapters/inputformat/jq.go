package inputformat

import (
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

// Bounds of a query over one record: the language has loops. Steps are counted, so that what a record gives does not
// depend on how busy the machine is; the time is for steps that copy much, and nothing that ends gets near it. Either
// fails the task, as any error of a query does.
const (
	jqSteps = 10_000_000
	jqTime  = time.Minute
	jqDepth = 1000 // of lists and objects in a result, as in a record
	jqValue = 10   // steps that a value of the result counts for
	jqBytes = 64   // bytes of a text of the result that count as a step
)

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
	b := jqBudget{steps: jqSteps, until: time.Now().Add(jqTime)}
	result, ok := q.code.RunWithContext(&b, fromValue(rows, root)).Next()
	if !ok {
		return row.Value{Kind: row.Null}, nil
	}
	if err, failed := result.(error); failed {
		return row.Value{}, &FieldError{q.field.Name, q.field.Expr, jqError{err}}
	}
	v := q.value(rows, result, &b, jqDepth)
	if b.err != nil {
		return row.Value{}, &FieldError{q.field.Name, q.field.Expr, b.err}
	}
	return v, nil
}

// jqBudget is what a query may use. It is the context that gojq runs the query with, since gojq asks that one before each
// instruction whether it is done.
type jqBudget struct {
	steps int
	until time.Time
	err   error
}

var (
	errJQSteps = fmt.Errorf("the query takes more than %d steps over one record", jqSteps)
	errJQTime  = fmt.Errorf("the query takes more than %v over one record", jqTime)
	errJQDepth = fmt.Errorf("the result has more than %d lists and objects within one another", jqDepth)

	closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()
)

// spend takes steps off and says whether the query may go on.
func (b *jqBudget) spend(n int) bool {
	if b.steps -= n; b.steps < 0 {
		b.err = errJQSteps
	}
	return b.err == nil
}

func (b *jqBudget) Done() <-chan struct{} {
	if !b.spend(1) {
		return closed
	}
	if b.steps%1024 == 0 && time.Now().After(b.until) {
		b.err = errJQTime
		return closed
	}
	return nil
}

func (b *jqBudget) Err() error                { return b.err }
func (*jqBudget) Deadline() (time.Time, bool) { return time.Time{}, false }
func (*jqBudget) Value(any) any               { return nil }

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

// value gives a result as a value. Whole numbers are longs: jackson-jq makes integers of all that it works out. Where a
// query has put one list into another many times over, the values are more than the query took steps to make, so they
// count as steps too; once the budget has an error the value means nothing.
func (q jq) value(rows *row.Rows, v any, b *jqBudget, depth int) row.Value {
	if depth < 0 {
		b.err = errJQDepth
	}
	if !b.spend(jqValue) {
		return row.Value{}
	}
	switch x := v.(type) {
	case string:
		return q.text(x, b)
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
		elems := make([]row.Value, 0, min(len(x), b.steps/jqValue))
		for i := 0; i < len(x) && b.err == nil; i++ {
			elems = append(elems, q.value(rows, x[i], b, depth-1))
		}
		return rows.NewList(elems)
	case map[string]any:
		members := make([]row.Member, 0, min(len(x), b.steps/jqValue))
		for k, e := range x {
			if b.err != nil {
				break
			}
			members = append(members, row.Member{Key: q.text(k, b).Text, Value: q.value(rows, e, b, depth-1)})
		}
		slices.SortFunc(members, func(a, b row.Member) int { return strings.Compare(string(a.Key), string(b.Key)) })
		return rows.NewObject(members)
	}
	return row.Value{Kind: row.Null}
}

func (jq) text(s string, b *jqBudget) row.Value {
	if !b.spend(len(s) / jqBytes) {
		return row.Value{}
	}
	return row.Value{Kind: row.String, Text: []byte(s)}
}

func boolean(b bool) row.Value {
	if b {
		return row.Value{Kind: row.Bool, Num: 1}
	}
	return row.Value{Kind: row.Bool}
}
