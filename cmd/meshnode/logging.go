package main

import (
	"fmt"
	"log/slog"
	"strings"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/gologshim"

	"github.com/meshnode/meshnode/pkg/api"
)

// setLevels takes "info" or "warn,routing=debug".
func setLevels(text string) error {
	levels, err := parseLevels(text)
	if err != nil {
		return api.Fail(api.ErrUsage, "%w", err)
	}
	for _, l := range levels {
		if err := golog.SetLogLevel(l.part, l.level); err != nil {
			return err
		}
	}
	return nil
}

type partLevel struct{ part, level string }

func parseLevels(text string) ([]partLevel, error) {
	var out []partLevel
	for _, item := range strings.Split(text, ",") {
		part, level, ok := strings.Cut(item, "=")
		if !ok {
			part, level = "*", item
		}
		switch level {
		case "debug", "info", "warn", "error":
		default:
			return nil, fmt.Errorf("level %q: want debug, info, warn or error", level)
		}
		if part == "" {
			return nil, fmt.Errorf("%q: the part is missing before =", item)
		}
		out = append(out, partLevel{part, level})
	}
	return out, nil
}

// newLogger puts go-log behind slog, for our parts and libp2p's alike, so
// that one switch sets the level of each. It must run before the first line
// is logged.
func newLogger(levels string) (*slog.Logger, error) {
	h := golog.SlogHandler()
	slog.SetDefault(slog.New(h))
	gologshim.SetDefaultHandler(h)
	if err := setLevels(levels); err != nil {
		return nil, err
	}
	return slog.New(partHandler{h.WithAttrs([]slog.Attr{slog.String("logger", "node")}), h}), nil
}

// partHandler turns our attribute "part" into go-log's "logger", which picks
// the level. go-log takes the first name a logger was given, so that a part
// starts from root again.
type partHandler struct {
	slog.Handler
	root slog.Handler
}

func (h partHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		if a.Key == "part" {
			part := h.root.WithAttrs([]slog.Attr{slog.String("logger", a.Value.String())})
			return partHandler{part.WithAttrs(without(attrs, "part")), h.root}
		}
	}
	return partHandler{h.Handler.WithAttrs(attrs), h.root}
}

func (h partHandler) WithGroup(name string) slog.Handler {
	return partHandler{h.Handler.WithGroup(name), h.root}
}

func without(attrs []slog.Attr, key string) []slog.Attr {
	var out []slog.Attr
	for _, a := range attrs {
		if a.Key != key {
			out = append(out, a)
		}
	}
	return out
}
