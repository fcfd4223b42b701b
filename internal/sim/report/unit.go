package report

import (
	"math"
	"strconv"
	"time"
)

// Unit says how a number is written.
type Unit uint8

// The units of figures.
const (
	Count Unit = iota // a number of things, or a mean of one
	Share             // 0 to 1, written in percent
	Ratio             // of two like things, written with a ×
	Milliseconds
	Seconds
	Bytes // a node and second
)

// Format writes a value with three or four digits and its unit.
func (u Unit) Format(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "unknown"
	}
	switch u {
	case Share:
		return percent(x)
	case Ratio:
		return strconv.FormatFloat(x, 'f', 2, 64) + "×"
	case Milliseconds:
		return seconds(x / 1e3)
	case Seconds:
		return seconds(x)
	case Bytes:
		return scaled(x, " kMGT") + "B/s"
	}
	return number(x)
}

// percent keeps what tells 99.99 % from all, and never rounds up to 100 %.
func percent(x float64) string {
	p := x * 100
	digits := 2
	if p > 99.99 && p < 100 {
		digits = 4
	}
	s := strconv.FormatFloat(p, 'f', digits, 64)
	if p < 100 && s == "100.0000" {
		s = "99.9999"
	}
	return trim(s) + " %"
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d == 0:
		return "0"
	case d < time.Second:
		return three(s*1e3) + " ms"
	case d < 2*time.Minute:
		return trim(strconv.FormatFloat(s, 'f', 2, 64)) + " s"
	}
	return d.Round(time.Second).String()
}

// three writes a number below 1000 with three digits.
func three(x float64) string {
	switch {
	case x >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 10:
		return trim(strconv.FormatFloat(x, 'f', 1, 64))
	}
	return trim(strconv.FormatFloat(x, 'f', 2, 64))
}

// number writes a count: whole ones in groups of three, others with three digits.
func number(x float64) string {
	a := math.Abs(x)
	switch {
	case x == math.Trunc(x) && a < 1e15, a >= 1e4:
		return grouped(strconv.FormatFloat(x, 'f', 0, 64))
	case a >= 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case a >= 0.01:
		return trim(strconv.FormatFloat(x, 'f', 2, 64))
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}

// grouped parts the thousands of a whole number.
func grouped(s string) string {
	head := 0
	if s[0] == '-' {
		head = 1
	}
	for i := len(s) - 3; i > head; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// scaled writes x with the largest prefix that leaves at least one digit in
// front; prefixes[0] is for none.
func scaled(x float64, prefixes string) string {
	i := 0
	for math.Abs(x) >= 1000 && i < len(prefixes)-1 {
		x /= 1000
		i++
	}
	prefix := prefixes[i : i+1]
	if i == 0 {
		prefix = ""
	}
	return trim(strconv.FormatFloat(x, 'f', 1, 64)) + " " + prefix
}

// trim takes zeros from the end of a fraction.
func trim(s string) string {
	dot := -1
	for i := range len(s) {
		switch s[i] {
		case '.':
			dot = i
		case 'e':
			return s
		}
	}
	if dot < 0 {
		return s
	}
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}
