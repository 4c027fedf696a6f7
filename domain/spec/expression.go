package spec

import (
	"errors"

	"ogham/domain/expr"
	"ogham/domain/filter"
)

// compileExpression refuses an expression that no task could evaluate. Druid finds out when the task reads its spec.
func compileExpression(r *reader, name, source string) {
	if _, err := expr.Compile(source); err != nil {
		r.fail(name, "expression [%s] is invalid: %s", source, err)
	}
}

// compileFilter refuses a filter that no task could apply. One that is right and only not built is told by Unsupported.
func compileFilter(s *scan, f *node, path string) {
	var bad *filter.Problem
	if _, err := filter.Parse(f.encode()); errors.As(err, &bad) {
		s.add(path+bad.Path, bad.Message, "Cannot construct instance of `org.apache.druid.query.filter.DimFilter`, problem: "+bad.Message)
	}
}

// identifiers are the columns that an expression names.
func identifiers(source string) []string {
	p, err := expr.Compile(source)
	if err != nil {
		return nil
	}
	return p.Inputs()
}
