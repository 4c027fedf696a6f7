package inputformat

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// thriftJSON reads the JSON protocol: {"1":{"i32":5}, ...}, a list as ["i32",2,5,6], a map as ["str","i32",1,{"a":5}].
type thriftJSON struct {
	d    *json.Decoder
	size int
}

func newThriftJSON(b []byte) *thriftJSON {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return &thriftJSON{d, len(b)}
}

var jsonWires = map[string]thriftWire{
	"tf": wireBool, "i8": wireI8, "i16": wireI16, "i32": wireI32, "i64": wireI64, "dbl": wireDouble, "rec": wireStruct,
	"str": wireString, "map": wireMap, "lst": wireList, "set": wireSet, "uid": wireUUID,
}

// sign reads a bracket.
func (t *thriftJSON) sign(c json.Delim) error {
	tok, err := t.d.Token()
	if err != nil {
		return err
	}
	if tok != c {
		return errThriftBad
	}
	return nil
}

// scalar reads a text or the digits of a number.
func (t *thriftJSON) scalar() (string, error) {
	tok, err := t.d.Token()
	if err != nil {
		return "", err
	}
	switch tok := tok.(type) {
	case string:
		return tok, nil
	case json.Number:
		return tok.String(), nil
	}
	return "", errThriftBad
}

func (t *thriftJSON) wire() (thriftWire, error) {
	name, err := t.scalar()
	if err != nil {
		return 0, err
	}
	wire, ok := jsonWires[name]
	if !ok {
		return 0, errThriftBad
	}
	return wire, nil
}

func (t *thriftJSON) begin() error { return t.sign('{') }

func (t *thriftJSON) end() {}

func (t *thriftJSON) field() (thriftWire, int16, error) {
	tok, err := t.d.Token()
	if err != nil || tok == json.Delim('}') {
		return wireStop, 0, err
	}
	text, ok := tok.(string)
	id, err := strconv.ParseInt(text, 10, 16)
	if !ok || err != nil {
		return 0, 0, errThriftBad
	}
	if err := t.sign('{'); err != nil {
		return 0, 0, err
	}
	wire, err := t.wire()
	return wire, int16(id), err
}

func (t *thriftJSON) fieldEnd() error { return t.sign('}') }

// integer takes a number that is too large for its type by its lower bits, as Java's cast does.
func (t *thriftJSON) integer(wire thriftWire) (int64, error) {
	text, err := t.scalar()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errThriftBad
	}
	switch wire {
	case wireBool:
		if n != 0 {
			n = 1
		}
	case wireI8:
		n = int64(int8(n))
	case wireI16:
		n = int64(int16(n))
	case wireI32:
		n = int64(int32(n))
	}
	return n, nil
}

func (t *thriftJSON) double() (float64, error) {
	text, err := t.scalar()
	if err != nil {
		return 0, err
	}
	switch text {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, errThriftBad
	}
	return v, nil
}

func (t *thriftJSON) text() ([]byte, error) {
	text, err := t.scalar()
	return []byte(text), err
}

func (t *thriftJSON) data() ([]byte, error) {
	text, err := t.scalar()
	if err != nil {
		return nil, err
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, errThriftBad
	}
	return b, nil
}

func (t *thriftJSON) uuid() ([]byte, error) {
	text, err := t.scalar()
	if err != nil {
		return nil, err
	}
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 {
		return nil, errThriftBad
	}
	return thriftUUID(b), nil
}

// count reads a number of elements.
func (t *thriftJSON) count() (int, error) {
	n, err := t.integer(wireI64)
	if err == nil && (n < 0 || n > int64(t.size)) {
		err = errThriftShort
	}
	return int(n), err
}

func (t *thriftJSON) list() (elem thriftWire, n int, err error) {
	if err = t.sign('['); err != nil {
		return 0, 0, err
	}
	if elem, err = t.wire(); err != nil {
		return 0, 0, err
	}
	n, err = t.count()
	return elem, n, err
}

func (t *thriftJSON) listEnd() error { return t.sign(']') }

func (t *thriftJSON) pairs() (key, value thriftWire, n int, err error) {
	if err = t.sign('['); err != nil {
		return 0, 0, 0, err
	}
	if key, err = t.wire(); err != nil {
		return 0, 0, 0, err
	}
	if value, err = t.wire(); err != nil {
		return 0, 0, 0, err
	}
	if n, err = t.count(); err != nil {
		return 0, 0, 0, err
	}
	return key, value, n, t.sign('{')
}

func (t *thriftJSON) pairsEnd() error {
	if err := t.sign('}'); err != nil {
		return err
	}
	return t.sign(']')
}
