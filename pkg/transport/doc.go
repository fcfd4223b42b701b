// Package transport connects a node to its neighbours: it builds the libp2p
// host, finds peers (named by the operator, remembered, heard over mDNS),
// keeps connections to them, and turns each into a Link, a pair of
// authenticated streams of one network.
//
// It does not read or write frames, route, or know services. It relies on
// libp2p for encryption, peer identity and dialling, and on the user of a
// link to say when the link has ended.
//
// Decisions are pure (reconnect.go: whom to dial and when; found.go: which
// addresses heard on the LAN to believe); the rest is IO around them.
package transport
