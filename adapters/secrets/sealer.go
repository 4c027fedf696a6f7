package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
)

// sealedType is the `type` of a sealed value, which stands where the value stood.
const sealedType = "ogham-sealed"

// keySize is that of AES-256.
const keySize = 32

// Sealer seals and opens values with one key. It is safe for concurrent use.
type Sealer struct {
	aead  cipher.AEAD
	nonce []byte // key of the nonces
	id    string // names the key without telling it
}

// sealed is a value in its stored form. It is an object, as Druid's password providers are, so that a client that posts
// back what it got keeps the secret.
type sealed struct {
	Type  string `json:"type"`
	Key   string `json:"key"`
	Value string `json:"value"`
}

// New makes a sealer of a key of 32 bytes in hexadecimal digits.
func New(hexKey string) (*Sealer, error) {
	key, err := hex.DecodeString(strings.TrimSpace(hexKey))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("the secret key is not %d bytes in hexadecimal digits", keySize)
	}
	derive := func(label string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(label))
		return m.Sum(nil)
	}
	block, err := aes.NewCipher(derive("ogham seal"))
	if err != nil {
		return nil, fmt.Errorf("make the cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make the cipher: %w", err)
	}
	return &Sealer{aead: aead, nonce: derive("ogham nonce"), id: hex.EncodeToString(derive("ogham key id")[:6])}, nil
}

// ErrNoKey is returned by FromFile for a file that does not exist.
var ErrNoKey = errors.New("there is no secret key")

// FromFile reads the key from a file.
func FromFile(path string) (*Sealer, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist", ErrNoKey, path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret key: %w", err)
	}
	s, err := New(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Create makes a key and keeps it in a file that must not exist. Whoever calls it makes sure that nothing is sealed with a
// key that was lost.
func Create(path string) (*Sealer, error) {
	text, err := newKey()
	if err != nil {
		return nil, err
	}
	if err := writeNew(path, []byte(text+"\n")); err != nil {
		return nil, fmt.Errorf("keep the secret key: %w", err)
	}
	return New(text)
}

// Passing makes a sealer whose key is kept nowhere, for a process that seals nothing which outlives it.
func Passing() (*Sealer, error) {
	text, err := newKey()
	if err != nil {
		return nil, err
	}
	return New(text)
}

func newKey() (string, error) {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return "", fmt.Errorf("make a secret key: %w", err)
	}
	return hex.EncodeToString(key), nil
}

// ID names the key without telling it. It stands in every value that was sealed with it.
func (s *Sealer) ID() string { return s.id }

// writeNew writes a file that must not exist, for the owner only, and syncs it: a lost key is lost secrets.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// secretNames are parts of the names of properties whose values are secrets. A value that is sealed without need does no
// harm: the client is given it in clear.
var secretNames = []string{
	"sasl.jaas.config", "ssl.keystore.key", "password", "passphrase", "secret", "credential", "token", "auth.user.info",
	"authorization", "api.key", "apikey", "access.key", "accesskey", "private.key", "privatekey",
}

// Secret reports whether a consumer property's value is one to be sealed.
func Secret(name string) bool {
	n := strings.NewReplacer("_", ".", "-", ".").Replace(strings.ToLower(name))
	return slices.ContainsFunc(secretNames, func(part string) bool { return strings.Contains(n, part) })
}

// secretTexts are the forms that a secret has wherever it stands: user and password in a URL, a value that its own name
// calls a secret (in a URL's query, in JAAS, in a list of settings), a private key.
var secretTexts = []*regexp.Regexp{
	regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s@]*:[^/?#\s@]+@`),
	regexp.MustCompile(`(?i)(password|passwd|passphrase|pwd|secret|token|credential|api[._-]?key|access[._-]?key|private[._-]?key|signature)s?["']?\s*[=:]\s*[^\s]`),
	regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----`),
}

// SecretText reports whether a text holds a secret whatever its name is.
func SecretText(text string) bool {
	return slices.ContainsFunc(secretTexts, func(form *regexp.Regexp) bool { return form.MatchString(text) })
}

// SealProperties returns the properties with their secret texts sealed, those of a mapString provider too, and whether
// there were any. Values that only refer to a secret, and sealed ones, stay as they are.
func (s *Sealer) SealProperties(props map[string]any) (map[string]any, bool) {
	out, found := make(map[string]any, len(props)), false
	for name, v := range props {
		sealed, did := s.sealValue(v, Secret(name))
		out[name], found = sealed, found || did
	}
	return out, found
}

// sealValue seals every text in a value that is secret, and the config of a mapString provider in any other. What an
// object says of itself stays: its type, and the variables of the environment that a provider reads.
func (s *Sealer) sealValue(v any, secret bool) (any, bool) {
	switch v := v.(type) {
	case string:
		if v != "" && (secret || SecretText(v)) {
			return s.seal(v), true
		}
	case []any:
		out, found := make([]any, len(v)), false
		for i, x := range v {
			sealed, did := s.sealValue(x, secret)
			out[i], found = sealed, found || did
		}
		return out, found
	case map[string]any:
		if v["type"] == sealedType {
			return v, false
		}
		out, found := make(map[string]any, len(v)), false
		for k, x := range v {
			out[k] = x
			if k == "type" || v["type"] == "environment" && (k == "variable" || k == "variables") {
				continue
			}
			sealed, did := s.sealValue(x, secret || Secret(k) || k == "config" && v["type"] == "mapString")
			out[k], found = sealed, found || did
		}
		return out, found
	}
	return v, false
}

// seal encrypts a text. The nonce is derived from the text, so that the same secret gives the same form: a spec that is
// posted again unchanged must be found equal.
func (s *Sealer) seal(text string) map[string]any {
	return map[string]any{"type": sealedType, "key": s.id, "value": s.box(text)}
}

func (s *Sealer) box(text string) string {
	m := hmac.New(sha256.New, s.nonce)
	m.Write([]byte(text))
	nonce := m.Sum(nil)[:s.aead.NonceSize()]
	return base64.StdEncoding.EncodeToString(s.aead.Seal(append([]byte(nil), nonce...), nonce, []byte(text), []byte(s.id)))
}

// OpenProperties returns the properties with every sealed value opened. An error names the property and never its value.
func (s *Sealer) OpenProperties(props map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(props))
	for name, v := range props {
		o, err := s.open(v)
		if err != nil {
			return nil, fmt.Errorf("consumer property %s: %w", name, err)
		}
		out[name] = o
	}
	return out, nil
}

func (s *Sealer) open(v any) (any, error) {
	if list, ok := v.([]any); ok {
		out := make([]any, len(list))
		for i, x := range list {
			o, err := s.open(x)
			if err != nil {
				return nil, err
			}
			out[i] = o
		}
		return out, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return v, nil
	}
	if m["type"] != sealedType {
		return s.OpenProperties(m)
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var box sealed
	if err := json.Unmarshal(data, &box); err != nil {
		return nil, errNotWhole
	}
	return s.unbox(box.Key, box.Value)
}

var errNotWhole = errors.New("the sealed value is not whole")

func (s *Sealer) unbox(key, value string) (string, error) {
	if key != s.id {
		return "", fmt.Errorf("it was sealed with key %s, this node has key %s", key, s.id)
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(raw) < s.aead.NonceSize() {
		return "", errNotWhole
	}
	n := s.aead.NonceSize()
	text, err := s.aead.Open(nil, raw[:n], raw[n:], []byte(s.id))
	if err != nil {
		return "", errors.New("the sealed value was changed")
	}
	return string(text), nil
}
