package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	benchPartitions = 2
	benchPages      = 20_000
	benchUsers      = 50_000
	// benchBlockRow is what a row usually has room for; greater ones get an allocation of their own.
	benchBlockRow = 1024
)

var (
	benchCountries = []string{"DE", "US", "FR", "JP", "BR", "IN", "GB", "IT", "ES", "PL"}
	benchLanguages = []string{"en", "de", "fr"}
)

// benchBroker is an embedded Kafka in a process of its own, so that its memory is not the server's.
type benchBroker struct {
	addr string
	cmd  *exec.Cmd
	// ask has the process tell on counts how often it was asked for metadata or offsets.
	ask    io.WriteCloser
	counts *bufio.Scanner
}

// startBenchBroker starts one on the port, or on a free one where it is 0.
func startBenchBroker(ctx context.Context, stderr io.Writer, port int) (_ *benchBroker, err error) {
	if port == 0 {
		if port, err = freePort(); err != nil {
			return nil, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "bench-broker", strconv.Itoa(port))
	cmd.Stderr = stderr
	ask, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	counts, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded Kafka: %w", err)
	}
	b := &benchBroker{addr: "127.0.0.1:" + strconv.Itoa(port), cmd: cmd, ask: ask, counts: bufio.NewScanner(counts)}
	waitFor(ctx, 15*time.Second, func() bool {
		c, err := net.DialTimeout("tcp", b.addr, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return b, nil
}

// requests returns how often the broker was asked for metadata or offsets; 0 for one that is not ours.
func (b *benchBroker) requests() int64 {
	if b == nil {
		return 0
	}
	if _, err := fmt.Fprintln(b.ask); err != nil || !b.counts.Scan() {
		return 0
	}
	n, _ := strconv.ParseInt(b.counts.Text(), 10, 64)
	return n
}

func (b *benchBroker) stop() {
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}

// runBenchBroker is the process behind startBenchBroker.
func runBenchBroker(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("ogham bench-broker: want a port")
	}
	port, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("ogham bench-broker: port: %w", err)
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port))
	if err != nil {
		return err
	}
	var requests atomic.Int64
	for _, key := range []kmsg.Key{kmsg.Metadata, kmsg.ListOffsets} {
		c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			requests.Add(1)
			return nil, nil, false
		})
	}
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			fmt.Println(requests.Load())
		}
	}()
	<-ctx.Done()
	c.Close()
	return nil
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// benchRow appends row i: ten milliseconds after the one before, 9 columns, about 165 bytes.
func benchRow(dst []byte, i int, rnd *rand.Rand) []byte {
	dst = appendBenchTime(dst, i)
	dst = append(dst, `","page":"page_`...)
	dst = strconv.AppendInt(dst, int64(rnd.IntN(benchPages)), 10)
	dst = append(dst, `","user":"user_`...)
	dst = strconv.AppendInt(dst, int64(rnd.IntN(benchUsers)), 10)
	dst = append(dst, `","country":"`...)
	dst = append(dst, benchCountries[rnd.IntN(len(benchCountries))]...)
	dst = append(dst, `","language":"`...)
	dst = append(dst, benchLanguages[rnd.IntN(len(benchLanguages))]...)
	dst = append(dst, `","isRobot":`...)
	dst = strconv.AppendBool(dst, rnd.IntN(10) == 0)
	dst = append(dst, `,"added":`...)
	dst = strconv.AppendInt(dst, int64(rnd.IntN(1000)), 10)
	dst = append(dst, `,"deleted":`...)
	dst = strconv.AppendInt(dst, int64(rnd.IntN(100)), 10)
	dst = append(dst, `,"delta":`...)
	dst = strconv.AppendFloat(dst, float64(rnd.IntN(1_000_000))/1000, 'f', 3, 64)
	return append(dst, '}')
}

// rowMaker appends row i of a topic.
type rowMaker func(dst []byte, i int, rnd *rand.Rand) []byte

// produceBench makes a topic and returns the bytes of its rows.
func produceBench(ctx context.Context, bootstrap, topic string, partitions int32, rows int, row rowMaker) (int64, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(100_000), kgo.MaxBufferedBytes(256<<20),
		kgo.ProducerBatchMaxBytes(900_000))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(ctx, partitions, 1, nil, topic); err != nil {
		return 0, err
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var failed atomic.Value
	bytes := int64(0)
	var block []byte // many rows in one allocation; a block is given up with the last of its records
	for i := range rows {
		if cap(block)-len(block) < 2*benchBlockRow {
			block = make([]byte, 0, 64*benchBlockRow)
		}
		at := len(block)
		block = row(block, i, rnd)
		value := block[at:len(block):len(block)]
		bytes += int64(len(value))
		client.Produce(ctx, &kgo.Record{Partition: int32(i) % partitions, Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.CompareAndSwap(nil, err)
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		return 0, err
	}
	if err, ok := failed.Load().(error); ok {
		return 0, err
	}
	return bytes, nil
}

// consumeBench reads the topic as fast as franz-go does and touches every value.
func consumeBench(ctx context.Context, bootstrap, topic string, partitions int32, rows int) (time.Duration, error) {
	from := map[int32]kgo.Offset{}
	for p := range partitions {
		from[p] = kgo.NewOffset().AtStart()
	}
	began := time.Now()
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	seen, bytes := 0, 0
	for seen < rows {
		f := client.PollFetches(ctx)
		if err := f.Err0(); err != nil {
			return 0, err
		}
		f.EachRecord(func(r *kgo.Record) { seen++; bytes += len(r.Value) })
	}
	return time.Since(began), nil
}

func deleteTopic(ctx context.Context, bootstrap, topic string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = kadm.NewClient(client).DeleteTopic(ctx, topic)
	return err
}
