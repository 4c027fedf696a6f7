package kafka

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// endpoint is a token endpoint that answers what it is told to, in turn, the last for ever.
type endpoint struct {
	*httptest.Server
	asked atomic.Int64
	last  atomic.Pointer[http.Request]
	form  atomic.Pointer[string]
}

type tokenAnswer struct {
	status int
	body   string
}

func newEndpoint(t *testing.T, answers ...tokenAnswer) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(e.asked.Add(1)) - 1
		a := answers[min(n, len(answers)-1)]
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		form := r.PostForm.Encode()
		e.form.Store(&form)
		e.last.Store(r)
		if a.status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(a.status)
		fmt.Fprint(w, a.body)
	}))
	t.Cleanup(e.Close)
	return e
}

func tokensFrom(t *testing.T, url string, more map[string]any) *tokenSource {
	t.Helper()
	raw := map[string]any{
		"sasl.mechanism": "OAUTHBEARER", jaasConfig: oauthLogin, "sasl.oauthbearer.token.endpoint.url": url, "sasl.login.retry.backoff.ms": 1,
	}
	for name, v := range more {
		raw[name] = v
	}
	p, err := ParseProperties(secure("SASL_PLAINTEXT", raw), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Security.OAuth.Extensions["pool"] != "x" {
		t.Errorf("the extensions are %v", p.Security.OAuth.Extensions)
	}
	s, err := newTokenSource(p.Security.OAuth, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// jwt is a token that is good for so long, unsigned.
func jwt(life time.Duration) string {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // plain maps always encode
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := time.Now()
	return part(map[string]any{"alg": "none"}) + "." + part(map[string]any{"sub": "ogham", "iat": now.Unix(), "exp": now.Add(life).Unix()}) + "."
}

func TestTokensAreFetchedByClientCredentialsAndKept(t *testing.T) {
	e := newEndpoint(t, tokenAnswer{503, "busy"}, tokenAnswer{200, `{"access_token":"` + jwt(time.Hour) + `","expires_in":1}`})
	s := tokensFrom(t, e.URL, map[string]any{"sasl.oauthbearer.header.urlencode": true, "sasl.oauthbearer.client.credentials.client.secret": "s+ é"})
	first, err := s.token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.token(t.Context()); err != nil || again != first {
		t.Errorf("the second token is %q, %v", again, err)
	}
	if n := e.asked.Load(); n != 2 {
		t.Errorf("the endpoint was asked %d times, want 2: once in vain, once for both tokens", n)
	}
	user, password, ok := e.last.Load().BasicAuth()
	if form := *e.form.Load(); !ok || user != "id" || password != "s%2B+%C3%A9" || form != "grant_type=client_credentials&scope=s" {
		t.Errorf("it was asked as %q with %q (%v) for %q", user, password, ok, form)
	}
}

func TestATokenIsFetchedAgainBeforeItEnds(t *testing.T) {
	for name, c := range map[string]struct {
		token, expiresIn string
		asked            int64
	}{
		"of no known life":       {"opaque", "", 2},
		"of an ended one":        {jwt(-time.Minute), "", 2},
		"by the answer":          {"opaque", `,"expires_in":3600`, 1},
		"a claim before answers": {jwt(time.Hour), `,"expires_in":"0"`, 1},
	} {
		e := newEndpoint(t, tokenAnswer{200, `{"access_token":"` + c.token + `"` + c.expiresIn + `}`})
		s := tokensFrom(t, e.URL, nil)
		for range 2 {
			if _, err := s.token(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := e.asked.Load(); n != c.asked {
			t.Errorf("%s: the endpoint was asked %d times for two tokens, want %d", name, n, c.asked)
		}
	}
}

func TestARefusedTokenIsNotAskedForAgainAndLeaksNothing(t *testing.T) {
	for name, c := range map[string]struct {
		answer tokenAnswer
		says   string
	}{
		"bad credentials":  {tokenAnswer{401, `{"error":"invalid_client","error_description":"canary is wrong"}`}, "401, invalid_client"},
		"odd error":        {tokenAnswer{400, `{"error":"canary"}`}, "answers 400"},
		"no JSON":          {tokenAnswer{200, `canary`}, "without an access_token"},
		"no token":         {tokenAnswer{200, `{"token":"canary"}`}, "without an access_token"},
		"a forged message": {tokenAnswer{200, `{"access_token":"canary\u0001auth=x"}`}, "without an access_token"},
		"a redirect":       {tokenAnswer{302, ``}, "answers 302"},
	} {
		e := newEndpoint(t, c.answer)
		_, err := tokensFrom(t, e.URL+"/canary?x=canary", nil).token(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want an error that says %q", name, err, c.says)
		}
		if n := e.asked.Load(); n != 1 {
			t.Errorf("%s: the endpoint was asked %d times", name, n)
		}
	}
}

func TestAnEndpointThatIsAwayIsTriedUntilTheTimeIsUp(t *testing.T) {
	e := newEndpoint(t, tokenAnswer{500, "canary"})
	ctx, cancel := context.WithCancel(t.Context())
	s := tokensFrom(t, e.URL, nil)
	go func() {
		defer cancel()
		for e.asked.Load() < 5 && ctx.Err() == nil {
			wait(ctx, time.Millisecond)
		}
	}()
	if _, err := s.token(ctx); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("the error is %v", err)
	}
	if n := e.asked.Load(); n < 5 {
		t.Errorf("the endpoint was asked %d times", n)
	}
}
