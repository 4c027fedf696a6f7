package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// peer measures a real Druid's task on the same topic, through the same API.
func (b *bench) peer(ctx context.Context, spec []byte) (*taskResult, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	// A data source of its own: Druid goes on from stored offsets.
	id := fmt.Sprintf("bench_%d", time.Now().UnixNano())
	spec = bytes.Replace(spec, []byte(`"dataSource":"bench"`), []byte(`"dataSource":"`+id+`"`), 1)
	s := &benchServer{url: strings.TrimRight(b.druid, "/")}
	posted := time.Now()
	if err := submitOnce(ctx, s.url, spec); err != nil {
		return nil, err
	}
	defer func() { _ = s.post(context.WithoutCancel(ctx), "/druid/indexer/v1/supervisor/"+id+"/terminate") }()
	res := &taskResult{}
	var first, last time.Time
	atFirst := int64(0)
	waitFor(ctx, benchTimeout, func() bool { first = time.Now(); atFirst = s.processed(ctx, id); return atFirst > 0 })
	waitFor(ctx, benchTimeout, func() bool { last = time.Now(); return s.processed(ctx, id) >= int64(b.rows) })
	if n := s.processed(ctx, id); n < int64(b.rows) {
		return nil, fmt.Errorf("its task processed %d of %d rows", n, b.rows)
	}
	res.first, res.rows = first.Sub(posted), int64(b.rows)
	// The rows that came before the first answer are not in the time, so they are not in the rate.
	res.reading = time.Duration(float64(last.Sub(first)) * float64(b.rows) / float64(max(int64(b.rows)-atFirst, 1)))
	res.peakKB = peonMemory(id)
	return res, nil
}

// processed asks the tasks of a supervisor how many rows they have added.
func (s *benchServer) processed(ctx context.Context, id string) int64 {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/druid/indexer/v1/supervisor/"+id+"/stats", nil)
	if err != nil {
		return 0
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0
	}
	var groups map[string]map[string]struct {
		Totals struct {
			BuildSegments struct{ Processed int64 }
		}
	}
	if json.Unmarshal(body, &groups) != nil {
		return 0
	}
	n := int64(0)
	for _, tasks := range groups {
		for _, t := range tasks {
			n += t.Totals.BuildSegments.Processed
		}
	}
	return n
}

// peonMemory is the greatest resident size of the processes whose command line names the data source; 0 where the system
// does not tell.
func peonMemory(id string) int64 {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	most := int64(0)
	for _, dir := range dirs {
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || !bytes.Contains(line, []byte(id)) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil {
			most = max(most, peakMemory(pid))
		}
	}
	return most
}
