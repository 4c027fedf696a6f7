package eventstore

import (
	"context"
	"encoding/json"
	"time"
)

// warnUnlessSynced says so where acknowledged events could be lost in a power
// cut. Only the system account may ask a server, so "not known" is the usual
// answer of an external one.
func (s *Store) warnUnlessSynced(ctx context.Context) {
	if s.cfg.SyncedServer || s.cfg.Storage == MemoryStorage {
		return
	}
	synced, known := s.askSynced(ctx)
	switch {
	case !known:
		s.cfg.Logger.Warn("the NATS server does not tell whether it syncs every write; set sync_interval: always there",
			"server", s.nc.ConnectedServerName())
	case !synced:
		s.cfg.Logger.Warn("the NATS server does not sync every write: a power cut can lose acknowledged events; set sync_interval: always there",
			"server", s.nc.ConnectedServerName())
	}
}

func (s *Store) askSynced(ctx context.Context) (synced, known bool) {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	m, err := s.nc.RequestWithContext(ctx, "$SYS.REQ.SERVER."+s.nc.ConnectedServerId()+".JSZ", nil)
	if err != nil {
		return false, false
	}
	var answer struct {
		Data *struct {
			Config struct {
				SyncAlways bool `json:"sync_always"`
			} `json:"config"`
		} `json:"data"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil || answer.Data == nil {
		return false, false
	}
	return answer.Data.Config.SyncAlways, true
}
