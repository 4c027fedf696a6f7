package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ogham/adapters/kafka"
)

const (
	propertiesPage  = "docs/kafka.md"
	propertiesBegin = "<!-- the properties: written by docs/gen -->\n"
	propertiesEnd   = "<!-- end of the properties -->\n"
)

// kafkaPage is the page about Kafka with the table of consumer properties in it brought up to date.
func kafkaPage(root string) (string, error) {
	page, err := os.ReadFile(filepath.Join(root, propertiesPage))
	if err != nil {
		return "", err
	}
	before, rest, ok := strings.Cut(string(page), propertiesBegin)
	_, after, ended := strings.Cut(rest, propertiesEnd)
	if !ok || !ended {
		return "", fmt.Errorf("%s has no place for the properties", propertiesPage)
	}
	var b strings.Builder
	b.WriteString(before + propertiesBegin)
	b.WriteString("| property | effect | |\n| --- | --- | --- |\n")
	for _, p := range kafka.KnownProperties {
		note := p.Note
		if len(p.Harmless) > 0 {
			note += "; no warning for `" + strings.Join(p.Harmless, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.Name, p.Effect, strings.ReplaceAll(note, "|", `\|`))
	}
	b.WriteString(propertiesEnd + after)
	return b.String(), nil
}
