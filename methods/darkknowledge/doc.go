// Package darkknowledge is Bayesian dark knowledge: a student network learns
// the posterior predictive of an SGLD chain while the chain runs. Each step
// moves the teacher θ by SGLD on the batch (x, y), and the student w by
//
//	loss = −1/B Σ E[log p(y | x′, w)] + 1/N Σ w²/(2s²),  y ~ p(y | x′, θ),
//	x′ = x + noise·ε
//
// on the θ that the step started from, from the epoch `burn_in` on. Of classes the
// expectation is Σ_c p(c | x′, θ)·log p(c | x′, w). Prior: N(0, σ²) on every teacher
// parameter, N(0, s²) on the student's weights; KL: none. State: two networks,
// the teacher's slots under "teacher/". Recorded: "loss" and "nll" of the
// teacher, "student" the student's loss. Prediction: "mean", one pass of the
// student; "teacher", the chain's last state.
//
// Source: Balan, Rathod, Murphy, Welling, "Bayesian dark knowledge", NIPS 2015,
// algorithm 1. The student learns by the suite's [train] table.
package darkknowledge
