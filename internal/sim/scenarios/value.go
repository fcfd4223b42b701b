package scenarios

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// setLeaf reads text into a value: a duration with its unit, a share as a
// number or in percent, a size with or without a unit.
func setLeaf(v reflect.Value, text string) error {
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = text
		return nil
	case *time.Duration:
		return parseInto(p, text, duration)
	case *int64:
		return parseInto(p, text, size)
	case *float64:
		return parseInto(p, text, number)
	case *bool:
		return parseInto(p, text, truth)
	case *int:
		return parseInto(p, text, func(s string) (int, error) {
			n, err := strconv.Atoi(strings.ReplaceAll(s, "_", ""))
			if err != nil {
				return 0, fmt.Errorf("%q is no whole number", s)
			}
			return n, nil
		})
	case *uint64:
		return parseInto(p, text, func(s string) (uint64, error) {
			n, err := strconv.ParseUint(strings.ReplaceAll(s, "_", ""), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%q is no whole number from 0 to 2^64-1", s)
			}
			return n, nil
		})
	}
	return fmt.Errorf("a %v cannot be given as text", v.Type())
}

func parseInto[T any](p *T, text string, parse func(string) (T, error)) error {
	x, err := parse(strings.TrimSpace(text))
	if err == nil {
		*p = x
	}
	return err
}

func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil {
		return d, nil
	}
	if _, isNumber := strconv.ParseFloat(s, 64); isNumber == nil {
		return 0, fmt.Errorf("%q has no unit; write %ss or %sms", s, s, s)
	}
	return 0, fmt.Errorf("%q is no duration; write it as 30s, 1m30s or 5ms", s)
}

func number(s string) (float64, error) {
	digits, percent := strings.CutSuffix(s, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("%q is no number; write it as 0.05 or 5%%", s)
	}
	if percent {
		x /= 100
	}
	return x, nil
}

func truth(s string) (bool, error) {
	switch s {
	case "true", "yes":
		return true, nil
	case "false", "no":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}

// units of sizes, in bytes; a link's rate is often said in bits.
var units = map[string]float64{
	"": 1, "B": 1,
	"kB": 1e3, "MB": 1e6, "GB": 1e9,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	"kbit": 1e3 / 8, "Mbit": 1e6 / 8, "Gbit": 1e9 / 8,
}

func size(s string) (int64, error) {
	at := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '_' })
	if at < 0 {
		at = len(s)
	}
	x, err := strconv.ParseFloat(strings.ReplaceAll(s[:at], "_", ""), 64)
	unit, known := units[strings.TrimSuffix(strings.TrimSpace(s[at:]), "/s")]
	if err != nil || !known || x*unit >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is no size; write it as 4MiB, 10MB/s or 100Mbit/s", s)
	}
	return int64(x * unit), nil
}
