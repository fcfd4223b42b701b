package mesh

import "testing"

func TestQuantities(t *testing.T) {
	// each line is equal within, and less than the next
	ascending := [][]string{
		{"0", "0.0", "0k", "0B"},
		{"0.000001"},
		{"0.25", "0.250"},
		{"1", "1B", "1.0", "0.001k"},
		{"999"},
		{"1k", "1000", "1kB", "1.000000k"},
		{"1001", "1.001k"}, // not exact as a float64
		{"1Ki", "1024", "1KiB"},
		{"1M", "1000000"},
		{"1Mi", "1024Ki", "1048576"},
		{"8G", "8GB", "8000M"},
		{"8Gi", "8GiB", "8192MiB", "8388608KiB"},
		{"999999999999998"},
		{"999999999999999"},
		{"1P", "1000T"},
		{"1Pi", "1024Ti"},
		{"16384Pi"}, // 2^64
		{"999999999999998Pi"},
		{"999999999999999Pi"},
	}
	for i, same := range ascending {
		for _, a := range same {
			qa, _, ok := parseQuantity(a)
			if !ok {
				t.Errorf("%q is no quantity", a)
			}
			for j, others := range ascending {
				for _, b := range others {
					qb, _, _ := parseQuantity(b)
					if got, want := qa.compare(qb), min(max(i-j, -1), 1); got != want {
						t.Errorf("%q against %q is %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
	for _, s := range []string{
		"", "a", "k", "B", ".5", "5.", "-1", "+1", "01", "00", "1e3", "1K", "1m", "8KB", "8gib", "8 GiB", "1.2.3", "1BB", "0x1",
		"1000000000000000", "1.0000001", "9999999999.999999", "1,000", "[1]",
	} {
		if q, _, ok := parseQuantity(s); ok {
			t.Errorf("%q is the quantity %v", s, q)
		}
	}
	for s, want := range map[string]bool{"1": false, "1.5": true, "1.5k": false, "1.5B": false} {
		if _, pointed, _ := parseQuantity(s); pointed != want {
			t.Errorf("%q may be a version: %v", s, pointed)
		}
	}
}
