package servicerouting

import (
	"sync"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// records keeps the sealed records of this node's services, so that a probe
// costs no signature.
type records struct {
	mu     sync.Mutex
	sealed map[string]sealedRecord // by service: the last one made
}

type sealedRecord struct {
	attrs   string
	bytes   []byte
	renewAt time.Time
}

const maxRecords = 4096

// record gives the sealed record of a service with attributes. Its epoch is
// the time in microseconds: it rises across restarts as long as the clock
// does not go back.
func (f *Forwarder) record(service string, attrs mesh.Attributes, since time.Time) ([]byte, error) {
	want := attrs.String()
	now := f.cfg.Now()
	f.records.mu.Lock()
	defer f.records.mu.Unlock()
	// One record a service, so that the epoch rises whenever another is told.
	if r, ok := f.records.sealed[service]; ok && r.attrs == want && now.Before(r.renewAt) {
		return r.bytes, nil
	}
	rec := mesh.Record{
		Provider: f.self, Network: f.cfg.Network, Service: service, Attributes: attrs,
		Epoch: uint64(now.UnixMicro()), Created: now, Expires: now.Add(f.cfg.RecordLifetime),
		Since: since,
	}
	b, err := rec.Seal(f.cfg.Key)
	if err != nil {
		return nil, err
	}
	if f.records.sealed == nil || len(f.records.sealed) >= maxRecords {
		f.records.sealed = make(map[string]sealedRecord)
	}
	f.records.sealed[service] = sealedRecord{want, b, now.Add(f.cfg.RecordLifetime / 2)}
	return b, nil
}

// able answers a probe that this node can serve.
func (f *Forwarder) able(a *router.Action, address string) {
	service, attrs, since := router.NodeService, mesh.Attributes(nil), time.Time{}
	if addr, err := mesh.ParseAddress(address); err == nil && addr.Kind == mesh.KindService {
		service = addr.Name
		f.handlers.mu.Lock()
		if able := f.handlers.able(service, addr.Selector); len(able) > 0 {
			attrs, since = able[0].attrs, able[0].since
		}
		f.handlers.mu.Unlock()
	}
	var body []byte
	rec, err := f.record(service, attrs, since)
	if err == nil {
		load, _ := f.standing(service)
		body, err = (&mesh.ProbeAnswer{Record: rec, Load: load}).Encode()
	}
	st := mesh.StatusAble
	if err != nil {
		f.cfg.Logger.Error("record", "service", service, "err", err)
		st, body = mesh.StatusBusy, nil
	}
	f.decide(nil, func(r *router.Router, now time.Time) { r.Answered(now, a.Token, st, body, router.Checked{}) })
}
