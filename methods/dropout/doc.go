// Package dropout is binary dropout as variational inference ("MC dropout").
// The posterior of a weight matrix is W = M·diag(z)/(1−p), z ~ Bernoulli(1−p)
// over its inputs, whose mean is M; with the prior N(0, l⁻²) on the weights the
// KL is, up to a constant, E_q[l²/2·‖W‖²], an L2 penalty on M:
//
//	loss = −1/B Σ log p(y | x, W) + 1/N·KL,  KL = Σ_layers l²/(2(1−p))·‖M‖²
//
// p is that of the dropout site between the layer and the one before it, 0
// where there is none. Biases and batch normalisation are point estimates
// under a flat prior. Training draws z for every example and unit. Prediction:
// "sample" draws z as training does (one posterior sample a pass), "mean" is
// the weight-scaling rule, W = M.
//
// The source does not divide by 1−p, and there the penalty is (1−p)·l²/2 of its
// M, which is this M/(1−p): the same penalty of the same weights.
//
// The package has two relatives beside it: Gaussian dropout, and binary dropout
// with learnt rates.
//
// Source: Gal and Ghahramani, "Dropout as a Bayesian approximation", ICML
// 2016, eq. 6 and appendix section 4 (τ = 1 in classification).
package dropout
