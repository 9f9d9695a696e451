// Package suites reads the TOML files that say what to compare. A suite names
// data, model, training budget, evaluation, seeds, backends and methods; any
// value that the schema has as a single one may be written as a list, and the
// suite is then the cross product. [Read] decodes strictly: an unknown key, a
// wrong type or a list where none fits is an error that names file, line and
// key. The suites that come with the program lie beside this file.
//
// Config in config.go is the schema, suite.go reads and multiplies out, draw.go draws the values
// of a random search, choose.go multiplies out what a method chooses on held-out examples. The
// words that a suite may say, such as the names of optimisers, come from those who implement
// them: [Vocabulary].
package suites
