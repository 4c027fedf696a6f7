package segment

import "math"

// SmileWriter builds one SMILE document, the binary JSON in which nested
// columns hold their raw values. Its choices are those of the library that
// Druid uses, so that equal values have equal bytes, the same as Druid's.
type SmileWriter struct {
	buf   []byte
	names map[string]int // of keys that may be referred to
	count int            // of keys since names was emptied
}

// smileHeader begins a document: shared names, raw binary.
const smileHeader = ":)\n\x05"

// The tokens.
const (
	smileEmptyString = 0x20
	smileNull        = 0x21
	smileFalse       = 0x22
	smileTrue        = 0x23
	smileInt32       = 0x24
	smileInt64       = 0x25
	smileBigInteger  = 0x26
	smileFloat32     = 0x28
	smileFloat64     = 0x29
	smileTinyASCII   = 0x40
	smileTinyUnicode = 0x80
	smileSmallInt    = 0xc0
	smileLongASCII   = 0xe0
	smileLongUnicode = 0xe4
	smileStartArray  = 0xf8
	smileEndArray    = 0xf9
	smileStartObject = 0xfa
	smileEndObject   = 0xfb
	smileEndOfString = 0xfc

	smileKeyEmpty   = 0x20
	smileKeyRefLong = 0x30
	smileKeyLong    = 0x34
	smileKeyRef     = 0x40
	smileKeyASCII   = 0x80
	smileKeyUnicode = 0xc0
)

const (
	smileShortString   = 64   // bytes of a string with its length in the token
	smileCandidate     = 65   // UTF-16 units of a string that may be short
	smileRewritten     = 2666 // units up to which a long string's token is corrected to ASCII
	smileShortName     = 56   // units of a key that may be short
	smileMaxNames      = 1024
	smileMaxShortNames = 64
)

// Reset begins a new document.
func (s *SmileWriter) Reset() {
	s.buf = append(s.buf[:0], smileHeader...)
	if s.count > 0 {
		clear(s.names)
		s.count = 0
	}
}

// Bytes gives the document; it is valid until the next Reset.
func (s *SmileWriter) Bytes() []byte { return s.buf }

// Null writes null.
func (s *SmileWriter) Null() { s.buf = append(s.buf, smileNull) }

// Bool writes true or false.
func (s *SmileWriter) Bool(v bool) {
	if v {
		s.buf = append(s.buf, smileTrue)
	} else {
		s.buf = append(s.buf, smileFalse)
	}
}

// Long writes an integer in the fewest bytes.
func (s *SmileWriter) Long(v int64) {
	z := uint64(v<<1) ^ uint64(v>>63)
	switch {
	case z < 32:
		s.buf = append(s.buf, smileSmallInt+byte(z))
		return
	case int64(int32(v)) == v:
		s.buf = append(s.buf, smileInt32)
	default:
		s.buf = append(s.buf, smileInt64)
	}
	var tmp [10]byte
	at := len(tmp) - 1
	tmp[at] = 0x80 | byte(z&0x3f)
	for z >>= 6; z > 0; z >>= 7 {
		at--
		tmp[at] = byte(z & 0x7f)
	}
	s.buf = append(s.buf, tmp[at:]...)
}

// Double writes a double.
func (s *SmileWriter) Double(v float64) {
	b := math.Float64bits(v)
	if v != v {
		b = canonicalNaN
	}
	s.buf = append(s.buf, smileFloat64)
	for shift := 63; shift >= 0; shift -= 7 {
		s.buf = append(s.buf, byte(b>>shift)&0x7f)
	}
}

// utf16Len counts UTF-16 units of UTF-8.
func utf16Len(v []byte) int {
	n := 0
	for _, c := range v {
		switch {
		case c >= 0xf0:
			n += 2
		case c < 0x80 || c >= 0xc0:
			n++
		}
	}
	return n
}

// String writes a string in UTF-8.
func (s *SmileWriter) String(v []byte) {
	n := len(v)
	if n == 0 {
		s.buf = append(s.buf, smileEmptyString)
		return
	}
	units := utf16Len(v)
	switch ascii := units == n; {
	case units <= smileCandidate && n <= smileShortString && ascii:
		s.buf = append(s.buf, smileTinyASCII-1+byte(n))
	case units <= smileCandidate && n <= smileShortString:
		s.buf = append(s.buf, smileTinyUnicode-2+byte(n))
	default:
		token := byte(smileLongUnicode)
		if ascii && units <= smileRewritten {
			token = smileLongASCII
		}
		s.buf = append(append(append(s.buf, token), v...), smileEndOfString)
		return
	}
	s.buf = append(s.buf, v...)
}

// StartArray and EndArray enclose the values of a list.
func (s *SmileWriter) StartArray() { s.buf = append(s.buf, smileStartArray) }

// EndArray ends a list.
func (s *SmileWriter) EndArray() { s.buf = append(s.buf, smileEndArray) }

// StartObject and EndObject enclose the members of an object, each a Key and
// a value.
func (s *SmileWriter) StartObject() { s.buf = append(s.buf, smileStartObject) }

// EndObject ends an object.
func (s *SmileWriter) EndObject() { s.buf = append(s.buf, smileEndObject) }

// Key writes a key in UTF-8, or refers to an earlier one.
func (s *SmileWriter) Key(v []byte) {
	n := len(v)
	if n == 0 {
		s.buf = append(s.buf, smileKeyEmpty)
		return
	}
	if ref, ok := s.names[string(v)]; ok {
		if ref < smileMaxShortNames {
			s.buf = append(s.buf, smileKeyRef+byte(ref))
		} else {
			s.buf = append(s.buf, smileKeyRefLong+byte(ref>>8), byte(ref))
		}
		return
	}
	units := utf16Len(v)
	switch {
	case units <= smileShortName && units == n:
		s.buf = append(append(s.buf, smileKeyASCII-1+byte(n)), v...)
	case units <= smileShortName && n <= smileShortName:
		s.buf = append(append(s.buf, smileKeyUnicode-2+byte(n)), v...)
	default:
		s.buf = append(append(append(s.buf, smileKeyLong), v...), smileEndOfString)
	}
	if s.names == nil {
		s.names = map[string]int{}
	}
	if s.count == smileMaxNames {
		clear(s.names)
		s.count = 0
	}
	if s.count&0xff < 0xfe { // 0xfe and 0xff are no second bytes of references
		s.names[string(v)] = s.count
	}
	s.count++
}
