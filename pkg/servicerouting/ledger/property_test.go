package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// held is what the model knows of one key.
type held struct {
	running bool
	forget  time.Time
	result  Result
}

// TestAgainstModel drives a small ledger and a plain map side by side.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			MaxEntries: rapid.IntRange(1, 12).Draw(t, "entries"),
			MaxBytes:   rapid.IntRange(400, 4000).Draw(t, "bytes"),
			Grace:      4 * time.Minute,
		}
		l, model, now := New(cfg), make(map[Key]*held), start
		keys := rapid.Custom(func(t *rapid.T) Key {
			return Key{
				Service: rapid.SampledFrom([]string{"a", "bc"}).Draw(t, "service"),
				Origin:  rapid.SampledFrom([]peer.ID{"x", "yz"}).Draw(t, "origin"),
				ID:      mesh.ID{15: rapid.ByteRange(1, 6).Draw(t, "id")},
			}
		})
		// forget drops from the model what the ledger may have swept.
		forget := func() {
			for k, h := range model {
				scope, known := l.scopes.find(k.Service, k.Origin)
				_, there := l.index[compact{k.ID, scope}]
				if known && there {
					continue
				}
				if now.Before(h.forget) {
					t.Fatalf("%v was forgotten %v before expiry and grace", k, h.forget.Sub(now))
				}
				delete(model, k)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 400_000).Draw(t, "ms")) * time.Millisecond)
			},
			"sweep": func(t *rapid.T) {
				most := rapid.IntRange(0, 8).Draw(t, "max")
				n := l.Sweep(now, most)
				if n > most {
					t.Fatalf("Sweep of at most %d forgot %d", most, n)
				}
				forget()
				for k, h := range model {
					if n < most && !now.Truncate(time.Second).Before(h.forget) {
						t.Fatalf("%v is due since %v and was left", k, now.Sub(h.forget))
					}
				}
			},
			"begin": func(t *rapid.T) {
				k := keys.Draw(t, "key")
				expires := now.Add(time.Duration(rapid.IntRange(60_000, 600_000).Draw(t, "life")) * time.Millisecond).Truncate(time.Minute)
				before := model[k]
				v, r, redelivered := l.Begin(now, k, expires)
				forget()
				switch {
				case redelivered:
					t.Fatal("redelivered without a crash")
				case before != nil && before.running && v != Wait,
					before != nil && !before.running && v != Again,
					before == nil && v != Begin && v != Busy:
					t.Fatalf("Begin(%v) = %v, model %+v", k, v, before)
				case v == Busy && len(model) == 0:
					t.Fatal("an empty ledger is busy")
				case v == Begin:
					model[k] = &held{running: true, forget: expires.Add(cfg.Grace)}
				case v == Again:
					gone := r.Payload == nil && r.Status == mesh.StatusUnknown
					if !gone && fmt.Sprint(r) != fmt.Sprint(before.result) {
						t.Fatalf("result = %+v, want %+v", r, before.result)
					}
				}
			},
			"finish": func(t *rapid.T) {
				k, retryable := keys.Draw(t, "key"), rapid.Bool().Draw(t, "retryable")
				r := Result{Status: mesh.StatusOK, Redelivered: rapid.Bool().Draw(t, "redelivered")}
				if n := rapid.IntRange(0, 800).Draw(t, "payload"); n > 0 {
					r.Payload = make([]byte, n)
				}
				l.Finish(now, k, r, retryable)
				if h := model[k]; h != nil && h.running {
					if h.running, h.result = false, r; retryable {
						delete(model, k)
					}
				}
			},
			"": func(t *rapid.T) {
				s, running, size := l.Stats(), 0, 0
				for _, h := range model {
					if h.running {
						running++
					}
				}
				for e := l.results.first; e != nil; e = e.next {
					size += e.cost
				}
				switch {
				case s.Entries != len(model), s.Running != running, size != l.results.bytes,
					s.Begun != uint64(s.Entries)+s.Cleared+s.Swept:
					t.Fatalf("counts do not agree: %+v, model has %d of which %d run, results of %d bytes", s, len(model), running, size)
				case s.Entries > cfg.MaxEntries || s.Bytes > cfg.MaxBytes:
					t.Fatalf("over the bound: %+v of %+v", s, cfg)
				}
			},
		})
	})
}
