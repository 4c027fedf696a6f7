package e2e

import (
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
)

// handedOut counts what freePorts gave to the tests of this process, which may run side by side.
var handedOut atomic.Int32

const (
	// Ports are looked for below those that a system hands out by itself: what was free stays free until its server binds
	// it, whoever connects to whatever meanwhile.
	firstPort, portsStep, portsPlaces = 20000, 100, 120
	// heldPort is bound while a test has the ports of a place, so that no other process of tests takes the same.
	heldPort = 99
)

// freePorts finds a port number from which on the given steps, which are below 99, are free. They are the test's own
// until it ends.
func freePorts(t *testing.T, steps ...int) int {
	t.Helper()
	listen := func(port int) (net.Listener, error) {
		return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	free := func(base int) bool {
		for _, step := range steps {
			l, err := listen(base + step)
			if err != nil {
				return false
			}
			_ = l.Close()
		}
		return true
	}
	for range portsPlaces {
		base := firstPort + (os.Getpid()*7+int(handedOut.Add(1)))%portsPlaces*portsStep
		held, err := listen(base + heldPort)
		if err != nil {
			continue
		}
		if free(base) {
			t.Cleanup(func() { _ = held.Close() })
			return base
		}
		_ = held.Close()
	}
	t.Fatal("there are no free ports")
	return 0
}
