// Package overlord owns what decides: the leader's lease, one actor per supervisor with Druid's run loop, and the view of
// the workers. Its main type is [Service].
//
// An actor is a goroutine that owns its supervisor's state, decides commands one by one, appends their events and evolves
// the state. Whatever waits for somebody else (Kafka, a worker) happens in a goroutine beside it that asks the actor to
// decide by closures, so that a user's command never waits for a broker that does not answer.
//
// Effects are level-triggered: what a worker should do follows from the state, is compared with what it says it does in
// every heartbeat, and is said again until both agree.
//
// The package may import domain and eventstore, and nats.go for its end of the workers' subjects. It knows Kafka and the
// projections by the small interfaces that it declares.
package overlord
