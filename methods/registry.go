package methods

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bayesbench/internal/nearest"
	"bayesbench/methods/key"
)

// Driver is how a method package makes itself known.
type Driver struct {
	Name        string
	Description string // one line for lists
	// New makes the method from its own keys in the suite. It refuses a value
	// that no job could run with, and names the key.
	New func(Params) (Method, error)
	// Parts are the tables of the suite that hold the methods which this one is made
	// of: what Params.Method is asked for.
	Parts []string
	// Files are keys whose value is a list by nature, and not several values for as many jobs.
	// Its elements may name files, whose content is then part of what a job is.
	Files []string
	// Ignores are those of TrainKeys that the plan does not depend on. A method that
	// is made of others lists what it does not read itself.
	Ignores []string
}

// LossKeys are the keys of [train] that say how a loss is minimised. Samplers ignore
// them.
var LossKeys = []string{
	"optimizer", "lr", "momentum", "nesterov", "weight_decay", "clip_norm",
	"schedule", "milestones", "gamma", "warmup",
}

// TrainKeys are the keys of [train] that only methods read; the others, such as batch,
// the harness reads as well.
var TrainKeys = append([]string{"epochs"}, LossKeys...)

// Find is the driver of that name.
func Find(name string) (Driver, bool) {
	d, ok := drivers[name]
	return d, ok
}

// Parts lists the tables that hold methods, of all that are registered.
func Parts() []string {
	var parts []string
	for _, d := range Drivers() {
		parts = append(parts, d.Parts...)
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// Files lists the keys that name files, of all methods that are registered.
func Files() []string {
	var files []string
	for _, d := range Drivers() {
		files = append(files, d.Files...)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// Params are a method's own keys in a suite.
type Params interface {
	// Decode fills dst, a pointer to a struct with toml tags that holds the
	// defaults; a key that dst does not have is an error.
	Decode(dst any) error
	// Method makes the method of the nested table key, as in [method.of].
	Method(key string) (Method, error)
}

var drivers = map[string]Driver{}

// Register makes a method known; its package calls it in init.
func Register(d Driver) {
	if _, ok := drivers[d.Name]; ok {
		panic("methods: " + d.Name + " is registered twice")
	}
	drivers[d.Name] = d
}

// Drivers lists what is registered, by name.
func Drivers() []Driver {
	return slices.SortedFunc(maps.Values(drivers), func(a, b Driver) int { return strings.Compare(a.Name, b.Name) })
}

// New makes the method of that name; the error for an unknown one names the
// nearest that is known.
func New(name string, p Params) (Method, error) {
	if d, ok := drivers[name]; ok {
		return d.New(p)
	}
	var names []string
	for n := range drivers {
		names = append(names, n)
	}
	return nil, fmt.Errorf("no method %q; did you mean %q?", name, nearest.Name(name, names))
}

// KeyError says that the value of a key does not fit.
type KeyError = key.Error

// BadKey is the error for a key whose value does not fit: what was found and
// what is wanted.
func BadKey[T any](name string, found T, want string) error { return key.Bad(name, found, want) }

// Nested is the error of the method in the table name, as its parent tells it.
func Nested(name string, err error) error { return key.Nested(name, err) }
