package report

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// svg collects the elements of one picture. Everything that comes from a
// scenario passes through text, which escapes.
type svg struct{ strings.Builder }

func (s *svg) el(format string, args ...any) { fmt.Fprintf(s, format, args...) }

// text writes a label; anchor is start, middle or end.
func (s *svg) text(class, anchor string, x, y float64, text string) {
	s.el(`<text class="%s" x="%s" y="%s" text-anchor="%s">%s</text>`, class, px(x), px(y), anchor, html.EscapeString(text))
}

// hover is the text that shows when the pointer rests on an element.
func hover(text string) string { return "<title>" + html.EscapeString(text) + "</title>" }

// px is a place with a tenth of a pixel, which is as fine as eyes see.
func px(x float64) string { return trim(strconv.FormatFloat(x, 'f', 1, 64)) }
