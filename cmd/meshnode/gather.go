package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/pflag"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
)

// several says how many providers request asks.
type several struct {
	all       bool
	n, quorum int
}

func (s *several) add(f *pflag.FlagSet) {
	f.BoolVar(&s.all, "all", false, "ask every provider within the TTL, and print each answer")
	f.IntVar(&s.n, "n", 1, "`number` of providers to ask, 1 to 64; each answer is printed")
	f.IntVar(&s.quorum, "quorum", 0, "`number` of good answers that are enough; 0: all of --n, or whoever answers --all")
}

func (s *several) check(o api.Send) error {
	switch most := s.most(); {
	case s.n < 1 || s.n > api.MaxGather:
		return api.Fail(api.ErrUsage, "--n %d: want 1 to %d", s.n, api.MaxGather)
	case s.all && s.n > 1:
		return api.Fail(api.ErrUsage, "--n %d and --all exclude each other", s.n)
	case s.quorum < 0 || s.quorum > most:
		return api.Fail(api.ErrUsage, "--quorum %d: want up to %d of those asked: give --n or --all", s.quorum, most)
	case o.Sticky != "" && (s.all || s.n > 1):
		return api.Fail(api.ErrUsage, "--sticky chooses one provider, --n and --all ask several")
	}
	return nil
}

func (s *several) most() int {
	if s.all {
		return api.MaxGather
	}
	return s.n
}

// gather prints the good answers, and tells in a sentence what else came.
func (a *app) gather(ctx context.Context, m *api.Multi, to string, body []byte, s several, o api.Send, raw bool) error {
	want := meshnode.Want{N: s.n, Quorum: s.quorum}
	if s.all {
		want.N = 0
	}
	g, err := m.Gather(ctx, to, body, want, o)
	if err != nil && g.APIVersion == "" { // nothing came
		return err
	}
	if err := a.gathered(g, raw); err != nil {
		return err
	}
	told := outcome(g, want.N)
	switch {
	case err == nil:
		a.say("%s", escape(told))
		return nil
	case len(g.Replies) == 0 && len(g.Failed) > 0:
		last := g.Failed[len(g.Failed)-1].Problem
		err = api.Fail(last.Unwrap(), "%s", told)
	default:
		err = api.Fail(api.ErrPartly, "%s", told)
	}
	return hint(err, "meshnode routes get '"+to+"'")
}

func (a *app) gathered(g api.Gathered, raw bool) error {
	if a.format == "json" {
		return a.encode(a.stdout, g)
	}
	for _, r := range g.Replies {
		if err := a.reply(r, raw); err != nil {
			return err
		}
	}
	return nil
}

// maxNamed is how many providers a sentence names.
const maxNamed = 8

// outcome is, of the n asked (0: all), "2 of 4 answered; 12D3…Ab3xYz: no word
// in time; 1 not found".
func outcome(g api.Gathered, n int) string {
	if n == 0 {
		n = len(g.Replies) + len(g.Failed)
	}
	parts := []string{fmt.Sprintf("%d of %d answered", len(g.Replies), n)}
	for i, f := range g.Failed {
		if i == maxNamed {
			parts = append(parts, fmt.Sprintf("%d more failed", len(g.Failed)-i))
			break
		}
		parts = append(parts, clipID(f.Provider)+": "+f.Problem.Error())
	}
	if len(g.Waiting) > 0 {
		var ids []string
		for _, p := range g.Waiting[:min(len(g.Waiting), maxNamed)] {
			ids = append(ids, clipID(p))
		}
		if more := len(g.Waiting) - len(ids); more > 0 {
			ids = append(ids, fmt.Sprintf("%d more", more))
		}
		parts = append(parts, "not waited for: "+strings.Join(ids, ", "))
	}
	if g.Missing > 0 {
		parts = append(parts, fmt.Sprintf("%d not found", g.Missing))
	}
	return strings.Join(parts, "; ")
}

// clipID keeps the end of an ID, by which peers show finds it.
func clipID(id peer.ID) string {
	s := id.String()
	if len(s) <= 12 {
		return s
	}
	return s[:4] + "…" + s[len(s)-6:]
}
