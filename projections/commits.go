package projections

import (
	"encoding/json"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// commitsFold holds the committed offsets of each supervisor. The segments that were published are not in it: they are as
// many as the log is long, and who wants them reads the log.
type commitsFold struct {
	offsets map[string]*committed
}

type committed struct {
	Stream     string       `json:"stream"`
	MultiTopic bool         `json:"multiTopic,omitempty"`
	Offsets    task.Offsets `json:"offsets"`
}

func newCommitsFold() *commitsFold { return &commitsFold{offsets: map[string]*committed{}} }

func (f *commitsFold) name() string { return "commits" }
func (f *commitsFold) layout() int  { return 3 }
func (f *commitsFold) clear()       { f.offsets = map[string]*committed{} }

type commitsDump struct {
	Offsets map[string]*committed `json:"offsets"`
}

func (f *commitsFold) dump() any { return commitsDump{f.offsets} }

func (f *commitsFold) load(data json.RawMessage) error {
	d := commitsDump{Offsets: map[string]*committed{}}
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	f.offsets = d.Offsets
	return nil
}

func (f *commitsFold) apply(e fact) {
	c := f.offsets[e.supervisorID]
	if c == nil {
		c = &committed{}
		f.offsets[e.supervisorID] = c
	}
	switch ev := e.Event.(type) {
	case *supervisor.SupervisorCreated:
		c.read(supervisor.Stream{Name: ev.Stream, Pattern: ev.MultiTopic})
	case *supervisor.SpecUpdated:
		c.read(supervisor.Stream{Name: ev.Stream, Pattern: ev.MultiTopic})
	case *supervisor.SupervisorReset:
		c.Offsets = nil
	case *supervisor.OffsetsReset:
		c.Offsets = c.Offsets.Plus(ev.Offsets)
		for _, p := range ev.Removed {
			delete(c.Offsets, p)
		}
	case *supervisor.SegmentsPublished:
		c.Offsets = c.Offsets.Plus(ev.End)
	}
}

// read turns to a stream. Offsets of topics that it does not read stay, for when they are read again.
func (c *committed) read(stream supervisor.Stream) {
	before := supervisor.Stream{Name: c.Stream, Pattern: c.MultiTopic}
	c.Stream, c.MultiTopic, c.Offsets = stream.Name, stream.Pattern, before.Rename(c.Offsets, stream)
}

// Committed returns the committed offsets of a supervisor and the stream that it reads. Offsets of topics that it read
// before, and reads no more, are there under their full names.
func (r *Runner) Committed(id string) (stream string, offsets task.Offsets) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.commits.offsets[id]
	if c == nil {
		return "", nil
	}
	return c.Stream, c.Offsets.Clone()
}
