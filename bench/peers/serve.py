"""A flow in PyTorch that trains, encodes and samples on command: loss, optimizer and clipping are those of ours.ts.

Reads commands from standard input, one per line (train, encode, logProb, sample, memory), and answers each with a line of JSON.

    python3 serve.py '{"model": "glow", "imageShape": [16, 16, 1], "levels": 2, "stepsPerLevel": 4, "hiddenChannels": 64, "batch": 32, "threads": 1}'
    python3 serve.py '{"model": "realNvp", "dimensions": 8, "layers": 8, "hiddenUnits": [64, 64], "batch": 512, "threads": 1}'
    python3 serve.py '{"model": "glow", ..., "device": "cuda", "tf32": true}'
    python3 serve.py '{"model": "vector", "library": "pytorch", "kind": "splineCoupling", "dimensions": 8, "layers": 5, "hidden": 64, "bins": 8, "bound": 5, "batch": 512, "threads": 1}'
"""
import json
import math
import resource
import sys
import time
from types import SimpleNamespace

import torch

import libraries
from glow import Glow
from realNvp import RealNvp


def glow_task(options):
    """Batches are as the model takes them, with noise drawn anew; the loss is in bits per dimension."""
    height, width, channels = options["imageShape"]
    dims = height * width * channels
    model = Glow(options["imageShape"], options["levels"], options["stepsPerLevel"], options["hiddenChannels"])
    # Faster than the default layout: a training step of G1 takes 282 in place of 304 ms on one core of a Zen 3.
    model = model.to(memory_format=torch.channels_last)
    images = torch.randint(0, 256, (options["batch"], channels, height, width)).float()
    device = options.get("device", "cpu")
    model = model.to(device)
    images = images.contiguous(memory_format=torch.channels_last).to(device)
    noisy = lambda: (images + torch.rand_like(images)) / 256 - 0.5
    loss = lambda: (8 * math.log(2) * dims - model(noisy())[0].mean()) / (math.log(2) * dims)
    return of_latents(model, loss, (images + 0.5) / 256 - 0.5)


def real_nvp_task(options):
    model = RealNvp(options["dimensions"], options["layers"], options["hiddenUnits"])
    device = options.get("device", "cpu")
    model = model.to(device)
    x = torch.randn(options["batch"], options["dimensions"], device=device)
    return of_latents(model, lambda: -model(x)[0].mean(), x)


def of_latents(model, loss, data):
    """What a model that maps data to (log p, latents), and latents back, does on command."""
    with torch.no_grad():
        latents = model(data)[1]
    noise = lambda: [torch.randn(latent.shape, device=data.device) for latent in latents]
    return SimpleNamespace(
        model=model,
        loss=loss,
        encode=lambda: model(data)[1][-1],
        logProb=lambda: model(data)[0],
        sample=lambda: model.inverse(noise()),
    )


def vector_task(options):
    module, log_prob, sample = libraries.build(options["library"], options, options.get("folder"))
    x = torch.randn(options["batch"], options["dimensions"])
    return SimpleNamespace(
        model=module,
        loss=lambda: -log_prob(x).mean(),
        logProb=lambda: log_prob(x),
        sample=lambda: sample(options["batch"]),
    )


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
    # Products of float32 in 19 bits, on GPUs of NVIDIA.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.get("tf32", False)
    tasks = {"glow": glow_task, "realNvp": real_nvp_task, "vector": vector_task}
    task = tasks[options["model"]](options)
    parameters = list(task.model.parameters())
    # With 1e-4 and no warm-up the first steps of a deep Glow overshoot, and its samples overflow.
    optimizer = torch.optim.Adam(parameters, lr=1e-5)

    def train():
        loss = task.loss()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 100)
        optimizer.step()
        return loss.item()

    def compute(command):
        if command == "train":
            return train()
        with torch.inference_mode():
            return getattr(task, command)().sum().item()

    def answer(**entries):
        print(json.dumps(entries), flush=True)

    clock = time.process_time if options.get("clock") == "cpu" else time.perf_counter
    count = sum(p.numel() for p in parameters)
    where = torch.cuda.get_device_name() if options.get("device") == "cuda" else "cpu"
    answer(ready=f"PyTorch {torch.__version__}, {where}", parameters=count, productSpeed=product_speed())
    for line in sys.stdin:
        command = line.strip()
        if command == "memory":
            answer(rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
            continue
        start = clock()
        value = compute(command)
        answer(ms=(clock() - start) * 1000, finite=math.isfinite(value))


if __name__ == "__main__":
    main()
