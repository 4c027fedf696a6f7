package supervisor_test

import (
	"testing"

	"pgregory.net/rapid"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

func TestGroupNumbersAreDruids(t *testing.T) {
	pattern := supervisor.Stream{Name: "gold_edits_pattern_.*", Pattern: true}
	for _, c := range []struct {
		s         supervisor.Stream
		p         task.Partition
		taskCount int
		want      int
	}{
		{supervisor.Stream{Name: "t"}, "5", 2, 1},
		// As Druid 33 numbered them when it was recorded (15-topic-pattern).
		{pattern, "gold_edits_pattern_alpha:0", 2, 0},
		{pattern, "gold_edits_pattern_beta:0", 2, 0},
		{pattern, "gold_edits_pattern_alpha:1", 2, 1},
		{pattern, "gold_edits_pattern_beta:1", 2, 1},
		// 31 * 97 + 4
		{pattern, "a:4", 1000, 11},
		// A name of the hash 0: 31 * 0 + 7. Java's hash of the empty text is 0 as well, but no topic has that name.
		{pattern, "\x00:7", 5, 2},
	} {
		if n, ok := c.s.GroupNumber(c.p, c.taskCount); !ok || n != c.want {
			t.Errorf("partition %s of %+v with taskCount %d is in group %d, %v; want %d", c.p, c.s, c.taskCount, n, ok, c.want)
		}
	}
	for _, p := range []task.Partition{"", "a", "a:", ":0"} {
		if n, ok := pattern.GroupNumber(p, 2); ok {
			t.Errorf("%q is in group %d", p, n)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := task.PartitionIn(rapid.StringMatching(`[a-zA-Z0-9._-]{1,40}`).Draw(t, "topic"), rapid.Int32Min(0).Draw(t, "partition"))
		count := rapid.IntRange(1, 100).Draw(t, "taskCount")
		if n, ok := pattern.GroupNumber(p, count); !ok || n < 0 || n >= count {
			t.Errorf("%s is in group %d of %d, %v", p, n, count, ok)
		}
	})
}

func TestGroupNumberOfTheSmallestHashIsNotNegative(t *testing.T) {
	// 31 * hash("y") = 3751, and 2147483648 - 3751 more wrap around to the one number whose negation is itself in 32 bits.
	pattern := supervisor.Stream{Name: ".*", Pattern: true}
	if n, ok := pattern.GroupNumber(task.PartitionIn("y", 2147483647-3751+1), 7); !ok || n != 2147483648%7 {
		t.Errorf("group %d, %v; want %d", n, ok, 2147483648%7)
	}
}
