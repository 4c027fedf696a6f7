package inputformat_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/adapters/kafka"
	"ogham/domain/row"
)

func storeFile(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "kafka", "keystore", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func storeText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(storeFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// securedRegistry is a registry that wants a certificate of the test's authority and has one itself, without a host's name.
func securedRegistry(t *testing.T, authorized func(*http.Request) bool) *httptest.Server {
	t.Helper()
	own, err := tls.X509KeyPair([]byte(storeText(t, "chain.pem")), []byte(storeText(t, "key.pem")))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM([]byte(storeText(t, "ca.pem")))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
		if !authorized(r) {
			w.WriteHeader(http.StatusUnauthorized)
			if _, err := w.Write([]byte(`{"error_code":401,"message":"Unauthorized"}`)); err != nil {
				t.Error(err)
			}
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"schema": avroSchema}); err != nil {
			t.Error(err)
		}
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestRegistriesAreReachedWithTheirOwnStores(t *testing.T) {
	var last atomic.Value
	server := securedRegistry(t, func(r *http.Request) bool {
		last.Store(r.Header.Get("Authorization"))
		return r.Header.Get("Authorization") == "Bearer tok-en"
	})
	// The test's certificates have no host's name: the check of it is off but where it is what is tested.
	base := map[string]any{"bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.token": "tok-en", "ssl.endpoint.identification.algorithm": ""}
	ask := func(more map[string]any) error {
		config := maps.Clone(base)
		maps.Copy(config, more)
		// The first address refuses connections: the next one is asked.
		text, err := json.Marshal(map[string]any{"type": "avro_stream", "avroBytesDecoder": map[string]any{
			"type": "schema_registry", "urls": []string{"https://127.0.0.1:1", server.URL}, "config": config, "capacity": 5,
		}})
		if err != nil {
			t.Fatal(err)
		}
		formats := &inputformat.Formats{TLS: kafka.ClientTLS}
		schema := discovering()
		p, err := formats.New(text, schema)
		if err != nil {
			return err
		}
		rows, err := p.Parse(&index.Record{Value: append(framed(1), avroRecord(t)...)})
		if err == nil && rows.Count != 1 {
			t.Errorf("%v: %d rows", more, rows.Count)
		}
		return err
	}
	for name, stores := range map[string]map[string]any{
		"JKS": {
			"ssl.truststore.location": storeFile(t, "trust.jks"), "ssl.truststore.password": "store-pw",
			"ssl.keystore.location": storeFile(t, "key.jks"), "ssl.keystore.password": "store-pw", "ssl.keystore.type": "JKS",
		},
		"JKS with a key's password": {
			"ssl.truststore.location": storeFile(t, "trust.jks"),
			"ssl.keystore.location":   storeFile(t, "key-pw.jks"), "ssl.keystore.password": "store-pw", "ssl.key.password": "key-pw",
		},
		"PKCS12, by the longer names": {
			"schema.registry.ssl.truststore.location": storeFile(t, "trust.p12"), "schema.registry.ssl.truststore.password": "store-pw",
			"schema.registry.ssl.keystore.location": storeFile(t, "key.p12"), "schema.registry.ssl.keystore.password": "store-pw",
		},
		"PEM in the spec": {
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": storeText(t, "ca.pem"), "ssl.keystore.type": "PEM",
			"ssl.keystore.certificate.chain": storeText(t, "chain.pem"), "ssl.keystore.key": storeText(t, "key-aes256.pem"), "ssl.key.password": "key-pw",
		},
	} {
		if err := ask(stores); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if last.Load() != "Bearer tok-en" {
			t.Errorf("%s: the token came as %q", name, last.Load())
		}
	}
	trusting := map[string]any{
		"ssl.truststore.location": storeFile(t, "trust.jks"), "ssl.keystore.location": storeFile(t, "key.jks"), "ssl.keystore.password": "store-pw",
	}
	for name, c := range map[string]struct {
		more map[string]any
		want string
	}{
		"no trust":              {map[string]any{"ssl.truststore.certificates": storeText(t, "key.pem"), "ssl.truststore.location": ""}, "read truststore"},
		"another authority":     {map[string]any{"ssl.truststore.location": storeFile(t, "key.jks"), "ssl.endpoint.identification.algorithm": "https"}, "certificate"},
		"the host's name":       {map[string]any{"ssl.endpoint.identification.algorithm": "https"}, "certificate"},
		"a wrong password":      {map[string]any{"ssl.keystore.password": "hunter2"}, "key.jks: the password is wrong"},
		"no such store":         {map[string]any{"ssl.keystore.location": "/nowhere/key.jks"}, "no such file"},
		"a type that is none":   {map[string]any{"ssl.truststore.type": "BCFKS"}, "ssl.truststore.type"},
		"an engine of Java's":   {map[string]any{"ssl.engine.factory.class": "x.Y"}, "ssl.engine.factory.class"},
		"a key without a chain": {map[string]any{"ssl.keystore.key": storeText(t, "key.pem")}, "certificate chain is not specified"},
		"a wrong token":         {map[string]any{"bearer.auth.token": "hunter2"}, "Unauthorized"},
	} {
		more := maps.Clone(trusting)
		maps.Copy(more, c.more)
		err := ask(more)
		var bad *row.RecordError
		switch {
		case err == nil || errors.As(err, &bad) || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, want an error of the task with %q", name, err, c.want)
		case strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "store-pw") || strings.Contains(err.Error(), "tok-en") || strings.Contains(err.Error(), "PRIVATE"):
			t.Errorf("%s: the error has a secret: %v", name, err)
		}
	}
}
