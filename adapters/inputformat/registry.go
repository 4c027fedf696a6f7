package inputformat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

// registrySpec is what the decoders of Avro and Protobuf say of a schema registry.
type registrySpec struct {
	URL     string         `json:"url"`
	URLs    []string       `json:"urls"`
	Config  map[string]any `json:"config"`
	Headers map[string]any `json:"headers"`
}

const (
	// registryTimeout bounds one request, registryTries how often it is made before the task fails.
	registryTimeout = 15 * time.Second
	registryTries   = 4
	registryPause   = 500 * time.Millisecond
	// unknownFor is how long a schema is taken for missing before the registry is asked again.
	unknownFor = 30 * time.Second
	// maxSchemas bounds the schemas of a registry that are kept, compiled.
	maxSchemas = 10_000
	// dynamicConfig names the entry whose provider gives further entries, resolved where the task runs.
	dynamicConfig = "druid.dynamic.config.provider"
	// registryPrefix may stand before the name of each property, registryIdle is how long a connection is kept.
	registryPrefix = "schema.registry."
	registryIdle   = 90 * time.Second
)

// registries shares the clients between parsers: one each for what a spec says of it.
type registries struct {
	mu      sync.Mutex
	clients map[string]*registry
}

// registry is a client with the schemas that were fetched. It is safe for concurrent use.
type registry struct {
	client *sr.Client
	pause  time.Duration // between tries

	mu      sync.Mutex
	schemas map[int]sr.Schema
	unknown map[int]time.Time // when the registry said so
}

// unknownSchemaError says that the registry has no schema of an id.
type unknownSchemaError struct {
	id  int
	err error
}

func (e *unknownSchemaError) Error() string {
	return fmt.Sprintf("schema registry has no schema of id %d: %v", e.id, e.err)
}

// registry gives the client of a spec.
func (f *Formats) registry(s registrySpec) (*registry, error) {
	config, err := f.settings(s.Config)
	if err != nil {
		return nil, fmt.Errorf("config of the schema registry: %w", err)
	}
	headers, err := f.settings(s.Headers)
	if err != nil {
		return nil, fmt.Errorf("headers of the schema registry: %w", err)
	}
	urls := s.URLs
	if s.URL != "" {
		urls = strings.Split(s.URL, ",")
	}
	key, err := json.Marshal([]any{urls, config, headers}) // maps come out sorted
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(key)
	name := hex.EncodeToString(sum[:])
	f.registries.mu.Lock()
	defer f.registries.mu.Unlock()
	if r := f.registries.clients[name]; r != nil {
		return r, nil
	}
	r, err := f.newRegistry(urls, config, headers)
	if err != nil {
		return nil, err
	}
	if f.registries.clients == nil {
		f.registries.clients = map[string]*registry{}
	}
	f.registries.clients[name] = r
	return r, nil
}

// settings gives entries as text, those of a provider over the others.
func (f *Formats) settings(raw map[string]any) (map[string]string, error) {
	out := make(map[string]string, len(raw))
	add := func(from map[string]any) {
		for name, v := range from {
			if name != dynamicConfig && v != nil {
				out[name] = fmt.Sprint(v)
			}
		}
	}
	add(raw)
	provider, ok := raw[dynamicConfig].(map[string]any)
	if !ok {
		return out, nil
	}
	switch kind := fmt.Sprint(provider["type"]); kind {
	case "mapString":
		config, _ := provider["config"].(map[string]any)
		add(config)
	case "environment":
		variables, _ := provider["variables"].(map[string]any)
		for name, variable := range variables {
			v, found := "", false
			if f.Env != nil {
				v, found = f.Env(fmt.Sprint(variable))
			}
			if !found {
				return nil, fmt.Errorf("environment variable %v is not set", variable)
			}
			out[name] = v
		}
	default:
		return nil, fmt.Errorf("%s: type %q is not known (environment and mapString are)", dynamicConfig, kind)
	}
	return out, nil
}

func (f *Formats) newRegistry(urls []string, config, headers map[string]string) (*registry, error) {
	if len(urls) == 0 {
		return nil, errors.New("schema registry: url or urls must be given")
	}
	connect, err := f.httpClient(config)
	if err != nil {
		return nil, err
	}
	opts := []sr.ClientOpt{
		sr.HTTPClient(connect), sr.UserAgent("ogham"),
		sr.PreReq(func(req *http.Request) error {
			for name, v := range headers {
				req.Header.Set(name, v)
			}
			return nil
		}),
	}
	for i, raw := range urls {
		urls[i] = strings.TrimSpace(raw)
		u, err := url.Parse(urls[i])
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, errors.New("schema registry: each url must be http://host:port or https://host:port")
		}
		if u.User != nil {
			password, _ := u.User.Password()
			opts = append(opts, sr.BasicAuth(u.User.Username(), password))
			u.User = nil
			urls[i] = u.String()
		}
	}
	auth, err := credentials(config)
	if err != nil {
		return nil, err
	}
	client, err := sr.NewClient(append(append(opts, sr.URLs(urls...)), auth...)...)
	if err != nil {
		return nil, fmt.Errorf("schema registry: %w", err)
	}
	return &registry{client: client, pause: registryPause, schemas: map[int]sr.Schema{}, unknown: map[int]time.Time{}}, nil
}

// credentials maps the properties of Confluent's client. One that changes how the registry is spoken to and has no
// equal here is an error.
func credentials(config map[string]string) (opts []sr.ClientOpt, err error) {
	get := func(name string) string {
		if v, ok := config[registryPrefix+name]; ok {
			return v
		}
		return config[name]
	}
	if info := get("basic.auth.user.info"); info != "" {
		user, password, ok := strings.Cut(info, ":")
		if !ok {
			return nil, errors.New("schema registry: basic.auth.user.info must be user:password")
		}
		opts = append(opts, sr.BasicAuth(user, password))
	}
	if token := get("bearer.auth.token"); token != "" {
		opts = append(opts, sr.BearerToken(token))
	}
	for _, name := range slices.Sorted(maps.Keys(config)) {
		plain := strings.TrimPrefix(name, registryPrefix)
		source := strings.ToUpper(config[name])
		switch {
		case plain == "basic.auth.credentials.source" && source != "USER_INFO" && source != "URL",
			plain == "bearer.auth.credentials.source" && source != "STATIC_TOKEN":
			return nil, fmt.Errorf("schema registry: %s %q is not supported (USER_INFO, URL and STATIC_TOKEN are)", name, config[name])
		}
	}
	return opts, nil
}

// schema gives the schema of an id. An *unknownSchemaError says that there is none; any other error that the registry
// cannot be asked now.
func (r *registry) schema(id int) (sr.Schema, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.schemas[id]; ok {
		return s, nil
	}
	if at, ok := r.unknown[id]; ok && time.Since(at) < unknownFor {
		return sr.Schema{}, &unknownSchemaError{id, errors.New("asked a moment ago")}
	}
	var s sr.Schema
	err := r.ask(func(ctx context.Context) (err error) {
		s, err = r.client.SchemaByID(ctx, id)
		return err
	})
	if notFound(err) {
		if len(r.unknown) >= maxSchemas {
			clear(r.unknown)
		}
		r.unknown[id] = time.Now()
		return s, &unknownSchemaError{id, err}
	}
	if err != nil {
		return s, fmt.Errorf("fetch schema %d from the schema registry: %w", id, err)
	}
	if len(r.schemas) >= maxSchemas {
		clear(r.schemas)
	}
	r.schemas[id] = s
	return s, nil
}

// referenced gives the schemas that a schema refers to, those first that others refer to.
func (r *registry) referenced(s sr.Schema, seen map[string]bool) (out []reference, err error) {
	for _, ref := range s.References {
		key := fmt.Sprint(ref.Subject, "/", ref.Version)
		if seen[key] {
			continue
		}
		seen[key] = true
		var found sr.SubjectSchema
		err := r.ask(func(ctx context.Context) (err error) {
			found, err = r.client.SchemaByVersion(ctx, ref.Subject, ref.Version)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("fetch version %d of subject %q from the schema registry: %w", ref.Version, ref.Subject, err)
		}
		inner, err := r.referenced(found.Schema, seen)
		if err != nil {
			return nil, err
		}
		out = append(append(out, inner...), reference{ref.Name, found.Schema.Schema})
	}
	return out, nil
}

// reference is a schema that another one refers to by a name.
type reference struct{ name, text string }

func notFound(err error) bool {
	var re *sr.ResponseError
	return errors.As(err, &re) && re.StatusCode == http.StatusNotFound
}

// ask makes a request, again if the registry could not be reached or was in trouble.
func (r *registry) ask(request func(context.Context) error) error {
	for try := 1; ; try++ {
		ctx, cancel := context.WithTimeout(context.Background(), registryTimeout)
		err := request(ctx)
		cancel()
		var re *sr.ResponseError
		if err == nil || try == registryTries || hopeless(err) || errors.As(err, &re) && re.StatusCode < http.StatusInternalServerError {
			return err
		}
		<-time.After(r.pause * time.Duration(try))
	}
}
