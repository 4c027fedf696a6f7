package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
)

// chart draws a curve as SVG: megabytes a second on the left axis and megabytes of memory on the right one, both from
// zero, over a logarithmic axis of what grows.
type chart struct {
	title, x string
	points   []chartPoint
}

type chartPoint struct {
	label           string
	x, rate, memory float64
}

const (
	chartWidth, chartHeight = 640.0, 280.0
	chartSide, chartTop     = 56.0, 40.0
	chartBottom             = 48.0
	rateColor, memoryColor  = "#1f77b4", "#d62728"
)

func (c *chart) add(label string, x, rate, memory float64) {
	if x > 0 {
		c.points = append(c.points, chartPoint{label, x, rate, memory})
	}
}

func (c *chart) svg() []byte {
	var b bytes.Buffer
	text := func(x, y float64, anchor, color, format string, a ...any) {
		fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="%s" fill="%s">`, x, y, anchor, color)
		_ = xml.EscapeText(&b, fmt.Appendf(nil, format, a...)) // a buffer takes all
		b.WriteString("</text>\n")
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12">`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	text(chartSide, 18, "start", "black", "%s", c.title)
	first, last := math.Log(c.points[0].x), math.Log(c.points[len(c.points)-1].x)
	topRate, topMemory := 0.0, 0.0
	for _, p := range c.points {
		topRate, topMemory = max(topRate, p.rate), max(topMemory, p.memory)
	}
	topRate, topMemory = roundUp(topRate), roundUp(topMemory)
	bottom := chartHeight - chartBottom
	place := func(p chartPoint, v, top float64) (x, y float64) {
		return chartSide + (math.Log(p.x)-first)/(last-first)*(chartWidth-2*chartSide), bottom - v/top*(bottom-chartTop)
	}
	for i := range 5 {
		y := bottom - float64(i)/4*(bottom-chartTop)
		fmt.Fprintf(&b, `<line x1="%.0f" y1="%.1f" x2="%.0f" y2="%.1f" stroke="#dddddd"/>`+"\n", chartSide, y, chartWidth-chartSide, y)
		text(chartSide-6, y+4, "end", rateColor, "%.0f", topRate*float64(i)/4)
		text(chartWidth-chartSide+6, y+4, "start", memoryColor, "%.0f", topMemory*float64(i)/4)
	}
	text(6, chartTop-8, "start", rateColor, "MB/s read")
	text(chartWidth-6, chartTop-8, "end", memoryColor, "MB of memory at most")
	rate := func(p chartPoint) (x, y float64) { return place(p, p.rate, topRate) }
	memory := func(p chartPoint) (x, y float64) { return place(p, p.memory, topMemory) }
	for _, p := range c.points {
		x, _ := rate(p)
		text(x, bottom+18, "middle", "black", "%s", p.label)
	}
	text(chartWidth/2, chartHeight-10, "middle", "black", "%s", c.x)
	c.line(&b, rateColor, rate)
	c.line(&b, memoryColor, memory)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (c *chart) line(b *bytes.Buffer, color string, place func(chartPoint) (x, y float64)) {
	fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, color)
	for _, p := range c.points {
		x, y := place(p)
		fmt.Fprintf(b, "%.1f,%.1f ", x, y)
	}
	b.WriteString(`"/>` + "\n")
	for _, p := range c.points {
		x, y := place(p)
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x, y, color)
	}
}

// roundUp is the next of 4, 8, 20, 40, 80, 200, ..., which four lines divide into round numbers.
func roundUp(v float64) float64 {
	for step := 1.0; ; step *= 10 {
		for _, m := range []float64{4, 8, 20} {
			if v <= m*step {
				return m * step
			}
		}
	}
}
