"""Flows of nflows, zuko and normflows on the splits of `bench/tables`: the log-density of every test row, for comparison row by row.

The sources of a library are given by path, where it is not installed; libraries.py builds the flows.

    python3 bench/peers/tables.py --library zuko --sources DIR --kind splineAutoregressive --table wine_red --seed 1 --out points.npz

Budget: 5 layers (10 couplings with scales), hidden 64, 8 bins, bound 5, batch 256, Adam 1e-3, clip 5, at most 2,000 steps, validation every
50, patience 10, best weights.
"""
import argparse
import copy
import os
import time

import numpy as np
import torch

from libraries import build

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "tables", "data")


def splits_of(table, ionosphere):
    """(train, validation, test) rows, standardized, and which rows are tested."""
    splits = np.load(os.path.join(DATA, "splits.npz"))
    if table == "ionosphere_32":
        x, fold = np.load(ionosphere), splits["ionosphere_32_fold"]
        rows = np.arange(len(x))
        parts = [
            (rows[(fold != k) & (fold != (k + 1) % 10)], rows[fold == (k + 1) % 10], rows[fold == k]) for k in range(10)
        ]
    else:
        x = np.load(os.path.join(DATA, "tables.npz"))[table]
        parts = [tuple(splits[f"{table}_{part}"] for part in ("train", "validation", "test"))]
    for part in parts:
        train = x[part[0]].astype(np.float64)
        mean, deviation = train.mean(0), train.std(0)
        yield [torch.tensor(((x[rows] - mean) / deviation).astype(np.float32)) for rows in part], part[2]


def train(flow, log_prob, rows, validation, seed):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-3)
    best, waited, weights, step = -np.inf, 0, None, 0
    while step < 2000 and waited < 10:
        for batch in torch.randperm(len(rows), generator=generator).split(256):
            flow.train()
            optimizer.zero_grad()
            loss = -log_prob(rows[batch]).mean()
            if torch.isfinite(loss):
                loss.backward()
                torch.nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
                optimizer.step()
            step += 1
            if step % 50 == 0:
                flow.eval()
                with torch.no_grad():
                    value = log_prob(validation).mean().item()
                if value > best:
                    best, waited, weights = value, 0, copy.deepcopy(flow.state_dict())
                else:
                    waited += 1
            if step == 2000 or waited == 10:
                break
    flow.load_state_dict(weights)
    flow.eval()
    return best, step


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True, choices=["nflows", "zuko", "normflows"])
    parser.add_argument("--sources")
    parser.add_argument("--kind", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ionosphere")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    layers = 10 if options.kind == "affineCoupling" else 5
    architecture = {"kind": options.kind, "layers": layers, "hidden": 64, "bins": 8, "bound": 5}
    points, start = {}, time.time()
    for (training, validation, test), rows in splits_of(options.table, options.ionosphere):
        torch.manual_seed(options.seed)
        flow, log_prob, _ = build(options.library, {**architecture, "dimensions": training.shape[1]}, options.sources)
        best, steps = train(flow, log_prob, training, validation, options.seed)
        with torch.no_grad():
            points.update(zip(rows.tolist(), log_prob(test).tolist()))
        print(f"{options.table} {options.library} {options.kind} validation {best:.3f} steps {steps} {time.time() - start:.0f} s", flush=True)
    # Rows of ten folds in the order of the table, those of one split in its order.
    order = sorted(points) if options.table == "ionosphere_32" else rows.tolist()
    values = np.array([points[row] for row in order], np.float32)
    name = f"points__{options.table}__{options.library}_{options.kind}_seed{options.seed}"
    print(f"{name}: mean {values.mean():.3f} +- {values.std() / len(values) ** 0.5:.3f}")
    kept = dict(np.load(options.out)) if os.path.exists(options.out) else {}
    np.savez_compressed(options.out, **kept, **{name: values})


if __name__ == "__main__":
    main()
