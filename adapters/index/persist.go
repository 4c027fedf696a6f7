package index

import (
	"context"
	"fmt"
)

// persist is a spill under way. Its goroutine belongs to the Builder, which waits for it before it starts another one,
// finishes or closes.
type persist struct {
	sinks    []*sink
	memories []*memory
	parts    []*spillPart
	last     bool // the memories are not wanted again
	bytes    int64
	err      error
	done     chan struct{}
}

// maxSpare is how many indexes are kept for reuse; more intervals than that at a time are rare.
const maxSpare = 4

// startPersist freezes what is in memory and spills it in the background, after the spill before has ended.
func (b *Builder) startPersist() error {
	if err := b.waitPersist(); err != nil {
		return err
	}
	p := &persist{done: make(chan struct{}), last: b.sealed}
	for _, k := range b.sortedSinks() {
		m := k.memory
		if m == nil || m.rows == 0 {
			continue
		}
		p.sinks = append(p.sinks, k)
		p.memories = append(p.memories, m)
		p.bytes += m.bytes()
		k.spilled += int64(m.rows)
		k.memory = nil
	}
	b.last, b.inMemory = nil, 0
	if len(p.sinks) == 0 {
		return nil
	}
	b.behind = p
	go p.run(b.spill)
	return nil
}

func (p *persist) run(file *spillFile) {
	defer close(p.done)
	for i, m := range p.memories {
		part, err := writePart(file, freeze(m))
		if err != nil {
			p.err = err
			return
		}
		p.parts = append(p.parts, part)
		if p.last {
			p.memories[i] = nil
		}
	}
}

// waitPersist waits for the spill under way and takes over its parts.
func (b *Builder) waitPersist() error {
	p := b.behind
	if p == nil {
		return nil
	}
	<-p.done
	b.behind = nil
	if p.err != nil {
		return p.err
	}
	for i, k := range p.sinks {
		k.parts = append(k.parts, p.parts[i])
		if m := p.memories[i]; m != nil && len(b.spare) < maxSpare {
			m.reset()
			b.spare = append(b.spare, m)
		}
	}
	return nil
}

// Persist spills all rows in memory and waits until they are on disk.
func (b *Builder) Persist(ctx context.Context) error {
	if err := b.usable(); err != nil {
		return err
	}
	defer b.publish()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("persist index: %w", err)
	}
	if err := b.startPersist(); err != nil {
		return b.fail(err)
	}
	if b.behind != nil {
		select {
		case <-b.behind.done:
		case <-ctx.Done(): // the spill goes on, and whoever needs it waits for it
			return fmt.Errorf("persist index: %w", ctx.Err())
		}
	}
	if err := b.waitPersist(); err != nil {
		return b.fail(err)
	}
	return nil
}

// Seal says that no more rows come, though Finish may be long in coming: what is in memory is spilled in the background,
// and what only reading needs is let go.
func (b *Builder) Seal() error {
	if err := b.usable(); err != nil || b.sealed {
		return err
	}
	defer b.publish()
	b.sealed = true
	if err := b.startPersist(); err != nil {
		return b.fail(err)
	}
	b.spare, b.ahead, b.staged = nil, nil, staged{}
	return nil
}
