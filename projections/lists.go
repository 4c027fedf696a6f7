package projections

import "encoding/json"

// lists is the state of a fold that keeps one list for each supervisor, by its id.
type lists[T any] struct{ of map[string][]T }

func newLists[T any]() lists[T] { return lists[T]{map[string][]T{}} }

func (l *lists[T]) dump() any { return l.of }
func (l *lists[T]) clear()    { l.of = map[string][]T{} }

func (l *lists[T]) load(data json.RawMessage) error {
	of := map[string][]T{}
	if err := json.Unmarshal(data, &of); err != nil {
		return err
	}
	l.of = of
	return nil
}
