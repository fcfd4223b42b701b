package main

import (
	"bytes"
	"math"
	"path/filepath"
	"testing"
	"text/template"

	"github.com/BurntSushi/toml"
)

type composition struct {
	Global struct {
		Plan, Case, Builder, Runner string
		TotalInstances              int `toml:"total_instances"`
		Run                         struct {
			TestParams map[string]string `toml:"test_params"`
		}
	}
	Groups []struct {
		ID        string
		Instances struct {
			Count      int
			Percentage float64
		}
		Run struct {
			Artifact   string
			TestParams map[string]string `toml:"test_params"`
		}
	}
}

// TestCompositions: what the compositions ask for is there, for each case
// that they can be used with.
func TestCompositions(t *testing.T) {
	files, err := filepath.Glob("../../compositions/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no compositions found: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			// Templates, as Testground reads them.
			tmpl, err := template.ParseFiles(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, env := range []map[string]string{
				{},
				{"MESHNODE_CASE": "multihop", "MESHNODE_INSTANCES": "7", "MESHNODE_PLAN": "/plan", "MESHNODE_PARAMS": "rate = \"2\"\nseed = \"3\""},
			} {
				var text bytes.Buffer
				if err := tmpl.Execute(&text, map[string]any{"Env": env}); err != nil {
					t.Fatal(err)
				}
				var c composition
				if _, err := toml.Decode(text.String(), &c); err != nil {
					t.Fatal(err)
				}
				checkComposition(t, c)
			}
		})
	}
}

func checkComposition(t *testing.T, c composition) {
	if _, ok := cases[c.Global.Case]; !ok || c.Global.Plan != "meshnode" {
		t.Errorf("plan %q, case %q: not there", c.Global.Plan, c.Global.Case)
	}
	total := 0
	for _, g := range c.Groups {
		given := make(map[string]string)
		for _, from := range []map[string]string{c.Global.Run.TestParams, g.Run.TestParams} {
			for name, value := range from {
				given[name] = value
			}
		}
		if _, err := readParams(given, c.Global.Case); err != nil {
			t.Errorf("group %s: %v", g.ID, err)
		}
		if g.Instances.Count > 0 {
			total += g.Instances.Count
		} else {
			total += int(math.Round(g.Instances.Percentage * float64(c.Global.TotalInstances)))
		}
	}
	if total < 2 || c.Global.TotalInstances > 0 && total != c.Global.TotalInstances {
		t.Errorf("groups have %d instances, of %d", total, c.Global.TotalInstances)
	}
}
