package spec

import "fmt"

// The classes that Druid's error texts name.
const (
	classSpec      = "org.apache.druid.indexing.kafka.supervisor.KafkaSupervisorSpec"
	classBase      = "org.apache.druid.indexing.overlord.supervisor.SupervisorSpec"
	classIngestion = "org.apache.druid.indexing.kafka.supervisor.KafkaSupervisorIngestionSpec"
	classIO        = "org.apache.druid.indexing.kafka.supervisor.KafkaSupervisorIOConfig"
	classTuning    = "org.apache.druid.indexing.kafka.supervisor.KafkaSupervisorTuningConfig"
	classSchema    = "org.apache.druid.segment.indexing.DataSchema"
	classMap       = "java.util.LinkedHashMap"
)

// typeKafka is the only type of supervisor there is here.
const typeKafka = "kafka"

// supervisorTypes are the types that Druid 33 knows with the Kafka extension loaded.
var supervisorTypes = []string{"NoopSupervisorSpec", "autocompact", typeKafka, "scheduled_batch"}

// Parse reads a supervisor spec as it is posted, or as it was written by Canonical. The error is an *InvalidError with
// every problem found. What is valid but cannot be carried out yet is told by Unsupported, not here.
func Parse(body []byte) (*Supervisor, error) {
	s := &scan{}
	root := s.open(body, "The request body must be a supervisor spec, it was empty or null", "supervisor", classBase, supervisorTypes)
	if root == nil {
		return nil, s.err()
	}
	out := &Supervisor{Type: typeKafka}
	readSupervisor(newReader(s, root, "$", classSpec, ""), out)
	if root.tooDeep {
		message := fmt.Sprintf("Document nesting depth (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNestingDepth()`)",
			maxDepth+1, maxDepth)
		s.add("$", message, message)
	}
	if err := s.problemsOf(out); err != nil {
		return nil, err
	}
	out.warnings = s.warnings
	return out, nil
}

// open reads a body that is to be a document of type kafka. It answers nil where that is none, and notes why: empty is
// what to say of a body without anything in it, what the thing whose types Druid knows under class.
func (s *scan) open(body []byte, empty, what, class string, types []string) *node {
	root, err := parseTree(body)
	switch {
	case err != nil:
		s.add("$", err.Error(), err.Error())
		return nil
	case root == nil || root.kind == kindNull:
		s.add("$", empty, empty)
		return nil
	}
	id, ok := s.typeID(root, "$", class, "", types)
	if ok && id != typeKafka {
		message := fmt.Sprintf("%s type '%s' is not supported, only '%s' is", what, id, typeKafka)
		s.add("$.type", message, message)
		ok = false
	}
	if !ok {
		return nil
	}
	return root
}

// problemsOf is nil, or everything that keeps a spec from being taken.
func (s *scan) problemsOf(sp *Supervisor) error {
	if len(s.problems) == 0 {
		return nil
	}
	e := s.invalid()
	sp.besides(e)
	return e
}

func readSupervisor(top *reader, out *Supervisor) {
	top.ignore("type", "id")
	parts := top
	if n := top.get("spec"); n != nil {
		// With both forms the nested one counts: Canonical writes the others as copies.
		top.ignore("dataSchema", "ioConfig", "tuningConfig")
		if parts = top.child("spec", classIngestion); parts == nil {
			return
		}
	}
	out.at = parts.path
	readSchema(required(top, parts, "dataSchema", classSchema), out)
	readIO(required(top, parts, "ioConfig", classIO), out)
	readTuning(parts, out)
	if parts != top {
		parts.done()
	}
	readContext(top, out)
	out.Suspended = top.boolOr("suspended", false)
	top.done()
}

// required is a part of the spec that must be there; Druid's constructor of the whole spec complains of its absence.
func required(top, parts *reader, name, class string) *reader {
	if n := parts.get(name); n == nil {
		message := name
		top.scan.add(parts.at(name), message+" is required", "Cannot construct instance of `"+classSpec+"`, problem: "+message)
		return nil
	}
	return parts.child(name, class)
}

func readContext(top *reader, out *Supervisor) {
	out.contextTree = null
	n := top.get("context")
	if n == nil {
		return
	}
	switch n.kind {
	case kindObject:
		out.contextTree = n
		out.Context = n.encode()
	case kindArray, kindNumber:
		top.scan.wrongKind(n, top.at("context"), classMap+"<java.lang.String,java.lang.Object>")
	default:
		top.scan.notAnObject(n, top.at("context"), classMap)
	}
}
