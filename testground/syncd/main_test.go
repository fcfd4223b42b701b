package main

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// TestRun: it says where it listens, and ends with its standard input.
func TestRun(t *testing.T) {
	in, hold := io.Pipe()
	say, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run([]string{"0"}, in, out) }()
	line, err := bufio.NewReader(say).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strings.TrimSpace(line))
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("nothing listens at the port it names: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := hold.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		_ = c.Close()
		t.Error("it has ended, and something still listens")
	}
}

func TestRunRefusesArguments(t *testing.T) {
	for _, args := range [][]string{{"x"}, {"1", "2"}} {
		if err := run(args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("arguments %q were taken", args)
		}
	}
}
