package mesh

import "testing"

func TestVersions(t *testing.T) {
	// semver.org, item 11, and missing parts; each line is equal within
	ascending := [][]string{
		{"0", "0.0.0"},
		{"1.0.0-alpha", "1.0.0-alpha+build.7"},
		{"1.0.0-alpha.1"},
		{"1.0.0-alpha.beta"},
		{"1.0.0-beta"},
		{"1.0.0-beta.2"},
		{"1.0.0-beta.11"},
		{"1.0.0-beta.20000000000000000000000"},
		{"1.0.0-beta.-"},
		{"1.0.0-rc.1"},
		{"1.0.0", "1", "1.0", "1.0.0+01"},
		{"1.0.1-0"},
		{"1.0.1"},
		{"1.2"},
		{"1.10.0"},
		{"2"},
		{"999999999999999999"},
	}
	for i, same := range ascending {
		for _, a := range same {
			va, ok := parseVersion(a)
			if !ok {
				t.Errorf("%q is no version", a)
			}
			for j, others := range ascending {
				for _, b := range others {
					vb, _ := parseVersion(b)
					if got, want := va.compare(vb), min(max(i-j, -1), 1); got != want {
						t.Errorf("%q against %q is %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
	for _, s := range []string{
		"", "a", ".", "1.", "1..2", ".1", "1.2.3.4", "01", "1.02.3", "-1", "v1.2.3", "1.2.3-", "1.2.3-a..b", "1.2.3-01", "1.2.3+",
		"1.2.3-a_b", "1.2.3 ", "1-rc", "1.2-rc", "1.2+b", "1.2.3+a+b", "1000000000000000000", "1.2.3.", "1.2.3rc",
	} {
		if v, ok := parseVersion(s); ok {
			t.Errorf("%q is the version %v", s, v)
		}
	}
}

func TestVersionRanges(t *testing.T) {
	for _, tt := range []struct {
		sel     string
		in, out []string
	}{
		{"v^2.1", []string{"2.1", "2.1.0", "2.9.9", "2.10"}, []string{"2.0.9", "2", "3", "3.0.0-rc.1", "2.1.0-rc.1", "2.2.0-rc.1", "x", "[2.1]"}},
		{"v^2.1.3", []string{"2.1.3", "2.2.0"}, []string{"2.1.2", "3.0.0"}},
		{"v^1", []string{"1", "1.9.9"}, []string{"0.9", "2"}},
		{"v^0.2.3", []string{"0.2.3", "0.2.9"}, []string{"0.2.2", "0.3.0", "1.0.0"}},
		{"v^0.2", []string{"0.2.0", "0.2.9"}, []string{"0.3.0", "0.1.9"}},
		{"v^0.0.3", []string{"0.0.3"}, []string{"0.0.4", "0.0.2"}},
		{"v^0.0", []string{"0.0.0", "0.0.9"}, []string{"0.1.0"}},
		{"v^0", []string{"0.0.1", "0.9.9"}, []string{"1.0.0"}},
		{"v~2.1.3", []string{"2.1.3", "2.1.9"}, []string{"2.1.2", "2.2.0", "3.1.3"}},
		{"v~2.1", []string{"2.1.0", "2.1.9"}, []string{"2.0.9", "2.2.0"}},
		{"v~2", []string{"2.0.0", "2.9.9"}, []string{"1.9", "3.0.0"}},
		{"v^2.1.0-rc.1", []string{"2.1.0-rc.1", "2.1.0-rc.2", "2.1.0", "2.5.0"}, []string{"2.1.0-beta", "2.2.0-rc.1", "3.0.0-rc.1"}},
		{"v>=2.1.0", []string{"2.1.0", "2.10", "3.0.0-rc.1"}, []string{"2.1.0-rc.1", "2.0.9"}},
		{"v<2.10.0", []string{"2.9", "2.10.0-rc.1"}, []string{"2.10", "2.10.0"}},
		{"v>2.9", []string{"2.9.1", "2.91", "3"}, []string{"2.9.0", "2.10"}}, // 2.10 and 2.9 are numbers too
	} {
		s := selector(t, tt.sel)
		for _, v := range tt.in {
			if !s.Match(Attributes{"v": v}) {
				t.Errorf("%s does not match %s", tt.sel, v)
			}
		}
		for _, v := range tt.out {
			if s.Match(Attributes{"v": v}) {
				t.Errorf("%s matches %s", tt.sel, v)
			}
		}
	}
}
