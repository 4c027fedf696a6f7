package segment

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Limits of what is read whole.
const (
	maxContents = 64 << 20 // the table of contents
	maxUnzipped = 4 << 30  // all files of an index.zip together
)

func itoa(i int) string { return strconv.Itoa(i) }

// source gives the files of a segment.
type source interface {
	// open returns the bytes of a file, valid until close; fs.ErrNotExist is
	// wrapped where there is none.
	open(name string) ([]byte, error)
	close() error
}

// openSource takes a folder or a zip.
func openSource(path string) (source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	if info.IsDir() {
		return &folder{dir: path}, nil
	}
	return openZip(path)
}

// folder maps the files of a segment folder.
type folder struct {
	dir    string
	mapped [][]byte
}

func (d *folder) open(name string) ([]byte, error) {
	f, err := os.Open(filepath.Join(d.dir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, corruptf(name, "not a file")
	}
	if info.Size() == 0 {
		return nil, nil
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", name, err)
	}
	d.mapped = append(d.mapped, b)
	return b, nil
}

func (d *folder) close() error {
	var err error
	for _, b := range d.mapped {
		err = errors.Join(err, unix.Munmap(b))
	}
	d.mapped = nil
	if err != nil {
		return fmt.Errorf("unmap segment: %w", err)
	}
	return nil
}

// zipped holds the unzipped files of an index.zip.
type zipped map[string][]byte

func openZip(path string) (source, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		if errors.Is(err, zip.ErrFormat) {
			return nil, corruptf(filepath.Base(path), "neither a folder nor a zip")
		}
		return nil, fmt.Errorf("open segment: %w", err)
	}
	defer z.Close()
	files, room := zipped{}, int64(maxUnzipped)
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		b, err := unzip(f, room)
		if err != nil {
			return nil, corruptf(f.Name, "unzip: %v", err)
		}
		room -= int64(len(b))
		files[f.Name] = b
	}
	return files, nil
}

func unzip(f *zip.File, room int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, room+1))
	if err != nil {
		return nil, err
	}
	if n > room {
		return nil, fmt.Errorf("more than %d bytes", int64(maxUnzipped))
	}
	return b.Bytes(), nil
}

func (z zipped) open(name string) ([]byte, error) {
	b, ok := z[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return b, nil
}

func (z zipped) close() error { return nil }

// readSmoosh returns the internal files of a segment.
func readSmoosh(s source) (map[string][]byte, error) {
	version, err := openPart(s, "version.bin")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(version, []byte{0, 0, 0, 9}) {
		return nil, corruptf("version.bin", "not a segment of version 9")
	}
	contents, err := openPart(s, "meta.smoosh")
	if err != nil {
		return nil, err
	}
	if len(contents) > maxContents {
		return nil, corruptf("meta.smoosh", "%d bytes", len(contents))
	}
	head, lines, _ := strings.Cut(string(contents), "\n")
	h := strings.Split(head, ",")
	if len(h) != 3 || h[0] != "v1" {
		return nil, corruptf("meta.smoosh", "first line %.40q", head)
	}
	count, err := strconv.ParseInt(h[2], 10, 32)
	if err != nil || count < 0 {
		return nil, corruptf("meta.smoosh", "number of chunks %.40q", h[2])
	}
	var chunks [][]byte
	for i := range int(count) {
		c, err := openPart(s, fmt.Sprintf("%05d.smoosh", i))
		if err != nil {
			return nil, err
		}
		chunks = append(chunks, c)
	}
	files := map[string][]byte{}
	for line := range strings.Lines(lines) {
		name, b, err := smooshLine(strings.TrimRight(line, "\r\n"), chunks)
		if err != nil {
			return nil, err
		}
		if _, ok := files[name]; ok {
			return nil, corruptf("meta.smoosh", "%.40q is listed twice", name)
		}
		files[name] = b
	}
	return files, nil
}

func openPart(s source, name string) ([]byte, error) {
	b, err := s.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, corruptf(name, "the file is missing")
	}
	return b, err
}

// smooshLine reads NAME,CHUNK,START,END.
func smooshLine(line string, chunks [][]byte) (string, []byte, error) {
	f := strings.Split(line, ",")
	if len(f) != 4 {
		return "", nil, corruptf("meta.smoosh", "line %.80q", line)
	}
	var n [3]int64
	for i := range n {
		v, err := strconv.ParseInt(f[i+1], 10, 32)
		if err != nil || v < 0 {
			return "", nil, corruptf("meta.smoosh", "line %.80q", line)
		}
		n[i] = v
	}
	if n[0] >= int64(len(chunks)) || n[1] > n[2] || n[2] > int64(len(chunks[n[0]])) {
		return "", nil, corruptf("meta.smoosh", "line %.80q points outside of its chunk", line)
	}
	return f[0], chunks[n[0]][n[1]:n[2]:n[2]], nil
}
