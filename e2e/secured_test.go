//go:build integration

package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// authority signs certificates for the test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.key = a.newKey()
	a.cert = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, a.key)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) sign(what *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	a.t.Helper()
	what.SerialNumber = big.NewInt(time.Now().UnixNano())
	what.NotBefore, what.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	parent := what
	if a.cert != nil {
		parent = a.cert
	}
	der, err := x509.CreateCertificate(rand.Reader, what, parent, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// issue makes a key and a certificate for this machine's loopback address.
func (a *authority) issue(name string) (*ecdsa.PrivateKey, *x509.Certificate) {
	key := a.newKey()
	return key, a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key)
}

func certPEM(certs ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.String()
}

func (a *authority) keyPEM(key *ecdsa.PrivateKey) string {
	a.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// file keeps something below the authority's folder and returns its path.
func (a *authority) file(name string, data []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// keytool runs the JDK's tool, which is what users make their stores with.
func (a *authority) keytool(args ...string) {
	a.t.Helper()
	cmd := exec.CommandContext(a.t.Context(), "keytool", append([]string{"-J-Duser.language=en", "-J-XX:TieredStopAtLevel=1"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		a.t.Fatalf("keytool %s: %v: %s", args[0], err, out)
	}
}

// truststore is a store with the authority's certificate.
func (a *authority) truststore(kind, password string) string {
	path := filepath.Join(a.dir, "trust."+kind)
	ca := a.file("ca.pem", []byte(certPEM(a.cert)))
	a.keytool("-importcert", "-noprompt", "-alias", "ca", "-file", ca, "-storetype", kind, "-keystore", path, "-storepass", password)
	return path
}

// The secrets of the test. None may show up anywhere.
const (
	userPassword  = "canary-user-password"
	wrongPassword = "canary-wrong-password"
	storePassword = "canary-store-password"
	clientSecret  = "canary-client-secret"
)

func login(module, password string) string {
	return fmt.Sprintf(`org.apache.kafka.common.security.%s required username="alice" password="%s";`, module, password)
}

const (
	plainModule = "plain.PlainLoginModule"
	scramModule = "scram.ScramLoginModule"
)

// tokens is an endpoint that gives unsigned tokens, which a broker without further configuration takes.
func tokens(t *testing.T) string {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, secret, ok := r.BasicAuth(); !ok || id != "alice" || secret != clientSecret {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client"}`)
			return
		}
		now := time.Now()
		token := part(map[string]any{"alg": "none"}) + "." + part(map[string]any{"sub": "alice", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}) + "."
		fmt.Fprintf(w, `{"access_token":"%s","expires_in":3600}`, token)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// secureKafka is a broker with a listener for each way to be safe.
func secureKafka(t *testing.T, ca *authority) *realKafka {
	t.Helper()
	key, cert := ca.issue("broker")
	keystore := ca.file("broker.pem", []byte(ca.keyPEM(key)+certPEM(cert, ca.cert)))
	truststore := ca.file("clients.pem", []byte(certPEM(ca.cert)))
	mechanisms := func(listener string) []string {
		prefix := "listener.name." + strings.ToLower(listener) + "."
		return []string{
			prefix + "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
			prefix + `plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="` + userPassword + `";`,
			prefix + "scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
			prefix + "scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
			prefix + "oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
		}
	}
	lines := append(mechanisms("SIGNED"), mechanisms("BOTH")...)
	lines = append(lines, "ssl.keystore.type=PEM", "ssl.keystore.location="+keystore, "ssl.truststore.type=PEM", "ssl.truststore.location="+truststore,
		"listener.name.mutual.ssl.client.auth=required")
	scram := func(mechanism string) string {
		return mechanism + "=[name=alice,password=" + userPassword + "]"
	}
	return newKafka(t, kafkaConfig{
		listeners: map[string]string{"SIGNED": "SASL_PLAINTEXT", "SAFE": "SSL", "MUTUAL": "SSL", "BOTH": "SASL_SSL"},
		lines:     lines,
		format:    []string{"--add-scram", scram("SCRAM-SHA-256"), "--add-scram", scram("SCRAM-SHA-512")},
	})
}

// props is a set of consumer properties over a common one.
type props map[string]any

func (p props) with(more props) props {
	out := props{"default.api.timeout.ms": 15_000, "request.timeout.ms": 10_000}
	for _, set := range []props{p, more} {
		for name, v := range set {
			out[name] = v
		}
	}
	return out
}

// variants are ways to a secured Kafka that work.
func variants(t *testing.T, k *realKafka, ca *authority) map[string]props {
	t.Helper()
	key, cert := ca.issue("client")
	p12, err := pkcs12.Modern.Encode(key, cert, []*x509.Certificate{ca.cert}, storePassword)
	if err != nil {
		t.Fatal(err)
	}
	keyP12 := ca.file("client.p12", p12)
	keyJKS := filepath.Join(ca.dir, "client.jks")
	ca.keytool("-importkeystore", "-noprompt", "-srckeystore", keyP12, "-srcstoretype", "pkcs12", "-srcstorepass", storePassword,
		"-deststoretype", "jks", "-destkeystore", keyJKS, "-deststorepass", storePassword)
	keyPEM := ca.file("client.pem", []byte(ca.keyPEM(key)+certPEM(cert, ca.cert)))

	signed := props{"bootstrap.servers": "SASL_PLAINTEXT://" + k.at("SIGNED"), "security.protocol": "SASL_PLAINTEXT"}
	safe := props{"bootstrap.servers": k.at("SAFE"), "security.protocol": "SSL"}
	mutual := props{"bootstrap.servers": k.at("MUTUAL"), "security.protocol": "SSL", "ssl.truststore.certificates": certPEM(ca.cert)}
	both := props{
		"bootstrap.servers": k.at("BOTH"), "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
		"ssl.truststore.location": ca.truststore("pkcs12", storePassword),
	}
	return map[string]props{
		"plain":    signed.with(props{"sasl.mechanism": "PLAIN", "sasl.jaas.config": login(plainModule, userPassword)}),
		"scram256": signed.with(props{"sasl.mechanism": "SCRAM-SHA-256", "sasl.jaas.config": login(scramModule, userPassword)}),
		"scram512": signed.with(props{"sasl.mechanism": "SCRAM-SHA-512", "sasl.jaas.config": login(scramModule, userPassword)}),
		"oauth": signed.with(props{
			"sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url": tokens(t),
			"sasl.login.callback.handler.class": "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
			"sasl.jaas.config":                  `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="alice" clientSecret="` + clientSecret + `";`,
		}),
		"tls-pem": safe.with(props{"ssl.truststore.type": "PEM", "ssl.truststore.location": ca.file("trust.pem", []byte(certPEM(ca.cert)))}),
		"tls-jks": safe.with(props{"ssl.truststore.location": ca.truststore("jks", storePassword), "ssl.truststore.password": storePassword}),
		"tls-pkcs12": safe.with(props{
			"ssl.truststore.type": "PKCS12", "ssl.truststore.location": filepath.Join(ca.dir, "trust.pkcs12"),
			"ssl.truststore.password": props{"type": "environment", "variable": "STORE_PASSWORD"}, "ssl.enabled.protocols": "TLSv1.2",
		}),
		"mutual-jks":    mutual.with(props{"ssl.keystore.type": "JKS", "ssl.keystore.location": keyJKS, "ssl.keystore.password": storePassword}),
		"mutual-pkcs12": mutual.with(props{"ssl.keystore.location": keyP12, "ssl.keystore.password": storePassword}),
		"mutual-pem":    mutual.with(props{"ssl.keystore.type": "PEM", "ssl.keystore.location": keyPEM}),
		"mutual-inline": mutual.with(props{"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": certPEM(cert, ca.cert), "ssl.keystore.key": ca.keyPEM(key)}),
		"scram-tls": both.with(props{
			"ssl.truststore.password":       storePassword,
			"druid.dynamic.config.provider": props{"type": "environment", "variables": props{"sasl.jaas.config": "KAFKA_LOGIN"}},
		}),
	}
}

// denial is a way that does not work, and the exception that says so.
type denial struct {
	props props
	class string
	says  string
}

func denials(t *testing.T, ways map[string]props) map[string]denial {
	t.Helper()
	const sasl, ssl = "org.apache.kafka.common.errors.SaslAuthenticationException", "org.apache.kafka.common.errors.SslAuthenticationException"
	stranger := newAuthority(t, "stranger")
	noKey := ways["mutual-pem"].with(nil)
	delete(noKey, "ssl.keystore.location")
	return map[string]denial{
		"plain-wrong": {ways["plain"].with(props{"sasl.jaas.config": login(plainModule, wrongPassword)}), sasl, "Invalid username or password"},
		"scram-wrong": {ways["scram512"].with(props{"sasl.jaas.config": login(scramModule, wrongPassword)}), sasl, "invalid credentials with SASL mechanism SCRAM-SHA-512"},
		"oauth-wrong": {ways["oauth"].with(props{"sasl.oauthbearer.client.credentials.client.secret": wrongPassword}), sasl, "invalid_client"},
		"kerberos":    {ways["plain"].with(props{"sasl.mechanism": "GSSAPI"}), "org.apache.kafka.common.config.ConfigException", "Kerberos"},
		"untrusted":   {ways["tls-pem"].with(props{"ssl.truststore.location": stranger.file("ca.pem", []byte(certPEM(stranger.cert)))}), ssl, "SSL handshake failed"},
		"no-key":      {noKey, ssl, "SSL handshake failed"},
		"store-wrong": {ways["tls-jks"].with(props{"ssl.truststore.password": wrongPassword}), "org.apache.kafka.common.KafkaException", "the password is wrong"},
	}
}

// TestSecuredKafka has a supervisor for each way to a secured Kafka: each ingests every row once, those with wrong
// credentials say so in Kafka's words, and no secret is seen anywhere.
func TestSecuredKafka(t *testing.T) {
	t.Parallel()
	const rows, partitions = 3000, 2
	ca := newAuthority(t, "authority")
	k := secureKafka(t, ca)
	b := k.open()
	b.createTopic("safe", partitions)
	p := b.producer("safe", partitions)
	p.send(rows / 2)
	p.flush()

	ways := variants(t, k, ca)
	wrong := denials(t, ways)
	s := newServer(t, "secured", "--worker-capacity", "40").start("STORE_PASSWORD="+storePassword, "KAFKA_LOGIN="+login(scramModule, userPassword))
	spec := func(id string, p props) []byte {
		return specOf(id, "safe", "", func(x sections) { x.io["consumerProperties"], x.io["taskCount"], x.io["taskDuration"] = p, 1, "PT4S" })
	}
	for id, p := range ways {
		if got := s.submitWarned(spec(id, p)); len(got) > 0 {
			t.Errorf("%s is not followed: %v", id, got)
		}
	}
	for id, r := range wrong {
		s.submit(spec(id, r.props))
	}
	for id := range ways {
		s.waitState(id, "RUNNING")
	}
	p.send(rows / 2)
	p.flush()
	for id := range ways {
		t.Run(id, func(t *testing.T) {
			s.waitRows(id, rows)
			s.checkRows(id, rows)
		})
	}
	for id, r := range wrong {
		t.Run(id, func(t *testing.T) { checkDenial(t, s, id, r) })
	}
	checkHistory(t, s.events(t))
	for id := range ways {
		s.noCanary(id, "canary-", "BEGIN PRIVATE KEY")
	}
	for id := range wrong {
		s.noCanary(id, "canary-", "BEGIN PRIVATE KEY")
	}
}

func checkDenial(t *testing.T, s *server, id string, want denial) {
	t.Helper()
	eventually(t, id+" has a stream exception", func() (bool, string) {
		st, seen := s.statusOf(id)
		for _, e := range st.Payload.RecentErrors {
			if e.StreamError && strings.Contains(e.Message, want.class) && strings.Contains(e.Message, want.says) {
				return st.Payload.DetailedState == "UNABLE_TO_CONNECT_TO_STREAM", seen
			}
		}
		return false, seen
	})
	if all, err := s.segments(id); err != nil || len(all) > 0 {
		t.Errorf("%s has %d segments, %v", id, len(all), err)
	}
	if _, b, err := s.call("GET", pathOf(id, "/history"), nil); err != nil || bytes.Contains(b, []byte(wrongPassword)) {
		t.Errorf("the history of %s has its password, or %v", id, err)
	}
}
