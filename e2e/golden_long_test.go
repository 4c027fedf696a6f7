//go:build integration

package e2e

import "testing"

// TestGoldenLife replays the scenario that lasts as long as its tasks.
func TestGoldenLife(t *testing.T) { replay(t, longScenario) }
