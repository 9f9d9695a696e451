// Package bench is the only loop: it turns a suite into jobs and jobs into
// records. plan.go resolves a suite into jobs with their dependencies and
// costs; run.go takes the jobs through a run directory; job.go is one job from
// its seed to its records, made of train.go (stages, checkpoints, resume),
// predict.go (the stream of log-probability matrices) and record.go (metrics
// and timings). keys.go says where every random number comes from.
//
// Whatever a job computes is a function of its config alone, so a job that was
// killed and resumed, or run at another thread count, leaves the same bits.
package bench
