package externaltest

import (
	"fmt"
	"maps"
	"os"
	"slices"
)

// asProgram is the first argument of a test's binary that runs as a program.
const asProgram = "run-as-external-program"

// Command is the command of the program of that name, with further arguments, in the binary that
// calls it.
func Command(name string, args ...string) []string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return append([]string{self, asProgram, name}, args...)
}

// Main runs a program and does not return, where the process was started by a [Command].
func Main() {
	if len(os.Args) < 3 || os.Args[1] != asProgram {
		return
	}
	name, args := os.Args[2], os.Args[3:]
	run, ok := programs[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no program %q, there are %q\n", name, slices.Sorted(maps.Keys(programs)))
		os.Exit(2)
	}
	if err := run(args); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(3)
	}
	os.Exit(0)
}

// programs are the programs by name. Their last argument is the folder, or for the processes that
// they start themselves another path.
var programs = map[string]func(args []string) error{}
