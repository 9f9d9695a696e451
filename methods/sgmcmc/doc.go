// Package sgmcmc is stochastic-gradient Markov chain Monte Carlo: training
// whose steps add noise, so that the states visited are samples of the
// posterior
//
//	p(w | data) ∝ exp(−U(w)/T),  U = −Σ log p(y | x, w) + Σ w²/2σ²
//
// (of psgld only with its term Γ), with ∇U estimated by N·∇loss on a batch. Prior: N(0, σ²) on
// every parameter, biases included; KL: none. Learning rates η are those of the loss per example,
// as in training; a step of η moves by ε/2·∇U with ε = 2η/N. Each kept state is a posterior sample,
// stored by the caller; prediction "sample" is one pass with one of them. Methods: sgld, psgld,
// sghmc, csgmcmc, a file each.
package sgmcmc
