package metrics

func init() {
	register(Network,
		Metric{Unit: "kl", Better: None, Short: "KL(q‖p) of the weight posterior from its prior, nats, unweighted; the ELBO is −N·NLL − kl on the training set"},
	)
	register(Cost,
		Metric{Unit: "train-sec", Better: Lower, Short: "wall time of training, over all resumes, measuring and saving left out"},
	)
}
