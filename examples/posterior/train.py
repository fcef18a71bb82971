"""Learns the posterior of two moons with zuko and writes its state dict, for index.html.

python3 train.py   # needs zuko: pip install zuko
"""
import math

import torch
import zuko

torch.manual_seed(1)


def simulate(theta):
    """Two parameters in, two numbers out: a point of a half-moon, moved by what the parameters' sum and difference say."""
    angle = math.pi * (torch.rand(len(theta)) - 0.5)
    radius = 0.1 + 0.01 * torch.randn(len(theta))
    moon = torch.stack([radius * angle.cos() + 0.25, radius * angle.sin()], 1)
    a, b = theta.T
    return moon + torch.stack([-(a + b).abs(), b - a], 1) / math.sqrt(2)


flow = zuko.flows.NSF(features=2, context=2, transforms=4, hidden_features=(48, 48))
optimizer = torch.optim.Adam(flow.parameters(), 2e-3)
steps = 4000
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
for step in range(steps):
    theta = 2 * torch.rand(512, 2) - 1
    loss = -flow(simulate(theta)).log_prob(theta).mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
    optimizer.step()
    schedule.step()
    if step % 500 == 0:
        print(step, loss.item())

torch.save(flow.state_dict(), "posterior.pt")
