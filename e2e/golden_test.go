package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ogham/adapters/httpapi/goldentest"
)

var update = flag.Bool("update", false, "rewrite the packed recordings in testdata from the goldens")

// scenario is a sequence of requests that was recorded from a real Druid, and the Kafka around it.
type scenario struct {
	name    string
	workers bool // tasks ran while it was recorded
	// noErrors says that the recorded errors came from what Ogham refuses.
	noErrors bool
	topics   []goldenTopic
	// produce sends messages of the scenario's own before it begins; nil where they are the usual ones.
	produce func(*broker)
	// before is what happens before an exchange, by its file.
	before map[string]func(*replayer)
	// shaped are exchanges whose values are of the recording's cluster, beside those that depend on the moment.
	shaped []string
	// counted are reports whose counters must be those of the recording.
	counted []string
	// differs are exchanges in which Ogham does not do as Druid does, with the status of its answer and the reason.
	differs map[string]difference
	// lived, where it is set, says that a supervisor had been made and ended before, and in what its spec was another.
	lived *strings.Replacer
	// instead, where it is set, says what is changed in what is sent and in what is expected.
	instead *strings.Replacer
	// refused are specs that Druid takes, or stumbles over, and that are refused here with 400, by the name of their
	// exchange without its number. What follows them in the recording finds no supervisor.
	refused map[string]string
}

// difference finds what an exchange differs in.
func (sc *scenario) difference(file string) (difference, bool) {
	if d, ok := sc.differs[file]; ok {
		return d, true
	}
	_, name, _ := strings.Cut(file, "-")
	for _, suffix := range []string{"-accepted-spec", "-accepted-status"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && sc.refused[base] != "" {
			return difference{404, sc.refused[base]}, true
		}
	}
	reason, ok := sc.refused[name]
	return difference{400, reason}, ok
}

type difference struct {
	status int
	reason string
}

// goldenTopic is a topic of a scenario and how many messages it gets before an exchange; "" stands for the beginning.
type goldenTopic struct {
	name       string
	partitions int32
	messages   map[string]int
	// firstLeft is the first offset of partition 0 that the broker still has.
	firstLeft int64
}

func topicOf(name string, partitions int32, messages int) goldenTopic {
	return goldenTopic{name: name, partitions: partitions, messages: map[string]int{"": messages}}
}

var scenarios = []scenario{
	{name: "01-empty", differs: map[string]difference{
		"43-id-bad-percent": {400, "net/http refuses the request line by itself, as text and not as HTML"},
	}},
	{name: "02-create-minimal", workers: true, topics: []goldenTopic{topicOf("gold_edits_minimal_topic", 2, 50)}, differs: map[string]difference{
		"14-parse-errors-running": {200, "Druid stumbles over a task without a list of errors"},
	}},
	createFull,
	{name: "05-update", workers: true, topics: []goldenTopic{topicOf("gold_edits_update_topic", 1, 200)}},
	{name: "06-offsets", workers: true, topics: []goldenTopic{topicOf("gold_edits_seek_topic", 2, 1000)}, noErrors: true, differs: map[string]difference{
		"21-bad-empty-body":  {400, "who forgets a body does not ask for a full reset"},
		"23-bad-json-null":   {400, "as 21"},
		"32-bad-offset-null": {400, "no offset"}, "42-negative-offset": {400, "every run would fail"},
	}},
	{name: "07-all-operations", topics: []goldenTopic{
		topicOf("gold_edits_all0", 1, 20), topicOf("gold_edits_all1", 1, 20), topicOf("gold_edits_all2", 1, 20),
	}},
	badSpecs,
	{name: "09-unhealthy-dead-port", topics: []goldenTopic{topicOf("gold_edits_dead_topic", 1, 30)}},
	{name: "10-unhealthy-missing-topic", topics: []goldenTopic{
		{name: "gold_edits_notopic_topic", partitions: 1, messages: map[string]int{"12-status-topic-made-unable_to_connect_to_stream-active0-publishing0-lag-zero-errors3-unhealthy": 25}},
	}},
	{name: "13-taskgroup-handoff", workers: true, topics: []goldenTopic{topicOf("gold_edits_handoff_topic", 2, 600)}},
	{name: "16-replicas", workers: true, topics: []goldenTopic{topicOf("gold_edits_replicas_topic", 2, 400)}},
	{name: "17-offset-not-available", workers: true, topics: []goldenTopic{
		{name: "gold_edits_gone_topic", partitions: 1, messages: map[string]int{"": 200}, firstLeft: 120},
	}},
	{name: "15-topic-pattern", workers: true, topics: []goldenTopic{
		topicOf("gold_edits_pattern_alpha", 2, 100), topicOf("gold_edits_pattern_beta", 2, 200),
		{name: "gold_edits_pattern_gamma", partitions: 1, messages: map[string]int{"27-status-new-topic-matches": 30}},
	}, differs: map[string]difference{
		"21-reset-offsets-plain-partition": {400, "no partition of the pattern has this name; Druid ends the tasks of a group and sets nothing"},
	}},
	{name: "18-emit-time-lag", workers: true, topics: []goldenTopic{topicOf("gold_edits_timelag_topic", 2, 300)}},
	{name: "21-odd-ids", topics: []goldenTopic{topicOf("gold_edits_odd_topic", 1, 0)}},
	failedCreation,
	samples,
}

// createFull is a spec with nearly every field. Two of them are of Druid 37, which Druid 33 drops and Ogham carries out and
// shows: it is sent as it was recorded, and what is expected, as well as the stored spec that is posted back, has the two
// and the taskCount and partitions that follow from them.
var createFull = scenario{
	name: "03-create-full", topics: []goldenTopic{topicOf("gold_edits_full_topic", 4, 100)},
	lived: strings.NewReplacer(`"emitTimeLagMetrics": false`, `"emitTimeLagMetrics": true`),
	instead: strings.NewReplacer(`"lagAggregate":"MAX"}`, `"lagAggregate":"MAX","taskCountStart":3,"stopTaskCountRatio":0.5}`,
		`"lagAggregate": "MAX"}`, `"lagAggregate": "MAX", "taskCountStart": 3, "stopTaskCountRatio": 0.5}`,
		`"taskCount":2`, `"taskCount":3`, `"taskCount": 2`, `"taskCount": 3`,
		// of the group of partition 0
		`"2":9223372036854775807`, `"3":9223372036854775807`, `{"0":0,"2":0}`, `{"0":0,"3":0}`, `\"2\":0`, `\"3\":0`),
}

// badSpecs is one wrong thing after the other. Whoever made the recording terminated what Druid had accepted.
var badSpecs = scenario{name: "08-bad-spec", topics: []goldenTopic{topicOf("gold_edits_bad", 2, 100)}, differs: map[string]difference{
	"175-huge-body": {413, "the log takes no event of 20 MB"},
}, refused: map[string]string{
	"empty-body":                       "Druid: 500, a null pointer",
	"no-body":                          "Druid: 500, a null pointer",
	"json-null":                        "Druid: 500, a null pointer",
	"bad-topicPattern":                 "Druid: 500 while the supervisor is built",
	"taskCount-negative":               "Druid: 500 while the supervisor is built",
	"empty-topic":                      "every run would fail",
	"missing-inputFormat":              "every task would fail",
	"bad-transform-expression":         "every task would fail",
	"taskCount-0":                      "every run would fail",
	"replicas-0":                       "no task would ever be made",
	"taskDuration-zero":                "every task would end before it began",
	"maxRowsInMemory-negative":         "nobody can say what it means",
	"maxRowsPerSegment-negative":       "nobody can say what it means",
	"maxParseExceptions-negative":      "nobody can say what it means",
	"maxSavedParseExceptions-negative": "nobody can say what it means",
}}

// samples are of a topic with two records that do not parse. Its messages are those of the recording to the letter: they
// are part of the answers.
var samples = scenario{name: "20-sampler", produce: func(b *broker) {
	b.createTopic("gold_edits_sample_topic", 1)
	p := b.producer("gold_edits_sample_topic", 1)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 12 {
		switch i {
		case 3:
			p.record(0, []byte("{broken"))
		case 5:
			p.record(0, []byte(`{"x":1}`))
		}
		p.record(0, fmt.Appendf(nil, `{"ts":%q,"page":"page_%d","user":"user_%d","country":%q,"added":%d,"delta":%s}`,
			start.Add(time.Duration(i)*time.Second).Format("2006-01-02T15:04:05.000Z"), i%50, i*7%200, []string{"DE", "US", "FR", "JP"}[i%4], i%1000,
			quarters(i)))
	}
	p.flush()
}, differs: map[string]difference{
	"11-empty-body": {400, "Druid: 500, a null pointer"},
}}

// quarters is a fourth of a whole number as JSON libraries write doubles.
func quarters(i int) string {
	text := strconv.FormatFloat(float64(i)/4, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// failedCreation is about a spec whose supervisor cannot be built. Here it is refused before anything happens, so that
// the supervisor that ran before goes on.
var failedCreation = scenario{name: "24-after-failed-creation", topics: []goldenTopic{topicOf("gold_edits_left_topic", 1, 0)}, differs: map[string]difference{
	"01-create-answers-500":         {400, "Druid finds out while it builds the supervisor"},
	"09-update-answers-500":         {400, "Druid finds out while it builds the supervisor"},
	"10-spec-after-failed-update":   {200, "the supervisor that ran before is not touched"},
	"11-status-after-failed-update": {200, "the supervisor that ran before is not touched"},
	"12-list-after-failed-update":   {200, "the supervisor that ran before is not touched"},
	"15-history-after-good-again":   {200, "the spec that ran before is the same one: there is no new version"},
}}

// deadPortScenario waits a minute for a broker at each run, as a Java client does by default.
var deadPortScenario = scenario{name: "09b-unhealthy-dead-port-default-timeouts"}

// autoTopicScenario has a broker that makes a topic which is asked for, as it does by default.
var autoTopicScenario = scenario{name: "10b-missing-topic-auto-created"}

// longScenario takes minutes of a task's duration.
var longScenario = scenario{name: "04-life", workers: true, topics: []goldenTopic{
	{name: "gold_edits_story_topic", partitions: 2, messages: map[string]int{"": 60_000, "19-status-running-active0-publishing1-lag-zero": 2000, "28-suspend": 2000}},
}}

// idleScenario takes a minute of a task's duration, and the half of one in which new messages are seen.
var idleScenario = scenario{name: "14-idle", workers: true, topics: []goldenTopic{
	{name: "gold_edits_calm_topic", partitions: 1, messages: map[string]int{"": 40, "14-status-new-messages-idle-active0-publishing0-lag-zero": 10}},
}}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			replay(t, sc)
		})
	}
}

// packedGolden is the copy of a scenario that a bare clone has: of the HTTP adapter's tests, or ours.
func packedGolden(name string) string {
	file := filepath.Join("..", "adapters", "httpapi", "testdata", name+".json.gz")
	if _, err := os.Stat(file); err != nil {
		file = filepath.Join("testdata", name+".json.gz")
	}
	return file
}

func exchangesOf(t *testing.T, name string) []goldentest.Exchange {
	t.Helper()
	root, ok := goldentest.Root()
	if !ok {
		all, err := goldentest.Unpack(packedGolden(name))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all, err := goldentest.Load(filepath.Join(root, "http", name))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := goldentest.Pack(packedGolden(name), all); err != nil {
			t.Fatal(err)
		}
	}
	copied, err := goldentest.Unpack(packedGolden(name))
	if err != nil || !reflect.DeepEqual(all, copied) {
		t.Errorf("the packed copy of %s is not what was recorded, run the test with -update: %v", name, err)
	}
	return all
}

// produceGolden sends the messages that all scenarios are made of: message i is always the same.
func produceGolden(p *producer, from, count int) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := from; i < from+count; i++ {
		p.record(int64(i)%p.partitions, fmt.Appendf(nil, `{"ts":%q,"page":"page_%d","user":"user_%d","country":%q,"added":%d,"delta":%g}`,
			start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i%50, i*7%200, []string{"DE", "US", "FR", "JP"}[i%4], i%1000, float64(i%100)/4))
	}
	p.flush()
}

// replayer sends the exchanges of a scenario to a server of its own.
type replayer struct {
	t     *testing.T
	sc    scenario
	b     *broker
	s     *server
	sent  map[string]int
	tasks map[string]string // recorded task id → ours
	doc   *goldentest.Document
}

func replay(t *testing.T, sc scenario) {
	t.Helper()
	replayOn(t, sc, newBroker(t))
}

// replayOn is replay with a broker of the caller's.
func replayOn(t *testing.T, sc scenario, b *broker) {
	t.Helper()
	exchanges := exchangesOf(t, sc.name)
	roles := "overlord"
	if sc.workers {
		roles = "overlord,worker"
	}
	r := &replayer{t: t, sc: sc, b: b, sent: map[string]int{}, tasks: map[string]string{}}
	r.feed("")
	if sc.produce != nil {
		sc.produce(r.b)
	}
	r.s = newServer(t, "golden-"+sc.name[:2], "--roles", roles).start()
	_, text, err := r.s.call("GET", "/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.doc, err = goldentest.ReadDocument(text); err != nil {
		t.Fatal(err)
	}
	if sc.lived != nil {
		r.live(exchanges[0])
	}
	for _, x := range exchanges {
		r.feed(x.File)
		if do := sc.before[x.File]; do != nil {
			do(r)
		}
		if diffs := r.exchange(x); diffs != nil {
			t.Errorf("%s (%s %s):\n  %s", x.File, x.Request.Method, x.Request.Path, strings.Join(diffs, "\n  "))
		}
		r.terminateAccepted(x)
	}
}

// live makes the supervisor of a scenario's first exchange, and ends it.
func (r *replayer) live(x goldentest.Exchange) {
	r.t.Helper()
	var made struct {
		ID string `json:"id"`
	}
	r.s.must("POST", supervisorPath, []byte(r.sc.lived.Replace(r.adapted(*x.Request.Body))), &made)
	r.s.must("POST", pathOf(made.ID, "/terminate"), nil, nil)
}

// terminateAccepted does what was done between two recorded exchanges: what Druid had accepted of bad specs was ended.
func (r *replayer) terminateAccepted(x goldentest.Exchange) {
	r.t.Helper()
	if path, ok := strings.CutSuffix(x.Request.Path, "/status"); ok && strings.HasSuffix(x.File, "-accepted-status") {
		if status, body, err := r.s.call("POST", path+"/terminate", nil); err != nil || status != 200 && status != 404 {
			r.t.Errorf("terminate after %s: %d %v %s", x.File, status, err, clip(string(body)))
		}
	}
}

// cutMark stands where a recorded body is left out.
const cutMark = "...(cut)..."

// whole makes a body that the recording has cut: the same spec with as long a text in its context as was sent.
func whole(t *testing.T, x goldentest.Exchange) goldentest.Exchange {
	t.Helper()
	if x.Request.BodyLength == 0 {
		return x
	}
	const spec = `{"type":"kafka","spec":{"dataSchema":{"dataSource":"gold_edits_huge","timestampSpec":{"column":"ts"},"dimensionsSpec":{}},` +
		`"ioConfig":{"topic":"gold_edits_bad","inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":"` + recordedBroker + `"}}},` +
		`"context":{"pad":"%s"}}`
	if x.Request.Body == nil || !strings.Contains(*x.Request.Body, cutMark) {
		t.Fatalf("%s: the body of %d bytes is cut in an unknown way", x.File, x.Request.BodyLength)
	}
	body := fmt.Sprintf(spec, strings.Repeat("x", x.Request.BodyLength-len(spec)+len("%s")))
	x.Request.Body = &body
	return x
}

// refusal tells what an answer to a bad spec lacks: the text, and every problem with its place.
func refusal(body []byte) string {
	var answer struct {
		Error    string `json:"error"`
		Problems []struct {
			Path    string `json:"path"`
			Message string `json:"message"`
		} `json:"problems"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error == "" || len(answer.Problems) == 0 {
		return fmt.Sprintf("the refusal has no error or no problems (%v): %s", err, clip(string(body)))
	}
	for _, p := range answer.Problems {
		if !strings.HasPrefix(p.Path, "$") || p.Message == "" {
			return fmt.Sprintf("a problem has no place or no text: %s", clip(string(body)))
		}
	}
	return ""
}

// feed sends the messages that came before an exchange. A topic is made with its first ones.
func (r *replayer) feed(before string) {
	r.t.Helper()
	for _, topic := range r.sc.topics {
		n, ok := topic.messages[before]
		if !ok {
			continue
		}
		if _, known := r.sent[topic.name]; !known {
			r.b.createTopic(topic.name, topic.partitions)
		}
		produceGolden(r.b.producer(topic.name, int64(topic.partitions)), r.sent[topic.name], n)
		r.sent[topic.name] += n
		if topic.firstLeft > 0 {
			r.b.deleteBefore(topic.name, 0, topic.firstLeft)
		}
	}
}

const recordedBroker = "127.0.0.1:19092"

// poll matches exchanges whose answers depend on the moment; only their shape is compared, once the server has come to the
// recorded point.
var poll = regexp.MustCompile(`status|stats|list-state-resumed|tasks|reports|health`)

// exchange sends one request. Answers to GET may have to be waited for.
func (r *replayer) exchange(x goldentest.Exchange) []string {
	r.t.Helper()
	x = whole(r.t, x)
	if x.Request.Body != nil {
		body := r.adapted(*x.Request.Body)
		x.Request.Body = &body
	}
	x.Response.Body = r.adapted(x.Response.Body)
	x = r.withOurAddress(x)
	mode := goldentest.Exact
	if poll.MatchString(x.File) && !strings.Contains(x.File, "chat-") || slices.Contains(r.sc.shaped, x.File) {
		mode = goldentest.Shape
	}
	if x.Request.Method != "GET" {
		return r.try(r.withOurTasks(x), mode)
	}
	limit := patience // what is known at once does not need it, but who has ended may take a moment
	if mode != goldentest.Exact {
		limit *= 2 // a run that waits for a broker fails after a minute, and three of them make a supervisor unhealthy
	}
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		diffs := r.try(r.withOurTasks(x), mode)
		if diffs == nil || time.Now().After(deadline) {
			return diffs
		}
		<-tick.C
	}
}

// adapted is a recorded text with our broker, and with what the scenario changes.
func (r *replayer) adapted(text string) string {
	text = strings.ReplaceAll(text, recordedBroker, r.b.servers)
	if r.sc.instead != nil {
		text = r.sc.instead.Replace(text)
	}
	return text
}

// submits says whether a request posts a spec.
func submits(x goldentest.Exchange) bool {
	path, _, _ := strings.Cut(x.Request.Path, "?")
	return x.Request.Method == "POST" && strings.TrimRight(path, "/") == supervisorPath
}

func (r *replayer) try(x goldentest.Exchange, mode goldentest.Mode) []string {
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	got, err := goldentest.Send(ctx, strings.TrimPrefix(r.s.url(), "http://"), x)
	if err != nil {
		return []string{err.Error()}
	}
	if diffs := r.doc.Check(x, got); diffs != nil {
		return diffs
	}
	if d, ok := r.sc.difference(x.File); ok {
		if got.Status != d.status {
			return []string{fmt.Sprintf("status is %d, want %d: %s: %s", got.Status, d.status, d.reason, clip(string(got.Body)))}
		}
		if submits(x) && d.status == 400 {
			if lack := refusal(got.Body); lack != "" {
				return []string{lack}
			}
		}
		return nil
	}
	if diff := r.notThere(x, got.Body); diff != "" {
		return []string{diff}
	}
	diffs := goldentest.Compare(x, got, mode)
	if len(diffs) == 0 && slices.Contains(r.sc.counted, x.File) {
		diffs = compareCounts(got.Body, []byte(x.Response.Body))
	}
	return diffs
}

var statusFile = regexp.MustCompile(`status.*-(running|idle|suspended|unable_to_connect_to_stream)-active(\d)(.*)-publishing0`)

// notThere tells what a status lacks of the recorded point. States that pass within moments may be over already, and are
// not waited for.
func (r *replayer) notThere(x goldentest.Exchange, body []byte) string {
	m := statusFile.FindStringSubmatch(x.File)
	if m == nil || x.Response.Status != 200 {
		return ""
	}
	var st struct {
		Payload struct {
			DetailedState string `json:"detailedState"`
			ActiveTasks   []struct {
				CurrentOffsets map[string]int64 `json:"currentOffsets"`
			} `json:"activeTasks"`
			RecentErrors []any `json:"recentErrors"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(body, &st); err != nil {
		return err.Error()
	}
	p, read := st.Payload, false
	for _, t := range p.ActiveTasks {
		read = read || len(t.CurrentOffsets) > 0
	}
	switch {
	case !strings.EqualFold(p.DetailedState, m[1]) && !strings.Contains(x.File, "topic-made-unable"):
		return fmt.Sprintf("detailedState is %s, recorded %s", p.DetailedState, m[1])
	case strings.Contains(m[3], "-offsets") && !read:
		return fmt.Sprintf("no active task has offsets: %s", clip(string(body)))
	case !r.sc.noErrors && strings.Contains(x.File, "-errors") && len(p.RecentErrors) == 0:
		return "there are no recentErrors"
	}
	return ""
}
