package secrets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// textPrefix begins a sealed value where only a text may stand, such as the URL of a schema registry; the key's id, a
// colon and the value follow.
const textPrefix = sealedType + ":"

func textBox(s string) (sealed, bool) {
	rest, ok := strings.CutPrefix(s, textPrefix)
	key, value, whole := strings.Cut(rest, ":")
	return sealed{Type: sealedType, Key: key, Value: value}, ok && whole
}

// SealFormat returns an inputFormat with the secrets of its schema registries sealed, and whether there were any: what
// `config` and `headers` have by name or form, and URLs with a password. Nothing else in an inputFormat is a secret, and
// a column's name may look like one.
func (s *Sealer) SealFormat(format json.RawMessage) (json.RawMessage, bool, error) {
	tree, err := decode(format)
	if err != nil {
		return nil, false, err
	}
	sealed, found := s.sealFormat(tree, false, false)
	if !found {
		return format, false, nil
	}
	out, err := json.Marshal(sealed)
	return out, true, err
}

// sealFormat walks a format. Inside of settings a name may say that its value is a secret, and any text its form.
func (s *Sealer) sealFormat(v any, settings, secret bool) (any, bool) {
	switch v := v.(type) {
	case string:
		if _, done := textBox(v); !done && v != "" && settings && (secret || SecretText(v)) {
			return textPrefix + s.id + ":" + s.box(v), true
		}
	case []any:
		out, found := make([]any, len(v)), false
		for i, x := range v {
			sealed, did := s.sealFormat(x, settings, secret)
			out[i], found = sealed, found || did
		}
		return out, found
	case map[string]any:
		out, found := make(map[string]any, len(v)), false
		for k, x := range v {
			out[k] = x
			if settings && (k == "type" || v["type"] == "environment" && k == "variables") {
				continue
			}
			within := settings || k == "config" || k == "headers" || k == "url" || k == "urls"
			sealed, did := s.sealFormat(x, within, settings && (secret || Secret(k) || k == "config" && v["type"] == "mapString"))
			out[k], found = sealed, found || did
		}
		return out, found
	}
	return v, false
}

// OpenFormat is the reverse of SealFormat.
func (s *Sealer) OpenFormat(format json.RawMessage) (json.RawMessage, error) {
	if !bytes.Contains(format, []byte(textPrefix)) {
		return format, nil
	}
	tree, err := decode(format)
	if err != nil {
		return nil, err
	}
	opened, err := s.openTexts(tree)
	if err != nil {
		return nil, fmt.Errorf("a secret of the inputFormat: %w", err)
	}
	return json.Marshal(opened)
}

func (s *Sealer) openTexts(v any) (_ any, err error) {
	switch v := v.(type) {
	case string:
		if box, ok := textBox(v); ok {
			return s.unbox(box.Key, box.Value)
		}
	case []any:
		for i := range v {
			if v[i], err = s.openTexts(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = s.openTexts(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// decode keeps numbers as they are written.
func decode(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// SealedWith returns the ids of the keys that values anywhere in a JSON text were sealed with, each once, ascending.
func SealedWith(data []byte) []string {
	var v any
	if !bytes.Contains(data, []byte(sealedType)) || json.Unmarshal(data, &v) != nil {
		return nil
	}
	var ids []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if box, ok := textBox(v); ok {
				ids = append(ids, box.Key)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if key, ok := v["key"].(string); ok && v["type"] == sealedType {
				ids = append(ids, key)
				return
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(v)
	slices.Sort(ids)
	return slices.Compact(ids)
}
