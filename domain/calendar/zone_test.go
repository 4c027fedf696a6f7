package calendar_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"ogham/domain/calendar"
)

func TestZoneTakesTheNamesThatDruidTakes(t *testing.T) {
	winter := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC).UnixMilli()
	for name, minutes := range map[string]int64{
		"": 0, "UTC": 0, "utc": 0, "Z": 0, "GMT": 0, "Etc/UTC": 0, "Europe/Berlin": 60, "America/Los_Angeles": -480,
		"PST": -480, "EST": -300, "IST": 330, "+05:30": 330, "-08:00": -480, "+0530": 330, "+05": 300, "GMT+02:00": 120,
		"+01:02:03": 62, "America/Argentina/Buenos_Aires": -180,
	} {
		loc, ok := calendar.Zone(name)
		if !ok {
			t.Errorf("zone %q is not known", name)
			continue
		}
		if got := calendar.Offset(winter, loc) / 60000; got != minutes {
			t.Errorf("zone %q is %d minutes ahead, want %d", name, got, minutes)
		}
	}
	for _, name := range []string{"Nowhere", "europe/berlin", "+5", "+25:00", "UTC+2", "+", "Europe", "+05:99", "../etc/passwd"} {
		if _, ok := calendar.Zone(name); ok {
			t.Errorf("zone %q is known", name)
		}
	}
}

// TestEveryZoneOfJavaIsKnown holds the database against the list of names that timestamps may end with.
func TestEveryZoneOfJavaIsKnown(t *testing.T) {
	names, err := os.ReadFile("../row/zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(names)) {
		if strings.HasPrefix(name, "SystemV/") {
			continue // Java made these up, and later versions of it have dropped them
		}
		if _, ok := calendar.Zone(name); !ok {
			t.Errorf("zone %q is not known", name)
		}
	}
}

func TestLocalTimes(t *testing.T) {
	berlin, _ := calendar.Zone("Europe/Berlin")
	la, _ := calendar.Zone("America/Los_Angeles")
	for _, c := range []struct {
		local string
		loc   *time.Location
		want  string
		exact bool
	}{
		{"2026-01-01T00:00:00Z", berlin, "2025-12-31T23:00:00Z", true},
		{"2026-07-01T00:00:00Z", berlin, "2026-06-30T22:00:00Z", true},
		{"2020-10-25T02:30:00Z", berlin, "2020-10-25T00:30:00Z", true}, // twice: the earlier
		{"2020-03-29T02:30:00Z", berlin, "2020-03-29T01:30:00Z", false},
		{"2026-03-08T02:30:00Z", la, "2026-03-08T10:30:00Z", false},
		{"2026-11-01T01:30:00Z", la, "2026-11-01T08:30:00Z", true},
	} {
		local, err := time.Parse(time.RFC3339, c.local)
		if err != nil {
			t.Fatal(err)
		}
		got, exact := calendar.FromLocal(local.UnixMilli(), c.loc)
		if text := time.UnixMilli(got).UTC().Format(time.RFC3339); text != c.want || exact != c.exact {
			t.Errorf("%s in %s is %s, exact %t; want %s, %t", c.local, c.loc, text, exact, c.want, c.exact)
		}
	}
}
