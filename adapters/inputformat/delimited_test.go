package inputformat

import (
	"fmt"
	"testing"

	"ogham/adapters/index"
	"ogham/domain/row"
)

// FuzzDelimited reads lines with and without the way for plain ones: the rows are the same.
func FuzzDelimited(f *testing.F) {
	for _, line := range []string{
		"", ",", "a,b,c", "a,,", ",,c", "a,b,c,d,", `"a,b",c`, "a\x01b,c", "1,2.50,-3\n4,5\r\n,", "\xff,\xc3,é", "a\tb\t\tc", `x"y,"`, "007,1e5,0x1F",
	} {
		f.Add([]byte(line), false, "")
		f.Add([]byte(line), true, "\x01")
		f.Add([]byte(line), true, "é")
	}
	f.Fuzz(func(t *testing.T, message []byte, numbers bool, list string) {
		for _, kind := range []string{"csv", "tsv"} {
			spec := delimitedSpec{Columns: []string{"a", "other", "b", "c"}, TryParseNumbers: numbers, ListDelimiter: &list}
			p, err := newDelimited(kind, spec, []string{"c", "a", "b", "never"}, false)
			if err != nil {
				return // the list delimiter is the delimiter
			}
			slow, err := newDelimited(kind, spec, []string{"c", "a", "b", "never"}, false)
			if err != nil {
				t.Fatal(err)
			}
			slow.comma = 0
			if got, want := rowsText(p, message), rowsText(slow, message); got != want {
				t.Fatalf("%s of %q:\n%s, want\n%s", kind, message, got, want)
			}
		}
	})
}

// rowsText shows what a message gives.
func rowsText(p *delimited, message []byte) string {
	rows, err := p.Parse(&index.Record{Value: message})
	if err != nil {
		return err.Error()
	}
	out := fmt.Sprintln(rows.Count, rows.Width, rows.Lines)
	for _, list := range [][]row.Value{rows.Values, rows.Elems} {
		for _, v := range list {
			out += fmt.Sprintf("%d %d %q\n", v.Kind, v.Num, v.Text)
		}
	}
	return out
}
