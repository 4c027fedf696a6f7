package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ogham/adapters/kafka/keystore"
)

// partitionsOf asks a cluster about its topic with these properties.
func partitionsOf(t *testing.T, raw map[string]any) (int, error) {
	t.Helper()
	clients := NewClients(nil)
	defer clients.Close()
	admin, err := clients.Admin(raw)
	if err != nil {
		return 0, err
	}
	defer admin.Close()
	found, err := admin.Topic(context.Background(), "safe", 0)
	return len(found.Partitions), err
}

func wantSecurityError(t *testing.T, what string, err error, class, says string) {
	t.Helper()
	var s *StreamError
	if !errors.As(err, &s) || s.ExceptionClass != class || !strings.Contains(s.Message, says) || strings.Contains(s.Message, "canary") {
		t.Errorf("%s: %v (%v), want a %s that says %q", what, err, errors.Unwrap(err), class, says)
	}
}

func TestSigningIn(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "safe"), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "u", "canary"), kfake.Superuser("SCRAM-SHA-256", "u", "canary"), kfake.Superuser("SCRAM-SHA-512", "u", "canary"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	raw := func(mechanism string) map[string]any {
		return map[string]any{
			"bootstrap.servers": strings.Join(c.ListenAddrs(), ","), "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism,
			jaasConfig: plainLogin,
		}
	}
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		if n, err := partitionsOf(t, raw(mechanism)); err != nil || n != 3 {
			t.Errorf("%s: %d partitions, %v", mechanism, n, err)
		}
	}
	// What a real broker answers to a wrong password; the one of the test hangs up.
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := kmsg.NewPtrSASLAuthenticateResponse()
		resp.Version = 2
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		resp.ErrorMessage = kmsg.StringPtr("Authentication failed: Invalid username or password")
		return resp, nil, true
	})
	_, err = partitionsOf(t, raw("PLAIN"))
	wantSecurityError(t, "a refused password", err, classSASL, ": Authentication failed: Invalid username or password")
}

func TestARefusedTokenIsSaidToBeRefused(t *testing.T) {
	e := newEndpoint(t, tokenAnswer{401, `{"error":"invalid_client"}`})
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "safe"), kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "canary"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.ControlKey(int16(kmsg.SASLHandshake), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := kmsg.NewPtrSASLHandshakeResponse()
		resp.Version = 1
		return resp, nil, true
	})
	_, err = partitionsOf(t, map[string]any{
		"bootstrap.servers": strings.Join(c.ListenAddrs(), ","), "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER",
		jaasConfig: oauthLogin, "sasl.oauthbearer.token.endpoint.url": e.URL,
	})
	wantSecurityError(t, "an endpoint that refuses", err, classSASL, "OAUTHBEARER: fetch a token: the token endpoint answers 401, invalid_client")
}

func TestTLSIsCheckedBothWays(t *testing.T) {
	at := func(name string) string { return filepath.Join("keystore", "testdata", name) }
	text := func(name string) string {
		b, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	// The certificate of the test data names no host: that is what the empty identification algorithm is for.
	server, err := keystore.ParsePair(text("chain.pem"), text("key.pem"), "")
	if err != nil {
		t.Fatal(err)
	}
	ca, err := keystore.Parse([]byte(text("ca.pem")), keystore.Passwords{})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.Trusted[0])
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "safe"), kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{server}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	servers := strings.Join(c.ListenAddrs(), ",")
	raw := func(more ...string) map[string]any {
		out := map[string]any{
			"bootstrap.servers": servers, "security.protocol": "SSL", "ssl.endpoint.identification.algorithm": "", "default.api.timeout.ms": 20_000,
		}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	const trust, trustPW, keys, keysPW = "ssl.truststore.location", "ssl.truststore.password", "ssl.keystore.location", "ssl.keystore.password"
	for name, props := range map[string]map[string]any{
		"JKS":    raw(trust, at("trust.jks"), trustPW, "store-pw", keys, at("key-pw.jks"), keysPW, "store-pw", "ssl.key.password", "key-pw"),
		"PKCS12": raw(trust, at("trust.p12"), trustPW, "store-pw", keys, at("key.p12"), keysPW, "store-pw", "ssl.enabled.protocols", "TLSv1.2"),
		"PEM": raw("ssl.truststore.certificates", text("ca.pem"), "ssl.keystore.certificate.chain", text("chain.pem"),
			"ssl.keystore.key", text("key-aes256.pem"), "ssl.key.password", "key-pw"),
	} {
		if n, err := partitionsOf(t, props); err != nil || n != 3 {
			t.Errorf("%s: %d partitions, %v", name, n, err)
		}
	}
	_, err = partitionsOf(t, raw(keys, at("key.p12"), keysPW, "store-pw"))
	wantSecurityError(t, "a broker that nobody vouches for", err, classSSL, "handshake failed")
	_, err = partitionsOf(t, raw(trust, at("trust.jks"), keys, at("key.p12"), keysPW, "store-pw", "ssl.endpoint.identification.algorithm", "https"))
	wantSecurityError(t, "a broker of another name", err, classSSL, "handshake failed")
	_, err = partitionsOf(t, raw(trust, at("trust.jks")))
	wantSecurityError(t, "a client without a certificate", err, classSSL, "handshake failed")
}

func TestRenewedStoresCountForNewConnections(t *testing.T) {
	at := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("keystore", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	file := filepath.Join(t.TempDir(), "keystore")
	put := func(b []byte, age time.Duration) {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	keys := func(c *credentials) int {
		config, err := c.config()
		if err != nil {
			t.Fatal(err)
		}
		return len(config.Certificates)
	}
	put(at("key.p12"), 3*time.Hour)
	c := &credentials{security: Security{TLS: true, KeystoreFile: file, KeystorePassword: "store-pw"}}
	first, err := c.config()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.config(); err != nil || again != first {
		t.Errorf("an unchanged store was read again: %v", err)
	}
	put(at("key.p12")[:100], 2*time.Hour)
	if n := keys(c); n != 1 {
		t.Errorf("while the store is written there are %d keys, want the one from before", n)
	}
	put(at("two.p12"), time.Hour)
	if n := keys(c); n != 2 {
		t.Errorf("the renewed store has %d keys, want 2", n)
	}
}
