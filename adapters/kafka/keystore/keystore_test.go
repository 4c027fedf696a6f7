package keystore

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func names(certificates []*x509.Certificate) string {
	var out []string
	for _, c := range certificates {
		out = append(out, c.Subject.CommonName)
	}
	return strings.Join(out, ",")
}

func keyNames(t *testing.T, keys []tls.Certificate) string {
	t.Helper()
	var out []string
	for _, k := range keys {
		var chain []*x509.Certificate
		for _, raw := range k.Certificate {
			c, err := x509.ParseCertificate(raw)
			if err != nil {
				t.Fatal(err)
			}
			chain = append(chain, c)
		}
		if len(chain) == 0 || !bytes.Equal(chain[0].Raw, k.Leaf.Raw) {
			t.Errorf("the chain of %s does not begin with its own certificate", k.Leaf.Subject.CommonName)
		}
		out = append(out, names(chain))
	}
	return strings.Join(out, ";")
}

func TestStoresOfKeytoolAndOpenSSL(t *testing.T) {
	store, both := Passwords{Store: "store-pw"}, Passwords{Store: "store-pw", Key: "key-pw"}
	for _, c := range []struct {
		file      string
		passwords Passwords
		trusted   string
		keys      string
	}{
		{"trust.jks", store, "test ca", ""},
		{"trust.jks", Passwords{}, "test ca", ""},
		{"trust.p12", store, "test ca", ""},
		{"key.jks", store, "client,test ca", "client,test ca"},
		{"key.jks", Passwords{}, "client,test ca", ""},
		{"key-pw.jks", both, "client", "client,test ca"},
		{"key.p12", store, "client", "client,test ca"},
		{"openssl.p12", store, "client", "client,test ca"},
		{"legacy.p12", store, "client", "client,test ca"},
		{"two.p12", store, "client,second", "client,test ca;second"},
		{"ca.pem", Passwords{}, "test ca", ""},
		{"chain.pem", store, "client,test ca", ""},
	} {
		s, err := Parse(read(t, c.file), c.passwords)
		if err != nil {
			t.Errorf("%s with %v: %v", c.file, c.passwords, err)
			continue
		}
		if got := names(s.Trusted); got != c.trusted {
			t.Errorf("%s with %v trusts %q, want %q", c.file, c.passwords, got, c.trusted)
		}
		if got := keyNames(t, s.Keys); got != c.keys {
			t.Errorf("%s with %v has the keys %q, want %q", c.file, c.passwords, got, c.keys)
		}
	}
}

func TestKeysInPEM(t *testing.T) {
	chain := string(read(t, "chain.pem"))
	for _, c := range []struct{ file, password string }{
		{"key.pem", ""}, {"key.pem", "not needed"}, {"key-aes256.pem", "key-pw"}, {"key-sha512.pem", "key-pw"}, {"key-3des.pem", "key-pw"},
	} {
		key := string(read(t, c.file))
		for form, text := range map[string][2]string{
			"as it is":    {chain, key},
			"on one line": {strings.Join(strings.Fields(chain), " "), strings.Join(strings.Fields(key), " ")},
			"with CRLF":   {strings.ReplaceAll(chain, "\n", "\r\n"), "Bag Attributes\r\n" + strings.ReplaceAll(key, "\n", "\r\n")},
		} {
			pair, err := ParsePair(text[0], text[1], c.password)
			if err != nil {
				t.Errorf("%s %s: %v", c.file, form, err)
				continue
			}
			if got := keyNames(t, []tls.Certificate{pair}); got != "client,test ca" {
				t.Errorf("%s %s has the chain %q", c.file, form, got)
			}
		}
	}
	whole := append(read(t, "key-aes256.pem"), chain...)
	if s, err := Parse(whole, Passwords{Key: "key-pw"}); err != nil || len(s.Keys) != 1 {
		t.Errorf("a file of key and chain: %v", err)
	}
}

func TestStoresThatCannotBeOpened(t *testing.T) {
	chain := string(read(t, "chain.pem"))
	withChain := func(file string) []byte { return append(read(t, file), chain...) }
	cut := func(b []byte) []byte { return b[:len(b)*2/3] }
	for name, c := range map[string]struct {
		data      []byte
		passwords Passwords
		says      string
	}{
		"wrong password of a JKS store":       {read(t, "trust.jks"), Passwords{Store: "no"}, "password is wrong"},
		"wrong password of a JKS key":         {read(t, "key-pw.jks"), Passwords{Store: "store-pw", Key: "no"}, "password is wrong"},
		"the store's password for the key":    {read(t, "key-pw.jks"), Passwords{Store: "store-pw"}, "password is wrong"},
		"wrong password of a PKCS12 store":    {read(t, "key.p12"), Passwords{Store: "no"}, "password is wrong"},
		"no password for a PKCS12 store":      {read(t, "trust.p12"), Passwords{}, "password is wrong"},
		"wrong password of a PEM key":         {withChain("key-aes256.pem"), Passwords{Key: "no"}, "password is wrong"},
		"no password for a PEM key":           {withChain("key-aes256.pem"), Passwords{}, "ssl.key.password"},
		"an outdated scheme":                  {withChain("key-pbes1.pem"), Passwords{Key: "key-pw"}, "PBES2"},
		"OpenSSL's old encryption":            {withChain("key-old.pem"), Passwords{Key: "key-pw"}, "PKCS #8"},
		"a key without its certificate":       {append(read(t, "key.pem"), read(t, "ca.pem")...), Passwords{}, "no certificate"},
		"certificates that Java does not see": {read(t, "unmarked.p12"), Passwords{Store: "store-pw"}, "keytool -importcert"},
		"several keys and trusted ones":       {read(t, "many.p12"), Passwords{Store: "store-pw"}, "several private keys"},
		"half a JKS store":                    {cut(read(t, "key.jks")), Passwords{}, "cut off"},
		"half a PKCS12 store":                 {cut(read(t, "key.p12")), Passwords{Store: "store-pw"}, "pkcs12"},
		"half a PEM store":                    {cut(read(t, "ca.pem")), Passwords{}, "does not end"},
		"JCEKS":                               {[]byte{0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2}, Passwords{}, "JCEKS"},
		"nothing":                             {nil, Passwords{}, "empty"},
		"something else":                      {[]byte("PK\x03\x04"), Passwords{}, "no JKS, PKCS12 or PEM"},
	} {
		s, err := Parse(c.data, c.passwords)
		if err == nil {
			t.Errorf("%s was opened: %d trusted, %d keys", name, len(s.Trusted), len(s.Keys))
			continue
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the error %q does not say %q", name, err, c.says)
		}
		if want := strings.Contains(c.says, "password is wrong"); want != errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v is ErrPassword: %v", name, err, !want)
		}
	}
	if _, err := ParsePair(chain, "", ""); err == nil || !strings.Contains(err.Error(), "0 private keys") {
		t.Errorf("a chain without a key: %v", err)
	}
}

// FuzzParse wants an error, and neither a panic nor memory for lengths that are only claimed.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(read(f, filepath.Base(file)), "store-pw", "key-pw")
		f.Add(read(f, filepath.Base(file)), "", "")
	}
	f.Add([]byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0}, "", "")
	f.Fuzz(func(t *testing.T, data []byte, store, key string) {
		s, err := Parse(data, Passwords{Store: store, Key: key})
		if err == nil && s == nil {
			t.Error("there is neither a store nor an error")
		}
	})
}
