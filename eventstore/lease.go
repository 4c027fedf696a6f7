package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	leaseKey = "leader"
	minTTL   = 200 * time.Millisecond
	maxTTL   = 10 * time.Minute
	// OverlordName is the aggregate under which elected leaders are recorded.
	OverlordName = "leader"
)

// leaseRecord is the one value in the bucket. It never expires by itself: a
// challenger measures the holder's silence on a clock of its own, so that no
// two machines' clocks are ever compared, and the epoch counts on for ever.
type leaseRecord struct {
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"`
	TTLMs int64  `json:"ttlMs"`
	// Beat differs in each renewal, so that a challenger sees one.
	Beat uint64 `json:"beat"`
	// Released says that the holder has gone in order.
	Released bool `json:"released,omitempty"`
}

// Lease is the right to write as leader, for as long as Valid says so. It is
// safe for concurrent use. A lost lease stays lost: campaign again.
type Lease struct {
	// Epoch is the term: higher than that of every lease before it. It belongs on
	// every event appended under the lease.
	Epoch uint64

	kv  jetstream.KeyValue
	ttl time.Duration

	// quit ends the renewals; lost is closed as they end, for whatever reason.
	quit context.CancelFunc
	lost chan struct{}

	mu sync.Mutex
	// until is guarded by mu. It is counted from before the last renewal was
	// sent, on the monotonic clock: no answer can make it too late.
	until time.Time

	rec leaseRecord // of the renewing goroutine, and of Resign after it has ended
	rev uint64      // likewise
}

// Campaign waits until this node is the leader, or the context ends. A leader
// that resigns is followed at once, one that dies or stalls after its ttl. The
// ttl also bounds how long this node may go without reaching the log before it
// counts itself out; it renews three times as often.
func (s *Store) Campaign(ctx context.Context, nodeID string, ttl time.Duration) (*Lease, error) {
	if nodeID == "" {
		return nil, errors.New("campaign: no node id")
	}
	if ttl < minTTL || ttl > maxTTL {
		return nil, fmt.Errorf("campaign: a lease of %s: want %s to %s", ttl, minTTL, maxTTL)
	}
	kv, err := s.leaseBucket(ctx)
	if err != nil {
		return nil, err
	}
	watch, err := kv.Watch(ctx, leaseKey)
	if err != nil {
		return nil, s.unavailable("campaign", err)
	}
	defer func() { _ = watch.Stop() }()
	c := campaign{store: s, kv: kv, node: nodeID, ttl: ttl}
	for {
		l, err := c.attempt(ctx)
		if l != nil || err != nil {
			return l, err
		}
		if err := c.await(ctx, watch); err != nil {
			return nil, err
		}
	}
}

func (s *Store) leaseBucket(ctx context.Context) (jetstream.KeyValue, error) {
	cfg := jetstream.KeyValueConfig{
		Bucket: s.cfg.Stream + "_LEASE", History: 1, Replicas: s.cfg.Replicas, Storage: s.cfg.jetstreamStorage(),
		Description: "Who leads Ogham's overlords.",
	}
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		kv, err := s.js.KeyValue(ctx, cfg.Bucket)
		if errors.Is(err, jetstream.ErrBucketNotFound) {
			kv, err = s.js.CreateKeyValue(ctx, cfg)
		}
		if err == nil {
			return kv, nil
		}
		if werr := wait(ctx, backoff); werr != nil {
			return nil, s.unavailable("open the lease bucket", errors.Join(err, werr))
		}
	}
}

// campaign is one node's wait for leadership.
type campaign struct {
	store *Store
	kv    jetstream.KeyValue
	node  string
	ttl   time.Duration

	seen    leaseRecord
	rev     uint64    // revision of seen, 0 where there is none
	silent  time.Time // since when seen has not changed, by our clock
	expires time.Time
}

// attempt takes the lease if it is free. Nil and nil say that it is held.
func (c *campaign) attempt(ctx context.Context) (*Lease, error) {
	if err := c.look(ctx); err != nil {
		return nil, c.retry(ctx, err)
	}
	if c.rev != 0 && !c.seen.Released && !c.store.cfg.SoleProcess && time.Now().Before(c.expires) {
		return nil, nil
	}
	floor, err := c.store.lastEpoch(ctx)
	if err != nil {
		return nil, c.retry(ctx, err)
	}
	rec := leaseRecord{Node: c.node, Epoch: max(c.seen.Epoch, floor) + 1, TTLMs: c.ttl.Milliseconds()}
	sent := time.Now()
	rev, err := putLease(ctx, c.kv, rec, c.rev)
	if err != nil {
		// Whoever was faster, or an answer lost on the way, shows in the next look.
		// A record of our own that we do not know to be ours runs out like any.
		return nil, c.retry(ctx, err)
	}
	// The lease outlives the campaign's context; Resign ends its renewals.
	renewing, quit := context.WithCancel(context.WithoutCancel(ctx))
	l := &Lease{
		Epoch: rec.Epoch, kv: c.kv, ttl: c.ttl, rec: rec, rev: rev, until: sent.Add(c.ttl),
		quit: quit, lost: make(chan struct{}),
	}
	go l.renew(renewing)
	return l, nil
}

// retry passes over what time may heal; await paces the next attempt.
func (c *campaign) retry(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return c.store.unavailable("campaign", errors.Join(err, ctx.Err()))
	}
	if isDamage(err) {
		return err
	}
	return nil
}

// look reads the record, and starts the holder's time anew when it has changed.
func (c *campaign) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.store.cfg.AttemptTimeout)
	defer cancel()
	entry, err := c.kv.Get(ctx, leaseKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		c.rev = 0
		return nil
	}
	if err != nil {
		return err
	}
	if entry.Revision() <= c.rev {
		return nil
	}
	c.rev, c.seen = entry.Revision(), leaseRecord{}
	if err := json.Unmarshal(entry.Value(), &c.seen); err != nil {
		c.store.cfg.Logger.Warn("the lease record cannot be read, it is taken over when its time is up", "error", err)
	}
	c.silent = time.Now()
	ttl := time.Duration(c.seen.TTLMs) * time.Millisecond
	c.expires = c.silent.Add(min(max(ttl, minTTL), maxTTL))
	return nil
}

// await returns when the record has changed, or its time is up.
func (c *campaign) await(ctx context.Context, watch jetstream.KeyWatcher) error {
	d := lastBackoff
	if c.rev != 0 && !c.seen.Released {
		d = max(time.Until(c.expires), lastBackoff/10)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return c.store.unavailable("campaign", ctx.Err())
		case <-t.C:
			return nil
		case entry, ok := <-watch.Updates():
			if !ok {
				return c.store.unavailable("campaign", errors.New("the watch of the lease was closed"))
			}
			if entry != nil && entry.Revision() > c.rev {
				return nil
			}
		}
	}
}

// lastEpoch is the epoch of the last recorded election: should the bucket be
// lost, terms still do not come twice.
func (s *Store) lastEpoch(ctx context.Context) (uint64, error) {
	e, err := s.OverlordAggregate(OverlordName).last(ctx)
	return e.Epoch, err
}

func putLease(ctx context.Context, kv jetstream.KeyValue, rec leaseRecord, rev uint64) (uint64, error) {
	b, err := json.Marshal(rec)
	if err != nil {
		return 0, err
	}
	if rev == 0 {
		return kv.Create(ctx, leaseKey, b)
	}
	return kv.Update(ctx, leaseKey, b, rev)
}

// Valid reports whether the lease holds at this instant. A process that was
// stopped, or could not reach the log, knows it at once: nobody has to tell it.
func (l *Lease) Valid() bool {
	select {
	case <-l.lost:
		return false
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.until)
}

// Lost is closed once the lease does not hold any more, by Resign too.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Resign gives the lease back, so that another node takes over at once, and
// waits for the renewals to end. Calling it again, or on a lost lease, is
// harmless. Stop writing before it.
func (l *Lease) Resign(ctx context.Context) error {
	held := l.Valid()
	l.quit()
	<-l.lost
	if !held {
		return nil
	}
	rec := l.rec
	rec.Released = true
	for {
		rec.Beat++
		_, err := putLease(ctx, l.kv, rec, l.rev)
		if err == nil {
			return nil
		}
		// The renewal that was broken off may have been stored.
		if moved := l.catchUp(ctx); !moved {
			return fmt.Errorf("give the lease back: %w", err)
		}
	}
}

// renew holds the lease until it is lost or given back.
func (l *Lease) renew(ctx context.Context) {
	defer close(l.lost)
	defer l.quit()
	pause := l.ttl / 3
	for {
		if wait(ctx, pause) != nil {
			return
		}
		switch l.beat(ctx) {
		case beatHeld:
			pause = l.ttl / 3
		case beatLost:
			return
		case beatAgain:
			pause = l.ttl / 20
		}
	}
}

type beatResult int

const (
	beatHeld beatResult = iota
	beatAgain
	beatLost
)

// beat renews once. It never renews what has run out: another node may have
// counted on that.
func (l *Lease) beat(ctx context.Context) beatResult {
	sent := time.Now()
	left := l.remaining(sent)
	if left <= 0 {
		return beatLost
	}
	ctx, cancel := context.WithTimeout(ctx, min(left, max(l.ttl/3, minTTL/2)))
	defer cancel()
	rec := l.rec
	rec.Beat++
	rev, err := putLease(ctx, l.kv, rec, l.rev)
	if err == nil {
		l.rec, l.rev = rec, rev
		l.extend(sent)
		return beatHeld
	}
	if !errors.Is(err, jetstream.ErrKeyExists) && judge(err) != lostRace {
		return beatAgain
	}
	// Another node's record, or an earlier renewal of ours whose answer was lost.
	if l.catchUp(ctx) {
		return beatAgain
	}
	if rec, _, err := l.current(ctx); err == nil && (rec.Node != l.rec.Node || rec.Epoch != l.Epoch) {
		return beatLost
	}
	return beatAgain
}

// catchUp takes over the revision of a record of ours that is stored although
// we were not told, and reports whether there was one.
func (l *Lease) catchUp(ctx context.Context) bool {
	rec, rev, err := l.current(ctx)
	if err != nil || rec.Node != l.rec.Node || rec.Epoch != l.Epoch || rev <= l.rev {
		return false
	}
	l.rec, l.rev = rec, rev
	return true
}

func (l *Lease) current(ctx context.Context) (leaseRecord, uint64, error) {
	entry, err := l.kv.Get(ctx, leaseKey)
	if err != nil {
		return leaseRecord{}, 0, err
	}
	var rec leaseRecord
	if err := json.Unmarshal(entry.Value(), &rec); err != nil {
		return leaseRecord{}, 0, err
	}
	return rec, entry.Revision(), nil
}

func (l *Lease) remaining(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until.Sub(now)
}

func (l *Lease) extend(sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = sent.Add(l.ttl)
}
