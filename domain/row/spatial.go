package row

import "bytes"

// Spatial gives the value of one spatial dimension: its coordinates joined by commas, as Druid's
// SpatialDimensionRowTransformer does it. It is for one goroutine.
type Spatial struct {
	slot  int
	parts []int
	text  []byte // of the row at hand
}

// Spatials gives one Spatial for each spatial dimension, none where the schema has none.
func (s *Schema) Spatials() []Spatial {
	var out []Spatial
	var slots map[string]int
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		if !d.Spatial {
			continue
		}
		if slots == nil {
			slots = map[string]int{}
			for at, name := range s.Fields() {
				slots[name] = at
			}
		}
		x := Spatial{slot: slots[d.Name]}
		for _, name := range d.Coordinates {
			x.parts = append(x.parts, slots[name])
		}
		out = append(out, x)
	}
	return out
}

// Join puts the dimension's value in its place among a row's values. A row that has the dimension itself keeps it if it
// is one text of numbers with commas between; else the coordinates are joined in their order, each as its text. What is
// no number makes the value null. The text is valid until the next call.
func (s *Spatial) Join(r *Rows, vals []Value) {
	v := &vals[s.slot]
	if own := r.single(v); own == nil || own.Kind > Null {
		if own == nil || !r.coordinates(&s.text, own) {
			*v = Value{Kind: Null}
			return
		}
		*v = Value{Kind: String, Text: s.text}
		return
	}
	s.text = s.text[:0]
	count := 0
	for _, at := range s.parts {
		elems := vals[at : at+1]
		if elems[0].Kind == List {
			elems = r.ListOf(&elems[0])
		}
		from, before := len(s.text), count
		for i := range elems {
			if count > 0 {
				s.text = append(s.text, ',')
			}
			start := len(s.text)
			s.text = r.AppendText(s.text, &elems[i])
			if elems[i].Kind <= Null || !isFloat(s.text[start:]) {
				s.text, count = s.text[:from], before
				break
			}
			count++
		}
	}
	if count == 0 || count != len(s.parts) {
		*v = Value{Kind: Null}
		return
	}
	*v = Value{Kind: String, Text: s.text}
}

// null is what stands for an empty list.
var null = Value{Kind: Null}

// single gives a value, or the element of a list of one; an empty list is null, of several there is none.
func (r *Rows) single(v *Value) *Value {
	if v.Kind != List {
		return v
	}
	switch elems := r.ListOf(v); len(elems) {
	case 0:
		return &null
	case 1:
		if elems[0].Kind == Null {
			return nil // it is there, and no number
		}
		return &elems[0]
	}
	return nil
}

// coordinates puts the text of a value into dst and says whether it is numbers with commas between.
func (r *Rows) coordinates(dst *[]byte, v *Value) bool {
	*dst = r.AppendText((*dst)[:0], v)
	for rest, more := *dst, true; more; {
		var part []byte
		if part, rest, more = bytes.Cut(rest, []byte{','}); !isFloat(part) {
			return false
		}
	}
	return true
}

// isFloat says whether a text is a coordinate.
func isFloat(text []byte) bool {
	_, ok := ParseCoordinate(text)
	return ok
}

// ParseCoordinate reads a coordinate as Java's Float.parseFloat does: spaces and control characters around it do not
// count.
func ParseCoordinate(text []byte) (x float32, ok bool) {
	text = bytes.TrimFunc(text, func(c rune) bool { return c <= ' ' })
	f, ok := parseJavaFloat(string(text), 32)
	return float32(f), ok
}
