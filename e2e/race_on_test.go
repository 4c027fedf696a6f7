//go:build race

package e2e

// raceEnabled makes the tested binary run under the race detector too.
const raceEnabled = true
