"""Writes keys.json: the steps that PyTorch takes under the keys of [train], in float64.

    python3 -m venv venv && venv/bin/pip install torch && venv/bin/python keys.py > keys.json

The function is a quadratic with a minimum at c and the curvature A, of two parameters, whose
gradients have noise; the rates are those of torch.optim.lr_scheduler. Made with torch 2.15.0.
"""

import json
import sys

import torch
from torch.optim import lr_scheduler as lrs

torch.set_default_dtype(torch.float64)
STEPS = 12
draw = torch.Generator().manual_seed(17)
size = {"w": 4, "b": 3}


def normal(n):
    return torch.round(torch.randn(n, generator=draw) * 1e4) / 1e4


start = {k: normal(n) for k, n in size.items()}
A = {k: normal(n).abs() + 0.3 for k, n in size.items()}
c = {k: normal(n) for k, n in size.items()}
noise = [{k: normal(n) * 0.3 for k, n in size.items()} for _ in range(STEPS)]


def warmed(opt, steps, after):
    """after, behind a linear warm-up of so many steps."""
    up = lrs.LinearLR(opt, start_factor=1 / steps, total_iters=steps - 1)
    return lrs.SequentialLR(opt, [up, after], milestones=[steps])


def constant(opt):
    return lrs.ConstantLR(opt, factor=1, total_iters=0)


# By name: the optimiser, the largest norm of the gradient (0: none), and the schedule.
cases = {
    "adamw": (lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.05), 0, constant),
    "adamw-clip": (lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.3), 0.7, constant),
    "adam-clip": (lambda p: torch.optim.Adam(p, lr=0.1), 0.7, constant),
    "sgd-decay": (lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.05), 0, constant),
    "sgd-nesterov": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), 0, constant),
    "sgd-all": (
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
        1.5,
        lambda o: warmed(o, 3, lrs.MultiStepLR(o, [4 - 3, 9 - 3], gamma=0.2)),
    ),
    "rmsprop-decay": (lambda p: torch.optim.RMSprop(p, lr=0.05, weight_decay=0.05), 0, constant),
    "rmsprop-clip": (lambda p: torch.optim.RMSprop(p, lr=0.05), 0.5, lambda o: lrs.MultiStepLR(o, [6, 9], gamma=0.1)),
    "adamw-warm-cosine": (
        lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.05),
        0,
        lambda o: warmed(o, 4, lrs.CosineAnnealingLR(o, T_max=STEPS - 4)),
    ),
    "sgd-warm-linear": (
        lambda p: torch.optim.SGD(p, lr=0.1),
        0,
        lambda o: warmed(o, 4, lrs.LinearLR(o, 1, 0, total_iters=STEPS - 4)),
    ),
    "sgd-warm-one-cycle": (lambda p: torch.optim.SGD(p, lr=0.1), 0, None),
}

out = {}
for name, (make, clip, schedule) in cases.items():
    params = {k: v.clone().requires_grad_() for k, v in start.items()}
    opt = make(list(params.values()))
    if schedule is None:  # OneCycleLR sets its own rates, so that the warm-up is before it by hand
        cycle = torch.optim.SGD([torch.zeros(1)], lr=0.1)
        rate = lrs.OneCycleLR(cycle, max_lr=0.1, total_steps=STEPS - 3)
        course = [0.1 * (t + 1) / 3 for t in range(3)]
        for _ in range(STEPS - 3):
            course.append(cycle.param_groups[0]["lr"])
            cycle.step()
            if len(course) < STEPS:
                rate.step()
        scheduler = lrs.LambdaLR(opt, lambda t: course[min(t, STEPS - 1)] / 0.1)
    else:
        scheduler = schedule(opt)
    rates, steps = [], []
    for t in range(STEPS):
        rates.append(opt.param_groups[0]["lr"])
        opt.zero_grad()
        loss = sum((0.5 * A[k] * (p - c[k]) ** 2 + noise[t][k] * p).sum() for k, p in params.items())
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(params.values(), clip)
        opt.step()
        scheduler.step()
        steps.append({k: p.tolist() for k, p in params.items()})
    out[name] = {"rates": rates, "steps": steps}


def lists(values):
    return {k: v.tolist() for k, v in values.items()}


json.dump({"torch": torch.__version__.split("+")[0], "start": lists(start), "curvature": lists(A), "minimum": lists(c),
           "noise": [lists(n) for n in noise], "cases": out}, sys.stdout, indent=1)
print()
