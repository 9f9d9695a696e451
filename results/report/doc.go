// Package report turns stored results into what a researcher pastes and a CI job checks: tables of mean and spread
// over seeds with paired significance (table.go, in the formats of text.go, markdown.go, latex.go and data.go),
// comparison of two results files and a regression gate (compare.go, gate.go), figures (figure.go, plots.go), one
// self-contained HTML page (html.go), and published tables beside our own numbers (paper.go).
//
// A ± is always the standard deviation over seeds, and says so. A difference is called significant only by a paired
// test over seeds, corrected for the number of comparisons in the table; where the seeds are too few for any verdict,
// a note says how many it takes.
package report
