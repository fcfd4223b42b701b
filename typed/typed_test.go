package typed_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/meshtest"
	"github.com/meshnode/meshnode/typed"
)

type order struct {
	ID  string  `json:"id"`
	EUR float64 `json:"eur"`
}

func (o order) Validate() error {
	if o.EUR < 0 {
		return errors.New("eur is negative")
	}
	return nil
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestValues(t *testing.T) {
	a, b := meshtest.Pair(t)
	if _, err := typed.Handle(b, "price", func(_ context.Context, o order) (float64, error) { return 2 * o.EUR, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := typed.Handle(b, "shout", func(_ context.Context, s string) (string, error) { return strings.ToUpper(s), nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := typed.Handle(b, "proto", func(_ context.Context, v *wrapperspb.Int64Value) (*wrapperspb.Int64Value, error) {
		return wrapperspb.Int64(v.GetValue() + 1), nil
	}); err != nil {
		t.Fatal(err)
	}
	if v, err := typed.Request[float64](soon(t), a, "price", order{"1", 4.5}); err != nil || v != 9 {
		t.Errorf("json: %v %v", v, err)
	}
	if v, err := typed.Request[string](soon(t), a, "shout", "hey"); err != nil || v != "HEY" {
		t.Errorf("text: %v %v", v, err)
	}
	if v, err := typed.Request[*wrapperspb.Int64Value](soon(t), a, "proto", wrapperspb.Int64(41)); err != nil || v.GetValue() != 42 {
		t.Errorf("protobuf: %v %v", v, err)
	}
	if _, err := typed.Publish(soon(t), a, "price", order{"2", -1}); !errors.Is(err, typed.ErrInvalid) {
		t.Errorf("invalid before sending: %v", err)
	}
	_, err := a.Request(soon(t), "price", []byte(`{"eur":-1}`), meshnode.WithContentType(typed.JSON))
	if !errors.Is(err, meshnode.ErrHandler) || !strings.Contains(err.Error(), "eur is negative") {
		t.Errorf("invalid after receiving: %v", err)
	}
	if _, err := typed.Request[order](soon(t), a, "shout", "x"); !errors.Is(err, typed.ErrDecode) {
		t.Errorf("a reply of another type: %v", err)
	}
	for v, err := range typed.RequestAll[float64](soon(t), a, "price", order{"3", 1}) {
		if err != nil || v != 2 {
			t.Errorf("all: %v %v", v, err)
		}
	}
}

// What cannot be decoded is an item, not a gap.
func TestDecodeErrorIsAnItem(t *testing.T) {
	a, b := meshtest.Pair(t)
	msgs, err := typed.Subscribe[order](soon(t), b, "orders")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"id":"1","eur":1}`, `{"id":`, `{"id":"3","eur":3}`} {
		if _, err := a.Publish(soon(t), "orders", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	i := 0
	for m, err := range msgs {
		if bad := i == 1; bad != errors.Is(err, typed.ErrDecode) {
			t.Errorf("item %d: %+v %v", i, m.Value, err)
		}
		if i++; i == 3 {
			break
		}
	}
}
