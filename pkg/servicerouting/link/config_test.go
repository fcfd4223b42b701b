package link

import (
	"strings"
	"testing"
	"time"
)

func TestConfigNamesTheField(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for field, set := range map[string]func(c *Config){
		"Window":      func(c *Config) { c.Window = MinWindow - 1 },
		"Suspect":     func(c *Config) { c.Suspect = -1 },
		"Cut":         func(c *Config) { c.Cut = time.Second },
		"IdlePing":    func(c *Config) { c.IdlePing = 0 },
		"MaxControl":  func(c *Config) { c.MaxControl = 100 },
		"RelayWait":   func(c *Config) { c.RelayWait = 0 },
		"RetainBytes": func(c *Config) { c.RetainBytes = -1 },
		"Now":         func(c *Config) { c.Now = nil },
	} {
		c := DefaultConfig()
		set(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s out of range: %v", field, err)
		}
	}
}
