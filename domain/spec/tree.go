package spec

// node is one JSON value that keeps key order and number text.
type node struct{}
