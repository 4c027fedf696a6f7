package deepstorage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	// intermediate is the folder, below the root, of pushes under way.
	intermediate = "intermediate_pushes"
	// indexDir is the folder that holds a segment's files.
	indexDir = "index"
)

// Local is deep storage in a folder. Root is an absolute path as the
// historicals see it. It is safe for concurrent use.
type Local struct {
	// Root is the folder; it is made when it is missing.
	Root string
}

// LoadSpec tells a historical where a segment is.
type LoadSpec struct {
	// Type is local.
	Type string `json:"type"`
	// Path is the folder with the segment's files, ending in a slash.
	Path string `json:"path"`
}

// ErrOutside is wrapped when a path to delete is not a pushed segment below
// the root.
var ErrOutside = errors.New("not a segment of this deep storage")

// Push gives the files of the segment folder src a place of their own and
// returns it with the sum of their sizes. uuid makes the place unique: no two
// pushes share one, not even of the same segment by replicas of a task. src
// stays as it is, and must not be written to afterwards: where both are on one
// file system the files are linked, as Druid does it, and copied elsewhere.
// The files need not be on disk before. When Push returns without error the segment is on disk under
// its final name; when it returns an error there is nothing under that name.
func (l Local) Push(ctx context.Context, src string, id SegmentID, uuid string) (LoadSpec, int64, error) {
	rel, err := id.path(uuid)
	if err != nil {
		return LoadSpec{}, 0, fmt.Errorf("push segment: %w", err)
	}
	root, err := filepath.Abs(l.Root)
	if err != nil {
		return LoadSpec{}, 0, fmt.Errorf("push segment: %w", err)
	}
	tmp := filepath.Join(root, intermediate, uuid)
	final := filepath.Join(root, rel)
	size, err := l.push(ctx, root, src, tmp, final)
	if err != nil {
		return LoadSpec{}, 0, fmt.Errorf("push segment to %s: %w", final, err)
	}
	return LoadSpec{Type: "local", Path: filepath.Join(final, indexDir) + "/"}, size, nil
}

func (l Local) push(ctx context.Context, root, src, tmp, final string) (int64, error) {
	if _, err := os.Lstat(final); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return 0, err
	}
	if err := makeDir(filepath.Dir(tmp)); err != nil {
		return 0, err
	}
	// A folder of this name is taken: the push id belongs to somebody else.
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return 0, err
	}
	size, err := placeFiles(ctx, src, filepath.Join(tmp, indexDir))
	if err == nil {
		err = syncDir(tmp)
	}
	if err == nil {
		err = makeDir(filepath.Dir(final))
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = os.Rename(tmp, final)
	}
	if err != nil {
		return 0, errors.Join(err, os.RemoveAll(tmp))
	}
	if err := errors.Join(syncDir(filepath.Dir(final)), syncDir(filepath.Join(root, intermediate))); err != nil {
		// The name may or may not survive a power loss: it must not stay.
		return 0, errors.Join(err, os.RemoveAll(final))
	}
	return size, nil
}

// makeDir makes a folder with its parents, each of them synced into its own.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is not a folder", dir)
		}
		return nil
	}
	parent := filepath.Dir(dir)
	if parent == dir {
		return fmt.Errorf("no folder %s", dir)
	}
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// placeFiles links or copies the regular files of a flat folder and syncs them.
func placeFiles(ctx context.Context, src, dst string) (int64, error) {
	list, err := os.ReadDir(src)
	if err != nil {
		return 0, err
	}
	if len(list) == 0 {
		return 0, fmt.Errorf("segment folder %s is empty", src)
	}
	if err := os.Mkdir(dst, 0o755); err != nil {
		return 0, err
	}
	size := int64(0)
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if !e.Type().IsRegular() {
			return 0, fmt.Errorf("segment folder holds %s, which is not a file", e.Name())
		}
		n, err := placeFile(ctx, filepath.Join(src, e.Name()), filepath.Join(dst, e.Name()))
		if err != nil {
			return 0, err
		}
		size += n
	}
	return size, syncDir(dst)
}

// placeFile links a file, or copies it where it cannot be linked: on another
// file system, or on one without links.
func placeFile(ctx context.Context, src, dst string) (int64, error) {
	if os.Link(src, dst) != nil {
		return copyFile(ctx, src, dst)
	}
	f, err := os.Open(dst)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// copyStep is how much is copied between two looks at the context.
const copyStep = 64 << 20

func copyFile(ctx context.Context, src, dst string) (int64, error) {
	in, err := os.Open(src)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return 0, err
	}
	size, err := int64(0), ctx.Err()
	for err == nil {
		var n int64
		n, err = io.CopyN(out, in, copyStep)
		size += n
		if err == nil {
			err = ctx.Err()
		}
	}
	if errors.Is(err, io.EOF) {
		err = out.Sync()
	}
	return size, errors.Join(err, out.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Delete removes a segment that Push put at path, the loadSpec's. It is for
// pushes that lost against another replica's; nothing else knows their place.
// A path that is not a pushed segment's below the root is refused; one that is
// gone already is not an error. Parent folders stay.
func (l Local) Delete(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete segment: %w", err)
	}
	root, err := filepath.Abs(l.Root)
	if err != nil {
		return fmt.Errorf("delete segment: %w", err)
	}
	rel, err := filepath.Rel(root, filepath.Clean(path))
	parts := strings.Split(filepath.ToSlash(rel), "/")
	// DATASOURCE/START_END/VERSION/N/UUID/index
	if err != nil || !filepath.IsLocal(rel) || len(parts) != 6 || parts[5] != indexDir || parts[0] == intermediate {
		return fmt.Errorf("delete %s: %w", path, ErrOutside)
	}
	// The root keeps a link inside of it from leading out of it.
	in, err := os.OpenRoot(root)
	if err != nil {
		return fmt.Errorf("delete segment: %w", err)
	}
	defer in.Close()
	dir := filepath.Dir(rel)
	if err := in.RemoveAll(dir); err != nil {
		return fmt.Errorf("delete segment: %w", err)
	}
	if err := syncDir(filepath.Join(root, filepath.Dir(dir))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete segment: %w", err)
	}
	return nil
}

// Clean removes the remains of pushes that did not end, left by a process that
// died. It may only be called while nothing pushes into the root: at start, by
// the one process that writes there.
func (l Local) Clean(ctx context.Context) error {
	dir := filepath.Join(l.Root, intermediate)
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("clean deep storage: %w", err)
	}
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("clean deep storage: %w", err)
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("clean deep storage: %w", err)
		}
	}
	return nil
}
