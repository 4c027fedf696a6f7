package main

import (
	"fmt"
	"go/ast"
	"strings"

	"ogham/domain/supervisor"
	"ogham/eventstore"
)

const (
	exampleSupervisor = "clicks"
	exampleTask       = "index_kafka_clicks_4f1c0a2b9d3e5f6_bcdefghi"
)

// subject is where an event type lies in the log; state is the last token.
func subject(e event, supervisorID, state string) string {
	kind := "supervisor"
	if e.task {
		kind = "task" // its id is in ce-subject: the server visits every subject below a fence at each append
	}
	return "ogham.v1." + kind + "." + supervisorID + "." + e.name + "." + state
}

func exampleSubject(e event) string {
	state := eventstore.NoToken
	if len(e.states) > 0 {
		state = e.states[0]
	}
	if e.name == "RunFailed" {
		state = supervisor.StateLostContact
	}
	return subject(e, eventstore.EncodeToken(exampleSupervisor), state)
}

// says turns "X says that …" into a sentence of its own.
func says(e event) string {
	text := strings.TrimPrefix(e.doc, e.name+" ")
	if rest, ok := strings.CutPrefix(text, "is "); ok {
		text = rest
	}
	for _, start := range []string{"says that ", "says which "} {
		if rest, ok := strings.CutPrefix(text, start); ok {
			text = rest
			if start == "says which " {
				text = "which " + text
			}
		}
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func indexPage(events []event) string {
	var b strings.Builder
	b.WriteString("# Events\n\n" + generated)
	b.WriteString("Every decision is an event in the log, a JetStream stream under `ogham.v1.>`. An event is a CloudEvent 1.0 in binary mode: " +
		"the headers say what it is, the data is JSON. [asyncapi.yaml](../asyncapi.yaml) has the schemas of all of them.\n\n")
	b.WriteString("Subjects are `ogham.v1.supervisor.<supervisor id>.<type>.<state>` and `ogham.v1.task.<supervisor id>.<type>.<state>`: " +
		"the last token is the state that the event moved its machine to, or `-` where it moved none. Ids are written so that they are one token: " +
		"a byte that is no letter, digit, `_` or `-` becomes `=` and two hex digits. So a program that waits for one thing subscribes to just that: " +
		"`ogham.v1.supervisor.*.*.UNHEALTHY_TASKS`.\n\n")
	b.WriteString("| header | meaning |\n| --- | --- |\n")
	for _, h := range headers {
		fmt.Fprintf(&b, "| `%s` | %s |\n", h.name, h.doc)
	}
	b.WriteString("\nThe overlord itself has `LeaderElected` events under `ogham.v1.overlord.<name>.LeaderElected.-`, one for each term.\n")
	for _, kind := range []struct {
		title string
		task  bool
	}{{"Of a supervisor", false}, {"Of a task", true}} {
		fmt.Fprintf(&b, "\n## %s\n\n| type | says |\n| --- | --- |\n", kind.title)
		for _, e := range events {
			if e.task == kind.task {
				fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", e.name, e.name, says(e))
			}
		}
	}
	return b.String()
}

var headers = []struct{ name, doc string }{
	{eventstore.HeaderCESpecVersion, "`1.0`"},
	{eventstore.HeaderCEID, "the event's unique id, its NATS message id too"},
	{eventstore.HeaderCESource, "the program that appended it"},
	{eventstore.HeaderCEType, "the event type, as on these pages"},
	{eventstore.HeaderCETime, "when it was decided, RFC 3339 in UTC"},
	{eventstore.HeaderCESubject, "`supervisor/<id>` or `task/<supervisor id>/<task id>`"},
	{eventstore.HeaderCEDataContentType, "`application/json`"},
	{eventstore.HeaderSchemaVersion, "the version of the data's shape"},
	{eventstore.HeaderEpoch, "the leader's term"},
	{eventstore.HeaderActor, "who asked: `user`, `overlord`, or `task:<id>`"},
	{eventstore.HeaderCause, "ids of the events that led to this one, separated by commas"},
	{eventstore.HeaderPrevHash, "the hash of the supervisor's event before"},
	{eventstore.HeaderHash, "this event's hash: a supervisor's history is a chain"},
}

func eventPage(t types, e event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s%s\n\n", e.name, generated, says(e))
	kind := "supervisor"
	if e.task {
		kind = "task"
	}
	fmt.Fprintf(&b, "- Kind: %s, schema version 1\n", kind)
	fmt.Fprintf(&b, "- Subject: `%s`\n", subject(e, "<supervisor id>", "<state>"))
	if len(e.states) > 0 {
		rest := ""
		if !e.task && e.name != "SupervisorCreated" && len(e.states) > 1 {
			rest = ", or `-` where it moves nothing"
		}
		fmt.Fprintf(&b, "- State: %s%s\n", code(e.states), rest)
	} else {
		b.WriteString("- State: `-`, it moves no machine\n")
	}
	fmt.Fprintf(&b, "- Example: `%s`\n\n", exampleSubject(e))
	b.WriteString("| field | type | | meaning |\n| --- | --- | --- | --- |\n")
	for _, f := range e.fields {
		optional := ""
		if f.optional {
			optional = "optional"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, t.describe(f.pkg, f.expr), optional, t.meaning(f))
	}
	t.parts(&b, e)
	return b.String()
}

// meaning is a field's comment, or what its name means everywhere, or the comment of its type.
func (t types) meaning(f field) string {
	if f.doc != "" {
		return f.doc
	}
	if text, ok := words[f.name]; ok {
		return text
	}
	return t[base(f.pkg, f.expr)].doc
}

// base is the named type at the bottom of pointers and lists.
func base(pkg string, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return base(pkg, e.X)
	case *ast.ArrayType:
		return base(pkg, e.Elt)
	}
	return qualified(pkg, e)
}

// describe names a type in words.
func (t types) describe(pkg string, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return t.describe(pkg, e.X)
	case *ast.ArrayType:
		return "list of " + t.describe(pkg, e.Elt)
	case *ast.MapType:
		return "object: " + t.describe(pkg, e.Key) + " to " + t.describe(pkg, e.Value)
	}
	switch name := qualified(pkg, e); name {
	case "json.RawMessage":
		return "JSON"
	case "time.Time":
		return "time, RFC 3339"
	default:
		info, ok := t[name]
		if !ok {
			return strings.TrimPrefix(name, pkg+".")
		}
		if _, ok := info.expr.(*ast.StructType); ok {
			return short(name)
		}
		return t.describe(info.pkg, info.expr)
	}
}

func short(name string) string { return name[strings.IndexByte(name, '.')+1:] }

// parts describes the structs that the event's fields are made of, each once.
func (t types) parts(b *strings.Builder, e event) {
	seen := map[string]bool{}
	rest := e.fields
	for len(rest) > 0 {
		f := rest[0]
		rest = rest[1:]
		name := base(f.pkg, f.expr)
		info, ok := t[name]
		fields := t.fields(info)
		if !ok || seen[name] || len(fields) == 0 {
			continue
		}
		seen[name] = true
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n| field | type | | meaning |\n| --- | --- | --- | --- |\n", short(name), info.doc)
		for _, f := range fields {
			optional := ""
			if f.optional {
				optional = "optional"
			}
			fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.name, t.describe(f.pkg, f.expr), optional, t.meaning(f))
		}
		rest = append(rest, fields...)
	}
}
