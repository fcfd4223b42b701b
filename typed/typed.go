package typed

import (
	"context"
	"iter"

	"github.com/meshnode/meshnode"
)

// Handle serves a service with a function of Go values. A message that cannot
// be decoded, or is invalid, is answered as a failure and not handled.
func Handle[In, Out any](n *meshnode.Node, service string, fn func(ctx context.Context, in In) (Out, error), opts ...meshnode.HandleOption) (*meshnode.Registration, error) {
	return n.Handle(service, func(ctx context.Context, m *meshnode.Message) (meshnode.Reply, error) {
		in, err := decode[In](m.Payload, m.ContentType)
		if err != nil {
			return meshnode.Reply{}, err
		}
		out, err := fn(ctx, in)
		if err != nil {
			return meshnode.Reply{}, err
		}
		b, contentType, err := encode(out)
		return meshnode.Reply{Payload: b, ContentType: contentType}, err
	}, opts...)
}

// Publish sends a value to one provider.
func Publish[T any](ctx context.Context, n *meshnode.Node, to string, v T, opts ...meshnode.SendOption) (meshnode.Receipt, error) {
	b, o, err := prepare(v, opts)
	if err != nil {
		return meshnode.Receipt{}, err
	}
	return n.Publish(ctx, to, b, o...)
}

// PublishAll sends a value to every provider.
func PublishAll[T any](ctx context.Context, n *meshnode.Node, to string, v T, opts ...meshnode.SendOption) ([]meshnode.Receipt, error) {
	b, o, err := prepare(v, opts)
	if err != nil {
		return nil, err
	}
	return n.PublishAll(ctx, to, b, o...)
}

// Broadcast sends a value to a group.
func Broadcast[T any](ctx context.Context, n *meshnode.Node, group string, v T, opts ...meshnode.SendOption) error {
	b, o, err := prepare(v, opts)
	if err != nil {
		return err
	}
	return n.Broadcast(ctx, group, b, o...)
}

// Request sends a value to one provider and gives its answer.
func Request[Out, In any](ctx context.Context, n *meshnode.Node, to string, in In, opts ...meshnode.SendOption) (Out, error) {
	var none Out
	b, o, err := prepare(in, opts)
	if err != nil {
		return none, err
	}
	r, err := n.Request(ctx, to, b, o...)
	if err != nil {
		return none, err
	}
	return decode[Out](r.Payload, r.ContentType)
}

// RequestAll sends a value to every provider and yields each answer; one that
// fails, or cannot be decoded, is an error among them.
func RequestAll[Out, In any](ctx context.Context, n *meshnode.Node, to string, in In, opts ...meshnode.SendOption) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		var none Out
		b, o, err := prepare(in, opts)
		if err != nil {
			yield(none, err)
			return
		}
		for r, err := range n.RequestAll(ctx, to, b, o...) {
			out := none
			if err == nil {
				out, err = decode[Out](r.Payload, r.ContentType)
			}
			if !yield(out, err) {
				return
			}
		}
	}
}

// Message is a message whose payload is decoded.
type Message[T any] struct {
	*meshnode.Message
	Value T
}

// Subscribe gives the messages of a service or a group. What cannot be
// decoded is an item with an error, never left out.
func Subscribe[T any](ctx context.Context, n *meshnode.Node, to string, opts ...meshnode.SubscribeOption) (iter.Seq2[Message[T], error], error) {
	msgs, err := n.Subscribe(ctx, to, opts...)
	if err != nil {
		return nil, err
	}
	return func(yield func(Message[T], error) bool) {
		for m, err := range msgs {
			out := Message[T]{Message: m}
			if err == nil {
				out.Value, err = decode[T](m.Payload, m.ContentType)
			}
			if !yield(out, err) {
				return
			}
		}
	}, nil
}

// prepare encodes a value; a content type among the options wins.
func prepare[T any](v T, opts []meshnode.SendOption) ([]byte, []meshnode.SendOption, error) {
	b, contentType, err := encode(v)
	if err != nil {
		return nil, nil, err
	}
	return b, append([]meshnode.SendOption{meshnode.WithContentType(contentType)}, opts...), nil
}
