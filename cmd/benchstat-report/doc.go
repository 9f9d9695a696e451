// Command benchstat-report turns the results of benchrun into tables, verdicts, figures and pages.
// Run it with -h.
package main
