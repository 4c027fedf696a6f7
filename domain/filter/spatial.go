package filter

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"ogham/domain/row"
)

// area is where the points of a spatial filter lie.
type area interface {
	// contains says whether a point lies in the area. One that has too few coordinates lies in none.
	contains(point []float32) bool
}

// spatial is a filter of points, which are texts of numbers with commas between; a number is no point.
type spatial struct {
	area  area
	point []float32
}

func (*spatial) null() (matched, known bool)       { return false, false }
func (*spatial) long(int64) (matched, ok bool)     { return false, true }
func (*spatial) double(float64) (matched, ok bool) { return false, true }

func (s *spatial) text(text []byte) bool {
	s.point = s.point[:0]
	for rest, more := text, true; more; {
		var part []byte
		part, rest, more = bytes.Cut(rest, []byte{','})
		x, ok := row.ParseCoordinate(part)
		if !ok {
			return false
		}
		s.point = append(s.point, x)
	}
	return s.area.contains(s.point)
}

func parseSpatial(p *parser, m members, path string) matcher {
	var bound members
	if err := json.Unmarshal(m["bound"], &bound); err != nil || bound == nil {
		return p.fail(path+".bound", "bound must not be null")
	}
	kind, _ := bound.text("type")
	path += ".bound"
	var a area
	switch kind {
	case "rectangular":
		a = p.rectangle(bound, path)
	case "radius":
		a = p.circle(bound, path)
	case "polygon":
		a = p.polygon(bound, path)
	default:
		return p.fail(path+".type", "bound type '"+kind+"' is not known: use rectangular, radius or polygon")
	}
	if p.err != nil {
		return constant(false)
	}
	return p.dimension(m, "dimension", path[:len(path)-len(".bound")], &spatial{area: a})
}

// coordinates reads a member that is a list of numbers.
func (p *parser) coordinates(m members, member, path string) []float32 {
	var list []json.RawMessage
	if err := json.Unmarshal(m[member], &list); err != nil || list == nil {
		p.fail(path+"."+member, member+" must be a list of numbers")
		return nil
	}
	out := make([]float32, len(list))
	for i, raw := range list {
		text, err := scalarText(raw)
		x, ok := row.ParseDouble(text)
		if err != nil || !ok {
			p.fail(path+"."+member+"["+strconv.Itoa(i)+"]", "a coordinate must be a number")
			return nil
		}
		out[i] = float32(x)
	}
	return out
}

// rectangle is a box in as many dimensions as it has coordinates; others of a point do not matter.
type rectangle struct{ least, most []float32 }

func (p *parser) rectangle(m members, path string) *rectangle {
	r := &rectangle{p.coordinates(m, "minCoords", path), p.coordinates(m, "maxCoords", path)}
	if len(r.least) != len(r.most) {
		p.fail(path, "minCoords and maxCoords must have the same number of coordinates")
	}
	return r
}

func (r *rectangle) contains(point []float32) bool {
	if len(point) < len(r.least) {
		return false
	}
	for i, least := range r.least {
		if point[i] < least || point[i] > r.most[i] {
			return false
		}
	}
	return true
}

// circle is what lies around a center: by the distance of the coordinates, or over the surface of the earth where
// meters, the radius in meters, is set; the first coordinate is the latitude then.
type circle struct {
	center   []float32
	radius   float64
	meters   float64
	onSphere bool
}

// radiusUnits gives the meters of the units of a radius.
var radiusUnits = map[string]float32{"meters": 1, "kilometers": 1000, "miles": 1609.344}

func (p *parser) circle(m members, path string) *circle {
	c := &circle{center: p.coordinates(m, "coords", path)}
	text, has := m.text("radius")
	radius, ok := row.ParseDouble(text)
	if has && !ok {
		p.fail(path+".radius", "radius must be a number")
	}
	c.radius = float64(float32(radius))
	unit, has := m.text("radiusUnit")
	if has && unit != "euclidean" {
		factor, ok := radiusUnits[unit]
		if !ok {
			p.fail(path+".radiusUnit", "radiusUnit '"+unit+"' is not known: use euclidean, meters, kilometers or miles")
		}
		c.meters, c.onSphere = float64(float32(radius)*factor), true
	}
	return c
}

func (c *circle) contains(point []float32) bool {
	if len(point) < 2 || len(c.center) < 2 || len(point) < len(c.center) && !c.onSphere {
		return false
	}
	if c.onSphere {
		return distance(c.center, point) <= c.meters
	}
	total := 0.0
	for i, x := range c.center {
		d := float64(point[i] - x)
		total += d * d
	}
	return total <= c.radius*c.radius
}

// distance is the length in meters of the way between two points on a sphere as large as the earth.
func distance(a, b []float32) float64 {
	const earth = 6371000
	radians := func(degrees float32) float64 { return float64(degrees) * (math.Pi / 180) }
	lat, otherLat := radians(a[0]), radians(b[0])
	sinLat := math.Sin((otherLat - lat) / 2)
	sinLon := math.Sin((radians(b[1]) - radians(a[1])) / 2)
	h := sinLat*sinLat + math.Cos(lat)*math.Cos(otherLat)*sinLon*sinLon
	return earth * 2 * math.Atan2(math.Sqrt(h), math.Sqrt(1-h))
}

// polygon is an area of the plane within its corners, its edges included.
type polygon struct{ xs, ys []float32 }

func (p *parser) polygon(m members, path string) *polygon {
	o := &polygon{p.coordinates(m, "abscissa", path), p.coordinates(m, "ordinate", path)}
	if len(o.xs) != len(o.ys) || len(o.xs) < 3 {
		p.fail(path, "abscissa and ordinate must have the same number of coordinates, 3 or more")
	}
	return o
}

// contains counts the edges that lie to the left of the point: inside of the polygon their number is odd. As in Druid, an
// edge counts at both of its ends.
func (o *polygon) contains(point []float32) bool {
	if len(point) < 2 {
		return false
	}
	x, y := point[0], point[1]
	inside := false
	j := len(o.xs) - 1
	for i := range o.xs {
		switch at, ok := o.crossing(i, j, x, y); {
		case o.onCorner(i, x, y) || o.onLevelEdge(i, j, x, y) || ok && at == x:
			return true
		case ok && at < x:
			inside = !inside
		}
		j = i
	}
	return inside
}

func (o *polygon) onCorner(i int, x, y float32) bool { return o.xs[i] == x && o.ys[i] == y }

func (o *polygon) onLevelEdge(i, j int, x, y float32) bool {
	return o.ys[i] == o.ys[j] && o.ys[j] == y && between(o.xs[i], o.xs[j], x)
}

// crossing gives where the edge between two corners is as high as the point, if one of its ends is not to the right of
// the point. All is computed in single precision.
func (o *polygon) crossing(i, j int, x, y float32) (at float32, ok bool) {
	if !between(o.ys[i], o.ys[j], y) || o.xs[j] > x && o.xs[i] > x {
		return 0, false
	}
	share := float32((y - o.ys[i]) / (o.ys[j] - o.ys[i]))
	return o.xs[i] + float32(share*(o.xs[j]-o.xs[i])), true
}

func between(a, b, x float32) bool {
	return min(a, b) <= x && x <= max(a, b)
}
