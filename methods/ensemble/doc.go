// Package ensemble is deep ensembles: the predictive is the equal mixture of
// those of M networks that differ in their seed alone, so in initial values,
// data order and noise. The members are jobs of their own, of any method, the
// one of the table [method.of]; sample k of the predictive is drawn from
// member k mod M. There is no loss, prior or KL beyond the members'. It costs M
// times a member's weights and training, and one member's pass a sample.
//
// Member k has the seed of stream k, see methods.Part; member 0 has the job's own
// seed, so that an ensemble of one is the plain job.
//
// Source: Lakshminarayanan, Pritzel, Blundell, "Simple and scalable predictive
// uncertainty estimation using deep ensembles", NIPS 2017, without its
// adversarial training.
package ensemble
