// Package groups is many-to-many: what is sent to a group reaches everybody
// in it, over GossipSub.
//
// A message is an envelope of package mesh, signed by its origin; GossipSub's
// own signature is off, since one is enough. Delivery is best effort, as for
// class fire: what this node drops, it counts. Nodes between members that are
// in no group themselves relay it, so that members need not be neighbours.
//
// One Groups lasts as long as its host: GossipSub cannot be stopped and
// started again on one.
package groups
