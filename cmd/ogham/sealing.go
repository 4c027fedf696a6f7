package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"ogham/adapters/inputformat"
	"ogham/adapters/kafka"
	"ogham/adapters/secrets"
	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/eventstore"
	"ogham/overlord"
)

// secretKeyFile is in the data folder. Nodes that share a log share the key: by OGHAM_SECRET_KEY, or a copy of the file.
const secretKeyFile = "secret.key"

// openSealer takes the key from the environment, or from the data folder. Where there is none a key is made, unless the log
// has values that were sealed with another: that one is lost, or was never copied to this node.
func (a *app) openSealer(ctx context.Context, store *eventstore.Store) (*secrets.Sealer, error) {
	if a.cfg.secretKey != "" {
		s, err := secrets.New(a.cfg.secretKey)
		if err != nil {
			return nil, fmt.Errorf("OGHAM_SECRET_KEY: %w", err)
		}
		return s, nil
	}
	path := filepath.Join(a.cfg.dataDir, secretKeyFile)
	s, err := secrets.FromFile(path)
	if !errors.Is(err, secrets.ErrNoKey) {
		return s, err
	}
	if store.Damage() != nil { // nothing is sealed nor opened until the log is whole
		return secrets.Passing()
	}
	sealed, err := sealedSupervisors(ctx, store)
	if err != nil {
		return nil, fmt.Errorf("look for sealed secrets: %w", err)
	}
	if len(sealed) > 0 {
		return nil, &lostKeyError{path: path, supervisors: sealed}
	}
	if s, err = secrets.Create(path); err != nil {
		return nil, err
	}
	if a.cfg.nats != "" {
		a.log.Warn("a key for secrets was made: copy it to every node of this log, or set OGHAM_SECRET_KEY on all of them", "file", path, "key", s.ID())
	}
	return s, nil
}

// lostKeyError keeps a server from starting: with a new key, the supervisors would fail one by one.
type lostKeyError struct {
	path        string
	supervisors map[string][]string // the ids of the keys by supervisor
}

func (e *lostKeyError) Error() string {
	ids, keys := slices.Sorted(maps.Keys(e.supervisors)), map[string]bool{}
	for _, sealedWith := range e.supervisors {
		for _, key := range sealedWith {
			keys[key] = true
		}
	}
	const shown = 10
	more := ""
	if len(ids) > shown {
		more = fmt.Sprintf(" and %d more", len(ids)-shown)
		ids = ids[:shown]
	}
	return fmt.Sprintf("%s does not exist, and the log has secrets that were sealed with key %s, of the supervisors %s%s: "+
		"put the file back, or set OGHAM_SECRET_KEY; if the key is lost for good, write 32 random bytes in hexadecimal digits "+
		"into the file, start, and post these supervisors again with their secrets",
		e.path, strings.Join(slices.Sorted(maps.Keys(keys)), ", "), strings.Join(ids, ", "), more)
}

// sealedSupervisors tells with which keys the specs are sealed that supervisors run by now.
func sealedSupervisors(ctx context.Context, store *eventstore.Store) (map[string][]string, error) {
	sealed := map[string][]string{}
	err := store.Replay(ctx, eventstore.Query{Kind: eventstore.KindSupervisor}, func(e eventstore.Event) error {
		recorded, err := eventstore.Decode(e)
		if err != nil {
			return err
		}
		if _, ended := recorded.Event.(*supervisor.SupervisorTerminated); ended {
			delete(sealed, e.SupervisorID)
			return nil
		}
		var data struct{ Spec json.RawMessage }
		if err := json.Unmarshal(e.Data, &data); err != nil || len(data.Spec) == 0 {
			return err
		}
		if keys := secrets.SealedWith(data.Spec); len(keys) > 0 {
			sealed[e.SupervisorID] = keys
		} else {
			delete(sealed, e.SupervisorID)
		}
		return nil
	})
	return sealed, err
}

// sealing is the overlord behind a door where secrets are sealed: nothing behind it ever sees one in clear.
type sealing struct {
	*overlord.Service
	sealer  *secrets.Sealer
	formats *inputformat.Formats
}

// Submit implements httpapi.Overlord.
func (s *sealing) Submit(ctx context.Context, sp *spec.Supervisor, skipIfUnmodified bool) error {
	if err := checkFormat(s.formats, sp); err != nil {
		return err
	}
	closed, err := sealSpec(s.sealer, sp)
	if err != nil {
		return err
	}
	return s.Service.Submit(ctx, closed, skipIfUnmodified)
}

// warnings says which of a spec's consumerProperties are not followed. A secret that this node cannot open is one of them:
// its supervisor cannot run here.
func (s *sealing) warnings(sp *spec.Supervisor) []spec.Problem {
	const place = "$.spec.ioConfig.consumerProperties"
	var out []spec.Problem
	if _, err := s.sealer.OpenFormat(sp.IOConfig.InputFormat.Raw); err != nil {
		out = append(out, spec.Problem{Path: "$.spec.ioConfig.inputFormat", Message: err.Error()})
	}
	props, err := s.sealer.OpenProperties(sp.IOConfig.ConsumerProperties)
	if err != nil {
		return append(out, spec.Problem{Path: place, Message: err.Error()})
	}
	for _, w := range kafka.Warnings(props, environment) {
		path := place
		if w.Property != "" {
			path += fmt.Sprintf("[%q]", w.Property)
		}
		out = append(out, spec.Problem{Path: path, Message: w.Reason})
	}
	return out
}

// sealSpec returns the spec with the secrets of its consumerProperties and of its inputFormat sealed; the spec itself where
// it has none.
func sealSpec(sealer *secrets.Sealer, sp *spec.Supervisor) (*spec.Supervisor, error) {
	// What goes wrong may quote a secret.
	refused := func(part string) error {
		return fmt.Errorf("the spec's secrets cannot be sealed: its %s has an unusual form", part)
	}
	closed := sp
	if props, found := sealer.SealProperties(sp.IOConfig.ConsumerProperties); found {
		var err error
		if closed, err = withProperties(sp, props); err != nil {
			return nil, refused("consumerProperties")
		}
	}
	if len(sp.IOConfig.InputFormat.Raw) == 0 {
		return closed, nil
	}
	format, found, err := sealer.SealFormat(sp.IOConfig.InputFormat.Raw)
	if err == nil && found {
		closed, err = closed.WithInputFormat(format)
	}
	if err != nil {
		return nil, refused("inputFormat")
	}
	return closed, nil
}

// withProperties returns the spec with other consumerProperties.
func withProperties(sp *spec.Supervisor, props map[string]any) (*spec.Supervisor, error) {
	body, err := json.Marshal(props)
	if err != nil {
		return nil, err
	}
	return sp.WithConsumerProperties(body)
}
