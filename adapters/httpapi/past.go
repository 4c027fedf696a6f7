package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// pastStatus answers the status report, as of now or as of a log sequence or an instant: the same fold, ended earlier.
// What was measured then is not in the log, so the report of the past has no offsets of tasks.
func (s *Server) pastStatus(c echo.Context) error {
	at, err := given(c, "at")
	if err != nil {
		return err
	}
	id := segment(c, "id")
	if at == "" {
		report, ok := s.cfg.Views.Status(id, s.cfg.Overlord.Measurements(id), s.cfg.Now())
		if !ok {
			return s.noSupervisor(c, id, "now")
		}
		return writeJSON(c, http.StatusOK, report)
	}
	q := eventstore.Query{SupervisorID: id}
	instant, byTime := time.Time{}, false
	if q.ToSeq, err = strconv.ParseUint(at, 10, 63); err != nil || q.ToSeq == 0 {
		if instant, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return &paramError{"at", strconv.Quote(at) + " is neither a log sequence from 1 nor a time as RFC 3339 has it"}
		}
		byTime, q.ToSeq, q.Until = true, 0, instant.Add(time.Nanosecond)
	}
	state := supervisor.NewState(id)
	err = s.cfg.Log.Replay(c.Request().Context(), q, func(e eventstore.Event) error {
		rec, err := eventstore.Decode(e)
		if err != nil {
			return err
		}
		state = supervisor.Evolve(state, rec)
		if !byTime {
			instant = e.Time
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !state.Exists() {
		return s.noSupervisor(c, id, "at "+at)
	}
	return writeJSON(c, http.StatusOK, supervisor.Report(state, factsOf(state), supervisor.Measurements{}, instant))
}

func factsOf(state *supervisor.State) supervisor.SpecFacts {
	parsed, err := spec.Parse(state.Spec)
	if err != nil { // an older program took it; what the state knows is left
		return supervisor.SpecFacts{DataSource: state.ID, Stream: state.Stream, Replicas: 1}
	}
	return supervisor.SpecFacts{
		DataSource: parsed.ID(), Stream: parsed.IOConfig.Stream(), Replicas: parsed.IOConfig.Replicas,
		DurationSeconds: int64(parsed.IOConfig.TaskDuration / time.Second), EmitTimeLagMetrics: parsed.IOConfig.EmitTimeLagMetrics,
	}
}

func (s *Server) noSupervisor(c echo.Context, id, when string) error {
	return s.answer(c, outcome{status: http.StatusNotFound, text: "there is no supervisor with the id " + strconv.Quote(id) + " " + when})
}

// everUsed refuses an id that no supervisor ever had.
func (s *Server) everUsed(c echo.Context) (string, bool, error) {
	q, err := params(c)
	if err == nil {
		err = onlyParams(q)
	}
	if err != nil {
		return "", false, err
	}
	id := segment(c, "id")
	if _, ok := s.cfg.Views.History(id); !ok {
		return "", false, s.noSupervisor(c, id, "in the log")
	}
	return id, true, nil
}

func (s *Server) pastErrors(c echo.Context) error {
	id, ok, err := s.everUsed(c)
	if !ok {
		return err
	}
	return writeJSON(c, http.StatusOK, append([]supervisor.PastError{}, s.cfg.Views.RecentErrors(id)...))
}

func (s *Server) lag(c echo.Context) error {
	id, ok, err := s.everUsed(c)
	if !ok {
		return err
	}
	return writeJSON(c, http.StatusOK, append([]supervisor.LagPoint{}, s.cfg.Views.Lag(id)...))
}

func (s *Server) offsets(c echo.Context) error {
	id, ok, err := s.everUsed(c)
	if !ok {
		return err
	}
	stream, committed := s.cfg.Views.Committed(id)
	if committed == nil {
		committed = task.Offsets{}
	}
	return writeJSON(c, http.StatusOK, struct {
		Stream    string       `json:"stream"`
		Committed task.Offsets `json:"committed"`
	}{stream, committed})
}

// dataSegment is Druid's descriptor of a segment.
type dataSegment struct {
	DataSource    string          `json:"dataSource"`
	Interval      string          `json:"interval"`
	Version       string          `json:"version"`
	LoadSpec      json.RawMessage `json:"loadSpec"`
	Dimensions    string          `json:"dimensions"`
	Metrics       string          `json:"metrics"`
	ShardSpec     shardSpec       `json:"shardSpec"`
	BinaryVersion int             `json:"binaryVersion"`
	Size          int64           `json:"size"`
	Identifier    string          `json:"identifier"`
}

type shardSpec struct {
	Type         string `json:"type"`
	PartitionNum int    `json:"partitionNum"`
	Partitions   int    `json:"partitions"`
}

// publishedLine is a line of the list of segments: the descriptor as Druid's metadata store takes it, and the commit that
// it came with.
type publishedLine struct {
	Descriptor   dataSegment        `json:"descriptor"`
	Rows         int64              `json:"rows"`
	Supervisor   string             `json:"supervisor"`
	Task         string             `json:"task"`
	SequenceName string             `json:"sequenceName"`
	Sequence     uint64             `json:"sequence"`
	Time         supervisor.Instant `json:"time"`
}

func lineOf(e *eventstore.Event, commit *supervisor.SegmentsPublished, g *task.Segment) publishedLine {
	millis := func(ms int64) string { return supervisor.Instant(time.UnixMilli(ms)).String() }
	return publishedLine{
		Descriptor: dataSegment{
			DataSource: e.SupervisorID, Interval: millis(g.Start) + "/" + millis(g.End), Version: g.Version, LoadSpec: g.LoadSpec,
			Dimensions: strings.Join(g.Dimensions, ","), Metrics: strings.Join(g.Metrics, ","),
			ShardSpec: shardSpec{"numbered", g.PartitionNum, 0}, BinaryVersion: 9, Size: g.Size, Identifier: g.ID,
		},
		Rows: g.Rows, Supervisor: e.SupervisorID, Task: commit.TaskID, SequenceName: commit.SequenceName, Sequence: e.Sequence, Time: supervisor.Instant(e.Time),
	}
}

// segments answers what was published, one JSON object per line, in the log's order. It reads the log: segments are as many
// as the log is long, and so have no place in memory.
func (s *Server) segments(c echo.Context) error {
	id, err := given(c, "supervisor")
	if err != nil {
		return err
	}
	w := s.lines(c)
	err = s.cfg.Log.Replay(c.Request().Context(), eventstore.Query{SupervisorID: id, Type: typeSegmentsPublished}, func(e eventstore.Event) error {
		recorded, err := eventstore.Decode(e)
		if err != nil {
			return err
		}
		commit, ok := recorded.Event.(*supervisor.SegmentsPublished)
		if !ok {
			return fmt.Errorf("event %d of type %s is a %T", e.Sequence, e.Type, recorded.Event)
		}
		for i := range commit.Segments {
			if err := w.line(lineOf(&e, commit, &commit.Segments[i])); err != nil {
				return err
			}
		}
		return nil
	})
	return w.end(err)
}

// typeSegmentsPublished is the stored name of the event that makes segments real.
const typeSegmentsPublished = "SegmentsPublished"
