// Command tables holds the figures of the documentation to the results that they come from.
//
//	go run ./ci/tables                             # is every table what its command prints?
//	go run ./ci/tables -write                      # writes the tables anew, and then checks
//	go run ./ci/tables -train suites/quick.toml    # trains a suite and compares its tables with that run
//	go run ./ci/tables -stale                      # which kept results cannot be traced, or precede a change?
//
// A page marks its figures by comments, each alone on its line:
//
//	<!-- table: benchstat-report -metric error results/published/quick -->     what the command prints stands here
//	<!-- quotes -->                                                  every decimal here stands in a table of the page
//	<!-- measured: go run ./ci/peers -->                             measured by hand, in the way that is named
//	<!-- end -->
//
// A table of figures outside these marks is an error, so that no figure stands on a page without
// its origin. Exit code: 0 all well, 1 a page or a run that differs, 2 bad usage or input.
package main
