package api

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// guard lets through what may speak on this listener. On TCP that is whoever
// knows the token and names the server by its own address, so that neither a
// rebound DNS name nor a web page gets in; a foreign Origin is refused
// everywhere.
func (l *Listener) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := l.check(r); err != nil {
			writeProblem(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (l *Listener) check(r *http.Request) error {
	if l.token != "" && !l.ownHost(r.Host) {
		return Fail(ErrForeign, "host %q is not this server", r.Host)
	}
	for _, name := range []string{"Origin", "Referer"} {
		for _, v := range r.Header.Values(name) {
			u, err := url.Parse(v)
			if err != nil || u.Scheme != "http" || !l.ownHost(u.Host) {
				return Fail(ErrForeign, "%s %q is not this server", strings.ToLower(name), v)
			}
		}
	}
	if s := r.Header.Get("Sec-Fetch-Site"); s != "" && s != "same-origin" && s != "none" {
		return Fail(ErrForeign, "the request comes from a page of another site (%s)", s)
	}
	if l.token != "" {
		got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			return Fail(ErrToken, "no bearer token was given")
		}
		if subtle.ConstantTimeCompare([]byte(got), []byte(l.token)) != 1 {
			return Fail(ErrToken, "the bearer token is a wrong one")
		}
	}
	return nil
}

// ownHost reports that a Host header is this listener's address, or localhost
// with its port.
func (l *Listener) ownHost(host string) bool {
	own := l.Addr().String()
	if host == own {
		return true
	}
	_, port, err := net.SplitHostPort(own)
	return err == nil && host == "localhost:"+port
}
