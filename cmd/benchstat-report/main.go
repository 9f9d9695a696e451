// Command benchstat-report turns the results of benchrun into tables, verdicts, figures and pages. Run it with -h.
package main

import (
	"context"
	"os"

	"bayesbench/internal/cli"
)

func main() {
	err := run(context.Background(), os.Stdout, os.Stderr, os.Args[1:])
	os.Exit(cli.ExitCode(os.Stderr, name, err))
}
