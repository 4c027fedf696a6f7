package httpapi

import (
	"testing"

	"ogham/domain/task"
)

// FuzzReadEnds feeds any body to what reads end offsets: what is taken names partitions and offsets that can be.
func FuzzReadEnds(f *testing.F) {
	for _, body := range []string{`{"0":1}`, `{"topic:3":"7","1":2.9}`, `{"x":1}`, `{"0":-1}`, `{"0":9223372036854775807}`, `[]`, `null`, `{`, `{"0":{}}`, ``} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		object, err := readObject(body)
		if err != nil {
			return
		}
		end, err := readEnds(object)
		if err != nil {
			return
		}
		for p, at := range end {
			if _, ok := p.Number(); !ok || at < 0 || at == task.NoEnd {
				t.Errorf("%q gives partition %q the end %d", body, p, at)
			}
		}
	})
}
