package typed

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"reflect"

	"google.golang.org/protobuf/proto"
)

// The content types.
const (
	Bytes    = "application/octet-stream"
	Text     = "text/plain; charset=utf-8"
	JSON     = "application/json"
	Protobuf = "application/x-protobuf"
)

// Validator is checked before sending and after receiving, when a value, or a
// pointer to it, has it.
type Validator interface{ Validate() error }

// ErrInvalid is returned for a value that its Validate refuses.
var ErrInvalid = errors.New("invalid value")

// ErrDecode is returned for bytes that are not what the type needs.
var ErrDecode = errors.New("cannot decode")

// encode validates and encodes a value.
func encode[T any](v T) (b []byte, contentType string, err error) {
	if err := validate(&v); err != nil {
		return nil, "", err
	}
	switch x := any(v).(type) {
	case []byte:
		return x, Bytes, nil
	case string:
		return []byte(x), Text, nil
	case proto.Message:
		b, err = proto.Marshal(x)
		return b, Protobuf, err
	}
	b, err = json.Marshal(v)
	return b, JSON, err
}

// decode decodes and validates a value. An empty content type is taken for
// what the type would have been sent as.
func decode[T any](b []byte, contentType string) (v T, err error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if contentType != "" && err != nil {
		return v, fmt.Errorf("%w: content type %q: %w", ErrDecode, contentType, err)
	}
	switch x := any(&v).(type) {
	case *[]byte:
		*x = b
		return v, nil
	case *string:
		*x = string(b)
		return v, nil
	}
	if m, ok := newMessage[T](); ok {
		if kind != "" && kind != Protobuf {
			return v, fmt.Errorf("%w: content type is %q, need %s", ErrDecode, contentType, Protobuf)
		}
		if err := proto.Unmarshal(b, m); err != nil {
			return v, fmt.Errorf("%w: %w", ErrDecode, err)
		}
		v = m.(T)
		return v, validate(&v)
	}
	if kind != "" && kind != JSON {
		return v, fmt.Errorf("%w: content type is %q, need %s", ErrDecode, contentType, JSON)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("%w: %w", ErrDecode, err)
	}
	if r := reflect.ValueOf(&v).Elem(); r.Kind() == reflect.Pointer && r.IsNil() {
		return v, fmt.Errorf("%w: null", ErrDecode)
	}
	return v, validate(&v)
}

// newMessage makes a T when T is a pointer to a protobuf message.
func newMessage[T any]() (proto.Message, bool) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Pointer || !t.Implements(reflect.TypeFor[proto.Message]()) {
		return nil, false
	}
	return reflect.New(t.Elem()).Interface().(proto.Message), true
}

func validate[T any](v *T) error {
	for _, x := range []any{*v, v} {
		if c, ok := x.(Validator); ok {
			if err := c.Validate(); err != nil {
				return fmt.Errorf("%w: %w", ErrInvalid, err)
			}
			return nil
		}
	}
	return nil
}
