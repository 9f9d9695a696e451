// Package ir is the waist of bayesbench: a program is plain data. A method and
// a network build a [Program] with a [Builder], a static-shape SSA list of
// typed instructions; a backend compiles and runs it and knows nothing else.
// The gradient is taken once, on the program ([Builder.Grad]), so every
// backend trains the same mathematics; composite ops are rewritten into core
// ops for the backends that lack them ([Expand]); [Program.String] and [Parse]
// are the text form that golden files and fuzz seeds are written in.
//
// Read op.go for the ops, infer.go for what each asks of its operands,
// grad.go for the derivative of each, expand.go for the composites.
package ir
