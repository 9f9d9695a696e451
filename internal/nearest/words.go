package nearest

// elsewhere maps words of other tools (PyTorch, Keras, Optax, BlackJAX,
// scikit-learn) and of papers, folded, to our names for the same thing. Of
// several the first that is known where the word stands counts.
var elsewhere = map[string][]string{
	// Keys at the top and of [data].
	"seeds": {"seed"}, "randomseed": {"seed"}, "randomstate": {"seed"},
	"device": {"backend"}, "devices": {"backend"}, "accelerator": {"backend"}, "backends": {"backend"},
	"network": {"model"}, "net": {"model"}, "arch": {"model"}, "architecture": {"model"}, "models": {"model"},
	"dataset": {"data", "name"}, "methods": {"method"}, "training": {"train"}, "evaluation": {"eval"}, "title": {"name"},
	"normalize": {"normalise"}, "normalization": {"normalise"}, "labelnoise": {"random_labels"},
	"imagesize": {"size"}, "imgsize": {"size"}, "resolution": {"size"}, "resize": {"size"},
	"trainsize": {"train"}, "ntrain": {"train"}, "testsize": {"test"}, "ntest": {"test"},
	"val": {"validation"}, "valsize": {"validation"}, "nval": {"validation"}, "validationsize": {"validation"},
	"validationsplit": {"validation"}, "valsplit": {"validation"}, "validationfraction": {"validation"},

	// Keys of [train] and [eval].
	"learningrate": {"lr"}, "stepsize": {"lr"}, "eta": {"lr"}, "initlr": {"lr"}, "baselr": {"lr"}, "swalr": {"lr"},
	"epoch": {"epochs"}, "nepochs": {"epochs"}, "numepochs": {"epochs"}, "maxepochs": {"epochs"}, "numtrainepochs": {"epochs"},
	"steps": {"epochs"}, "maxsteps": {"epochs"}, "numsteps": {"epochs"}, "iterations": {"epochs"}, "maxiter": {"epochs"}, "niter": {"epochs"},
	"batchsize": {"batch"}, "bs": {"batch"}, "minibatch": {"batch"}, "minibatchsize": {"batch"},
	"trainbatchsize": {"batch"}, "evalbatchsize": {"batch"}, "testbatchsize": {"batch"},
	"optim": {"optimizer"}, "optimiser": {"optimizer"}, "solver": {"optimizer"},
	"scheduler": {"schedule"}, "lrschedule": {"schedule"}, "lrscheduler": {"schedule"}, "learningrateschedule": {"schedule"},
	"clipgradnorm": {"clip_norm"}, "maxgradnorm": {"clip_norm"}, "gradclip": {"clip_norm"}, "gradientclipval": {"clip_norm"}, "clip": {"clip_norm"},
	"lrmilestones": {"milestones"}, "lrsteps": {"milestones"}, "lrgamma": {"gamma"}, "lrdecay": {"gamma"},
	"earlystop": {"early_stopping"}, "stopearly": {"early_stopping"}, "monitor": {"early_stopping"},
	"warmupepochs": {"warmup"}, "lrwarmupepochs": {"warmup"}, "warmupsteps": {"warmup"}, "numwarmupsteps": {"warmup"},
	"augmentation": {"augment"}, "augmentations": {"augment"}, "transform": {"augment"}, "transforms": {"augment"}, "mixupalpha": {"mixup"},
	"numsamples": {"samples"}, "nsamples": {"samples"}, "mcsamples": {"samples"}, "nummcsamples": {"samples"}, "k": {"samples"},
	"draws": {"samples"}, "ndraws": {"samples"}, "numdraws": {"samples"},
	"attacks": {"attack"}, "eps": {"epsilon"}, "corruption": {"shift"}, "corruptions": {"shift"}, "shifts": {"shift"},
	"save": {"save_predictions"}, "evalevery": {"every"}, "evalinterval": {"every"},

	// Keys of a [[method]].
	"weightdecay": {"prior_sigma", "length_scale"}, "wd": {"weight_decay", "prior_sigma", "length_scale"}, "l2": {"weight_decay", "prior_sigma", "length_scale"},
	"priorstd": {"prior_sigma"}, "priorscale": {"prior_sigma"}, "priorvar": {"prior_sigma"}, "priorvariance": {"prior_sigma"},
	"priorprecision": {"prior_sigma"}, "sigmaprior": {"prior_sigma"}, "posteriorstd": {"init_sigma"},
	"rate": {"p"}, "droprate": {"p"}, "dropoutrate": {"p"}, "dropoutp": {"p"}, "dropprob": {"p"}, "pdrop": {"p"},
	"beta": {"kl_weight"}, "klbeta": {"kl_weight"}, "klscale": {"kl_weight"}, "klannealing": {"warmup_end"},
	"nmodels": {"members"}, "nummodels": {"members"}, "nmembers": {"members"}, "nummembers": {"members"},
	"nestimators": {"members"}, "ensemblesize": {"members"}, "base": {"of"}, "basemethod": {"of"},
	"nparticles": {"particles"}, "numparticles": {"particles"}, "ncycles": {"cycles"}, "numcycles": {"cycles"},
	"leapfrogsteps": {"leapfrog"}, "numleapfrogsteps": {"leapfrog"}, "numintegrationsteps": {"leapfrog"},
	"warmup": {"burn_in", "warmup_end"}, "nwarmup": {"burn_in"}, "numwarmup": {"burn_in"}, "numburnin": {"burn_in"}, "tune": {"burn_in"},
	"targetaccept": {"accept"}, "targetacceptprob": {"accept"}, "thinning": {"thin"}, "temp": {"temperature"},
	"maxrank": {"rank"}, "swastart": {"start"}, "initializer": {"init"}, "initialiser": {"init"}, "initialization": {"init"},
	"hessianstructure": {"structure"}, "subsetofweights": {"layers"},

	// Backends.
	"cuda": {"gomlx:xla:cuda", "backend"}, "cuda0": {"gomlx:xla:cuda"}, "gpu": {"gomlx:xla:cuda", "backend"}, "nvidia": {"gomlx:xla:cuda"},
	"gpus": {"backend"}, "usecuda": {"backend"}, "usegpu": {"backend"}, "cpu": {"gonum", "backend"}, "numpy": {"gonum"}, "xla": {"gomlx:xla:cpu"}, "jax": {"gomlx:xla:cpu"},

	// Methods.
	"bbb": {"ffg"}, "bayesbybackprop": {"ffg"}, "mfvi": {"ffg"}, "meanfield": {"ffg"}, "meanfieldvi": {"ffg"}, "vi": {"ffg"}, "ffgvi": {"ffg"},
	"mcdropout": {"dropout"}, "montecarlodropout": {"dropout"}, "mcd": {"dropout"}, "concretedropout": {"learned-dropout"},
	"deepensemble": {"ensemble"}, "deepensembles": {"ensemble"}, "ensembles": {"ensemble"},
	"map": {"deterministic"}, "sgd": {"deterministic"}, "adam": {"deterministic"}, "mle": {"deterministic"}, "standard": {"deterministic"},
	"vanilla": {"deterministic"}, "baseline": {"deterministic"}, "point": {"deterministic"}, "pointestimate": {"deterministic"},
	"sparsevariationaldropout": {"sparse-vd"}, "svdo": {"sparse-vd"}, "vd": {"variational-dropout"}, "vdo": {"variational-dropout"},
	"stein": {"svgd"}, "nuts": {"hmc"}, "mcmc": {"hmc"}, "hamiltonianmontecarlo": {"hmc"}, "langevin": {"sgld"}, "csgld": {"csgmcmc"},
	"csghmc": {"csgmcmc"}, "cyclicalsgmcmc": {"csgmcmc"}, "kfac": {"laplace"}, "kfaclaplace": {"laplace"}, "lastlayerlaplace": {"laplace"},
	"snapshotensemble": {"snapshot"}, "multiswag": {"swag"}, "pruning": {"magnitude-pruning"}, "knowledgedistillation": {"distill"},

	// Optimisers and schedules.
	"adamw": {"adam"}, "nesterov": {"sgd"}, "cosineannealing": {"cosine"}, "cosineannealinglr": {"cosine"}, "cosinedecay": {"cosine"},
	"onecyclelr": {"one-cycle"}, "fixed": {"constant"}, "lineardecay": {"linear"},

	// Models and data sets.
	"lenet5": {"lenet-5-caffe"}, "mlp": {"lenet-300-100"}, "vgg": {"vgg-like-1"}, "vgg16": {"vgg-like-1"}, "resnet": {"resnet-20"},
	"wrn2810": {"wide-resnet-28-10"}, "wideresnet": {"wide-resnet-28-10"}, "logisticregression": {"softmax-regression"},
	"cifar": {"cifar10"}, "fmnist": {"fashion-mnist"}, "imagenet": {"imagenet-folder"}, "imagefolder": {"imagenet-folder"},

	// Metrics.
	"acc": {"accuracy"}, "loss": {"nll"}, "logloss": {"nll"}, "crossentropy": {"nll"}, "brier": {"brier_sum"}, "ece": {"ece15-lorc"},
}
