package mesh

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	_, id := identity(t, 1)
	for _, tt := range []struct {
		in        string
		want      Address
		canonical string // empty: as in
	}{
		{in: "orders", want: Service("orders")},
		{in: "a.b_c-9", want: Service("a.b_c-9")},
		{in: strings.Repeat("x", MaxName), want: Service(strings.Repeat("x", MaxName))},
		{in: "orders@blue", want: Address{Kind: KindService, Name: "orders", Network: "blue"}},
		{in: "orders{region=eu}@blue", want: Address{Kind: KindService, Name: "orders", Selector: selector(t, "region=eu"), Network: "blue"}},
		{
			in:        "orders{ region=eu , os=bsd }@blue",
			want:      Address{Kind: KindService, Name: "orders", Selector: selector(t, "os=bsd,region=eu"), Network: "blue"},
			canonical: "orders{os=bsd,region=eu}@blue",
		},
		{in: "node:" + id.String(), want: Node(id)},
		{in: "group:lobby", want: Group("lobby")},
	} {
		got, err := ParseAddress(tt.in)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParseAddress(%q) = %+v, %v; want %+v", tt.in, got, err, tt.want)
			continue
		}
		canonical := tt.canonical
		if canonical == "" {
			canonical = tt.in
		}
		if got.String() != canonical {
			t.Errorf("%q has the canonical form %q, want %q", tt.in, got, canonical)
		}
	}
}

func TestAddressErrors(t *testing.T) {
	long := strings.Repeat("x", MaxName)
	for _, tt := range []struct {
		in      string
		column  int
		problem string // a part of it
	}{
		{"", 1, "service name is missing"},
		{"Orders", 1, `'O' cannot be in`},
		{"or ders", 3, `unexpected ' '`},
		{"order\u00e9", 6, `unexpected 'é'`},
		{"\u00e9", 1, `'é' cannot be in`},
		{"a\x00", 2, `unexpected '\x00'`},
		{long + "y", MaxName + 1, "longer than 128"},
		{"orders{", 8, "a test such as region=eu is missing"},
		{"orders{}", 8, "a test such as region=eu is missing"},
		{"orders{region=}", 15, "a value is missing after ="},
		{"orders{region=eu", 17, "} is missing for the { in column 7"},
		{"orders{region=eu}x", 18, `unexpected 'x'`},
		{"orders {region=eu}", 7, `unexpected ' '`},
		{"orders@", 8, "network name is missing"},
		{"orders@blue@red", 12, `unexpected '@'`},
		{"@blue", 1, `'@' cannot be in`},
		{"node:", 6, "not a peer ID"},
		{"node:orders", 6, "not a peer ID"},
		{"node:16Uiu2HAmBdQxd7LbJYaAnaxHTrMa4xHCdCCNBfMCm2ThtSAmTC4k", 6, "not a peer ID"}, // a secp256k1 key, which no frame can carry
		{"group:", 7, "group name is missing"},
		{"group:lobby{a=b}", 12, `unexpected '{'`},
		{"group:lobby@blue", 12, `unexpected '@'`},
		{"topic:lobby", 6, `unexpected ':'`},
	} {
		a, err := ParseAddress(tt.in)
		var ae *AddressError
		switch {
		case !errors.As(err, &ae) || !errors.Is(err, ErrMalformed):
			t.Errorf("ParseAddress(%q) = %+v, %v; want an AddressError", tt.in, a, err)
		case ae.Column != tt.column || !strings.Contains(ae.Problem, tt.problem):
			t.Errorf("ParseAddress(%q): %v; want column %d: … %s", tt.in, err, tt.column, tt.problem)
		case !reflect.DeepEqual(a, Address{}):
			t.Errorf("ParseAddress(%q) = %+v with an error", tt.in, a)
		}
	}
}
