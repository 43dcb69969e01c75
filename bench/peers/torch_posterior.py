# SPDX-License-Identifier: Apache-2.0
"""Posterior means and log densities in torch: queries a second.

Gaussian noise over 5 x 10^4 points in float32, queries in chunks: one product
for the logits, the softmax, one product for the means.  Time is in proportion
to the queries, of which fewer than the library's are measured.
"""

import torch

from timing import rate, report, windows
from torch_net import apply_settings, arguments


def main():
    parser = arguments(__doc__)
    parser.add_argument("--columns", type=int, default=16)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--queries", type=int, default=1024)
    parser.add_argument("--chunk", type=int, default=1024)
    args = parser.parse_args()
    apply_settings(args)
    scale = args.width ** -2
    data = torch.randn(50_000, args.columns)
    queries = torch.randn(args.queries, args.columns)
    transposed = data.T.contiguous()
    bias = -0.5 * scale * (data * data).sum(1)

    @torch.no_grad()
    def call():
        for x in queries.split(args.chunk):
            logits = torch.addmm(bias, x, transposed, alpha=scale)
            top = logits.amax(1, keepdim=True)
            weights = logits.sub_(top).exp_()
            mass = weights.sum(1, keepdim=True)
            mean = weights @ data / mass
            lse = (top + mass.log()).squeeze(1) \
                - 0.5 * scale * (x * x).sum(1)
        return mean, lse

    found = rate(windows(call, args.seconds), args.queries)
    report(name=f"posterior_d{args.columns}", queries_per_s=found["median"],
           gflops=1e-9 * 4 * args.columns * 50_000 * found["median"],
           rate=found, torch=torch.__version__,
           threads=torch.get_num_threads(), settings=vars(args))


if __name__ == "__main__":
    main()
