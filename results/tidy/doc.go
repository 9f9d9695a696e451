// Package tidy makes one long table of results, for programs that read data frames: pandas, polars,
// R. A table is tidy if each column is one variable and each row one observation (Wickham 2014,
// "Tidy Data", Journal of Statistical Software 59). Here a row is one value of one job: its keys,
// its unit and the number.
//
// table.go makes the table of values, curves.go that of what was measured during training; csv.go,
// jsonlines.go and parquet.go write either.
package tidy
