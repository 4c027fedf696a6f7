package kafka

import (
	"crypto/tls"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func secure(protocol string, more map[string]any) map[string]any {
	out := map[string]any{"bootstrap.servers": "a:1", "security.protocol": protocol}
	for name, v := range more {
		out[name] = v
	}
	return out
}

const (
	plainLogin = `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="canary";`
	oauthLogin = `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="id" clientSecret="canary" scope="s" extension_pool="x";`
)

func TestSecurityThatCannotWorkIsRefusedWithTheReason(t *testing.T) {
	const chain = "ssl.keystore.certificate.chain"
	for name, c := range map[string]struct {
		raw  map[string]any
		says string
	}{
		"kerberos":           {secure("SASL_PLAINTEXT", nil), "Kerberos is not spoken"},
		"another mechanism":  {secure("SASL_SSL", map[string]any{"sasl.mechanism": "AWS_MSK_IAM"}), "not spoken here"},
		"no login":           {secure("SASL_SSL", map[string]any{"sasl.mechanism": "PLAIN"}), "Login module not specified"},
		"two logins":         {secure("SASL_SSL", map[string]any{"sasl.mechanism": "PLAIN", jaasConfig: plainLogin + plainLogin}), "contains 2 login modules"},
		"half a login":       {secure("SASL_SSL", map[string]any{"sasl.mechanism": "PLAIN", jaasConfig: strings.TrimSuffix(plainLogin, ";")}), "semi-colon"},
		"no password":        {secure("SASL_SSL", map[string]any{"sasl.mechanism": "PLAIN", jaasConfig: `x.PlainLoginModule required username=u;`}), "password"},
		"no endpoint":        {secure("SASL_SSL", map[string]any{"sasl.mechanism": "OAUTHBEARER", jaasConfig: oauthLogin}), "must be given"},
		"a token in a file":  {secure("SASL_SSL", map[string]any{"sasl.mechanism": "OAUTHBEARER", jaasConfig: oauthLogin, "sasl.oauthbearer.token.endpoint.url": "file:///data/secret.key"}), "http or https"},
		"another retriever":  {secure("SASL_SSL", map[string]any{"sasl.mechanism": "OAUTHBEARER", jaasConfig: oauthLogin, "sasl.oauthbearer.jwt.retriever.class": "a.JwtBearerJwtRetriever"}), "client credentials"},
		"old versions alone": {secure("SSL", map[string]any{"ssl.enabled.protocols": "TLSv1,TLSv1.1"}), "TLSv1.2 or TLSv1.3"},
		"odd version":        {secure("SSL", map[string]any{"ssl.enabled.protocols": "TLSv2"}), "not known"},
		"unknown suites":     {secure("SSL", map[string]any{"ssl.cipher.suites": "TLS_NONE"}), "none that is known"},
		"suites of no version": {secure("SSL", map[string]any{
			"ssl.cipher.suites": "TLS_AES_128_GCM_SHA256", "ssl.enabled.protocols": "TLSv1.2",
		}), "none that is known"},
		"odd identification": {secure("SSL", map[string]any{"ssl.endpoint.identification.algorithm": "LDAPS"}), "https"},
		"odd store":          {secure("SSL", map[string]any{"ssl.keystore.type": "BCFKS"}), "JKS, PKCS12 and PEM"},
		"no store password":  {secure("SSL", map[string]any{"ssl.keystore.type": "JKS", "ssl.keystore.location": "x"}), "key store password is not specified"},
		"a chain alone":      {secure("SSL", map[string]any{chain: "canary"}), "private key is not specified"},
		"a key alone":        {secure("SSL", map[string]any{"ssl.keystore.key": "canary"}), "certificate chain is not specified"},
	} {
		_, err := ParseProperties(c.raw, nil)
		var s *StreamError
		if !errors.As(err, &s) || s.ExceptionClass != classConfig || !strings.Contains(s.Message, c.says) || strings.Contains(s.Message, "canary") {
			t.Errorf("%s: %v, want a %s that says %q", name, err, classConfig, c.says)
		}
		// The same is said, by name, when the spec is posted.
		if w := Warnings(c.raw, nil); len(w) == 0 || strings.Contains(w[0].Reason, "canary") {
			t.Errorf("%s: the warnings are %v", name, w)
		}
	}
}

func TestVersionsAndSuites(t *testing.T) {
	for name, c := range map[string]struct {
		versions, suites string
		least, most      uint16
		wantSuites       []uint16
		warned           bool
	}{
		"defaults":        {"", "", tls.VersionTLS12, tls.VersionTLS13, nil, false},
		"one version":     {"TLSv1.3", "", tls.VersionTLS13, tls.VersionTLS13, nil, false},
		"with old ones":   {"TLSv1.1, TLSv1.2", "", tls.VersionTLS12, tls.VersionTLS12, nil, true},
		"suites of 1.2":   {"", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, false},
		"suites of 1.3":   {"", "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,TLS_CHACHA20_POLY1305_SHA256", tls.VersionTLS13, tls.VersionTLS13, nil, false},
		"one of 1.3":      {"", "TLS_AES_256_GCM_SHA384", tls.VersionTLS13, tls.VersionTLS13, nil, true},
		"with one unused": {"TLSv1.2", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,SSL_RSA_WITH_3DES_EDE_CBC_SHA", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}, true},
	} {
		p, err := ParseProperties(secure("SSL", map[string]any{"ssl.enabled.protocols": c.versions, "ssl.cipher.suites": c.suites}), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := p.Security
		if s.MinVersion != c.least || s.MaxVersion != c.most || !slices.Equal(s.CipherSuites, c.wantSuites) || len(p.Warnings) > 0 != c.warned {
			t.Errorf("%s: versions %x to %x, suites %x, warnings %v", name, s.MinVersion, s.MaxVersion, s.CipherSuites, p.Warnings)
		}
	}
}

func TestStoresThatCannotBeReadAreNamed(t *testing.T) {
	at := func(name string) string { return filepath.Join("keystore", "testdata", name) }
	for name, c := range map[string]struct {
		more map[string]any
		says []string
	}{
		"truststore missing":   {map[string]any{"ssl.truststore.location": at("none")}, []string{"read truststore", "none"}},
		"wrong password":       {map[string]any{"ssl.truststore.location": at("trust.jks"), "ssl.truststore.password": "canary"}, []string{"trust.jks", "password is wrong"}},
		"no key in it":         {map[string]any{"ssl.keystore.location": at("trust.jks"), "ssl.keystore.password": "store-pw"}, []string{"read keystore", "trust.jks", "no private key"}},
		"no certificate in it": {map[string]any{"ssl.truststore.location": at("key.pem")}, []string{"key.pem", "no certificate"}},
		"a folder":             {map[string]any{"ssl.truststore.location": at(".")}, []string{"no file"}},
		"inline garbage":       {map[string]any{"ssl.truststore.certificates": "canary"}, []string{"read truststore", "no JKS"}},
	} {
		p, err := ParseProperties(secure("SSL", c.more), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, _, err = p.dialer()
		for _, part := range c.says {
			if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v, want one that says %q", name, err, part)
			}
		}
	}
}
