// Package thriftidl reads Thrift's interface definitions: what structs there are, with their fields' ids, names, types and
// defaults. [Parse] reads a file and those that it includes, [File.Struct] finds a struct. Services are skipped, annotations
// mean nothing.
//
// The package imports the standard library only; it opens no file, its caller reads them for it. Errors name the
// file and the line and never quote what stands there: the file may be another than was meant, with secrets in it.
package thriftidl
