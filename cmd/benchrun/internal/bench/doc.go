// Package bench turns a suite into jobs and jobs into records. plan.go resolves a
// suite into jobs with their dependencies and costs; run.go takes the jobs through
// a run directory; job.go is one job from its seed to its records ([execution]),
// made of train.go (checkpoints, resume, the curve), predict.go (the predictive) and
// record.go (metrics and timings). feed.go gives methods/exec, which runs the
// plans, its batches.
//
// Whatever a job computes is a function of its config alone, so a job that was
// killed and resumed, or run at another thread count, leaves the same bits.
package bench
