package calendar

import (
	_ "embed" // the database is data, not code
	"encoding/binary"
	"strings"
	"time"
)

// database is a ZIP file without compression.
//
//go:embed zoneinfo.zip
var database string

// aliases are Java's three-letter names, of which some mean another place than one would think.
var aliases = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo",
	"AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare",
	"CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa",
	"ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo",
	"MIT": "Pacific/Apia", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi",
	"PNT": "America/Phoenix", "PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal",
	"VST": "Asia/Ho_Chi_Minh",
}

// Zone gives the zone of a name; ok is false for one that is not known. Case matters but in UTC. An empty name is UTC.
func Zone(name string) (loc *time.Location, ok bool) {
	if name == "" || name == "Z" || strings.EqualFold(name, "UTC") {
		return time.UTC, true
	}
	if name[0] == '+' || name[0] == '-' {
		return offset(name, name)
	}
	if place, found := aliases[name]; found {
		name = place
	}
	if data, found := entries[name]; found {
		loc, err := time.LoadLocationFromTZData(name, []byte(data))
		return loc, err == nil
	}
	for _, prefix := range []string{"GMT", "UTC", "UT"} {
		if rest, found := strings.CutPrefix(name, prefix); found && rest != "" && (rest[0] == '+' || rest[0] == '-') {
			return offset(rest, rest)
		}
	}
	return nil, false
}

// Place gives the zone of a name of the time zone database, as it is written there.
func Place(name string) (loc *time.Location, ok bool) {
	if name == "UTC" {
		return time.UTC, true
	}
	data, found := entries[name]
	if !found {
		return nil, false
	}
	loc, err := time.LoadLocationFromTZData(name, []byte(data))
	return loc, err == nil
}

// offset reads ±HH, with minutes, seconds and milliseconds behind it if need be, with or without colons. Milliseconds
// are dropped: no zone has them.
func offset(s, name string) (*time.Location, bool) {
	digits, _, _ := strings.Cut(strings.ReplaceAll(s[1:], ":", ""), ".")
	if len(digits) != 2 && len(digits) != 4 && len(digits) != 6 {
		return nil, false
	}
	seconds := 0
	for i, unit := 0, 3600; i < len(digits); i, unit = i+2, unit/60 {
		high, low := digits[i]-'0', digits[i+1]-'0'
		v := int(high)*10 + int(low)
		if high > 9 || low > 9 || i == 0 && v > 23 || v > 59 {
			return nil, false
		}
		seconds += v * unit
	}
	if seconds == 0 {
		return time.UTC, true
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone(name, seconds), true
}

// The layout of a ZIP file's directory: sizes of its headers, and where they hold what.
const (
	tailSize, tailCount, tailStart                            = 22, 10, 16
	headSize, headLength, headName, headExtra, headNote, head = 46, 24, 28, 30, 32, 42
	fileSize, fileName, fileExtra                             = 30, 26, 28
)

// entries are the files of the database by their names.
var entries = directory()

func directory() map[string]string {
	tail := []byte(database[len(database)-tailSize:])
	at := int(binary.LittleEndian.Uint32(tail[tailStart:]))
	files := map[string]string{}
	for range binary.LittleEndian.Uint16(tail[tailCount:]) {
		h := []byte(database[at : at+headSize])
		length := int(binary.LittleEndian.Uint16(h[headName:]))
		start := int(binary.LittleEndian.Uint32(h[head:]))
		f := []byte(database[start : start+fileSize])
		start += fileSize + int(binary.LittleEndian.Uint16(f[fileName:])) + int(binary.LittleEndian.Uint16(f[fileExtra:]))
		name := database[at+headSize : at+headSize+length]
		files[name] = database[start : start+int(binary.LittleEndian.Uint32(h[headLength:]))]
		at += headSize + length + int(binary.LittleEndian.Uint16(h[headExtra:])) + int(binary.LittleEndian.Uint16(h[headNote:]))
	}
	return files
}

// Offset gives how far a zone's clocks are ahead of UTC at an instant, in milliseconds.
func Offset(ms int64, loc *time.Location) int64 {
	if loc == time.UTC {
		return 0
	}
	_, seconds := time.UnixMilli(ms).In(loc).Zone()
	return int64(seconds) * 1000
}

// widest is more than any zone is away from UTC, in milliseconds.
const widest = 26 * 60 * 60 * 1000

// FromLocal gives the instant at which a zone's clocks show a time, both in milliseconds as if in UTC. Of two such
// instants it is the earlier one; exact is false where the clocks skip the time, and the instant is then as far behind the
// skip as the time is behind its beginning.
func FromLocal(local int64, loc *time.Location) (ms int64, exact bool) {
	if loc == time.UTC {
		return local, true
	}
	before, after := Offset(local-widest, loc), Offset(local+widest, loc)
	// Zones change at most once within two days but for curiosities of the past, which have no rule to follow either.
	for _, o := range [3]int64{max(before, after), Offset(local-before, loc), min(before, after)} {
		if Offset(local-o, loc) == o {
			return local - o, true
		}
	}
	return local - before, false
}

// FromLocalNear is FromLocal for a time that was made from an instant, whose offset it keeps if it can.
func FromLocalNear(local, origin int64, loc *time.Location) int64 {
	if o := Offset(origin, loc); Offset(local-o, loc) == o {
		return local - o
	}
	ms, _ := FromLocal(local, loc)
	return ms
}
