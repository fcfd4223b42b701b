package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"github.com/meshnode/meshnode/pkg/api"
)

const maxConfigFile = 1 << 20

// origins tells where the value of each key comes from.
type origins map[string]string

// source is one layer of the configuration, applied over the ones before.
type source func(s *settings, from origins) error

// load merges the layers: flag over environment over file over profile over
// default. The profile itself may be named by any layer. file may be empty.
func (a *app) load(file string, flags *pflag.FlagSet) (settings, origins, error) {
	from := origins{}
	for _, f := range fields {
		from[f.key] = "default"
	}
	layers := []source{fromFile(file), a.fromEnv, a.fromFlags(flags)}
	probe := defaults()
	for _, layer := range layers {
		if err := layer(&probe, origins{}); err != nil {
			return probe, nil, err
		}
	}
	s := defaults()
	s.Profile = probe.Profile
	for _, key := range s.ofProfile() {
		from[key] = "profile " + s.Profile
	}
	for _, layer := range layers {
		if err := layer(&s, from); err != nil {
			return s, nil, err
		}
	}
	if layer, _, _ := strings.Cut(from["ephemeral"], " "); s.Ephemeral && strings.HasPrefix(from["data_dir"], layer+" ") {
		return s, nil, api.Fail(api.ErrConfig, "ephemeral and data_dir %q exclude each other", s.DataDir)
	}
	if err := a.fill(&s); err != nil {
		return s, nil, err
	}
	return s, from, s.validate()
}

func fromFile(file string) source {
	return func(s *settings, from origins) error {
		if file == "" {
			return nil
		}
		b, err := readConfig(file)
		if err != nil {
			return err
		}
		return decodeConfig(file, b, s, from)
	}
}

func readConfig(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, api.Fail(api.ErrConfig, "config file: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return nil, api.Fail(api.ErrConfig, "config file: %w", err)
	}
	if len(b) > maxConfigFile {
		return nil, api.Fail(api.ErrConfig, "config file %s: more than %d bytes", file, maxConfigFile)
	}
	return b, nil
}

// decodeConfig refuses unknown keys, with the line and a caret under the key.
func decodeConfig(file string, b []byte, s *settings, from origins) error {
	fail := func(err error) error {
		return api.Fail(api.ErrConfig, "%s: %s", file, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	var present map[string]any
	if err := yaml.Unmarshal(b, &present); err != nil {
		return fail(err)
	}
	if len(present) == 0 {
		return nil // decoding nothing would clear the defaults
	}
	dec := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := dec.Decode(s); err != nil {
		return fail(err)
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return api.Fail(api.ErrConfig, "%s: a second document begins after ---", file)
	}
	for key := range present {
		from[key] = "file " + file
	}
	return nil
}

func (a *app) fromEnv(s *settings, from origins) error {
	for _, f := range fields {
		v := a.getenv(f.env())
		if v == "" {
			continue
		}
		values := []string{v}
		if _, isList := f.ptr(s).(*[]string); isList {
			values = strings.Split(v, ",")
		}
		if err := set(f.ptr(s), values...); err != nil {
			return api.Fail(api.ErrConfig, "%s=%q: %w", f.env(), v, err)
		}
		from[f.key] = "env " + f.env()
	}
	return nil
}

func (a *app) fromFlags(flags *pflag.FlagSet) source {
	return func(s *settings, from origins) error {
		for _, f := range fields {
			fl := flags.Lookup(f.flag)
			if f.flag == "" || fl == nil || !fl.Changed {
				continue
			}
			values := []string{fl.Value.String()}
			if sl, ok := fl.Value.(pflag.SliceValue); ok {
				values = sl.GetSlice()
			}
			if err := set(f.ptr(s), values...); err != nil {
				return api.Fail(api.ErrUsage, "--%s %q: %w", f.flag, fl.Value, err)
			}
			from[f.key] = "flag --" + f.flag
		}
		if off, err := flags.GetBool("no-mdns"); err == nil && flags.Changed("no-mdns") {
			s.MDNS, from["mdns"] = !off, "flag --no-mdns"
		}
		if len(a.apis) > 0 {
			s.API, from["api"] = a.apis, "flag --api"
		}
		if a.tokenFile != "" {
			s.TokenFile, from["token_file"] = a.tokenFile, "flag --token-file"
		}
		return nil
	}
}

// settingFlags declares the flags of the fields.
func settingFlags(flags *pflag.FlagSet) {
	d := defaults()
	for _, f := range fields {
		if f.flag == "" {
			continue
		}
		switch p := f.ptr(&d).(type) {
		case *string:
			flags.String(f.flag, *p, f.usage)
		case *[]string:
			flags.StringArray(f.flag, *p, f.usage)
		case *bool:
			flags.Bool(f.flag, *p, f.usage)
		default:
			flags.Duration(f.flag, d.DrainTimeout, f.usage)
		}
	}
	flags.Bool("no-mdns", false, "do not look for nodes on the LAN")
	flags.String("config", "", "config `file`; default: meshnode.yaml in $XDG_CONFIG_HOME/meshnode or /etc/meshnode")
}

// chosenConfig is the file to read: --config, MESHNODE_CONFIG, or the usual
// places.
func (a *app) chosenConfig(flags *pflag.FlagSet) string {
	if f, err := flags.GetString("config"); err == nil && f != "" {
		return f
	}
	if f := a.getenv("MESHNODE_CONFIG"); f != "" {
		return f
	}
	return a.configFile()
}
