package spec

import (
	"strings"

	"ogham/domain/expr"
)

// readDelimited reads csv and tsv.
func readDelimited(r *reader, out *node, delimiter string) {
	columns := r.texts("columns")
	header, find := r.bool("hasHeaderRow"), r.bool("findColumnsFromHeader")
	if len(columns) == 0 {
		switch {
		case header != nil && find != nil:
			r.fail("", "Cannot accept both [findColumnsFromHeader] and [hasHeaderRow]")
		case header == nil && find == nil:
			r.fail("", "Either [columns] or [findColumnsFromHeader] must be set")
		case find == nil:
			find = header
		}
	}
	list := r.text("listDelimiter")
	if list != nil && *list == delimiter {
		r.fail("listDelimiter", "Cannot have same delimiter and list delimiter of [%s]", delimiter)
	}
	if delimiter == "" {
		r.fail("delimiter", "delimiter must not be empty")
	}
	seen := map[string]bool{}
	for _, name := range columns {
		if delimiter != "" && strings.Contains(name, delimiter) {
			r.fail("columns", "Column[%s] cannot have the delimiter[%s] in its name", name, delimiter)
		}
		if name != "" && seen[name] {
			r.fail("columns", "Duplicate column entries found : [%s]", name)
		}
		seen[name] = true
	}
	if len(columns) == 0 && find != nil && !*find {
		r.fail("", "If [columns] is not set, the first row of your data must have your header and [findColumnsFromHeader] must be set to true.")
	}
	skip := r.integerOr("skipHeaderRows", 0)
	if skip < 0 {
		r.fail("skipHeaderRows", "skipHeaderRows must not be negative")
	}
	// Druid writes the option by another name than it reads it by; both are read here, so that a spec that was got can be
	// posted.
	numbers := r.boolOr("tryParseNumbers", r.boolOr("shouldTryParseNumbers", false))
	setTexts(out, "columns", columns)
	if list != nil {
		out.set("listDelimiter", str(*list))
	}
	if out.get("type").text == "tsv" {
		out.set("delimiter", str(delimiter))
	}
	if find != nil && *find {
		out.set("findColumnsFromHeader", boolean(true))
	}
	if skip != 0 {
		out.set("skipHeaderRows", integer(skip))
	}
	if numbers {
		out.set("shouldTryParseNumbers", boolean(true))
	}
}

// setTexts adds a list of texts that is not empty.
func setTexts(out *node, name string, texts []string) {
	if len(texts) == 0 {
		return
	}
	list := array()
	for _, t := range texts {
		list.items = append(list.items, str(t))
	}
	out.set(name, list)
}

func readRegex(r *reader, out *node) {
	pattern := r.text("pattern")
	if pattern == nil {
		r.fail("pattern", "pattern must not be null")
	} else if _, err := expr.CompileRegexp(*pattern); err != nil {
		r.fail("pattern", "%v", err)
	}
	out.set("pattern", orNull(pattern, str))
	if list := r.text("listDelimiter"); list != nil {
		out.set("listDelimiter", str(*list))
	}
	setTexts(out, "columns", r.texts("columns"))
}
