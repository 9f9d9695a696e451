package external

import (
	"fmt"
	"math"

	"bayesbench/methods"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "external",
		Description: "a program of your own, in any language (docs/external-methods.md)",
		Files:       []string{"command", "files"},
		New:         parse,
	})
}

// Method is the settings of a program.
type Method struct {
	Command []string       `toml:"command"`
	Files   []string       `toml:"files"`   // read by the program beside those that the command names
	Args    map[string]any `toml:"args"`    // handed on
	Timeout float64        `toml:"timeout"` // seconds
	Disk    float64        `toml:"disk"`    // GiB
}

// The defaults: a day, and room for the 10,000 test images of CIFAR-100 at 2,000 samples.
const (
	timeout = 86400.0
	disk    = 8.0
)

// The largest that the limits may be: a year, and a PiB.
const (
	maxTimeout = 366 * timeout
	maxDisk    = 1 << 20
)

func parse(p methods.Params) (methods.Method, error) {
	m := Method{Timeout: timeout, Disk: disk}
	if err := p.Decode(&m); err != nil {
		return nil, err
	}
	if len(m.Command) == 0 || m.Command[0] == "" {
		return nil, methods.BadKey("command", m.Command, `a program and its arguments, such as ["python3", "swag.py"]`)
	}
	if !(m.Timeout > 0 && m.Timeout <= maxTimeout) {
		return nil, methods.BadKey("timeout", m.Timeout, fmt.Sprintf("seconds, more than 0 and at most %.0f", float64(maxTimeout)))
	}
	if !(m.Disk > 0 && m.Disk <= maxDisk) {
		return nil, methods.BadKey("disk", m.Disk, fmt.Sprintf("GiB, more than 0 and at most %d", maxDisk))
	}
	return m, nil
}

func (m Method) Plan(_ nn.Model, j methods.Job) (*methods.Plan, error) {
	return &methods.Plan{
		Program: &methods.Program{
			Command: m.Command, Args: m.Args, Timeout: m.Timeout, Disk: int64(math.Ceil(m.Disk * (1 << 30))),
			Epochs: j.Epochs, Batch: j.Batch, Train: j.Train,
		},
		Predictors: []methods.Predictor{{Name: "sample", Kept: true}},
	}, nil
}
