package mesh

import "strings"

// List is the attribute value that holds these items: sorted, each once, and
// quoted where needed. ValidAttributes checks the items.
//
//	Attributes{"caps": List("pdf", "gpu")} // caps=[gpu,pdf]
func List(items ...string) string {
	v := listValue(append([]string(nil), items...))
	return v.text
}

// isList tells a list from a plain text: no plain text begins with [.
func isList(s string) bool { return strings.HasPrefix(s, "[") }

// elements walks over the items of an attribute, without allocation and
// whatever its bytes are. A plain text has one item.
type elements struct {
	rest string
	list bool
	done bool
}

func elementsOf(s string) elements {
	if !isList(s) {
		return elements{rest: s}
	}
	s = strings.TrimSuffix(s[1:], "]")
	return elements{rest: s, list: true, done: s == ""}
}

func (e *elements) next() (item string, ok bool) {
	if e.done {
		return "", false
	}
	e.done = true
	if !e.list {
		return e.rest, true
	}
	end := 0
	if strings.HasPrefix(e.rest, `"`) {
		end = 1 + strings.IndexByte(e.rest[1:], '"') // 0: it is not closed, and stands as it is
	}
	comma := strings.IndexByte(e.rest[end:], ',')
	item = e.rest
	if comma >= 0 {
		item, e.rest, e.done = e.rest[:end+comma], e.rest[end+comma+1:], false
	}
	if end > 0 {
		item = item[1:end]
	}
	return item, true
}

// superset reports that an attribute holds all of the items, which are sorted.
func superset(have string, items []string) bool {
	e := elementsOf(have)
	for len(items) > 0 {
		item, ok := e.next()
		if !ok {
			return false
		}
		if item == items[0] {
			items = items[1:]
		}
	}
	return true
}

// subset reports that an attribute holds none but these items, which are sorted.
func subset(have string, items []string) bool {
	e := elementsOf(have)
	for item, ok := e.next(); ok; item, ok = e.next() {
		for len(items) > 0 && items[0] < item {
			items = items[1:]
		}
		if len(items) == 0 || items[0] != item {
			return false
		}
	}
	return true
}
