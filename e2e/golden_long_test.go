//go:build integration

package e2e

import "testing"

// TestGoldenLife replays the scenario that lasts as long as its tasks.
func TestGoldenLife(t *testing.T) {
	t.Parallel()
	replay(t, longScenario)
}

// TestGoldenIdle replays the scenario that waits for a topic to be quiet.
func TestGoldenIdle(t *testing.T) {
	t.Parallel()
	replay(t, idleScenario)
}

// TestGoldenDeadPort replays the scenario that waits for a broker as long as a Java client does by default.
func TestGoldenDeadPort(t *testing.T) {
	t.Parallel()
	replay(t, deadPortScenario)
}

// TestGoldenAutoCreatedTopic replays the scenario whose broker makes the topic: only a real one does it as it was recorded,
// some time after it was asked for.
func TestGoldenAutoCreatedTopic(t *testing.T) {
	t.Parallel()
	replayOn(t, autoTopicScenario, newKafka(t, kafkaConfig{lines: []string{"auto.create.topics.enable=true", "num.partitions=4"}}).open())
}
