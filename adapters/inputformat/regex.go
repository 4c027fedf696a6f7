package inputformat

import (
	"fmt"
	"regexp"
	"strings"

	"ogham/adapters/index"
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

// CompilePattern compiles a Java pattern that is to match a whole text. What Go's engine has not (looking ahead and
// behind, back references, possessive quantifiers, intersections of classes) is an error: it matches in linear time
// instead, so that no text makes it hang.
func CompilePattern(pattern string) (*regexp.Regexp, error) {
	if strings.Contains(pattern, "&&") {
		return nil, fmt.Errorf("pattern %q: intersections of character classes (&&) are not supported", pattern)
	}
	p, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("pattern %q cannot be used: %w", pattern, err)
	}
	return p, nil
}

func newRegex(s regexSpec, fields []string, discover bool) (*regex, error) {
	pattern, err := CompilePattern(s.Pattern)
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
		line = javaUTF8(line)
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
