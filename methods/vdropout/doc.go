// Package vdropout is variational dropout: Gaussian dropout read as a posterior
// q(w) = N(θ, α·θ²) under the log-uniform prior, whose noise level α is learnt,
//
//	loss = −1/B Σ log p(y | x, w) + β/N · KL
//	−KL ≈ Σ ½·log α + c₁·α + c₂·α² + c₃·α³,  α ≤ 1
//
// c = 1.16145124, −1.50204118, 0.58629921. α is one for each layer, each
// output or each weight; every step projects log α to 0 or below, beyond which
// the approximation is not valid and the posterior has no more to say than binary
// dropout with p = 0.5. The local reparameterisation trains it. Biases and
// batch normalisation are point estimates under a flat prior. State: θ and
// log α, "fc1.w" and "fc1.logalpha". Prediction: "sample" draws one w for all
// examples, "mean" is w = θ, the weight-scaling rule.
//
// Source: Kingma, Salimans, Welling, "Variational dropout and the local
// reparameterization trick", NIPS 2015, sections 3.2 and 4, eq. 14.
package vdropout
