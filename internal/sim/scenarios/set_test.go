package scenarios

import (
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

func TestSet(t *testing.T) {
	for _, tt := range []struct {
		assignment string
		ok         func(*sim.Scenario) bool
	}{
		{"nodes=7", func(s *sim.Scenario) bool { return s.Nodes == 7 }},
		{"topology.degree=6", func(s *sim.Scenario) bool { return s.Topology.Degree == 6 }},
		{"traffic.0.rate=2", func(s *sim.Scenario) bool { return s.Traffic[0].Rate == 2 && s.Traffic[1].Rate == 0 }},
		{"traffic.films.rate=20%", func(s *sim.Scenario) bool { return s.Traffic[1].Rate == 0.2 && s.Traffic[0].Rate == 2.5 }},
		{"traffic.pages.to=ocr.v2{caps>=[gpu],region=eu}", func(s *sim.Scenario) bool { return s.Traffic[0].To == "ocr.v2{caps>=[gpu],region=eu}" }},
		{"services.ocr.v2.handler.time=5ms", func(s *sim.Scenario) bool { return s.Services[0].Handler.Time == 5*time.Millisecond }},
		{"services.ocr.v2.attributes.version=2.0", func(s *sim.Scenario) bool { return s.Services[0].Attributes["version"] == "2.0" }},
		{"topology.regions.us.link.latency=9ms", func(s *sim.Scenario) bool { return s.Topology.Regions[1].Link.Latency == 9*time.Millisecond }},
		{"events.cut.share=1", func(s *sim.Scenario) bool { return s.Events[0].Share == 1 }},
		{"expect.stretch.mean=<= 1.5", func(s *sim.Scenario) bool { return s.Expect["stretch.mean"] == "<= 1.5" && s.Expect["delivered"] != "" }},
		{"expect.delivered=", func(s *sim.Scenario) bool { _, ok := s.Expect["delivered"]; return !ok }},
		{"expect=", func(s *sim.Scenario) bool { return len(s.Expect) == 0 }},
		{"attackers=[{kind: liar, share: 5%}]", func(s *sim.Scenario) bool { return len(s.Attackers) == 1 && s.Attackers[0].Share == 0.05 }},
		{"topology.nat.open=1", func(s *sim.Scenario) bool { return s.Topology.NAT["open"] == 1 && s.Topology.NAT["cone"] == 0.8 }},
		{"duration=", func(s *sim.Scenario) bool { return s.Duration == 0 }},
	} {
		s := parsed(t, sample)
		if err := Set(s, tt.assignment); err != nil || !tt.ok(s) {
			t.Errorf("%s: %v, %+v", tt.assignment, err, s)
		}
	}
}

func TestSetErrors(t *testing.T) {
	for assignment, want := range map[string]string{
		"nodes":                            "want KEY=VALUE",
		"=5":                               "want KEY=VALUE",
		"topologie.degree=5":               "topologie is no key; near it: topology",
		"topology.degrees=5":               "topology.degrees is no key; near it: degree",
		"topology.degree=many":             `topology.degree: "many" is no whole number`,
		"topology.degree.x=5":              `topology.degree is one value and has no "x"`,
		"traffic.page.rate=5":              "traffic.page is no key; near it: pages",
		"traffic.2.rate=5":                 "traffic.2: there are 2 of them, counted from 0",
		"traffic.-1.rate=5":                "traffic.-1: there are 2",
		"link=[":                           `link: "[" is no YAML`,
		"link={latenci: 5ms}":              "link.latenci is no key; near it: latency",
		"attackers=5":                      "attackers: want a list",
		"duration=30":                      `duration: "30" has no unit`,
		"expect":                           "want KEY=VALUE",
		"services.ocr.v2.handlers.time=5s": "services.ocr.v2.handlers is no key; near it: handler",
		"attackers.liar.share=5%":          "attackers.liar is no key",
	} {
		s := parsed(t, sample)
		if err := Set(s, assignment); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", assignment, err, want)
		}
	}
}

func TestSetAmbiguous(t *testing.T) {
	s := parsed(t, "events: [{what: cut}, {what: cut}]")
	if err := Set(s, "events.cut.share=5%"); err == nil || !strings.Contains(err.Error(), "names 2 entries; give the number instead, as in events.1") {
		t.Error(err)
	}
	if err := Set(s, "events.1.share=5%"); err != nil || s.Events[0].Share != 0 || s.Events[1].Share != 0.05 {
		t.Errorf("%v, %+v", err, s.Events)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"degre", "degree", 1}, {"rate", "rate", 0}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%s, %s: %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a); got != tt.want {
			t.Errorf("%s, %s: %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
