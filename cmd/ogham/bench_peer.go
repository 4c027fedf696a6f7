package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// peer measures a real Druid's task on the same topic, through the same API and by the same marks.
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
	defer s.endPeer(context.WithoutCancel(ctx), id)
	res := &taskResult{}
	var first, last time.Time
	atFirst := int64(0)
	pollEvery(ctx, askEvery, benchTimeout, func() bool { first = time.Now(); atFirst = s.processed(ctx, id); return atFirst > 0 })
	pollEvery(ctx, 2*askEvery, benchTimeout, func() bool { last = time.Now(); return s.processed(ctx, id) >= int64(b.rows) })
	if n := s.processed(ctx, id); n < int64(b.rows) {
		return nil, fmt.Errorf("its task processed %d of %d rows", n, b.rows)
	}
	res.first, res.rows = first.Sub(posted), int64(b.rows)
	// The rows that came before the first answer are not in the time, so they are not in the rate.
	res.reading = time.Duration(float64(last.Sub(first)) * float64(b.rows) / float64(max(int64(b.rows)-atFirst, 1)))
	ordered := time.Now()
	if err := s.post(ctx, "/druid/indexer/v1/supervisor/"+id+"/suspend"); err != nil {
		return nil, err
	}
	pollEvery(ctx, 2*askEvery, benchTimeout, func() bool {
		res.peakKB = max(res.peakKB, peonMemory(id)) // its process may end with the publish
		return s.peerPublished(ctx, id, res)
	})
	res.publish = time.Since(ordered)
	if res.segmentBytes == 0 {
		return nil, errors.New("its task published nothing")
	}
	return res, nil
}

// peerPublished asks the coordinator what is in the metadata store, which is where a task of Druid's commits. Asked with
// intervals it reads the store; asked without, it answers what its last poll found.
func (s *benchServer) peerPublished(ctx context.Context, id string, res *taskResult) bool {
	body, err := s.send(ctx, http.MethodPost, "/druid/coordinator/v1/metadata/datasources/"+id+"/segments?full", `["2000-01-01/2100-01-01"]`)
	if err != nil {
		return false
	}
	var segments []struct {
		Size     int64
		LoadSpec struct{ Path string }
	}
	if json.Unmarshal(body, &segments) != nil {
		return false
	}
	res.segmentBytes, res.diskBytes = 0, 0
	for _, g := range segments {
		res.segmentBytes += g.Size
		res.diskBytes += bytesBelow(g.LoadSpec.Path)
	}
	return len(segments) > 0
}

// endPeer ends the supervisor, and the tasks that would wait for a historical to load what they published.
func (s *benchServer) endPeer(ctx context.Context, id string) {
	_ = s.post(ctx, "/druid/indexer/v1/supervisor/"+id+"/terminate")
	body, err := s.send(ctx, http.MethodGet, "/druid/indexer/v1/tasks?state=running&datasource="+id, "")
	if err != nil {
		return
	}
	var tasks []struct{ ID string }
	if json.Unmarshal(body, &tasks) != nil {
		return
	}
	for _, t := range tasks {
		_ = s.post(ctx, "/druid/indexer/v1/task/"+t.ID+"/shutdown")
	}
	waitFor(ctx, time.Minute, func() bool { return peonMemory(id) == 0 })
}

// processed asks the tasks of a supervisor how many rows they have added.
func (s *benchServer) processed(ctx context.Context, id string) int64 {
	body, err := s.send(ctx, http.MethodGet, "/druid/indexer/v1/supervisor/"+id+"/stats", "")
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
