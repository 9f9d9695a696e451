// Package data opens the data sets of the suites by name and feeds them to training.
//
// A data set is one file here that registers itself (mnist.go, cifar10.go, …). [Open] finds its
// files, checks each against a published hash and returns a [Set] of [Split]s. A set says what an
// example is, [Examples] of a [Kind], and what is known of it, [Targets]: classes or numbers. A
// [Loader] turns a split into float32 batches of fixed shape, shuffled, augmented and normalised
// ahead of the trainer; everything random in it is a function of (key, epoch, example), so a batch
// is the same at any number of workers and after any resume. What is done with examples of one kind
// stands in the file of its name, pixels.go and numbers.go, and no caller asks for the kind.
//
// Below it, fetch finds the files or gets them, pixel holds images and their geometry, augment the
// random transforms of training, corrupt the shifts of CIFAR-10-C, MNIST-C and ImageNet-C; none of
// the four knows a data set.
package data
