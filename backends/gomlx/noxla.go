//go:build !(xla && cgo && linux)

package gomlx

import mlx "github.com/gomlx/gomlx/backends"

const errNoXLA = missing("this binary was built without XLA; build it on Linux with: CGO_ENABLED=1 go build -tags xla ./cmd/benchrun")

type xlaEngine struct {
	mlx.Backend
	version string
}

func xlaPlugin(*pluginKind) (plugin, error) { return plugin{}, errNoXLA }

func openXLA(*pluginKind, string) (*xlaEngine, error) { return nil, errNoXLA }
