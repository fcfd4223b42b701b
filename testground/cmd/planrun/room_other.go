//go:build unix && !linux

package main

import "syscall"

// room is where processes are started: here, on the machine's network.
type room struct{ processes }

func newRoom() (*room, error) { return new(room), nil }

// String tells where it happens.
func (r *room) String() string { return "on this machine's network" }

// do runs f.
func (r *room) do(f func()) { f() }

// close ends all processes.
func (r *room) close() { r.killAll() }

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
