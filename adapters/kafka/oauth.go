package kafka

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxTokenAnswer bounds the answer of a token endpoint, as Kafka's HttpJwtRetriever does.
const maxTokenAnswer = 128 << 10

// tokenSource fetches tokens by client credentials (RFC 6749, 4.4) and keeps one for as long as it is good. It is safe for
// concurrent use: who comes while one is fetched waits for it.
type tokenSource struct {
	cfg    OAuth
	within time.Duration
	client *http.Client

	mu   sync.Mutex // guards kept and until, and is held while a token is fetched: all need the same one
	kept string
	end  time.Time
}

func newTokenSource(cfg OAuth, within time.Duration) (*tokenSource, error) {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: cfg.ConnectTimeout}).DialContext,
		TLSHandshakeTimeout:   cfg.ConnectTimeout,
		ResponseHeaderTimeout: cfg.ReadTimeout,
		DisableKeepAlives:     true, // one request in minutes
	}
	if cfg.TLS != nil {
		config, err := cfg.TLS.tlsConfig()
		if err != nil {
			return nil, fmt.Errorf("TLS of the token endpoint: %w", err)
		}
		transport.TLSClientConfig = config
	}
	client := &http.Client{
		Transport: transport,
		// A redirect would take the secret to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &tokenSource{cfg: cfg, within: within, client: client}, nil
}

// token returns a good token, fetching one where there is none.
func (s *tokenSource) token(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept != "" && time.Now().Before(s.end) {
		return s.kept, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	pause := s.cfg.RetryPause
	for {
		token, life, err := s.fetch(ctx)
		if err == nil {
			s.keep(token, life)
			return token, nil
		}
		var final *tokenRefusal
		if errors.As(err, &final) || !wait(ctx, pause) {
			return "", fmt.Errorf("fetch a token: %w", err)
		}
		pause = min(2*pause, s.cfg.RetryMost)
	}
}

// keep holds a token until another should be fetched: a part of its life before its end, and the buffer before it, the
// later of the two where the buffer is more than is left.
func (s *tokenSource) keep(token string, life time.Duration) {
	good := time.Duration(float64(life) * s.cfg.RefreshWindow)
	if buffered := life - s.cfg.RefreshBuffer; buffered > 0 {
		good = min(good, buffered)
	}
	s.kept, s.end = token, time.Now().Add(good)
}

// tokenRefusal is an answer that asking again does not change. It has the endpoint's own word only where that is one of
// those that RFC 6749 has for it.
type tokenRefusal struct {
	status int
	code   string
}

func (e *tokenRefusal) Error() string {
	if e.code != "" {
		return fmt.Sprintf("the token endpoint answers %d, %s", e.status, e.code)
	}
	return fmt.Sprintf("the token endpoint answers %d", e.status)
}

// tokenErrors are the codes of RFC 6749, 5.2.
var tokenErrors = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
}

func (s *tokenSource) fetch(ctx context.Context) (string, time.Duration, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if s.cfg.Scope != "" {
		form.Set("scope", s.cfg.Scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, &tokenRefusal{}
	}
	id, secret := s.cfg.ClientID, s.cfg.ClientSecret
	if s.cfg.URLEncodeHeader {
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	}
	req.SetBasicAuth(id, secret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the URL, which may have a secret
		}
		if isTLS(err) {
			return "", 0, streamError(classSSL, "SSL handshake with the token endpoint failed", err)
		}
		return "", 0, fmt.Errorf("ask the token endpoint: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTokenAnswer))
	if err != nil {
		return "", 0, fmt.Errorf("read the token endpoint's answer: %w", err)
	}
	return readToken(res.StatusCode, body)
}

// readToken takes the token from an answer. Answers of the 5xx and 429 are worth another try.
func readToken(status int, body []byte) (string, time.Duration, error) {
	var answer struct {
		AccessToken string      `json:"access_token"`
		ExpiresIn   json.Number `json:"expires_in"`
		Error       string      `json:"error"`
	}
	err := json.Unmarshal(body, &answer)
	if status != http.StatusOK && status != http.StatusCreated {
		if status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
			return "", 0, fmt.Errorf("the token endpoint answers %d", status)
		}
		refusal := &tokenRefusal{status: status}
		for _, known := range tokenErrors {
			if answer.Error == known {
				refusal.code = known
			}
		}
		return "", 0, refusal
	}
	if err != nil || answer.AccessToken == "" || strings.ContainsAny(answer.AccessToken, "\x01\r\n") {
		return "", 0, &tokenRefusal{status: status, code: "without an access_token"}
	}
	return answer.AccessToken, tokenLife(answer.AccessToken, answer.ExpiresIn, time.Now()), nil
}

// tokenLife is how long a token is good: by its own claim, where it is a JWT, else by the answer, else not at all, so that
// each connection fetches its own.
func tokenLife(token string, expiresIn json.Number, now time.Time) time.Duration {
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil && json.Unmarshal(payload, &claims) == nil && claims.Exp > 0 {
			return time.Unix(int64(min(claims.Exp, 1<<40)), 0).Sub(now)
		}
	}
	if seconds, err := expiresIn.Int64(); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 1<<30)) * time.Second
	}
	return 0
}
