//go:build integration

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// realKafka is one broker of a real Kafka under a configuration of the test's own. It can be killed and started again on
// its data.
type realKafka struct {
	t       *testing.T
	home    string // of the jars
	dir     string
	ports   map[string]int // by listener
	starts  int
	current *process
}

// The listeners that every realKafka has, beside those that a test adds.
const (
	openListener       = "PLAINTEXT"
	controllerListener = "CONTROLLER"
)

// kafkaConfig is what a test adds to a broker's configuration.
type kafkaConfig struct {
	// listeners are further ones, by name, with their security protocol.
	listeners map[string]string
	lines     []string
	// format are further arguments for formatting the storage.
	format []string
}

// newKafka formats and starts a broker.
func newKafka(t *testing.T, cfg kafkaConfig) *realKafka {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	k := &realKafka{t: t, home: kafkaHome(t), dir: t.TempDir(), ports: map[string]int{}}
	k.configure(cfg)
	args := append([]string{"format", "--config", k.file("server.properties"), "--cluster-id", "7tl4Th8PQmG0yVbWyXPKvQ"}, cfg.format...)
	if out, err := k.java(ctx, "kafka.tools.StorageTool", args...).CombinedOutput(); err != nil {
		t.Fatalf("format Kafka's storage: %v: %s", err, out)
	}
	t.Cleanup(k.kill)
	return k.start()
}

// kafkaHome is where the jars are.
func kafkaHome(t *testing.T) string {
	t.Helper()
	l := newLab(t)
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `. "$1/common.sh" && need_jars "$KAFKA_HOME" kafka && printf %s "$KAFKA_HOME"`, "kafka", l.tools)
	cmd.Env = l.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("find Kafka: %v: %s", err, out)
	}
	return string(out)
}

func (k *realKafka) file(name string) string { return filepath.Join(k.dir, name) }

func (k *realKafka) configure(cfg kafkaConfig) {
	k.t.Helper()
	names := []string{openListener, controllerListener}
	protocols := []string{"PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT"}
	steps := []int{0, 1}
	for name, protocol := range cfg.listeners {
		steps = append(steps, len(names))
		names, protocols = append(names, name), append(protocols, name+":"+protocol)
	}
	base := freePorts(k.t, steps...)
	var listen, advertised []string
	for i, name := range names {
		k.ports[name] = base + steps[i]
		address := fmt.Sprintf("%s://127.0.0.1:%d", name, k.ports[name])
		listen = append(listen, address)
		if name != controllerListener {
			advertised = append(advertised, address)
		}
	}
	lines := append([]string{
		"process.roles=broker,controller", "node.id=1",
		fmt.Sprintf("controller.quorum.voters=1@127.0.0.1:%d", k.ports[controllerListener]),
		"controller.listener.names=" + controllerListener, "inter.broker.listener.name=" + openListener,
		"listeners=" + strings.Join(listen, ","), "advertised.listeners=" + strings.Join(advertised, ","),
		"listener.security.protocol.map=" + strings.Join(protocols, ","),
		// One that was killed may register again as soon as it is back.
		"broker.session.timeout.ms=2000", "broker.heartbeat.interval.ms=500",
		"log.dirs=" + k.file("data"), "offsets.topic.replication.factor=1", "auto.create.topics.enable=false",
		"transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
		"share.coordinator.state.topic.replication.factor=1", "share.coordinator.state.topic.min.isr=1",
	}, cfg.lines...)
	k.write("server.properties", strings.Join(lines, "\n")+"\n")
	k.write("log4j2.xml", `<Configuration status="WARN"><Appenders><Console name="C"><PatternLayout pattern="%d{ISO8601} %p %c{1.} - %m%n"/></Console></Appenders>`+
		`<Loggers><Root level="warn"><AppenderRef ref="C"/></Root></Loggers></Configuration>`)
}

func (k *realKafka) write(name, text string) {
	k.t.Helper()
	if err := os.WriteFile(k.file(name), []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

func (k *realKafka) java(ctx context.Context, class string, args ...string) *exec.Cmd {
	java := os.Getenv("JAVA")
	if java == "" {
		java = "java"
	}
	return exec.CommandContext(ctx, java, append([]string{
		"-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.configurationFile=" + k.file("log4j2.xml"),
		"-cp", filepath.Join(k.home, "libs", "*"), class,
	}, args...)...)
}

// start starts the broker and waits until it answers.
func (k *realKafka) start() *realKafka {
	k.t.Helper()
	k.starts++
	name := filepath.Join(logFolder(k.t), fmt.Sprintf("kafka-%03d.log", k.starts))
	file, err := os.Create(name)
	if err != nil {
		k.t.Fatal(err)
	}
	p := &process{cmd: k.java(context.Background(), "kafka.Kafka", k.file("server.properties")), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = file, file
	if err := startProcess(p.cmd); err != nil {
		k.t.Fatalf("start Kafka: %v", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		_ = file.Close()
		close(p.ended)
	}()
	k.current = p
	client := k.open().client()
	eventually(k.t, "Kafka answers", func() (bool, string) {
		select {
		case <-p.ended:
			said, _ := os.ReadFile(name)
			k.t.Fatalf("Kafka ended: %v\n%s", p.err, clip(string(said)))
		default:
		}
		err := client.Ping(k.t.Context())
		return err == nil, fmt.Sprint(err)
	})
	return k
}

// kill ends the broker at once.
func (k *realKafka) kill() {
	if k.current != nil {
		_ = k.current.cmd.Process.Kill()
		<-k.current.ended
	}
}

// at is the address of a listener.
func (k *realKafka) at(listener string) string { return fmt.Sprintf("127.0.0.1:%d", k.ports[listener]) }

// open is the broker by its open listener.
func (k *realKafka) open() *broker { return &broker{t: k.t, servers: k.at(openListener)} }

// admin is for what a test does to topics.
func (b *broker) admin(opts ...kgo.Opt) *kadm.Client { return kadm.NewClient(b.client(opts...)) }
