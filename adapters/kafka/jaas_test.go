package kafka

import (
	"reflect"
	"strings"
	"testing"
)

// TestJAASIsReadAsKafkaReadsIt has what Kafka 4.1's own reader gave for each text.
func TestJAASIsReadAsKafkaReadsIt(t *testing.T) {
	for text, want := range map[string][]loginModule{
		`a.B required username="al\"i" password='p w;' ;`: {{"a.B", "REQUIRED", map[string]string{"username": `al"i`, "password": "p w;"}}},
		`a.B required x=y;`: {{"a.B", "REQUIRED", map[string]string{"x": "y"}}},
		"a.B required x=\"1\" // c\n y=\"\\101\\7z\\n\";": {{"a.B", "REQUIRED", map[string]string{"x": "1", "y": "A\az\n"}}},
		`A REQUIRED; B optional u=v;`:                     {{"A", "REQUIRED", map[string]string{}}, {"B", "OPTIONAL", map[string]string{"u": "v"}}},
		"a required p=a/b;\n;":                            {{"a", "REQUIRED", map[string]string{"p": "a"}}},
		`a required p="\u0041" q=pä;`:                     {{"a", "REQUIRED", map[string]string{"p": "u0041", "q": "pä"}}},
		"a /* b */ Requisite p = \"\" ;":                  {{"a", "REQUISITE", map[string]string{"p": ""}}},
		"":                                                nil,
		// Beyond Java, which takes these for numbers.
		`a required p=1y q=-1;`: {{"a", "REQUIRED", map[string]string{"p": "1y", "q": "-1"}}},
	} {
		got, err := parseJAAS(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q was read as %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestJAASErrorsSayWhatAndNoSecret(t *testing.T) {
	for text, says := range map[string]string{
		`a required x=y`:                   "semi-colon",
		"a required p=\"canary\ncanary\";": "Value not specified for key 2",
		`a required x canary;`:             "Value not specified for key 1",
		`required;`:                        "control flag",
		`a canary p="x";`:                  "control flag",
		`a`:                                "control flag",
		`a required password=@canary username=b;`: "Value not specified for key 1",
		`a required =canary;`:                     "a name is expected for key 1",
		`"canary`:                                 "control flag",
		`= canary`:                                "class is expected",
	} {
		_, err := parseJAAS(text)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: error %v, want one that says %q and quotes nothing", text, err, says)
		}
	}
}

func FuzzParseJAAS(f *testing.F) {
	f.Add(`x required username="a" password="b";`)
	f.Add(`username=`)
	f.Add("a required p='\\377\\8' /* x */ q=/ y\n\"z\";")
	f.Fuzz(func(t *testing.T, s string) {
		modules, err := parseJAAS(s)
		if err != nil && modules != nil {
			t.Errorf("%q: both %v and %v", s, modules, err)
		}
	})
}
