// Command meshnode is a Testground plan: every instance is a process with one
// real node, and they form a mesh over TCP or QUIC.
//
// Four cases: discovery, multihop, churn and partition. Each draws the same
// graph and the same services in every instance from one seed, links the nodes
// as the graph says, sends messages, and ends with a reckoning: what senders
// were told is laid beside what handlers saw, and a word that is not the truth
// fails the run. Instance 1 prints the figures as one line of JSON, under the
// names that the simulator uses.
//
// The plan judges nothing by time but for deadlines: on a crowded machine it is
// slower, not wrong. It relies on the sync service for barriers and for passing
// addresses and reports, and asks the sidecar for latency where there is one.
package main

import (
	"context"

	"github.com/testground/sdk-go/run"
	"github.com/testground/sdk-go/runtime"
)

// cases of the plan by name, as in manifest.toml.
var cases = map[string]func(context.Context, *instance) error{
	"discovery": discovery,
	"multihop":  multihop,
	"churn":     churn,
	"partition": partition,
}

func main() {
	byName := make(map[string]any, len(cases))
	for name, play := range cases {
		byName[name] = run.InitializedTestCaseFn(func(env *runtime.RunEnv, ic *run.InitContext) error {
			return perform(env, ic, play)
		})
	}
	run.InvokeMap(byName)
}
