// Package papers holds published tables as data: one TOML file a table, with the source of every
// number, so that our own results can be printed beside them.
//
// A file says what its columns are (unit of ours, factor to the printed unit), and for each printed
// row which of our results belong to it. Only numbers that someone has read at the named source
// stand here; contradictions between sources are notes.
package papers
