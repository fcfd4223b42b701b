// Package api is the door of a running node for programs on the same machine:
// an HTTP/1.1 server over a Unix socket (and, when asked, a loopback TCP port),
// and a Go client for it.
//
// It does not route, store or retry: every call is one call of the node. It
// does not authenticate users of the Unix socket beyond the file's mode; a TCP
// port asks for a bearer token. It relies on the root package for all work and
// on net/http.
//
// Bodies are the raw payload; everything else is JSON, and every JSON object
// carries "apiVersion":"v1". An error is application/problem+json, see
// [Problem]. An address in a path is percent-encoded ("orders%7Bos=bsd%7D").
//
//	POST   /v1/services/{addr}/messages  send; ?all=1 to every provider        Receipt, Receipts
//	POST   /v1/services/{addr}/requests  ask; the reply is the body            raw, Mesh-* headers
//	                                     ?all=1 asks every provider            lines of Reply
//	                                     ?n=3&quorum=2 asks three and waits    Gathered
//	                                     for two; ?all=1&quorum=2 asks all
//	GET    /v1/services/{name}/messages  subscribe                             lines of Message
//	GET    /v1/services/{name}/work      serve: take work from here …          lines of Work
//	POST   /v1/work/{id}                 … and answer it; ?outcome=            Done
//	POST   /v1/groups/{name}/messages    send to a group                       Receipt
//	GET    /v1/groups/{name}/messages    subscribe to a group                  lines of Message
//	GET    /v1/status                    the node at a glance                  Status
//	GET    /v1/peers                     neighbours                            Peers
//	POST   /v1/peers                     connect to the multiaddr in the body  Connected
//	DELETE /v1/peers/{id}                drop a neighbour                      Done
//	GET    /v1/routes                    known ways                            Routes
//	GET    /v1/services                  known services and providers          Services
//	GET    /v1/groups                    groups this node is in                Groups
//	GET    /v1/resolve?to=               who would be asked                    Providers
//	GET    /v1/explain?to=               how every provider stands, and why    Candidates
//	GET    /v1/wait?for=                 ready, peers=N or service=NAME        Done
//	POST   /v1/drain                     refuse new work, finish the rest      Done
//	POST   /v1/undrain                   take work again                       Done
//	POST   /v1/down                      stop the daemon                       Done
//	PUT    /v1/log?level=part=debug      change a log level                    Done
//	GET    /livez, /readyz               200 or 503                            Done
//
// Sending takes class=fire|confirm|stored, failover=1, ttl=1..10, key=, id=,
// sticky=, nowait=1 and timeout=5s as query, the Content-Type, and application
// headers as "Mesh-Header-<name>" (names arrive in lower case). Headers of a
// reply that HTTP cannot carry are left out; Reply in JSON has them all.
//
// n and quorum are 1 to 64. Fewer good answers than wanted are MN-0111 in
// Gathered beside those that came; no answer at all is a Problem.
//
// Subscribing takes policy=block|drop-oldest|drop-newest, buffer=N and
// attr=name=value; work takes concurrency=N and attr. Lines are
// application/x-ndjson, or server-sent events when Accept says
// text/event-stream. The response's head is sent once the subscription holds.
// A reader that takes nothing for 30 s is cut off.
//
// docs/limits.md lists the caps; the constants are in limits.go.
package api
