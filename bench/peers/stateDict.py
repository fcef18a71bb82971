"""Reads what stateDict.ts wrote with PyTorch; with clones of the two codes, loads them strictly and compares log-likelihoods.

python3 bench/peers/stateDict.py FOLDER [--chaiyujin CLONE] [--rosinality CLONE]
"""
import argparse
import glob
import importlib
import json
import os
import struct
import sys
import types

import numpy as np
import torch

TYPES = {"F32": np.float32, "I64": np.int64, "U8": np.uint8, "BOOL": np.bool_}


def read_safetensors(path):
    """The format by hand, so that the safetensors package is not needed."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[start:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors, metadata


def load_module(folder, name):
    sys.path.insert(0, folder)
    for loaded in [key for key in sys.modules if key.split(".")[0] == name.split(".")[0]]:
        del sys.modules[loaded]
    module = importlib.import_module(name)
    sys.path.pop(0)
    return module


def namespace(**entries):
    return types.SimpleNamespace(**entries)


def chaiyujin_log_prob(clone, state, settings, x, labels):
    models = load_module(clone, "glow.models")
    device = namespace(glow=["cpu"])
    hparams = namespace(Glow=namespace(**settings), Device=device, Train=namespace(batch_size=len(x)))
    model = models.Glow(hparams)
    model.load_state_dict(state, strict=True)
    model.set_actnorm_init(True)
    model.eval()
    z, objective = model.flow(x, logdet=torch.zeros(len(x)), reverse=False)
    mean, logs = model.prior(labels if settings["y_condition"] else None)
    return objective + models.modules.GaussianDiag.logp(mean, logs, z)


def rosinality_log_prob(clone, state, settings, x, labels):
    module = load_module(clone, "model")
    arguments = {name: settings[name] for name in ("in_channel", "n_flow", "n_block", "affine", "conv_lu")}
    model = module.Glow(**arguments)
    model.load_state_dict(state, strict=True)
    log_p, logdet, _ = model(x)
    return log_p + logdet


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--chaiyujin")
    parser.add_argument("--rosinality")
    arguments = parser.parse_args()
    clones = {"chaiyujin": arguments.chaiyujin, "rosinality": arguments.rosinality}
    codes = {"chaiyujin": chaiyujin_log_prob, "rosinality": rosinality_log_prob}
    failures = 0
    for path in sorted(glob.glob(os.path.join(arguments.folder, "*.safetensors"))):
        name = os.path.basename(path)[: -len(".safetensors")]
        state, metadata = read_safetensors(path)
        line = f"{name}: {len(state)} tensors, {sum(t.numel() for t in state.values())} values"
        code = metadata["code"].split("/")[0]
        if clones[code]:
            arrays = np.load(path.replace(".safetensors", ".npz"))
            x, labels = (torch.from_numpy(arrays[key]) for key in ("x", "labels"))
            with torch.no_grad():
                found = codes[code](clones[code], state, json.loads(metadata["arguments"]), x, labels).numpy()
            error = np.max(np.abs(found / arrays["log_prob"] - 1))
            line += f", strict load, log p {found.round(3)}, relative difference {error:.1e}"
            failures += error > 1e-5
        print(line)
    sys.exit(failures)


if __name__ == "__main__":
    main()
