"""A compact Real NVP for vectors in PyTorch, for comparison: the architecture of our `realNvp`. serve.py trains it."""
import math

import torch
from torch import nn


class ActNorm(nn.Module):
    def __init__(self, dimensions):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(dimensions))
        self.log_scale = nn.Parameter(torch.zeros(dimensions))
        self.ready = False

    def forward(self, x):
        if not self.ready:
            with torch.no_grad():
                std, mean = torch.std_mean(x, dim=0, unbiased=False)
                self.bias.copy_(-mean)
                self.log_scale.copy_(-torch.log(std + 1e-6))
            self.ready = True
        return (x + self.bias) * self.log_scale.exp()

    def inverse(self, y):
        return y * (-self.log_scale).exp() - self.bias


class Coupling(nn.Module):
    def __init__(self, dimensions, hidden):
        super().__init__()
        kept = dimensions // 2
        self.sizes = (kept, dimensions - kept)
        widths = [kept, *hidden]
        layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True)]
            nn.init.kaiming_uniform_(layers[-2].weight, nonlinearity="relu")
            nn.init.zeros_(layers[-2].bias)
        layers.append(nn.Linear(widths[-1], 2 * self.sizes[1]))
        nn.init.zeros_(layers[-1].weight)
        nn.init.zeros_(layers[-1].bias)
        self.net = nn.Sequential(*layers)

    def parameters_of(self, kept):
        shift, raw = self.net(kept).chunk(2, 1)
        return shift, 2 * torch.tanh(raw / 2)

    def forward(self, x):
        kept, changed = x.split(self.sizes, 1)
        shift, log_s = self.parameters_of(kept)
        return torch.cat([kept, (changed + shift) * log_s.exp()], 1), log_s.sum(1)

    def inverse(self, y):
        kept, changed = y.split(self.sizes, 1)
        shift, log_s = self.parameters_of(kept)
        return torch.cat([kept, changed * (-log_s).exp() - shift], 1)


class RealNvp(nn.Module):
    def __init__(self, dimensions, layers, hidden):
        super().__init__()
        step = lambda: nn.ModuleList([ActNorm(dimensions), Coupling(dimensions, hidden)])
        self.steps = nn.ModuleList([step() for _ in range(layers)])

    def forward(self, x):
        log_p = x.new_zeros(x.shape[0])
        for actnorm, coupling in self.steps:
            x, log_det = coupling(actnorm(x))
            log_p = log_p + log_det + actnorm.log_scale.sum()
            x = x.flip(1)
        log_p = log_p - 0.5 * (x.shape[1] * math.log(2 * math.pi) + (x * x).sum(1))
        return log_p, [x]

    def inverse(self, latents):
        x = latents[0]
        for actnorm, coupling in reversed(self.steps):
            x = actnorm.inverse(coupling.inverse(x.flip(1)))
        return x
