package e2e

import (
	"context"
	"math"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// broker is a Kafka: one in the test process, or a real one.
type broker struct {
	t       *testing.T
	servers string
}

// newBroker starts a Kafka in the test process.
func newBroker(t *testing.T, opts ...kfake.Opt) *broker {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &broker{t: t, servers: strings.Join(c.ListenAddrs(), ",")}
}

func (b *broker) client(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(strings.Split(b.servers, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(5 * time.Millisecond),
	}, opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

func (b *broker) createTopic(topic string, partitions int32) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := kadm.NewClient(b.client()).CreateTopic(ctx, partitions, 1, nil, topic); err != nil {
		b.t.Fatalf("create topic %s: %v", topic, err)
	}
}

// deleteBefore has the broker forget the records of a partition before an offset.
func (b *broker) deleteBefore(topic string, partition int32, offset int64) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, partition, offset, -1)
	deleted, err := kadm.NewClient(b.client()).DeleteRecords(ctx, offsets)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		b.t.Fatalf("delete the records of %s before %d: %v", topic, offset, err)
	}
}

// producer sends rows in their order, row n to partition n modulo the number of partitions.
type producer struct {
	t          *testing.T
	client     *kgo.Client
	topic      string
	partitions int64
	sent       int64

	mu  sync.Mutex // guards err
	err error
}

func (b *broker) producer(topic string, partitions int64, opts ...kgo.Opt) *producer {
	b.t.Helper()
	return &producer{t: b.t, client: b.client(opts...), topic: topic, partitions: partitions}
}

// record sends bytes as they are.
func (p *producer) record(partition int64, value []byte) {
	p.client.Produce(context.Background(), &kgo.Record{Topic: p.topic, Partition: int32(partition), Value: value}, func(_ *kgo.Record, err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if err != nil && p.err == nil {
			p.err = err
		}
	})
}

// send sends the next n rows.
func (p *producer) send(n int64) {
	for range n {
		p.record(p.sent%p.partitions, message(p.sent))
		p.sent++
	}
}

// flush waits until all that was sent is stored.
func (p *producer) flush() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := p.client.Flush(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || p.err != nil {
		p.t.Fatalf("produce: %v, %v", err, p.err)
	}
}

// flow sends rows until it is told to stop: many of them at a steady pace, and then, for a test that a slow machine takes
// long for, at an eighth of it. There are always rows to come, and never too many to count.
func (p *producer) flow(stop <-chan struct{}, perTick, many int64) {
	p.stream(stop, perTick, many)
	p.stream(stop, max(1, perTick/8), math.MaxInt64)
}

// stream sends rows at a steady pace until it is told to stop or has sent limit of them.
func (p *producer) stream(stop <-chan struct{}, perTick, limit int64) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for p.sent < limit {
		select {
		case <-stop:
			return
		case <-tick.C:
			p.send(min(perTick, limit-p.sent))
		}
	}
}

// deadPort is an address that refuses connections and that nobody else can take: the socket is bound and does not listen.
type deadPort struct {
	t    *testing.T
	file *os.File
	addr string
}

func newDeadPort(t *testing.T) *deadPort {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	d := &deadPort{t: t, file: os.NewFile(uintptr(fd), "dead port")}
	t.Cleanup(func() { _ = d.file.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	d.addr = (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String()
	return d
}

// live starts a Kafka at the address.
func (d *deadPort) live() *broker {
	d.t.Helper()
	return newBroker(d.t, kfake.ListenFn(func(string, string) (net.Listener, error) {
		if err := syscall.Listen(int(d.file.Fd()), 128); err != nil {
			return nil, os.NewSyscallError("listen", err)
		}
		return net.FileListener(d.file)
	}))
}
