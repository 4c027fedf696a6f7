package segment

import (
	"runtime"
	"sync"
)

// pool runs the two costly parts of writing, compressing blocks and sorting
// row numbers into bitmaps, on a few goroutines. The Writer that made it stops
// it; jobs that were submitted before are finished.
type pool struct {
	jobs chan poolJob
	wg   sync.WaitGroup
	size int
}

// poolJob is one piece of work. do gets the worker's own scratch space and may
// not touch anything else that another job touches.
type poolJob struct {
	do   func(s *scratch)
	done chan<- struct{}
}

// scratch is what a worker keeps between jobs.
type scratch struct {
	comp compressor
	sort windowSorter
}

func newPool() *pool {
	p := &pool{size: runtime.GOMAXPROCS(0)}
	p.jobs = make(chan poolJob, p.size)
	for range p.size {
		p.wg.Add(1)
		go func() {
			defer p.wg.Done()
			var s scratch
			for j := range p.jobs {
				j.do(&s)
				j.done <- struct{}{}
			}
		}()
	}
	return p
}

// depth is how many jobs one stream keeps in flight.
func (p *pool) depth() int { return 2*p.size + 1 }

// submit hands over a job. done must have room for one element, so that a
// worker never waits.
func (p *pool) submit(do func(*scratch), done chan<- struct{}) {
	p.jobs <- poolJob{do: do, done: done}
}

func (p *pool) stop() {
	close(p.jobs)
	p.wg.Wait()
}
