package kafka

import (
	"context"
	"sync"
	"time"
)

// interest is how long after it was last asked for a thing is asked for along with others.
const interest = 2 * time.Minute

// answer is what a cluster says of one thing.
type answer[V any] struct {
	value V
	err   error
	at    time.Time // when its request began: what it says was so then or later
}

// rounds asks a cluster about many things with few requests. One request is under way at a time; whoever asks meanwhile
// is gathered into the next. Who is content with an answer of some age gets the newest there is, and what was asked for
// lately is asked for again with everybody else's questions, shortly before it is due, so that all fall due together:
// a thousand supervisors of one cluster cost as many requests as one. It is safe for concurrent use.
type rounds[K comparable, V any] struct {
	// ask answers for every key; a key that it leaves out failed with err. It runs for one caller at a time.
	ask func(ctx context.Context, keys []K) (found map[K]answer[V], err error)
	// start runs a request that outlives whoever asked for it.
	start func(do func()) error
	// bound limits a request.
	bound time.Duration
	now   func() time.Time

	mu    sync.Mutex // guards what follows
	known map[K]answer[V]
	// wanted is when a key was last asked for, and how old an answer may be.
	wanted  map[K]want
	running bool
	next    *round[K, V]
}

type want struct {
	at     time.Time
	maxAge time.Duration
}

// round is one request and everybody who waits for it.
type round[K comparable, V any] struct {
	keys  map[K]bool
	done  chan struct{}
	began time.Time
	found map[K]answer[V]
	err   error
}

func newRounds[K comparable, V any](start func(func()) error, bound time.Duration, ask func(context.Context, []K) (map[K]answer[V], error)) *rounds[K, V] {
	return &rounds[K, V]{ask: ask, start: start, bound: bound, now: time.Now, known: make(map[K]answer[V]), wanted: make(map[K]want)}
}

// get answers for the keys, with nothing older than maxAge. The error is the request's, or the context's.
func (r *rounds[K, V]) get(ctx context.Context, keys []K, maxAge time.Duration) (map[K]answer[V], error) {
	r.mu.Lock()
	now := r.now()
	if maxAge > 0 {
		for _, k := range keys {
			r.wanted[k] = want{now, maxAge}
		}
		if out := r.fresh(keys, now.Add(-maxAge)); out != nil {
			r.mu.Unlock()
			return out, nil
		}
	}
	if r.next == nil {
		r.next = &round[K, V]{keys: make(map[K]bool), done: make(chan struct{})}
	}
	mine := r.next
	for _, k := range keys {
		mine.keys[k] = true
	}
	if !r.running {
		r.running = true
		if err := r.start(r.run); err != nil {
			r.running, r.next = false, nil
			r.mu.Unlock()
			return nil, err
		}
	}
	r.mu.Unlock()
	select {
	case <-mine.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if mine.err != nil {
		return nil, mine.err
	}
	out := make(map[K]answer[V], len(keys))
	for _, k := range keys {
		if a, ok := mine.found[k]; ok {
			out[k] = a
		}
	}
	return out, nil
}

// fresh returns the answers if none is older. r.mu is held.
func (r *rounds[K, V]) fresh(keys []K, since time.Time) map[K]answer[V] {
	out := make(map[K]answer[V], len(keys))
	for _, k := range keys {
		a, ok := r.known[k]
		if !ok || a.at.Before(since) {
			return nil
		}
		out[k] = a
	}
	return out
}

// forget drops what is known of keys: it was found to be wrong.
func (r *rounds[K, V]) forget(keys ...K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range keys {
		delete(r.known, k)
	}
}

// succeeded reports whether the newest answer about a key was no error.
func (r *rounds[K, V]) succeeded(k K) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.known[k]
	return ok && a.err == nil
}

// run carries out rounds until nobody waits for one.
func (r *rounds[K, V]) run() {
	for {
		r.mu.Lock()
		current := r.next
		if current == nil {
			r.running = false
			r.mu.Unlock()
			return
		}
		r.next = nil
		current.began = r.now()
		r.joinDue(current)
		keys := make([]K, 0, len(current.keys))
		for k := range current.keys {
			keys = append(keys, k)
		}
		r.mu.Unlock()

		ctx, cancel := context.WithTimeout(context.Background(), r.bound)
		current.found, current.err = r.ask(ctx, keys)
		cancel()

		r.mu.Lock()
		for k, a := range current.found {
			a.at = current.began
			current.found[k] = a
			r.known[k] = a
		}
		r.mu.Unlock()
		close(current.done)
	}
}

// joinDue adds what is wanted anyway and will be due soon, and forgets what nobody has wanted for long. r.mu is held.
func (r *rounds[K, V]) joinDue(current *round[K, V]) {
	for k, w := range r.wanted {
		if current.began.Sub(w.at) > interest {
			delete(r.wanted, k)
			delete(r.known, k)
			continue
		}
		if a := r.known[k]; a.err == nil && current.began.Sub(a.at) > w.maxAge/2 {
			current.keys[k] = true
		}
	}
	if len(r.known) > len(r.wanted) { // some were asked for once
		for k, a := range r.known {
			if _, ok := r.wanted[k]; !ok && current.began.Sub(a.at) > interest {
				delete(r.known, k)
			}
		}
	}
}
