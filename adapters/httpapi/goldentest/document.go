package goldentest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Document is an OpenAPI 3.1 document that exchanges are held against. It is safe for concurrent use.
type Document struct {
	root map[string]any
	// operations by method, then by path with its parameters in braces.
	operations map[string]map[string]*operation
	compiler   *jsonschema.Compiler
	schemas    map[string]*jsonschema.Schema // by JSON pointer
}

type operation struct {
	id        string
	request   *body
	responses map[string]*response // by status, or default
}

// body is the content of a request or an answer, by media type.
type body struct {
	required bool
	content  map[string]*media
}

type media struct {
	schema *jsonschema.Schema
	bare   string
}

type response struct{ body }

const documentURL = "openapi.json"

// ReadDocument compiles a document. It refuses one that contradicts itself: a reference that leads nowhere, a path
// without its parameters, an operation without an id of its own.
func ReadDocument(text []byte) (*Document, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	root, ok := parsed.(map[string]any)
	if !ok || root["openapi"] != "3.1.0" {
		return nil, errors.New("read the document: it is no OpenAPI 3.1.0")
	}
	d := &Document{root: root, operations: map[string]map[string]*operation{}, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	if err := d.compiler.AddResource(documentURL, root); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	if err := d.references(root, ""); err != nil {
		return nil, err
	}
	return d, d.readPaths()
}

// references finds every $ref, and refuses one that leads nowhere.
func (d *Document) references(v any, at string) error {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			if _, err := d.resolve(ref); err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := d.references(v[name], at+"/"+name); err != nil {
				return err
			}
		}
	case []any:
		for i, item := range v {
			if err := d.references(item, fmt.Sprintf("%s/%d", at, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Document) resolve(ref string) (map[string]any, error) {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil, fmt.Errorf("reference %s does not stay in the document", ref)
	}
	var v any = d.root
	for name := range strings.SplitSeq(pointer, "/") {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		m, ok := v.(map[string]any)
		if v, ok = m[name]; !ok {
			return nil, fmt.Errorf("reference %s leads nowhere", ref)
		}
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("reference %s leads to no object", ref)
	}
	return m, nil
}

// follow gives an object and its pointer, behind the reference where it is one.
func (d *Document) follow(v any, pointer string) (map[string]any, string, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, "", fmt.Errorf("%s is no object", pointer)
	}
	ref, ok := m["$ref"].(string)
	if !ok {
		return m, pointer, nil
	}
	m, err := d.resolve(ref)
	return m, strings.TrimPrefix(ref, "#"), err
}

func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

func (d *Document) readPaths() error {
	paths, _ := d.root["paths"].(map[string]any)
	ids := map[string]string{}
	for path, v := range paths {
		item, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is no object", path)
		}
		for _, method := range []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"} {
			o, ok := item[method].(map[string]any)
			if !ok {
				continue
			}
			where := strings.ToUpper(method) + " " + path
			if err := d.checkParameters(path, item["parameters"], o["parameters"]); err != nil {
				return fmt.Errorf("%s: %w", where, err)
			}
			op, err := d.readOperation(o, "/paths/"+escape(path)+"/"+method)
			if err != nil {
				return fmt.Errorf("%s: %w", where, err)
			}
			if other := ids[op.id]; op.id == "" || other != "" {
				return fmt.Errorf("%s: the operationId %q is that of %q", where, op.id, other)
			}
			ids[op.id] = where
			if d.operations[strings.ToUpper(method)] == nil {
				d.operations[strings.ToUpper(method)] = map[string]*operation{}
			}
			d.operations[strings.ToUpper(method)][path] = op
		}
	}
	return nil
}

// checkParameters wants exactly the parameters that stand in the path.
func (d *Document) checkParameters(path string, lists ...any) error {
	declared := map[string]bool{}
	for _, list := range lists {
		items, _ := list.([]any)
		for i, item := range items {
			p, _, err := d.follow(item, fmt.Sprintf("parameter %d", i))
			if err != nil {
				return err
			}
			name, _ := p["name"].(string)
			if name == "" || p["schema"] == nil {
				return fmt.Errorf("parameter %d has no name or no schema", i)
			}
			if p["in"] == "path" {
				declared[name] = true
			}
		}
	}
	for part := range strings.SplitSeq(path, "/") {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		name := strings.Trim(part, "{}")
		if !declared[name] {
			return fmt.Errorf("the parameter %s is not declared", name)
		}
		delete(declared, name)
	}
	for name := range declared {
		return fmt.Errorf("the parameter %s is not in the path", name)
	}
	return nil
}

func (d *Document) readOperation(o map[string]any, pointer string) (*operation, error) {
	op := &operation{responses: map[string]*response{}}
	op.id, _ = o["operationId"].(string)
	if text, _ := o["summary"].(string); text == "" {
		return nil, errors.New("there is no summary")
	}
	if v, ok := o["requestBody"]; ok {
		m, at, err := d.follow(v, pointer+"/requestBody")
		if err != nil {
			return nil, err
		}
		b, err := d.readBody(m, at)
		if err != nil {
			return nil, err
		}
		b.required, _ = m["required"].(bool)
		op.request = b
	}
	responses, _ := o["responses"].(map[string]any)
	if len(responses) == 0 {
		return nil, errors.New("there are no responses")
	}
	for status, v := range responses {
		m, at, err := d.follow(v, pointer+"/responses/"+escape(status))
		if err != nil {
			return nil, err
		}
		if text, _ := m["description"].(string); text == "" {
			return nil, fmt.Errorf("response %s has no description", status)
		}
		b, err := d.readBody(m, at)
		if err != nil {
			return nil, err
		}
		op.responses[status] = &response{*b}
	}
	return op, nil
}

func (d *Document) readBody(m map[string]any, pointer string) (*body, error) {
	b := &body{content: map[string]*media{}}
	content, _ := m["content"].(map[string]any)
	for kind, v := range content {
		at := pointer + "/content/" + escape(kind)
		mt, _, err := d.follow(v, at)
		if err != nil {
			return nil, err
		}
		x := &media{}
		x.bare, _ = mt["x-bare"].(string)
		if x.schema, err = d.schema(at + "/schema"); err != nil {
			return nil, err
		}
		b.content[kind] = x
	}
	return b, nil
}

func (d *Document) schema(pointer string) (*jsonschema.Schema, error) {
	if s, ok := d.schemas[pointer]; ok {
		return s, nil
	}
	// The pointer stands in a URL.
	parts := strings.Split(pointer, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	s, err := d.compiler.Compile(documentURL + "#" + strings.Join(parts, "/"))
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", pointer, err)
	}
	d.schemas[pointer] = s
	return s, nil
}

// Operations lists method and path of every operation, sorted.
func (d *Document) Operations() []string {
	var all []string
	for method, paths := range d.operations {
		for path := range paths {
			all = append(all, method+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

// find gives the operation of a request: of several paths that match, the one with fewer parameters.
func (d *Document) find(method, target string) (*operation, string) {
	path, _, _ := strings.Cut(target, "?")
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	var found *operation
	name, fewest := "", len(segments)+1
	for template, op := range d.operations[method] {
		parts := strings.Split(template, "/")
		if len(parts) != len(segments) {
			continue
		}
		parameters, match := 0, true
		for i, part := range parts {
			if strings.HasPrefix(part, "{") && segments[i] != "" {
				parameters++
			} else if part != segments[i] {
				match = false
				break
			}
		}
		if match && parameters < fewest {
			found, name, fewest = op, template, parameters
		}
	}
	return found, name
}

// Check holds one exchange against the document and tells what does not fit. What the document has no operation for must
// have been answered as a server answers what it does not know. A request that was refused may be anything.
func (d *Document) Check(x Exchange, got Answer) []string {
	op, path := d.find(x.Request.Method, x.Request.Path)
	if op == nil {
		if got.Status != 404 && got.Status != 405 && got.Status != 400 {
			return []string{fmt.Sprintf("%s %s: the document has no such operation, and the status is %d", x.Request.Method, x.Request.Path, got.Status)}
		}
		return nil
	}
	where := x.Request.Method + " " + path
	var diffs []string
	if got.Status < 300 && op.request != nil {
		if problem := op.request.checkRequest(x); problem != "" {
			diffs = append(diffs, where+": request: "+problem)
		}
	}
	status := fmt.Sprint(got.Status)
	r := op.responses[status]
	if r == nil {
		if r = op.responses["default"]; r == nil {
			return append(diffs, fmt.Sprintf("%s: the document has no response %s", where, status))
		}
	}
	if problem := r.check(got.Header.Get("Content-Type"), got.Body); problem != "" {
		diffs = append(diffs, fmt.Sprintf("%s: response %s: %s", where, status, problem))
	}
	return diffs
}

func (b *body) checkRequest(x Exchange) string {
	sent, err := x.body()
	if err != nil {
		return err.Error()
	}
	if len(sent) == 0 {
		if b.required {
			return "there is no body"
		}
		return ""
	}
	if x.Request.BodyLength > 0 {
		return "" // cut in the recording
	}
	// What follows the first value is ignored.
	var first json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(sent)).Decode(&first); err != nil {
		return err.Error()
	}
	return b.check(x.Request.Headers["Content-Type"], first)
}

func (b *body) check(contentType string, text []byte) string {
	if contentType == "" && len(text) == 0 {
		return ""
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Sprintf("the content type %q cannot be read, and there is a body", contentType)
	}
	m := b.content[kind]
	if m == nil {
		return fmt.Sprintf("there is no content of type %s", kind)
	}
	if len(text) == 0 && m.bare == "empty" {
		return ""
	}
	var v any = string(text)
	if strings.HasSuffix(kind, "json") && kind != "application/x-ndjson" && m.bare != "text" {
		if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
			return fmt.Sprintf("it is no JSON: %v: %s", err, clip(string(text)))
		}
	}
	if err := m.schema.Validate(v); err != nil {
		return fmt.Sprintf("%v: %s", err, clip(string(text)))
	}
	return ""
}
