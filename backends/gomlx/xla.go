//go:build xla && cgo && linux

package gomlx

// #cgo LDFLAGS: -ldl
// #include <dlfcn.h>
// static int has_nvidia_driver(void) { return dlopen("libcuda.so.1", RTLD_LAZY) != 0; }
import "C"

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/gomlx/go-xla/pkg/pjrt"
	mlx "github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/xla"
	"k8s.io/klog/v2"
)

// xlaPlugin finds the plugin of the kind.
func xlaPlugin(kind *pluginKind) (plugin, error) { return findPlugin(kind) }

// The PJRT C API minor versions that the conformance suite has passed with.
const oldestMinor, newestMinor = 81, 115

// xlaEngine is GoMLX's backend on one plugin.
type xlaEngine struct {
	mlx.Backend
	version string // of the PJRT C API
	path    string
}

// engines keeps one engine of each kind for the life of the process: a second
// client of a GPU would find its memory taken, and one that is destroyed
// leaves buffers of the garbage collector's behind.
var (
	enginesMu sync.Mutex
	engines   = map[string]*xlaEngine{}
)

// openXLA starts XLA on the plugin at the path.
func openXLA(kind *pluginKind, path string) (*xlaEngine, error) {
	enginesMu.Lock()
	defer enginesMu.Unlock()
	if e := engines[kind.name]; e != nil {
		if e.path != path {
			return nil, fmt.Errorf("this process runs on the plugin %s already, and cannot change to %s", e.path, path)
		}
		return e, nil
	}
	// Asked first, since XLA writes to stderr where there is no driver.
	if kind.name == "cuda" && C.has_nvidia_driver() == 0 {
		return nil, missing(fmt.Sprintf("plugin %s wants libcuda.so.1: no NVIDIA driver is installed", path))
	}
	prepare(kind)
	p, err := pjrt.GetPlugin(path)
	if err != nil {
		return nil, kind.explain(path, err)
	}
	major, minor := p.Version()
	version := fmt.Sprintf("%d.%d", major, minor)
	if major != 0 || minor < oldestMinor || minor > newestMinor {
		return nil, fmt.Errorf("plugin %s speaks PJRT %s, want 0.%d to 0.%d; get one with %q",
			path, version, oldestMinor, newestMinor, kind.get)
	}
	xla.EnableAutoInstall(false) // an absolute path needs none, but be sure
	b, err := xla.New(path)
	if err != nil {
		return nil, kind.explain(fmt.Sprintf("%s (PJRT %s)", path, version), err)
	}
	if b.NumDevices() == 0 {
		return nil, missing(fmt.Sprintf("plugin %s finds no device", path))
	}
	if device := strings.ToLower(b.DeviceDescription(0)); strings.Contains(device, "cpu") != (kind.name == "cpu") {
		return nil, fmt.Errorf("plugin %s is not for %s: its device is %s", path, kind.name, device)
	}
	engines[kind.name] = &xlaEngine{b, version, path}
	return engines[kind.name], nil
}

// prepare sets what XLA and NVIDIA's libraries read from the environment as
// they load; what the user has set stays.
func prepare(kind *pluginKind) {
	// go-xla logs what it also returns as an error.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	setDefault("TF_CPP_MIN_LOG_LEVEL", "2") // of XLA's log no more than errors
	if kind.name == "cpu" {
		setFlag("--xla_cpu_enable_fast_min_max", "false") // or the maximum of NaN and 1 is 1
		return
	}
	// go-xla would set a path of its author's machine.
	setDefault("GOPJRT_CUDA_CHECKS", "0")
	// float32 means float32: GoMLX asks for XLA's default precision, which on
	// a GPU is TF32 in cuBLAS, cuDNN and Triton.
	setDefault("NVIDIA_TF32_OVERRIDE", "0")
	setFlag("--xla_gpu_enable_triton_gemm", "false")
	setFlag("--xla_gpu_deterministic_ops", "true")
}

// setFlag adds a flag to XLA_FLAGS.
func setFlag(name, value string) {
	flags := os.Getenv("XLA_FLAGS")
	if !strings.Contains(flags, name) {
		os.Setenv("XLA_FLAGS", strings.TrimSpace(flags+" "+name+"="+value))
	}
}

func setDefault(name, value string) {
	if os.Getenv(name) == "" {
		os.Setenv(name, value)
	}
}
