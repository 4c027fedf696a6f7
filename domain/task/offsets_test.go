package task_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ogham/domain/task"
)

func TestPartitionsSortByTopicThenNumber(t *testing.T) {
	ps := []task.Partition{"10", "9", "b:2", "a:10", "a:9", "0"}
	task.SortPartitions(ps)
	if want := []task.Partition{"0", "9", "10", "a:9", "a:10", "b:2"}; !slices.Equal(ps, want) {
		t.Errorf("sorted to %v, want %v", ps, want)
	}
}

func TestPartitionNumber(t *testing.T) {
	for _, c := range []struct {
		p    task.Partition
		n    int32
		good bool
	}{{"0", 0, true}, {"17", 17, true}, {"a:3", 3, true}, {"a:b:4", 4, true}, {"", 0, false}, {"x", 0, false}, {"-1", -1, false}, {"a:", 0, false}, {"99999999999", 2147483647, false}} {
		if n, ok := c.p.Number(); ok != c.good || ok && n != c.n {
			t.Errorf("number of %q is %d, %v; want %d, %v", c.p, n, ok, c.n, c.good)
		}
	}
	if got := task.PartitionOf(12); got != "12" {
		t.Errorf("partition 12 is %q", got)
	}
}

func someOffsets() *rapid.Generator[task.Offsets] {
	return rapid.Custom(func(t *rapid.T) task.Offsets {
		return rapid.MapOf(rapid.SampledFrom([]task.Partition{"0", "1", "2", "3"}), rapid.Int64Range(0, 5)).Draw(t, "offsets")
	})
}

func TestOffsetsRelations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := someOffsets().Draw(t, "a"), someOffsets().Draw(t, "b")
		before, other := a.Clone(), b.Clone()
		differs, ahead := false, false
		for p, v := range a {
			if w, ok := b[p]; ok {
				differs = differs || v != w
				ahead = ahead || v > w
			}
		}
		if a.Matches(b) == differs || a.AheadOf(b) != ahead {
			t.Errorf("%v and %v: matches %v, ahead %v", a, b, a.Matches(b), a.AheadOf(b))
		}
		plus, top := a.Plus(b), a.Max(b)
		for _, p := range []task.Partition{"0", "1", "2", "3"} {
			v, inA := a[p]
			w, inB := b[p]
			got, has := plus[p]
			if has != (inA || inB) || inB && got != w || !inB && inA && got != v {
				t.Errorf("%v plus %v is %v", a, b, plus)
			}
			got, has = top[p]
			if has != (inA || inB) || has && got != max(v, w) {
				t.Errorf("max of %v and %v is %v", a, b, top)
			}
		}
		plus["0"], top["0"] = 99, 99
		if !a.Equal(before) || !b.Equal(other) {
			t.Error("a result shares its map with an argument")
		}
	})
}

func TestOffsetsReadAsJavasMaps(t *testing.T) {
	for want, o := range map[string]task.Offsets{"{}": nil, "{0=5}": {"0": 5}, "{2=1, 10=7, a:0=3}": {"10": 7, "a:0": 3, "2": 1}} {
		if got := o.Text(); got != want {
			t.Errorf("%v reads as %s, want %s", map[task.Partition]int64(o), got, want)
		}
	}
}
