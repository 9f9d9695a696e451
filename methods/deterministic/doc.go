// Package deterministic is the point estimate that every posterior is measured
// against: maximum a posteriori training,
//
//	loss = −1/B Σ log p(y | x, w) + 1/N Σ w²/(2σ²)
//
// Prior: N(0, σ²) on every weight, flat on biases and batch normalisation.
// KL: none. State: one value a parameter. Prediction: one pass. With
// prior_sigma = inf it is maximum likelihood.
//
// Source: MacKay, "A practical Bayesian framework for backpropagation
// networks", Neural Computation 1992, section 2.
package deterministic
