// Package snapshot is snapshot ensembles: one training whose learning rate
// restarts, lr/2·(cos(π·(t mod L)/L) + 1) with L = ⌈steps/cycles⌉, and whose
// network at the end of each cycle is a member of an ensemble with equal
// weights; batch normalisation's statistics are made again for each by a pass
// over training batches. Loss, prior and optimiser are those of MAP training. It costs one
// training, as many copies of the weights as cycles, and one pass a sample.
//
// Source: Huang et al., "Snapshot ensembles: train 1, get M for free", ICLR
// 2017, eq. 2; 5 cycles are theirs.
package snapshot
