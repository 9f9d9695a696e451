// Package distill is distillation: a network is trained on the mean predictive
// of a finished teacher, the job of the table [method.teacher], in place of
// the labels,
//
//	loss = −1/B Σ E_teacher[log p(y | x, w)] + 1/N Σ w²/(2σ²)
//
// on the training examples. Of classes the expectation is Σ_c p_teacher(c | x)·log p(c | x, w);
// of numbers it takes the mean and the variance of the teacher's predictive
// (task.Likelihood's Taught). Prior: N(0, σ²) on weights; KL: none. The student
// may be of another architecture. It predicts in one pass, whatever the
// teacher took. With a teacher that is certain of the labels it is MAP
// training.
//
// Source: Hinton, Vinyals, Dean, "Distilling the knowledge in a neural
// network", 2015, at temperature 1; of a posterior: Balan, Rathod, Murphy,
// Welling, "Bayesian dark knowledge", NIPS 2015, whose online form is
// bayesian-dark-knowledge.
package distill
