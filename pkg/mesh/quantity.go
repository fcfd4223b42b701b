package mesh

import (
	"cmp"
	"math/bits"
	"strings"
)

// quantity is an amount such as 8GiB, in millionths, as one number of 128
// bits, so that comparing is exact.
type quantity struct{ hi, lo uint64 }

// A quantity has at most 15 digits, 6 of them behind the point. With the
// largest unit, 2^50, that stays below 2^120 millionths.
const (
	maxDigits   = 15
	maxFraction = 6
)

var units = [...]struct {
	name string
	size uint64
}{
	{"", 1},
	{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15},
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"Pi", 1 << 50},
}

// parseQuantity reads a decimal number and its unit, which a B may follow.
// pointed: it has a point and no unit, and may as well be a version.
func parseQuantity(s string) (q quantity, pointed, ok bool) {
	mantissa, digits, i := uint64(0), 0, 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		mantissa = mantissa*10 + uint64(s[i]-'0')
		if digits++; digits > maxDigits {
			return quantity{}, false, false
		}
	}
	if digits == 0 || digits > 1 && s[0] == '0' {
		return quantity{}, false, false
	}
	fraction := 0
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && isDigit(s[i]); i++ {
			mantissa = mantissa*10 + uint64(s[i]-'0')
			fraction++
		}
		if fraction == 0 || fraction > maxFraction || digits+fraction > maxDigits {
			return quantity{}, false, false
		}
		pointed = i == len(s)
	}
	name := strings.TrimSuffix(s[i:], "B")
	for _, u := range units {
		if u.name != name {
			continue
		}
		scale := uint64(1)
		for ; fraction < maxFraction; fraction++ {
			scale *= 10
		}
		hi, lo := bits.Mul64(mantissa, u.size) // below 2^100, since 10^15 < 2^50
		over, low := bits.Mul64(lo, scale)
		return quantity{hi*scale + over, low}, pointed, true
	}
	return quantity{}, false, false
}

func (q quantity) compare(other quantity) int {
	if c := cmp.Compare(q.hi, other.hi); c != 0 {
		return c
	}
	return cmp.Compare(q.lo, other.lo)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
