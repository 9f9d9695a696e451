// Command peers times training steps and predictions of this program and of
// other frameworks (PyTorch, JAX) in alternation on one machine, and prints
// the ratios with their spread. Run it with -h.
//
//	main.go      flags, and the rounds
//	cases.go     what is timed, and the ratio that each case must reach
//	ours.go      this program's side: the step programs of the methods
//	process.go   the other side: scripts that time themselves and print JSON
//	timing.go    repetitions, redone where other processes were at work
//	report.go    ratios, and the tables
//	peak.go      the float32 peak of the machine
//	gemm.go      the matrix product alone, against OpenBLAS and gonum's own
//	loader.go    the input pipeline alone, against torchvision
//
// The PyTorch script is not part of the tree; jax_steps.py, gemm.py and loader.py are.
package main
