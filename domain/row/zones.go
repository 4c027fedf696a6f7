package row

import (
	_ "embed" // the list of zone names is data, not code
	"strings"
)

// zoneList holds the zone ids that a Java runtime knows, one a line: the IANA names and Java's old three-letter ones.
//
//go:embed zones.txt
var zoneList string

// knownZone says whether the auto format drops this last word of a timestamp. Case matters, as in Druid's lookup.
func knownZone(name string) bool {
	if name == "" || len(name) > 40 || strings.ContainsAny(name, "\n\r") {
		return false
	}
	for at := 0; ; {
		i := strings.Index(zoneList[at:], name)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(name)
		if (start == 0 || zoneList[start-1] == '\n') && end < len(zoneList) && zoneList[end] == '\n' {
			return true
		}
		at = start + 1
	}
}
