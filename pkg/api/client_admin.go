package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// get runs a call that changes nothing.
func get[T any](ctx context.Context, c *Client, path string, q url.Values) (out T, err error) {
	return out, c.object(ctx, call{method: http.MethodGet, path: path, query: q}, &out)
}

// Status is the node at a glance.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return get[Status](ctx, c, "/v1/status", nil)
}

// Peers lists the neighbours.
func (c *Client) Peers(ctx context.Context) (Peers, error) {
	return get[Peers](ctx, c, "/v1/peers", nil)
}

// Routes lists the known ways.
func (c *Client) Routes(ctx context.Context) (Routes, error) {
	return get[Routes](ctx, c, "/v1/routes", nil)
}

// Services lists the known services.
func (c *Client) Services(ctx context.Context) (Services, error) {
	return get[Services](ctx, c, "/v1/services", nil)
}

// Groups lists the groups the node is in.
func (c *Client) Groups(ctx context.Context) (Groups, error) {
	return get[Groups](ctx, c, "/v1/groups", nil)
}

// Resolve tells who would be asked.
func (c *Client) Resolve(ctx context.Context, to string) (Providers, error) {
	return get[Providers](ctx, c, "/v1/resolve", patience(ctx, url.Values{"to": {to}}))
}

// Explain tells of every known provider of an address how it stands, best
// first; it looks for some when none is known.
func (c *Client) Explain(ctx context.Context, to string) (Candidates, error) {
	return get[Candidates](ctx, c, "/v1/explain", patience(ctx, url.Values{"to": {to}}))
}

// Wait returns when the condition holds; mesh.ErrTimeout when ctx ends first.
func (c *Client) Wait(ctx context.Context, cond Condition) error {
	_, err := get[Done](ctx, c, "/v1/wait", patience(ctx, url.Values{"for": {cond.String()}}))
	return err
}

// Live returns nil when the daemon answers.
func (c *Client) Live(ctx context.Context) error {
	_, err := get[Done](ctx, c, "/livez", nil)
	return err
}

// Connect reaches the node at a multiaddr that ends in /p2p/ID.
func (c *Client) Connect(ctx context.Context, addr string) (peer.ID, error) {
	var out Connected
	err := c.object(ctx, call{method: http.MethodPost, path: "/v1/peers", query: patience(ctx, nil), body: []byte(addr)}, &out)
	return out.ID, err
}

// Disconnect drops a neighbour.
func (c *Client) Disconnect(ctx context.Context, id peer.ID) error {
	return c.order(ctx, http.MethodDelete, "/v1/peers/"+id.String(), nil)
}

// Drain makes the node refuse new work, and waits for what is in flight.
func (c *Client) Drain(ctx context.Context) error {
	return c.order(ctx, http.MethodPost, "/v1/drain", patience(ctx, nil))
}

// Undrain makes it take work again.
func (c *Client) Undrain(ctx context.Context) error {
	return c.order(ctx, http.MethodPost, "/v1/undrain", nil)
}

// Down asks the daemon to stop; it returns before it has.
func (c *Client) Down(ctx context.Context) error {
	return c.order(ctx, http.MethodPost, "/v1/down", nil)
}

// SetLogLevel takes "debug" or "part=debug".
func (c *Client) SetLogLevel(ctx context.Context, level string) error {
	return c.order(ctx, http.MethodPut, "/v1/log", url.Values{"level": {level}})
}

func (c *Client) order(ctx context.Context, method, path string, q url.Values) error {
	var out Done
	return c.object(ctx, call{method: method, path: path, query: q}, &out)
}

// patience tells the daemon how long the caller waits: a little less than it
// does, so that the daemon's own word on the timeout still arrives.
func patience(ctx context.Context, q url.Values) url.Values {
	if q == nil {
		q = url.Values{}
	}
	if d, ok := ctx.Deadline(); ok {
		left := time.Until(d)
		left -= min(left/20, 250*time.Millisecond)
		q.Set("timeout", max(left, time.Millisecond).String())
	}
	return q
}
