package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"ogham/adapters/secrets"
	"ogham/domain/spec"
	"ogham/overlord"
)

// secretKeyFile is in the data folder. Nodes that share a log share the key: by OGHAM_SECRET_KEY, or a copy of the file.
const secretKeyFile = "secret.key"

// openSealer takes the key from the environment, or from the data folder.
func (a *app) openSealer() (*secrets.Sealer, error) {
	if a.cfg.secretKey != "" {
		s, err := secrets.New(a.cfg.secretKey)
		if err != nil {
			return nil, fmt.Errorf("OGHAM_SECRET_KEY: %w", err)
		}
		return s, nil
	}
	return secrets.FromFile(filepath.Join(a.cfg.dataDir, secretKeyFile))
}

// sealing is the overlord behind a door where secrets are sealed: nothing behind it ever sees one in clear.
type sealing struct {
	*overlord.Service
	sealer *secrets.Sealer
}

// Submit implements httpapi.Overlord.
func (s *sealing) Submit(ctx context.Context, sp *spec.Supervisor, skipIfUnmodified bool) error {
	closed, err := sealSpec(s.sealer, sp)
	if err != nil {
		return err
	}
	return s.Service.Submit(ctx, closed, skipIfUnmodified)
}

// sealSpec returns the spec with its consumerProperties sealed; the spec itself where it has no secrets.
func sealSpec(sealer *secrets.Sealer, sp *spec.Supervisor) (*spec.Supervisor, error) {
	props, found := sealer.SealProperties(sp.IOConfig.ConsumerProperties)
	if !found {
		return sp, nil
	}
	closed, err := withProperties(sp, props)
	if err != nil {
		// What went wrong may quote a secret.
		return nil, errors.New("the spec's secrets cannot be sealed: its consumerProperties have an unusual form")
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
