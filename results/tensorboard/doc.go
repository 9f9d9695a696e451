// Package tensorboard writes a finished job's curve and metrics as a TensorBoard event file, so
// that `tensorboard --logdir DIR` shows runs of benchrun beside those of other programs.
//
// The format is that of TensorFlow's record and event files (tensorflow/core/lib/io/record_writer.h
// and tensorflow/core/util/event.proto): Event messages, each framed by its length and masked
// CRC-32C sums.
package tensorboard
