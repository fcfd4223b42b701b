package scenarios

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/meshnode/meshnode/internal/sim"
)

// MaxFile is the largest scenario file, in bytes.
const MaxFile = 64 << 10

// Parse reads a scenario; file names it in errors, which are *Error. What the
// text does not mention is zero, which stands for the default.
func Parse(file string, text []byte) (*sim.Scenario, error) {
	fail := func(at *token.Token, problem string) error {
		e := &Error{File: file, Problem: problem, source: string(text)}
		if at != nil && at.Position != nil {
			e.Line, e.Column = at.Position.Line, at.Position.Column
		}
		return e
	}
	if len(text) > MaxFile {
		return nil, fail(nil, fmt.Sprintf("more than %d bytes", MaxFile))
	}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		if syntax, ok := errors.AsType[yaml.Error](err); ok {
			return nil, fail(syntax.GetToken(), syntax.GetMessage())
		}
		return nil, fail(nil, err.Error())
	}
	docs := tree.Docs
	for len(docs) > 0 && docs[len(docs)-1].Body == nil {
		docs = docs[:len(docs)-1]
	}
	switch {
	case len(docs) == 0:
		return nil, fail(nil, "it is empty")
	case len(docs) > 1:
		return nil, fail(docs[1].Start, "a second document begins here; a file holds one scenario")
	}
	s := new(sim.Scenario)
	if err := bind(docs[0].Body, reflect.ValueOf(s).Elem(), ""); err != nil {
		if m, ok := errors.AsType[*misfit](err); ok {
			return nil, fail(m.at, m.problem)
		}
		return nil, fail(nil, err.Error())
	}
	return s, nil
}

// bind fills v from a node; path is the key that leads to it, for errors.
func bind(n ast.Node, v reflect.Value, path string) error {
	switch n.(type) {
	case *ast.NullNode:
		v.SetZero()
		return nil
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode, *ast.MergeKeyNode:
		return misfitf(n.GetToken(), "%s: anchors, aliases and tags are not read in scenarios", orRoot(path))
	}
	switch v.Kind() {
	case reflect.Struct:
		return bindStruct(n, v, path)
	case reflect.Map:
		return bindMap(n, v, path)
	case reflect.Slice:
		return bindSlice(n, v, path)
	}
	text, ok := scalar(n)
	if !ok {
		return misfitf(n.GetToken(), "%s: want one value, not %s", orRoot(path), shape(n))
	}
	if err := setLeaf(v, text); err != nil {
		return misfitf(n.GetToken(), "%s: %v", path, err)
	}
	return nil
}

func bindStruct(n ast.Node, v reflect.Value, path string) error {
	return eachEntry(n, path, func(key string, e *ast.MappingValueNode) error {
		f, ok := field(v, key)
		if !ok {
			return misfitf(e.Key.GetToken(), "%s is no key%s", join(path, key), suggest(key, keys(v.Type())))
		}
		return bind(e.Value, f, join(path, key))
	})
}

func bindMap(n ast.Node, v reflect.Value, path string) error {
	out := reflect.MakeMap(v.Type())
	err := eachEntry(n, path, func(key string, e *ast.MappingValueNode) error {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := bind(e.Value, item, join(path, key)); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(key), item)
		return nil
	})
	if err == nil {
		v.Set(out)
	}
	return err
}

func bindSlice(n ast.Node, v reflect.Value, path string) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return misfitf(n.GetToken(), "%s: want a list, not %s", path, shape(n))
	}
	out := reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values))
	for i, item := range list.Values {
		if err := bind(item, out.Index(i), fmt.Sprintf("%s.%d", path, i)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

// eachEntry walks over the keys of a mapping. That none is there twice is the
// parser's to check.
func eachEntry(n ast.Node, path string, do func(key string, e *ast.MappingValueNode) error) error {
	var entries []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		return misfitf(n.GetToken(), "%s: want keys and values, not %s", orRoot(path), shape(n))
	}
	for _, e := range entries {
		key, ok := scalar(e.Key)
		if !ok {
			return misfitf(e.Key.GetToken(), "%s: a key is one word", orRoot(path))
		}
		if err := do(key, e); err != nil {
			return err
		}
	}
	return nil
}

// scalar gives the text of a value as it was written, so that a version 1.10
// does not become 1.1.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// shape names what a node is, for errors.
func shape(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	}
	return "one value"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func orRoot(path string) string {
	if path == "" {
		return "the scenario"
	}
	return path
}
