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
func (f *Forwarder) record(service string, attrs mesh.Attributes) ([]byte, error) {
	want := selectorOf(attrs).String()
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

// selectorOf gives attributes in their canonical order.
func selectorOf(a mesh.Attributes) mesh.Selector {
	s := make(mesh.Selector, 0, len(a))
	for k, v := range a {
		s = append(s, mesh.Term{Name: k, Value: v})
	}
	s.Sort()
	return s
}

// able answers a probe that this node can serve.
func (f *Forwarder) able(a *router.Action, address string) {
	service, attrs := router.NodeService, mesh.Attributes(nil)
	if addr, err := mesh.ParseAddress(address); err == nil && addr.Kind == mesh.KindService {
		service = addr.Name
		f.handlers.mu.Lock()
		for _, reg := range f.handlers.byName[service] {
			if addr.Selector.Match(reg.attrs) {
				attrs = reg.attrs
				break
			}
		}
		f.handlers.mu.Unlock()
	}
	var body []byte
	rec, err := f.record(service, attrs)
	if err == nil {
		body, err = (&mesh.ProbeAnswer{Record: rec, Load: f.load(service)}).Encode()
	}
	st := mesh.StatusAble
	if err != nil {
		f.cfg.Logger.Error("record", "service", service, "err", err)
		st, body = mesh.StatusBusy, nil
	}
	f.decide(nil, func(r *router.Router, now time.Time) { r.Answered(now, a.Token, st, body, router.Checked{}) })
}
