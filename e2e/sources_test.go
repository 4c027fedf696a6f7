package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// lookAtSources looks at every file that the server is made of. The go command keeps the result of a test until a package
// that it imports, or a file that it has looked at, is another one; what the tests build by themselves it does not know of.
var lookAtSources = sync.OnceValue(func() error {
	return filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != ".." && (d.Name()[0] == '.' || d.Name() == "bin"):
			return filepath.SkipDir
		case d.Type().IsRegular():
			_, err = os.Stat(file)
		}
		return err
	})
})
