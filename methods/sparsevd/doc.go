// Package sparsevd is sparse variational dropout: for every weight
// q(w) = N(θ, σ²) with the noise parameterised additively (θ and log σ² are
// learnt, α = σ²/θ²) under the log-uniform prior p(|w|) ∝ 1/|w|,
//
//	loss = −1/B Σ log p(y | x, w) + β/N · KL(q‖p)
//	−KL ≈ Σ k₁·sigmoid(k₂ + k₃·log α) − ½·log(1 + 1/α) − k₁
//
// k = 0.63576, 1.87320, 1.48695; log α = log σ² − log(θ² + 1e-8), clipped to
// [−8, 8]. The noise has the variance α·θ² of the clipped α: σ², but for
// weights so small that α is clipped, whose noise vanishes with them. The local
// reparameterisation trains it. Weights with log α at or
// above the threshold are pruned in prediction, and with train_clip their
// means are zero in training too. Biases and batch normalisation are point
// estimates under a flat prior. State: θ and log σ², "fc1.w" and "fc1.logvar".
// With parameterisation = "multiplicative" θ and log α are learnt instead,
// "fc1.logalpha", and σ² = α·θ²: the noise in the gradient of θ then grows with
// α, which is what the additive form avoids (section 4.2).
// With fine_tune the pruned network is trained on, and predicts by "mean" alone.
// Prediction: "mean" is the published one, a single pass with the pruned
// posterior means; "sample" draws the unpruned weights from the posterior.
//
// Source: Molchanov, Ashukha, Vetrov, "Variational dropout sparsifies deep
// neural networks", ICML 2017, eq. 14 and section 4; the warm-up, the clipping
// and log σ² = −10 from the authors' code.
package sparsevd
