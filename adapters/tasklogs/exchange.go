package tasklogs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/eventstore"
)

// The subjects of the stores' conversation. None of them is stored.
const (
	// subjectRead and a node's name: answered by that node, whether it has the log or not.
	subjectRead = "ogham.rt.tasklog.read."
	// subjectFind: answered by whoever has the log.
	subjectFind = "ogham.rt.tasklog.find"
	// subjectOffer tells that a log was handed over.
	subjectOffer = "ogham.rt.tasklog.offer"
)

const (
	// offersWaiting bounds the logs that wait to be fetched. What comes beyond stays where it is, and is read from there.
	offersWaiting = 1024
	// fetchTries is how often a log is fetched before it stays where it is.
	fetchTries = 60
	// askPatience bounds one question to another store.
	askPatience = 2 * time.Second
	// findPatience bounds the question who has a log: silence says that nobody does.
	findPatience = time.Second
)

type question struct {
	Name   string `json:"name"`
	Offset int64  `json:"offset"`
}

type answer struct {
	Found bool   `json:"found"`
	Start int64  `json:"start"`
	Size  int64  `json:"size"`
	Data  []byte `json:"data,omitempty"`
	Error string `json:"error,omitempty"`
}

// offer says which node has a log that is complete.
type offer struct {
	Node string `json:"node"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	// tries is how often it could not be fetched.
	tries int
}

// Run hands over what was left behind, answers the other processes, fetches what they offer and deletes what is old, until
// ctx ends. It returns after everything that it started.
func (s *Store) Run(ctx context.Context) error {
	var subs []*nats.Subscription
	defer func() {
		for _, sub := range subs {
			_ = sub.Unsubscribe() // it fails only where the connection is closed
		}
	}()
	// Who answers to its name hears everything else already.
	for _, sub := range []struct {
		subject string
		handle  nats.MsgHandler
	}{
		{subjectOffer, s.onOffer},
		{subjectFind, func(m *nats.Msg) { s.answer(m, false) }},
		{subjectRead + eventstore.EncodeToken(s.cfg.Node), func(m *nats.Msg) { s.answer(m, true) }},
	} {
		subscribed, err := s.cfg.NATS.Subscribe(sub.subject, sub.handle)
		if err != nil {
			return fmt.Errorf("answer for task logs: subscribe to %s: %w", sub.subject, err)
		}
		subs = append(subs, subscribed)
	}
	var own sync.WaitGroup
	defer own.Wait()
	s.adopt() // who hears of it can ask by now
	own.Go(func() { s.cleanLoop(ctx) })
	own.Go(func() { s.fetchLoop(ctx) })
	<-ctx.Done()
	return nil
}

// answer reads for another process; always says so too where there is nothing.
func (s *Store) answer(m *nats.Msg, always bool) {
	var q question
	if json.Unmarshal(m.Data, &q) != nil || q.Name != filepath.Base(q.Name) {
		return
	}
	part, ok, err := s.readOwn(q.Name, q.Offset)
	if !ok && !always {
		if err != nil {
			s.cfg.Logger.Warn("read a task's log for another process", "file", q.Name, "error", err)
		}
		return // somebody else may have it
	}
	a := answer{Found: ok, Start: part.Start, Size: part.Size, Data: part.Data}
	if err != nil {
		a.Error = err.Error()
	}
	data, err := json.Marshal(a)
	if err == nil {
		err = m.Respond(data)
	}
	if err != nil {
		s.cfg.Logger.Warn("answer for a task's log", "file", q.Name, "error", err)
	}
}

// ask asks other processes for a part. Nobody there is no error.
func (s *Store) ask(ctx context.Context, subject string, q question, patience time.Duration) (Part, bool, error) {
	data, err := json.Marshal(q)
	if err != nil {
		return Part{}, false, fmt.Errorf("ask for a task's log: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, err := s.cfg.NATS.RequestWithContext(ctx, subject, data)
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, context.DeadlineExceeded) {
		return Part{}, false, nil
	}
	if err != nil {
		return Part{}, false, fmt.Errorf("ask for a task's log: %w", err)
	}
	var a answer
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return Part{}, false, fmt.Errorf("ask for a task's log: %w", err)
	}
	if a.Error != "" {
		return Part{}, false, fmt.Errorf("ask for a task's log: %s", a.Error)
	}
	return Part{Start: a.Start, Size: a.Size, Data: a.Data}, a.Found, nil
}

// Read returns what a task wrote from an offset on, at most 256 KiB of it; a negative offset counts from the end. It looks
// here, at the node that ran the task, and at all others; a place that cannot give what it has stands in nobody's way. It
// is false where nobody that answers has the log, and an error where one that has it could not read it and no other has it.
func (s *Store) Read(ctx context.Context, taskID, node string, offset int64) (Part, bool, error) {
	q := question{Name: fileName(taskID), Offset: offset}
	part, ok, first := s.readOwn(q.Name, offset)
	if ok || node == "" {
		return part, ok, first
	}
	if node != s.cfg.Node {
		part, ok, err := s.ask(ctx, subjectRead+eventstore.EncodeToken(node), q, askPatience)
		if ok {
			return part, true, nil
		}
		first = cmp.Or(first, err)
	}
	part, ok, err := s.ask(ctx, subjectFind, q, findPatience)
	if ok {
		return part, true, nil
	}
	return Part{}, false, cmp.Or(first, err)
}

// offer tells the other processes of a log. Who does not hear it reads it from here.
func (s *Store) offer(name string, size int64) {
	data, err := json.Marshal(offer{Node: s.cfg.Node, Name: name, Size: size})
	if err == nil {
		err = s.cfg.NATS.Publish(subjectOffer, data)
	}
	if err != nil {
		s.cfg.Logger.Warn("tell of a task's log", "file", name, "error", err)
	}
}

func (s *Store) onOffer(m *nats.Msg) {
	var o offer
	if !s.cfg.Collect || json.Unmarshal(m.Data, &o) != nil || o.Node == s.cfg.Node || o.Name != filepath.Base(o.Name) {
		return
	}
	select {
	case s.offers <- o:
	default:
		s.cfg.Logger.Warn("too many task logs to fetch: one stays with its worker", "file", o.Name, "node", o.Node)
	}
}

// fetchLoop fetches what is offered, one log after the other. What cannot be fetched is tried again for a while: its node
// may be busy, or on its way back.
func (s *Store) fetchLoop(ctx context.Context) {
	again := time.NewTicker(s.cfg.RetryEvery)
	defer again.Stop()
	var failed []offer
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-s.offers:
			failed = s.fetch(ctx, o, failed)
		case <-again.C:
			tries := failed
			failed = nil
			for _, o := range tries {
				failed = s.fetch(ctx, o, failed)
			}
		}
	}
}

// fetch copies a log from the node that offers it; what is to be tried again is appended to failed.
func (s *Store) fetch(ctx context.Context, o offer, failed []offer) []offer {
	if st, err := os.Stat(filepath.Join(s.cfg.Dir, o.Name)); err == nil && st.Size() >= o.Size {
		return failed // the folder is shared, or it was fetched before
	}
	err := s.write(o.Name, &remote{ctx: ctx, s: s, o: o})
	if err == nil || ctx.Err() != nil {
		return failed
	}
	if o.tries++; o.tries == fetchTries || len(failed) == offersWaiting {
		s.cfg.Logger.Warn("a task's log stays with its worker", "file", o.Name, "node", o.Node, "tries", o.tries, "error", err)
		return failed
	}
	return append(failed, o)
}

// remote reads a log from another process. It belongs to one call of write.
type remote struct {
	ctx  context.Context //nolint:containedctx // an io.Reader takes none
	s    *Store
	o    offer
	at   int64
	rest []byte
}

// Read implements io.Reader.
func (r *remote) Read(b []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.at >= r.o.Size {
			return 0, io.EOF
		}
		part, ok, err := r.s.ask(r.ctx, subjectRead+eventstore.EncodeToken(r.o.Node), question{r.o.Name, r.at}, askPatience)
		switch {
		case err != nil:
			return 0, err
		case !ok || len(part.Data) == 0:
			return 0, fmt.Errorf("node %s does not give it", r.o.Node)
		}
		r.rest = part.Data
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	r.at += int64(n)
	return n, nil
}
