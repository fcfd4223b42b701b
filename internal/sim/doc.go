// Package sim runs thousands of nodes in one process, in virtual time, from
// one seed: a discrete-event simulation around the production router.
//
// What decides in production decides here: each node has a router.Router of
// its own, and what its actions demand is carried out over simulated links,
// which have latency, jitter, loss, bandwidth and an end. Two runs of one
// scenario and one seed give the same Result, byte for byte.
//
// It does not simulate what surrounds the router in production: no bytes are
// encoded, no signature is made or checked (a flag stands for a bad proof), no
// goroutine or lock is involved, and a link keeps order and repeats what is
// lost, as a stream does. Until the overlay chooses neighbours, a stand-in
// rule does, which Topology describes.
//
// It relies on packages router, ledger and mesh. Scenarios are read by package
// scenarios, and a Result is shown by package report.
package sim
