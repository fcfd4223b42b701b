package scenarios

import (
	"reflect"
	"slices"
	"strings"
)

// field finds the field of a struct by its yaml tag.
func field(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if tag(v.Type().Field(i)) == key {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// keys lists the yaml tags of a struct in the order of its fields.
func keys(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		if k := tag(t.Field(i)); k != "" {
			out = append(out, k)
		}
	}
	return out
}

func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// suggest ends a sentence with the keys that are near to a wrong one, or with
// all when none is.
func suggest(wrong string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	var near []string
	for _, k := range known {
		if alike(strings.ToLower(wrong), strings.ToLower(k)) {
			near = append(near, k)
		}
	}
	if len(near) == 0 {
		return "; there are " + strings.Join(known, ", ")
	}
	slices.SortStableFunc(near, func(a, b string) int { return distance(wrong, a) - distance(wrong, b) })
	return "; near it: " + strings.Join(near, ", ")
}

// alike reports whether one word may stand for the other: two letters in
// five are different at most, or one holds the other.
func alike(a, b string) bool {
	if len(a) >= 3 && strings.Contains(b, a) || len(b) >= 3 && strings.Contains(a, b) {
		return true
	}
	return distance(a, b) <= max(1, max(len(a), len(b))*2/5)
}

// distance is the number of letters to add, drop or change, after Levenshtein
// (1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
