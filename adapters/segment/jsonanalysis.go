package segment

import "slices"

// jsonAnalysis is what an auto column's distinct values come to: the literals
// and fields in them, and with that how the column is stored.
type jsonAnalysis struct {
	dict    *jsonDictionary
	fields  []*jsonField // by path
	objects bool
}

// jsonField is one path of a column's values.
type jsonField struct {
	path string
	fieldTypes
	values []fieldValue
}

// fieldValue says that a value, by its place in the column's dictionary, has a
// literal at the field's path.
type fieldValue struct{ value, id uint32 }

// analyzeJSON goes over the distinct values three times: for the scalars and
// types, for the arrays, which are made of scalars' ids, and for the ids. The
// dictionary of a column whose values are cast to numbers has a 0 where there
// is a null, as Druid's has.
func analyzeJSON(column string, values Dictionary, cast JSONType) (*jsonAnalysis, error) {
	a := &jsonAnalysis{dict: newJSONDictionary()}
	if values.Len() > 0 && cast&(JSONLong|JSONDouble) != 0 {
		if _, null := values.Value(0); null {
			a.dict.addScalars(&leaf{typ: cast})
		}
	}
	fields := map[string]*jsonField{}
	w := jsonWalker{emit: func(path []byte, l *leaf) {
		f := fields[string(path)]
		if f == nil {
			f = &jsonField{path: string(path)}
			fields[f.path] = f
		}
		if l.untyped {
			f.untyped = true
		} else {
			f.types |= l.typ
		}
		a.dict.addScalars(l)
	}}
	pass := func() error {
		for i := range values.Len() {
			doc, null := values.Value(i)
			if null {
				continue
			}
			n, err := parseSmile(column, doc)
			if err != nil {
				return err
			}
			w.walk(&n)
		}
		return nil
	}
	if err := pass(); err != nil {
		return nil, err
	}
	a.objects = w.objects
	a.dict.numberScalars()
	if a.hasArrays(fields) {
		w.emit = func(_ []byte, l *leaf) { a.dict.addArray(l) }
		if err := pass(); err != nil {
			return nil, err
		}
		a.dict.numberArrays()
	}
	for _, f := range fields {
		a.fields = append(a.fields, f)
	}
	slices.SortFunc(a.fields, func(x, y *jsonField) int { return compareStrings(x.path, y.path) })
	return a, a.locate(column, values, fields)
}

func (a *jsonAnalysis) hasArrays(fields map[string]*jsonField) bool {
	for _, f := range fields {
		if f.untyped || f.types&jsonArrays != 0 {
			return true
		}
	}
	return false
}

// locate notes which value has which literal in each field.
func (a *jsonAnalysis) locate(column string, values Dictionary, fields map[string]*jsonField) error {
	at := uint32(0)
	w := jsonWalker{emit: func(path []byte, l *leaf) {
		f := fields[string(path)]
		v := fieldValue{at, a.dict.id(l)}
		if n := len(f.values); n > 0 && f.values[n-1].value == at { // two keys that make one path
			f.values[n-1] = v
			return
		}
		f.values = append(f.values, v)
	}}
	for i := range values.Len() {
		doc, null := values.Value(i)
		if null {
			continue
		}
		n, err := parseSmile(column, doc)
		if err != nil {
			return err
		}
		at = uint32(i)
		w.walk(&n)
	}
	return nil
}

// jsonLayout is how a column is stored.
type jsonLayout struct {
	logical string
	// scalar is the type of a column of one scalar type; 0: see the others.
	scalar JSONType
	// variant says that the types differ; types is then their set.
	variant bool
	types   JSONType
	nested  bool
}

// layout chooses as Druid does; a cast says what the column is.
func (a *jsonAnalysis) layout(cast JSONType) jsonLayout {
	rootOnly := len(a.fields) == 1 && a.fields[0].path == jsonRoot
	root := fieldTypes{}
	if rootOnly {
		root = a.fields[0].fieldTypes
	}
	single := root.single()
	switch {
	case cast != 0:
		single, rootOnly = cast, true
	case a.objects || len(a.fields) > 0 && !rootOnly:
		return jsonLayout{logical: nestedType, nested: true}
	case len(a.fields) == 0:
		single, rootOnly = JSONString, true
	}
	switch {
	case single == 0:
		logical := root.stored().widest()
		return jsonLayout{logical: jsonTypeNames[logical], variant: true, types: root.stored()}
	case single&jsonArrays != 0:
		return jsonLayout{logical: jsonTypeNames[single]}
	}
	return jsonLayout{logical: jsonTypeNames[single], scalar: single}
}
