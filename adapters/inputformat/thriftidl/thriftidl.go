package thriftidl

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is the kind of a Type.
type Kind uint8

// The kinds of Types. Enums are numbers on the wire, exceptions are structs.
const (
	Bool Kind = iota + 1
	I8
	I16
	I32
	I64
	Double
	String
	Binary
	UUID
	Enum
	List
	Set
	Map
	StructKind
)

// Type is a type without names of others: typedefs are followed.
type Type struct {
	Kind   Kind
	Key    *Type   // of a map
	Elem   *Type   // of a list and a set; a map's values
	Struct *Struct // of a struct
	ref    *ref
}

// ref is a name that a type was written as.
type ref struct {
	file *File
	name string
	line int
	busy bool
}

// Struct is a struct, a union or an exception.
type Struct struct {
	Name   string
	Union  bool
	Fields []Field // in the order of the file
}

// Field is a field of a struct.
type Field struct {
	ID   int16 // negative where the file gives none
	Name string
	Type *Type
	// Required and Optional are as the file says; neither is the default requiredness.
	Required, Optional bool
	Default            *Const // nil: none
	constant           *constant
	line               int
}

// Const is the default of a field. Its members are those that its field's type asks for.
type Const struct {
	Int    int64 // of a number, an enum and a bool
	Double float64
	Text   string
	List   []*Const // elements, or a map's values
	Keys   []*Const // of a map, in the order of List
	Fields []int16  // of a struct: the ids of the fields that List has
	size   int
}

const (
	// maxFiles bounds how many files one may include, maxNesting how deep types and constants are nested, maxConst the
	// values of one default: constants may name one another.
	maxFiles   = 200
	maxNesting = 100
	maxConst   = 10_000
)

// Source reads a file. From is the file that includes it, empty for the first. The name that it gives is the file's own: one
// that was read before is not read again.
type Source func(from, name string) (full string, text []byte, err error)

// File is a parsed file.
type File struct {
	name     string
	includes map[string]*File // by the name without folder and ending
	types    map[string]*Type // typedefs, enums and structs
	enums    map[string]map[string]int64
	consts   map[string]*constant
	structs  []*Struct
	// pending are what stands for a type by name, and the structs' defaults.
	pending []*Type
}

// Error says what is wrong in a file.
type Error struct {
	File, Message string
	Line          int
}

func (e *Error) Error() string { return fmt.Sprintf("%s: line %d: %s", e.File, e.Line, e.Message) }

// Parse reads a file with all that it includes. The error is an *Error, or of the source.
func Parse(name string, source Source) (*File, error) {
	l := loader{source: source, files: map[string]*File{}}
	f, err := l.load("", name)
	if err != nil {
		return nil, err
	}
	for _, file := range l.order {
		if err := file.resolve(); err != nil {
			return nil, err
		}
	}
	for _, file := range l.order {
		if err := file.defaults(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Struct finds a struct by its name, or by that of the class that is generated for it: whatever stands before the last
// dot is left out.
func (f *File) Struct(class string) (*Struct, error) {
	name := class[strings.LastIndexAny(class, ".$")+1:]
	names := make([]string, 0, len(f.structs))
	for _, s := range f.structs {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return nil, fmt.Errorf("thriftClass %q: the file has no struct", class)
	}
	const most = 50
	if len(names) > most {
		names = append(names[:most], "...")
	}
	return nil, fmt.Errorf("thriftClass %q: the file has no struct of this name, there are %s", class, strings.Join(names, ", "))
}

// loader reads files and those that they include.
type loader struct {
	source Source
	files  map[string]*File
	order  []*File
}

func (l *loader) load(from, name string) (*File, error) {
	full, text, err := l.source(from, name)
	if err != nil {
		return nil, err
	}
	if f := l.files[full]; f != nil {
		return f, nil
	}
	if len(l.files) >= maxFiles {
		return nil, fmt.Errorf("more than %d files are included", maxFiles)
	}
	f := &File{
		name: full, includes: map[string]*File{}, types: map[string]*Type{}, enums: map[string]map[string]int64{},
		consts: map[string]*constant{},
	}
	l.files[full] = f
	l.order = append(l.order, f)
	p := parser{lexer: lexer{src: text, line: 1}, file: f}
	included, err := p.parse()
	if err != nil {
		return nil, err
	}
	for _, name := range included {
		inner, err := l.load(full, name)
		if err != nil {
			return nil, err
		}
		short := name[strings.LastIndexAny(name, `/\`)+1:]
		f.includes[strings.TrimSuffix(short, ".thrift")] = inner
	}
	return f, nil
}

// resolve finds what the names of types stand for.
func (f *File) resolve() error {
	for _, t := range f.pending {
		if err := t.resolve(0); err != nil {
			return err
		}
	}
	return nil
}

func (t *Type) resolve(depth int) error {
	r := t.ref
	if r == nil {
		return nil
	}
	bad := func(what string) error { return &Error{r.file.name, what, r.line} }
	if r.busy || depth > maxNesting {
		return bad("a typedef stands for itself, or for too many others")
	}
	found := r.file.types[r.name]
	if space, name, ok := strings.Cut(r.name, "."); ok && found == nil {
		if inner := r.file.includes[space]; inner != nil {
			found = inner.types[name]
		}
	}
	if found == nil {
		return bad("a type is neither built in, nor in this file, nor in one that it includes")
	}
	r.busy = true
	err := found.resolve(depth + 1)
	r.busy = false
	if err != nil {
		return err
	}
	t.Kind, t.Key, t.Elem, t.Struct, t.ref = found.Kind, found.Key, found.Elem, found.Struct, nil
	return nil
}
