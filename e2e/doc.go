// Package e2e tests the whole product from outside: the built binary as a process, its HTTP API, its log and the segments
// it publishes, with an embedded Kafka under `go test`, and with a real Kafka and a real Druid under the build tag
// integration.
//
// What Druid answered about segments of its own is kept in testdata/druid. To have it ingest the cases and answer again, say
//
//	OGHAM_RECORD_DRUID=1 go test -tags integration -run TestDruidAnswersOursAsItsOwn ./e2e
//
// and OGHAM_LIVE_CASES chooses cases by a regular expression.
//
// It owns no code of the product. Its tests import what reads results (adapters/segment), what replays recordings
// (adapters/httpapi/goldentest) and what stands in for an external NATS server (adapters/natsserver).
package e2e
