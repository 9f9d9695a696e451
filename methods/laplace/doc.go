// Package laplace is the Laplace approximation: MAP training under N(0, σ²) on
// every parameter, and then the Gaussian at the mode whose precision is the
// curvature of the negative log posterior,
//
//	q(w) = N(w*, (H + τ·I)⁻¹),  H = Σ_n Jᵀ·F·J
//
// with H the generalised Gauss-Newton matrix, and F the Fisher information of the
// network's outputs, which is the likelihood's to say (task.Likelihood's HessianRoot;
// of classes it is the Hessian of −log p). H is summed over one more pass through the
// training examples, of the weights and biases of the last layer or of all
// (fully connected) layers, a layer at a time. structure = "diag" keeps H's
// diagonal; "kfac" takes H ≈ N·A⊗G for each layer, A the mean of the layer's
// inputs' outer products (with a 1 for the bias) and G that of the gradients at
// its outputs, without damping: in the eigenvectors of A and G the posterior is
// diagonal, so it is sampled exactly. τ is 1/σ², or the maximiser of the
// marginal likelihood of H at w*, by MacKay's fixed point
//
//	τ = γ/‖w*‖²,  γ = Σ λ_i/(λ_i + τ)
//
// over H's eigenvalues λ. State beside the weights: the factors of each layer.
// Prediction: "sample" draws w, "mean" is w*. With layers = "all" the first
// predictor is "linearised", which draws w too but takes the outputs to first
// order in it, f(x, w*) + J(x)·(w − w*): H is the curvature of that model, whose
// draws predict well where the network's own at the same w do not. It costs a
// backward pass an output of the network. Batch normalisation is in prediction mode for H.
//
// Source: MacKay, "A practical Bayesian framework for backpropagation
// networks", Neural Computation 1992; Ritter, Botev, Barber, "A scalable
// Laplace approximation for neural networks", ICLR 2018; Daxberger et al.,
// "Laplace redux", NeurIPS 2021; Immer, Korzepa, Bauer, "Improving predictions of
// Bayesian neural nets via local linearization", AISTATS 2021.
package laplace
