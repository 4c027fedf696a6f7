package keystore

import (
	"crypto/x509"
	"errors"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// parsePKCS12 reads a store with keys, or one of trusted certificates only. In Java a certificate without a key counts as
// trusted only where its entry is marked so, which keytool does and `openssl pkcs12 -nokeys` does not.
func parsePKCS12(data []byte, password string) (*Store, error) {
	key, leaf, others, err := pkcs12.DecodeChain(data, password)
	if err == nil {
		return pkcs12Store([]any{key}, append([]*x509.Certificate{leaf}, others...))
	}
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		return nil, ErrPassword
	}
	if trusted, err := pkcs12.DecodeTrustStore(data, password); err == nil {
		return &Store{Trusted: trusted}, nil
	} else if strings.Contains(err.Error(), "not marked as trusted") {
		return nil, errors.New("its certificates are not marked as trusted: make the store with keytool -importcert, or use PEM")
	}
	if keys, certificates, ok := pkcs12Several(data, password); ok {
		return pkcs12Store(keys, certificates)
	}
	if strings.Contains(err.Error(), "exactly one key") {
		return nil, errors.New("it has several private keys beside other entries: keep the one that is meant")
	}
	return nil, err
}

// pkcs12Several reads a store of several keys, which must be RSA or of NIST's curves.
func pkcs12Several(data []byte, password string) (keys []any, certificates []*x509.Certificate, ok bool) {
	blocks, err := pkcs12.ToPEM(data, password)
	if err != nil {
		return nil, nil, false
	}
	for _, b := range blocks {
		if b.Type == "CERTIFICATE" {
			c, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				return nil, nil, false
			}
			certificates = append(certificates, c)
			continue
		}
		key, err := parseKey(b.Bytes)
		if err != nil {
			return nil, nil, false
		}
		keys = append(keys, key)
	}
	return keys, certificates, len(keys) > 0
}

func pkcs12Store(keys []any, certificates []*x509.Certificate) (*Store, error) {
	out := &Store{}
	chained := map[string]bool{}
	for _, key := range keys {
		cert, err := pair(key, certificates)
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, cert)
		out.Trusted = append(out.Trusted, cert.Leaf)
		for _, raw := range cert.Certificate {
			chained[string(raw)] = true
		}
	}
	for _, c := range certificates {
		if !chained[string(c.Raw)] {
			out.Trusted = append(out.Trusted, c)
		}
	}
	return out, nil
}

// parseKey reads the DER of a private key in any of the three forms.
func parseKey(der []byte) (any, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("the private key is of no known form")
}
