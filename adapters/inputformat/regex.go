package inputformat

import (
	"regexp"

	"ogham/adapters/index"
	"ogham/domain/expr"
	"ogham/domain/row"
)

// regexSpec is the inputFormat regex.
type regexSpec struct {
	Pattern       string   `json:"pattern"`
	ListDelimiter *string  `json:"listDelimiter"`
	Columns       []string `json:"columns"`
}

// regex reads lines by a pattern that matches all of them: its groups are the columns.
type regex struct {
	table
	pattern *regexp.Regexp
	lists   splitter
	columns []column
}

func newRegex(s regexSpec, fields []string, discover bool) (*regex, error) {
	// The whole line must match. What only backtracking can do is refused, so that no line makes a task hang.
	if _, err := expr.CompileRegexp(s.Pattern); err != nil {
		return nil, err
	}
	pattern, err := expr.CompileRegexp(`\A(?:` + s.Pattern + `)\z`)
	if err != nil {
		return nil, err
	}
	p := &regex{table: newTable(fields, discover), pattern: pattern, lists: newSplitter(s.ListDelimiter, false)}
	p.rows.Exact, p.rows.Apart = true, true
	if s.Columns == nil {
		for i := range pattern.NumSubexp() {
			s.Columns = append(s.Columns, columnName(i))
		}
	}
	if len(s.Columns) > pattern.NumSubexp() {
		s.Columns = s.Columns[:pattern.NumSubexp()]
	}
	p.columns, err = p.columnsOf(s.Columns)
	return p, err
}

// Parse implements index.Parser.
func (p *regex) Parse(r *index.Record) (*row.Rows, error) {
	p.reset()
	p.rows.Lines, p.rows.Broken = p.rows.Lines[:0], p.rows.Broken[:0]
	for number, line := range textLines(r.Value) {
		line = row.JavaUTF8(line)
		groups := p.pattern.FindSubmatchIndex(line)
		if groups == nil {
			p.rows.Broken = append(p.rows.Broken, row.Broken{
				Input: string(line), Message: "Unable to parse row [" + string(line) + "]", Before: p.rows.Count, Line: number,
			})
			continue
		}
		p.newRow()
		for i, c := range p.columns {
			if c.slot == skipped {
				continue
			}
			p.found(c.slot)
			v := row.Value{Kind: row.Null}
			if from, to := groups[2*i+2], groups[2*i+3]; from >= 0 {
				v = p.lists.value(&p.rows, line[from:to:to])
			}
			p.set(c.slot, v)
		}
		p.rows.Count++
		p.rows.Lines = append(p.rows.Lines, number)
	}
	return &p.rows, nil
}

// Event implements index.Parser.
func (p *regex) Event(r *index.Record, i int) string { return event(p, r, i) }

func (p *regex) everything() reader {
	all := &regex{table: newTable(nil, true), pattern: p.pattern, lists: p.lists}
	all.rows.Exact, all.rows.Apart = true, true
	for _, c := range p.columns {
		all.columns = append(all.columns, column{c.name, all.slot([]byte(c.name))})
	}
	return all
}
