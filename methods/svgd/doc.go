// Package svgd is Stein variational gradient descent: M networks, the
// particles, that move together towards the posterior and apart from each
// other,
//
//	x_i ← x_i + η·φ(x_i),
//	φ(x) = 1/M Σ_j [k(x_j, x)·∇log p(x_j | data) + ∇_{x_j} k(x_j, x)],
//	k(x, x′) = exp(−‖x − x′‖²/h),  h = b·median ‖x_i − x_j‖²/log M
//
// over all parameters together, with the median over pairs i ≠ j and h not differentiated; b = 1 is
// the median heuristic. The optimiser of the suite's [train] table takes −φ/N for the gradient per
// example. Prior: N(0, σ²) on every parameter; KL: none. With one particle it is MAP training.
// State: M values a parameter, "particle0/fc1.w" and so on. Prediction "sample": sample k is
// particle k, one pass.
//
// With b = 1 the variances come out too small, the more so the fewer particles
// and the more dimensions there are (Ba et al.). A wide kernel cures it where
// the posterior is Gaussian: as h grows, k tends to a quadratic, and a
// polynomial kernel's particles have a Gaussian's mean and covariance (Liu and
// Wang 2018).
//
// Source: Liu and Wang, "Stein variational gradient descent", NIPS 2016, eq. 8
// and section 5; "Stein variational gradient descent as moment matching",
// NeurIPS 2018; Ba et al., "Understanding the variance collapse of SVGD in high
// dimensions", ICLR 2022.
package svgd
