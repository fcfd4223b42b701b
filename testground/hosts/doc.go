// Package hosts runs hundreds of whole nodes in one process and virtual time:
// the package meshnode as it is, with libp2p's host, TLS and yamux, on the
// network in memory of internal/memnet.
//
// It plays the scenarios of the simulator's library and gives the same figures
// under the same names, so that the two can be laid side by side: what the
// simulator leaves out (signatures, streams, dials, locks) is here, at a
// hundredth of the size.
//
// It plays random-regular graphs with churn and partitions. Links have no
// jitter and no loss; a node is given the addresses of its neighbours, and
// dials those again when it comes back, as they dial it, in place of the
// simulator's choice of new ones. Check refuses what else a scenario asks for.
//
// One seed gives one graph, one set of keys, latencies and messages. Two runs
// then agree on which node handled which message after how many hops and at
// which virtual nanosecond, as long as nothing is left to chance by the nodes
// themselves: each service has one provider, no node leaves, and latencies
// differ. The order of what happens within one virtual instant, message IDs,
// the choice between providers and the delays between dials are not settled by
// the seed.
//
// Run must be called in a bubble of testing/synctest, in which all sockets are
// off limits. A thousand nodes, with the figures of one scenario:
//
//	MESHNODE_HOSTS=1000 go test -v -parallel 1 -run TestHosts/churn ./testground/hosts
package hosts
