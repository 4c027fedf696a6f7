package keystore

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemRule  = "-----"
)

// parsePEM reads certificates and keys, in any order, with any text between them. A store without keys is one of trusted
// certificates; one with a key is a chain for it.
func parsePEM(data []byte, password string) (*Store, error) {
	out := &Store{}
	var keys []any
	for n, rest := 1, string(data); ; n++ {
		label, der, tail, err := nextBlock(rest)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", n, err)
		}
		if label == "" {
			break
		}
		rest = tail
		switch {
		case strings.HasSuffix(label, "CERTIFICATE"):
			c, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, fmt.Errorf("PEM block %d: %w", n, err)
			}
			out.Trusted = append(out.Trusted, c)
		case strings.HasSuffix(label, "PRIVATE KEY"):
			key, err := pemKey(label, der, password)
			if err != nil {
				return nil, fmt.Errorf("PEM block %d: %w", n, err)
			}
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		cert, err := pair(key, out.Trusted)
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, cert)
	}
	return out, nil
}

// ParsePair reads a key and a chain that were given apart.
func ParsePair(chain, key, password string) (tls.Certificate, error) {
	s, err := parsePEM([]byte(chain+"\n"+key), password)
	switch {
	case err != nil:
		return tls.Certificate{}, err
	case len(s.Keys) != 1:
		return tls.Certificate{}, fmt.Errorf("there are %d private keys where one is wanted", len(s.Keys))
	}
	return s.Keys[0], nil
}

// nextBlock takes the first block off a text; an empty label says that there is none. Java's client takes blocks that a
// properties file has put on one line, which the standard library does not.
func nextBlock(s string) (label string, der []byte, rest string, err error) {
	_, s, found := strings.Cut(s, pemBegin)
	if !found {
		return "", nil, "", nil
	}
	label, s, found = strings.Cut(s, pemRule)
	if !found || strings.ContainsAny(label, "\r\n") {
		return "", nil, "", errors.New("its first line does not end")
	}
	body, rest, found := strings.Cut(s, pemEnd+label+pemRule)
	if !found {
		return "", nil, "", errors.New("it does not end")
	}
	if strings.Contains(body, ":") {
		return "", nil, "", errors.New("it is encrypted in the old way of OpenSSL; write the key as PKCS #8 (openssl pkcs8 -topk8)")
	}
	der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return "", nil, "", errors.New("it is not base64")
	}
	return strings.TrimSpace(label), der, rest, nil
}

func pemKey(label string, der []byte, password string) (any, error) {
	if label != "ENCRYPTED PRIVATE KEY" {
		return parseKey(der)
	}
	if password == "" {
		return nil, errors.New("the private key is encrypted, and ssl.key.password is not given")
	}
	plain, err := decryptKey(der, password)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, ErrPassword
	}
	return key, nil
}
