package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"ogham/eventstore"
)

// typeInfo is a named type of the domain as its source tells it. Names are qualified by their package, as "task.Offsets".
type typeInfo struct {
	name string
	doc  string
	pkg  string
	expr ast.Expr
}

// types are the named types of the packages that events are made of.
type types map[string]typeInfo

// field is a JSON field of a type, those of embedded structs included.
type field struct {
	name     string
	optional bool
	doc      string
	pkg      string
	expr     ast.Expr
}

// event is a type of event: its fields after the transition, and where it is found in the log.
type event struct {
	name   string
	doc    string
	task   bool // a task's event, else the supervisor's own
	fields []field
	states []string // those that it moves its machine to
}

func readTypes(root string) (types, error) {
	all := types{}
	for _, pkg := range []string{"supervisor", "task"} {
		files, err := filepath.Glob(filepath.Join(root, "domain", pkg, "*.go"))
		if err != nil {
			return nil, fmt.Errorf("read package domain/%s: %w", pkg, err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("read package domain/%s: no files", pkg)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", file, err)
			}
			all.add(pkg, syntax)
		}
	}
	return all, nil
}

func (t types) add(pkg string, f *ast.File) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			spec := s.(*ast.TypeSpec)
			doc := spec.Doc
			if doc == nil {
				doc = g.Doc
			}
			name := pkg + "." + spec.Name.Name
			t[name] = typeInfo{name, sentence(doc), pkg, spec.Type}
		}
	}
}

// sentence is a comment on one line.
func sentence(c *ast.CommentGroup) string {
	return strings.Join(strings.Fields(c.Text()), " ")
}

// events returns the types of events by name, and wants them to be those of the event store's table.
func (t types) events() ([]event, error) {
	known := eventstore.DomainUpcasters()
	var found []event
	for _, name := range slices.Sorted(maps.Keys(t)) {
		info := t[name]
		s, ok := info.expr.(*ast.StructType)
		if !ok || name == "supervisor.TaskBase" {
			continue
		}
		own, ofTask := embeds(s, "Base"), embeds(s, "TaskBase")
		if !own && !ofTask {
			continue
		}
		short := strings.TrimPrefix(name, "supervisor.")
		if _, ok := known[short]; !ok {
			return nil, fmt.Errorf("%s is an event, and not in the event store's table", name)
		}
		delete(known, short)
		e := event{short, info.doc, ofTask, t.fields(info), reached(short)}
		if len(e.states) == 0 { // it never carries a transition
			e.fields = slices.DeleteFunc(e.fields, func(f field) bool { return f.name == "transition" })
		}
		found = append(found, e)
	}
	if len(known) > 0 {
		return nil, fmt.Errorf("the event store knows types that the domain has not: %v", slices.Sorted(maps.Keys(known)))
	}
	return found, nil
}

func embeds(s *ast.StructType, name string) bool {
	return slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
		id, ok := f.Type.(*ast.Ident)
		return ok && len(f.Names) == 0 && id.Name == name
	})
}

// fields are the JSON fields of a struct in order.
func (t types) fields(info typeInfo) []field {
	s, ok := info.expr.(*ast.StructType)
	if !ok {
		return nil
	}
	var all []field
	for _, f := range s.Fields.List {
		if len(f.Names) == 0 {
			all = append(all, t.fields(t[qualified(info.pkg, f.Type)])...)
			continue
		}
		for _, n := range f.Names {
			name, options := tag(f, n.Name)
			if name == "" {
				continue
			}
			doc := sentence(f.Doc)
			all = append(all, field{
				name: name, doc: doc, pkg: info.pkg, expr: f.Type,
				optional: strings.Contains(options, "omit"),
			})
		}
	}
	return all
}

// tag returns the JSON name of a field, empty where it has none, and the options of its tag.
func tag(f *ast.Field, name string) (string, string) {
	if !ast.IsExported(name) {
		return "", ""
	}
	if f.Tag == nil {
		return name, ""
	}
	text, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return name, ""
	}
	json, options, _ := strings.Cut(reflect.StructTag(text).Get("json"), ",")
	switch json {
	case "":
		return name, options
	case "-":
		return "", ""
	}
	return json, options
}

// qualified is the name of a type expression, empty where it is none.
func qualified(pkg string, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return pkg + "." + e.Name
	case *ast.SelectorExpr:
		return e.X.(*ast.Ident).Name + "." + e.Sel.Name
	}
	return ""
}
