package kafka

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrClosed is returned by Clients after Close.
var ErrClosed = errors.New("kafka clients are closed")

// Clients shares one connection pool per cluster among all who ask about it, so that ten thousand supervisors of one
// cluster hold one set of connections. It is safe for concurrent use. Close ends every client it still has.
type Clients struct {
	env Lookup

	mu     sync.Mutex // guards what follows
	shared map[[sha256.Size]byte]*sharedClient
	closed bool
}

// NewClients returns an empty set; env resolves secrets (os.LookupEnv).
func NewClients(env Lookup) *Clients {
	return &Clients{env: env, shared: make(map[[sha256.Size]byte]*sharedClient)}
}

// Admin returns a handle on the cluster of these consumerProperties. The caller closes it. Nothing is dialled yet: an
// error (always a *StreamError, or ErrClosed) is about the properties.
func (c *Clients) Admin(raw map[string]any) (*Admin, error) {
	p, err := ParseProperties(raw, c.env)
	if err != nil {
		return nil, err
	}
	key := p.fingerprint()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	s, ok := c.shared[key]
	if !ok {
		if s, err = newSharedClient(p); err != nil {
			return nil, err
		}
		c.shared[key] = s
	}
	s.users++
	return &Admin{shared: s, properties: p, release: sync.OnceFunc(func() { c.release(key, s) })}, nil
}

func (c *Clients) release(key [sha256.Size]byte, s *sharedClient) {
	c.mu.Lock()
	s.users--
	last := s.users == 0 && !c.closed
	if last {
		delete(c.shared, key)
	}
	c.mu.Unlock()
	if last {
		s.close()
	}
}

// Close closes every client; what their handles do afterwards fails.
func (c *Clients) Close() {
	c.mu.Lock()
	shared := c.shared
	c.shared, c.closed = nil, true
	c.mu.Unlock()
	for _, s := range shared {
		s.close()
	}
}

// fingerprint tells clusters (and the credentials for them) apart without keeping a secret as a map key.
func (p *Properties) fingerprint() [sha256.Size]byte {
	text, err := json.Marshal(struct {
		Servers  []string
		ClientID string
		Timeout  string
		Network  Network
		Security Security
	}{p.Servers, p.ClientID, fmt.Sprint(p.RequestTimeout, p.APITimeout), p.Network, p.Security})
	if err != nil {
		panic(err) // strings and bools only
	}
	return sha256.Sum256(text)
}

// newClient makes a client with the options that Admin and Consumer share. The second result cuts its connections, also
// those that are still being opened; it is to be called before the client is closed.
func (p *Properties) newClient(more ...kgo.Opt) (*kgo.Client, context.CancelFunc, error) {
	dial, hangUp, err := p.dialer()
	if err != nil {
		return nil, nil, notConstructed(err)
	}
	opts := append([]kgo.Opt{
		kgo.SeedBrokers(p.Servers...),
		kgo.Dialer(dial),
		kgo.MetadataMaxAge(defaultMetadataMaxAge),
		kgo.RetryTimeout(p.APITimeout),
		kgo.RequestTimeoutOverhead(clampOverhead(p.RequestTimeout)),
		kgo.DisableClientMetrics(),
	}, p.Network.options()...)
	mechanism, err := p.saslMechanism()
	if err != nil {
		hangUp()
		return nil, nil, notConstructed(err)
	}
	if mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	if p.ClientID != "" {
		opts = append(opts, kgo.ClientID(p.ClientID))
	}
	client, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		hangUp()
		return nil, nil, notConstructed(err)
	}
	return client, hangUp, nil
}

// options are those of the client for what was given.
func (n Network) options() []kgo.Opt {
	var opts []kgo.Opt
	if n.Idle > 0 {
		opts = append(opts, kgo.ConnIdleTimeout(n.Idle))
	}
	if n.RetryPause > 0 {
		opts = append(opts, kgo.RetryBackoffFn(func(failures int) time.Duration {
			// A fifth up or down, as in Java, so that not all clients come back at once.
			return time.Duration(float64(doubled(n.RetryPause, n.RetryMost, failures-1)) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // no secret
		}))
	}
	return opts
}

// notConstructed has Java's text, and behind it the cause, which Java has in a line of its own.
func notConstructed(err error) error {
	return streamError(classKafka, "Failed to construct kafka consumer: "+err.Error(), err)
}
