package ci

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/dependencies.md names every module that the program or its tools need themselves, and no
// other, each with what it is for.
func TestDependenciesPage(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json", "../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Tool []struct{ Path string }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{} // module to what it is for
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z0-9./, A-Z-]+) \| ([^|]*) \|`).FindAllStringSubmatch(string(page), -1) {
		for path := range strings.SplitSeq(m[1], ", ") {
			rows[path] = strings.TrimSpace(m[2])
		}
	}
	delete(rows, "module") // the head
	delete(rows, "---")
	var need []string
	for _, r := range mod.Require {
		if r.Indirect && !slices.ContainsFunc(mod.Tool, func(tool struct{ Path string }) bool { return strings.HasPrefix(tool.Path, r.Path+"/") }) {
			continue
		}
		need = append(need, r.Path)
		if rows[r.Path] == "" {
			t.Errorf("docs/dependencies.md does not say what %s is for", r.Path)
		}
	}
	if len(need) < 20 {
		t.Errorf("go.mod: only %q", need)
	}
	for path := range rows {
		if !slices.Contains(need, path) {
			t.Errorf("docs/dependencies.md has %s, which go.mod does not require", path)
		}
	}
}
