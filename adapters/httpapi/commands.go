package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// submit creates a supervisor or updates it. What can never run here is refused before anything happens.
func (s *Server) submit(c echo.Context) error {
	body, err := s.readBody(c)
	if err != nil {
		return err
	}
	parsed, err := spec.Parse(body)
	if err != nil {
		return err
	}
	if err := supported(parsed); err != nil {
		return err
	}
	parsed = parsed.WithWarnings(s.cfg.SpecWarnings(parsed))
	for _, w := range parsed.Warnings() {
		s.cfg.Logger.Warn("a spec is read leniently", "request", requestID(c), "supervisor", parsed.ID(), "path", w.Path, "reason", redact(w.Message))
	}
	ctx, cancel := s.bound(c)
	defer cancel()
	skip := strings.EqualFold(c.QueryParam("skipRestartIfUnmodified"), "true")
	if err := s.cfg.Overlord.Submit(ctx, parsed, skip); err != nil {
		return err
	}
	warn(c, parsed.Warnings())
	return writeJSON(c, http.StatusOK, idAnswer{parsed.ID()})
}

func (s *Server) suspend(c echo.Context) error { return s.switchTo(c, s.cfg.Overlord.Suspend) }
func (s *Server) resume(c echo.Context) error  { return s.switchTo(c, s.cfg.Overlord.Resume) }

func (s *Server) switchTo(c echo.Context, do func(context.Context, string) (json.RawMessage, error)) error {
	ctx, cancel := s.bound(c)
	defer cancel()
	now, err := do(ctx, segment(c, "id"))
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, now)
}

func (s *Server) reset(c echo.Context) error     { return s.order(c, s.cfg.Overlord.Reset) }
func (s *Server) terminate(c echo.Context) error { return s.order(c, s.cfg.Overlord.Terminate) }

func (s *Server) order(c echo.Context, do func(context.Context, string) error) error {
	ctx, cancel := s.bound(c)
	defer cancel()
	id := segment(c, "id")
	if err := do(ctx, id); err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, idAnswer{id})
}

func (s *Server) suspendAll(c echo.Context) error {
	return s.forAll(c, func(sup supervisor.Summary) bool { return !sup.Suspended },
		func(ctx context.Context, id string) error { _, err := s.cfg.Overlord.Suspend(ctx, id); return err })
}

func (s *Server) resumeAll(c echo.Context) error {
	return s.forAll(c, func(sup supervisor.Summary) bool { return sup.Suspended },
		func(ctx context.Context, id string) error { _, err := s.cfg.Overlord.Resume(ctx, id); return err })
}

func (s *Server) terminateAll(c echo.Context) error {
	return s.forAll(c, func(supervisor.Summary) bool { return true }, s.cfg.Overlord.Terminate)
}

// forAll commands every supervisor that matches, and ends at the first error, as Druid does. A refusal says that
// somebody else was faster, so that what was asked for holds.
func (s *Server) forAll(c echo.Context, match func(supervisor.Summary) bool, do func(context.Context, string) error) error {
	for _, sup := range s.cfg.Views.Supervisors() {
		if !match(sup) {
			continue
		}
		ctx, cancel := s.bound(c)
		err := do(ctx, sup.ID)
		cancel()
		var refusal *supervisor.Refusal
		if err != nil && !errors.As(err, &refusal) {
			return err
		}
	}
	return writeJSON(c, http.StatusOK, map[string]string{"status": "success"})
}

// readObject reads a JSON object as Druid's mapper does: what follows it is ignored. It is nil for an empty body and for
// null.
func readObject(body []byte) (map[string]json.RawMessage, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	var raw json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&raw); err != nil {
		return nil, &badRequest{"the request body is not JSON: " + err.Error()}
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, &badRequest{fmt.Sprintf("the request body must be a JSON object, it was %s", kindOf(raw))}
	}
	return object, nil
}

func kindOf(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		return "nothing"
	case raw[0] == '{':
		return "an object"
	case raw[0] == '[':
		return "an array"
	case raw[0] == '"':
		return "a string"
	case raw[0] == 't', raw[0] == 'f':
		return "a boolean"
	case raw[0] == 'n':
		return "null"
	}
	return "a number"
}

// readLong reads a whole number that may be written as a string; a fraction is cut off.
func readLong(raw json.RawMessage) (int64, bool) {
	text := strings.Trim(string(bytes.TrimSpace(raw)), `"`)
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || f >= math.MaxInt64 || f <= math.MinInt64 {
		return 0, false
	}
	return int64(f), true
}

// handoff asks task groups to publish early.
func (s *Server) handoff(c echo.Context) error {
	body, err := s.readBody(c)
	if err != nil {
		return err
	}
	object, err := readObject(body)
	if err != nil {
		return err
	}
	var items []json.RawMessage
	if raw, ok := object["taskGroupIds"]; ok {
		if err := json.Unmarshal(raw, &items); err != nil {
			return &badRequest{fmt.Sprintf("taskGroupIds must be a list of numbers, it was %s", kindOf(raw))}
		}
	}
	if len(items) == 0 {
		return &badRequest{"List of task groups to handoff can't be empty"}
	}
	numbers := make([]int, len(items))
	for i, item := range items {
		n, ok := readLong(item)
		if !ok || n > math.MaxInt32 || n < math.MinInt32 {
			return &badRequest{fmt.Sprintf("Cannot deserialize value of type `int` from %s: not a valid `int` value", describe(item))}
		}
		numbers[i] = int(n)
	}
	ctx, cancel := s.bound(c)
	defer cancel()
	if err := s.cfg.Overlord.Handoff(ctx, segment(c, "id"), numbers); err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentType, mimeJSON)
	return c.NoContent(http.StatusOK)
}

func describe(raw json.RawMessage) string {
	if kindOf(raw) == "a string" {
		return "String " + string(raw)
	}
	return string(raw)
}

// resetOffsets sets committed offsets. What Druid takes to nobody's good is refused: a body that is empty or null, which
// it takes for a full reset, and offsets that can never be read, which make every run fail.
func (s *Server) resetOffsets(c echo.Context) error {
	body, err := s.readBody(c)
	if err != nil {
		return err
	}
	if kindOf(body) == "an array" {
		// Druid takes an array for a type's name and the value; what it asks for is the name.
		return &badRequest{"Unexpected token (" + firstToken(body) + "), expected VALUE_STRING: need JSON String that contains type id" +
			" (for subtype of " + metadataClass + ")"}
	}
	object, err := readObject(body)
	if err != nil {
		return err
	}
	if object == nil {
		return &badRequest{"Reset dataSourceMetadata is required for resetOffsets."}
	}
	stream, offsets, err := readMetadata(object)
	if err != nil {
		return err
	}
	ctx, cancel := s.bound(c)
	defer cancel()
	id := segment(c, "id")
	if err := s.cfg.Overlord.ResetOffsets(ctx, id, stream, offsets); err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, idAnswer{id})
}

// firstToken is Jackson's name of the first token in an array.
func firstToken(array json.RawMessage) string {
	d := json.NewDecoder(bytes.NewReader(array))
	_, _ = d.Token()
	t, _ := d.Token()
	switch t {
	case json.Delim(']'):
		return "END_ARRAY"
	case json.Delim('['):
		return "START_ARRAY"
	case json.Delim('{'):
		return "START_OBJECT"
	case true:
		return "VALUE_TRUE"
	case false:
		return "VALUE_FALSE"
	case nil:
		return "VALUE_NULL"
	}
	if _, ok := t.(string); ok {
		return "VALUE_STRING"
	}
	return "VALUE_NUMBER"
}

const metadataClass = "org.apache.druid.indexing.overlord.DataSourceMetadata"

// readMetadata reads Druid's KafkaDataSourceMetadata.
func readMetadata(object map[string]json.RawMessage) (stream string, offsets task.Offsets, err error) {
	var kind string
	if json.Unmarshal(object["type"], &kind) != nil || kind == "" {
		return "", nil, &badRequest{"Could not resolve subtype of [simple type, class " + metadataClass + "]: missing type id property 'type'"}
	}
	if kind != "kafka" {
		return "", nil, &badRequest{fmt.Sprintf("Could not resolve type id '%s' as a subtype of `%s` known type ids = [kafka]", kind, metadataClass)}
	}
	var partitions map[string]json.RawMessage
	if json.Unmarshal(object["partitions"], &partitions) != nil || partitions == nil {
		return "", nil, &badRequest{"partitions must be an object with the stream and its partitionOffsetMap"}
	}
	if json.Unmarshal(partitions["type"], &kind) == nil && kind == "start" {
		return "", nil, &badRequest{"Sequence numbers can only be of type[end], but found[start]."}
	}
	if json.Unmarshal(partitions["stream"], &stream) != nil || stream == "" {
		if json.Unmarshal(partitions["topic"], &stream) != nil || stream == "" {
			return "", nil, &badRequest{problemIn("stream")}
		}
	}
	raw, ok := partitions["partitionSequenceNumberMap"]
	if !ok || kindOf(raw) == "null" {
		raw = partitions["partitionOffsetMap"]
	}
	var entries map[string]json.RawMessage
	if json.Unmarshal(raw, &entries) != nil || entries == nil {
		return "", nil, &badRequest{problemIn("partitionIdToSequenceNumberMap")}
	}
	offsets = task.Offsets{}
	for key, value := range entries {
		p := task.Partition(key)
		if _, ok := p.Number(); !ok {
			return "", nil, &badRequest{fmt.Sprintf("For input string: %q (through reference chain: [\"partitions\"]->[\"partitionOffsetMap\"])", key)}
		}
		at, ok := readLong(value)
		if !ok || at < 0 || at == task.NoEnd {
			return "", nil, &badRequest{fmt.Sprintf("partitionOffsetMap: partition [%s] cannot be set to offset %s", key, value)}
		}
		offsets[p] = at
	}
	return stream, offsets, nil
}

func problemIn(what string) string {
	return "Cannot construct instance of `org.apache.druid.indexing.seekablestream.SeekableStreamEndSequenceNumbers`, problem: " + what
}
