package main

import (
	"strings"
	"time"
)

// value is what a field's pointer points to, as JSON shows it.
func value(ptr any) any {
	switch p := ptr.(type) {
	case *string:
		return *p
	case *[]string:
		if *p == nil {
			return []string{}
		}
		return *p
	case *bool:
		return *p
	case *time.Duration:
		return p.String()
	}
	return nil
}

// schema describes the file in JSON Schema (2020-12), from the table of
// fields.
func schema() map[string]any {
	d := defaults()
	properties := map[string]any{}
	for _, f := range fields {
		p := map[string]any{"description": strings.ReplaceAll(f.usage, "`", "")}
		v := value(f.ptr(&d))
		switch f.ptr(&d).(type) {
		case *string:
			p["type"] = "string"
		case *[]string:
			p["type"] = "array"
			p["items"] = map[string]any{"type": "string"}
		case *bool:
			p["type"] = "boolean"
		case *time.Duration:
			p["type"] = "string"
			p["pattern"] = `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
		}
		if v != "" {
			p["default"] = v
		}
		if f.values != nil {
			p["enum"] = f.values
		}
		properties[f.key] = p
	}
	return map[string]any{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "meshnode.yaml",
		"type":                 "object",
		"additionalProperties": false,
		"properties":           properties,
	}
}
