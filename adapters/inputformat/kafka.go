package inputformat

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"ogham/adapters/index"
	"ogham/domain/row"
)

// kafkaSpec is the inputFormat kafka.
type kafkaSpec struct {
	ValueFormat  json.RawMessage `json:"valueFormat"`
	KeyFormat    json.RawMessage `json:"keyFormat"`
	HeaderFormat *struct {
		Type     string `json:"type"`
		Encoding string `json:"encoding"`
	} `json:"headerFormat"`
	HeaderColumnPrefix  *string `json:"headerColumnPrefix"`
	KeyColumnName       *string `json:"keyColumnName"`
	TimestampColumnName *string `json:"timestampColumnName"`
	TopicColumnName     *string `json:"topicColumnName"`
}

// kafka adds the key, the headers, the time and the topic of a record to each row of its value. A field of the value wins
// over one of these of the same name.
type kafka struct {
	value reader
	key   reader // nil: the key is not read
	// newKey makes another parser like key.
	newKey func() (reader, error)
	// topic is the text of the last record's topic, texts what keys gave to rows that are kept.
	topic, texts []byte
	// t is the value's table.
	t *table
	// prefix is that of header columns; decode gives a header's text, nil: headers are not read.
	prefix string
	decode func([]byte) []byte
	// the columns of the key, the time and the topic
	keyColumn, timeColumn, topicColumn column
	// headers has the slots of the headers' columns that were met.
	headers map[string]int
	meta    []metaField // of the record that is being read
	name    []byte      // of a header's column
	// nullIsMissing says that the value's format does not count null fields.
	nullIsMissing bool
	forText       bool // the fields are put into the order of an event's text
}

type metaField struct {
	slot  int
	value row.Value
}

// reader is a parser of this package: its rows are in a table.
type reader interface {
	index.Parser
	output() *table
	// everything gives a parser of the same format that takes every field and never fails.
	everything() reader
}

func (t *table) output() *table { return t }

func orDefault(s *string, missing string) string {
	if s == nil {
		return missing
	}
	return *s
}

func newKafka(s kafkaSpec, c config) (*kafka, error) {
	if len(s.ValueFormat) == 0 || string(s.ValueFormat) == "null" {
		return nil, fmt.Errorf("valueFormat must not be null")
	}
	k := &kafka{prefix: orDefault(s.HeaderColumnPrefix, "kafka.header."), headers: map[string]int{}}
	inner := c
	inner.exact = true
	value, err := inner.format(s.ValueFormat)
	if err != nil {
		return nil, fmt.Errorf("valueFormat: %w", err)
	}
	k.over(value)
	k.keyColumn = k.column(orDefault(s.KeyColumnName, "kafka.key"))
	k.timeColumn = k.column(orDefault(s.TimestampColumnName, "kafka.timestamp"))
	k.topicColumn = k.column(orDefault(s.TopicColumnName, "kafka.topic"))
	if len(s.KeyFormat) > 0 && string(s.KeyFormat) != "null" {
		keys := config{formats: c.formats, discover: true, exact: true, nested: c.nested}
		k.newKey = func() (reader, error) { return keys.format(s.KeyFormat) }
		if k.key, err = k.newKey(); err != nil {
			return nil, fmt.Errorf("keyFormat: %w", err)
		}
	}
	if s.HeaderFormat != nil {
		if s.HeaderFormat.Type != "string" && s.HeaderFormat.Type != "" {
			return nil, &UnsupportedError{What: fmt.Sprintf("headerFormat type %q", s.HeaderFormat.Type)}
		}
		if k.decode, err = decoder(s.HeaderFormat.Encoding); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// over makes value the parser of the records' values.
func (k *kafka) over(value reader) {
	k.value, k.t = value, value.output()
	_, k.nullIsMissing = value.(*JSON)
}

func (k *kafka) column(name string) column { return column{name, k.t.slot([]byte(name))} }

// decoder gives the function that turns text of an encoding into UTF-8.
func decoder(encoding string) (func([]byte) []byte, error) {
	switch encoding {
	case "", "UTF-8":
		return row.JavaUTF8, nil
	case "ISO-8859-1":
		return func(b []byte) []byte { return latin(b, 0x100) }, nil
	case "US-ASCII":
		return func(b []byte) []byte { return latin(b, 0x80) }, nil
	case "UTF-16", "UTF-16BE":
		return func(b []byte) []byte { return utf16Text(b, encoding == "UTF-16", false) }, nil
	case "UTF-16LE":
		return func(b []byte) []byte { return utf16Text(b, false, true) }, nil
	}
	return nil, fmt.Errorf("headerFormat: Invalid encoding [%s], it must be one of UTF-8, ISO-8859-1, US-ASCII, UTF-16, UTF-16BE and UTF-16LE", encoding)
}

// latin decodes an encoding of single bytes; those from limit on are no characters.
func latin(b []byte, limit rune) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		r := rune(c)
		if r >= limit {
			r = utf8.RuneError
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

func utf16Text(b []byte, mark, little bool) []byte {
	if mark && len(b) >= 2 && (b[0] == 0xFE && b[1] == 0xFF || b[0] == 0xFF && b[1] == 0xFE) {
		little = b[0] == 0xFF
		b = b[2:]
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		high, low := b[2*i], b[2*i+1]
		if little {
			high, low = low, high
		}
		units[i] = uint16(high)<<8 | uint16(low)
	}
	text := string(utf16.Decode(units))
	if len(b)%2 != 0 {
		text += string(utf8.RuneError)
	}
	return []byte(text)
}

// Discovered implements index.Parser.
func (k *kafka) Discovered() []string { return k.value.Discovered() }

func (k *kafka) output() *table { return k.t }

// Parse implements index.Parser.
func (k *kafka) Parse(r *index.Record) (*row.Rows, error) {
	k.meta, k.texts = k.meta[:0], k.texts[:0]
	key, hasKey, err := k.readKey(r)
	if err != nil {
		return nil, err
	}
	rows, err := k.value.Parse(r)
	if err != nil {
		return nil, err
	}
	k.collect(r, key, hasKey)
	// Each row gets its time by itself; messages of its errors name no place in the record.
	if !rows.Apart {
		rows.Apart, rows.Lines = true, rows.Lines[:0]
	}
	for i := range rows.Broken {
		b := &rows.Broken[i]
		b.Message += row.Place{Record: b.Before + 1, Line: b.Line}.String()
	}
	rows.Placeless = true
	for i := range rows.Count {
		k.blend(rows, i)
	}
	return rows, nil
}

// Fork implements index.Forker.
func (k *kafka) Fork() (index.Keeper, bool) {
	f, ok := k.value.(index.Forker)
	if !ok || k.t.discover {
		return nil, false
	}
	keeper, ok := f.Fork()
	if !ok {
		return nil, false
	}
	value, ok := keeper.(reader)
	if !ok {
		return nil, false
	}
	out := &kafkaKeeper{kafka: *k, keeper: keeper}
	out.headers, out.meta, out.name, out.topic, out.texts = map[string]int{}, nil, nil, nil, nil
	out.over(value)
	if k.key != nil {
		key, err := k.newKey()
		if err != nil {
			return nil, false
		}
		out.key = key
	}
	rows := keeper.Kept()
	rows.Apart, rows.Placeless = true, true
	return out, true
}

// kafkaKeeper keeps the rows of several records.
type kafkaKeeper struct {
	kafka
	keeper index.Keeper // of the values
}

// Keep implements index.Keeper.
func (k *kafkaKeeper) Keep(r *index.Record) error {
	k.meta = k.meta[:0]
	key, hasKey, err := k.readKey(r)
	if err != nil {
		return err
	}
	rows := k.keeper.Kept()
	first := rows.Count
	if err := k.keeper.Keep(r); err != nil {
		return err
	}
	k.collect(r, key, hasKey)
	for i := first; i < rows.Count; i++ {
		k.blend(rows, i)
	}
	return nil
}

// Kept implements index.Keeper.
func (k *kafkaKeeper) Kept() *row.Rows { return k.keeper.Kept() }

// Forget implements index.Keeper.
func (k *kafkaKeeper) Forget() {
	k.keeper.Forget()
	k.texts = k.texts[:0]
}

// readKey gives the first field of the first row of the key. Its text stays valid while the value is read: it is of
// another parser.
func (k *kafka) readKey(r *index.Record) (v row.Value, ok bool, err error) {
	if k.key == nil || r.Key == nil {
		return v, false, nil
	}
	rows, err := k.key.Parse(&index.Record{
		Partition: r.Partition, Offset: r.Offset, TimestampMillis: r.TimestampMillis, Value: r.Key, Topic: r.Topic,
	})
	switch {
	case err != nil:
		return v, false, err
	case len(rows.Broken) > 0 && rows.Broken[0].Before == 0:
		b := rows.Broken[0]
		return v, false, &row.RecordError{Input: b.Input, Message: b.Message + row.Place{Record: 1, Line: b.Line}.String()}
	case rows.Count == 0 || len(rows.Order[0]) == 0:
		return v, false, nil
	}
	return rows.Row(0)[rows.Order[0][0]], true, nil
}

// collect puts what goes with the record's value into k.meta. Of several headers of a name the last counts; the others
// give way to a header.
func (k *kafka) collect(r *index.Record, key row.Value, hasKey bool) {
	if k.decode != nil {
		for _, h := range r.Headers {
			k.header(h)
		}
	}
	k.add(k.timeColumn.slot, row.Value{Kind: row.Long, Num: uint64(r.TimestampMillis)})
	if k.topicColumn.slot != skipped {
		if string(k.topic) != r.Topic {
			k.topic = []byte(r.Topic)
		}
		k.add(k.topicColumn.slot, row.Value{Kind: row.String, Text: k.topic})
	}
	if hasKey && k.keyColumn.slot != skipped {
		k.add(k.keyColumn.slot, k.copyKey(&k.key.output().rows, key))
	}
}

func (k *kafka) header(h index.Header) {
	k.name = append(append(k.name[:0], k.prefix...), h.Key...)
	slot, known := k.headers[string(k.name)]
	if !known {
		slot = k.t.slot(k.name)
		if len(k.headers) < maxDiscovered {
			k.headers[string(k.name)] = slot
		}
	}
	if slot == skipped {
		return
	}
	v := row.Value{Kind: row.Null}
	if h.Value != nil {
		v = row.Value{Kind: row.String, Text: k.decode(h.Value)}
	}
	for i := range k.meta {
		if k.meta[i].slot == slot {
			k.meta[i].value = v
			return
		}
	}
	k.meta = append(k.meta, metaField{slot, v})
}

func (k *kafka) add(slot int, v row.Value) {
	if slot == skipped || slices.ContainsFunc(k.meta, func(m metaField) bool { return m.slot == slot }) {
		return
	}
	k.meta = append(k.meta, metaField{slot, v})
}

// copyKey copies a value of the key with all that it holds: the key's parser reads the next one while this is kept.
func (k *kafka) copyKey(from *row.Rows, v row.Value) row.Value {
	to := &k.t.rows
	switch v.Kind {
	case row.List:
		elems := slices.Clone(from.ListOf(&v))
		for i := range elems {
			elems[i] = k.copyKey(from, elems[i])
		}
		return to.NewList(elems)
	case row.Object:
		members := slices.Clone(from.MembersOf(&v))
		for i := range members {
			members[i].Key, members[i].Value = k.copyText(members[i].Key), k.copyKey(from, members[i].Value)
		}
		return to.NewObject(members)
	}
	v.Text = k.copyText(v.Text)
	return v
}

func (k *kafka) copyText(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	first := len(k.texts)
	k.texts = append(k.texts, b...) // where it grows, earlier texts stay in what it was
	return k.texts[first:len(k.texts):len(k.texts)]
}

// blend fills the fields that row i of the value has not.
func (k *kafka) blend(rows *row.Rows, i int) {
	vals := rows.Row(i)
	for _, m := range k.meta {
		v := &vals[m.slot]
		if v.Kind == row.Missing || v.Kind == row.Null && k.nullIsMissing {
			*v = m.value
		}
	}
	if !k.t.discover {
		return
	}
	// Druid puts the value's columns into one set and the other ones to them, for a text the other way round.
	order := rows.Order[i]
	size := len(order)
	for _, m := range k.meta {
		if !slices.Contains(order[:size], int32(m.slot)) {
			order = append(order, int32(m.slot))
		}
	}
	if k.forText {
		size = len(k.meta)
	}
	hashOrder(order, func(slot int32) string { return k.t.names[slot] }, size)
	rows.Order[i] = order
}

// Event implements index.Parser.
func (k *kafka) Event(r *index.Record, i int) string { return event(k, r, i) }

func (k *kafka) everything() reader {
	all := *k
	all.over(k.value.everything())
	all.headers, all.meta, all.name, all.forText = map[string]int{}, nil, nil, true
	all.keyColumn, all.timeColumn = all.column(k.keyColumn.name), all.column(k.timeColumn.name)
	all.topicColumn = all.column(k.topicColumn.name)
	return &all
}
