// Package sim runs thousands of nodes in one process, in virtual time, from
// one seed: a discrete-event simulation around the production router.
//
// What decides in production decides here: each node has a router.Router of
// its own, and what its actions demand is carried out over simulated links,
// which have latency, jitter, loss, bandwidth and an end. The delivery ledger
// is the production one too; one holds the entries of all nodes, under names
// of their own. Two runs of one scenario and one seed give the same Result,
// byte for byte.
//
// The simulator knows the truth, which no node does: each run of a handler.
// Every word that a sender gets is held against it, and a message that comes
// to nothing is a failure only if an able provider was there all along, joined
// to the sender by links and honest nodes within the TTL.
//
// It does not simulate what surrounds the router in production: no bytes are
// encoded, no signature is made or checked, no goroutine or lock is involved,
// and a link keeps order and repeats what is lost, as a stream does. Flow
// control by credits is not there: a link refuses what its queue has no room
// for. Routers are swept every five seconds, not every second. Until the
// overlay chooses neighbours, a stand-in rule does, which Topology describes
// and dial.go completes.
//
// It relies on packages router, ledger and mesh. Scenarios are read by package
// scenarios, and a Result is shown by package report.
package sim
