package index

import (
	"runtime"
	"sync"
)

const (
	// chunkValues is about how many values a chunk has: few enough to stay in a core's cache until they are added.
	chunkValues = 2048
	// chunkLeast and chunkMost bound the records of a chunk.
	chunkLeast, chunkMost = 16, 256
	// maxHelpers bounds the goroutines that read beside the one that adds.
	maxHelpers = 4
)

// ahead reads the records of a batch in chunks, on other cores than the one that adds their rows in order. Who adds reads
// a chunk himself when nobody has begun it. The helpers live for one batch: AddBatch starts them and waits for them.
type ahead struct {
	size    int // records of a chunk
	helpers int
	chunks  []*chunk // none: the parser is not for several; chunk c of a batch is read into chunks[c%len(chunks)]

	// Of the batch at hand. mu guards those below it.
	records []Record
	count   int // of chunks
	mu      sync.Mutex
	free    sync.Cond // a chunk was added, or the batch is over
	claimed int       // chunks that somebody reads or has read
	added   int
}

// chunk is a run of a batch's records with their rows.
type chunk struct {
	keeper   Keeper
	parsings []parsing
	// done has one token when a helper has read the chunk.
	done     chan struct{}
	panicked any
}

func newAhead(p Parser, width int) *ahead {
	a := &ahead{size: min(max(chunkValues/max(width, 1), chunkLeast), chunkMost)}
	a.free.L = &a.mu
	f, ok := p.(Forker)
	if !ok {
		return a
	}
	helpers := min(runtime.GOMAXPROCS(0)-1, maxHelpers)
	for range 2*helpers + 1 {
		k, ok := f.Fork()
		if !ok {
			a.chunks = nil
			return a
		}
		a.chunks = append(a.chunks, &chunk{keeper: k, done: make(chan struct{}, 1)})
	}
	a.helpers = helpers
	return a
}

// helps says whether a batch is worth chunks. One core gains by them too, since their rows are added column by column.
func (a *ahead) helps(records int) bool { return len(a.chunks) > 0 && records >= 2*a.size }

// addAhead adds a batch whose chunks are read by several.
func (b *Builder) addAhead(records []Record) error {
	a := b.ahead
	a.records, a.count, a.claimed, a.added = records, (len(records)+a.size-1)/a.size, 0, 0
	var helpers sync.WaitGroup
	for range min(a.helpers, a.count-1) {
		helpers.Go(a.help)
	}
	// A transform keeps what it computed of one row only.
	b.staged.on = b.cfg.Transform == nil && b.plan.stages()
	defer func() {
		b.staged.on = false
		a.mu.Lock()
		a.claimed = a.count // after an error nobody begins another one
		a.free.Broadcast()
		a.mu.Unlock()
		helpers.Wait()
		for _, c := range a.chunks {
			select {
			case <-c.done: // was read in vain
			default:
			}
			c.keeper.Forget()
		}
		a.records = nil
	}()
	for n := range a.count {
		c := a.take(n)
		for i := range c.parsings {
			at := n*a.size + i
			if err := b.addRecord(&records[at], c.parsings[i]); err != nil {
				return err
			}
			if err := b.spillIfFull(at, len(records)); err != nil {
				return err
			}
		}
		if err := b.flush(); err != nil {
			return err
		}
		a.mu.Lock()
		a.added++
		a.mu.Unlock()
		a.free.Signal()
	}
	return nil
}

// take gives chunk n, for which it waits, or which it reads if nobody does.
func (a *ahead) take(n int) *chunk {
	c := a.chunks[n%len(a.chunks)]
	a.mu.Lock()
	mine := a.claimed == n
	if mine {
		a.claimed++
	}
	a.mu.Unlock()
	if mine {
		a.read(c, n)
		return c
	}
	<-c.done
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c
}

// help reads chunks until none is left, as far ahead as there is room for their rows.
func (a *ahead) help() {
	for {
		a.mu.Lock()
		for a.claimed < a.count && a.claimed-a.added >= len(a.chunks) {
			a.free.Wait()
		}
		n := a.claimed
		if n >= a.count {
			a.mu.Unlock()
			return
		}
		a.claimed++
		a.mu.Unlock()
		a.helpWith(a.chunks[n%len(a.chunks)], n)
	}
}

func (a *ahead) helpWith(c *chunk, n int) {
	defer func() {
		// The task fails by it, as it would if it had come to pass where rows are added.
		c.panicked = recover()
		c.done <- struct{}{}
	}()
	a.read(c, n)
}

func (a *ahead) read(c *chunk, n int) {
	c.keeper.Forget()
	rows := c.keeper.Kept()
	records := a.records[n*a.size : min((n+1)*a.size, len(a.records))]
	c.parsings = c.parsings[:0]
	for i := range records {
		x := parsing{rows: rows, first: rows.Count}
		if records[i].Value != nil {
			x.err = c.keeper.Keep(&records[i])
			x.count = rows.Count - x.first
		}
		c.parsings = append(c.parsings, x)
	}
}
