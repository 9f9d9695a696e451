package gomlx

import (
	"fmt"
	"runtime"
	"strings"

	mlx "github.com/gomlx/gomlx/backends"
	_ "github.com/gomlx/gomlx/backends/simplego" // the engine "go"

	"bayesbench/backends"
)

const (
	goName   = "gomlx:go"
	cpuName  = "gomlx:xla:cpu"
	cudaName = "gomlx:xla:cuda"
)

func init() {
	backends.Register(backends.Driver{
		Name:        "gomlx",
		Description: "GoMLX: its engine in Go, XLA on CPU and on NVIDIA GPUs",
		Configs:     []string{goName, cpuName, cudaName},
		Open:        open,
		Check:       check,
	})
}

func open(name string) (backends.Backend, error) {
	b, _, err := openConfig(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// check opens the backend to see that it can run here.
func check(name string) (info backends.Info, detail string, err error) {
	b, detail, err := openConfig(name)
	if err != nil {
		return info, detail, fmt.Errorf("%s: %w", name, err)
	}
	return b.Info(), detail, b.Close()
}

// openConfig opens a configuration; detail is the plugin it runs on.
func openConfig(name string) (b *backend, detail string, err error) {
	info := backends.Info{Name: name}
	switch name {
	case goName:
		// The parallel mode deadlocks on some programs and races.
		engine, err := mlx.NewWithConfig("go:ops_sequential")
		if err != nil {
			return nil, "", err
		}
		info.Version = "gomlx " + backends.ModuleVersion("github.com/gomlx/gomlx")
		info.Device = "cpu (pure Go)"
		info.Threads = runtime.GOMAXPROCS(0)
		info.Kernels = backends.GoKernels()
		return &backend{engine, info, engine.Finalize}, "", nil
	case cpuName, cudaName:
		kind := pluginKinds[strings.TrimPrefix(name, "gomlx:xla:")]
		plugin, err := xlaPlugin(kind)
		if err != nil {
			return nil, "", err
		}
		engine, err := openXLA(kind, plugin.path)
		if err != nil {
			return nil, plugin.path, err
		}
		info.Version = fmt.Sprintf("gomlx %s, go-xla %s, PJRT %s", backends.ModuleVersion("github.com/gomlx/gomlx"),
			backends.ModuleVersion("github.com/gomlx/go-xla"), engine.version)
		info.Device = kind.device()
		info.Kernels = info.Device
		if kind.name == "cpu" {
			info.Threads, info.Kernels = runtime.NumCPU(), backends.Processor()
		}
		// The engine stays open: the process has one of each kind.
		return &backend{engine.Backend, info, func() {}}, plugin.path, nil
	}
	return nil, "", fmt.Errorf("want one of %s, %s, %s", goName, cpuName, cudaName)
}
