// Package ffg is variational inference with a fully factorised Gaussian: for
// every weight q(w) = N(μ, σ²), ρ = log σ, trained on the negative ELBO per
// example
//
//	loss = −1/B Σ log p(y | x, w) + β/N · KL(q‖p),  w ~ q
//	KL   = Σ ½[(σ² + μ²)/s² − 1 − log(σ²/s²)]
//
// under the prior N(0, s²), or another of prior.go's. Biases and the scale and
// shift of batch normalisation are point estimates under a flat prior; with
// biases = "gaussian" they have posteriors like the weights, under the same
// prior. With layers = "last" the last layer alone has a posterior, and the
// weights of the others are maximum a posteriori under N(0, s²). State: μ and ρ
// of each weight's shape, "fc1.w" and "fc1.rho". How w is drawn is nn.Estimator's to say: the local
// reparameterisation by default. Prediction: "sample" draws one w for all
// examples, which is one posterior sample; "mean" takes w = μ.
//
// Source: Graves, "Practical variational inference for neural networks", NIPS
// 2011; Blundell et al., "Weight uncertainty in neural networks", ICML 2015;
// Kingma, Salimans, Welling, "Variational dropout and the local
// reparameterization trick", NIPS 2015.
package ffg
