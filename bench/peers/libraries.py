"""Flows for vectors as nflows, zuko and normflows make them, and as vectors.py does: the same kinds, sizes and numbers of weights.

Every builder takes {"kind", "dimensions", "layers", "hidden", "bins", "bound"} and returns (module, log_prob, sample).
"""
import importlib.util
import sys
from unittest.mock import MagicMock

# What the libraries import and these flows do not use.
UNUSED = {"matplotlib": ["matplotlib", "matplotlib.pyplot"], "UMNN": ["UMNN"], "tqdm": ["tqdm"]}


def import_from(library, folder):
    """The library from a folder of its sources, or as it is installed where none is given."""
    if folder:
        sys.path.insert(0, folder)
    for package, modules in UNUSED.items():
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            sys.modules.update({module: MagicMock() for module in modules})
    return __import__(library)


def alternating(dimensions, i):
    """+1 for the values that layer i transforms."""
    import torch

    return torch.tensor([-1 if (j + i) % 2 else 1 for j in range(dimensions)])


def from_nflows(o):
    from nflows import distributions, flows, transforms
    from nflows.nn.nets import ResidualNet

    d, hidden = o["dimensions"], o["hidden"]
    network = lambda inputs, outputs: ResidualNet(inputs, outputs, hidden_features=hidden, num_blocks=2)
    spline = dict(num_bins=o["bins"], tails="linear", tail_bound=float(o["bound"]))
    mixing = lambda: [transforms.RandomPermutation(d), transforms.LULinear(d, identity_init=True)]
    steps = []
    for i in range(o["layers"]):
        if o["kind"] == "splineCoupling":
            steps += [*mixing(), transforms.PiecewiseRationalQuadraticCouplingTransform(
                alternating(d, i), network, apply_unconditional_transform=True, **spline)]
        elif o["kind"] == "splineAutoregressive":
            steps += [*mixing(), transforms.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
                d, hidden, num_blocks=2, **spline)]
        elif o["kind"] == "affineAutoregressive":
            steps += [transforms.ReversePermutation(d),
                      transforms.MaskedAffineAutoregressiveTransform(d, hidden, num_blocks=2)]
        else:
            steps.append(transforms.AffineCouplingTransform(alternating(d, i), network))
    if o["kind"].startswith("spline"):
        steps += mixing()
    flow = flows.Flow(transforms.CompositeTransform(steps), distributions.StandardNormal([d]))
    return flow, flow.log_prob, flow.sample


def from_zuko(o):
    from zuko.flows import MAF, NSF, RealNVP

    d, widths = o["dimensions"], (o["hidden"], o["hidden"])
    common = dict(transforms=o["layers"], hidden_features=widths)
    flow = {
        "splineCoupling": lambda: NSF(d, bins=o["bins"], passes=2, **common),
        "splineAutoregressive": lambda: NSF(d, bins=o["bins"], **common),
        "affineAutoregressive": lambda: MAF(d, **common),
        "affineCoupling": lambda: RealNVP(d, **common),
    }[o["kind"]]()
    return flow, lambda x: flow().log_prob(x), lambda n: flow().sample((n,))


def from_normflows(o):
    import normflows as nf

    d, hidden = o["dimensions"], o["hidden"]
    spline = dict(num_bins=o["bins"], tail_bound=float(o["bound"]))
    steps = []
    for i in range(o["layers"]):
        if o["kind"] == "splineCoupling":
            steps += [nf.flows.CoupledRationalQuadraticSpline(d, 2, hidden, reverse_mask=i % 2 == 1, **spline),
                      nf.flows.LULinearPermute(d)]
        elif o["kind"] == "splineAutoregressive":
            steps += [nf.flows.AutoregressiveRationalQuadraticSpline(d, 2, hidden, **spline),
                      nf.flows.LULinearPermute(d)]
        elif o["kind"] == "affineAutoregressive":
            # As it stands the layer is an inverse autoregressive flow; turned round its density takes one pass, as everywhere else.
            layer = nf.flows.MaskedAffineAutoregressive(d, hidden, num_blocks=2)
            steps += [nf.flows.Reverse(layer), nf.flows.Permute(d, mode="shuffle")]
        else:
            kept = (d + 1) // 2
            network = nf.nets.MLP([kept, hidden, hidden, 2 * (d - kept)], init_zeros=True)
            steps += [nf.flows.AffineCouplingBlock(network), nf.flows.Permute(d, mode="swap")]
    flow = nf.NormalizingFlow(nf.distributions.DiagGaussian(d, trainable=False), steps)
    return flow, flow.log_prob, lambda n: flow.sample(n)[0]


def from_ours(o):
    from vectors import VectorFlow

    flow = VectorFlow(o["kind"], o["dimensions"], o["layers"], o["hidden"], o["bins"], o["bound"])
    return flow, flow.log_prob, flow.sample


builders = {"nflows": from_nflows, "zuko": from_zuko, "normflows": from_normflows, "pytorch": from_ours}


def build(library, options, folder=None):
    if library != "pytorch":
        import_from(library, folder)
    return builders[library](options)
