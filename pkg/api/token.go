package api

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadToken reads a bearer token; the file must have mode 0600 or less.
func ReadToken(path string) (string, error) {
	b, err := PrivateFile(path)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	b = bytes.TrimSpace(b)
	if len(b) < 32 {
		return "", Fail(ErrConfig, "token file %s: a token has at least 32 characters, this one %d", path, len(b))
	}
	return string(b), nil
}

// makeToken reads the token, or draws 256 bits for a new one.
func makeToken(path string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ReadToken(path)
	}
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails, it would crash the program
	token := hex.EncodeToString(raw[:])
	_, err = f.WriteString(token + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	return token, nil
}
