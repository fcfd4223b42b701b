package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// manifest is what of manifest.toml has to agree with params.go.
type manifest struct {
	Testcases []struct {
		Name   string
		Params map[string]struct {
			Type, Desc string
			Default    any
		}
	}
}

// TestManifest: the manifest has the cases, parameters and defaults of the code.
func TestManifest(t *testing.T) {
	var m manifest
	if _, err := toml.DecodeFile("manifest.toml", &m); err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, c := range m.Testcases {
		named = append(named, c.Name)
		r := &reader{in: nil, testcase: c.Name, defaults: make(map[string]string)}
		if r.params(); len(r.errs) > 0 {
			t.Errorf("%s: the defaults are out of range: %v", c.Name, r.errs)
		}
		has := make(map[string]string)
		for name, p := range c.Params {
			has[name] = fmt.Sprint(p.Default)
		}
		if !maps.Equal(has, r.defaults) {
			t.Errorf("%s: manifest.toml has\n\t%v\nand params.go\n\t%v", c.Name, has, r.defaults)
		}
		given, err := readParams(has, c.Name)
		if err != nil {
			t.Errorf("%s: the manifest's defaults, given: %v", c.Name, err)
		}
		if bare, _ := readParams(nil, c.Name); bare != given {
			t.Errorf("%s: the manifest's defaults, given, make %+v, and nothing given makes %+v", c.Name, given, bare)
		}
	}
	if want := slices.Sorted(maps.Keys(cases)); !slices.Equal(slices.Sorted(slices.Values(named)), want) {
		t.Errorf("the manifest has the cases %v, the code %v", named, want)
	}
}

func TestReadParams(t *testing.T) {
	p, err := readParams(map[string]string{"degree": "6", "rate": "2.5", "cut": ""}, "multihop")
	if err == nil || !strings.Contains(err.Error(), "cut is unknown") {
		t.Errorf("an unknown parameter: %v", err)
	}
	if p.degree != 6 || p.rate != 2.5 || p.duration != 20*time.Second {
		t.Errorf("read %+v", p)
	}
	for name, value := range map[string]string{
		"degree": "1", "rate": "0", "duration": "20", "transport": "udp", "partition": "0.6", "kill": "NaN", "seed": "x",
	} {
		testcase := map[string]string{"kill": "churn"}[name]
		if testcase == "" {
			testcase = "partition"
		}
		_, err := readParams(map[string]string{name: value}, testcase)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("parameter %s is %q: need", name, value)) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	_, err = readParams(map[string]string{"partition_for": "40s"}, "partition")
	if err == nil || !strings.Contains(err.Error(), "need less than duration") {
		t.Errorf("a partition that does not end: %v", err)
	}
}
