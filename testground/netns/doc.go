// Package netns builds small networks out of Linux network namespaces and runs
// the real meshnode binary in them.
//
// A Lab holds hosts, one namespace each, and switches, which are bridges in a
// namespace of their own: the network of the machine is neither used nor
// changed. Hosts do not forward packets unless told to. Whatever a lab made is
// gone when its test ends, failed or not; what a killed run left behind is
// removed by the next one. Two labs can stand side by side.
//
// It does not simulate delay or loss, has no IPv6, and cannot run without root.
//
// It relies on ip and bridge (iproute2), ping, nft for Masquerade alone, and on
// client commands reaching a daemon in any namespace, since its Unix socket is
// a file.
package netns
