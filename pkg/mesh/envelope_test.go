package mesh

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/meshnode/meshnode/pkg/mesh/pb"
)

// wire encodes the sample after change, past the checks of Encode.
func wire(t testing.TB, change func(*pb.Envelope)) []byte {
	t.Helper()
	b, err := sampleEnvelope(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	var m pb.Envelope
	if err := proto.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	change(&m)
	if b, err = proto.Marshal(&m); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEnvelopeRefused gives both decoders what no node may send.
func TestEnvelopeRefused(t *testing.T) {
	created := moment.UnixMilli()
	for _, tt := range []struct {
		name   string
		change func(*pb.Envelope)
		want   error
		deep   bool // a relay does not look at it
	}{
		{"version 0", func(m *pb.Envelope) { m.Version = 0 }, ErrVersion, false},
		{"version 2", func(m *pb.Envelope) { m.Version = 2 }, ErrVersion, false},
		{"TTL 0", func(m *pb.Envelope) { m.Ttl = 0 }, ErrMalformed, false},
		{"TTL 11", func(m *pb.Envelope) { m.Ttl = MaxTTL + 1 }, ErrMalformed, false},
		{"TTL 2^31", func(m *pb.Envelope) { m.Ttl = 1 << 31 }, ErrMalformed, false},
		{"TTL 2^8+1", func(m *pb.Envelope) { m.Ttl = 1<<8 + 1 }, ErrMalformed, false},
		{"no id", func(m *pb.Envelope) { m.Id = nil }, ErrMalformed, false},
		{"zero id", func(m *pb.Envelope) { m.Id = make([]byte, 16) }, ErrMalformed, false},
		{"short id", func(m *pb.Envelope) { m.Id = m.Id[:15] }, ErrMalformed, false},
		{"no origin", func(m *pb.Envelope) { m.Origin = nil }, ErrMalformed, false},
		{"long origin", func(m *pb.Envelope) { m.Origin = append(m.Origin, 0) }, ErrMalformed, false},
		{"short network", func(m *pb.Envelope) { m.Network = m.Network[:8] }, ErrMalformed, false},
		{"short correlation", func(m *pb.Envelope) { m.Correlation = m.Correlation[:8] }, ErrMalformed, false},
		{"no address", func(m *pb.Envelope) { m.Address = "" }, ErrMalformed, false},
		{"mode 0", func(m *pb.Envelope) { m.Mode = 0 }, ErrMalformed, false},
		{"mode 3", func(m *pb.Envelope) { m.Mode = 3 }, ErrMalformed, false},
		{"mode 2^8+1", func(m *pb.Envelope) { m.Mode = 1<<8 + 1 }, ErrMalformed, false},
		{"class 4", func(m *pb.Envelope) { m.Class = 4 }, ErrMalformed, false},
		{"type 0", func(m *pb.Envelope) { m.Type = 0 }, ErrMalformed, false},
		{"type 2^8", func(m *pb.Envelope) { m.Type = 1 << 8 }, ErrMalformed, false},
		{"created in 1970", func(m *pb.Envelope) { m.Created = 0 }, ErrMalformed, false},
		{"created before all time", func(m *pb.Envelope) { m.Created = math.MinInt64 }, ErrMalformed, false},
		{"created after all time", func(m *pb.Envelope) { m.Created = math.MaxInt64 }, ErrMalformed, false},
		{"expires before all time", func(m *pb.Envelope) { m.Expires = math.MinInt64 }, ErrMalformed, false},
		{"expires after all time", func(m *pb.Envelope) { m.Expires = math.MaxInt64 }, ErrMalformed, false},
		{"a life of all time, and more", func(m *pb.Envelope) { m.Created, m.Expires = math.MinInt64, math.MaxInt64 }, ErrMalformed, false},
		{"a life that overflows to 1 ms", func(m *pb.Envelope) { m.Created, m.Expires = math.MaxInt64, math.MinInt64 }, ErrMalformed, false},
		{"expires at once", func(m *pb.Envelope) { m.Expires = created }, ErrMalformed, false},
		{"a life of 10 min and 1 ms", func(m *pb.Envelope) { m.Expires = created + 600_001 }, ErrMalformed, false},
		{"address not in canonical form", func(m *pb.Envelope) { m.Address = "orders{region=eu,os=bsd}" }, ErrMalformed, true},
		{"address with a bad name", func(m *pb.Envelope) { m.Address = "Orders" }, ErrMalformed, true},
		{"a payload of 1 MiB and 1", func(m *pb.Envelope) { m.Payload = make([]byte, MaxPayload+1) }, ErrTooLarge, true},
		{"65 headers", func(m *pb.Envelope) { m.Headers = headers(MaxHeaders+1, 1) }, ErrTooLarge, true},
		{"headers of over 16 KiB", func(m *pb.Envelope) { m.Headers = headers(MaxHeaders, 256) }, ErrTooLarge, true},
		{"a header twice", func(m *pb.Envelope) { m.Headers = append(m.Headers, m.Headers[0]) }, ErrMalformed, true},
		{"a header without name", func(m *pb.Envelope) { m.Headers[0].Name = "" }, ErrMalformed, true},
		{"status 2^16", func(m *pb.Envelope) { m.Status = 1 << 16 }, ErrMalformed, true},
		{"a long key", func(m *pb.Envelope) { m.Key = strings.Repeat("k", MaxName+1) }, ErrTooLarge, true},
		{"a long detail", func(m *pb.Envelope) { m.Detail = strings.Repeat("d", MaxDetail+1) }, ErrTooLarge, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := wire(t, tt.change)
			if e, err := DecodeEnvelope(b); !errors.Is(err, tt.want) || e != nil {
				t.Errorf("DecodeEnvelope = %+v, %v; want %v", e, err, tt.want)
			}
			if _, err := ParseView(b); (err != nil) == tt.deep || err != nil && !errors.Is(err, tt.want) {
				t.Errorf("ParseView = %v; want %v unless it is deep (%v)", err, tt.want, tt.deep)
			}
		})
	}
}

func headers(n, size int) (hs []*pb.Header) {
	for i := range n {
		hs = append(hs, &pb.Header{Name: fmt.Sprintf("h%03d", i), Value: strings.Repeat("v", size)})
	}
	return hs
}

// TestEncodeRefuses: what Encode makes, every node takes. So it refuses what
// the decoders would, before anything is signed.
func TestEncodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Envelope)
		want   error
	}{
		{"no address", func(e *Envelope) { e.Address = Address{} }, ErrMalformed},
		{"a bad name", func(e *Envelope) { e.Address = Service("Orders") }, ErrMalformed},
		{"a node without ID", func(e *Envelope) { e.Address = Node("") }, ErrMalformed},
		{"no time at all", func(e *Envelope) { e.Created, e.Expires = time.Time{}, time.Time{}.Add(time.Second) }, ErrMalformed},
		{"a life within one millisecond", func(e *Envelope) { e.Expires = e.Created.Add(time.Microsecond) }, ErrMalformed},
		{"a life of over 10 min", func(e *Envelope) { e.Expires = e.Created.Add(MaxLifetime + time.Millisecond) }, ErrMalformed},
		{"text that is not UTF-8", func(e *Envelope) { e.ContentType = "\xff" }, ErrMalformed},
		{"a header that is not UTF-8", func(e *Envelope) { e.Headers["a"] = "\xff" }, ErrMalformed},
		{"a payload of over 1 MiB", func(e *Envelope) { e.Payload = make([]byte, MaxPayload+1) }, ErrTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := sampleEnvelope(t)
			tt.change(e)
			if b, err := e.Encode(); !errors.Is(err, tt.want) {
				_, decoded := DecodeEnvelope(b)
				t.Errorf("Encode = %d bytes, %v; want %v; DecodeEnvelope says %v", len(b), err, tt.want, decoded)
			}
		})
	}
}

// TestLargestEnvelope: what is within each limit is within MaxEnvelope.
func TestLargestEnvelope(t *testing.T) {
	e := sampleEnvelope(t)
	long := strings.Repeat("x", MaxName)
	e.Payload, e.Detail = make([]byte, MaxPayload), strings.Repeat("d", MaxDetail)
	e.ContentType, e.Key, e.ReplyTo = long, long, long
	e.Address = Address{Kind: KindService, Name: long, Network: long, Selector: selector(t, largestSelector())}
	e.Headers = make(map[string]string)
	for i := range MaxHeaders {
		name := fmt.Sprintf("h%02d", i)
		e.Headers[name] = strings.Repeat("v", MaxHeaderBytes/MaxHeaders-len(name))
	}
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeEnvelope(b); err != nil {
		t.Error(err)
	}
}

func TestLifetimeOfStored(t *testing.T) {
	e := sampleEnvelope(t)
	e.Class, e.Expires = ClassStored, e.Created.Add(MaxStoredLifetime)
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeEnvelope(b); err != nil {
		t.Error(err)
	}
	e.Expires = e.Expires.Add(time.Millisecond)
	if _, err := e.Encode(); !errors.Is(err, ErrMalformed) {
		t.Errorf("7 days and 1 ms: %v", err)
	}
}

// TestDuplicatedFields: of a field given twice the last counts, for a relay
// as for the provider; two readings of one envelope would be a way around
// the checks of one of them.
func TestDuplicatedFields(t *testing.T) {
	b := wire(t, func(*pb.Envelope) {})
	for _, field := range []struct {
		num   protowire.Number
		bytes []byte
		value uint64
	}{
		{num: 2, bytes: requestID[:]},
		{num: 4, bytes: make([]byte, 16)},
		{num: 5, bytes: []byte("bills")},
		{num: 6, value: uint64(ModeAll)},
		{num: 8, value: uint64(TypeProbe)},
		{num: 14, value: uint64(moment.UnixMilli() + 1)},
		{num: 15, value: 3},
	} {
		twice := slices.Clone(b)
		if field.bytes != nil {
			twice = protowire.AppendTag(twice, field.num, protowire.BytesType)
			twice = protowire.AppendBytes(twice, field.bytes)
		} else {
			twice = protowire.AppendTag(twice, field.num, protowire.VarintType)
			twice = protowire.AppendVarint(twice, field.value)
		}
		v, err := ParseView(twice)
		if err != nil {
			t.Errorf("field %d: %v", field.num, err)
			continue
		}
		if old, _ := ParseView(b); sameView(v, old) {
			t.Errorf("field %d: the first counted", field.num)
		}
		agree(t, twice)
	}
}

func sameView(a, b View) bool {
	return a.ID == b.ID && bytes.Equal(a.Origin, b.Origin) && a.Network == b.Network && bytes.Equal(a.Address, b.Address) &&
		a.Mode == b.Mode && a.Class == b.Class && a.Type == b.Type && a.Correlation == b.Correlation &&
		a.Created == b.Created && a.Expires == b.Expires && a.TTL == b.TTL
}

// agree checks that what DecodeEnvelope accepts, ParseView reads the same way.
func agree(t *testing.T, b []byte) {
	t.Helper()
	e, err := DecodeEnvelope(b)
	if err != nil {
		return
	}
	v, err := ParseView(b)
	if err != nil {
		t.Fatalf("DecodeEnvelope accepts, ParseView says %v", err)
	}
	var m pb.Envelope // the schema's own reading
	if err := proto.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	decoded := View{
		ID: e.ID, Origin: []byte(e.Origin), Network: e.Network, Address: []byte(e.Address.String()), Mode: e.Mode, Class: e.Class,
		Type: e.Type, Correlation: e.Correlation, Created: TimeOf(e.Created), Expires: TimeOf(e.Expires), TTL: e.TTL,
	}
	schema := View{
		Origin: m.GetOrigin(), Address: []byte(m.GetAddress()), Mode: Mode(m.GetMode()), Class: Class(m.GetClass()),
		Type: Type(m.GetType()), Created: Time(m.GetCreated()), Expires: Time(m.GetExpires()), TTL: uint8(m.GetTtl()),
	}
	copy(schema.ID[:], m.GetId())
	copy(schema.Network[:], m.GetNetwork())
	copy(schema.Correlation[:], m.GetCorrelation())
	if !sameView(v, decoded) || !sameView(v, schema) {
		t.Fatalf("three readings of %x:\nview    %+v\ndecoded %+v\nschema  %+v", b, v, decoded, schema)
	}
}

// TestUnknownFields: a field of a later version is skipped, of each wire type.
func TestUnknownFields(t *testing.T) {
	b := wire(t, func(*pb.Envelope) {})
	b = protowire.AppendVarint(protowire.AppendTag(b, 900, protowire.VarintType), 7)
	b = protowire.AppendFixed32(protowire.AppendTag(b, 901, protowire.Fixed32Type), 7)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 902, protowire.Fixed64Type), 7)
	b = protowire.AppendBytes(protowire.AppendTag(b, 903, protowire.BytesType), []byte("later"))
	b = protowire.AppendTag(b, 904, protowire.StartGroupType)
	b = protowire.AppendTag(b, 904, protowire.EndGroupType)
	b = protowire.AppendFixed32(protowire.AppendTag(b, 15, protowire.Fixed32Type), 9) // TTL in a form that is not its own
	e, err := DecodeEnvelope(b)
	if err != nil {
		t.Fatal(err)
	}
	if e.TTL != 10 || string(e.Payload) != "two coffees" {
		t.Errorf("decoded as %+v", e)
	}
	agree(t, b)
}

// TestPayloadIsACopy: the buffer that an envelope was read from may be used again.
func TestPayloadIsACopy(t *testing.T) {
	b := wire(t, func(*pb.Envelope) {})
	e, err := DecodeEnvelope(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if string(e.Payload) != "two coffees" || e.Origin == peer.ID(make([]byte, 38)) {
		t.Errorf("the envelope changed with its buffer: %+v", e)
	}
}

func TestCheckTime(t *testing.T) {
	at := func(d time.Duration) Time { return TimeOf(moment.Add(d)) }
	for _, tt := range []struct {
		name             string
		created, expires Time
		want             error
	}{
		{"now", at(0), at(time.Minute), nil},
		{"in its last millisecond, by a clock within the tolerance", at(-time.Hour), at(-ClockTolerance), nil},
		{"over", at(-time.Hour), at(-ClockTolerance - time.Millisecond), ErrExpired},
		{"from a clock within the tolerance", at(ClockTolerance), at(3 * time.Minute), nil},
		{"from a clock beyond it", at(ClockTolerance + time.Millisecond), at(3 * time.Minute), ErrClockSkew},
		{"from the end of time", math.MaxInt64 - 1, math.MaxInt64, ErrClockSkew},
		{"from the begin of time", math.MinInt64, math.MinInt64 + 1, ErrExpired},
	} {
		if err := CheckTime(moment, tt.created, tt.expires); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestDetailIsText: whatever a handler says, its receipt can be sealed, and
// a cut does not split a character.
func TestDetailIsText(t *testing.T) {
	key, _ := identity(t, 2)
	for _, detail := range []string{
		strings.Repeat("ü", MaxDetail), "x" + strings.Repeat("ü", MaxDetail), "broken \xff\xfe text", strings.Repeat("\xff", MaxDetail),
	} {
		r := sampleReceipt(t)
		r.Detail = detail
		b, err := r.Seal(key)
		if err != nil {
			t.Errorf("Seal of %.20q…: %v", detail, err)
			continue
		}
		got, err := OpenReceipt(b)
		if err != nil || !utf8.ValidString(got.Detail) || len(got.Detail) > MaxDetail || got.Detail == "" {
			t.Errorf("%.20q… came back as %.20q…, %d bytes, %v", detail, got.Detail, len(got.Detail), err)
		}
		if _, err := (&Welcome{Status: StatusBusy, Detail: detail}).Encode(); err != nil {
			t.Errorf("Welcome with %.20q…: %v", detail, err)
		}
	}
}
