package supervisor

import (
	"maps"
	"slices"
	"unicode/utf16"

	"ogham/domain/task"
)

// Stream is what a supervisor reads, and with it how it names partitions: "0" of its only topic, "topic:0" with a pattern
// and of any topic that it read once and reads no more.
type Stream struct {
	// Name is the topic, or the pattern that the names of the topics match as a whole.
	Name    string `json:"name"`
	Pattern bool   `json:"pattern,omitempty"`
}

// TopicOf returns the topic of a partition by the name that it has in the stream.
func (s Stream) TopicOf(p task.Partition) string {
	topic, _, _ := p.Split()
	if topic == "" && !s.Pattern {
		return s.Name
	}
	return topic
}

func (s Stream) nameOf(topic string, n int32) task.Partition {
	if !s.Pattern && topic == s.Name {
		return task.PartitionOf(n)
	}
	return task.PartitionIn(topic, n)
}

// Rename gives offsets of one stream the names that their partitions have in another one. None is lost, whether the other
// one reads its topic or not: it may be read again, and would else be read twice. The reverse of it is what Druid does
// where it reads stored offsets that were written under a topic by a supervisor with a pattern, or the other way round;
// it too keeps those of topics that a pattern does not match any more.
func (s Stream) Rename(o task.Offsets, to Stream) task.Offsets {
	if o == nil || s == to {
		return o
	}
	out := make(task.Offsets, len(o))
	for p, offset := range o {
		if n, ok := p.Number(); ok {
			out[to.nameOf(s.TopicOf(p), n)] = offset
		}
	}
	return out
}

// Reads returns what the supervisor reads.
func (s *State) Reads() Stream { return Stream{s.Stream, s.MultiTopic} }

// Topics returns the topics that the state knows anything about, ascending: those of now, and those that were read before.
func (s *State) Topics() []string {
	if s.Stream == "" {
		return nil
	}
	seen := map[string]bool{}
	if !s.MultiTopic {
		seen[s.Stream] = true
	}
	note := func(o task.Offsets) {
		for p := range o {
			seen[s.Reads().TopicOf(p)] = true
		}
	}
	note(s.Committed)
	note(s.Remembered)
	for _, g := range s.groups() {
		note(s.Named(g, g.Start))
	}
	return slices.Sorted(maps.Keys(seen))
}

// Named returns offsets of a group by the names that their partitions have for the supervisor now.
func (s *State) Named(g *Group, o task.Offsets) task.Offsets {
	if g.Earlier == nil {
		return o
	}
	return g.Earlier.Rename(o, s.Reads())
}

// GroupsOf returns the groups that read any of a topic, the pending ones first.
func (s *State) GroupsOf(topic string) []*Group {
	var found []*Group
	for _, g := range s.groups() {
		for p := range s.Named(g, g.Start) {
			if g.Generation == s.Generation && s.Reads().TopicOf(p) == topic {
				found = append(found, g)
				break
			}
		}
	}
	return found
}

// TopicIDsOf returns the ids of the topics that a group reads, as far as they are known. The caller owns the map.
func (s *State) TopicIDsOf(g *Group) map[string]string {
	ids := map[string]string{}
	for p := range s.Named(g, g.Start) {
		if topic := s.Reads().TopicOf(p); g.Generation == s.Generation && s.TopicIDs[topic] != "" {
			ids[topic] = s.TopicIDs[topic]
		}
	}
	return ids
}

// turnTo makes the supervisor read another stream. What is known of every topic stays, and so do the groups: what they
// have read of topics that are not read any more is committed as theirs.
func (s *State) turnTo(to Stream) {
	from := s.Reads()
	s.Stream, s.MultiTopic = to.Name, to.Pattern
	if from.Name == "" {
		return
	}
	s.Committed, s.Remembered = from.Rename(s.Committed, to), from.Rename(s.Remembered, to)
	for _, g := range s.groups() {
		if g.Earlier == nil {
			g.Earlier = &from
		}
	}
}

// Recreated returns the topics, ascending, that were deleted and made anew: those whose ids are not the ones that the
// offsets of this supervisor are of.
func (s *State) Recreated(ids map[string]string) []string {
	var anew []string
	for topic, id := range ids {
		if known := s.TopicIDs[topic]; known != "" && id != "" && known != id {
			anew = append(anew, topic)
		}
	}
	slices.Sort(anew)
	return anew
}

// plainNames takes the topic off the names of partitions of the only topic, as Druid does with metadata that a supervisor
// with a pattern could have written.
func (s *State) plainNames(o task.Offsets) task.Offsets {
	if s.MultiTopic || o == nil {
		return o
	}
	out := make(task.Offsets, len(o))
	for p, offset := range o {
		if topic, n, ok := p.Split(); ok && topic == s.Stream {
			p = task.PartitionOf(n)
		}
		out[p] = offset
	}
	return out
}

// forgetTopics drops the ids of topics of which nothing is known any more but what a reset has just set.
func (s *State) forgetTopics(set task.Offsets, removed []task.Partition) {
	reads, touched := s.Reads(), map[string]bool{}
	for p := range set {
		touched[reads.TopicOf(p)] = true
	}
	for _, p := range removed {
		touched[reads.TopicOf(p)] = true
	}
	for _, o := range []task.Offsets{s.Committed, s.Remembered} {
		for p := range o {
			if _, fresh := set[p]; !fresh {
				delete(touched, reads.TopicOf(p))
			}
		}
	}
	for _, g := range s.groups() {
		for p := range s.Named(g, g.Start) {
			delete(touched, reads.TopicOf(p))
		}
	}
	s.keepTopics(func(topic string) bool { return !touched[topic] })
}

// keepTopics drops the ids of the other topics. The map is replaced: it is shared with assignments.
func (s *State) keepTopics(keep func(topic string) bool) {
	left := make(map[string]string, len(s.TopicIDs))
	for topic, id := range s.TopicIDs {
		if keep(topic) {
			left[topic] = id
		}
	}
	s.TopicIDs = left
}

// GroupNumber is Druid's assignment of partitions to task groups (KafkaSupervisor.getTaskGroupIdForPartition). With a
// pattern it is abs(31 * hash(topic) + partition) % taskCount in 32 bits, where Druid's abs(-2^31) stays negative: that
// partition's group is then never found again, so here its number is what it is in 64 bits.
func (s Stream) GroupNumber(p task.Partition, taskCount int) (number int, ok bool) {
	topic, n, ok := p.Split()
	if !ok || taskCount < 1 {
		return 0, false
	}
	if !s.Pattern {
		return int(n) % taskCount, topic == "" // else it is another topic's
	}
	h := int64(31*javaHash(topic) + n)
	return int(max(h, -h) % int64(taskCount)), true
}

// javaHash is String.hashCode.
func javaHash(text string) int32 {
	h := int32(0)
	for _, unit := range utf16.Encode([]rune(text)) {
		h = 31*h + int32(unit)
	}
	return h
}
