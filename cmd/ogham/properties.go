package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// read takes a file as Java's Properties do: name and value apart by =, : or a blank, lines that go on after a backslash,
// and escapes.
func (p properties) read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("read properties: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := p.parse(f); err != nil {
		return fmt.Errorf("read properties: %s: %w", file, err)
	}
	return nil
}

func (p properties) parse(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimLeft(lines.Text(), " \t\f")
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		first := n
		for goesOn(line) {
			line = line[:len(line)-1]
			if !lines.Scan() {
				break
			}
			n++
			line += strings.TrimLeft(lines.Text(), " \t\f")
		}
		if err := p.take(line); err != nil {
			return fmt.Errorf("line %d: %w", first, err)
		}
	}
	return lines.Err()
}

// goesOn reports whether a line ends with a backslash that is not itself escaped.
func goesOn(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

func (p properties) take(line string) error {
	end := 0
	for end < len(line) && !strings.ContainsRune("=: \t\f", rune(line[end])) {
		if line[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(line))
	value := strings.TrimLeft(line[end:], " \t\f")
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], " \t\f")
	}
	name, err := unescape(line[:end])
	if err != nil {
		return err
	}
	if name == "" {
		return fmt.Errorf("want name=value, got %q", line)
	}
	if value, err = unescape(value); err != nil {
		return err
	}
	p[name] = strings.TrimSpace(value) // Java keeps blanks at the end, and no setting of Druid's wants them
	return nil
}

// unescape gives a text without its escapes. Those of a pair of surrogates are one character; what is no UTF-8, or half of
// a pair, is the replacement character, as in Java.
func unescape(s string) (string, error) {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	var b strings.Builder
	high := rune(0) // the first half of a pair
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			high = 0
			continue
		}
		i++
		if s[i] != 'u' {
			high = 0
		}
		switch s[i] {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			code, err := strconv.ParseUint(s[i+1:min(i+5, len(s))], 16, 16)
			if err != nil || i+5 > len(s) {
				return "", fmt.Errorf(`want four hexadecimal digits after \u in %q`, s)
			}
			high = appendUnit(&b, high, rune(code))
			i += 4
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

// appendUnit writes a unit of UTF-16, over the first half of a pair if it is the second, and gives it back if it is a first.
func appendUnit(b *strings.Builder, high, unit rune) rune {
	if pair := utf16.DecodeRune(high, unit); pair != utf8.RuneError {
		text := strings.TrimSuffix(b.String(), string(utf8.RuneError))
		b.Reset()
		b.WriteString(text)
		b.WriteRune(pair)
		return 0
	}
	b.WriteRune(unit)
	if utf16.IsSurrogate(unit) {
		return unit
	}
	return 0
}
