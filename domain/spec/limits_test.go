package spec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ogham/domain/spec"
)

func TestNamesAndNumbersThatCanNeverWorkAreRefused(t *testing.T) {
	const body = `{"type":"kafka","spec":{"dataSchema":{"dataSource":%q,"timestampSpec":{"column":"t"},"dimensionsSpec":{}},` +
		`"ioConfig":{"topic":"t","replicas":%d,"inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":"h:1"}}}}`
	for _, c := range []struct {
		name     string
		replicas int
		path     string
	}{
		{strings.Repeat("a", 255), 100, ""},
		{strings.Repeat("a", 256), 1, "$.spec.dataSchema.dataSource"},
		{strings.Repeat("ü", 128), 1, "$.spec.dataSchema.dataSource"},
		{"intermediate_pushes", 1, "$.spec.dataSchema.dataSource"},
		{"a", 101, "$.spec.ioConfig.replicas"},
	} {
		_, err := spec.Parse(fmt.Appendf(nil, body, c.name, c.replicas))
		var invalid *spec.InvalidError
		switch {
		case c.path == "" && err != nil:
			t.Errorf("%.20s with %d replicas: %v", c.name, c.replicas, err)
		case c.path != "" && (!errors.As(err, &invalid) || invalid.Problems[0].Path != c.path):
			t.Errorf("%.20s with %d replicas: %v, want a problem of %s", c.name, c.replicas, err, c.path)
		}
	}
}
