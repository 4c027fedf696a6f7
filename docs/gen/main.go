package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	root := flag.String("root", ".", "the repository's root")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	stale, err := leftOver(root, files)
	if err != nil {
		return err
	}
	for _, name := range stale {
		if err := os.Remove(filepath.Join(root, name)); err != nil {
			return err
		}
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns every document by its path below the root.
func generate(root string) (map[string]string, error) {
	t, err := readTypes(root)
	if err != nil {
		return nil, err
	}
	events, err := t.events()
	if err != nil {
		return nil, err
	}
	properties, err := kafkaPage(root)
	if err != nil {
		return nil, err
	}
	api, err := openAPI(root)
	if err != nil {
		return nil, err
	}
	files := map[string]string{
		propertiesPage:                properties,
		openAPIServed:                 api,
		"docs/machines/supervisor.md": supervisorPage(),
		"docs/machines/task.md":       taskPage(),
		"docs/events/README.md":       indexPage(events),
		"docs/asyncapi.yaml":          asyncAPI(t, events),
	}
	for _, e := range events {
		files["docs/events/"+e.name+".md"] = eventPage(t, e)
	}
	return files, nil
}

// leftOver returns what lies in the generated folders and is not written any more.
func leftOver(root string, files map[string]string) ([]string, error) {
	var stale []string
	for _, dir := range []string{"docs/events", "docs/machines"} {
		found, err := filepath.Glob(filepath.Join(root, dir, "*"))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			name := dir + "/" + filepath.Base(path)
			if _, ok := files[name]; !ok {
				stale = append(stale, name)
			}
		}
	}
	slices.Sort(stale)
	return stale, nil
}
