package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// clicks makes a click stream that looks like a shop's: a few pages are hot, sessions stay in one country, some events
// come late and a few are broken. It is deterministic but for the time.
type clicks struct {
	rnd   *rand.Rand
	pages *rand.Zipf
	n     int64
}

const (
	clickPages   = 2000
	clickUsers   = 20_000
	lateShare    = 0.03  // of events that come minutes after they happened
	brokenShare  = 0.004 // of events that are no JSON, or have no time
	latestMinute = 12
)

var (
	clickCountries = []string{"DE", "US", "FR", "JP", "BR", "IN", "GB", "IT"}
	clickDevices   = []string{"phone", "phone", "phone", "desktop", "desktop", "tablet"}
	clickSections  = []string{"home", "search", "category", "product", "product", "product", "cart", "checkout", "help"}
	clickReferrers = []string{"", "newsletter", "search-engine", "partner", "social"}
)

func newClicks(seed uint64, from int64) *clicks {
	rnd := rand.New(rand.NewPCG(seed, uint64(from)))
	return &clicks{rnd: rnd, pages: rand.NewZipf(rnd, 1.2, 8, clickPages-1), n: from}
}

// next returns the event that happens at now, and its user, which is the record's key.
func (c *clicks) next(now time.Time) (user string, value []byte) {
	n := c.n
	c.n++
	u := c.rnd.IntN(clickUsers)
	user = "user-" + strconv.Itoa(u)
	if c.rnd.Float64() < brokenShare {
		if n%2 == 0 {
			return user, fmt.Appendf(nil, `{"n":%d,"page":"cut off`, n)
		}
		return user, fmt.Appendf(nil, `{"n":%d,"time":"yesterday","page":"no such time"}`, n)
	}
	at := now
	if c.rnd.Float64() < lateShare {
		at = at.Add(-time.Duration(1+c.rnd.IntN(latestMinute*60)) * time.Second)
	}
	section := clickSections[c.rnd.IntN(len(clickSections))]
	event := struct {
		N        int64    `json:"n"`
		Time     string   `json:"time"`
		Page     string   `json:"page"`
		User     string   `json:"user"`
		Country  string   `json:"country"`
		Device   string   `json:"device"`
		Referrer *string  `json:"referrer"`
		Tags     []string `json:"tags,omitempty"`
		Millis   int      `json:"loadMillis"`
		Bytes    int      `json:"bytes"`
		Price    *float64 `json:"price,omitempty"`
	}{
		N: n, Time: at.UTC().Format("2006-01-02T15:04:05.000Z"), User: user,
		Page:    "/" + section + "/" + strconv.FormatUint(c.pages.Uint64(), 10),
		Country: clickCountries[u%len(clickCountries)], Device: clickDevices[u%len(clickDevices)],
		Millis: 20 + int(c.rnd.ExpFloat64()*180), Bytes: 500 + c.rnd.IntN(90_000),
	}
	if r := clickReferrers[c.rnd.IntN(len(clickReferrers))]; r != "" {
		event.Referrer = &r
	}
	if section == "product" {
		event.Tags = []string{"sale", "new", "bestseller", "refurbished"}[:c.rnd.IntN(3)]
	}
	if section == "checkout" {
		p := float64(c.rnd.IntN(30_000)) / 100
		event.Price = &p
	}
	value, err := json.Marshal(event)
	if err != nil {
		panic(err) // a struct of plain fields always encodes
	}
	return user, value
}

// clickSpec is the demo's supervisor spec.
func clickSpec(bootstrap, taskDuration string) []byte {
	return fmt.Appendf(nil, `{"type":"kafka","spec":{
 "dataSchema":{"dataSource":"clicks","timestampSpec":{"column":"time","format":"iso"},
  "dimensionsSpec":{"dimensions":["page","user","country","device","referrer","tags",{"type":"long","name":"n"}]},
  "metricsSpec":[{"type":"count","name":"count"},{"type":"longSum","name":"bytes","fieldName":"bytes"},
   {"type":"longMax","name":"slowestMillis","fieldName":"loadMillis"},{"type":"doubleSum","name":"revenue","fieldName":"price"}],
  "granularitySpec":{"segmentGranularity":"HOUR","queryGranularity":"SECOND","rollup":false}},
 "ioConfig":{"topic":"clicks","inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":%q},
  "taskCount":2,"replicas":1,"taskDuration":%q,"startDelay":"PT1S","period":"PT5S","useEarliestOffset":true,"completionTimeout":"PT5M"},
 "tuningConfig":{"type":"kafka","offsetFetchPeriod":"PT5S","maxSavedParseExceptions":10}}}`, bootstrap, taskDuration)
}
