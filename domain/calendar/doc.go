// Package calendar is what Joda-Time is to Druid: time zones by their names, ISO periods, and the buckets of time that a
// period makes.
//
// Zones are those of the IANA database, Java's old three-letter names, and offsets such as +05:30. The database is part of
// the program (zoneinfo.zip, the file that comes with Go), not of the machine it runs on: every worker cuts time at the
// same places. Instants are milliseconds since 1970-01-01 UTC. The package may import nothing of ours.
package calendar
