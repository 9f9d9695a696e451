"""Softmax regression on resampled examples: a bootstrap ensemble (Breiman 1996)."""

import numpy as np

import bayesbench

job = bayesbench.Job()
rng = np.random.default_rng(job.seed)
x, y = job.train
x, y = x.reshape(len(x), -1), np.eye(job.classes, dtype="float32")[y]
steps = job.epochs * (len(x) // job.batch)


def logits(x, w, b):
    return x.reshape(len(x), -1) @ w + b


for k in range(min(job.samples, job.args.get("members", 5))):
    bag = rng.integers(len(x), size=len(x))
    w, b = np.zeros((x.shape[1], job.classes), "float32"), np.zeros(job.classes, "float32")
    for step in range(steps):
        i = rng.choice(bag, job.batch)
        p = np.exp(logits(x[i], w, b))
        error = p / p.sum(1, keepdims=True) - y[i]
        rate = job.args.get("lr", 0.5) * (1 - step / steps) / job.batch
        w -= rate * x[i].T @ error
        b -= rate * error.sum(0)
    job.predict(lambda x: logits(x, w, b), form="logits")
job.report(epochs=job.epochs, parameters=w.size + b.size, versions={"numpy": np.__version__})
