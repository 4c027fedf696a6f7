package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
)

// routes is every route there is. The marks say what is checked before the handler, in Druid's order: leads (only the
// leader answers, others redirect), takesJSON (415), givesJSON (406), knownID and knownTask (404).
func (s *Server) routes() {
	s.echo.Pre(s.watch, s.normalise)
	s.echo.Use(middleware.GzipWithConfig(middleware.GzipConfig{Skipper: isStream}))
	leads, takes, gives := s.leads, s.takesJSON, s.givesJSON

	d := s.echo.Group("/druid/indexer/v1")
	d.Add(get, "/supervisor", s.listSupervisors, leads, gives)
	d.Add(post, "/supervisor", s.submit, leads, takes, gives)
	d.Add(get, "/supervisor/history", s.allHistories, leads, gives)
	d.Add(post, "/supervisor/suspendAll", s.suspendAll, leads, gives)
	d.Add(post, "/supervisor/resumeAll", s.resumeAll, leads, gives)
	d.Add(post, "/supervisor/terminateAll", s.terminateAll, leads, gives)
	d.Add(get, "/supervisor/:id/history", s.history, leads, gives)

	known := []echo.MiddlewareFunc{leads, gives, s.knownID}
	d.Add(get, "/supervisor/:id", s.spec, known...)
	d.Add(get, "/supervisor/:id/status", s.status, known...)
	d.Add(get, "/supervisor/:id/health", s.health, known...)
	d.Add(get, "/supervisor/:id/stats", s.stats, known...)
	d.Add(get, "/supervisor/:id/parseErrors", s.parseErrors, known...)
	d.Add(post, "/supervisor/:id/suspend", s.suspend, known...)
	d.Add(post, "/supervisor/:id/resume", s.resume, known...)
	d.Add(post, "/supervisor/:id/reset", s.reset, known...)
	d.Add(post, "/supervisor/:id/terminate", s.terminate, known...)
	d.Add(post, "/supervisor/:id/shutdown", s.terminate, known...)
	d.Add(post, "/supervisor/:id/resetOffsets", s.resetOffsets, leads, takes, gives, s.knownID)
	d.Add(post, "/supervisor/:id/taskGroups/handoff", s.handoff, leads, takes, gives, s.knownID)

	d.Add(get, "/tasks", s.tasks, leads, gives)
	d.Add(get, "/runningTasks", s.tasksIn("running"), leads, gives)
	d.Add(get, "/pendingTasks", s.tasksIn("pending"), leads, gives)
	d.Add(get, "/waitingTasks", s.tasksIn("waiting"), leads, gives)
	d.Add(get, "/completeTasks", s.tasksIn("complete"), leads, gives)
	d.Add(post, "/taskStatus", s.taskStatuses, leads, takes, gives)
	d.Add(get, "/task/:id", s.taskSpec, leads, gives, s.knownTask)
	d.Add(get, "/task/:id/status", s.taskStatus, leads, gives, s.knownTask)
	d.Add(get, "/task/:id/reports", s.taskReports, leads, gives, s.knownTask)
	d.Add(get, "/task/:id/log", s.taskLog, leads, s.givesText, s.knownTask)
	d.Add(post, "/task/:id/shutdown", s.shutdownTask, leads, gives, s.knownTask)
	d.Add(post, "/datasources/:id/shutdownAllTasks", s.shutdownAllTasks, leads, gives)
	d.Add(get, "/task/:id/segments", s.taskSegments, leads, gives)
	for _, path := range []string{"/task", "/action", "/worker"} {
		d.Add(post, path, s.notHere)
	}
	d.Add(post, "/sampler", s.sample, takes, gives)
	d.Add(get, "/leader", s.leader)
	d.Add(get, "/isLeader", s.isLeader)
	d.Add(get, "/workers", s.workers, leads, gives)
	d.Add(get, "/totalWorkerCapacity", s.capacity, leads, gives)
	d.Add(get, "/worker", s.workerConfig, leads, gives)
	d.Add(post, "/worker/:id/enable", s.setWorker(true), leads, gives)
	d.Add(post, "/worker/:id/disable", s.setWorker(false), leads, gives)
	d.Add(post, "/lockedIntervals/v2", s.lockedIntervals, leads, takes, gives)

	s.workerRoutes()

	s.echo.Add(get, "/status", s.programStatus)
	s.echo.Add(get, "/status/health", s.programHealth)
	s.echo.Add(get, "/status/selfDiscovered", s.selfDiscovered)
	s.echo.Add(get, "/status/selfDiscovered/status", s.selfDiscoveredStatus)
	s.echo.Add(get, "/status/properties", s.properties)
	s.echo.Add(get, "/openapi.json", s.openapi)

	o := s.echo.Group("/ogham/v1")
	o.Add(get, "/events", s.events)
	o.Add(get, "/segments", s.segments)
	o.Add(get, "/supervisors/:id/status", s.pastStatus)
	o.Add(get, "/supervisors/:id/errors", s.pastErrors)
	o.Add(get, "/supervisors/:id/lag", s.lag)
	o.Add(get, "/supervisors/:id/offsets", s.offsets)
}

// workerRoutes are those of a Druid worker and of the tasks on it. Every process answers for every task, whether it leads
// or not, so that a client needs one address only; what a process without a worker would say of its own answers 404.
func (s *Server) workerRoutes() {
	w := s.echo.Group("/druid/worker/v1")
	w.Add(get, "/enabled", s.workerEnabled, s.givesJSON, s.hasWorker)
	w.Add(get, "/tasks", s.workerTasks, s.givesJSON, s.hasWorker)
	w.Add(post, "/enable", s.enableWorker, s.givesJSON, s.hasWorker)
	w.Add(post, "/disable", s.disableWorker, s.givesJSON, s.hasWorker)
	w.Add(get, "/task/:id/log", s.taskLog, s.givesText, s.knownTask)
	w.Add(post, "/task/:id/shutdown", s.workerShutdown, s.givesJSON, s.knownTask)

	running := []echo.MiddlewareFunc{s.givesJSON, s.chatTask}
	chat := w.Group("/chat/:id")
	chat.Add(get, "/status", s.chatStatus, running...)
	chat.Add(get, "/offsets/current", s.chatCurrent, running...)
	chat.Add(get, "/offsets/end", s.chatEnd, running...)
	chat.Add(post, "/offsets/end", s.chatSetEnd, s.takesJSON, s.givesJSON, s.chatTask)
	chat.Add(get, "/checkpoints", s.chatCheckpoints, running...)
	chat.Add(get, "/rowStats", s.chatRowStats, running...)
	chat.Add(get, "/liveReports", s.chatLiveReports, running...)
	chat.Add(get, "/unparseableEvents", s.chatUnparseable, running...)
	chat.Add(get, "/time/start", s.chatTimeStart, running...)
	chat.Add(post, "/pause", s.chatPause, running...)
	chat.Add(post, "/resume", s.chatResume, running...)
	chat.Add(post, "/stop", s.chatStop, running...)
}

// isStream says which routes write for as long as the client listens; compression would hold their lines back.
func isStream(c echo.Context) bool { return c.Path() == "/ogham/v1/events" }
