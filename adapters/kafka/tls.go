package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"ogham/adapters/kafka/keystore"
)

// maxStoreBytes bounds a store that is read from a file: a folder of all the world's authorities has a tenth of it.
const maxStoreBytes = 4 << 20

// credentials are what the stores hold. They are read again when their files change: certificates are renewed more often
// than supervisors are. Stores that cannot be read, as while they are written, leave those that were read before. It is
// safe for concurrent use.
type credentials struct {
	security Security

	mu    sync.Mutex // guards both
	read  *tls.Config
	stamp string // of the files that were read
}

// config is shared: clone it to change it.
func (c *credentials) config() (*tls.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamp := stampOf(c.security.TruststoreFile, c.security.KeystoreFile)
	if c.read != nil && c.stamp == stamp {
		return c.read, nil
	}
	fresh, err := c.security.tlsConfig()
	if err != nil && c.read == nil {
		return nil, err
	}
	if err == nil {
		c.read, c.stamp = fresh, stamp
	}
	return c.read, nil
}

// stampOf tells one state of files from another.
func stampOf(files ...string) string {
	var b strings.Builder
	for _, file := range files {
		if st, err := os.Stat(file); err == nil {
			fmt.Fprintf(&b, "%d %d ", st.ModTime().UnixNano(), st.Size())
		}
	}
	return b.String()
}

// tlsConfig reads the stores.
func (s Security) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: s.MinVersion, MaxVersion: s.MaxVersion, CipherSuites: s.CipherSuites} //nolint:gosec // 1.2 or more
	if err := trust(config, s.TruststoreFile, s.TruststorePEM, s.TruststorePassword); err != nil {
		return nil, fmt.Errorf("read truststore: %w", err)
	}
	keys, err := s.keys()
	if err != nil {
		return nil, fmt.Errorf("read keystore: %w", err)
	}
	config.Certificates = keys
	if s.SkipHostname {
		skipHostname(config)
	}
	return config, nil
}

// trust sets whom to trust; without a store, the system's authorities.
func trust(config *tls.Config, file, inline, password string) error {
	data, err := contents(file, inline)
	if err != nil || data == nil {
		return err
	}
	store, err := keystore.Parse(data, keystore.Passwords{Store: password})
	if err != nil {
		return of(file, err)
	}
	if len(store.Trusted) == 0 {
		return of(file, errors.New("it has no certificate"))
	}
	config.RootCAs = x509.NewCertPool()
	for _, c := range store.Trusted {
		config.RootCAs.AddCert(c)
	}
	return nil
}

func (s Security) keys() ([]tls.Certificate, error) {
	if s.KeystorePEM != "" {
		pair, err := keystore.ParsePair(s.KeystorePEM, s.Key, s.KeyPassword)
		return []tls.Certificate{pair}, err
	}
	data, err := contents(s.KeystoreFile, "")
	if err != nil || data == nil {
		return nil, err
	}
	store, err := keystore.Parse(data, keystore.Passwords{Store: s.KeystorePassword, Key: s.KeyPassword})
	if err != nil {
		return nil, of(s.KeystoreFile, err)
	}
	if len(store.Keys) == 0 {
		return nil, of(s.KeystoreFile, errors.New("it has no private key that its password opens"))
	}
	return store.Keys, nil
}

func of(file string, err error) error {
	if file == "" {
		return err
	}
	return fmt.Errorf("%s: %w", file, err)
}

// contents are those of the inline store, else of the file; nil where neither is given.
func contents(file, inline string) ([]byte, error) {
	switch {
	case inline != "":
		return []byte(inline), nil
	case file == "":
		return nil, nil
	}
	st, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxStoreBytes {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", file, maxStoreBytes)
	}
	data, err := os.ReadFile(file)
	if err == nil && len(data) == 0 {
		return nil, of(file, errors.New("it is empty"))
	}
	return data, err
}

// skipHostname keeps the check of the chain and drops that of the host name, as Kafka does for an empty
// ssl.endpoint.identification.algorithm.
func skipHostname(config *tls.Config) {
	config.InsecureSkipVerify = true //nolint:gosec // the chain is verified below
	config.VerifyConnection = func(state tls.ConnectionState) error {
		intermediates := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			intermediates.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: config.RootCAs, Intermediates: intermediates})
		if err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
		}
		return nil
	}
}
