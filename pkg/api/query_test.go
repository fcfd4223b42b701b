package api

import (
	"errors"
	"net/url"
	"testing"

	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestAttributesOfAQuery(t *testing.T) {
	for _, tt := range []struct {
		attr []string
		want string
		err  error
	}{
		{nil, "", nil},
		{[]string{"os=bsd"}, "os=bsd", nil},
		{[]string{"os=bsd", "caps=[pdf,gpu],mem=8GiB"}, "caps=[gpu,pdf],mem=8GiB,os=bsd", nil},
		{[]string{"os"}, "", mesh.ErrMalformed},
		{[]string{"os=bsd", "os=linux"}, "", ErrUsage},
	} {
		q := &query{values: url.Values{"attr": tt.attr}}
		got := q.attributes()
		if !errors.Is(q.err, tt.err) || tt.err == nil && got.String() != tt.want {
			t.Errorf("%q: %v, %v; want %q, %v", tt.attr, got, q.err, tt.want, tt.err)
		}
	}
}
