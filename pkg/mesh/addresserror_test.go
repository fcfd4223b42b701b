package mesh

import (
	"errors"
	"strings"
	"testing"
)

func TestCaret(t *testing.T) {
	_, err := ParseAddress("ocr{mem>=}")
	if want := `address "ocr{mem>=}": column 10: a value is missing after >=`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	var ae *AddressError
	if !errors.As(err, &ae) || ae.Caret() != "    ocr{mem>=}\n             ^" {
		t.Errorf("\n%s", ae.Caret())
	}
	for _, tt := range []struct {
		in     string
		column int
		want   string
	}{
		{"", 1, "    \n    ^"},
		{"abc", 4, "    abc\n       ^"},
		{"abc", 99, "    abc\n       ^"}, // beyond the end
		{"é{=", 4, "    é{=\n      ^"},
		{"a\x1b\n\xff\u202e=", 8, "    a????=\n         ^"},
		{
			strings.Repeat("a", 60) + "b" + strings.Repeat("c", 60), 61,
			"    …" + strings.Repeat("a", 48) + "b" + strings.Repeat("c", 15) + "…\n" + strings.Repeat(" ", 53) + "^",
		},
		{
			strings.Repeat("é", 30) + "b", 61,
			"    …" + strings.Repeat("é", 24) + "b\n" + strings.Repeat(" ", 29) + "^",
		},
	} {
		e := &AddressError{Input: tt.in, Column: tt.column}
		if got := e.Caret(); got != tt.want {
			t.Errorf("column %d of %q:\n%s\nwant\n%s", tt.column, tt.in, got, tt.want)
		}
	}
}
