// Package mesh holds the words of meshnode and their form on the wire:
// addresses and their selectors, envelopes, hop headers, receipts, statuses and
// service records.
//
// Nothing in it runs: no goroutine, no clock, no socket. It relies on libp2p
// for identities only.
package mesh
