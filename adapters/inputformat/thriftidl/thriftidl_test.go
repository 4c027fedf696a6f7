package thriftidl_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ogham/adapters/inputformat/thriftidl"
)

// files is a Source of texts by name.
func files(texts map[string]string) thriftidl.Source {
	return func(_, name string) (string, []byte, error) {
		text, ok := texts[name]
		if !ok {
			return "", nil, fmt.Errorf("no file %s", name)
		}
		return name, []byte(text), nil
	}
}

func parse(text string) (*thriftidl.File, error) {
	return thriftidl.Parse("a.thrift", files(map[string]string{"a.thrift": text}))
}

func TestFieldsHaveTheirTypesAndDefaults(t *testing.T) {
	const text = "\xEF\xBB\xBF" + `include "b.thrift" cpp_include "x.h"
namespace * all; namespace smalltalk.prefix Foo namespace py "a.b" (x)
senum Old { "A", "B" }
const map<string, list<i32>> M = {"a": [1; 2], 'b\n': []}
const double D = -1.5e+3;
enum Color { RED, GREEN = 0x10 (x = "y"), BLUE } (z)
typedef b.Alias Mine (a)
struct A xsd_all {
  i32 first = Color.BLUE
  -7: required Mine second
  3: map cpp_type "m" <binary, set<list<A>> > third
  4: optional A & self
  5: double d = D, 6: map<string, list<i32>> m = M;
  7: b.B inner = {"x": true} xsd_optional xsd_attrs { 1: i32 x }
  8: list<string> none = {}
  9: i64 long = 010
  10: slist s = "it's"
} (annotated, by = 'x')
service S { oneway void f(1: A a) (b = "}") }`
	f, err := thriftidl.Parse("a", files(map[string]string{"a": text, "b.thrift": `typedef map<i8, B> Alias struct B { 1: bool x = false }`}))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Struct("com.example.A")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, field := range s.Fields {
		got = append(got, fmt.Sprintf("%d %s %d", field.ID, field.Name, field.Type.Kind))
	}
	const want = "[-1 first 4 -7 second 13 3 third 13 4 self 14 5 d 6 6 m 13 7 inner 14 8 none 11 9 long 5 10 s 7]"
	if fmt.Sprint(got) != want {
		t.Errorf("fields %v, want %s", got, want)
	}
	if d := s.Fields[0].Default; d.Int != 17 {
		t.Errorf("Color.BLUE is %d, want 17", d.Int)
	}
	if second := s.Fields[1].Type; second.Key.Kind != thriftidl.I8 || second.Elem.Struct.Name != "B" {
		t.Errorf("the alias of another file is %+v", second)
	}
	if s.Fields[3].Type.Struct != s || s.Fields[2].Type.Elem.Elem.Elem.Struct != s {
		t.Error("a struct within itself is another one")
	}
	if m := s.Fields[5].Default; len(m.List) != 2 || m.Keys[1].Text != "b\n" || m.List[0].List[1].Int != 2 {
		t.Errorf("the map's default is %+v", m)
	}
	if d := s.Fields[4].Default.Double; d != -1500 {
		t.Errorf("the default of d is %v", d)
	}
	if inner := s.Fields[6].Default; inner.Fields[0] != 1 || inner.List[0].Int != 1 {
		t.Errorf("the struct's default is %+v", inner)
	}
	if long := s.Fields[8].Default.Int; long != 10 {
		t.Errorf("010 is %d, want 10: Thrift has no octal numbers", long)
	}
}

func TestWhatIsWrongIsToldByItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"struct A {\n1: i32 a\n1: i32 b }":                          "line 3: two fields",
		"struct A { 1: i32 a, 2: i32 a }":                           "line 1: two fields",
		"\n\nstruct A { 1: B b }":                                   "line 3: a type is neither",
		"typedef B A\ntypedef A B struct S { 1: A a }":              "a typedef stands for itself",
		"struct A {} struct A {}":                                   "a type of this name",
		"struct A { 1: i32 a = X }":                                 "no value of its type",
		"const i32 X = Y const i32 Y = X struct A { 1: i32 a = X }": "stands for itself",
		"struct A { 1: i8 a = 128 }":                                "no value of its type",
		"struct A { 1: list<i32> a = 5 }":                           "must be a list or a map",
		"struct A { 1: A a = {\"b\": 1} }":                          "a field that its struct has not",
		"struct A { 1: string a = 5 }":                              "must be a text",
		"struct A { 99999: i32 a }":                                 "too large",
		"struct A { 1: i32 a":                                       "missing",
		"/* x":                                                      "a comment is not closed",
		"const string a = \"x":                                      "a text is not closed",
		"x":                                                         "here must be",
		"service S { void f(":                                       `a "}" is missing`,
		"struct A { 1: " + strings.Repeat("list<", 1000):            "nested too deep",
		"const list<i32> A = " + strings.Repeat("[", 1000):          "nested too deep",
		"include \"b.thrift\"":                                      "no file b.thrift",
		"struct A { 1: string a (x = \"y\"":                         `a ")" is missing`,
		"enum A { B = 4294967296 }":                                 "too large",
		"struct A { 1: set cpp_type <i32> a }":                      "the name of a type",
		laughs():                                                    "too many values",
	} {
		f, err := parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, %v, want %q", text, f, err, want)
		}
	}
}

// laughs is a constant of a few lines that stands for 10^20 values.
func laughs() string {
	text := "const list<i32> C0 = [1]\n"
	typ := "list<i32>"
	for i := range 20 {
		typ = "list<" + typ + ">"
		text += fmt.Sprintf("const %s C%d = [%s]\n", typ, i+1, strings.Repeat(fmt.Sprintf("C%d,", i), 10))
	}
	return text + "struct A { 1: " + typ + " a = C20 }"
}

func TestFilesThatIncludeOneAnotherEnd(t *testing.T) {
	texts := map[string]string{"a.thrift": `include "b.thrift" struct A { 1: b.B b }`, "b.thrift": `include "a.thrift" struct B { 1: a.A a }`}
	f, err := thriftidl.Parse("a.thrift", files(texts))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := f.Struct("A"); err != nil || a.Fields[0].Type.Struct.Fields[0].Type.Struct != a {
		t.Errorf("%+v, %v", a, err)
	}
	_, err = thriftidl.Parse("x0.thrift", func(_, name string) (string, []byte, error) {
		return name, []byte(`include "x` + name + `"`), nil
	})
	if err == nil || !strings.Contains(err.Error(), "more than 200 files") {
		t.Errorf("files without end: %v", err)
	}
}

func FuzzIDL(f *testing.F) {
	for _, text := range []string{
		`include "a.thrift" namespace java x typedef map<string, list<A>> M enum E { X = 1, Y } struct A { 1: required M m = {"a": []}, 2: E e = E.Y, -3: a.A a }`,
		`const list<i32> C = [1, 0x2, -3] union U { 1: i32 a; 2: double d = -1e5 } exception X { string s = "a\"b" } (a = "b") service S extends T { void f() throws (1: X x) }`,
		`struct A { 1: list<i32> a = C } const list<i32> C = C`, "# c\n// d\n/* e */ senum S { \"a\" }",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := thriftidl.Parse("a.thrift", func(_, name string) (string, []byte, error) {
			if name != "a.thrift" {
				return "", nil, errors.New("no such file")
			}
			return name, []byte(text), nil
		})
		if err != nil {
			return
		}
		if _, err := file.Struct("A"); err != nil {
			return
		}
	})
}
