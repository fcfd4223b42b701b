package sim

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkEvents tells events per second of CPU, the collector's included,
// with steady traffic and churn.
func BenchmarkEvents(b *testing.B) {
	for _, nodes := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			if testing.Short() && nodes > 1000 {
				b.Skip("10,000 nodes take a minute, and this is -short")
			}
			for b.Loop() {
				res, err := Run(b.Context(), &Scenario{
					Nodes: nodes, Warmup: 5 * time.Second, Duration: 10 * time.Second, Churn: Churn{Rate: 0.01},
					Services: []Service{{Name: "svc-#", Count: 10, Share: 0.01, Handler: Handler{Time: 5 * time.Millisecond}}},
					Traffic:  []Traffic{{To: "svc-#", Rate: 1}},
				}, Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(res.Cost.EventsPerSecond, "events/cpu-s")
				b.ReportMetric(float64(res.Events)/float64(b.N), "events/op")
			}
		})
	}
}
