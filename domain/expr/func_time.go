package expr

import (
	"strings"
	"time"

	"ogham/domain/calendar"
	"ogham/domain/joda"
	"ogham/domain/row"
)

// timeFunctions work on instants, which are longs: milliseconds since 1970-01-01 UTC.
var timeFunctions = []*function{
	{name: "timestamp", arity: oneOf(1, 2), kind: always(Long), run: timestamp("timestamp", 1)},
	{name: "unix_timestamp", arity: oneOf(1, 2), kind: always(Long), run: timestamp("unix_timestamp", 1000)},
	{name: "timestamp_floor", arity: between(2, 4), kind: always(Long), macro: true, make: makeBuckets("timestamp_floor", (*calendar.Buckets).Start)},
	{name: "timestamp_ceil", arity: between(2, 4), kind: always(Long), macro: true, make: makeBuckets("timestamp_ceil", ceil)},
	{name: "timestamp_shift", arity: between(3, 4), kind: always(Long), macro: true, make: makeShift},
	{name: "timestamp_extract", arity: between(2, 3), kind: extractKind, macro: true, make: makeExtract},
	{name: "timestamp_format", arity: between(1, 3), kind: always(String), macro: true, make: makeFormat},
	{name: "timestamp_parse", arity: between(1, 3), kind: always(Long), macro: true, make: makeParse},
	{name: "subtract_months", arity: exactly(3), kind: always(Long), run: subtractMonths},
}

// timestamp makes timestamp and unix_timestamp, which give milliseconds and seconds.
func timestamp(name string, unit int64) runner {
	return func(e *Env, args []node) Value {
		v := args[0].eval(e)
		if v.typ != String {
			return e.reject(name, "first argument should be a STRING but got %s instead", v.typ)
		}
		if !v.some {
			return e.fail("there is no text")
		}
		ms, ok := row.ParseISODate(v.str)
		if len(args) > 1 {
			format := args[1].eval(e)
			if format.typ != String {
				return e.reject(name, "second argument should be STRING but got %s instead", format.typ)
			}
			pattern, err := joda.Compile(format.str)
			if err != nil {
				return e.fail("%s", err)
			}
			ms, ok = pattern.Parse(v.str, time.UTC)
		}
		if !ok {
			return e.reject(name, "invalid value %s", v.str)
		}
		return OfLong(ms / unit)
	}
}

// zoneOf reads a zone's name. One that is not known is an error; Druid takes it for UTC.
func zoneOf(v Value) (*time.Location, error) {
	if !v.some {
		return time.UTC, nil
	}
	name := string(appendText(nil, v))
	loc, ok := calendar.Zone(name)
	if !ok {
		return nil, errLiteral("time zone '" + name + "' is not known")
	}
	return loc, nil
}

// literalZone reads the zone from a literal argument, or gives UTC where there is none.
func literalZone(args []node, at int) (*time.Location, error) {
	if len(args) <= at {
		return time.UTC, nil
	}
	v, ok := isConstant(args[at])
	if !ok {
		return nil, errLiteral("time zone must be a literal")
	}
	return zoneOf(v)
}

func ceil(b *calendar.Buckets, t int64) int64 {
	start := b.Start(t)
	if start == t {
		return t
	}
	return b.Next(start)
}

// makeBuckets makes timestamp_floor and timestamp_ceil. Literal arguments are read once, others for each row.
func makeBuckets(name string, of func(*calendar.Buckets, int64) int64) func(args []node) (runner, error) {
	return func(args []node) (runner, error) {
		var fixed *calendar.Buckets
		if allConstant(args[1:]...) {
			var err error
			if fixed, err = buckets(name, args, func(n node) Value { return n.(constant).v }); err != nil {
				return nil, err
			}
		}
		return func(e *Env, args []node) Value {
			v := args[0].eval(e)
			n, ok := v.number()
			b := fixed
			if b == nil {
				var err error
				if b, err = buckets(name, args, func(n node) Value { return n.eval(e) }); err != nil {
					return e.fail("%s", err)
				}
			}
			if !ok {
				return Value{}
			}
			return OfLong(of(b, n.asLong()))
		}, nil
	}
}

// buckets reads the period, the origin and the zone of timestamp_floor.
func buckets(name string, args []node, eval func(node) Value) (*calendar.Buckets, error) {
	text := func(v Value) string { return string(appendText(nil, v)) }
	var period calendar.Period
	if v := eval(args[1]); v.some {
		var err error
		if period, err = calendar.ParsePeriod(text(v)); err != nil {
			call := describeCall(name, "", args)
			return nil, errLiteral("Invalid period[" + describe(args[1]) + "] specified for expression[" + call + "]: [" + err.Error() + "]")
		}
	}
	loc := time.UTC
	if len(args) > 3 {
		var err error
		if loc, err = zoneOf(eval(args[3])); err != nil {
			return nil, err
		}
	}
	var origin *int64
	if len(args) > 2 {
		if v := eval(args[2]); v.typ == Long && v.some {
			ms := v.Long()
			origin = &ms
		} else if v.some {
			ms, ok := parseIn(text(v), loc)
			if !ok {
				return nil, errLiteral("origin '" + text(v) + "' is no ISO time")
			}
			origin = &ms
		}
	}
	return calendar.NewBuckets(period, origin, loc)
}

// parseIn reads an ISO time, which is in a zone unless it has an offset.
func parseIn(s string, loc *time.Location) (int64, bool) {
	ms, ok := row.ParseISO(s)
	if !ok || row.HasOffset(s) {
		return ms, ok
	}
	ms, _ = calendar.FromLocal(ms, loc)
	return ms, true
}

func makeShift(args []node) (runner, error) {
	var fixed *calendar.Period
	var zone *time.Location
	if v, ok := isConstant(args[1]); ok {
		p, err := shiftPeriod(v)
		if err != nil {
			return nil, err
		}
		fixed = &p
	}
	if len(args) < 4 || allConstant(args[3]) {
		var err error
		if zone, err = literalZone(args, 3); err != nil {
			return nil, err
		}
	}
	return func(e *Env, args []node) Value {
		v := args[0].eval(e)
		n, ok := v.number()
		if !ok {
			return Value{}
		}
		period, loc := fixed, zone
		if period == nil {
			p, err := shiftPeriod(args[1].eval(e))
			if err != nil {
				return e.fail("%s", err)
			}
			period = &p
		}
		step := args[2].eval(e).asInt()
		if loc == nil {
			var err error
			if loc, err = zoneOf(args[3].eval(e)); err != nil {
				return e.fail("%s", err)
			}
		}
		return OfLong(period.Add(n.asLong(), step, loc))
	}, nil
}

// shiftPeriod reads the period of timestamp_shift; a null is no time at all.
func shiftPeriod(v Value) (calendar.Period, error) {
	if !v.some {
		return calendar.Period{}, nil
	}
	return calendar.ParsePeriod(string(appendText(nil, v)))
}

// unitsOfTime are what timestamp_extract extracts.
var unitsOfTime = map[string]func(ms int64, t time.Time) Value{
	"EPOCH":       func(ms int64, _ time.Time) Value { return OfLong(ms / 1000) },
	"MILLISECOND": func(_ int64, t time.Time) Value { return OfLong(int64(t.Nanosecond() / 1e6)) },
	"SECOND":      func(_ int64, t time.Time) Value { return OfLong(int64(t.Second())) },
	"MINUTE":      func(_ int64, t time.Time) Value { return OfLong(int64(t.Minute())) },
	"HOUR":        func(_ int64, t time.Time) Value { return OfLong(int64(t.Hour())) },
	"DAY":         func(_ int64, t time.Time) Value { return OfLong(int64(t.Day())) },
	"DOW":         func(_ int64, t time.Time) Value { return OfLong(int64(t.Weekday()+6)%7 + 1) },
	"ISODOW":      func(_ int64, t time.Time) Value { return OfLong(int64(t.Weekday()+6)%7 + 1) },
	"DOY":         func(_ int64, t time.Time) Value { return OfLong(int64(t.YearDay())) },
	"WEEK": func(_ int64, t time.Time) Value {
		_, week := t.ISOWeek()
		return OfLong(int64(week))
	},
	"MONTH":      func(_ int64, t time.Time) Value { return OfLong(int64(t.Month())) },
	"QUARTER":    func(_ int64, t time.Time) Value { return OfLong(int64(t.Month()-1)/3 + 1) },
	"YEAR":       func(_ int64, t time.Time) Value { return OfLong(int64(t.Year())) },
	"ISOYEAR":    func(_ int64, t time.Time) Value { return OfLong(int64(t.Year())) }, // Druid gives the calendar's
	"DECADE":     func(_ int64, t time.Time) Value { return OfLong(int64(t.Year() / 10)) },
	"CENTURY":    func(_ int64, t time.Time) Value { return OfDouble(ceilOf(t.Year(), 100)) },
	"MILLENNIUM": func(_ int64, t time.Time) Value { return OfDouble(ceilOf(t.Year(), 1000)) },
}

// ceilOf divides upwards.
func ceilOf(year, by int) float64 {
	q := year / by
	if year%by > 0 {
		q++
	}
	return float64(q)
}

func extractKind(e *Env, args []node, _ []Type) Type {
	if v, ok := isConstant(args[1]); ok && (strings.EqualFold(v.str, "CENTURY") || strings.EqualFold(v.str, "MILLENNIUM")) {
		return Double
	}
	return Long
}

func makeExtract(args []node) (runner, error) {
	v, ok := isConstant(args[1])
	if !ok || !v.some {
		return nil, errLiteral("unit arg must be literal")
	}
	name := strings.ToUpper(string(appendText(nil, v)))
	of, ok := unitsOfTime[name]
	if !ok {
		return nil, errLiteral("unit '" + name + "' is not known")
	}
	loc, err := literalZone(args, 2)
	if err != nil {
		return nil, err
	}
	return func(e *Env, args []node) Value {
		v := args[0].eval(e)
		if !v.some {
			return Value{}
		}
		ms, ok := instantOf(v, loc)
		if !ok {
			s, _ := e.asString(v)
			return e.fail("Invalid format: \"%s\"", s)
		}
		return of(ms, time.UnixMilli(ms).In(loc))
	}, nil
}

// instantOf reads a number or the text of an ISO time.
func instantOf(v Value, loc *time.Location) (int64, bool) {
	if v.typ == String {
		return parseIn(v.str, loc)
	}
	n, ok := v.number()
	return n.asLong(), ok
}

func makeFormat(args []node) (runner, error) {
	pattern, loc, err := literalFormat(args, "format argument must be a literal")
	if err != nil {
		return nil, err
	}
	return func(e *Env, args []node) Value {
		n, ok := args[0].eval(e).number()
		if !ok {
			return Value{}
		}
		return OfString(e.build(func(dst []byte) []byte {
			if pattern == nil {
				return appendISO(dst, n.asLong(), loc)
			}
			return pattern.Append(dst, n.asLong(), loc)
		}))
	}, nil
}

// isoPattern is the form of Joda-Time's ISO formatter, but for the offset of UTC, which that writes as Z.
var isoPattern, _ = joda.Compile("yyyy-MM-dd'T'HH:mm:ss.SSSZZ")

func appendISO(dst []byte, ms int64, loc *time.Location) []byte {
	start := len(dst)
	dst = isoPattern.Append(dst, ms, loc)
	if strings.HasSuffix(view(dst[start:]), "+00:00") {
		return append(dst[:len(dst)-len("+00:00")], 'Z')
	}
	return dst
}

func makeParse(args []node) (runner, error) {
	pattern, loc, err := literalFormat(args, "Not a literal")
	if err != nil {
		return nil, err
	}
	return func(e *Env, args []node) Value {
		s, ok := e.text(args[0])
		if !ok {
			return Value{}
		}
		var ms int64
		if pattern != nil {
			ms, ok = pattern.Parse(s, loc)
		} else {
			ms, ok = parseSQL(s, loc)
		}
		if !ok {
			return Value{}
		}
		return OfLong(ms)
	}, nil
}

// parseSQL reads an ISO time in which a space may stand for the T.
func parseSQL(s string, loc *time.Location) (int64, bool) {
	ms, ok := row.ParseISODateSpace(s)
	if !ok || row.HasOffset(s) {
		return ms, ok
	}
	ms, exact := calendar.FromLocal(ms, loc)
	return ms, exact
}

// subtractMonths gives the whole months from the second instant to the first.
func subtractMonths(e *Env, args []node) Value {
	later, earlier := args[0].eval(e).asLong(), args[1].eval(e).asLong()
	loc, err := zoneOf(args[2].eval(e))
	if err != nil {
		return e.fail("%s", err)
	}
	return OfLong(int64(calendar.MonthsBetween(earlier, later, loc)))
}

// ParseInterval reads an ISO interval of two times in UTC, or of a time and a period.
func ParseInterval(s string) (start, end int64, ok bool) {
	from, to, found := strings.Cut(s, "/")
	if !found {
		return 0, 0, false
	}
	start, ok1 := row.ParseISO(from)
	end, ok2 := row.ParseISO(to)
	switch {
	case ok1 && ok2:
	case ok1:
		p, err := calendar.ParsePeriod(to)
		if err != nil {
			return 0, 0, false
		}
		end = p.Add(start, 1, time.UTC)
	case ok2:
		p, err := calendar.ParsePeriod(from)
		if err != nil {
			return 0, 0, false
		}
		start = p.Add(end, -1, time.UTC)
	default:
		return 0, 0, false
	}
	return start, end, start <= end
}

// literalFormat gives the pattern in the second argument, nil for none or null, and the zone in the third. A pattern that is
// computed is refused in the words of its function.
func literalFormat(args []node, refusal string) (pattern *joda.Pattern, loc *time.Location, err error) {
	if len(args) > 1 {
		v, ok := isConstant(args[1])
		if !ok {
			return nil, nil, errLiteral(refusal)
		}
		if v.some {
			if pattern, err = joda.Compile(string(appendText(nil, v))); err != nil {
				return nil, nil, err
			}
		}
	}
	loc, err = literalZone(args, 2)
	return pattern, loc, err
}
