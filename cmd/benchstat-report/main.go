package main

import (
	"context"
	"os"

	"bayesbench/cmd/internal/cli"
)

func main() {
	err := run(context.Background(), os.Stdout, os.Stderr, os.Args[1:])
	os.Exit(cli.ExitCode(os.Stderr, name, err))
}
