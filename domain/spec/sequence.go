package spec

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // a name, not a signature: Druid's form
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
)

// supervisorOnly are the members of the tuningConfig that tasks do not have.
var supervisorOnly = []string{
	"workerThreads", "chatRetries", "httpTimeout", "shutdownTimeout", "offsetFetchPeriod", "repartitionTransitionDuration",
}

// TaskTuningConfig is the tuningConfig as a task carries it: of type KafkaTuningConfig, without what only a supervisor
// needs.
func (s *Supervisor) TaskTuningConfig() json.RawMessage { return s.taskTuning().encode() }

func (s *Supervisor) taskTuning() *node {
	task := object(member{"type", str("KafkaTuningConfig")})
	for _, m := range s.tuningTree.members {
		if m.name != "type" && !slices.Contains(supervisorOnly, m.name) {
			task.members = append(task.members, m)
		}
	}
	return task
}

// hashDigits is how much of the hash Druid keeps in a sequence's name.
const hashDigits = 15

// BaseSequenceName names the sequences of a task group: the same for all replicas and after a restart, another one when
// the dataSchema, the tasks' tuningConfig, the start offsets or the message time bounds (milliseconds, nil for none)
// differ. ioConfig, taskCount and context have no part in it. The keys of offsets are partitions as Druid's metadata
// writes them: "0", or "topic:0" with a topicPattern.
func (s *Supervisor) BaseSequenceName(offsets map[string]int64, minTime, maxTime *int64) string {
	text := append([]byte(nil), s.schemaTree.encodeSorted()...)
	text = append(text, s.taskTuning().encodeSorted()...)
	for i, partition := range sortedPartitions(offsets) {
		if i > 0 {
			text = append(text, '+')
		}
		text = append(text, partition...)
		text = append(text, '(')
		text = strconv.AppendInt(text, offsets[partition], 10)
		text = append(text, ')')
	}
	for _, bound := range []*int64{minTime, maxTime} {
		// The separator keeps a lone minimum apart from a lone maximum, which Druid's plain concatenation does not.
		text = append(text, '|')
		if bound != nil {
			text = strconv.AppendInt(text, *bound, 10)
		}
	}
	sum := sha1.Sum(text) //nolint:gosec // see the import
	return "index_kafka_" + s.ID() + "_" + hex.EncodeToString(sum[:])[:hashDigits]
}

// sortedPartitions orders partitions by length first, so that numbers stand in their order.
func sortedPartitions(offsets map[string]int64) []string {
	partitions := make([]string, 0, len(offsets))
	for p := range offsets {
		partitions = append(partitions, p)
	}
	slices.SortFunc(partitions, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	return partitions
}
