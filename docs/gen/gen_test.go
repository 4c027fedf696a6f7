package main

import (
	"os"
	"path/filepath"
	"testing"
)

const root = "../.."

func TestCommittedDocumentsAreWhatTheGeneratorWrites(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Errorf("%v; run: go run ./docs/gen", err)
			continue
		}
		if string(got) != want {
			t.Errorf("%s is out of date; run: go run ./docs/gen", name)
		}
	}
	stale, err := leftOver(root, files)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stale {
		t.Errorf("%s is written no more; run: go run ./docs/gen", name)
	}
}
