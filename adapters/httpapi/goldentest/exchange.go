package goldentest

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Exchange is one recorded request and its answer.
type Exchange struct {
	// File is the name of its file, without the folder and the suffix.
	File    string `json:"file"`
	Name    string `json:"name"`
	Request struct {
		Method     string            `json:"method"`
		Path       string            `json:"path"`
		Headers    map[string]string `json:"headers"`
		Body       *string           `json:"body"`
		BodyBase64 string            `json:"bodyBase64"`
		// BodyLength is there where the recording has cut the body.
		BodyLength int `json:"bodyLength,omitempty"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	} `json:"response"`
	Notes string `json:"notes"`
}

// Answer is what a server said.
type Answer struct {
	Status int
	Header http.Header
	// Body is decompressed.
	Body []byte
}

// Root returns the folder of all goldens: OGHAM_GOLDENS where it is set, else shared/goldens beside the repository. It
// is false where there is none, as in a bare clone.
func Root() (string, bool) {
	if dir := os.Getenv("OGHAM_GOLDENS"); dir != "" {
		return dir, true
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", false
		}
		dir = up
	}
	root := filepath.Join(filepath.Dir(dir), "shared", "goldens")
	_, err = os.Stat(root)
	return root, err == nil
}

// Pack writes exchanges into one compressed file, which Unpack reads: for the copies that a bare clone needs.
func Pack(file string, all []Exchange) error {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("pack exchanges: %w", err)
	}
	if err := errors.Join(json.NewEncoder(w).Encode(all), w.Close()); err != nil {
		return fmt.Errorf("pack exchanges: %w", err)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// Unpack reads what Pack wrote.
func Unpack(file string) ([]Exchange, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("unpack exchanges: %w", err)
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("unpack exchanges %s: %w", file, err)
	}
	var all []Exchange
	if err := json.NewDecoder(r).Decode(&all); err != nil {
		return nil, fmt.Errorf("unpack exchanges %s: %w", file, err)
	}
	return all, nil
}

// Load reads the exchanges of a scenario's folder in their order.
func Load(dir string) ([]Exchange, error) {
	files, err := filepath.Glob(filepath.Join(dir, "[0-9]*.json"))
	if err != nil {
		return nil, fmt.Errorf("load exchanges: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("load exchanges: there are none in %s", dir)
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	all := make([]Exchange, len(files))
	for i, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("load exchange: %w", err)
		}
		if err := json.Unmarshal(b, &all[i]); err != nil {
			return nil, fmt.Errorf("load exchange %s: %w", file, err)
		}
		all[i].File = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return all, nil
}

func number(file string) int {
	digits, _, _ := strings.Cut(filepath.Base(file), "-")
	n, _ := strconv.Atoi(digits)
	return n
}

// body returns the bytes that were sent.
func (x Exchange) body() ([]byte, error) {
	if x.Request.BodyBase64 != "" {
		return base64.StdEncoding.DecodeString(x.Request.BodyBase64)
	}
	if x.Request.Body == nil {
		return nil, nil
	}
	return []byte(*x.Request.Body), nil
}

// Send sends the request byte for byte as it was recorded: paths that a client library would correct are part of the
// recordings.
func Send(ctx context.Context, address string, x Exchange) (Answer, error) {
	body, err := x.body()
	if err != nil {
		return Answer{}, fmt.Errorf("send %s: %w", x.File, err)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return Answer{}, fmt.Errorf("send %s: %w", x.File, err)
	}
	defer conn.Close()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(time.Minute)
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return Answer{}, fmt.Errorf("send %s: %w", x.File, err)
	}
	var msg bytes.Buffer
	fmt.Fprintf(&msg, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", x.Request.Method, x.Request.Path, address)
	for _, name := range slices.Sorted(maps.Keys(x.Request.Headers)) {
		fmt.Fprintf(&msg, "%s: %s\r\n", name, x.Request.Headers[name])
	}
	if body != nil || x.Request.Method == http.MethodPost || x.Request.Method == http.MethodPut {
		fmt.Fprintf(&msg, "Content-Length: %d\r\n", len(body))
	}
	msg.WriteString("\r\n")
	msg.Write(body)
	if _, err := conn.Write(msg.Bytes()); err != nil {
		return Answer{}, fmt.Errorf("send %s: %w", x.File, err)
	}
	return receive(conn, x)
}

func receive(conn io.Reader, x Exchange) (Answer, error) {
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: x.Request.Method})
	if err != nil {
		return Answer{}, fmt.Errorf("answer to %s: %w", x.File, err)
	}
	defer res.Body.Close()
	var r io.Reader = res.Body
	if res.Header.Get("Content-Encoding") == "gzip" {
		if r, err = gzip.NewReader(res.Body); err != nil {
			return Answer{}, fmt.Errorf("answer to %s: %w", x.File, err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return Answer{}, fmt.Errorf("answer to %s: %w", x.File, err)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: b}, nil
}
