// Package servicerouting moves messages: it runs the links to the neighbours,
// asks the router what to do with each frame, does it, and runs the handlers
// of this node's services.
//
// It decides nothing about ways (package router does), nothing about doubles
// (package ledger does), and opens no connection: links are handed to it. It
// relies on the neighbour's identity having been checked by whoever does.
package servicerouting
