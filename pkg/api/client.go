package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Client speaks to one daemon. It is safe for several goroutines.
type Client struct {
	addr  string
	base  string
	token string
	http  *http.Client
}

// Dial makes a client of an address that ParseAddr takes, with a bearer token
// for a TCP address (empty for a Unix socket). It connects with the first call.
func Dial(addr, token string) (*Client, error) {
	network, a, err := ParseAddr(addr)
	if err != nil {
		return nil, err
	}
	c := &Client{addr: addr, base: "http://meshnode", token: token}
	if network == "tcp" {
		c.base = "http://" + a
	}
	c.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, a)
		},
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        idleTimeout / 2, // before the server ends it
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}}
	return c, nil
}

// Address is the one given to Dial.
func (c *Client) Address() string { return c.addr }

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call is one HTTP exchange.
type call struct {
	method string
	path   string
	query  url.Values
	header http.Header
	body   []byte
	most   int64 // bytes of the answer; 0: maxObject
}

// do gives a response with status 2xx, or an error that errors.Is can search.
func (c *Client) do(ctx context.Context, in call) (*http.Response, error) {
	fail := func(err error) error {
		return fmt.Errorf("%s %s at %s: %w", in.method, in.path, c.addr, err)
	}
	u, err := url.Parse(c.base + in.path)
	if err != nil {
		return nil, fail(err)
	}
	u.RawQuery = in.query.Encode()
	var sent atomic.Bool // the daemon may have read it
	tctx := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(tctx, in.method, u.String(), bytes.NewReader(in.body))
	if err != nil {
		return nil, fail(err)
	}
	if in.header != nil {
		req.Header = in.header
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fail(transportError(ctx, err, sent.Load() && in.method != http.MethodGet))
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	return nil, readProblem(res)
}

// transportError tells what a broken exchange means: a call that changes
// something and was sent has an unknown outcome.
func transportError(ctx context.Context, err error, sent bool) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", mesh.ErrTimeout, ctx.Err())
	case ctx.Err() != nil:
		return ctx.Err()
	case sent:
		return fmt.Errorf("%w: %w", ErrLost, cause(err))
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%w: %w", mesh.ErrDenied, cause(err))
	}
	return fmt.Errorf("%w: %w", ErrNoDaemon, cause(err))
}

// cause drops the URL that net/http puts before what happened.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func readProblem(res *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(res.Body, maxHeaderBytes))
	if err != nil {
		return fmt.Errorf("%s: %w", res.Status, err)
	}
	p := new(Problem)
	if json.Unmarshal(b, p) != nil || p.Code == "" {
		return Fail(ErrNoDaemon, "no meshnode daemon answers here (%s)", res.Status)
	}
	return p
}

// object runs a call that answers with one JSON object.
func (c *Client) object(ctx context.Context, in call, out any) error {
	res, err := c.do(ctx, in)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if in.most == 0 {
		in.most = maxObject
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, in.most))
	if err != nil {
		return fmt.Errorf("%s %s: %w", in.method, in.path, transportError(ctx, err, in.method != http.MethodGet))
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s %s: the answer is not ours: %w", in.method, in.path, err)
	}
	return nil
}

// segment encodes an address for a path; "." and ".." would be cleaned away.
func segment(s string) string {
	if strings.Trim(s, ".") == "" {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}
