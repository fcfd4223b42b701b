package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// body reads the payload that an argument names: the text itself, @FILE, or -
// for standard input. No argument is an empty payload.
func (a *app) body(args []string) ([]byte, error) {
	if len(args) == 0 {
		return nil, nil
	}
	text := args[0]
	if text != "-" && !strings.HasPrefix(text, "@") {
		return limited(strings.NewReader(text))
	}
	if text == "-" {
		return limited(a.stdin)
	}
	f, err := os.Open(text[1:])
	if err != nil {
		return nil, api.Fail(api.ErrUsage, "body: %w", err)
	}
	defer func() { _ = f.Close() }()
	return limited(f)
}

func limited(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, mesh.MaxPayload+1))
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if len(b) > mesh.MaxPayload {
		return nil, fmt.Errorf("the body has more than %d bytes: %w", mesh.MaxPayload, mesh.ErrTooLarge)
	}
	return b, nil
}

// sendFlags are the options of a message, for pub and request.
type sendFlags struct {
	failover    bool
	ttl         int
	key         string
	sticky      string
	noWait      bool
	contentType string
	headers     []string
	class       string
}

func (s *sendFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&s.failover, "failover", false, "after an unknown outcome another provider may be asked: it may be done twice")
	f.IntVar(&s.ttl, "ttl", mesh.MaxTTL, "the most hops, 1 to 10")
	f.StringVar(&s.key, "key", "", "idempotency `key`: the same when a message is sent again")
	f.StringVar(&s.sticky, "sticky", "", "messages with the same `key` go to the same provider, while it is among the best known")
	f.BoolVar(&s.noWait, "no-wait", false, "fail with busy instead of waiting for room")
	f.StringVar(&s.contentType, "content-type", "", "content type of the body")
	f.StringArrayVar(&s.headers, "header", nil, "`name=value`, may be repeated; names are in lower case")
}

func (s *sendFlags) options() (api.Send, error) {
	if s.ttl < 1 || s.ttl > mesh.MaxTTL {
		return api.Send{}, api.Fail(api.ErrUsage, "--ttl %d: want 1 to %d", s.ttl, mesh.MaxTTL)
	}
	class, err := api.ParseClass(s.class)
	if err != nil {
		return api.Send{}, err
	}
	headers, err := pairs("--header", s.headers)
	if err != nil {
		return api.Send{}, err
	}
	return api.Send{
		Class: class, Failover: s.failover, TTL: s.ttl, Key: s.key, Sticky: s.sticky, NoWait: s.noWait,
		ContentType: s.contentType, Headers: headers,
	}, nil
}

// attributes reads the arguments of --attr.
func attributes(values []string) (mesh.Attributes, error) {
	out := make(mesh.Attributes)
	for _, v := range values {
		some, err := mesh.ParseAttributes(v)
		if err != nil {
			return nil, fmt.Errorf("--attr: %w", err)
		}
		for name, value := range some {
			if _, twice := out[name]; twice {
				return nil, api.Fail(api.ErrUsage, "--attr %s: %q is given twice: write %s=[a,b] for a list", v, name, name)
			}
			out[name] = value
		}
	}
	return out, nil
}

// pairs reads name=value arguments.
func pairs(flag string, values []string) (map[string]string, error) {
	out := make(map[string]string, len(values))
	for _, v := range values {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, api.Fail(api.ErrUsage, "%s %q: want name=value", flag, v)
		}
		out[name] = value
	}
	return out, nil
}
