package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func parse(t *testing.T, env []string, args ...string) (*config, error) {
	t.Helper()
	return parseConfig("server", args, env, io.Discard, nil)
}

func TestFlagsWinOverEnvironmentAndPropertiesOverTheirFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "runtime.properties")
	text := "# Druid's\ndruid.worker.capacity=7\n! too\ndruid.supervisor.healthinessThreshold = 1\ndruid.unheard.of=x\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"OGHAM_LISTEN=127.0.0.1:1111", "OGHAM_NODE_ID=from-env", "OGHAM_NATS_PASSWORD=p"}
	c, err := parse(t, env, "-listen", "127.0.0.1:2222", "-config", file, "-Ddruid.supervisor.healthinessThreshold=2",
		"-D", "druid.supervisor.idleConfig.enabled=TRUE")
	if err != nil {
		t.Fatal(err)
	}
	if c.listen != "127.0.0.1:2222" || c.nodeID != "from-env" || c.workerID != "from-env" || c.natsPassword != "p" {
		t.Errorf("listen %s, node %s, worker %s, password %s", c.listen, c.nodeID, c.workerID, c.natsPassword)
	}
	if c.workerCapacity != 7 || c.thresholds.Healthiness != 2 || !c.idle.Enabled {
		t.Errorf("capacity %d, healthiness %d, idle %v", c.workerCapacity, c.thresholds.Healthiness, c.idle.Enabled)
	}
	if got := strings.Join(c.ignored(), " "); got != "druid.unheard.of" {
		t.Errorf("ignored properties: %s", got)
	}
}

func TestBadSettingsAreRefusedByName(t *testing.T) {
	for want, args := range map[string][]string{
		"-roles":                     {"-roles", "boss"},
		"-listen":                    {"-listen", "8090"},
		"-nats":                      {"-roles", "worker"},
		"-log-level":                 {"-log-level", "loud"},
		"-heartbeat":                 {"-heartbeat", "0s"},
		"-worker-capacity":           {"-worker-capacity", "-1"},
		"unexpected":                 {"server"},
		"druid.storage.type":         {"-D", "druid.storage.type=s3"},
		"druid.worker.capacity=many": {"-D", "druid.worker.capacity=many"},
		"maxStoredExceptionEvents":   {"-D", "druid.supervisor.maxStoredExceptionEvents=1"},
		"idleConfig.enabled":         {"-D", "druid.supervisor.idleConfig.enabled=perhaps"},
		"read properties":            {"-config", filepath.Join(t.TempDir(), "none")},
	} {
		if _, err := parse(t, nil, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that names %s", args, err, want)
		}
	}
	if _, err := parse(t, []string{"OGHAM_HEARTBEAT=soon"}); err == nil || !strings.Contains(err.Error(), "OGHAM_HEARTBEAT") {
		t.Errorf("a bad variable of the environment: %v", err)
	}
}
