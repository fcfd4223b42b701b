package mesh

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
)

// AddressError tells what is wrong with an address, a selector or attributes,
// and where.
type AddressError struct {
	What    string // what Input is; empty: an address
	Input   string
	Column  int // counted from 1, in bytes
	Problem string
}

// Error is one sentence that names the column.
func (e *AddressError) Error() string {
	return fmt.Sprintf("%s %q: column %d: %s", cmp.Or(e.What, "address"), e.Input, e.Column, e.Problem)
}

// Unwrap makes every address error an ErrMalformed.
func (e *AddressError) Unwrap() error { return ErrMalformed }

// What Caret shows of a long input, in bytes.
const (
	caretBefore = 48
	caretAfter  = 16
)

// Caret is the input, or the part around the column, and a line below it with
// a caret under the column. Both are indented by four and end without a line
// end. What cannot be printed is shown as ?. The caret is in its place as long
// as every character before it takes one cell.
func (e *AddressError) Caret() string {
	at := min(max(e.Column-1, 0), len(e.Input))
	before, after := e.Input[:at], e.Input[at:]
	if len(before) > caretBefore {
		before = "…" + before[len(before)-caretBefore:]
	}
	if len(after) > caretAfter {
		after = after[:caretAfter] + "…"
	}
	before = strings.Map(printable, before)
	return "    " + before + strings.Map(printable, after) + "\n" +
		strings.Repeat(" ", 4+len([]rune(before))) + "^"
}

func printable(r rune) rune {
	if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
		return '?'
	}
	return r
}
