// Package hmc is Hamiltonian Monte Carlo on the full data, the reference
// posterior for small problems. Of the potential and kinetic energy
//
//	U(q) = −Σ log p(y | x, q) + Σ q²/2σ²,  K(p) = ½‖p‖²
//
// whose joint density is exp(−(U + K)/T), a trajectory draws p ~ N(0, T·I), takes
// L leapfrog steps
//
//	p ← p − ε/2·∇U(q),  q ← q + ε·p,  p ← p − ε/2·∇U(q)
//
// and accepts its end with probability min(1, exp(−ΔH/T)), or else returns to its
// start. During burn-in dual averaging moves ε towards the wanted acceptance.
// Prior: N(0, σ²) on every parameter; KL: none. State: q, p, ∇U and the start
// of the trajectory, 5 values a parameter. Each kept state is a sample;
// prediction is one pass with one of them. It costs one pass over all
// examples a leapfrog step, L·(burn_in + samples·thin) in all, whatever the
// suite's epochs say. Reported: the mean of min(1, exp(−ΔH/T)) over the
// trajectories after the burn-in, "accept_rate", and their ε, "step_size". Batch
// normalisation's running statistics follow every state visited.
//
// Source: Neal, "MCMC using Hamiltonian dynamics", 2011, section 3; Hoffman and
// Gelman, "The No-U-Turn sampler", JMLR 2014, section 3.2 and algorithm 5;
// Izmailov et al., "What are Bayesian neural network posteriors really like?",
// ICML 2021.
package hmc
