// Package swag is stochastic weight averaging and its Gaussian: MAP training
// under the suite's [train] table to epoch `start`, then stochastic gradient
// descent with a constant learning rate, along which k networks w₁ … w_k are
// collected at equal distances.
//
//	swa:  w̄ = 1/k Σ w_i, one deterministic network
//	swag: q(w) = N(w̄, ½(Σ_diag + D·Dᵀ/(K−1))),
//	      Σ_diag = mean w² − w̄²,  D's K columns w_i − w̄_i of the last K
//
// where w̄_i is the mean as it stood after w_i. A sample is w̄ + 1/√2·√Σ_diag·z
// + 1/√(2(K−1))·D·z′: noise times the standard deviation. Prior: N(0, σ²) on
// weights in the loss; KL: none. State of swag: K + 3 values a parameter.
// Batch normalisation's statistics are made again for w̄ and for every sample,
// by a pass over training batches (algorithm 1 of Maddox et al.).
//
// Source: Izmailov et al., "Averaging weights leads to wider optima and better
// generalization", UAI 2018; Maddox et al., "A simple baseline for Bayesian
// uncertainty in deep learning", NeurIPS 2019, eq. 1 and algorithm 1.
package swag
