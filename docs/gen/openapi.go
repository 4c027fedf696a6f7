package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// The API's document is written by hand in YAML, and served in JSON.
const (
	openAPISource = "docs/api/openapi.yaml"
	openAPIServed = "adapters/httpapi/openapi.json"
)

// openAPI gives the document as it is served: the same values, keys in order of their names.
func openAPI(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, openAPISource))
	if err != nil {
		return "", err
	}
	var document map[string]any
	if err := yaml.Unmarshal(text, &document); err != nil {
		return "", fmt.Errorf("%s: %w", openAPISource, err)
	}
	b, err := json.Marshal(document)
	if err != nil {
		return "", fmt.Errorf("%s: %w", openAPISource, err)
	}
	return string(b) + "\n", nil
}
