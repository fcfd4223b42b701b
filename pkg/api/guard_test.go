package api

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshnode/meshnode"
)

func TestTCPWantsTokenHostAndNoOrigin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "api.token")
	c, _ := serveAt(t, Config{Node: &fake{status: meshnode.Status{ID: somebody}}}, "127.0.0.1:0", file)
	if _, err := c.Status(deadline(t)); err != nil {
		t.Fatalf("with the token: %v", err)
	}
	host := strings.TrimPrefix(c.addr, "http://")
	_, port, _ := strings.Cut(host, ":")
	for _, tc := range []struct {
		name string
		edit func(*http.Request)
		want error
	}{
		{"no token", func(r *http.Request) { r.Header.Del("Authorization") }, ErrToken},
		{"wrong token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, ErrToken},
		{"rebound name", func(r *http.Request) { r.Host = "evil.example:" + port }, ErrForeign},
		{"other port", func(r *http.Request) { r.Host = "127.0.0.1:1" }, ErrForeign},
		{"no port", func(r *http.Request) { r.Host = "127.0.0.1" }, ErrForeign},
		{"web page", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, ErrForeign},
		{"opaque page", func(r *http.Request) { r.Header.Set("Origin", "null") }, ErrForeign},
		{"referring page", func(r *http.Request) { r.Header.Set("Referer", "http://evil.example/x") }, ErrForeign},
		{"cross site", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, ErrForeign},
		{"localhost", func(r *http.Request) { r.Host = "localhost:" + port }, nil},
		{"own page", func(r *http.Request) { r.Header.Set("Origin", "http://"+host) }, nil},
	} {
		req, err := http.NewRequestWithContext(deadline(t), http.MethodGet, "http://"+host+"/v1/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		tc.edit(req)
		res, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK {
			err = readProblem(res)
		}
		_ = res.Body.Close()
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}

func TestAForeignOriginIsRefusedOnTheSocketToo(t *testing.T) {
	c, _ := serve(t, Config{Node: &fake{}})
	var out Done
	err := c.object(deadline(t), call{method: "POST", path: "/v1/drain", header: http.Header{"Origin": {"http://evil.example"}}}, &out)
	if !errors.Is(err, ErrForeign) {
		t.Errorf("%v", err)
	}
}

func TestListenRefusesWhatIsNotLoopback(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", ":7470", "192.0.2.1:7470", "example.org:7470", "http://0.0.0.0:1"} {
		if _, err := Listen(addr, filepath.Join(t.TempDir(), "t")); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	for _, addr := range []string{"", "api.sock", "unix://rel", "/" + strings.Repeat("x", 200)} {
		if _, err := Listen(addr, ""); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v", addr, err)
		}
	}
	if _, err := Listen("127.0.0.1:0", ""); !errors.Is(err, ErrUsage) {
		t.Errorf("without a token file: %v", err)
	}
}

func TestSocketFile(t *testing.T) {
	dir := filepath.Join(socketDir(t), "run")
	path := filepath.Join(dir, "api.sock")
	l, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	for file, mode := range map[string]os.FileMode{dir: 0o700, path: 0o600} {
		fi, err := os.Stat(file)
		if err != nil || fi.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", file, fi.Mode(), err)
		}
	}
	if _, err := Listen(path, ""); !errors.Is(err, ErrInUse) {
		t.Errorf("a second daemon: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket stays behind")
	}
}

func TestTheSocketOfADeadDaemonIsReplaced(t *testing.T) {
	dir := socketDir(t)
	path := filepath.Join(dir, "api.sock")
	dead := mustListenAndForget(t, path)
	l, err := Listen(path, "")
	if err != nil {
		t.Fatalf("%s: %v", dead, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, ""); !errors.Is(err, ErrInUse) {
		t.Errorf("a plain file: %v", err)
	}
	if b, err := os.ReadFile(path); string(b) != "precious" {
		t.Errorf("the file is gone: %v", err)
	}
}

func TestUnsafeDirectories(t *testing.T) {
	dir := socketDir(t)
	wide, link := filepath.Join(dir, "wide"), filepath.Join(dir, "link")
	if err := os.Mkdir(wide, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(wide, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{wide, link} {
		if _, err := Listen(filepath.Join(d, "s"), ""); !errors.Is(err, ErrUnsafe) {
			t.Errorf("%s: %v", d, err)
		}
	}
	if os.Geteuid() != 0 {
		t.Log("the directory of another user needs root: not tried")
		return
	}
	foreign := filepath.Join(dir, "foreign")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(foreign, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(foreign, "s"), ""); !errors.Is(err, ErrUnsafe) {
		t.Errorf("foreign: %v", err)
	}
}

func TestTokenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "token")
	a, err := makeToken(file)
	if err != nil || len(a) != 64 {
		t.Fatalf("%q, %v", a, err)
	}
	if b, err := makeToken(file); err != nil || a != b {
		t.Errorf("read again: %q, %v", b, err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := makeToken(file); !errors.Is(err, ErrUnsafe) {
		t.Errorf("wide: %v", err)
	}
	if err := os.WriteFile(file, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := makeToken(file); !errors.Is(err, ErrConfig) {
		t.Errorf("short: %v", err)
	}
}
