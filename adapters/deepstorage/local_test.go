package deepstorage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const uuid = "0d9a3f3e-0000-4000-8000-000000000001"

func day() SegmentID {
	return SegmentID{DataSource: "wiki", Start: 1772323200000, End: 1772409600000, Version: "2026-11-23T15:14:11.625Z", PartitionNum: 3}
}

func segmentFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{"version.bin": "\x00\x00\x00\x09", "00000.smoosh": strings.Repeat("x", 1000)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func files(t *testing.T, root string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(root, p)
			list = append(list, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestPushLandsWhereDruidLooks(t *testing.T) {
	root := filepath.Join(t.TempDir(), "not", "yet", "there")
	spec, size, err := Local{root}.Push(t.Context(), segmentFolder(t), day(), uuid)
	if err != nil {
		t.Fatal(err)
	}
	want := root + "/wiki/2026-03-01T00:00:00.000Z_2026-03-02T00:00:00.000Z/2026-11-23T15:14:11.625Z/3/" + uuid + "/index/"
	if spec != (LoadSpec{"local", want}) || size != 1004 {
		t.Errorf("push answers %+v, %d; want %s, 1004", spec, size, want)
	}
	if b, err := os.ReadFile(want + "version.bin"); err != nil || string(b) != "\x00\x00\x00\x09" {
		t.Errorf("version.bin is %q, %v", b, err)
	}
	if got := files(t, root); len(got) != 2 {
		t.Errorf("files %v, want the segment's two", got)
	}
}

func TestPushLinksWhereItCan(t *testing.T) {
	l := Local{filepath.Join(t.TempDir(), "root")}
	src := segmentFolder(t)
	spec, _, err := l.Push(t.Context(), src, day(), uuid)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := os.Stat(filepath.Join(src, "00000.smoosh"))
	if err != nil {
		t.Fatalf("the pushed folder's own file: %v", err)
	}
	pushed, err := os.Stat(filepath.Join(spec.Path, "00000.smoosh"))
	if err != nil || !os.SameFile(mine, pushed) {
		t.Errorf("%s is not the file that was pushed: %v", spec.Path, err)
	}
	// The task removes its folder afterwards.
	if err := os.RemoveAll(src); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(spec.Path, "00000.smoosh")); err != nil || len(b) != 1000 {
		t.Errorf("%d bytes are left, %v; want 1000", len(b), err)
	}
}

func TestFilesOfAnotherFileSystemAreCopied(t *testing.T) {
	src, dst := filepath.Join(segmentFolder(t), "00000.smoosh"), filepath.Join(t.TempDir(), "copy")
	if n, err := copyFile(t.Context(), src, dst); err != nil || n != 1000 {
		t.Fatalf("copied %d bytes, %v; want 1000", n, err)
	}
	if b, err := os.ReadFile(dst); err != nil || string(b) != strings.Repeat("x", 1000) {
		t.Errorf("the copy has %d bytes, %v", len(b), err)
	}
}

func TestNamesCannotLeaveTheRoot(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	src := segmentFolder(t)
	var name *NameError
	for _, ds := range []string{"", ".", "..", "../x", "a/b", "/etc", `a\b`, "a\x00b", "a\nb", intermediate, strings.Repeat("x", 256)} {
		id := day()
		id.DataSource = ds
		if _, _, err := (Local{root}).Push(t.Context(), src, id, uuid); !errors.As(err, &name) {
			t.Errorf("push of data source %q: %v, want a NameError", ds, err)
		}
	}
	id := day()
	id.Version = "../../x"
	if _, _, err := (Local{root}).Push(t.Context(), src, id, uuid); !errors.As(err, &name) {
		t.Errorf("push of version %q: %v, want a NameError", id.Version, err)
	}
	if _, _, err := (Local{root}).Push(t.Context(), src, day(), ".."); !errors.As(err, &name) {
		t.Errorf("push with id ..: %v, want a NameError", err)
	}
	id = day()
	id.PartitionNum = -1
	if _, _, err := (Local{root}).Push(t.Context(), src, id, uuid); !errors.As(err, &name) {
		t.Errorf("push of partition -1: %v, want a NameError", err)
	}
	if _, err := os.Stat(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("refused pushes left something: %v", err)
	}
	id = day()
	id.DataSource = "odd but fine: ü %2F ~ 日本 .x"
	if _, _, err := (Local{root}).Push(t.Context(), src, id, uuid); err != nil {
		t.Errorf("push of data source %q: %v", id.DataSource, err)
	}
}

func TestAPushIsWholeOrNotThere(t *testing.T) {
	root := t.TempDir()
	l := Local{root}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := l.Push(ctx, segmentFolder(t), day(), uuid); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled push: %v", err)
	}
	if _, _, err := l.Push(t.Context(), filepath.Join(root, "absent"), day(), uuid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("push of nothing: %v", err)
	}
	if _, _, err := l.Push(t.Context(), t.TempDir(), day(), uuid); err == nil {
		t.Error("push of an empty folder succeeded")
	}
	nested := segmentFolder(t)
	if err := os.Mkdir(filepath.Join(nested, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Push(t.Context(), nested, day(), uuid); err == nil {
		t.Error("push of a folder with a folder succeeded")
	}
	if got := files(t, root); len(got) != 0 {
		t.Errorf("failed pushes left %v", got)
	}
	if _, _, err := l.Push(t.Context(), segmentFolder(t), day(), uuid); err != nil {
		t.Fatalf("push after failed ones: %v", err)
	}
	if _, _, err := l.Push(t.Context(), segmentFolder(t), day(), uuid); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second push under one name: %v, want fs.ErrExist", err)
	}
	if got := files(t, root); len(got) != 2 {
		t.Errorf("files %v, want those of the first push", got)
	}
}

func TestReplicasPushSideBySide(t *testing.T) {
	root := t.TempDir()
	src := segmentFolder(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, _, err := (Local{root}).Push(t.Context(), src, day(), uuid[:35]+string(rune('0'+i))); err != nil {
				t.Errorf("push %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if got := files(t, root); len(got) != 16 {
		t.Errorf("%d files, want those of eight pushes", len(got))
	}
}

func TestDeleteTakesOnlyPushedSegments(t *testing.T) {
	root := t.TempDir()
	l := Local{root}
	spec, _, err := l.Push(t.Context(), segmentFolder(t), day(), uuid)
	if err != nil {
		t.Fatal(err)
	}
	up := filepath.Dir(filepath.Dir(filepath.Clean(spec.Path)))
	for _, path := range []string{
		"", ".", root, root + "/wiki", up, filepath.Dir(filepath.Clean(spec.Path)), "/", "/etc/index", spec.Path + "/version.bin",
		root + "/../a/b/c/d/e/index", filepath.Join(root, intermediate, "b/c/d/e/index"), "wiki/x",
	} {
		if err := l.Delete(t.Context(), path); !errors.Is(err, ErrOutside) {
			t.Errorf("delete %q: %v, want ErrOutside", path, err)
		}
	}
	if got := files(t, root); len(got) != 2 {
		t.Fatalf("refused deletes left %v", got)
	}
	for range 2 { // the second finds nothing, which is fine
		if err := l.Delete(t.Context(), spec.Path); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if got := files(t, root); len(got) != 0 {
		t.Errorf("delete left %v", got)
	}
}

func TestDeleteDoesNotFollowLinksOut(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	victim := filepath.Join(outside, "b/c/d/e/index")
	if err := os.MkdirAll(victim, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(root, "a")); err != nil {
		t.Fatal(err)
	}
	if err := (Local{root}).Delete(t.Context(), filepath.Join(root, "a/b/c/d/e/index")); err == nil {
		t.Error("delete through a link succeeded")
	}
	if _, err := os.Stat(victim); err != nil {
		t.Errorf("delete followed a link out of the root: %v", err)
	}
}

func TestCleanRemovesUnfinishedPushesOnly(t *testing.T) {
	root := t.TempDir()
	l := Local{root}
	if err := l.Clean(t.Context()); err != nil {
		t.Errorf("clean of nothing: %v", err)
	}
	if _, _, err := l.Push(t.Context(), segmentFolder(t), day(), uuid); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(root, intermediate, "dead", "index")
	if err := os.MkdirAll(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(stale, "x"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := l.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := files(t, root); len(got) != 2 || strings.Contains(strings.Join(got, " "), intermediate) {
		t.Errorf("after clean: %v", got)
	}
}
