// Package report turns stored results into what a researcher pastes and a CI job checks: tables of
// mean and spread over seeds and splits with paired significance (table.go, in the formats of
// text.go, markdown.go, latex.go and data.go), comparison of two results files and a regression
// gate (compare.go, gate.go), figures (figure.go, plots.go), one self-contained HTML page
// (html.go), and published tables beside our own numbers (paper.go).
//
// A note says what stands behind a ±: the standard deviation, or where it is asked for the standard
// error or half of the 95 % interval of the mean. A difference is called significant only by a test
// that is paired by seed and split where both have the same ones, corrected for the number of
// comparisons in the table. Where the seeds are too few for any verdict, a note says how many it
// takes.
package report
