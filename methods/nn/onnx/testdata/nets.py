"""Writes small networks as ONNX files, with inputs and PyTorch's outputs for them.

    python3 -m venv v && v/bin/pip install torch torchvision onnx onnxscript
    v/bin/python nets.py                 the small networks, into this folder
    v/bin/python nets.py --large DIR     torchvision's networks in full size, into DIR

The weights are random under a fixed seed, and the running statistics of batch normalisation are
not those that it starts with. NAME.json holds "shape", "x", "logits".
"""

import argparse
import json
import pathlib

import onnx
import torch
from torch import nn


class Block(nn.Module):
    """A residual block with a depthwise convolution and a gate by channel."""

    def __init__(self, c):
        super().__init__()
        self.a = nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False)
        self.bn = nn.BatchNorm2d(c, eps=1e-3)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, c, 1), nn.Hardsigmoid())
        self.b = nn.Conv2d(c, c, 1)

    def forward(self, x):
        y = nn.functional.relu6(self.bn(self.a(x)))
        return x + self.b(y * self.gate(y))


class Branches(nn.Module):
    """Concatenation, windows that are not square, padding, a mean, a view of a known shape."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(2, 3, (3, 1), stride=(1, 2), padding=(1, 0))
        self.b = nn.Conv2d(2, 2, (1, 3), stride=(1, 2), padding=(0, 1))
        self.fc1 = nn.Linear(5 * 2 * 1, 6)
        self.fc2 = nn.Linear(6, 4, bias=False)

    def forward(self, x):
        x = nn.functional.pad(x, (1, 0, 0, 1))
        y = torch.cat([nn.functional.gelu(self.a(x)), nn.functional.silu(self.b(x))], 1)
        y = nn.functional.max_pool2d(y, 3, 2, 1)
        y = nn.functional.avg_pool2d(y, (3, 2), 2, ceil_mode=True)
        y = y.view(x.size(0), -1)
        return self.fc2(nn.functional.elu(self.fc1(y), 0.5))


def small():
    return {
        "lenet": (nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU(),
            nn.Flatten(), nn.Dropout(0.25), nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 4)), (1, 8, 8)),
        "residual": (nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4), nn.LeakyReLU(), Block(4), Block(4),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4)), (1, 8, 8)),
        "branches": (Branches(), (2, 6, 6)),
        "mlp": (nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Softplus(), nn.Linear(5, 5), nn.SELU(), nn.Linear(5, 4)), (6,)),
    }


def large():
    import torchvision.models as m

    return {
        "resnet18": (m.resnet18(), (3, 224, 224)),
        "vgg11": (m.vgg11(), (3, 224, 224)),
        "mobilenet_v2": (m.mobilenet_v2(), (3, 224, 224)),
        "densenet121": (m.densenet121(), (3, 224, 224)),
    }


def without_traces(path):
    """Take the exporter's stack traces out, which name files of the machine that it ran on."""
    model = onnx.load(path, load_external_data=False)
    for part in [model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer]:
        part.doc_string = ""
        del part.metadata_props[:]
    onnx.save(model, path)


def write(folder, name, net, shape, rows, variants):
    generator = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            n = module.num_features
            module.running_mean.copy_(torch.randn(n, generator=generator) * 0.1)
            module.running_var.copy_(torch.rand(n, generator=generator) + 0.5)
            module.weight.data.copy_(torch.rand(n, generator=generator) + 0.5)
            module.bias.data.copy_(torch.randn(n, generator=generator) * 0.1)
    net.eval()
    x = torch.randn(rows, *shape, generator=generator)
    with torch.no_grad():
        logits = net(x)
    for suffix, kwargs in variants.items():
        for module in net.modules():
            if isinstance(module, nn.Dropout):
                module.train(suffix == "-kept")  # else the exporter leaves it out
        file = folder / f"{name}{suffix}.onnx"
        torch.onnx.export(net, (x,), file, input_names=["x"], output_names=["logits"], **kwargs)
        without_traces(file)
    values = {"shape": list(x.shape), "x": [round(v, 6) for v in x.flatten().tolist()], "logits": logits.flatten().tolist()}
    (folder / f"{name}.json").write_text(json.dumps(values) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", type=pathlib.Path)
    args = parser.parse_args()
    torch.manual_seed(0)
    script = {"dynamo": False, "dynamic_axes": {"x": {0: "n"}, "logits": {0: "n"}}}
    graph = {"dynamo": True, "dynamic_shapes": ({0: torch.export.Dim("n")},), "external_data": False}
    kept = {**script, "training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    if args.large:
        args.large.mkdir(parents=True, exist_ok=True)
        for name, (net, shape) in large().items():
            write(args.large, name, net, shape, 2, {"-kept": kept, "-graph": {**graph, "external_data": True}})
        return
    here = pathlib.Path(__file__).parent
    for name, (net, shape) in small().items():
        write(here, name, net, shape, 3, {
            "-13": {**script, "opset_version": 13}, "-20": {**script, "opset_version": 20},
            "-kept": {**kept, "opset_version": 17}, "-graph": {**graph, "opset_version": 18}})


main()
