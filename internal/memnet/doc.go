// Package memnet is a network in memory for libp2p hosts of one process: a
// transport whose addresses are /memory/N, and which goes through libp2p's own
// upgrader, so that TLS, Noise and yamux are the real ones.
//
// Every connection has a latency each way, may have a bandwidth, holds a
// bounded number of bytes, and can be reset (Cut) or go silent (Silence).
// Nothing blocks but on timers, channels and conditions: inside a bubble of
// testing/synctest time is virtual, and hundreds of hosts cost what they
// compute.
//
// It does not lose, reorder or damage bytes: a connection is a stream, as TCP
// is. A writer learns at once of room that the reader has made, which TCP
// tells it one latency later.
package memnet
