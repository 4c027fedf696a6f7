package inputformat

// AppendValue is for the tests of this package.
var AppendValue = appendValue
