// Package schedule holds the scalars that change from step to step of a training:
// learning rates, KL weights, temperatures, the corrections of Adam. A schedule is a
// value, so that a plan that holds some can be printed, compared and hashed.
package schedule
