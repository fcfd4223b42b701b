package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

//go:embed library/*.yaml
var library embed.FS

// ErrNotFound is returned for a scenario that is neither in the library nor a
// file.
var ErrNotFound = errors.New("no such scenario")

// Names lists the library by name, sorted.
func Names() []string {
	entries, err := library.ReadDir("library")
	if err != nil {
		return nil // an embedded folder is always there
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Read gives the text of a scenario: of the library by its bare name, or a
// file by its path, which has a slash or ends in .yaml or .yml.
func Read(nameOrFile string) ([]byte, error) {
	if !isFile(nameOrFile) {
		text, err := library.ReadFile(path.Join("library", nameOrFile+".yaml"))
		if err != nil {
			return nil, fmt.Errorf("%w: %q%s", ErrNotFound, nameOrFile, suggest(nameOrFile, Names()))
		}
		return text, nil
	}
	f, err := os.Open(nameOrFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, MaxFile+1)) // Parse says that it is too long
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", nameOrFile, err)
	}
	return text, nil
}

func isFile(s string) bool {
	return strings.ContainsAny(s, `/\`) || strings.HasSuffix(s, ".yaml") || strings.HasSuffix(s, ".yml")
}
