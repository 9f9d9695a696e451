package gomlx

import (
	"bytes"
	"debug/elf"
	encoding "encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// library is the ELF file of a shared library for the machine that exports the
// symbol, as far as a reader of its symbols can tell.
func library(t *testing.T, machine elf.Machine, symbol string) []byte {
	t.Helper()
	const header, section, entry = 64, 64, 24
	names := "\x00.dynsym\x00.dynstr\x00"
	strings := "\x00" + symbol + "\x00"
	symbols := uint64(header + len(names) + len(strings))
	var b bytes.Buffer
	write := func(v any) {
		if err := encoding.Write(&b, encoding.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	write(elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_DYN), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Shoff: symbols + 2*entry, Ehsize: header, Shentsize: section, Shnum: 4, Shstrndx: 3,
	})
	b.WriteString(names)
	b.WriteString(strings)
	write(elf.Sym64{})
	write(elf.Sym64{Name: 1, Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Shndx: 1})
	write(elf.Section64{})
	write(elf.Section64{Name: 1, Type: uint32(elf.SHT_DYNSYM), Off: symbols, Size: 2 * entry, Link: 2, Entsize: entry})
	write(elf.Section64{Name: 9, Type: uint32(elf.SHT_STRTAB), Off: uint64(header + len(names)), Size: uint64(len(strings))})
	write(elf.Section64{Name: 0, Type: uint32(elf.SHT_STRTAB), Off: header, Size: uint64(len(names))})
	return b.Bytes()
}

func thisMachine(t *testing.T) elf.Machine {
	t.Helper()
	f, err := elf.Open(os.Args[0])
	if err != nil {
		t.Skip("plugins are looked for on Linux:", err)
	}
	defer f.Close()
	return f.Machine
}

func put(t *testing.T, data []byte, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// nowhere empties every place that plugins are looked for in but the system's.
func nowhere(t *testing.T) {
	for _, name := range []string{pathEnv, "VIRTUAL_ENV", "CONDA_PREFIX"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir())
}

// A file that is no plugin is refused in one line that says what is wrong.
func TestWrongFile(t *testing.T) {
	machine := thisMachine(t)
	other := elf.EM_AARCH64
	if machine == other {
		other = elf.EM_X86_64
	}
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty.so", nil, "not an ELF library"},
		{"text.so", []byte("no library at all"), "not an ELF library"},
		{"cut.so", library(t, machine, "GetPjrtApi")[:70], "not an ELF library"},
		{"other.so", library(t, other, "GetPjrtApi"), "an ELF ET_DYN for"},
		{"libm.so", library(t, machine, "sin"), "does not export GetPjrtApi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			nowhere(t)
			t.Setenv(pathEnv, put(t, c.data, dir, c.name))
			_, err := findPlugin(pluginKinds["cpu"])
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("found %v; want one line with %q", err, c.want)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		nowhere(t)
		t.Setenv(pathEnv, filepath.Join(dir, "not-here.so"))
		if _, err := findPlugin(pluginKinds["cpu"]); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), pathEnv) {
			t.Errorf("found %v; want a missing file of %s", err, pathEnv)
		}
	})
}

// The places are searched in the order that the package documents, for files
// of the kind asked for.
func TestSearch(t *testing.T) {
	plugin := library(t, thisMachine(t), "GetPjrtApi")
	nowhere(t)
	find := func(kind, want string) {
		t.Helper()
		p, err := findPlugin(pluginKinds[kind])
		if err != nil || p.path != want {
			t.Errorf("%s: found %q, %v; want %q", kind, p.path, err, want)
		}
	}
	home, venv, dir := os.Getenv("HOME"), t.TempDir(), t.TempDir()
	t.Setenv("VIRTUAL_ENV", venv)
	site := filepath.Join(venv, "lib", "python3.11", "site-packages")

	goXLA := put(t, plugin, home, ".local/lib/go-xla/pjrt_c_api_cpu_plugin.so")
	find("cpu", goXLA)
	jax := put(t, plugin, home, ".local/lib/python3.12/site-packages/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so")
	find("cpu", jax)
	put(t, []byte("broken"), site, "xla_plugins/xla_cpu_pjrt/a_broken_one.so")
	find("cpu", jax)
	cpu := put(t, plugin, site, "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so")
	find("cpu", cpu)
	cuda := put(t, plugin, site, "xla_plugins/xla_cuda13_pjrt/xla_gpu_pjrt.so")
	find("cuda", cuda)
	jaxCUDA := put(t, plugin, site, "jax_plugins/xla_cuda13/xla_cuda_plugin.so")
	find("cuda", jaxCUDA)
	find("cpu", cpu)

	t.Setenv(pathEnv, put(t, plugin, dir, "xla_cuda_plugin.so"))
	find("cuda", filepath.Join(dir, "xla_cuda_plugin.so"))
	find("cpu", cpu)
	put(t, plugin, dir, "xla_cpu_pjrt.so")
	t.Setenv(pathEnv, ":"+dir)
	find("cpu", filepath.Join(dir, "xla_cpu_pjrt.so"))
}

// Where there is no plugin, the error says how to get one.
func TestNoPlugin(t *testing.T) {
	nowhere(t)
	for kind, get := range map[string]string{"cpu": "pip install xla-cpu-pjrt==0.0.1", "cuda": "pip install jax-cuda13-plugin[with-cuda]==0.8.1"} {
		p, err := findPlugin(pluginKinds[kind])
		if err == nil {
			t.Logf("%s: the system has %s", kind, p.path)
			continue
		}
		if m := missing(""); !errors.As(err, &m) || !strings.Contains(err.Error(), get) {
			t.Errorf("%s: found %v; want an error that says %q", kind, err, get)
		}
	}
}

// What XLA and the loader say becomes one line that says what to do; a machine
// without the device is told from a plugin that does not work.
func TestExplain(t *testing.T) {
	for _, c := range []struct {
		err, want string
		missing   bool
	}{
		{`failed to dynamically load PJRT plugin from "libcupti.so.13: cannot open shared object file: No such file or directory": "/p.so"`,
			`plugin /p.so wants libcupti.so.13, which is not here; get it with "pip install `, false},
		{"PJRT error (code=9): No visible GPU devices.", "plugin /p.so finds no NVIDIA GPU", true},
		{`PJRT error (code=5): Could not find registered platform with name: "cuda". Available platform names are: `,
			`plugin /p.so was built without cuda; get one with "pip install `, false},
		{"PJRT error (code=8): out of memory\nat client.cc:10", "plugin /p.so: PJRT error (code=8): out of memory", false},
	} {
		err := pluginKinds["cuda"].explain("/p.so", fmt.Errorf("go-xla: %w", errors.New(c.err)))
		if m := missing(""); !strings.HasPrefix(err.Error(), c.want) || errors.As(err, &m) != c.missing || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: found %v; want %q, missing: %t", c.err, err, c.want, c.missing)
		}
	}
}
