# SPDX-License-Identifier: Apache-2.0
"""Unadjusted Langevin dynamics of 10^4 chains in torch, float32: steps of a
chain, a second.  The law is that of bench_chains.c."""

import torch

from timing import rate, report, windows
from torch_net import apply_settings, arguments

CHAINS = 10_000


def main():
    parser = arguments(__doc__)
    parser.add_argument("--dim", type=int, default=2)
    args = parser.parse_args()
    apply_settings(args)
    index = torch.arange(args.dim)
    covariance = 0.8 ** (index[:, None] - index).abs().double()
    precision = torch.linalg.inv(covariance).float()
    h = 0.05
    x = torch.zeros(CHAINS, args.dim)
    z = torch.empty_like(x)

    def call():
        nonlocal x
        z.normal_()
        x = torch.addmm(x, x, precision, alpha=-h / 2).add_(z, alpha=h**0.5)

    with torch.inference_mode():
        steps = rate(windows(call, args.seconds), CHAINS)
    report(name=f"ula_d{args.dim}", chain_steps_per_s=steps["median"],
           rate=steps, gflops=2e-9 * args.dim**2 * steps["median"],
           torch=torch.__version__, threads=torch.get_num_threads(),
           settings=vars(args))


if __name__ == "__main__":
    main()
