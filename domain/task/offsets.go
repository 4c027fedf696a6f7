package task

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Partition is a Kafka partition in Druid's text form: "0" for a supervisor of one topic, "topic:0" for a pattern.
type Partition string

// PartitionOf returns the text form of partition n of a supervisor's only topic.
func PartitionOf(n int32) Partition { return Partition(strconv.FormatInt(int64(n), 10)) }

// PartitionIn returns the text form of partition n of one of the topics that a supervisor with a pattern reads.
func PartitionIn(topic string, n int32) Partition {
	return Partition(topic + ":" + strconv.FormatInt(int64(n), 10))
}

// Split returns the topic, which is empty for a supervisor of one topic, and the partition number; false where the text
// is no partition. The last colon splits, as in Druid's KafkaTopicPartition.
func (p Partition) Split() (topic string, n int32, ok bool) {
	text := string(p)
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		topic, text = text[:i], text[i+1:]
		if topic == "" {
			return "", 0, false
		}
	}
	parsed, err := strconv.ParseInt(text, 10, 32)
	return topic, int32(parsed), err == nil && parsed >= 0
}

// DruidText is how Druid prints the partition (KafkaTopicPartition.toString).
func (p Partition) DruidText() string {
	topic, n, _ := p.Split()
	if topic == "" {
		return fmt.Sprintf("KafkaTopicPartition{partition=%d, topic='null', multiTopicPartition=false}", n)
	}
	return fmt.Sprintf("KafkaTopicPartition{partition=%d, topic='%s', multiTopicPartition=true}", n, topic)
}

// Number returns the partition number, and false where the text is none.
func (p Partition) Number() (int32, bool) {
	_, n, ok := p.Split()
	return n, ok
}

// NoEnd is the end offset of a partition that has none yet, as Druid writes it.
const NoEnd int64 = 9223372036854775807

// Offsets maps a partition to an offset: the next one to read where it is a position, exclusive where it is an end.
type Offsets map[Partition]int64

// Clone returns a copy that shares nothing with o; nil stays nil.
func (o Offsets) Clone() Offsets { return maps.Clone(o) }

// Text writes offsets as Java's maps print: {0=5, 1=7}.
func (o Offsets) Text() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, p := range o.Partitions() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(p) + "=" + strconv.FormatInt(o[p], 10))
	}
	b.WriteByte('}')
	return b.String()
}

// Equal reports whether both hold the same partitions with the same offsets.
func (o Offsets) Equal(b Offsets) bool { return maps.Equal(o, b) }

// Partitions returns the partitions in ascending order, by topic and then by number.
func (o Offsets) Partitions() []Partition {
	ps := make([]Partition, 0, len(o))
	for p := range o {
		ps = append(ps, p)
	}
	SortPartitions(ps)
	return ps
}

// SortPartitions sorts in place by topic, then by number.
func SortPartitions(ps []Partition) {
	slices.SortFunc(ps, func(a, b Partition) int {
		an, _ := a.Number()
		bn, _ := b.Number()
		at, bt := strings.TrimRight(string(a), "0123456789"), strings.TrimRight(string(b), "0123456789")
		if c := strings.Compare(at, bt); c != 0 {
			return c
		}
		return int(an) - int(bn)
	})
}

// Matches reports whether o and b agree in every partition that both have, which is what Druid asks of a task's start
// and the committed offsets before a publish (ObjectMetadata.matches).
func (o Offsets) Matches(b Offsets) bool {
	for p, v := range o {
		if w, ok := b[p]; ok && v != w {
			return false
		}
	}
	return true
}

// AheadOf reports whether o is greater than b in at least one common partition.
func (o Offsets) AheadOf(b Offsets) bool {
	for p, v := range o {
		if w, ok := b[p]; ok && v > w {
			return true
		}
	}
	return false
}

// Plus returns the union of both; b wins where both have a partition.
func (o Offsets) Plus(b Offsets) Offsets {
	r := make(Offsets, len(o)+len(b))
	maps.Copy(r, o)
	maps.Copy(r, b)
	return r
}

// Max returns, per partition of either, the greater offset.
func (o Offsets) Max(b Offsets) Offsets {
	r := o.Plus(nil)
	for p, v := range b {
		if w, ok := r[p]; !ok || v > w {
			r[p] = v
		}
	}
	return r
}
