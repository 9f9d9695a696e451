"""The protocol of bayesbench's external methods, docs/external-methods.md. Needs numpy alone.

    job = bayesbench.Job()                           # reads the folder that the command is given
    x, y = job.train                                 # training examples, mapped to memory
    job.predict(lambda x: net(x), form="logits")     # the next posterior sample, of every set of inputs

Copy the file beside your program, or import it from where it is.
"""

import json
import os
import sys

import numpy as np


class Job:
    """One job: what job.json says, the arrays, and where the predictions go."""

    def __init__(self, folder=None):
        self.folder = folder or sys.argv[-1]  # the last argument of the command
        with open(os.path.join(self.folder, "job.json")) as f:
            self.told = json.load(f)  # all of it, as docs/external-methods.md has it
        if self.told["protocol"] != 1:
            sys.exit("bayesbench.py knows protocol 1, job.json says %s" % self.told["protocol"])
        told = self.told
        self.seed = told["seed"]
        self.samples = told["samples"]  # the most posterior samples that are wanted
        self.epochs, self.batch = told["epochs"], told["batch"]  # the budget
        self.threads = told["threads"]
        self.args = told["args"]  # [method.args] of the suite
        self.shape = tuple(told["examples"]["shape"])  # of one input
        self.classes = told["targets"].get("classes", 0)  # 0 where the targets are numbers
        self.columns = told["targets"].get("columns", 0)  # numbers of a target
        self.resumed = told["resumed"]  # an earlier try left something in state
        self.state = os.path.join(self.folder, "state")  # a folder of your own, kept between tries
        self.train = self._arrays(told["train"])
        self.validation = self._arrays(told["validation"]) if "validation" in told else None
        self.inputs = {s["name"]: self._array(s["inputs"]) for s in told["inputs"]}
        self._written = 0

    def _array(self, name):
        return np.load(os.path.join(self.folder, name), mmap_mode="r")

    def _arrays(self, a):
        return self._array(a["inputs"]), self._array(a["targets"])

    def predict(self, function, form, rows=500):
        """Write the next posterior sample: function(inputs) for so many inputs of a set at a time.

        It gives log-probabilities, probabilities or logits [rows, classes], as form says; for numbers
        a pair (mean, variance), each [rows, columns], and form is "mean-variance".
        """
        for s in self.told["inputs"]:
            if self._written >= s["samples"]:
                continue
            x = self.inputs[s["name"]]
            parts = [np.asarray(function(np.array(x[i : i + rows]))) for i in range(0, len(x), rows)]
            self.write(s["name"], self._written, form, np.concatenate(parts, axis=-2))
        self._written += 1

    def write(self, name, number, form, array):
        """Write one prediction for the set of that name."""
        path = os.path.join(self.folder, "out", name, "%03d.%s.npy" % (number, form))
        with open(path + ".tmp", "wb") as f:
            np.save(f, np.asarray(array))
        os.replace(path + ".tmp", path)

    def report(self, **scalars):
        """Write out/scalars.json: epochs, train_seconds, kl, parameters, weights, versions."""
        with open(os.path.join(self.folder, "out", "scalars.json"), "w") as f:
            json.dump(scalars, f)
