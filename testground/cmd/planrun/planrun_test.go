//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const root = "../../.."

func TestParse(t *testing.T) {
	o, err := parse([]string{"--root", root, "churn", "--instances", "7", "--direct", "--param", "rate=2", "--param", "seed=3"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.testcase != "churn" || o.instances != 7 || !o.direct || o.params.String() != "rate=2 seed=3" {
		t.Errorf("parsed %+v", o)
	}
	for line, want := range map[string]string{
		"":                           "no case named",
		"churn partition":            "name one case",
		"churn --instances 1":        "need 2 to",
		"churn --param rate":         "need NAME=VALUE",
		"churn --param rate=1|seed=": "need NAME=VALUE",
		"churn --root /nowhere":      "no plan there",
	} {
		args := append([]string{"--root", root}, strings.Fields(line)...)
		if _, err := parse(args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

func line(event string) string { return fmt.Sprintf(`{"ts":1,"msg":"","event":%s}`+"\n", event) }

var (
	succeeded = line(`{"success_event":{"group":"all"}}`)
	summed    = line(`{"message_event":{"message":"summary: {\"figures\":{\"hops.mean\":2.5},\"outcomes\":{\"ok\":3}}"}}`)
)

func TestScan(t *testing.T) {
	for name, c := range map[string]struct {
		said []string // by each of two instances
		want string   // part of the error; empty: none
	}{
		"all is well":         {[]string{"noise\n" + summed + succeeded, succeeded}, ""},
		"one fails":           {[]string{summed + succeeded, line(`{"failure_event":{"error":"no way"}}`)}, "no way"},
		"one crashes":         {[]string{summed + succeeded, line(`{"crash_event":{"error":"nil map"}}`)}, "crash: nil map"},
		"one says nothing":    {[]string{summed + succeeded, ""}, "1 of 2 instances succeeded"},
		"no figures":          {[]string{succeeded, succeeded}, "no figures"},
		"success, said twice": {[]string{summed + succeeded + succeeded, ""}, "1 of 2 instances succeeded"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for i, said := range c.said {
				out := filepath.Join(dir, "run", fmt.Sprint(i))
				if err := errors.Join(os.MkdirAll(out, 0o755), os.WriteFile(filepath.Join(out, "run.out"), []byte(said), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			err := collect(&options{testcase: "multihop", instances: 2}, dir).failed()
			if c.want == "" && err != nil {
				t.Error(err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestPrint(t *testing.T) {
	r := &result{Case: "multihop", Instances: 2}
	if err := r.scan(strings.NewReader(summed + succeeded)); err != nil {
		t.Fatal(err)
	}
	var table, object bytes.Buffer
	if err := errors.Join(r.print(&table, false), r.print(&object, true)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 of 2 instances", "hops.mean   2.5", "outcome ok  3"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, &table)
		}
	}
	if want := `"hops.mean":2.5`; !strings.Contains(object.String(), want) {
		t.Errorf("the JSON does not say %s: %s", want, &object)
	}
}

func TestFirstLine(t *testing.T) {
	var rest bytes.Buffer
	f := &firstLine{rest: &rest, line: make(chan string, 1)}
	for _, part := range []string{"50", "50\nand a", " log\n", "more\n"} {
		if _, err := io.WriteString(f, part); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-f.line; got != "5050" || rest.String() != "and a log\nmore\n" {
		t.Errorf("first line %q, then %q", got, &rest)
	}
}

func TestRoomEndsWhatItStarted(t *testing.T) {
	r, err := newRoom()
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.start(exec.Command("sleep", "600"), logFile(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("no time"))
	if err := p.wait(ctx); err == nil || err.Error() != "no time" {
		t.Errorf("waiting for it: %v", err)
	}
	r.close()
	select {
	case <-p.done:
	default:
		t.Error("the process is still there")
	}
}

func TestAwaitAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan int, 3)
		ended <- 1
		ended <- 0
		ended <- 2
		if err := awaitAll(t.Context(), 3, ended, func(int) bool { return true }); err != nil {
			t.Error(err)
		}
		begin := time.Now()
		ended <- 1
		err := awaitAll(t.Context(), 3, ended, func(int) bool { return false })
		if err == nil || !strings.Contains(err.Error(), "instance 2 of 3 ended without a word") || time.Since(begin) != patience {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
	})
}

func TestEndAsksFirst(t *testing.T) {
	r, err := newRoom()
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	log := logFile(t)
	cmd := exec.Command("sh", "-c", `trap 'echo asked; exit 0' INT; echo up; while :; do sleep 0.05; done`)
	out := &firstLine{rest: log, line: make(chan string, 1)}
	cmd.Stdout = out
	p, err := r.start(cmd, log)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-out.line:
	case <-time.After(30 * time.Second):
		t.Fatal("it did not come up")
	}
	p.end()
	if b, err := os.ReadFile(log.Name()); err != nil || string(b) != "asked\n" {
		t.Errorf("it said %q, %v", b, err)
	}
}

func TestCheckPorts(t *testing.T) {
	r, err := newRoom()
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	var l net.Listener
	r.do(func() { l, err = net.Listen("tcp", fmt.Sprintf(":%d", redisPort)) })
	if err == nil { // else somebody else has it, which is as good
		defer func() { _ = l.Close() }()
	}
	if err := checkPorts(r); err == nil || !strings.Contains(err.Error(), "6379") {
		t.Errorf("with Redis's port taken: %v", err)
	}
}

func logFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
