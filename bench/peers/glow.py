"""A compact Glow in PyTorch, for comparison: the architecture of our `Glow` with its defaults. serve.py trains it."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class ActNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.ready = False

    def forward(self, x):
        if not self.ready:
            with torch.no_grad():
                std, mean = torch.std_mean(x, dim=(0, 2, 3), keepdim=True, unbiased=False)
                self.bias.copy_(-mean)
                self.log_scale.copy_(-torch.log(std + 1e-6))
            self.ready = True
        return (x + self.bias) * self.log_scale.exp()

    def log_det(self, x):
        return self.log_scale.sum() * (x.shape[2] * x.shape[3])

    def inverse(self, y):
        return y * (-self.log_scale).exp() - self.bias


class InvConv(nn.Module):
    def __init__(self, channels):
        super().__init__()
        q, _ = torch.linalg.qr(torch.randn(channels, channels))
        p, lower, upper = torch.linalg.lu(q) if hasattr(torch.linalg, "lu") else torch.lu_unpack(*torch.lu(q))
        s = upper.diag()
        self.register_buffer("p", p)
        self.register_buffer("sign", s.sign())
        self.register_buffer("eye", torch.eye(channels))
        self.lower = nn.Parameter(lower.tril(-1))
        self.upper = nn.Parameter(upper.triu(1))
        self.log_s = nn.Parameter(s.abs().log())

    def matrix(self):
        scales = torch.diag(self.sign * self.log_s.exp())
        return self.p @ (self.lower.tril(-1) + self.eye) @ (self.upper.triu(1) + scales)

    def forward(self, x):
        return F.conv2d(x, self.matrix()[:, :, None, None])

    def log_det(self, x):
        return self.log_s.sum() * (x.shape[2] * x.shape[3])

    def inverse(self, y):
        return F.conv2d(y, self.matrix().double().inverse().float()[:, :, None, None])


class ZeroConv(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)
        self.log_scale = nn.Parameter(torch.zeros(1, outputs, 1, 1))

    def forward(self, x):
        return self.conv(x) * (3 * self.log_scale).exp()


class Coupling(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(channels // 2, hidden, 3, padding=1, bias=False),
            ActNorm(hidden),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 1, bias=False),
            ActNorm(hidden),
            nn.ReLU(inplace=True),
            ZeroConv(hidden, channels),
        )
        for layer in (self.net[0], self.net[3]):
            nn.init.normal_(layer.weight, std=0.05)

    def forward(self, x):
        kept, changed = x.chunk(2, 1)
        shift, raw = self.net(kept).chunk(2, 1)
        log_s = F.logsigmoid(raw + 2)
        return torch.cat([kept, (changed + shift) * log_s.exp()], 1), log_s.sum((1, 2, 3))

    def inverse(self, y):
        kept, changed = y.chunk(2, 1)
        shift, raw = self.net(kept).chunk(2, 1)
        return torch.cat([kept, changed * (-F.logsigmoid(raw + 2)).exp() - shift], 1)


def squeeze(x):
    n, c, h, w = x.shape
    return x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, c * 4, h // 2, w // 2)


def unsqueeze(x):
    n, c, h, w = x.shape
    return x.view(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, h * 2, w * 2)


class Glow(nn.Module):
    def __init__(self, shape, levels, steps, hidden):
        super().__init__()
        channels = shape[2]
        self.levels = nn.ModuleList()
        self.priors = nn.ModuleList()
        for level in range(levels):
            channels *= 4
            step = lambda: nn.ModuleList([ActNorm(channels), InvConv(channels), Coupling(channels, hidden)])
            self.levels.append(nn.ModuleList([step() for _ in range(steps)]))
            if level < levels - 1:
                self.priors.append(ZeroConv(channels // 2, channels))
                channels //= 2
        self.top = nn.Parameter(torch.zeros(1, 2 * channels, 1, 1))

    def forward(self, x):
        log_p = x.new_zeros(x.shape[0])
        latents = []
        for level, steps in enumerate(self.levels):
            x = squeeze(x)
            for actnorm, invconv, coupling in steps:
                x = invconv(actnorm(x))
                log_p = log_p + actnorm.log_det(x) + invconv.log_det(x)
                x, log_det = coupling(x)
                log_p = log_p + log_det
            if level < len(self.priors):
                x, leaves = x.chunk(2, 1)
                mean, log_sd = self.priors[level](x).chunk(2, 1)
            else:
                leaves = x
                mean, log_sd = self.top.chunk(2, 1)
            eps = (leaves - mean) * (-log_sd).exp()
            latents.append(eps)
            log_p = log_p + (-0.5 * (math.log(2 * math.pi) + eps * eps) - log_sd).sum((1, 2, 3))
        return log_p, latents

    def inverse(self, latents):
        x = None
        for level in reversed(range(len(self.levels))):
            prior = self.top if x is None else self.priors[level](x)
            mean, log_sd = prior.chunk(2, 1)
            leaves = latents[level] * log_sd.exp() + mean
            x = leaves if x is None else torch.cat([x, leaves], 1)
            for actnorm, invconv, coupling in reversed(self.levels[level]):
                x = actnorm.inverse(invconv.inverse(coupling.inverse(x)))
            x = unsqueeze(x)
        return x
