// Package router decides where messages go. It answers two questions, kept
// apart: who (resolve, once, at the origin: service and selector to a bound
// provider) and which way (route, at every node: that node, by this
// neighbour).
//
// It is a function of its inputs. Time, frames, answers and events of links
// go in; actions come out, to be carried out by the caller. There is no
// goroutine, clock, lock, log or context in it, and equal inputs with an
// equal seed give equal outputs: the forwarder runs one under its lock, the
// simulator runs them by the thousand.
//
// It checks no signature: where one must be checked before it may go on, it
// asks the caller to, by an action, and goes on when told the result.
package router
