package mesh

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

var update = flag.Bool("update", false, "write the golden files anew")

// identity is a key that is the same in every run.
func identity(t testing.TB, seed byte) (crypto.PrivKey, peer.ID) {
	t.Helper()
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, id
}

// moment is 2026-01-02 03:04:05.678 UTC.
var moment = time.UnixMilli(1767323045678)

var (
	messageID = ID{0x01, 0x9b, 0x7c, 0xd8, 0x6a, 0x2e, 0x70, 1, 0x80, 2, 3, 4, 5, 6, 7, 8}
	requestID = ID{0x01, 0x9b, 0x7c, 0xd8, 0x6a, 0x2d, 0x70, 8, 0x90, 7, 6, 5, 4, 3, 2, 1}
)

// sampleEnvelope has every field set.
func sampleEnvelope(t testing.TB) *Envelope {
	_, origin := identity(t, 1)
	return &Envelope{
		ID: messageID, Origin: origin, Network: NetworkOf("home", nil),
		Address: Address{Kind: KindService, Name: "orders", Selector: selector(t, "os=bsd,region=eu"), Network: "blue"},
		Mode:    ModeOne, Class: ClassConfirm, Type: TypeReply, ContentType: "text/plain",
		Headers: map[string]string{"trace": "7", "lang": "de"}, ReplyTo: "answers", Correlation: requestID,
		Created: moment, Expires: moment.Add(30 * time.Second), TTL: 10, Payload: []byte("two coffees"),
		Status: StatusHandlerFailed, Detail: "no milk", Key: "table-7",
	}
}

func sampleHop(t testing.TB) *HopHeader {
	_, bound := identity(t, 2)
	return &HopHeader{
		Flags: FlagTrace | FlagForwarded, TTL: 9, Hops: 1, Attempt: 2, Budget: FirstBudget, Priority: 3, Reach: 7,
		Nonce: 0xa1b2c3d4, Seq: 0x0102030405060708, Back: 0x1112131415161718, Bound: bound,
	}
}

func sampleReceipt(t testing.TB) *Receipt {
	_, origin := identity(t, 1)
	_, provider := identity(t, 2)
	return &Receipt{
		ID: messageID, Origin: origin, Provider: provider, Service: "orders",
		Status: StatusHandlerFailed, Detail: "no milk", At: moment, Load: 40, Redelivered: true, Attributes: 0x1122334455667788,
	}
}

func sampleRecord(t testing.TB) *Record {
	_, provider := identity(t, 2)
	return &Record{
		Provider: provider, Network: NetworkOf("home", []byte("secret")), Service: "orders",
		Attributes: Attributes{"region": "eu", "os": "bsd"}, Epoch: 17,
		Created: moment, Expires: moment.Add(10 * time.Minute), Since: moment.Add(-time.Hour),
	}
}

func sampleHello() *Hello {
	return &Hello{
		Version: Version, Network: NetworkOf("home", nil), NetworkName: "home", NodeName: "attic",
		Features: []string{"fragments", "sessions"}, Instance: 1 << 63, Agent: "meshnode/1.0.0",
	}
}

func sampleWelcome() *Welcome {
	return &Welcome{Status: StatusOK, Detail: "come in", Instance: 99, Credit: 1 << 20}
}

// form is one kind of bytes on the wire: how the sample is made, and how it
// is read back.
type form struct {
	name   string
	about  string
	encode func(testing.TB) ([]byte, error)
	decode func([]byte) (any, error)
	want   func(testing.TB) any
}

var forms = []form{
	{
		"envelope", "envelope with every field",
		func(t testing.TB) ([]byte, error) { return sampleEnvelope(t).Encode() },
		func(b []byte) (any, error) { return DecodeEnvelope(b) },
		func(t testing.TB) any { return sampleEnvelope(t) },
	},
	{
		"hop", "hop header, 72 bytes",
		func(t testing.TB) ([]byte, error) { return sampleHop(t).Append(nil), nil },
		decodeHop,
		func(t testing.TB) any { return sampleHop(t) },
	},
	{
		"frame", "frame: hop header, length, envelope, proof",
		func(t testing.TB) ([]byte, error) {
			envelope, proof := signedEnvelope(t)
			return AppendFrame(nil, sampleHop(t), envelope, proof), nil
		},
		func(b []byte) (any, error) {
			envelope, proof, err := SplitFrame(b)
			return [][]byte{envelope, proof}, err
		},
		func(t testing.TB) any {
			envelope, proof := signedEnvelope(t)
			return [][]byte{envelope, proof}
		},
	},
	{
		"answer", "answer with a receipt",
		func(t testing.TB) ([]byte, error) { a := sampleAnswer(t); return a.Append(nil), nil },
		func(b []byte) (any, error) {
			a, _, err := ParseAnswer(b)
			return a, err
		},
		func(t testing.TB) any { return sampleAnswer(t) },
	},
	{
		"receipt", "receipt, signed by its provider",
		func(t testing.TB) ([]byte, error) { return sealedReceipt(t), nil },
		func(b []byte) (any, error) { return OpenReceipt(b) },
		func(t testing.TB) any { return sampleReceipt(t) },
	},
	{
		"record", "service record, signed by its provider",
		func(t testing.TB) ([]byte, error) { return sealedRecord(t), nil },
		func(b []byte) (any, error) { return OpenRecord(b) },
		func(t testing.TB) any { return sampleRecord(t) },
	},
	{
		"probe-answer", "probe answer: a record and a load",
		func(t testing.TB) ([]byte, error) {
			return (&ProbeAnswer{Record: sealedRecord(t), Load: 40}).Encode()
		},
		func(b []byte) (any, error) {
			r, load, err := OpenProbeAnswer(b)
			if load != 40 && err == nil {
				return load, nil
			}
			return r, err
		},
		func(t testing.TB) any { return sampleRecord(t) },
	},
	{
		"hello", "hello",
		func(testing.TB) ([]byte, error) { return sampleHello().Encode() },
		func(b []byte) (any, error) { return DecodeHello(b) },
		func(testing.TB) any { return sampleHello() },
	},
	{
		"welcome", "welcome",
		func(testing.TB) ([]byte, error) { return sampleWelcome().Encode() },
		func(b []byte) (any, error) { return DecodeWelcome(b) },
		func(testing.TB) any { return sampleWelcome() },
	},
	{
		"graft", "graft of one service",
		func(testing.TB) ([]byte, error) { return EncodeGraft("orders") },
		func(b []byte) (any, error) { return DecodeGraft(b) },
		func(testing.TB) any { return "orders" },
	},
	{
		"withdraw", "withdraw of one service",
		func(testing.TB) ([]byte, error) { return EncodeWithdraw("orders") },
		func(b []byte) (any, error) { return DecodeWithdraw(b) },
		func(testing.TB) any { return "orders" },
	},
}

func decodeHop(b []byte) (any, error) {
	raw, err := ParseHop(b)
	if err != nil {
		return nil, err
	}
	raw.Bound = peer.ID(raw.BoundRaw)
	return &raw.HopHeader, nil
}

func signedEnvelope(t testing.TB) (envelope, proof []byte) {
	t.Helper()
	key, _ := identity(t, 1)
	envelope, err := sampleEnvelope(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if proof, err = SignEnvelope(key, envelope); err != nil {
		t.Fatal(err)
	}
	return envelope, proof
}

func sealedReceipt(t testing.TB) []byte {
	t.Helper()
	key, _ := identity(t, 2)
	b, err := sampleReceipt(t).Seal(key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sealedRecord(t testing.TB) []byte {
	t.Helper()
	key, _ := identity(t, 2)
	b, err := sampleRecord(t).Seal(key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sampleAnswer(t testing.TB) Answer {
	return Answer{Seq: 0x0102030405060708, Status: StatusOK, Hops: 3, Flags: AnswerMore | AnswerPrune, Body: sealedReceipt(t)}
}

// golden reads a golden file: hexadecimal, with comments after #.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.TrimSpace(line))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s.golden: %v", name, err)
	}
	return b
}

func writeGolden(t *testing.T, name, about string, b []byte) {
	t.Helper()
	out := []byte("# " + about + "\n")
	for line := range slices.Chunk(b, 32) {
		out = append(hex.AppendEncode(out, line), '\n')
	}
	if err := os.WriteFile(filepath.Join("testdata", name+".golden"), out, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestGolden holds the bytes on the wire: a change here is a new protocol.
func TestGolden(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			b, err := f.encode(t)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				writeGolden(t, f.name, f.about, b)
			}
			old := golden(t, f.name)
			if !bytes.Equal(b, old) {
				t.Errorf("encoded as\n%x\nwant\n%x", b, old)
			}
			got, err := f.decode(old)
			if err != nil {
				t.Fatal(err)
			}
			if want := f.want(t); !reflect.DeepEqual(got, want) {
				t.Errorf("decoded as\n%+v\nwant\n%+v", got, want)
			}
		})
	}
}

// TestTruncation cuts each form at every byte. What was signed, or has its
// length in front, must be refused. Of the others a cut may fall between two
// fields and leave a valid message; it must then be one.
func TestTruncation(t *testing.T) {
	whole := []string{"hop", "answer", "receipt", "record", "probe-answer"}
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			b := golden(t, f.name)
			for n := range b {
				_, err := f.decode(slices.Clip(b[:n:n]))
				if err == nil && slices.Contains(whole, f.name) {
					// The load, last in a probe answer, may be missing: it is a hint.
					if f.name != "probe-answer" || n < len(b)-2 {
						t.Errorf("%d of %d bytes were accepted", n, len(b))
					}
				}
			}
		})
	}
}

// TestTruncatedFrame cuts a frame: what is left of it never verifies.
func TestTruncatedFrame(t *testing.T) {
	_, origin := identity(t, 1)
	b := golden(t, "frame")
	for n := range b {
		envelope, proof, err := SplitFrame(b[:n:n])
		if err == nil && VerifyEnvelope(origin, envelope, proof) == nil {
			t.Errorf("%d of %d bytes verify", n, len(b))
		}
	}
}

// TestBitFlips changes each bit of what is signed.
func TestBitFlips(t *testing.T) {
	_, origin := identity(t, 1)
	envelope, proof := signedEnvelope(t)
	if err := VerifyEnvelope(origin, envelope, proof); err != nil {
		t.Fatal(err)
	}
	flips(envelope, func(i int) {
		if VerifyEnvelope(origin, envelope, proof) == nil {
			t.Errorf("envelope verifies with bit %d flipped", i)
		}
		// A changed origin would have to have signed, too.
		if v, err := ParseView(envelope); err == nil && VerifyEnvelope(peer.ID(v.Origin), envelope, proof) == nil {
			t.Errorf("envelope verifies for the origin it names with bit %d flipped", i)
		}
	})
	flips(proof, func(i int) {
		if VerifyEnvelope(origin, envelope, proof) == nil {
			t.Errorf("proof verifies with bit %d flipped", i)
		}
	})
	for _, name := range []string{"receipt", "record"} {
		i := slices.IndexFunc(forms, func(f form) bool { return f.name == name })
		b := golden(t, name)
		flips(b, func(bit int) {
			if _, err := forms[i].decode(b); err == nil {
				t.Errorf("%s verifies with bit %d flipped", name, bit)
			}
		})
	}
}

// flips calls f with each bit of b flipped, one at a time.
func flips(b []byte, f func(bit int)) {
	for i := range 8 * len(b) {
		b[i/8] ^= 1 << (i % 8)
		f(i)
		b[i/8] ^= 1 << (i % 8)
	}
}

// TestDomains: a signature for one kind of statement is none for another.
func TestDomains(t *testing.T) {
	key, id := identity(t, 1)
	body := []byte("statement")
	domains := []Domain{DomainEnvelope, DomainRecord, DomainReceipt}
	for _, made := range domains {
		sig, err := Sign(key, made, body)
		if err != nil {
			t.Fatal(err)
		}
		for _, asked := range domains {
			if err := Verify(id, asked, body, sig); (err == nil) != (made == asked) {
				t.Errorf("signed for %q, verified for %q: %v", made, asked, err)
			}
		}
	}
}
