package kafka

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestAClientThatCannotBeMadeSaysWhy(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.pem")
	clients := NewClients(nil)
	defer clients.Close()
	_, err := clients.Admin(map[string]any{"bootstrap.servers": "a:9092", "security.protocol": "SSL", "ssl.truststore.location": missing})
	var stream *StreamError
	if !errors.As(err, &stream) || stream.ExceptionClass != classKafka ||
		!strings.Contains(stream.Message, "Failed to construct kafka consumer: ") || !strings.Contains(stream.Message, missing) {
		t.Errorf("a truststore that is missing: %v", err)
	}
}
