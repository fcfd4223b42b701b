package scenarios

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// Error tells what is wrong in a scenario and where.
type Error struct {
	File         string
	Line, Column int    // counted from 1; 0 when the place is not known
	Problem      string // a phrase
	source       string
}

// Error is a sentence with the place, the line and a caret under the column.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Problem
	}
	out := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
	lines := strings.Split(e.source, "\n")
	if e.Line > len(lines) {
		return out
	}
	number := fmt.Sprintf("%4d | ", e.Line)
	line := strings.ReplaceAll(strings.TrimRight(lines[e.Line-1], "\r"), "\t", " ")
	caret := strings.Repeat(" ", len(number)+max(e.Column-1, 0)) + "^"
	return out + "\n" + number + line + "\n" + caret
}

// misfit is a problem at a token; [Parse] adds file and source.
type misfit struct {
	at      *token.Token
	problem string
}

func (m *misfit) Error() string { return m.problem }

func misfitf(at *token.Token, format string, args ...any) error {
	return &misfit{at, fmt.Sprintf(format, args...)}
}
