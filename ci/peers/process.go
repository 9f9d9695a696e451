package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// peer is another program at one setting: a Python script that times a case
// and prints a line of JSON.
type peer struct {
	name   string
	python string
	script string // its text, fed to python; or its file, where path is set
	path   string
	args   []string
	env    []string
}

// report is what a script prints for a case.
type report struct {
	Train   speed `json:"train"`
	Predict speed `json:"pred"`
}

//go:embed jax_steps.py
var jaxScript string

// torchPeers is PyTorch at the two settings that are compared: as everybody
// runs it, and with all that is known to help. The error says what is missing.
func torchPeers(python, script string, threads int) ([]peer, error) {
	if script == "" {
		if script = beside("shared/peers/torch_steps.py"); script == "" {
			return nil, errors.New("no torch_steps.py at ../shared/peers: give its path by -torch")
		}
	}
	if _, err := os.Stat(script); err != nil {
		return nil, fmt.Errorf("-torch: %w", err)
	}
	python, err := pythonWith("torch", python, "apt-get install python3-torch python3-torchvision libopenblas0-openmp libblis4-openmp")
	if err != nil {
		return nil, err
	}
	n := strconv.Itoa(threads)
	args := []string{"--threads", n}
	idiomatic := peer{name: "torch", python: python, path: script, args: args, env: library("openblas-openmp")}
	tuned := peer{name: "torch tuned", python: python, path: script, args: append(args[:2:2], "--foreach"), env: append(library("blis-openmp"),
		"BLIS_NUM_THREADS="+n, "MALLOC_TRIM_THRESHOLD_=4000000000", "MALLOC_MMAP_THRESHOLD_=4000000000", "MALLOC_TOP_PAD_=200000000")}
	return []peer{idiomatic, tuned}, nil
}

// jaxPeer is JAX on XLA:CPU.
func jaxPeer(python string) (peer, error) {
	python, err := pythonWith("jax", python, "python3 -m venv DIR && DIR/bin/pip install jax, then -jax-python DIR/bin/python")
	return peer{name: "jax", python: python, script: jaxScript}, err
}

// time runs the peer on a case.
func (p *peer) time(ctx context.Context, c *testCase, secs float64) (report, error) {
	args := append([]string{"--case", c.name, "--reps", strconv.Itoa(repetitions), "--secs", fmt.Sprint(secs)}, p.args...)
	if c.predict == 0 {
		args = append(args, "--no-predict")
	}
	var r report
	out, err := p.run(ctx, args...)
	if err == nil {
		err = json.Unmarshal(lastLine(out), &r)
	}
	if err == nil && r.Train.Median == 0 {
		err = errors.New("no speed in its report")
	}
	if err != nil {
		return r, fmt.Errorf("%s, %s: %w", p.name, c.name, err)
	}
	return r, nil
}

// run gives the standard output of the script.
func (p *peer) run(ctx context.Context, args ...string) ([]byte, error) {
	file := p.path
	if file == "" {
		file = "-"
	}
	cmd := exec.CommandContext(ctx, p.python, append([]string{file}, args...)...)
	if p.path == "" {
		cmd.Stdin = strings.NewReader(p.script)
	}
	cmd.Env = append(os.Environ(), p.env...)
	cmd.WaitDelay = 2 * time.Second
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%w: %s", err, lastLine(exit.Stderr))
	}
	return out, err
}

func lastLine(text []byte) []byte {
	text = bytes.TrimSpace(text)
	return text[bytes.LastIndexByte(text, '\n')+1:]
}

// pythonWith finds an interpreter that has the module: the one given, or one
// of the usual.
func pythonWith(module, given, remedy string) (string, error) {
	candidates := []string{given}
	if given == "" {
		candidates = []string{"python3", "/usr/bin/python3"}
	}
	for _, python := range candidates {
		find := fmt.Sprintf("import importlib.util, sys; sys.exit(importlib.util.find_spec(%q) is None)", module)
		if exec.Command(python, "-c", find).Run() == nil {
			return python, nil
		}
	}
	return "", fmt.Errorf("no %s in %s. To get it: %s", module, strings.Join(candidates, " or "), remedy)
}

// library is the environment that makes Debian's programs use the BLAS of that
// name; nil where it is not installed.
func library(name string) []string {
	dirs, _ := filepath.Glob("/usr/lib/*/" + name)
	if len(dirs) == 0 {
		return nil
	}
	return []string{"LD_LIBRARY_PATH=" + dirs[0]}
}

// beside finds a file next to the repository that the working directory is in.
func beside(name string) string {
	dir, err := os.Getwd()
	for err == nil {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			path := filepath.Join(filepath.Dir(dir), filepath.FromSlash(name))
			if _, e := os.Stat(path); e == nil {
				return path
			}
			return ""
		}
		if filepath.Dir(dir) == dir {
			return ""
		}
		dir = filepath.Dir(dir)
	}
	return ""
}
