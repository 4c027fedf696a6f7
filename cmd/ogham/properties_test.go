package main

import (
	"maps"
	"strings"
	"testing"
)

func TestPropertiesAreReadAsJavaReadsThem(t *testing.T) {
	got := properties{}
	err := got.parse(strings.NewReader(strings.Join([]string{
		"# a comment \\", "  ! another", "", "a=1", " b : 2 ", "c 3", "d\t=\t4", "e=x=y:z", "f", "g=", `h\:i\ j=k`, `l=one,\`, "    two", `m=C:\\dir`,
		`n=\u00e4\t!`, `o=\ud83d\ude00\ud83d!`, "p=a\xffb", `druid.extensions.loadList=["a", "b"]`, `last=line\`,
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	want := properties{
		"a": "1", "b": "2", "c": "3", "d": "4", "e": "x=y:z", "f": "", "g": "", "h:i j": "k", "l": "one,two", "m": `C:\dir`,
		"n": "ä\t!", "o": "😀\ufffd!", "p": "a\ufffdb", "druid.extensions.loadList": `["a", "b"]`, "last": "line",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{"=x", ": x", `a=\u12`, `a=\uzzzz`} {
		if err := (properties{}).parse(strings.NewReader("x=y\n" + bad)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v, want an error that names the line", bad, err)
		}
	}
}
