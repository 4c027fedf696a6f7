// Package goldentest replays HTTP exchanges that were recorded from a real Druid against a server, and compares the
// answers by the rules of the recordings: status and content type equal, JSON equal up to the fields that differ from
// run to run, numbers of the same kind.
//
// [Load] reads a scenario, [Send] sends one exchange, [Compare] tells the differences. It is for tests of the HTTP
// adapter and of the whole server, and imports nothing of ours.
package goldentest
