// Package augment holds the random transforms of training images, one file each. A transform draws
// from the stream it is given and from nowhere else, so an augmented image is a function of (seed,
// epoch, example).
package augment
