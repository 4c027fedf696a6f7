package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Security says how a connection is made safe. It holds secrets.
type Security struct {
	TLS bool
	// Truststore and Keystore are PEM, by file or inline; Key is the PEM of the private key.
	TruststoreFile, TruststorePEM string
	KeystoreFile, KeystorePEM     string
	Key                           string
	SkipHostname                  bool
	// Mechanism is empty without SASL.
	Mechanism, User, Password string
}

// The SASL mechanisms that are spoken.
const (
	mechanismPlain    = "PLAIN"
	mechanismScram256 = "SCRAM-SHA-256"
	mechanismScram512 = "SCRAM-SHA-512"
)

func (r *propertyReader) security() Security {
	var s Security
	protocol := strings.ToUpper(r.text("security.protocol", "PLAINTEXT"))
	sasl := false
	switch protocol {
	case "PLAINTEXT":
	case "SSL":
		s.TLS = true
	case "SASL_PLAINTEXT":
		sasl = true
	case "SASL_SSL":
		s.TLS, sasl = true, true
	default:
		r.bad("security.protocol", protocol, "must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
	}
	r.stores(&s)
	mechanism := strings.ToUpper(r.text("sasl.mechanism", "GSSAPI"))
	jaas := r.text("sasl.jaas.config", "")
	if !sasl {
		return s
	}
	switch mechanism {
	case mechanismPlain, mechanismScram256, mechanismScram512:
	default:
		r.bad("sasl.mechanism", mechanism, "must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
		return s
	}
	options := parseJAAS(jaas)
	s.Mechanism, s.User, s.Password = mechanism, options["username"], options["password"]
	if s.User == "" {
		r.bad("sasl.jaas.config", "(hidden)", "must be a login module with username=\"...\" and password=\"...\"")
	}
	return s
}

func (r *propertyReader) stores(s *Security) {
	s.TruststoreFile = r.text("ssl.truststore.location", "")
	s.TruststorePEM = r.text("ssl.truststore.certificates", "")
	s.KeystoreFile = r.text("ssl.keystore.location", "")
	s.KeystorePEM = r.text("ssl.keystore.certificate.chain", "")
	s.Key = r.text("ssl.keystore.key", "")
	// The Java client checks host names unless this is given and empty.
	r.seen["ssl.endpoint.identification.algorithm"] = true
	if v, ok := r.values["ssl.endpoint.identification.algorithm"]; ok && strings.TrimSpace(v) == "" {
		s.SkipHostname = true
	}
	for _, kind := range []string{"truststore", "keystore"} {
		name := "ssl." + kind + ".type"
		location := r.text("ssl."+kind+".location", "")
		if v := r.text(name, ""); v != "" && !strings.EqualFold(v, "PEM") && s.TLS {
			r.bad(name, v, "only PEM stores can be read here")
		} else if v == "" && s.TLS && strings.HasSuffix(strings.ToLower(location), ".jks") {
			r.bad("ssl."+kind+".location", location, "only PEM stores can be read here")
		}
		r.seen["ssl."+kind+".password"] = true
	}
}

// parseJAAS reads the options of a JAAS entry: `some.LoginModule required username="u" password="p";`.
func parseJAAS(config string) map[string]string {
	options := make(map[string]string)
	rest := config
	for {
		eq := strings.IndexByte(rest, '=')
		if eq < 0 {
			return options
		}
		name := rest[:eq]
		if i := strings.LastIndexAny(strings.TrimRight(name, " \t\n"), " \t\n"); i >= 0 {
			name = name[i+1:]
		}
		var value string
		value, rest = jaasValue(strings.TrimLeft(rest[eq+1:], " \t\n"))
		options[strings.TrimSpace(name)] = value
	}
}

// jaasValue takes one value off the front: quoted with backslash escapes, or up to a space or semicolon.
func jaasValue(s string) (value, rest string) {
	if s == "" || (s[0] != '"' && s[0] != '\'') {
		if end := strings.IndexAny(s, " \t\n;"); end >= 0 {
			return s[:end], s[end:]
		}
		return s, ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == s[0]:
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// sasl gives the client's options for signing in.
func (s Security) sasl() []kgo.Opt {
	var opts []kgo.Opt
	switch s.Mechanism {
	case mechanismPlain:
		opts = append(opts, kgo.SASL(plain.Auth{User: s.User, Pass: s.Password}.AsMechanism()))
	case mechanismScram256:
		opts = append(opts, kgo.SASL(scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism()))
	case mechanismScram512:
		opts = append(opts, kgo.SASL(scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism()))
	}
	return opts
}

// tlsConfig reads the stores now, so that a renewed certificate counts for every new client.
func (s Security) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	trust, err := pemOf(s.TruststoreFile, s.TruststorePEM)
	if err != nil {
		return nil, fmt.Errorf("read truststore: %w", err)
	}
	if trust != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(trust) {
			return nil, errors.New("read truststore: it has no PEM certificate")
		}
	}
	chain, err := pemOf(s.KeystoreFile, s.KeystorePEM)
	if err != nil {
		return nil, fmt.Errorf("read keystore: %w", err)
	}
	if chain != nil {
		key := []byte(s.Key)
		if len(key) == 0 {
			key = chain // a PEM keystore file holds both
		}
		pair, err := tls.X509KeyPair(chain, key)
		if err != nil {
			return nil, fmt.Errorf("read keystore: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if s.SkipHostname {
		skipHostname(config)
	}
	return config, nil
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
		return err
	}
}

func pemOf(file, inline string) ([]byte, error) {
	switch {
	case inline != "":
		return []byte(inline), nil
	case file != "":
		return os.ReadFile(file)
	}
	return nil, nil
}
