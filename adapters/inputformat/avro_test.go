package inputformat

import (
	"encoding/binary"
	"errors"
	"testing"

	"ogham/domain/row"
)

// TestElementsOfNoLengthAreBounded: eight bytes must not become gigabytes.
func TestElementsOfNoLengthAreBounded(t *testing.T) {
	typ, err := compileAvro(`{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":"null"}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int64]error{minAvroElems: nil, 5_000_000: errAvroMany} {
		var d avroDecoder
		d.start(append(binary.AppendVarint(nil, n), 0), &row.Rows{})
		if _, err := d.value(typ); !errors.Is(err, want) {
			t.Errorf("%d nulls: %v, want %v", n, err, want)
		}
	}
}
