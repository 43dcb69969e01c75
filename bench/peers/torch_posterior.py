# SPDX-License-Identifier: Apache-2.0
"""Posterior means and log densities in torch: queries a second.

Noise over 5 x 10^4 points in float32, queries in chunks: one product for the
logits, the softmax, one product for the means.  Time is in proportion to the
queries, of which fewer than the library's are measured.

Gaussian noise has the logits (x.y - |y|^2/2)/width^2.  An exponential family
has T(x).eta - A, with two statistics for each number: gamma noise of shape 4,
(ln x, x), and von Mises noise of kappa 3, (cos x, sin x).  Means are of x0 for
the first two, and of (cos x0, sin x0) for angles.
"""

import math

import torch

from timing import rate, report, windows
from torch_net import apply_settings, arguments


def gaussian(args):
    """eta and -A of the data, what is averaged, T of the queries, and what the
    log densities have besides."""
    scale = args.width ** -2
    data = torch.randn(POINTS, args.columns)
    queries = torch.randn(args.queries, args.columns)
    return (scale * data, -0.5 * scale * (data * data).sum(1), data, queries,
            -0.5 * scale * (queries * queries).sum(1))


def gamma(args):
    shape = 4.0
    data = torch.randn(POINTS, args.columns).mul(0.5).exp()
    mean = 0.5 * (data + 1)
    x = torch._standard_gamma(torch.full((args.queries, args.columns), shape))
    x *= mean[:args.queries] / shape
    eta = torch.cat([torch.full_like(data, shape), -shape / mean], 1)
    bias = -(math.lgamma(shape) - shape * (shape / mean).log()).sum(1)
    return eta, bias, data, torch.cat([x.log(), x], 1), \
        torch.zeros(args.queries)


def vonmises(args):
    kappa = 3.0
    data = 2 * math.pi * torch.rand(POINTS, args.columns)
    x = data[:args.queries] \
        + torch.randn(args.queries, args.columns) / math.sqrt(kappa)
    vector = torch.cat([data.cos(), data.sin()], 1)
    return (kappa * vector, torch.zeros(POINTS), vector,
            torch.cat([x.cos(), x.sin()], 1), torch.zeros(args.queries))


FAMILIES = {"gaussian": gaussian, "gamma": gamma, "vonmises": vonmises}
POINTS = 50_000


def main():
    parser = arguments(__doc__)
    parser.add_argument("--family", choices=FAMILIES, default="gaussian")
    parser.add_argument("--columns", type=int, default=16)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--queries", type=int, default=1024)
    parser.add_argument("--chunk", type=int, default=1024)
    args = parser.parse_args()
    apply_settings(args)
    eta, bias, values, queries, rest = FAMILIES[args.family](args)
    transposed = eta.T.contiguous()

    @torch.no_grad()
    def call():
        for x, own in zip(queries.split(args.chunk), rest.split(args.chunk)):
            logits = torch.addmm(bias, x, transposed)
            top = logits.amax(1, keepdim=True)
            weights = logits.sub_(top).exp_()
            mass = weights.sum(1, keepdim=True)
            mean = weights @ values / mass
            lse = (top + mass.log()).squeeze(1) + own
        return mean, lse

    found = rate(windows(call, args.seconds), args.queries)
    name = "posterior" if args.family == "gaussian" else f"family_{args.family}"
    operations = 2 * POINTS * (eta.shape[1] + values.shape[1])
    report(name=f"{name}_d{args.columns}", queries_per_s=found["median"],
           gflops=1e-9 * operations * found["median"],
           rate=found, torch=torch.__version__,
           threads=torch.get_num_threads(), settings=vars(args))


if __name__ == "__main__":
    main()
