# SPDX-License-Identifier: Apache-2.0
"""10^4 points by 100 Heun steps of the probability flow, in torch, float32.

The flow of y = x + s n in the noise level is dy/ds = f(y, s), where f predicts
the noise; a Heun step evaluates f twice, so that a sample takes 200
evaluations.  The grid is s_i = (a + i (b - a) / 100)^7 with a = 80^(1/7) and
b = 0.002^(1/7).  The weights are random: they do not matter for the time.
"""

import math
import threading

import torch

from timing import rate, report, windows
from torch_net import apply_settings, arguments, network


def sampler(net, width, chunk):
    a, b = 80.0 ** (1 / 7), 0.002 ** (1 / 7)
    grid = [(a + i * (b - a) / 100) ** 7 for i in range(101)]
    layers = [(m.weight.t(), m.bias) for m in net
              if isinstance(m, torch.nn.Linear)]

    def sample(count):
        inputs = torch.empty(chunk, 3)
        hidden = [torch.empty(chunk, width) for _ in range(2)]
        slope = [torch.empty(chunk, 2) for _ in range(2)]

        def plain(y, s, out):
            n = len(y)
            torch.mul(y, (1.0 + s * s) ** -0.5, out=inputs[:n, :2])
            inputs[:n, 2] = math.log(s) / 4
            h = inputs[:n]
            for i, (weight, bias) in enumerate(layers[:-1]):
                h = torch.addmm(bias, h, weight, out=hidden[i % 2][:n])
                torch.nn.functional.silu(h, inplace=True)
            return torch.addmm(layers[-1][1], h, layers[-1][0], out=out[:n])

        def modules(y, s, out):
            n = len(y)
            torch.mul(y, (1.0 + s * s) ** -0.5, out=inputs[:n, :2])
            inputs[:n, 2] = math.log(s) / 4
            return net(inputs[:n])

        f = plain if layers else modules
        out = torch.empty(count, 2)
        for start in range(0, count, chunk):
            y = torch.randn(min(chunk, count - start), 2).mul_(grid[0])
            for s, t in zip(grid, grid[1:]):
                k1 = f(y, s, slope[0])
                k2 = f(torch.add(y, k1, alpha=t - s), t, slope[1])
                y.add_(k1, alpha=0.5 * (t - s)).add_(k2, alpha=0.5 * (t - s))
            out[start:start + len(y)] = y
        return out

    return sample


def main():
    parser = arguments(__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--chunk", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1,
                        help="Python threads, each with its share of the "
                             "points (torch releases the interpreter lock)")
    args = parser.parse_args()
    apply_settings(args)
    net = network(128, args.layer).eval()
    share = -(-args.points // args.workers)
    with torch.inference_mode():
        sample = sampler(net, 128, min(args.chunk, share))

    def work():
        with torch.inference_mode():
            sample(share)

    def call():
        if args.workers == 1:
            return work()
        threads = [threading.Thread(target=work)
                   for _ in range(args.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    points = rate(windows(call, args.seconds, warm=0.0), args.points)
    flop = 200 * 2 * (3 * 128 + 3 * 128 * 128 + 2 * 128)
    report(name="sample_4x128_heun100", points_per_s=points["median"],
           gflops=1e-9 * flop * points["median"], rate=points,
           torch=torch.__version__, threads=torch.get_num_threads(),
           settings=vars(args))


if __name__ == "__main__":
    main()
