package segment

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
)

// filesOf reads a golden's files into memory.
func filesOf(t testing.TB, g golden) zipped {
	t.Helper()
	src, err := openZip(g.zip())
	if err != nil {
		t.Fatal(err)
	}
	return src.(zipped)
}

// small are the goldens of a few kilobytes: every damage to them is tried.
func small(t testing.TB) []golden {
	return slices.DeleteFunc(goldens(t), func(g golden) bool {
		n := 0
		for _, b := range filesOf(t, g) {
			n += len(b)
		}
		return n > 2500
	})
}

// readAll reads everything that a segment has.
func readAll(files zipped) error {
	r, err := newReader(files)
	if err != nil {
		return err
	}
	defer r.Close()
	err = r.DumpRows(io.Discard)
	if e := r.DumpMetadata(io.Discard); err == nil {
		err = e
	}
	for _, c := range r.Columns() {
		if j, e := r.JSON(c.Name); e == nil && c.Logical != nestedType {
			for id := range j.Cardinality() {
				if _, e := j.Bitmap(id); e != nil && err == nil {
					err = e
				}
			}
		}
		s, e := r.String(c.Name)
		if e != nil {
			continue
		}
		for id := 0; id < s.Cardinality() && s.HasBitmaps(); id++ {
			if _, e := s.Bitmap(id); e != nil && err == nil {
				err = e
			}
		}
	}
	return err
}

// checkTyped wants no error, or one of the two kinds that callers decide on.
func checkTyped(t testing.TB, err error) {
	t.Helper()
	var c *CorruptError
	var u *UnsupportedError
	if err != nil && !errors.As(err, &c) && !errors.As(err, &u) {
		t.Errorf("error of type %T: %v", err, err)
	}
}

func TestDamageIsATypedError(t *testing.T) {
	for _, g := range small(t) {
		files := filesOf(t, g)
		t.Run(g.name, func(t *testing.T) {
			for name, b := range files {
				if name == "factory.json" {
					continue
				}
				for i := 0; i < len(b); i += damageStep {
					for _, v := range []byte{0xff, b[i] ^ 1, b[i] ^ 0x80} {
						files[name] = bytes.Clone(b)
						files[name][i] = v
						checkTyped(t, readAll(files))
					}
				}
				files[name] = b
			}
		})
	}
}

// TestDamageToAutoColumnsIsATypedError tries some damages of a larger golden.
func TestDamageToAutoColumnsIsATypedError(t *testing.T) {
	for _, g := range goldens(t) {
		if g.name != "auto-discovery" {
			continue
		}
		files := filesOf(t, g)
		for name, b := range files {
			for i := 0; i < len(b); i += 17 * damageStep {
				files[name] = bytes.Clone(b)
				files[name][i] ^= byte(1 + i%255)
				checkTyped(t, readAll(files))
				files[name] = b[:i:i]
				checkTyped(t, readAll(files))
			}
			files[name] = b
		}
	}
}

func TestACutFileIsATypedError(t *testing.T) {
	for _, g := range small(t) {
		files := filesOf(t, g)
		t.Run(g.name, func(t *testing.T) {
			for name, b := range files {
				if name == "factory.json" {
					continue
				}
				for n := 0; n < len(b); n += damageStep {
					files[name] = b[:n:n]
					err := readAll(files)
					checkTyped(t, err)
					if err == nil && name != "meta.smoosh" { // what it misses may be the metadata, which is optional
						t.Errorf("%s cut to %d of %d bytes reads without error", name, n, len(b))
					}
				}
				delete(files, name)
				if err := readAll(files); err == nil {
					t.Errorf("no error without %s", name)
				}
				files[name] = b
			}
		})
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("an empty folder opens")
	} else {
		checkTyped(t, err)
	}
	if _, err := Open("testdata/goldens/README.md"); err == nil {
		t.Error("a text file opens")
	} else {
		checkTyped(t, err)
	}
	g := small(t)[0]
	r := open(t, g.zip())
	if _, err := r.Long("absent"); !errors.Is(err, ErrNoColumn) {
		t.Errorf("absent column: %v, want ErrNoColumn", err)
	}
	if _, err := r.Double(timeColumn); !errors.Is(err, ErrNoColumn) {
		t.Errorf("__time as doubles: %v, want ErrNoColumn", err)
	}
	c, err := r.Long(timeColumn)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Read(r.Rows(), make([]int64, 1), nil); err == nil {
		t.Error("a row behind the last reads without error")
	}
}
