package worker

import (
	"math"
	"time"

	"ogham/domain/task"
)

// meterTick is the interval in which averages are updated.
const meterTick = 5 * time.Second

// meterWindows are the minutes that the three averages look back.
var meterWindows = [3]float64{1, 5, 15}

const meterCounters = 5

// meter keeps exponentially weighted moving averages of row counters as Druid shows them: per second, updated every five
// seconds, the first tick setting the rate to what was counted. Time is handed in. It is not safe for concurrent use.
type meter struct {
	last   [meterCounters]int64
	tick   time.Time // of the last update
	begun  bool
	primed bool
	rates  [3][meterCounters]float64
	new    [meterCounters]int64
}

// observe tells the totals as of now.
func (m *meter) observe(now time.Time, c task.Counters) {
	if !m.begun {
		m.tick, m.begun = now, true
	}
	// What happened since the last look is counted after the ticks that were due before it, as Druid's meters do.
	for ; now.Sub(m.tick) >= meterTick; m.tick = m.tick.Add(meterTick) {
		m.update()
		if m.idle() && now.Sub(m.tick) > 24*time.Hour {
			m.tick = now // a clock that jumped: nothing is left to decay
			break
		}
	}
	for i, total := range [...]int64{c.Processed, c.ProcessedBytes, c.ProcessedWithError, c.ThrownAway, c.Unparseable} {
		m.new[i] += total - m.last[i]
		m.last[i] = total
	}
}

// settle is observe for whoever counts and looks often: what was counted since the last look was counted before the tick
// that is due by now, if there is one.
func (m *meter) settle(now time.Time, c task.Counters) {
	if m.begun && now.Sub(m.tick) >= meterTick {
		m.observe(m.tick.Add(meterTick-1), c)
	}
	m.observe(now, c)
}

// due is when the next tick is.
func (m *meter) due() time.Time { return m.tick.Add(meterTick) }

func (m *meter) idle() bool { return m.new == [meterCounters]int64{} }

func (m *meter) update() {
	for w, minutes := range meterWindows {
		alpha := 1 - math.Exp(-meterTick.Seconds()/(60*minutes))
		for i, n := range m.new {
			instant := float64(n) / meterTick.Seconds()
			if m.primed {
				m.rates[w][i] += alpha * (instant - m.rates[w][i])
			} else {
				m.rates[w][i] = instant
			}
		}
	}
	m.primed, m.new = true, [meterCounters]int64{}
}

// stats gives the totals with the averages as of the last observation.
func (m *meter) stats(c task.Counters) task.Stats {
	rate := func(w int) task.Rates {
		r := m.rates[w]
		return task.Rates{Processed: r[0], ProcessedBytes: r[1], ProcessedWithError: r[2], ThrownAway: r[3], Unparseable: r[4]}
	}
	return task.Stats{Totals: c, OneM: rate(0), FiveM: rate(1), Fifth: rate(2)}
}
