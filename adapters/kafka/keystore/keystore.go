package keystore

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
)

// Store is what a store holds.
type Store struct {
	// Trusted are the certificates that vouch for others: the trusted entries, and, as Java has it, the first certificate
	// of each key.
	Trusted []*x509.Certificate
	// Keys are the private keys, each with its chain, Leaf set.
	Keys []tls.Certificate
}

// The first four bytes of the Java formats that have a mark.
const (
	magicJKS   = 0xfeedfeed
	magicJCEKS = 0xcececece
)

// Passwords opens a store. An empty one was not given: a JKS store is then read without the check that nobody changed it,
// and a key is tried with the password of its store.
type Passwords struct{ Store, Key string }

// ErrPassword is wrapped by Parse where a password is missing or wrong; no reader can tell the two, or a damaged file,
// quite apart.
var ErrPassword = errors.New("the password is wrong, or the store is damaged")

// Parse reads a store of any of the formats. Errors name entries and never quote contents.
func Parse(data []byte, p Passwords) (*Store, error) {
	if p.Key == "" {
		p.Key = p.Store
	}
	switch {
	case len(data) == 0:
		return nil, errors.New("it is empty")
	case len(data) >= 4 && binary.BigEndian.Uint32(data) == magicJKS:
		return parseJKS(data, p)
	case len(data) >= 4 && binary.BigEndian.Uint32(data) == magicJCEKS:
		return nil, errors.New("it is a JCEKS store; JKS, PKCS12 and PEM can be read (keytool -importkeystore converts it)")
	case bytes.Contains(data, []byte(pemBegin)):
		return parsePEM(data, p.Key)
	case data[0] == 0x30: // a DER sequence
		return parsePKCS12(data, p.Store)
	}
	return nil, errors.New("it is no JKS, PKCS12 or PEM store")
}

// publicKey is what every key of the standard library has.
type publicKey interface {
	Equal(other crypto.PublicKey) bool
}

// pair puts a key and its chain together, from certificates in any order. Chains are short: the search is plain.
func pair(key any, certificates []*x509.Certificate) (tls.Certificate, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return tls.Certificate{}, fmt.Errorf("a key of type %T cannot sign", key)
	}
	public, ok := signer.Public().(publicKey)
	if !ok {
		return tls.Certificate{}, fmt.Errorf("a key of type %T is not known", key)
	}
	out := tls.Certificate{PrivateKey: key}
	for _, c := range certificates {
		if public.Equal(c.PublicKey) {
			out.Leaf = c
			break
		}
	}
	if out.Leaf == nil {
		return tls.Certificate{}, errors.New("there is no certificate for the private key")
	}
	for c := out.Leaf; c != nil && len(out.Certificate) <= len(certificates); c = issuer(c, certificates) {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out, nil
}

// issuer finds who signed a certificate; nil for one that signed itself.
func issuer(c *x509.Certificate, among []*x509.Certificate) *x509.Certificate {
	for _, other := range among {
		if other != c && bytes.Equal(c.RawIssuer, other.RawSubject) && !bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignatureFrom(other) == nil {
			return other
		}
	}
	return nil
}
