package main

import (
	"os"
	"strings"
)

// environment is what a spec's providers may read: every variable but our own. Whoever may post a spec chooses the broker
// that a value is sent to, and ours hold the key of all sealed secrets.
func environment(name string) (string, bool) {
	if strings.HasPrefix(strings.ToUpper(name), "OGHAM_") {
		return "", false
	}
	return os.LookupEnv(name)
}
