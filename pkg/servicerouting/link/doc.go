// Package link moves frames over one long-lived pair of byte streams with one
// neighbour: queues with priorities, few large writes, credits, fragments, and
// a heartbeat.
//
// It knows nothing of routing, and opens nothing: the streams are handed to
// it, with the neighbour's identity checked. In steady state it allocates
// nothing per frame, in either direction.
package link
