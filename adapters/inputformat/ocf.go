package inputformat

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/avro"
)

const (
	ocfMagic    = "Obj\x01"
	ocfSync     = 16
	snappySum   = 4 // bytes of checksum behind a block
	maxOCFBlock = 64 << 20
	// maxOCFHeader bounds the entries of a file's header.
	maxOCFHeader = 1000
)

// ocfReader reads container files: a header with the schema that the data was written by, then blocks of records.
type ocfReader struct {
	// reader is the schema that records are to have; nil: that of the file.
	reader     *avro.Schema
	readerType *avroType
	// the last file's schema: a producer writes the same again and again
	text string
	typ  *avroType
	// resolved decodes data of the file's schema into the reader's.
	resolved *avro.Schema
	zstd     *zstd.Decoder
}

func newOCFReader(schema json.RawMessage) (*ocfReader, error) {
	r := &ocfReader{}
	if len(schema) == 0 || string(schema) == "null" {
		return r, nil
	}
	var err error
	if r.reader, err = avro.Parse(string(schema)); err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	r.readerType, err = avroOf(r.reader)
	return r, err
}

// read gives each block of a file: its schema, its data and how many records it has.
func (r *ocfReader) read(b []byte, block func(t *avroType, data []byte, count int64) error) error {
	d := avroDecoder{left: len(b) + minAvroElems}
	if !bytes.HasPrefix(b, []byte(ocfMagic)) {
		return errors.New("it does not begin as one")
	}
	d.b, d.at = b, len(ocfMagic)
	meta, err := ocfHeader(&d)
	if err != nil {
		return err
	}
	sync, err := d.take(ocfSync)
	if err != nil {
		return err
	}
	if err := r.schema(string(meta["avro.schema"])); err != nil {
		return err
	}
	for d.at < len(d.b) {
		count, err := d.long()
		if err != nil {
			return err
		}
		data, err := d.block()
		if err != nil {
			return err
		}
		end, err := d.take(ocfSync)
		if err != nil {
			return err
		}
		if count < 0 || !bytes.Equal(end, sync) {
			return errors.New("a block is damaged")
		}
		if data, err = r.decompress(string(meta["avro.codec"]), data); err != nil {
			return fmt.Errorf("decompress a block: %w", err)
		}
		if count > int64(len(data))+minAvroElems {
			return errAvroMany
		}
		if err := r.give(data, count, block); err != nil {
			return err
		}
	}
	return nil
}

func ocfHeader(d *avroDecoder) (map[string][]byte, error) {
	meta := map[string][]byte{}
	for {
		n, err := d.blockCount()
		if err != nil || n == 0 {
			return meta, err
		}
		for range n {
			key, err := d.block()
			if err != nil {
				return nil, err
			}
			if meta[string(key)], err = d.block(); err != nil {
				return nil, err
			}
			if len(meta) > maxOCFHeader {
				return nil, errAvroMany
			}
		}
	}
}

func (r *ocfReader) schema(text string) error {
	if text == r.text && r.typ != nil {
		return nil
	}
	writer, err := avro.Parse(text)
	if err != nil {
		return fmt.Errorf("its schema: %w", err)
	}
	typ, err := avroOf(writer)
	if err != nil {
		return err
	}
	r.resolved = nil
	if r.reader != nil && !bytes.Equal(r.reader.Canonical(), writer.Canonical()) {
		if r.resolved, err = avro.Resolve(writer, r.reader); err != nil {
			return fmt.Errorf("its schema does not match the format's: %w", err)
		}
	}
	r.text, r.typ = text, typ
	return nil
}

// give hands out a block, its records in the reader's schema if that is another one.
func (r *ocfReader) give(data []byte, count int64, block func(*avroType, []byte, int64) error) error {
	if r.resolved == nil {
		return block(r.typ, data, count)
	}
	var out []byte
	for range count {
		var v any
		rest, err := r.resolved.Decode(data, &v)
		if err != nil {
			return err
		}
		data = rest
		if out, err = r.reader.AppendEncode(out, v); err != nil {
			return err
		}
	}
	return block(r.readerType, out, count)
}

func (r *ocfReader) decompress(codec string, b []byte) ([]byte, error) {
	switch codec {
	case "", "null":
		return b, nil
	case "deflate":
		out, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), maxOCFBlock+1))
		if err == nil && len(out) > maxOCFBlock {
			err = errAvroMany
		}
		return out, err
	case "snappy":
		if len(b) < snappySum {
			return nil, errAvroShort
		}
		b = b[:len(b)-snappySum]
		if n, err := snappy.DecodedLen(b); err != nil || n > maxOCFBlock {
			return nil, errors.Join(errAvroBad, err)
		}
		return snappy.Decode(nil, b)
	case "zstandard":
		if r.zstd == nil {
			var err error
			if r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxOCFBlock)); err != nil {
				return nil, err
			}
		}
		return r.zstd.DecodeAll(b, nil)
	}
	return nil, fmt.Errorf("codec %q is not supported (null, deflate, snappy and zstandard are)", codec)
}
