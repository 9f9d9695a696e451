package gomlx

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// pluginKind is a sort of PJRT plugin: what it is called where, and how to get it.
type pluginKind struct {
	name   string
	files  []string // in a directory that the user or go-xla names
	python []string // below site-packages
	get    string
	device func() string
}

var pluginKinds = map[string]*pluginKind{
	"cpu": {
		name:  "cpu",
		files: []string{"pjrt_c_api_cpu_plugin.so", "pjrt[-_]plugin[-_]cpu*.so", "*cpu*pjrt*.so"},
		python: []string{"xla_plugins/xla_cpu_pjrt/*.so", "lammps_jax_pjrt_cpu/*.so",
			"jax_plugins/*/pjrt_c_api_cpu_plugin.so"},
		get:    "pip install xla-cpu-pjrt==0.0.1",
		device: func() string { return "cpu" },
	},
	"cuda": {
		name:  "cuda",
		files: []string{"pjrt_c_api_cuda_plugin.so", "xla_cuda_plugin.so", "pjrt[-_]plugin[-_]cuda*.so", "xla_gpu_pjrt.so", "*cuda*pjrt*.so"},
		python: []string{"jax_plugins/xla_cuda*/xla_cuda_plugin.so", "jax_plugins/*/pjrt_c_api_cuda_plugin.so",
			"xla_plugins/xla_cuda*_pjrt/*.so"},
		get:    "pip install jax-cuda13-plugin[with-cuda]==0.8.1",
		device: nvidiaDevice,
	},
}

// missing is the error of a configuration whose plugin, or build, is not here.
type missing string

func (m missing) Error() string { return string(m) }

// pathEnv names files and directories to look in first.
const pathEnv = "PJRT_PLUGIN_LIBRARY_PATH"

// plugin is a file that has been checked.
type plugin struct{ path string }

// findPlugin looks for a plugin in the places that doc.go lists. What the user
// named and cannot be used is an error; elsewhere it is passed over.
func findPlugin(kind *pluginKind) (plugin, error) {
	for _, place := range filepath.SplitList(os.Getenv(pathEnv)) {
		if place == "" {
			continue
		}
		info, err := os.Stat(place)
		if err != nil {
			return plugin{}, fmt.Errorf("%s: %w", pathEnv, err)
		}
		if info.IsDir() {
			if files := matches(place, kind.files); len(files) > 0 {
				return usable(files[0])
			}
		} else if kind.mayBe(place) {
			return usable(place)
		}
	}
	for _, site := range sitePackages() {
		for _, file := range matches(site, kind.python) {
			if p, err := usable(file); err == nil {
				return p, nil
			}
		}
	}
	for _, dir := range goXLADirs() {
		for _, file := range matches(dir, kind.files) {
			if p, err := usable(file); err == nil {
				return p, nil
			}
		}
	}
	return plugin{}, missing(fmt.Sprintf("no PJRT plugin for %s found; get one with %q, or name its file in %s", kind.name, kind.get, pathEnv))
}

// mayBe tells a file of this kind from one that is named after the other.
func (k *pluginKind) mayBe(file string) bool {
	base := strings.ToLower(filepath.Base(file))
	gpu := strings.Contains(base, "cuda") || strings.Contains(base, "gpu")
	if k.name == "cpu" {
		return !gpu
	}
	return gpu || !strings.Contains(base, "cpu")
}

// matches lists what lies below dir under the patterns; dir is a name and no
// part of them.
func matches(dir string, patterns []string) []string {
	var out []string
	for _, p := range patterns {
		files, _ := fs.Glob(os.DirFS(dir), p) // errs on bad patterns only
		for _, f := range files {
			out = append(out, filepath.Join(dir, f))
		}
	}
	return out
}

// sitePackages lists where pip installs, the nearest environment first.
func sitePackages() []string {
	prefixes := []string{os.Getenv("VIRTUAL_ENV"), os.Getenv("CONDA_PREFIX")}
	if python, err := exec.LookPath("python3"); err == nil {
		if real, err := filepath.EvalSymlinks(python); err == nil {
			python = real
		}
		prefixes = append(prefixes, filepath.Dir(filepath.Dir(python)))
	}
	if home, err := os.UserHomeDir(); err == nil {
		prefixes = append(prefixes, filepath.Join(home, ".local"))
	}
	prefixes = append(prefixes, "/usr/local", "/usr")
	var out []string
	for _, p := range prefixes {
		if p == "" {
			continue
		}
		out = append(out, matches(p, []string{"lib/python3*/site-packages", "lib64/python3*/site-packages", "lib/python3*/dist-packages"})...)
	}
	return out
}

func goXLADirs() []string {
	dirs := []string{"/usr/local/lib/go-xla"}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append([]string{filepath.Join(home, ".local/lib/go-xla")}, dirs...)
	}
	return dirs
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// usable checks that the file is a library of this processor that exports the
// entry of a PJRT plugin: go-xla crashes on one that does not.
func usable(file string) (plugin, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return plugin{}, err
	}
	f, err := elf.Open(path)
	if err != nil {
		var format *elf.FormatError
		if errors.As(err, &format) || !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) {
			return plugin{}, fmt.Errorf("%s is no PJRT plugin: not an ELF library", path)
		}
		return plugin{}, err
	}
	defer f.Close()
	if f.Type != elf.ET_DYN || f.Machine != machines[runtime.GOARCH] {
		return plugin{}, fmt.Errorf("%s is no PJRT plugin for %s: an ELF %v for %v", path, runtime.GOARCH, f.Type, f.Machine)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return plugin{}, fmt.Errorf("%s is no PJRT plugin: %w", path, err)
	}
	for _, s := range symbols {
		if s.Name == "GetPjrtApi" && s.Section != elf.SHN_UNDEF {
			return plugin{path}, nil
		}
	}
	return plugin{}, fmt.Errorf("%s is no PJRT plugin: it does not export GetPjrtApi", path)
}

// explain says in one line why the plugin did not start, and what to do about it.
func (k *pluginKind) explain(plugin string, err error) error {
	text := cause(err)
	if before, _, ok := strings.Cut(text, ": cannot open shared object file"); ok {
		library := before[strings.LastIndexByte(before, '"')+1:]
		return fmt.Errorf("plugin %s wants %s, which is not here; get it with %q", plugin, library, k.get)
	}
	switch {
	case strings.Contains(text, "No visible GPU devices"):
		return missing(fmt.Sprintf("plugin %s finds no NVIDIA GPU", plugin))
	case strings.Contains(text, "Could not find registered platform"):
		return fmt.Errorf("plugin %s was built without %s; get one with %q", plugin, k.name, k.get)
	}
	return fmt.Errorf("plugin %s: %s", plugin, text)
}

// cause is the first line of the innermost error: go-xla wraps the same path
// three times, and may bring a stack trace along.
func cause(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// nvidiaDevice is the model of the first GPU that the driver lists.
func nvidiaDevice() string {
	files, _ := filepath.Glob("/proc/driver/nvidia/gpus/*/information")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if model, ok := strings.CutPrefix(line, "Model:"); ok {
				return strings.TrimSpace(model)
			}
		}
	}
	return "NVIDIA GPU"
}
