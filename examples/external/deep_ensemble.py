"""A deep ensemble in PyTorch (Lakshminarayanan et al. 2017), of LeNet-300-100 and MAP training."""

import time

import torch
from torch import nn

import bayesbench

job = bayesbench.Job()
torch.manual_seed(job.seed)
torch.set_num_threads(job.threads)
x, y = (torch.tensor(a) for a in job.train)
began = time.perf_counter()


def network():
    net, inputs = nn.Sequential(nn.Flatten()), x[0].numel()
    for width in (300, 100):
        net.extend([nn.Linear(inputs, width), nn.ReLU()])
        inputs = width
    return net.append(nn.Linear(inputs, job.classes))


def train(net):
    optimizer = torch.optim.Adam(net.parameters(), lr=job.told["config"]["train"]["lr"])
    for _ in range(job.epochs):
        for i in torch.randperm(len(x)).split(job.batch):
            loss = nn.functional.cross_entropy(net(x[i]), y[i])
            # The prior N(0, 1) of the weights, as bayesbench's deterministic has it.
            loss = loss + sum((p**2).sum() for p in net.parameters() if p.dim() > 1) / (2 * len(x))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net.eval()


for k in range(min(job.samples, job.args.get("members", 5))):
    net = train(network())
    with torch.no_grad():
        job.predict(lambda x: net(torch.tensor(x)).numpy(), form="logits")
job.report(
    epochs=job.epochs,
    train_seconds=time.perf_counter() - began,
    parameters=sum(p.numel() for p in net.parameters()),
    versions={"torch": torch.__version__},
)
