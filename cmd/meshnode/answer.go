package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"text/template"
	"time"

	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// answerFunc makes the answer to the n-th item.
type answerFunc func(ctx context.Context, w *api.Work, n int64) (api.Reply, error)

// answerer picks the one way to answer that was asked for.
func answerer(args []string, echo bool, command string) (answerFunc, error) {
	ways := len(args)
	if echo {
		ways++
	}
	if command != "" {
		ways++
	}
	switch {
	case ways != 1:
		return nil, api.Fail(api.ErrUsage, "say how to answer: a template, --echo or --exec, one of them")
	case echo:
		return answerEcho, nil
	case command != "":
		return answerExec(command), nil
	}
	t, err := template.New("reply").Option("missingkey=zero").Parse(args[0])
	if err != nil {
		return nil, api.Fail(api.ErrUsage, "%w", err)
	}
	return answerTemplate(t), nil
}

func answerEcho(_ context.Context, w *api.Work, _ int64) (api.Reply, error) {
	return api.Reply{ContentType: w.ContentType, Headers: w.Headers, Body: w.Body}, nil
}

func answerTemplate(t *template.Template) answerFunc {
	return func(_ context.Context, w *api.Work, n int64) (api.Reply, error) {
		out := &capped{left: mesh.MaxPayload}
		err := t.Execute(out, map[string]any{
			"Request": string(w.Bytes()), "Count": n, "ID": w.ID, "Headers": w.Headers,
		})
		if err != nil {
			return api.Reply{}, err
		}
		return api.Reply{ContentType: "text/plain; charset=utf-8", Body: api.MakeBody(out.Bytes())}, nil
	}
}

func answerExec(command string) answerFunc {
	return func(ctx context.Context, w *api.Work, _ int64) (api.Reply, error) {
		out, complaint := &capped{left: mesh.MaxPayload}, &tail{}
		cmd := exec.CommandContext(ctx, "sh", "-c", command)
		cmd.Stdin = bytes.NewReader(w.Bytes())
		cmd.Stdout, cmd.Stderr = out, complaint
		cmd.Env = append(os.Environ(), "MESHNODE_ID="+w.ID, "MESHNODE_FROM="+w.From.String(), "MESHNODE_SERVICE="+w.To)
		cmd.WaitDelay = time.Second // for children that keep the pipes open
		if err := cmd.Run(); err != nil {
			if s := strings.TrimSpace(string(complaint.b)); s != "" {
				return api.Reply{}, fmt.Errorf("%w: %s", err, s)
			}
			return api.Reply{}, err
		}
		return api.Reply{Body: api.MakeBody(out.Bytes())}, nil
	}
}

// capped refuses more bytes than a payload may have.
type capped struct {
	bytes.Buffer
	left int
}

func (c *capped) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes: %w", mesh.MaxPayload, mesh.ErrTooLarge)
	}
	return c.Buffer.Write(b)
}

// ReadFrom would go around Write's limit.
func (c *capped) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}

// tail keeps the last bytes written.
type tail struct{ b []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.b = append(t.b, b...)
	if n := len(t.b) - mesh.MaxDetail/2; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(b), nil
}
