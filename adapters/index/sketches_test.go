package index

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math"
	"testing"

	"pgregory.net/rapid"

	"ogham/domain/row"
)

// What Druid 33's own aggregators made of the texts value-0, value-1 and so on: their number, the sketch's name, the length
// and checksum of the stored bytes, and the estimate.
var recordedSketches = []struct {
	values   int
	sketch   string
	stored   string
	estimate float64
}{
	{1, "h4", "12:d88eea77", 1.0},
	{1, "h6", "12:5e14353d", 1.0},
	{1, "h8", "12:5dc19b78", 1.0},
	{1, "t", "16:89d9b4ea", 1.0},
	{1, "t16", "16:89d9b4ea", 1.0},
	{5, "h4", "28:482f11d9", 5.000000049670538},
	{5, "h6", "28:310d79c4", 5.000000049670538},
	{5, "h8", "28:243da1b8", 5.000000049670538},
	{5, "t", "56:6364228a", 5.0},
	{5, "t16", "56:6364228a", 5.0},
	{7, "h4", "36:264d8feb", 7.000000104308129},
	{7, "h6", "36:c70c8f10", 7.000000104308129},
	{7, "h8", "36:1e4f031c", 7.000000104308129},
	{7, "t", "72:4d215823", 7.0},
	{7, "t16", "72:4d215823", 7.0},
	{8, "h4", "44:34b2a490", 8.000000139077509},
	{8, "h6", "44:47039b2a", 8.000000139077509},
	{8, "h8", "168:1a7e9490", 8.000000139077509},
	{8, "t", "80:4ea89b0e", 8.0},
	{8, "t16", "80:4ea89b0e", 8.0},
	{20, "h4", "92:129a9bc9", 20.00000094374026},
	{20, "h6", "92:bf6582bc", 20.00000094374026},
	{20, "h8", "168:30398826", 18.698714262136487},
	{20, "t", "176:edf30c24", 20.0},
	{20, "t16", "152:f476db55", 18.785822256097298},
	{100, "h4", "412:9711b12c", 100.00002458692298},
	{100, "h6", "809:6d72fbb3", 100.18631564752138},
	{100, "h8", "168:0f4ceb7f", 100.58082418229004},
	{100, "t", "816:075d154b", 100.0},
	{100, "t16", "152:245600a9", 138.79130309115374},
	{384, "h4", "1548:8519b4d7", 384.0003652576619},
	{384, "h6", "809:839ae94c", 382.0452795509362},
	{384, "h8", "168:600aa24c", 386.04866004227387},
	{384, "t", "3088:a963bb98", 384.0},
	{384, "t16", "152:d3aff540", 407.1431190594398},
	{385, "h4", "2088:7d5dd2ea", 385.00036716501364},
	{385, "h6", "809:b9ddd674", 383.3101221295564},
	{385, "h8", "168:600aa24c", 386.04866004227387},
	{385, "t", "3096:228fd9c2", 385.0},
	{385, "t16", "152:d3aff540", 407.1431190594398},
	{1000, "h4", "2088:b0b1ca75", 993.5139290336028},
	{1000, "h6", "809:cd36d92b", 991.1593450075301},
	{1000, "h8", "168:ec5bdd58", 1025.8849405387696},
	{1000, "t", "8016:920cddc5", 1000.0},
	{1000, "t16", "152:05485283", 985.473663377598},
	{5000, "h4", "2088:4c9f2fb0", 5055.428589443376},
	{5000, "h6", "809:10284043", 5070.5725267555645},
	{5000, "h8", "168:b1c2703a", 4944.912840677801},
	{5000, "t", "40016:84606451", 5000.0},
	{5000, "t16", "152:645671d3", 4782.927707839844},
	{50000, "h4", "2104:a156af4f", 48632.12800626767},
	{50000, "h6", "809:aef6f151", 48640.43675542376},
	{50000, "h8", "168:f4883de7", 48680.45203438892},
	{50000, "t", "131096:b01ac9c6", 49965.64568244727},
	{50000, "t16", "152:af2e4546", 82296.31337958793},
	{200000, "h4", "2092:c280b41a", 196446.99071372647},
	{200000, "h6", "809:6d354c85", 186235.80340389514},
	{200000, "h8", "168:ea4d21e7", 200325.13826926026},
	{200000, "t", "131096:807b7539", 201636.70228079634},
	{200000, "t16", "152:86d1bb07", 209193.38049792525},
}

// What Druid's merger made of two segments of a row each: of which values to which, then as above. Where no bytes are named,
// Druid adds coupons to registers in an order that is an accident of its tables, on which the last digits depend.
var recordedMerges = []struct {
	a, b, c, d int
	sketch     string
	stored     string
	estimate   float64
}{
	{0, 3, 3, 6, "h4", "32:2873194d", 6.000000074505807},
	{0, 3, 3, 6, "h6", "32:42af832f", 6.000000074505807},
	{0, 3, 3, 6, "h8", "32:e001014f", 6.000000074505807},
	{0, 3, 3, 6, "t", "64:907a2fa6", 6.0},
	{0, 3, 3, 6, "t16", "64:907a2fa6", 6.0},
	{0, 5, 3, 20, "h4", "92:93376d79", 20.00000094374026},
	{0, 5, 3, 20, "h6", "92:3ec8740c", 20.00000094374026},
	{0, 5, 3, 20, "h8", "168:53592568", 18.692510209471884},
	{0, 5, 3, 20, "t", "176:edf30c24", 20.0},
	{0, 5, 3, 20, "t16", "152:f476db55", 18.785822256097298},
	{0, 100, 50, 5000, "h4", "", 5050.433805107684},
	{0, 100, 50, 5000, "h6", "809:3f76ddb5", 5000.887301841821},
	{0, 100, 50, 5000, "h8", "168:78678ffc", 4693.3099941958935},
	{0, 100, 50, 5000, "t", "40016:84606451", 5000.0},
	{0, 100, 50, 5000, "t16", "152:645671d3", 4782.927707839844},
	{0, 5000, 4000, 4100, "h4", "2088:4c9f2fb0", 5055.428589443376},
	{0, 5000, 4000, 4100, "h6", "809:3f76ddb5", 5000.887301841821},
	{0, 5000, 4000, 4100, "h8", "168:78678ffc", 4693.3099941958935},
	{0, 5000, 4000, 4100, "t", "40016:84606451", 5000.0},
	{0, 5000, 4000, 4100, "t16", "152:645671d3", 4782.927707839844},
	{0, 5000, 3000, 9000, "h4", "2092:04fb54b7", 9114.995726607985},
	{0, 5000, 3000, 9000, "h6", "809:4af28e4c", 8940.314907098884},
	{0, 5000, 3000, 9000, "h8", "168:f62ecbfc", 8649.666187974182},
	{0, 5000, 3000, 9000, "t", "72016:ca38ebf2", 9000.0},
	{0, 5000, 3000, 9000, "t16", "152:80fbb5a5", 10536.401644516784},
	{0, 300, 200, 500, "h4", "2088:692417b0", 498.7306808904759},
	{0, 300, 200, 500, "h6", "809:41d12224", 495.47464817045966},
	{0, 300, 200, 500, "h8", "168:1774f18b", 515.1719452385257},
	{0, 300, 200, 500, "t", "4016:f268eaa8", 500.0},
	{0, 300, 200, 500, "t16", "152:a7d787e6", 457.81920373817087},
	{0, 50000, 40000, 90000, "h4", "2100:6f3db2b7", 86538.02304864896},
	{0, 50000, 40000, 90000, "h6", "809:02f012e1", 85578.27244577568},
	{0, 50000, 40000, 90000, "h8", "168:675b5f53", 90866.52399789725},
	{0, 50000, 40000, 90000, "t", "131096:bb6acda3", 89760.33863851198},
	{0, 50000, 40000, 90000, "t16", "152:58e8fdf7", 133075.1800323664},
}

var testSketches = map[string]row.Metric{
	"h4":  {Agg: row.AggHLLSketchBuild, Sketch: row.Sketch{LgK: 12, Target: "HLL_4"}},
	"h6":  {Agg: row.AggHLLSketchBuild, Sketch: row.Sketch{LgK: 10, Target: "HLL_6"}},
	"h8":  {Agg: row.AggHLLSketchBuild, Sketch: row.Sketch{LgK: 7, Target: "HLL_8", UTF8: true}},
	"t":   {Agg: row.AggThetaSketch, Sketch: row.Sketch{Size: 16384}},
	"t16": {Agg: row.AggThetaSketch, Sketch: row.Sketch{Size: 16}},
}

// sketchMemory is an index of a single sketch's column.
func sketchMemory(x row.Metric) *memory {
	x.Name, x.FieldName = "x", "v"
	return newMemory(newPlan(row.Schema{Timestamp: row.Timestamp{Column: "t"}, Metrics: []row.Metric{x}}, nil), nil)
}

// addTo adds a value to the sketch of a row.
func addTo(m *memory, fresh bool, rows *row.Rows, v row.Value) string {
	if fresh {
		m.insert(0)
	}
	vals := []row.Value{{}, v}
	return m.addComplex(&m.metrics[0], 1, m.rows-1, fresh, rows, vals)
}

// sketchOfTexts is the state of a sketch of the values from to to.
func sketchOfTexts(x row.Metric, from, to int) []byte {
	m := sketchMemory(x)
	addTo(m, true, &row.Rows{}, row.Value{Kind: row.Null})
	var text []byte
	for i := from; i < to; i++ {
		text = fmt.Appendf(text[:0], "value-%d", i)
		addTo(m, false, &row.Rows{}, row.Value{Kind: row.String, Text: text})
	}
	return append([]byte(nil), m.metrics[0].blobs.get(0)...)
}

// storedSketch gives the bytes that a segment has for a sketch.
func storedSketch(t testing.TB, x row.Metric, state []byte) []byte {
	t.Helper()
	if x.Agg == row.AggThetaSketch {
		return storeTheta(nil, state, x.Sketch.Size)
	}
	b, err := storeHLL(nil, state, x.Sketch.Target)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func estimate(x row.Metric, state []byte) float64 {
	if x.Agg != row.AggThetaSketch {
		return hllEstimate(state)
	}
	hashes, theta := thetaHashes(nil, state, x.Sketch.Size)
	return float64(len(hashes)) / (float64(theta) / float64(math.MaxInt64))
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

func TestDatasketchesAreDruids(t *testing.T) {
	for _, c := range recordedSketches {
		x := testSketches[c.sketch]
		state := sketchOfTexts(x, 0, c.values)
		b := storedSketch(t, x, state)
		if got := fmt.Sprintf("%d:%08x", len(b), crc32.ChecksumIEEE(b)); got != c.stored || !near(estimate(x, state), c.estimate) {
			t.Errorf("sketch %s of %d values: %s, estimate %v (%x), want %s, estimate %v", c.sketch, c.values, got,
				estimate(x, state), b[:min(len(b), 48)], c.stored, c.estimate)
		}
	}
}

func TestMergedDatasketchesAreDruids(t *testing.T) {
	for _, c := range recordedMerges {
		x := testSketches[c.sketch]
		state := combineSketches(&metricPlan{Metric: x}, sketchOfTexts(x, c.a, c.b), sketchOfTexts(x, c.c, c.d))
		b := storedSketch(t, x, state)
		got := fmt.Sprintf("%d:%08x", len(b), crc32.ChecksumIEEE(b))
		if c.stored == "" && math.Abs(estimate(x, state)/c.estimate-1) < 1e-5 {
			continue
		}
		if got != c.stored || !near(estimate(x, state), c.estimate) {
			t.Errorf("sketch %s of values %d to %d and %d to %d: %s, estimate %v (%x), want %s, estimate %v", c.sketch, c.a, c.b,
				c.c, c.d, got, estimate(x, state), b[:min(len(b), 48)], c.stored, c.estimate)
		}
	}
}

// TestSketchedValuesAreDruids compares with what Druid's aggregators made of one value each.
func TestSketchedValuesAreDruids(t *testing.T) {
	rows := &row.Rows{}
	text := func(s string) row.Value { return row.Value{Kind: row.String, Text: []byte(s)} }
	long := func(n int) row.Value { return row.Value{Kind: row.Long, Num: uint64(n)} }
	double := func(f float64) row.Value { return row.Value{Kind: row.Double, Num: math.Float64bits(f)} }
	list := rows.NewList([]row.Value{text("a"), {Kind: row.Null}, long(3), double(2.5), {Kind: row.Bool, Num: 1}, rows.NewList([]row.Value{text("x"), long(1)})})
	for _, c := range []struct {
		value      row.Value
		h4, h8, th string
	}{
		{long(5), "0201070c030801007b65e608", "02010707030801087b65e608", "01030300003acc93bd3273724691cc14"},
		{double(5), "0201070c03080100e2303e0c", "0201070703080108e2303e0c", "01030300003acc9371181f9acd627738"},
		{double(0), "0201070c03080100cbd7c204", "0201070703080108cbd7c204", "01030300003acc93e56b61eec8804420"},
		{double(math.Copysign(0, -1)), "0201070c03080100cbd7c204", "0201070703080108cbd7c204", "01030300003acc93e56b61eec8804420"},
		{double(math.NaN()), "0201070c03080100eb31bd18", "0201070703080108eb31bd18", "01030300003acc93f5985ed64444880a"},
		{text(""), "", "", ""},
		{row.Value{Kind: row.Null}, "", "", ""},
		{text("5"), "0201070c030801003910aa08", "0201070703080108aed62a0f", "01030300003acc93576b95d52278ad7c"},
		{text("é€𝄞"), "0201070c03080100a2f9c904", "02010707030801083a6ca808", "01030300003acc931d3654f254efba0d"},
		{
			list, "0201070c03080500e152ff0fd890c506c2c4c3057d51b21061a4da0e", "02010707030805082f823b045249f507b23e980942cfff10be45e60d",
			"02030300001acc93050000000000803fdf22f3ea10e3a90aa9a4fac7413eb50f591fccfee554c415a1e77fac5ed7023c17c11d528507017b",
		},
	} {
		for name, want := range map[string]string{"h4": c.h4, "h8": c.h8, "t": c.th} {
			x := testSketches[name]
			m := sketchMemory(x)
			if detail := addTo(m, true, rows, c.value); detail != "" {
				t.Errorf("sketch %s of %+v: %s", name, c.value, detail)
			}
			if got := hex.EncodeToString(storedSketch(t, x, m.metrics[0].blobs.get(0))); got != want {
				t.Errorf("sketch %s of %+v: %s, want %s", name, c.value, got, want)
			}
		}
	}
	m := sketchMemory(testSketches["t"])
	if got := addTo(m, true, rows, row.Value{Kind: row.Bool, Num: 1}); got != "Unknown type[class java.lang.Boolean] for field[v]" {
		t.Errorf("a boolean: %q", got)
	}
}

// given is the aggregator that takes sketches such as another makes.
func given(x row.Metric) row.Metric {
	if x.Agg == row.AggHLLSketchBuild {
		x.Agg = row.AggHLLSketchMerge
	}
	x.Sketch.Given = true
	return x
}

func TestGivenSketchesAreMerged(t *testing.T) {
	for name, x := range testSketches {
		for _, n := range []int{1, 7, 8, 100, 1000, 60000} {
			first, second := sketchOfTexts(x, 0, n), sketchOfTexts(x, n/2, 2*n)
			m := sketchMemory(given(x))
			for i, state := range [][]byte{nil, first, second} {
				v := row.Value{Kind: row.String, Text: []byte(base64.StdEncoding.EncodeToString(storedSketch(t, x, state)))}
				if state == nil {
					v = row.Value{Kind: row.Null}
				}
				if detail := addTo(m, i == 0, &row.Rows{}, v); detail != "" {
					t.Fatalf("sketch %s of %d values: %s", name, n, detail)
				}
			}
			want := combineSketches(&metricPlan{Metric: x}, first, second)
			if got := m.metrics[0].blobs.get(0); !sameSketch(x, got, want) {
				t.Errorf("sketch %s of %d values merged: estimate %v, want %v", name, n, estimate(x, got), estimate(x, want))
			}
		}
	}
}

// sameSketch says whether two sketches hold the same. HLL sketches with registers of rows in order also keep an estimate
// that follows from that order, which is left out.
func sameSketch(x row.Metric, a, b []byte) bool {
	if x.Agg == row.AggThetaSketch {
		return bytes.Equal(storeTheta(nil, a, x.Sketch.Size), storeTheta(nil, b, x.Sketch.Size))
	}
	if len(a) == 0 || len(b) == 0 || a[0] != b[0] {
		return len(a) == len(b)
	}
	set := func(s []byte) map[uint32]bool {
		out := map[uint32]bool{}
		eachCoupon(s, func(c uint32) { out[c] = true })
		return out
	}
	p, q := set(a), set(b)
	for c := range p {
		if !q[c] {
			return false
		}
	}
	return len(p) == len(q) && (a[0] != hllDense || bytes.Equal(a[16:36], b[16:36]))
}

func TestSketchesOfFewerRegistersSetTheNumber(t *testing.T) {
	small, large := testSketches["h6"], testSketches["h4"]
	for _, order := range []bool{false, true} {
		a, b := sketchOfTexts(large, 0, 3000), sketchOfTexts(small, 2000, 5000)
		if order {
			a, b = b, a
		}
		got := combineSketches(&metricPlan{Metric: large}, a, b)
		if want := combineSketches(&metricPlan{Metric: small}, sketchOfTexts(small, 0, 3000), sketchOfTexts(small, 2000, 5000)); !sameSketch(small, got, want) {
			t.Errorf("sketches of 2^12 and 2^10 registers: estimate %v, want %v", hllEstimate(got), hllEstimate(want))
		}
	}
	if got := mustMerge(t, nil, storedSketch(t, large, sketchOfTexts(large, 0, 3000)), 10); !sameSketch(small, got, sketchOfTexts(small, 0, 3000)) {
		t.Errorf("a sketch of 2^12 registers in one of 2^10: estimate %v", hllEstimate(got))
	}
}

func mustMerge(t *testing.T, s, b []byte, lgK int) []byte {
	t.Helper()
	out, err := mergeHLL(&room{}, s, b, lgK)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSketchesDoNotDependOnTheSplit adds values to one sketch, and cut into parts to several that are combined.
func TestSketchesDoNotDependOnTheSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"h4", "h6", "h8", "t", "t16"}).Draw(t, "sketch")
		x := testSketches[name]
		n := rapid.SampledFrom([]int{0, 1, 8, 30, 300, 1500, 30000}).Draw(t, "values")
		cuts := rapid.IntRange(1, 5).Draw(t, "parts")
		overlap := rapid.IntRange(0, n/2+1).Draw(t, "overlap")
		var parts []byte
		for i := range cuts {
			from := max(0, n*i/cuts-overlap)
			parts = combineSketches(&metricPlan{Metric: x}, parts, sketchOfTexts(x, from, n*(i+1)/cuts))
		}
		if whole := sketchOfTexts(x, 0, n); !sameSketch(x, parts, whole) {
			t.Fatalf("sketch %s of %d values in %d parts: estimate %v, in one %v", name, n, cuts, estimate(x, parts), estimate(x, whole))
		}
	})
}

func TestSketchingAllocatesNothing(t *testing.T) {
	for name, x := range testSketches {
		m := sketchMemory(x)
		v := row.Value{Kind: row.String, Text: []byte("value-00000")}
		addTo(m, true, &row.Rows{}, v)
		n := 0
		add := func() {
			n++
			copy(v.Text[6:], fmt.Sprintf("%05d", n%700))
			vals := [2]row.Value{{}, v}
			m.addComplex(&m.metrics[0], 1, 0, false, &row.Rows{}, vals[:])
		}
		for range 1000 {
			add()
		}
		without := testing.AllocsPerRun(100, func() { _ = fmt.Sprintf("%05d", n%700) })
		if got := testing.AllocsPerRun(1000, add); got > without+1 { // the digits, and the rows
			t.Errorf("sketch %s: %v allocations a value", name, got-without-1)
		}
	}
}

// FuzzGivenSketches has damaged sketches be an error and no panic.
func FuzzGivenSketches(f *testing.F) {
	for name, x := range testSketches {
		for _, n := range []int{1, 8, 400} {
			b := sketchOfTexts(x, 0, n)
			var out []byte
			if x.Agg == row.AggThetaSketch {
				out = storeTheta(nil, b, x.Sketch.Size)
			} else {
				out, _ = storeHLL(nil, b, x.Sketch.Target)
			}
			f.Add(out, name[0] == 't')
		}
	}
	update := make([]byte, thetaStart+8<<5)
	copy(update, []byte{3, 3, 2, 12, 5, 0, 0xcc, 0x93, 1, 0, 0, 0, 0, 0, 0x80, 0x3f, 255, 255, 255, 255, 255, 255, 255, 127, 7})
	f.Add(update, true)
	f.Fuzz(func(t *testing.T, b []byte, isTheta bool) {
		if isTheta {
			s, err := mergeTheta(&room{}, nil, b, 1024)
			out := storeTheta(nil, s, 1024)
			if err != nil || len(out) == 0 { // a sketch that saw nothing is stored as no bytes, which are no sketch
				return
			}
			again, err := mergeTheta(&room{}, nil, out, 1024)
			if err != nil || !bytes.Equal(storeTheta(nil, again, 1024), out) {
				t.Fatalf("%x is not read back: %v", b, err)
			}
			return
		}
		s, err := mergeHLL(&room{}, nil, b, 12)
		if err != nil {
			return
		}
		for target := range hllTargets {
			out, err := storeHLL(nil, s, target)
			if err != nil {
				t.Fatalf("%x in %s: %v", b, target, err)
			}
			if len(out) > 0 {
				if _, err := mergeHLL(&room{}, nil, out, 12); err != nil {
					t.Fatalf("%x in %s is not read back: %v", b, target, err)
				}
			}
		}
	})
}
