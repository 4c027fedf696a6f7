package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// dictionaryCheck refuses values out of order: they would be read, and filters
// would silently miss values.
type dictionaryCheck struct {
	n       int
	hasNull bool
	prev    []byte
}

func (c *dictionaryCheck) next(v []byte, null bool) error {
	switch {
	case null && c.n > 0:
		return fmt.Errorf("dictionary: null at %d, it must come first", c.n)
	case null:
		c.hasNull = true
	case c.n > 0 && !(c.n == 1 && c.hasNull) && CompareUTF16(c.prev, v) >= 0:
		return fmt.Errorf("dictionary: value %d (%q) is not greater than the one before it", c.n, v)
	case !utf8.Valid(v):
		return fmt.Errorf("dictionary: value %d is not UTF-8", c.n)
	}
	c.prev = append(c.prev[:0], v...)
	c.n++
	return nil
}

// writeDictionary writes a dictionary in the form that the indexSpec asks for,
// and says whether null is in it.
func (w *Writer) writeDictionary(d Dictionary) (hasNull bool, err error) {
	if w.spec.FrontCoding.BucketSize > 0 {
		return w.writeFrontCoded(d)
	}
	return w.writePlainDictionary(d)
}

// writePlainDictionary checks the order while it adds up the sizes.
func (w *Writer) writePlainDictionary(d Dictionary) (hasNull bool, err error) {
	s, card := w.smoosh, d.Len()
	ends := make([]byte, 0, 4*card)
	var check dictionaryCheck
	at := int64(0)
	for i := range card {
		v, null := d.Value(i)
		if err := check.next(v, null); err != nil {
			return false, err
		}
		at += 4 + int64(len(v))
		if at > maxChunk-4096 {
			return false, &UnsupportedError{Column: s.name, Feature: "writing a dictionary of 2 GiB and more"}
		}
		ends = binary.BigEndian.AppendUint32(ends, uint32(at))
	}
	if err := errors.Join(writeIndexedHeader(s, 1, card, at), s.write(ends)); err != nil {
		return false, err
	}
	for i := range card {
		v, null := d.Value(i)
		if err := writeElement(s, v, null); err != nil {
			return false, err
		}
	}
	return check.hasNull, nil
}

func (w *Writer) writeFrontCoded(d Dictionary) (hasNull bool, err error) {
	front := &frontWriter{f: w.spec.FrontCoding, spool: spool{path: w.spoolPath(0)}}
	var check dictionaryCheck
	for i := range d.Len() {
		v, null := d.Value(i)
		err := check.next(v, null)
		if err == nil {
			err = front.add(v, null)
		}
		if err != nil {
			return false, errors.Join(err, front.spool.close())
		}
	}
	return check.hasNull, front.writeTo(w.smoosh)
}
