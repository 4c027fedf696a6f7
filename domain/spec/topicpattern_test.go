package spec

import (
	"strings"
	"testing"
)

func TestPatternsMatchWholeNamesAsInJava(t *testing.T) {
	for _, c := range []struct{ pattern, yes, no string }{
		{"edits_.*", "edits_ edits_a edits_a.b", "edits my_edits_a"},
		{"a|b", "a b", "ab ac"},
		{"^a$", "a", "ab ba"},
		{`\Qa.b\E.*`, "a.b a.bc", "axb"},
		{`\Qa+`, "a+", "aa"},
		{`\p{Alpha}+[\p{Digit}_]`, "a1 ab_", "a 1 é1"},
		{`\P{Digit}+`, "ab", "a1"},
		{"(?i)Edits", "edits EDITS", "edit"},
		{"(?!__).*", "a _a", "__a __consumer_offsets"},
		{"^(?!test_)(?!.*_tmp$)[a-z_]+$", "edits test", "test_a edits_tmp"},
		{"(?=.*prod).*", "a_prod_b prod", "a_dev"},
		{".*(?<!_internal)", "edits internal_edits", "edits_internal"},
		{".*(?<=_v1|_v2)$", "edits_v1 edits_v2", "edits_v3"},
		{"(?:(?i)a|b)c?", "A ac b", "cc"},
		{`a\$`, "a$", "a"},
		{"[a+]++", "", ""},
		{"[(a]b", "(b ab", "b"},
	} {
		m, err := compileTopicPattern(c.pattern)
		if c.yes == "" {
			if err == nil {
				t.Errorf("%s was taken", c.pattern)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for _, topic := range strings.Fields(c.yes) {
			if !m.matches(topic) {
				t.Errorf("%s does not match %s", c.pattern, topic)
			}
		}
		for _, topic := range strings.Fields(c.no) {
			if m.matches(topic) {
				t.Errorf("%s matches %q", c.pattern, topic)
			}
		}
	}
}

func TestPatternsThatOnlyJavaCanFollowAreRefusedByName(t *testing.T) {
	for pattern, why := range map[string]string{
		"a(?!b)c": "in the middle", "(?!a)b|c": "alternatives", "(?>a+)b": "atomic", "a*+b": "possessive", "a{2}+": "possessive",
		`(a)\1`: "back reference", `(?<x>a)\k<x>`: "back reference", "[a-z&&[^b]]": "intersection", "[a[bc]]": "class within",
		"(?=(?!a)b).*": "within another", `[\P{Alpha}]`: "in a class", "(a": "not a regular expression", `\p{javaLowerCase}`: "not a regular expression",
	} {
		if _, err := compileTopicPattern(pattern); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", pattern, err, why)
		}
	}
}

func FuzzTopicPattern(f *testing.F) {
	for _, p := range []string{"a.*", `\Qa\E`, "(?!a)[b]$", "[^]a]", `\`, "(", "(?<=a)", "a++", `[\p{Alpha}`} {
		f.Add(p, "topic")
	}
	f.Fuzz(func(_ *testing.T, pattern, topic string) {
		if m, err := compileTopicPattern(pattern); err == nil {
			m.matches(topic)
		}
	})
}
