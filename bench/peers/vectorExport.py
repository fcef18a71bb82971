"""Builds what vectorExport.ts wrote with zuko and nflows, by the Python lines in the files, and compares log-densities in float64.

python3 bench/peers/vectorExport.py FOLDER [--zuko SOURCES] [--nflows SOURCES]
"""
import argparse
import glob
import os
import sys

import numpy as np
import torch

from libraries import import_from
from stateDict import read_safetensors


def log_prob(library, flow, x, context):
    if library == "zuko":
        return flow(context).log_prob(x)
    return flow.log_prob(x, context) if context is not None else flow.log_prob(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--zuko", help="sources of zuko; default: as it is installed")
    parser.add_argument("--nflows", help="sources of nflows; default: as it is installed")
    arguments = parser.parse_args()
    for library in ("zuko", "nflows"):
        import_from(library, getattr(arguments, library))
    failures = 0
    for path in sorted(glob.glob(os.path.join(arguments.folder, "*.safetensors"))):
        name = os.path.basename(path)[: -len(".safetensors")]
        state, metadata = read_safetensors(path)
        names = {}
        exec(metadata["python"], names)
        flow = names["flow"]
        kept = {key: value.dtype for key, value in flow.state_dict().items()}
        others = [key for key, value in state.items() if kept[key] != value.dtype]
        flow.load_state_dict(state, strict=True)
        flow.eval()
        arrays = np.load(path.replace(".safetensors", ".npz"))
        x = torch.from_numpy(arrays["x"]).double()
        context = torch.from_numpy(arrays["context"]).double() if "context" in arrays else None
        with torch.no_grad():
            found = log_prob(metadata["code"], flow.double(), x, context).numpy()
        error = np.max(np.abs(found - arrays["log_prob"]) / np.maximum(1, np.abs(found)))
        failures += error > 2e-5 or len(others) > 0
        tensors = f"{len(state)} tensors" + (f", other types: {', '.join(others)}" if others else "")
        print(f"{name}: {metadata['code']}, {tensors}, strict load, log-densities differ by {error:.1e}")
    sys.exit(failures)


if __name__ == "__main__":
    main()
