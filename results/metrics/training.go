package metrics

import "bayesbench/results"

func init() {
	register(Network,
		Metric{Unit: "kl", Better: results.Neither, Short: "KL(q‖p) of the weight posterior from its prior, nats, unweighted; the ELBO is −N·NLL − kl on the training set"},
		Metric{Unit: "train-error", Better: results.Neither, Short: "error of one posterior sample on the training set and the labels it was given"},
		Metric{Unit: "train-rmse", Better: results.Neither, Short: "root mean squared error of one posterior sample on the training set, in the unit of the targets"},
		Metric{Unit: "train-nll", Better: results.Neither, Short: "NLL of one posterior sample on the training set, nats"},
		Metric{Unit: "epochs", Better: results.Neither, Short: "epochs that a training under early stopping took"},
		Metric{Unit: "best_epoch", Better: results.Neither, Short: "the epoch whose weights early stopping took, from 1"},
		Metric{Unit: "gradient_variance", Better: results.Lower, Short: "variance of one estimator's stochastic gradient of the NLL per example over batches and noise, mean over a parameter's elements"},
	)
	register(Cost,
		Metric{Unit: "train-sec", Better: results.Lower, Short: "wall time of training, over all resumes, measuring and saving left out"},
	)
}
