// Package meshnode is a message bus without a broker: a message sent to a
// service name finds a node that serves it.
//
// New starts a node; Handle serves a service; Publish, Request, PublishAll and
// RequestAll send to one; Broadcast and Subscribe speak to groups. Package
// typed puts Go values over it, package meshtest gives tests a pair of nodes.
//
// The package builds the parts (transport, servicerouting) and hands them to
// one another; it decides nothing itself.
package meshnode
