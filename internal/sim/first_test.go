package sim

import (
	"encoding/json"
	"os"
	"runtime/pprof"
	"strconv"
	"testing"
	"time"
)

func TestFirst(t *testing.T) {
	n := 1000
	if v := os.Getenv("SIM_NODES"); v != "" {
		n, _ = strconv.Atoi(v)
	}
	d := 20
	if v := os.Getenv("SIM_SECONDS"); v != "" {
		d, _ = strconv.Atoi(v)
	}
	if v := os.Getenv("SIM_PROF"); v != "" {
		f, _ := os.Create(v)
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	sc := &Scenario{Name: "first", Nodes: n, Seed: 7, Warmup: 5 * time.Second, Duration: time.Duration(d) * time.Second,
		Services: []Service{{Name: "svc-#", Count: 10, Providers: max(8, n/100), Handler: Handler{Time: 5 * time.Millisecond}}},
		Traffic:  []Traffic{{To: "svc-#", Rate: 1}},
		Churn:    Churn{Rate: 0.01},
	}
	res, err := Run(t.Context(), sc, Options{Progress: func(p Progress) {
		if os.Getenv("SIM_V") != "" {
			t.Log(p)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	res.Plots = nil
	if len(res.Failures) > 5 {
		res.Failures = res.Failures[:5]
	}
	b, _ := json.MarshalIndent(res, "", " ")
	t.Logf("%s", b)
}
