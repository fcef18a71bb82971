"""Flows for vectors in plain PyTorch, for comparison: splines and affine maps in couplings and masked autoregressive layers.

Networks are residual, with two blocks; LU maps stand between layers with splines.
libraries.py builds it, serve.py trains it.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


class LuLinear(nn.Module):
    """y = L U x + b of values in another order, from the identity."""

    def __init__(self, d):
        super().__init__()
        self.register_buffer("order", torch.randperm(d))
        self.lower = nn.Parameter(torch.zeros(d, d))
        self.upper = nn.Parameter(torch.zeros(d, d))
        self.log_diagonal = nn.Parameter(torch.zeros(d))
        self.bias = nn.Parameter(torch.zeros(d))

    def factors(self):
        lower = torch.tril(self.lower, -1) + torch.eye(len(self.order))
        return lower, torch.triu(self.upper, 1) + torch.diag(self.log_diagonal.exp())

    def forward(self, x):
        lower, upper = self.factors()
        return F.linear(F.linear(x[:, self.order], upper), lower, self.bias), self.log_diagonal.sum()

    def inverse(self, y):
        lower, upper = self.factors()
        x = torch.linalg.solve_triangular(lower, (y - self.bias).T, upper=False, unitriangular=True)
        return torch.linalg.solve_triangular(upper, x, upper=True).T[:, torch.argsort(self.order)]


class Spline:
    """Monotone rational-quadratic spline with linear tails (Durkan et al., 2019)."""

    def __init__(self, bins, bound):
        self.bins, self.bound, self.parameters = bins, bound, 3 * bins - 1

    def knots(self, raw):
        sizes = 1e-3 + (1 - 1e-3 * self.bins) * torch.softmax(raw, -1)
        places = F.pad(torch.cumsum(sizes, -1), (1, 0)) * (2 * self.bound) - self.bound
        return torch.cat([places[..., :-1], torch.full_like(places[..., :1], self.bound)], -1)

    def __call__(self, x, raw, inverse=False):
        x_knots, y_knots = self.knots(raw[..., : self.bins]), self.knots(raw[..., self.bins : 2 * self.bins])
        slopes = F.pad(1e-3 + F.softplus(raw[..., 2 * self.bins :] + math.log(math.e - 1)), (1, 1), value=1.0)
        inside = x.abs() < self.bound
        value = torch.where(inside, x, torch.zeros_like(x))
        searched = y_knots if inverse else x_knots
        piece = (value[..., None] >= searched[..., 1:-1]).sum(-1, keepdim=True)
        pick = lambda of, at: of.gather(-1, at)[..., 0]
        x0, y0 = pick(x_knots, piece), pick(y_knots, piece)
        width, height = pick(x_knots, piece + 1) - x0, pick(y_knots, piece + 1) - y0
        left, right = pick(slopes, piece), pick(slopes, piece + 1)
        s = height / width
        bend = left + right - 2 * s
        if inverse:
            up = value - y0
            a, b, c = height * (s - left) + up * bend, height * left - up * bend, -s * up
            t = 2 * c / (-b - torch.sqrt(b * b - 4 * a * c))
            result = x0 + t * width
        else:
            t = (value - x0) / width
        rest = t * (1 - t)
        den = s + bend * rest
        if not inverse:
            result = y0 + height * (s * t * t + left * rest) / den
        log_slope = 2 * s.log() + (right * t * t + 2 * s * rest + left * (1 - t) ** 2).log() - 2 * den.log()
        log_slope = -log_slope if inverse else log_slope
        return torch.where(inside, result, x), torch.where(inside, log_slope, torch.zeros_like(x)).sum(-1)


class Affine:
    parameters = 2

    def __call__(self, x, raw, inverse=False):
        shift, log_s = raw[..., 0], raw[..., 1]
        log_s = log_s / (1 + log_s.abs() / math.log(1e3))
        if inverse:
            return (x - shift) * (-log_s).exp(), -log_s.sum(-1)
        return x * log_s.exp() + shift, log_s.sum(-1)


class MaskedLinear(nn.Linear):
    def __init__(self, before, after, strict=False):
        super().__init__(len(before), len(after))
        self.register_buffer("mask", (after[:, None] > before if strict else after[:, None] >= before).float())

    def forward(self, x):
        return F.linear(x, self.weight * self.mask, self.bias)


class Residual(nn.Module):
    def __init__(self, linear):
        super().__init__()
        self.first, self.second = linear(), linear()

    def forward(self, x):
        return x + self.second(F.relu(self.first(F.relu(x))))


def residual(first, hidden, last):
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(first, Residual(hidden), Residual(hidden), last)


class Coupling(nn.Module):
    def __init__(self, d, hidden, univariate, first):
        super().__init__()
        self.kept = [j for j in range(d) if (j + first) % 2]
        self.changed = [j for j in range(d) if (j + first) % 2 == 0]
        self.univariate = univariate
        outputs = len(self.changed) * univariate.parameters
        self.net = residual(nn.Linear(len(self.kept), hidden), lambda: nn.Linear(hidden, hidden), nn.Linear(hidden, outputs))
        self.own = None
        if isinstance(univariate, Spline):
            self.own = nn.Parameter(torch.zeros(len(self.kept), univariate.parameters))

    def both(self, x, inverse):
        kept, result, log_det = x[:, self.kept], x.clone(), 0
        if self.own is not None:
            own = self.own.expand(len(x), -1, -1)
            turned, log_det = self.univariate(kept, own, inverse)
            kept = turned if inverse else kept
            result[:, self.kept] = turned
        raw = self.net(kept).view(len(x), len(self.changed), -1)
        result[:, self.changed], more = self.univariate(x[:, self.changed], raw, inverse)
        return result, log_det + more

    def forward(self, x):
        return self.both(x, False)

    def inverse(self, y):
        return self.both(y, True)[0]


class Autoregressive(nn.Module):
    def __init__(self, d, hidden, univariate):
        super().__init__()
        values = torch.arange(1, d + 1)
        units = torch.arange(hidden) % max(1, d - 1) + 1
        outputs = values.repeat_interleave(univariate.parameters)
        self.univariate = univariate
        self.net = residual(MaskedLinear(values, units), lambda: MaskedLinear(units, units), MaskedLinear(units, outputs, True))

    def forward(self, x):
        return self.univariate(x, self.net(x).view(*x.shape, -1))

    def inverse(self, y):
        x = torch.zeros_like(y)
        for _ in range(y.shape[1]):
            x = self.univariate(y, self.net(x).view(*y.shape, -1), True)[0]
        return x


class VectorFlow(nn.Module):
    def __init__(self, kind, dimensions, layers, hidden, bins, bound):
        super().__init__()
        self.dimensions = dimensions
        splines = kind.startswith("spline")
        univariate = Spline(bins, bound) if splines else Affine()
        steps = []
        for i in range(layers):
            if splines:
                steps.append(LuLinear(dimensions))
            if kind.endswith("Coupling"):
                steps.append(Coupling(dimensions, hidden, univariate, i))
            else:
                steps.append(Autoregressive(dimensions, hidden, univariate))
        self.steps = nn.ModuleList(steps)

    def log_prob(self, x):
        log_p = -0.5 * self.dimensions * math.log(2 * math.pi)
        for step in self.steps:
            x, log_det = step(x)
            log_p = log_p + log_det
        return log_p - 0.5 * (x * x).sum(1)

    def sample(self, n):
        x = torch.randn(n, self.dimensions)
        for step in reversed(self.steps):
            x = step.inverse(x)
        return x
