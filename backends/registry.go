package backends

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bayesbench/internal/nearest"
)

// Driver is how a backend package makes itself known.
type Driver struct {
	Name        string   // the part of a backend's name before the first colon
	Description string   // one line for lists
	Configs     []string // every full name it answers to: "gomlx:go", "gomlx:xla:cpu"
	// Open starts the backend for one of its Configs. The error says in one
	// line what is missing and how to get it.
	Open func(name string) (Backend, error)
	// Check reports whether one of the Configs can run here; detail is what it
	// runs on beside the device, for example a plugin's file. The error is
	// Open's. Nil where Open needs nothing of the machine.
	Check func(name string) (info Info, detail string, err error)
}

var drivers = map[string]Driver{}

// Register makes a driver known; a backend's package calls it in init.
func Register(d Driver) {
	if _, ok := drivers[d.Name]; ok {
		panic("backends: " + d.Name + " is registered twice")
	}
	drivers[d.Name] = d
}

// Drivers lists what is registered, by name.
func Drivers() []Driver {
	return slices.SortedFunc(maps.Values(drivers), func(a, b Driver) int { return strings.Compare(a.Name, b.Name) })
}

// Open starts the backend of that name.
func Open(name string) (Backend, error) {
	if err := Known(name); err != nil {
		return nil, err
	}
	driver, _, _ := strings.Cut(name, ":")
	return drivers[driver].Open(name)
}

// Check reports whether the backend of that name can run here; see Driver.
func Check(name string) (info Info, detail string, err error) {
	if err := Known(name); err != nil {
		return Info{}, "", err
	}
	driver, _, _ := strings.Cut(name, ":")
	if check := drivers[driver].Check; check != nil {
		return check(name)
	}
	b, err := drivers[driver].Open(name)
	if err != nil {
		return Info{}, "", err
	}
	return b.Info(), "", b.Close()
}

// Known reports whether some driver answers to the name; the error names the
// nearest one that is.
func Known(name string) error {
	var names []string
	for _, d := range Drivers() {
		for _, c := range d.Configs {
			if c == name {
				return nil
			}
			names = append(names, c)
		}
	}
	return fmt.Errorf("no backend %q; did you mean %q?", name, nearest.Name(name, names))
}
