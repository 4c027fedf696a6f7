package main

import (
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"unicode/utf16"
)

// FuzzPropertiesFile reads any text as a file of properties; what is read, written with every letter escaped, is read again.
func FuzzPropertiesFile(f *testing.F) {
	for _, text := range []string{
		"a=1\n b : 2\nc 3\n", "# a comment \\\n! another\nd\t=\t4", `h\:i\ j=k`, "l=one,\\\n    two", `m=C:\\dir`, `n=\u00e4\t`, `o=\u12`, `\`, "=x", "p\\\r\nq=1\r\n", "last=line\\",
		`s=\ud83d\ude00`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := properties{}
		if err := got.parse(strings.NewReader(text)); err != nil {
			return
		}
		var b strings.Builder
		for name, value := range got {
			if name == "" {
				t.Fatalf("%q has a property without a name", text)
			}
			fmt.Fprintf(&b, "%s=%s\n", escaped(name), escaped(value))
		}
		again := properties{}
		if err := again.parse(strings.NewReader(b.String())); err != nil || !maps.Equal(got, again) {
			t.Fatalf("%q is %q, written as %q it is %q, %v", text, got, b.String(), again, err)
		}
	})
}

// escaped writes each character of a text as Java's escapes of its UTF-16.
func escaped(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, `\u%04x`, unit)
	}
	return b.String()
}

// FuzzSettings reads any arguments and environment, one a line: they are taken or refused with a reason.
func FuzzSettings(f *testing.F) {
	f.Add("-listen\n:80\n-roles=worker\n-nats=nats://h", "OGHAM_HEARTBEAT=2s\nOGHAM_SECRET_KEY=x")
	f.Add("-Ddruid.worker.capacity=3\n-D\ndruid.indexer.logs.kill.durationToRetain=1000", "OGHAM_LOG_LEVEL=debug\nPATH")
	f.Add("-D=druid.supervisor.idleConfig.inactiveAfterMillis=-1\n-log-replicas\n9", "OGHAM_D=a=b\nOGHAM_WORKER_CAPACITY=x")
	f.Fuzz(func(t *testing.T, args, env string) {
		if strings.Contains(args, "config") || strings.Contains(env, "CONFIG") {
			t.Skip("no file of this machine is read")
		}
		c, err := parseConfig("server", strings.Split(args, "\n"), strings.Split(env, "\n"), io.Discard, nil)
		if err == nil && (c.nodeID == "" || c.workerID == "" || c.dataDir == "" || c.heartbeat <= 0 || len(c.roles) == 0) {
			t.Fatalf("%q and %q give %+v", args, env, c)
		}
	})
}
