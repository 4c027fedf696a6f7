package inputformat

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
)

// TLSProperties reads the properties `ssl.*` of a Java client. An error says which cannot be followed; the function that it
// gives reads the stores, again when they have changed.
type TLSProperties func(properties map[string]string) (func() (*tls.Config, error), error)

// storeError says that the stores of a registry's config cannot be read: asking again would not help.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }

func (e *storeError) Unwrap() error { return e.err }

// httpClient is the client of a registry: with its own stores where its config has any, else with the system's
// certificates. With stores of its own a registry is reached directly, not by a proxy of the environment.
func (f *Formats) httpClient(config map[string]string) (*http.Client, error) {
	properties := map[string]string{}
	for name, v := range config {
		if plain := strings.TrimPrefix(name, registryPrefix); strings.HasPrefix(plain, "ssl.") {
			if _, given := properties[plain]; !given || plain != name { // the longer name has precedence
				properties[plain] = v
			}
		}
	}
	client := &http.Client{Timeout: registryTimeout}
	if len(properties) == 0 {
		return client, nil
	}
	if f.TLS == nil {
		return nil, fmt.Errorf("schema registry: %s is not supported, the system's certificates are used", slices.Min(slices.Collect(maps.Keys(properties))))
	}
	stores, err := f.TLS(properties)
	if err != nil {
		return nil, fmt.Errorf("schema registry: %w", err)
	}
	client.Transport = &http.Transport{
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			shared, err := stores()
			if err != nil {
				return nil, &storeError{err}
			}
			config := shared.Clone()
			if config.ServerName, _, err = net.SplitHostPort(address); err != nil {
				return nil, err
			}
			return (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
		},
		IdleConnTimeout: registryIdle, MaxIdleConnsPerHost: 2,
	}
	return client, nil
}

// hopeless says that a registry will not be reached by asking again: its certificate is not trusted, or there are no
// stores to ask with.
func hopeless(err error) bool {
	var untrusted *tls.CertificateVerificationError
	var store *storeError
	return errors.As(err, &untrusted) || errors.As(err, &store)
}
