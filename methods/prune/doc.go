// Package prune is magnitude pruning, the baseline of the sparse posteriors:
// MAP training to epoch `start`, then the smallest weights are set to zero for
// good, and the others trained on. Biases and batch normalisation are not
// pruned.
//
//	keep w_i where |w_i| is not among the fraction `sparsity` of the smallest,
//	of its own layer or of all layers together
//
// Prior: N(0, σ²) on weights in the loss; KL: none. State: the weights and
// masks of 0 and 1, "fc1.w/mask". Prediction: one pass.
//
// Source: Han, Pool, Tran, Dally, "Learning both weights and connections for
// efficient neural networks", NIPS 2015, in one round.
package prune
