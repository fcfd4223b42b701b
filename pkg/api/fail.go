package api

import "fmt"

// failure is an error whose text is a sentence of its own, and whose kind
// errors.Is finds.
type failure struct {
	error
	kind error
}

func (f failure) Unwrap() []error { return []error{f.error, f.kind} }

// Fail makes an error of a kind, one of the sentinels of this package. The
// kind is not repeated in the text, since its code and title say it.
func Fail(kind error, format string, args ...any) error {
	return failure{fmt.Errorf(format, args...), kind}
}
