package metrics

import "bayesbench/results"

// The numbers of a sampler's own steps. They come from the training and the
// weights, not from predictions.
//
// curvature_step is the largest eigenvalue of D·H, H the Hessian of the loss per
// example (prior included) at the chain's last state and D what a step multiplies
// the loss's gradient by: η for SGLD, SGHMC and cyclical SG-MCMC, η/(λ + √V) for
// pSGLD, N·ε² for HMC, whose potential is N·loss; the largest since samples are
// kept. Near a minimum a step is linear, and it diverges along the eigenvector
// from a limit on: 2 for SGLD and pSGLD, 2(2 − α) with SGHMC's friction α, 4 for
// HMC's leapfrog. Below it the stationary variance along the eigenvector, of all
// but HMC, whose Metropolis test makes up for it, is 1/(1 − curvature_step/limit)
// times the posterior's, and the noise of batches comes on top. It is found by Lanczos's
// method with twenty differences of the gradient, each over up to ten batches; so
// it is from below, but for rounding.
// Sources: Neal (2011), "MCMC using Hamiltonian dynamics", section 4.2, for the
// leapfrog; Brosse, Durmus, Moulines (2018), "The promises and pitfalls of
// stochastic gradient Langevin dynamics", for SGLD with a constant step; Polyak
// (1964), "Some methods of speeding up the convergence of iteration methods", for
// a step with momentum.
//
// accept_rate is the mean of min(1, exp(−ΔH/T)) over HMC's trajectories after the
// burn-in, step_size their ε before jitter. Source: Hoffman, Gelman (2014), "The
// No-U-Turn sampler", section 3.2.
func init() {
	register(Network,
		Metric{Unit: "curvature_step", Better: results.Neither, Short: "largest curvature of the loss times the sampler's step; the method's page has the limit of stability"},
		Metric{Unit: "accept_rate", Better: results.Neither, Short: "mean acceptance probability of HMC's trajectories after the burn-in"},
		Metric{Unit: "step_size", Better: results.Neither, Short: "HMC's step ε after the burn-in, before jitter"},
	)
}
