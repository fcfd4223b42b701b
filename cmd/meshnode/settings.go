package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// settings is what a daemon starts from. The file has these keys; the table
// of fields below gives each its flag, its variable and its meaning.
type settings struct {
	Name           string        `yaml:"name" json:"name"`
	Network        string        `yaml:"network" json:"network"`
	NetworkKeyFile string        `yaml:"network_key_file" json:"network_key_file"`
	Profile        string        `yaml:"profile" json:"profile"`
	Zone           string        `yaml:"zone" json:"zone"`
	Listen         []string      `yaml:"listen" json:"listen"`
	Join           []string      `yaml:"join" json:"join"`
	MDNS           bool          `yaml:"mdns" json:"mdns"`
	DataDir        string        `yaml:"data_dir" json:"data_dir"`
	Ephemeral      bool          `yaml:"ephemeral" json:"ephemeral"`
	API            []string      `yaml:"api" json:"api"`
	TokenFile      string        `yaml:"token_file" json:"token_file"`
	LogLevel       string        `yaml:"log_level" json:"log_level"`
	DrainTimeout   time.Duration `yaml:"drain_timeout" json:"drain_timeout"`
}

// field describes one setting.
type field struct {
	key    string
	flag   string // empty: no flag of its own
	usage  string // `back quotes` name the value in the help
	values []string
	ptr    func(*settings) any
}

func (f field) env() string { return "MESHNODE_" + strings.ToUpper(f.key) }

var profiles = []string{"lan", "edge", "server", "relay"}

var fields = []field{
	{"name", "name", "`name` of the node and of its context; default: the host's", nil, func(s *settings) any { return &s.Name }},
	{"network", "network", "`name` of the network to be in", nil, func(s *settings) any { return &s.Network }},
	{"network_key_file", "network-key-file", "`file` (mode 0600) with the network's key, 64 hexadecimal digits; without it the network is open", nil, func(s *settings) any { return &s.NetworkKeyFile }},
	{"profile", "profile", "size and role: lan, edge, server or relay", profiles, func(s *settings) any { return &s.Profile }},
	{"zone", "zone", "where the node is, the widest `level` first: region=eu,rack=7; of several able providers those that share more of it are asked first", nil, func(s *settings) any { return &s.Zone }},
	{"listen", "listen", "`multiaddr` to listen on, may be repeated; default: a free TCP and UDP port of every interface, 7471 for server and relay", nil, func(s *settings) any { return &s.Listen }},
	{"join", "join", "`multiaddr` with /p2p/ID of a node to stay connected to, may be repeated", nil, func(s *settings) any { return &s.Join }},
	{"mdns", "", "find nodes on the LAN by mDNS", nil, func(s *settings) any { return &s.MDNS }},
	{"data_dir", "data-dir", "`directory` of identity and peers; default: by name, in $XDG_STATE_HOME/meshnode", nil, func(s *settings) any { return &s.DataDir }},
	{"ephemeral", "ephemeral", "keep the identity in memory and leave nothing behind", nil, func(s *settings) any { return &s.Ephemeral }},
	{"api", "", "addresses of the local API: a socket's path, or 127.0.0.1:PORT with a token; default: a socket by name, in $XDG_RUNTIME_DIR/meshnode", nil, func(s *settings) any { return &s.API }},
	{"token_file", "", "file with the token for TCP addresses of the API, made when missing; default: api.token in the data directory", nil, func(s *settings) any { return &s.TokenFile }},
	{"log_level", "log-level", "`level` of the log: debug, info, warn, error; part=level for one part, several with commas", nil, func(s *settings) any { return &s.LogLevel }},
	{"drain_timeout", "drain-timeout", "how long going down may take to finish what is in flight", nil, func(s *settings) any { return &s.DrainTimeout }},
}

func defaults() settings {
	return settings{
		Network: "default", Profile: "lan", MDNS: true,
		LogLevel: "warn", DrainTimeout: 10 * time.Second,
	}
}

// meshPort is the well-known port of nodes that others must find.
const meshPort = "7471"

// ofProfile changes the defaults for nodes on internet hosts, and names the
// keys it changed.
func (s *settings) ofProfile() []string {
	if s.Profile != "server" && s.Profile != "relay" {
		return nil
	}
	s.MDNS = false
	s.Listen = nil
	for _, ip := range []string{"/ip4/0.0.0.0", "/ip6/::"} {
		s.Listen = append(s.Listen, ip+"/tcp/"+meshPort, ip+"/udp/"+meshPort+"/quic-v1")
	}
	return []string{"mdns", "listen"}
}

// set reads a setting's text form; lists take several values.
func set(ptr any, values ...string) error {
	last := values[len(values)-1]
	var err error
	switch p := ptr.(type) {
	case *string:
		*p = last
	case *[]string:
		*p = values
	case *bool:
		if *p, err = strconv.ParseBool(last); err != nil {
			return fmt.Errorf("want true or false")
		}
	case *time.Duration:
		if *p, err = time.ParseDuration(last); err != nil {
			return fmt.Errorf("want a duration such as 10s")
		}
	}
	return nil
}

// fill completes what depends on other settings.
func (a *app) fill(s *settings) error {
	if s.Name == "" {
		s.Name = hostName()
	}
	switch {
	case s.Ephemeral:
		s.DataDir = ""
	case s.DataDir == "":
		dir, err := a.stateDir()
		if err != nil {
			return err
		}
		s.DataDir = filepath.Join(dir, s.Name)
	default:
		abs, err := filepath.Abs(s.DataDir)
		if err != nil {
			return err
		}
		s.DataDir = abs
	}
	if len(s.API) == 0 {
		s.API = []string{"unix://" + filepath.Join(a.runDir(), s.Name+".sock")}
	}
	if s.TokenFile == "" {
		s.TokenFile = a.passingToken(s.Name)
		if s.DataDir != "" {
			s.TokenFile = filepath.Join(s.DataDir, "api.token")
		}
	}
	return nil
}

// validate names the first field that cannot be used, its value and what is
// allowed.
func (s *settings) validate() error {
	bad := func(key, value, want string) error {
		return api.Fail(api.ErrConfig, "%s: %q: %s", key, value, want)
	}
	for key, value := range map[string]string{"name": s.Name, "network": s.Network} {
		if err := mesh.ValidName(key, value); err != nil {
			return bad(key, value, fmt.Sprintf("want 1 to %d of a-z 0-9 . _ -", mesh.MaxName))
		}
	}
	if !contains(profiles, s.Profile) {
		return bad("profile", s.Profile, "want lan, edge, server or relay")
	}
	node := meshnode.DefaultConfig()
	node.Zone = s.Zone
	if err := node.Validate(); err != nil {
		return api.Fail(api.ErrConfig, "%w", err)
	}
	for _, l := range s.Listen {
		if _, err := multiaddr.NewMultiaddr(l); err != nil {
			return bad("listen", l, "want a multiaddr such as /ip4/0.0.0.0/tcp/7471")
		}
	}
	for _, j := range s.Join {
		if _, err := peer.AddrInfoFromString(j); err != nil {
			return bad("join", j, "want a multiaddr with the node's ID, such as /ip4/192.0.2.1/tcp/7471/p2p/12D3KooW…")
		}
	}
	for _, addr := range s.API {
		if _, _, err := api.ParseAddr(addr); err != nil {
			return fmt.Errorf("api: %w", err)
		}
	}
	if _, err := parseLevels(s.LogLevel); err != nil {
		return api.Fail(api.ErrConfig, "log_level: %w", err)
	}
	if d := s.DrainTimeout; d <= 0 || d > mesh.MaxLifetime {
		return bad("drain_timeout", d.String(), "want more than 0 and up to "+mesh.MaxLifetime.String())
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
