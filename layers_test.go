package ogham_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "ogham"

// layers are the parts that may be imported from the right only: domain < eventstore < (projections, overlord, worker,
// adapters) < cmd. Parts of one rank do not import one another; a folder below a part belongs to it.
var layers = map[string]int{
	"domain":      0,
	"eventstore":  1,
	"projections": 2,
	"overlord":    2,
	"worker":      2,
	"adapters":    2, // each adapter is a part of its own
	"cmd":         3,
	"e2e":         3,
	"docs":        3,
}

// exceptions are imports within one rank. Each has a reason.
var exceptions = map[string]string{
	"adapters/inputformat -> adapters/index": "the row path: parsed values go straight into columns",
	"adapters/index -> adapters/segment":     "the row path: the merge streams its columns into a segment",
}

// testMay says what a test may import beyond that. Above the domain it may use adapters and read models: the real thing
// instead of a fake.
func testMay(rank int, to string) bool {
	return rank > layers["domain"] && (under(to, "adapters") || to == "projections")
}

// homes say which packages may import a module that is not ours. One that is not listed may be imported by nobody:
// whoever brings it in adds it here, with what it is for.
var homes = []struct {
	module   string
	packages []string
}{
	{"github.com/looplab/fsm", []string{"domain/supervisor", "domain/task", "docs/gen"}},                                                  // the two machines
	{"github.com/nats-io/nats-server/v2", []string{"adapters/natsserver"}},                                                                // the embedded server
	{"github.com/nats-io/nats.go", []string{"eventstore", "adapters/natsserver", "adapters/tasklogs", "overlord", "worker", "cmd/ogham"}}, // the log, and the ends of subjects between processes
	{"github.com/synadia-io/orbit.go", []string{"eventstore"}},                                                                            // atomic batches
	{"github.com/nats-io/nuid", []string{"cmd/ogham"}},                                                                                    // ids
	{"github.com/twmb/franz-go/pkg/kfake", []string{"cmd/ogham"}},                                                                         // the demo's and the benchmark's broker
	{"github.com/twmb/franz-go/pkg/sr", []string{"adapters/inputformat"}},                                                                 // schema registries
	{"github.com/twmb/avro", []string{"adapters/inputformat"}},                                                                            // schemas of Avro
	{"google.golang.org/protobuf", []string{"adapters/inputformat"}},                                                                      // messages of types that descriptors tell
	{"github.com/bufbuild/protocompile", []string{"adapters/inputformat"}},                                                                // .proto texts of schema registries
	{"github.com/itchyny/gojq", []string{"adapters/inputformat"}},                                                                         // the jq fields of a flattenSpec
	{"github.com/twmb/franz-go", []string{"adapters/kafka", "cmd/ogham"}},                                                                 // Kafka; the demo's producer
	{"github.com/labstack/echo/v4", []string{"adapters/httpapi"}},                                                                         // HTTP
	{"github.com/RoaringBitmap/roaring/v2", []string{"adapters/segment"}},                                                                 // bitmaps of a segment
	{"github.com/klauspost/compress", []string{"adapters/segment", "adapters/inputformat"}},                                               // zstd of a segment
	{"github.com/pierrec/lz4/v4", []string{"adapters/segment", "adapters/kafka"}},                                                         // lz4 of a segment and of a batch
	{"software.sslmate.com/src/go-pkcs12", []string{"adapters/kafka/keystore"}},                                                           // PKCS #12 stores of a Java client
	{"golang.org/x/sys", []string{"adapters", "cmd/ogham"}},                                                                               // mapping and locking files
	{"go.uber.org/goleak", nil},                  // tests only
	{"pgregory.net/rapid", nil},                  // tests only
	{"github.com/apache/thrift", nil},            // tests only: the encoder that our decoder is held against
	{"go.yaml.in/yaml/v3", []string{"docs/gen"}}, // the API's document, written in YAML
	{"github.com/santhosh-tekuri/jsonschema/v6", []string{"adapters/httpapi/goldentest"}}, // the API's document held against exchanges
	{"github.com/cespare/xxhash/v2", []string{"adapters/segment"}},                        // the order of nested values
	{"github.com/apache/datasketches-go", []string{"adapters/index"}},                     // forms of sketches
	{"github.com/twmb/murmur3", []string{"adapters/index"}},                               // hashes of sketches
}

// pure is what domain may import: nothing that touches a clock, a file, the network, chance or another goroutine.
var pure = []string{
	"bytes", "cmp", "context", "crypto/sha1", "embed", "encoding/base64", "encoding/binary", "encoding/hex", "encoding/json", "errors",
	"fmt", "io", "iter", "maps", "math", "math/big", "math/bits", "net/netip", "regexp", "regexp/syntax", "slices", "sort", "strconv", "strings", "time",
	"unicode", "unicode/utf16", "unicode/utf8", "unsafe", "github.com/looplab/fsm",
}

// clock are the functions of package time that look at the clock or wait for it.
var clock = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"}

type source struct {
	file, pkg string
	test      bool
	syntax    *ast.File
}

// sources parses every Go file of the module, whatever its build tags.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		name := filepath.Base(file)
		if err != nil || d.IsDir() && file != "." && (name[0] == '.' || name[0] == '_' || name == "testdata" || name == "bin") {
			if err == nil {
				err = filepath.SkipDir
			}
			return err
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(file), path.Dir(filepath.ToSlash(file)), strings.HasSuffix(name, "_test.go"), syntax})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (s source) imports(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, i := range s.syntax.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", s.file, err)
		}
		paths = append(paths, p)
	}
	return paths
}

// part is the piece of the program that a package belongs to, and its rank.
func part(pkg string) (string, int, bool) {
	top, rest, _ := strings.Cut(pkg, "/")
	rank, ok := layers[top]
	if top == "adapters" {
		name, _, _ := strings.Cut(rest, "/")
		top += "/" + name
	}
	return top, rank, ok
}

// under reports whether name is dir or lies below it.
func under(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

func TestImportsPointOneWay(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		from, rank, ok := part(s.pkg)
		if !ok {
			if s.pkg != "." {
				t.Errorf("%s: the folder has no place in the layers", s.file)
			}
			continue
		}
		for _, p := range s.imports(t) {
			pkg, ours := strings.CutPrefix(p, module+"/")
			if !ours {
				continue
			}
			to, other, _ := part(pkg)
			if to == from || other < rank {
				if strings.HasPrefix(pkg, "eventstore/storetest") && !s.test && !under(s.pkg, "eventstore/storetest") {
					t.Errorf("%s imports %s, which is for tests", s.file, p)
				}
				continue
			}
			edge := from + " -> " + to
			used[edge] = true
			if exceptions[edge] == "" && !(s.test && testMay(rank, to)) {
				t.Errorf("%s imports %s: %s is against domain < eventstore < (projections, overlord, worker, adapters) < cmd", s.file, p, edge)
			}
		}
	}
	for edge := range exceptions {
		if !used[edge] {
			t.Errorf("the exception %q is not needed", edge)
		}
	}
}

func TestEachForeignModuleHasItsHome(t *testing.T) {
	for _, s := range sources(t) {
		for _, p := range s.imports(t) {
			first, _, _ := strings.Cut(p, "/")
			if !strings.Contains(first, ".") {
				continue // the standard library, or ours
			}
			i := slices.IndexFunc(homes, func(h struct {
				module   string
				packages []string
			},
			) bool {
				return under(p, h.module)
			})
			if i < 0 {
				t.Errorf("%s imports %s, which has no home in the table", s.file, p)
				continue
			}
			if !s.test && !slices.ContainsFunc(homes[i].packages, func(dir string) bool { return under(s.pkg, dir) }) {
				t.Errorf("%s imports %s, whose home is %v", s.file, p, homes[i].packages)
			}
		}
	}
}

func TestDomainIsPure(t *testing.T) {
	for _, s := range sources(t) {
		if !under(s.pkg, "domain") || s.test {
			continue
		}
		for _, p := range s.imports(t) {
			if !under(p, module+"/domain") && !slices.Contains(pure, p) {
				t.Errorf("%s imports %s, which is not on the domain's list", s.file, p)
			}
		}
		for _, bad := range impure(s.syntax) {
			t.Errorf("%s: %s", s.file, bad)
		}
	}
}

// impure finds calls of the clock and goroutines.
func impure(f *ast.File) (found []string) {
	name := ""
	for _, i := range f.Imports {
		if i.Path.Value == `"time"` {
			if name = "time"; i.Name != nil {
				name = i.Name.Name
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && name != "" && x.Name == name && slices.Contains(clock, n.Sel.Name) {
				found = append(found, "time."+n.Sel.Name)
			}
		case *ast.GoStmt:
			found = append(found, "a goroutine")
		case *ast.SelectStmt:
			found = append(found, "a select")
		}
		return true
	})
	return found
}

func TestNoSleepAnywhere(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && sel.Sel.Name == "Sleep" {
					t.Errorf("%s: time.Sleep; wait for what is awaited", s.file)
				}
			}
			return true
		})
	}
}

// TestEveryPackageSaysWhatItOwns wants a package comment in doc.go, or in the only file of a package.
func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	files, documented := map[string]int{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		files[s.pkg]++
		if s.syntax.Doc != nil && path.Base(s.file) == "doc.go" {
			documented[s.pkg] = true
		}
	}
	for _, s := range sources(t) {
		if !s.test && files[s.pkg] == 1 && s.syntax.Doc != nil {
			documented[s.pkg] = true
		}
	}
	for pkg := range files {
		if !documented[pkg] {
			t.Errorf("%s has no doc.go that says what it owns", pkg)
		}
	}
}

func TestPurityIsSeen(t *testing.T) {
	const text = `package p
import clock "time"
func f() { go f(); _ = clock.Now() }`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(impure(f)); got != "[a goroutine time.Now]" {
		t.Errorf("found %s", got)
	}
}
