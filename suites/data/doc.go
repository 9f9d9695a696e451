// Package data opens the data sets of the suites by name and feeds them to training.
//
// A data set is one file here that registers itself (mnist.go, cifar10.go, …). [Open] finds its files, checks each
// against a published hash and returns a [Set]: two [Split]s of uint8 images with labels. A [Loader] turns a split into
// float32 batches of fixed shape, shuffled, augmented and normalised ahead of the trainer; everything random in it is a
// function of (key, epoch, example), so a batch is the same at any number of workers and after any resume.
//
// Files are looked for in this order, and never written anywhere but in the cache:
//
//  1. Options.Dir, then Options.Dir/<name>; a set that is the user's own (imagenet-folder) nowhere else if Dir is given;
//  2. each folder in the environment variable BAYESBENCH_DATA (a list, as PATH), under <name>;
//  3. the cache: $XDG_CACHE_HOME/bayesbench/<name>, or the same below os.UserCacheDir;
//  4. the packaged source: a package of an ordinary package manager that carries the canonical files;
//  5. the public mirror.
//
// Below it, pixel holds images and their geometry, augment the random transforms of training, corrupt the shifts of
// CIFAR-10-C, MNIST-C and ImageNet-C; none of the three knows a data set.
package data
