package meshnode_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/meshtest"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// What a user gets, end to end, over real links on loopback: 1 KiB payloads,
// 64 senders at once. Confirm and request are bound by four signatures a
// message (made and checked for the message, and for the word on it).
func BenchmarkEndToEnd(b *testing.B) {
	for _, hops := range []int{1, 4} {
		nodes := meshtest.Line(b, hops+1)
		if _, err := nodes[hops].Handle("sink", func(context.Context, *meshnode.Message) (meshnode.Reply, error) {
			return meshnode.Reply{Payload: make([]byte, 64)}, nil
		}); err != nil {
			b.Fatal(err)
		}
		if _, err := nodes[0].Publish(b.Context(), "sink", nil); err != nil {
			b.Fatal(err)
		}
		payload := make([]byte, 1<<10)
		for name, send := range map[string]func() error{
			"fire": func() error {
				_, err := nodes[0].Publish(context.Background(), "sink", payload, meshnode.WithClass(mesh.ClassFire))
				return err
			},
			"confirm": func() error { _, err := nodes[0].Publish(context.Background(), "sink", payload); return err },
			"request": func() error { _, err := nodes[0].Request(context.Background(), "sink", payload); return err },
		} {
			b.Run(fmt.Sprintf("%s/%dhops", name, hops), func(b *testing.B) {
				b.SetParallelism(32)
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := send(); err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
			})
		}
	}
}
