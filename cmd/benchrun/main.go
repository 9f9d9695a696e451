package main

import (
	"context"
	"os"

	_ "bayesbench/backends/gomlx"
	_ "bayesbench/backends/gonum"
	_ "bayesbench/backends/gorgonia"
	_ "bayesbench/backends/ref"
	_ "bayesbench/methods/all"
)

func main() {
	err := run(context.Background(), os.Stdout, os.Stderr, os.Args[1:])
	os.Exit(exitCode(os.Stderr, err))
}
