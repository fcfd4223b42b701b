package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// headerPrefix carries application headers.
const headerPrefix = "Mesh-Header-"

// query reads a request's query; the first mistake is kept.
type query struct {
	values url.Values
	err    error
}

// readQuery refuses names that the call does not know.
func readQuery(r *http.Request, known ...string) *query {
	q := &query{}
	q.values, q.err = url.ParseQuery(r.URL.RawQuery)
	if q.err != nil {
		q.err = fmt.Errorf("query: %w: %w", ErrUsage, q.err)
		return q
	}
next:
	for name := range q.values {
		for _, k := range known {
			if name == k {
				continue next
			}
		}
		q.err = Fail(ErrUsage, "query %q is unknown here, known are %s", name, strings.Join(known, ", "))
	}
	return q
}

func (q *query) fail(name, value, want string) {
	if q.err == nil {
		q.err = Fail(ErrUsage, "%s=%q: %s", name, value, want)
	}
}

func (q *query) text(name string) string { return q.values.Get(name) }

func (q *query) flag(name string) bool {
	v := q.values.Get(name)
	if v == "" {
		return q.values.Has(name)
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		q.fail(name, v, "want 1 or 0")
	}
	return b
}

// number is 0 when the name is not given.
func (q *query) number(name string, low, high int) int {
	v := q.values.Get(name)
	if !q.values.Has(name) {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		q.fail(name, v, fmt.Sprintf("want a number from %d to %d", low, high))
	}
	return n
}

func (q *query) duration(name string, otherwise, most time.Duration) time.Duration {
	v := q.values.Get(name)
	if v == "" {
		return otherwise
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 || d > most {
		q.fail(name, v, fmt.Sprintf("want a duration above 0 and up to %v", most))
	}
	return d
}

func (q *query) attributes() mesh.Attributes {
	out := make(mesh.Attributes)
	for _, text := range q.values["attr"] {
		some, err := mesh.ParseAttributes(text)
		if err != nil && q.err == nil {
			q.err = fmt.Errorf("attr: %w", err)
		}
		for name, value := range some {
			if _, twice := out[name]; twice {
				q.fail("attr", text, name+" is given twice")
			}
			out[name] = value
		}
	}
	return out
}

// ParseClass reads fire, confirm or stored; empty is 0, the default.
func ParseClass(s string) (mesh.Class, error) {
	for _, c := range []mesh.Class{mesh.ClassFire, mesh.ClassConfirm, mesh.ClassStored} {
		if s == c.String() {
			return c, nil
		}
	}
	if s == "" {
		return 0, nil
	}
	return 0, Fail(ErrUsage, "class %q: want fire, confirm or stored", s)
}

// ParsePolicy reads block (the default), drop-oldest or drop-newest.
func ParsePolicy(s string) (meshnode.Policy, error) {
	switch s {
	case "", "block":
		return meshnode.Block, nil
	case "drop-oldest":
		return meshnode.DropOldest, nil
	case "drop-newest":
		return meshnode.DropNewest, nil
	}
	return 0, Fail(ErrUsage, "policy %q: want block, drop-oldest or drop-newest", s)
}

func policyName(p meshnode.Policy) string {
	switch p {
	case meshnode.DropOldest:
		return "drop-oldest"
	case meshnode.DropNewest:
		return "drop-newest"
	}
	return "block"
}

// sendQuery is what all sending calls take.
var sendQuery = []string{"all", "class", "failover", "ttl", "key", "id", "nowait", "sticky", "timeout"}

// requestQuery is what a request takes.
var requestQuery = append([]string{"n", "quorum"}, sendQuery...)

// send reads the options of one message, and how long the caller waits.
func (q *query) send(h http.Header) (Send, time.Duration) {
	o := Send{
		Failover: q.flag("failover"), NoWait: q.flag("nowait"), Key: q.text("key"), Sticky: q.text("sticky"),
		TTL: q.number("ttl", 1, mesh.MaxTTL), ContentType: h.Get("Content-Type"),
	}
	class, err := ParseClass(q.text("class"))
	if err != nil && q.err == nil {
		q.err = err
	}
	o.Class = class
	o.ID = mesh.NewID()
	if v := q.text("id"); v != "" {
		if o.ID, err = mesh.ParseID(v); err != nil && q.err == nil {
			q.err = err
		}
	}
	most := mesh.MaxLifetime
	if class == mesh.ClassStored {
		most = mesh.MaxStoredLifetime
	}
	for name, values := range h {
		if k, ok := strings.CutPrefix(name, headerPrefix); ok && len(values) > 0 {
			if o.Headers == nil {
				o.Headers = make(map[string]string)
			}
			o.Headers[strings.ToLower(k)] = values[0]
		}
	}
	return o, q.duration("timeout", mesh.DefaultLifetime, most)
}
