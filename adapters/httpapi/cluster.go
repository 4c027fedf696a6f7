package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

func (s *Server) leader(c echo.Context) error {
	url := s.cfg.Overlord.LeaderURL()
	if url == "" {
		return c.NoContent(http.StatusServiceUnavailable)
	}
	// Text, though Druid calls it JSON.
	return write(c, http.StatusOK, mimeJSON, []byte(url))
}

func (s *Server) isLeader(c echo.Context) error {
	leads := s.cfg.Overlord.IsLeader()
	status := http.StatusOK
	if !leads {
		status = http.StatusNotFound
	}
	return writeJSON(c, status, map[string]bool{"leader": leads})
}

// workerEntry is Druid's view of a worker.
type workerEntry struct {
	Worker                        worker         `json:"worker"`
	CurrCapacityUsed              int            `json:"currCapacityUsed"`
	CurrParallelIndexCapacityUsed int            `json:"currParallelIndexCapacityUsed"`
	CurrCapacityUsedByTaskType    map[string]int `json:"currCapacityUsedByTaskType"`
	AvailabilityGroups            []string       `json:"availabilityGroups"`
	RunningTasks                  []string       `json:"runningTasks"`
	LastCompletedTaskTime         string         `json:"lastCompletedTaskTime"`
}

type worker struct {
	Scheme   string `json:"scheme"`
	Host     string `json:"host"`
	IP       string `json:"ip"`
	Capacity int    `json:"capacity"`
	Version  string `json:"version"`
	Category string `json:"category"`
}

func (s *Server) workers(c echo.Context) error {
	completed := map[string]time.Time{}
	for _, t := range s.cfg.Views.Tasks() {
		if t.Ended() && t.EndedAt.After(completed[t.WorkerID]) {
			completed[t.WorkerID] = t.EndedAt
		}
	}
	entries := []workerEntry{}
	for _, w := range s.cfg.Overlord.Workers() {
		e := workerEntry{
			Worker: worker{
				Scheme: "http", Host: net.JoinHostPort(w.Host, strconv.Itoa(w.Port)), IP: w.Host,
				Capacity: w.Capacity, Version: w.Version, Category: "_default_worker_category",
			},
			CurrCapacityUsed: len(w.Tasks), CurrCapacityUsedByTaskType: map[string]int{}, AvailabilityGroups: []string{}, RunningTasks: []string{},
			LastCompletedTaskTime: instant(completed[w.WorkerID]),
		}
		if w.Disabled {
			e.Worker.Version = "" // as Druid shows a worker that takes no tasks
		}
		if len(w.Tasks) > 0 {
			e.CurrCapacityUsedByTaskType[taskType] = len(w.Tasks)
		}
		for _, t := range w.Tasks {
			e.RunningTasks = append(e.RunningTasks, t.TaskID)
			if rec, ok := s.cfg.Views.Task(t.TaskID); ok && !slices.Contains(e.AvailabilityGroups, rec.BaseSequenceName) {
				e.AvailabilityGroups = append(e.AvailabilityGroups, rec.BaseSequenceName)
			}
		}
		entries = append(entries, e)
	}
	return writeJSON(c, http.StatusOK, entries)
}

// instant shows a time as Druid does; the zero time is the epoch.
func instant(t time.Time) string {
	if t.IsZero() {
		t = time.UnixMilli(0)
	}
	return supervisor.Instant(t).String()
}

func (s *Server) capacity(c echo.Context) error {
	total, used := 0, 0
	for _, w := range s.cfg.Overlord.Workers() {
		total += w.Capacity
		used += len(w.Tasks)
	}
	return writeJSON(c, http.StatusOK, struct {
		Current int `json:"currentClusterCapacity"`
		Maximum int `json:"maximumCapacityWithAutoScale"`
		Used    int `json:"usedClusterCapacity"`
	}{total, -1, used})
}

func (s *Server) programHealth(c echo.Context) error {
	if !s.cfg.Ready() {
		return writeJSON(c, http.StatusServiceUnavailable, false)
	}
	return writeJSON(c, http.StatusOK, true)
}

// module is an extension as /status names it.
type module struct {
	Name     string `json:"name"`
	Artifact string `json:"artifact"`
	Version  string `json:"version"`
}

// programStatus has the shape of Druid's. What is the JVM's there is the Go runtime's here. The one module is what Druid's
// console looks for before it offers to load from Kafka.
func (s *Server) programStatus(c echo.Context) error {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return writeJSON(c, http.StatusOK, struct {
		Version string            `json:"version"`
		Modules []module          `json:"modules"`
		Memory  map[string]uint64 `json:"memory"`
	}{s.cfg.Version, []module{{"org.apache.druid.indexing.kafka.KafkaIndexTaskModule", "druid-kafka-indexing-service", s.cfg.Version}}, map[string]uint64{
		"maxMemory": m.Sys, "totalMemory": m.HeapSys, "freeMemory": m.HeapSys - min(m.HeapInuse, m.HeapSys), "usedMemory": m.HeapInuse, "directMemory": 0,
	}})
}

// selfDiscovered and selfDiscoveredStatus say whether the service knows who leads, and so can be asked anything.
func (s *Server) selfDiscovered(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderContentType, mimeJSON)
	if !s.cfg.Ready() {
		return c.NoContent(http.StatusServiceUnavailable)
	}
	return c.NoContent(http.StatusOK)
}

func (s *Server) selfDiscoveredStatus(c echo.Context) error {
	return writeJSON(c, http.StatusOK, map[string]bool{"selfDiscovered": s.cfg.Ready()})
}

func (s *Server) properties(c echo.Context) error {
	shown := map[string]string{}
	for name, value := range s.cfg.Properties {
		if secretKey.MatchString(name) {
			value = mask
		}
		shown[name] = value
	}
	return writeJSON(c, http.StatusOK, shown)
}

// insteadOf says what to do in the place of what Ogham does not do.
var insteadOf = map[string]string{
	"/task": "it runs the tasks of its supervisors only. POST the supervisor spec that makes such tasks to /druid/indexer/v1/supervisor, " +
		"or this task to a Druid Overlord",
	"/action": "its tasks ask their overlord in another way, and no Druid task runs here. Commits are in /ogham/v1/segments and /ogham/v1/events",
	"/worker": "it puts a task on the worker with the most free slots. A worker takes no new tasks after POST /druid/worker/v1/disable to it",
}

// notHere answers for routes of Druid that Ogham does not have.
func (s *Server) notHere(c echo.Context) error {
	path := strings.TrimPrefix(c.Path(), "/druid/indexer/v1")
	text := fmt.Sprintf("%s %s is not supported by Ogham", c.Request().Method, path)
	if why := insteadOf[path]; why != "" {
		text += ": " + why
	}
	return writeJSON(c, http.StatusNotImplemented, errorAnswer{Error: text})
}

// location is where a task runs; a null host says that it has no place.
type location struct {
	Host    *string `json:"host"`
	Port    int     `json:"port"`
	TLSPort int     `json:"tlsPort"`
}

func locationOf(t supervisor.TaskRecord) location {
	if t.Host == "" || t.State == task.StatePending {
		return location{nil, -1, -1}
	}
	host := t.Host
	return location{&host, t.Port, -1}
}
