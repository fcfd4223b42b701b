package scenarios

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/parser"

	"github.com/meshnode/meshnode/internal/sim"
)

// Set changes one value: "topology.degree=6". An entry of a list is named by
// its number or its name: "traffic.0.rate=2", "traffic.orders.rate=2". A list
// or a table is given in YAML, and no value at all gives back the default.
// Errors name the key.
func Set(s *sim.Scenario, assignment string) error {
	key, text, ok := strings.Cut(assignment, "=")
	key = strings.TrimSpace(key)
	if !ok || key == "" {
		return fmt.Errorf("%q: want KEY=VALUE, as in topology.degree=6", assignment)
	}
	return assign(reflect.ValueOf(s).Elem(), "", strings.Split(key, "."), text)
}

// assign walks down the rest of a key from v, which is what path names.
func assign(v reflect.Value, path string, rest []string, text string) error {
	if len(rest) == 0 {
		return assignHere(v, path, text)
	}
	switch v.Kind() {
	case reflect.Struct:
		f, ok := field(v, rest[0])
		if !ok {
			return fmt.Errorf("%s is no key%s", join(path, rest[0]), suggest(rest[0], keys(v.Type())))
		}
		return assign(f, join(path, rest[0]), rest[1:], text)
	case reflect.Slice:
		i, used, err := entry(v, path, rest)
		if err != nil {
			return err
		}
		return assign(v.Index(i), join(path, strings.Join(rest[:used], ".")), rest[used:], text)
	case reflect.Map:
		return assignEntry(v, path, strings.Join(rest, "."), text)
	}
	return fmt.Errorf("%s is one value and has no %q", path, strings.Join(rest, "."))
}

// entry finds the entry of a list that the first words of rest name, and how
// many words its name has: a name may hold dots.
func entry(v reflect.Value, path string, rest []string) (i, used int, err error) {
	if i, err := strconv.Atoi(rest[0]); err == nil {
		if i < 0 || i >= v.Len() {
			return 0, 0, fmt.Errorf("%s.%d: there are %d of them, counted from 0", path, i, v.Len())
		}
		return i, 1, nil
	}
	var names []string
	found := 0
	for k := range v.Len() {
		name := entryName(v.Index(k))
		names = append(names, name)
		words := strings.Count(name, ".") + 1
		if name != "" && len(rest) >= words && strings.Join(rest[:words], ".") == name {
			i, used = k, words
			found++
		}
	}
	switch found {
	case 0:
		return 0, 0, fmt.Errorf("%s is no key%s", join(path, rest[0]), suggest(rest[0], names))
	case 1:
		return i, used, nil
	}
	return 0, 0, fmt.Errorf("%s names %d entries; give the number instead, as in %s.%d", join(path, rest[0]), found, path, i)
}

// entryName is what people call an entry of a list: its name or its kind.
func entryName(v reflect.Value) string {
	if v.Kind() != reflect.Struct {
		return ""
	}
	for _, key := range []string{"name", "kind", "what"} {
		if f, ok := field(v, key); ok && f.String() != "" {
			return f.String()
		}
	}
	return ""
}

func assignEntry(v reflect.Value, path, key, text string) error {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	if text == "" {
		v.SetMapIndex(reflect.ValueOf(key), reflect.Value{})
		return nil
	}
	item := reflect.New(v.Type().Elem()).Elem()
	if err := assignHere(item, join(path, key), text); err != nil {
		return err
	}
	v.SetMapIndex(reflect.ValueOf(key), item)
	return nil
}

func assignHere(v reflect.Value, path, text string) error {
	if text == "" {
		v.SetZero()
		return nil
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Map:
	default:
		if err := setLeaf(v, text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	if len(text) > MaxFile {
		return fmt.Errorf("%s: more than %d bytes", path, MaxFile)
	}
	tree, err := parser.ParseBytes([]byte(text), 0)
	if err != nil || len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return fmt.Errorf("%s: %q is no YAML", path, text)
	}
	fresh := reflect.New(v.Type()).Elem()
	if err := bind(tree.Docs[0].Body, fresh, path); err != nil {
		if m, ok := errors.AsType[*misfit](err); ok {
			return errors.New(m.problem)
		}
		return err
	}
	v.Set(fresh)
	return nil
}
