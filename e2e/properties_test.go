//go:build integration

package e2e

import (
	"regexp"
	"slices"
	"testing"

	"ogham/adapters/kafka"
)

// TestEveryPropertyOfKafkasConsumerIsKnown asks the Kafka of the tests for its consumer's properties.
func TestEveryPropertyOfKafkasConsumerIsKnown(t *testing.T) {
	k := &realKafka{t: t, home: kafkaHome(t), dir: t.TempDir()}
	page, err := k.java(t.Context(), "org.apache.kafka.clients.consumer.ConsumerConfig").Output()
	if err != nil {
		t.Fatalf("print Kafka's consumer properties: %v", err)
	}
	found := regexp.MustCompile(`href="#consumerconfigs_([^"]+)"`).FindAllSubmatch(page, -1)
	if len(found) < 100 {
		t.Fatalf("Kafka's page has %d properties: %s", len(found), clip(string(page)))
	}
	for _, m := range found {
		name := string(m[1])
		if !slices.ContainsFunc(kafka.KnownProperties, func(p kafka.Property) bool { return p.Name == name }) {
			t.Errorf("nothing is known of %s", name)
		}
	}
}
