package mesh

import (
	"cmp"
	"strings"
)

// version is a version of Semantic Versioning 2.0.0 (semver.org), of which
// the minor and patch parts may be missing. Build metadata is not kept, since
// it has no say in precedence.
type version struct {
	part  [3]uint64 // major, minor, patch
	given int       // parts that were written, 1 to 3
	pre   string    // prerelease identifiers, without the leading -
}

// maxPart keeps a part below 2^63.
const maxPart = 18 // digits

// parseVersion reads "2", "2.1", "2.1.0", "2.1.0-rc.1" and "2.1.0+build".
func parseVersion(s string) (v version, ok bool) {
	for {
		n := 0
		for n < len(s) && isDigit(s[n]) {
			v.part[v.given] = v.part[v.given]*10 + uint64(s[n]-'0')
			n++
			if n > maxPart {
				return version{}, false
			}
		}
		if n == 0 || n > 1 && s[0] == '0' {
			return version{}, false
		}
		v.given++
		s = s[n:]
		if v.given == 3 || s == "" || s[0] != '.' {
			break
		}
		s = s[1:]
	}
	if s == "" {
		return v, true
	}
	if v.given < 3 {
		return version{}, false
	}
	rest, build, built := strings.Cut(s, "+")
	if built && !identifiers(build, false) {
		return version{}, false
	}
	if rest != "" {
		if rest[0] != '-' || !identifiers(rest[1:], true) {
			return version{}, false
		}
		v.pre = rest[1:]
	}
	return v, true
}

// identifiers checks dot-separated identifiers; numbers of a prerelease have
// no leading zero.
func identifiers(s string, prerelease bool) bool {
	for more := true; more; {
		var id string
		id, s, more = strings.Cut(s, ".")
		if id == "" || prerelease && len(id) > 1 && id[0] == '0' && numeric(id) {
			return false
		}
		for i := range len(id) {
			if c := id[i]; !isDigit(c) && c != '-' && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

func numeric(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// compare is the precedence of semver, item 11: missing parts are zero, a
// prerelease comes before its release.
func (v version) compare(other version) int {
	if c := compareParts(v.part, other.part); c != 0 {
		return c
	}
	switch {
	case v.pre == other.pre:
		return 0
	case v.pre == "":
		return 1
	case other.pre == "":
		return -1
	}
	a, b, more, more2 := v.pre, other.pre, true, true
	for more && more2 {
		var x, y string
		x, a, more = strings.Cut(a, ".")
		y, b, more2 = strings.Cut(b, ".")
		if c := compareIdentifiers(x, y); c != 0 {
			return c
		}
	}
	if more {
		return 1
	}
	return -1
}

func compareIdentifiers(x, y string) int {
	switch nx, ny := numeric(x), numeric(y); {
	case nx && ny && len(x) != len(y):
		return cmp.Compare(len(x), len(y))
	case nx != ny && nx:
		return -1
	case nx != ny:
		return 1
	}
	return strings.Compare(x, y)
}

func compareParts(a, b [3]uint64) int {
	for i := range a {
		if c := cmp.Compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// caret reports whether have may stand in for v without a breaking change:
// the first part that is not zero stays.
func (v version) caret(have version) bool {
	var top [3]uint64
	switch {
	case v.part[0] > 0 || v.given == 1:
		top[0] = v.part[0] + 1
	case v.part[1] > 0 || v.given == 2:
		top[1] = v.part[1] + 1
	default:
		top[2] = v.part[2] + 1
	}
	return v.below(have, top)
}

// tilde reports whether have is v or a later patch of it; of ~2, a later
// minor too.
func (v version) tilde(have version) bool {
	top := [3]uint64{v.part[0], v.part[1] + 1}
	if v.given == 1 {
		top = [3]uint64{v.part[0] + 1}
	}
	return v.below(have, top)
}

// below reports v <= have < top. As in npm and Cargo a prerelease is in the
// range only when v is a prerelease of the same three parts: nobody gets one
// who has not asked for it.
func (v version) below(have version, top [3]uint64) bool {
	return v.compare(have) <= 0 && compareParts(have.part, top) < 0 &&
		(have.pre == "" || v.pre != "" && have.part == v.part)
}
