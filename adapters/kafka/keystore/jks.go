package keystore

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the format's own digest
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// A JKS store, big endian: magic, version (1 or 2), number of entries; per entry a tag, an alias (a text of two bytes of
// length), a time of eight bytes, then for a key the protected key (four bytes of length) and a number of certificates,
// for a trusted entry one certificate; a certificate is, in version 2, a text that names its type, then four bytes of
// length and DER. Behind the entries stands a SHA-1 over the password, a phrase and all that came before.
const (
	jksKey     = 1
	jksTrusted = 2

	jksPhrase = "Mighty Aphrodite"
)

// oidKeyProtector names the one algorithm that JKS protects keys with.
var oidKeyProtector = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}

var errCut = errors.New("the JKS store is cut off or damaged")

// jksReader takes fields off the front; after the first error it gives zeros.
type jksReader struct {
	rest    []byte
	version uint32
	err     error
}

func (r *jksReader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.rest)) {
		r.err = errors.Join(r.err, errCut)
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *jksReader) number(bytes uint64) (n uint64) {
	for _, b := range r.take(bytes) {
		n = n<<8 | uint64(b)
	}
	return n
}

func (r *jksReader) text() string { return string(r.take(r.number(2))) }

func (r *jksReader) certificate(alias string) *x509.Certificate {
	kind := "X.509"
	if r.version > 1 {
		kind = r.text()
	}
	der := r.take(r.number(4))
	if r.err != nil {
		return nil
	}
	if kind != "X.509" {
		r.err = fmt.Errorf("entry %q: a certificate of type %q is not known", alias, kind)
		return nil
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		r.err = fmt.Errorf("entry %q: %w", alias, err)
	}
	return c
}

func parseJKS(data []byte, p Passwords) (*Store, error) {
	if len(data) < 12+sha1.Size {
		return nil, errCut
	}
	body, digest := data[:len(data)-sha1.Size], data[len(data)-sha1.Size:]
	if p.Store != "" {
		h := sha1.New() //nolint:gosec // the format's own digest
		h.Write(javaPassword(p.Store))
		h.Write([]byte(jksPhrase))
		h.Write(body)
		if subtle.ConstantTimeCompare(h.Sum(nil), digest) != 1 {
			return nil, ErrPassword
		}
	}
	r := &jksReader{rest: body[4:]}
	if r.version = uint32(r.number(4)); r.version != 1 && r.version != 2 { //nolint:gosec // four bytes
		return nil, fmt.Errorf("version %d of a JKS store is not known", r.version)
	}
	out := &Store{}
	for range r.number(4) {
		if err := r.entry(out, p.Key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *jksReader) entry(out *Store, password string) error {
	tag, alias := r.number(4), r.text()
	r.take(8)
	switch {
	case r.err != nil:
	case tag == jksTrusted:
		if c := r.certificate(alias); r.err == nil {
			out.Trusted = append(out.Trusted, c)
		}
	case tag == jksKey:
		protected := r.take(r.number(4))
		var chain []*x509.Certificate
		for n := r.number(4); n > 0 && r.err == nil; n-- {
			chain = append(chain, r.certificate(alias))
		}
		if r.err == nil {
			r.err = out.addJKSKey(alias, protected, chain, password)
		}
	default:
		r.err = fmt.Errorf("entry %q: a tag %d is not known", alias, tag)
	}
	return r.err
}

// addJKSKey opens a key. Without any password the store is only trusted, not used to sign in: the key is left closed.
func (s *Store) addJKSKey(alias string, protected []byte, chain []*x509.Certificate, password string) error {
	if len(chain) == 0 {
		return fmt.Errorf("entry %q: the key has no certificate", alias)
	}
	s.Trusted = append(s.Trusted, chain[0])
	if password == "" {
		return nil
	}
	der, err := unprotect(protected, password)
	if err != nil {
		return fmt.Errorf("entry %q: %w", alias, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return fmt.Errorf("entry %q: %w", alias, err)
	}
	cert := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, c := range chain {
		cert.Certificate = append(cert.Certificate, c.Raw)
	}
	s.Keys = append(s.Keys, cert)
	return nil
}

// unprotect opens a key: salt, the key under a stream of chained SHA-1 digests of password and salt, and a check.
func unprotect(data []byte, password string) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	if rest, err := asn1.Unmarshal(data, &info); err != nil || len(rest) > 0 || !info.Algorithm.Algorithm.Equal(oidKeyProtector) {
		return nil, errors.New("its key is protected in a way that is not JKS's own")
	}
	if len(info.Data) < 2*sha1.Size {
		return nil, errCut
	}
	pw := javaPassword(password)
	stream, sealed := info.Data[:sha1.Size], info.Data[sha1.Size:len(info.Data)-sha1.Size]
	plain := make([]byte, 0, len(sealed))
	for len(plain) < len(sealed) {
		d := sha1.Sum(append(bytes.Clone(pw), stream...)) //nolint:gosec // the format's own digest
		stream = d[:]
		for i := 0; i < len(d) && len(plain) < len(sealed); i++ {
			plain = append(plain, sealed[len(plain)]^d[i])
		}
	}
	check := sha1.Sum(append(bytes.Clone(pw), plain...)) //nolint:gosec // the format's own digest
	if subtle.ConstantTimeCompare(check[:], info.Data[len(info.Data)-sha1.Size:]) != 1 {
		return nil, ErrPassword
	}
	return plain, nil
}

// javaPassword is a password as Java digests it: its chars, high byte first.
func javaPassword(s string) []byte {
	var out []byte
	for _, c := range utf16.Encode([]rune(s)) {
		out = binary.BigEndian.AppendUint16(out, c)
	}
	return out
}
