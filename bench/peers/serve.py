"""A flow in PyTorch that trains, encodes and samples on command: loss, optimizer and clipping are those of ours.ts.

Reads commands from standard input, one per line (train, encode, sample, memory), and answers each with a line of JSON.

    python3 serve.py '{"model": "glow", "imageShape": [16, 16, 1], "levels": 2, "stepsPerLevel": 4, "hiddenChannels": 64, "batch": 32, "threads": 1}'
    python3 serve.py '{"model": "realNvp", "dimensions": 8, "layers": 8, "hiddenUnits": [64, 64], "batch": 512, "threads": 1}'
"""
import json
import math
import resource
import sys
import time

import torch

from glow import Glow
from realNvp import RealNvp


def glow_task(options):
    """Model, batches as the model takes them (noise drawn anew), and the loss in bits per dimension."""
    height, width, channels = options["imageShape"]
    dims = height * width * channels
    model = Glow(options["imageShape"], options["levels"], options["stepsPerLevel"], options["hiddenChannels"])
    # Faster than the default layout: a training step of G1 takes 282 in place of 304 ms on one core of a Zen 3.
    model = model.to(memory_format=torch.channels_last)
    images = torch.randint(0, 256, (options["batch"], channels, height, width)).float()
    images = images.contiguous(memory_format=torch.channels_last)
    noisy = lambda: (images + torch.rand_like(images)) / 256 - 0.5
    loss = lambda log_p: (8 * math.log(2) * dims - log_p.mean()) / (math.log(2) * dims)
    return model, noisy, (images + 0.5) / 256 - 0.5, loss


def real_nvp_task(options):
    model = RealNvp(options["dimensions"], options["layers"], options["hiddenUnits"])
    x = torch.randn(options["batch"], options["dimensions"])
    return model, lambda: x, x, lambda log_p: -log_p.mean()


def product_speed():
    """GFLOP/s of a matrix product: with the reference BLAS in place of OpenBLAS it is below 10."""
    a, b = torch.rand(512, 512), torch.rand(512, 512)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * 512**3 / min(seconds) / 1e9


def main():
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    torch.manual_seed(1)
    tasks = {"glow": glow_task, "realNvp": real_nvp_task}
    model, noisy, data, loss_of = tasks[options["model"]](options)
    # With 1e-4 and no warm-up the first steps of a deep Glow overshoot, and its samples overflow.
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-5)

    def train():
        loss = loss_of(model(noisy())[0])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 100)
        optimizer.step()
        return loss.item()

    @torch.inference_mode()
    def encode():
        return model(data)[1][-1].sum().item()

    with torch.no_grad():
        shapes = [latent.shape for latent in model(data)[1]]

    @torch.inference_mode()
    def sample():
        return model.inverse([torch.randn(shape) for shape in shapes]).sum().item()

    def answer(**entries):
        print(json.dumps(entries), flush=True)

    parameters = sum(p.numel() for p in model.parameters())
    answer(ready=f"PyTorch {torch.__version__}", parameters=parameters, productSpeed=product_speed())
    commands = {"train": train, "encode": encode, "sample": sample}
    for line in sys.stdin:
        command = line.strip()
        if command == "memory":
            answer(rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
            continue
        start = time.perf_counter()
        value = commands[command]()
        answer(ms=(time.perf_counter() - start) * 1000, finite=math.isfinite(value))


if __name__ == "__main__":
    main()
