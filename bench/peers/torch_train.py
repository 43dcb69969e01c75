# SPDX-License-Identifier: Apache-2.0
"""Denoising score matching with Adam, in eager torch, float32: steps a second.

One step draws a batch of the table, a noise level and noise for each of its
rows, and does the forward pass, the backward pass and the update:

    s = exp(-1.2 + 1.2 z),  y = x + s n,  loss = mean |f(y, s) - n|^2
"""

import torch

from timing import rate, report, windows
from torch_net import (apply_settings, arguments, eight_gaussians,
                       flop_per_point, network)


def flatten(net):
    """All parameters as views of one tensor, and the gradients likewise, so
    that the optimiser is a handful of calls instead of one per parameter."""
    parameters = list(net.parameters())
    total = sum(p.numel() for p in parameters)
    flat = torch.empty(total)
    flat.grad = torch.zeros(total)
    at = 0
    for p in parameters:
        end = at + p.numel()
        flat[at:end] = p.data.reshape(-1)
        p.data = flat[at:end].view(p.shape)
        p.grad = flat.grad[at:end].view(p.shape)
        at = end
    return flat


def trainer(width, batch, layer, adam):
    net = network(width, layer)
    table = eight_gaussians(10_000)
    if adam == "flat":
        flat = flatten(net)
        optimiser = torch.optim.Adam([flat], lr=1e-3, foreach=False)
        clear = flat.grad.zero_
    else:
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-3,
                                     foreach=adam == "foreach")

        def clear():
            optimiser.zero_grad(set_to_none=True)

    def step():
        x = table[torch.randint(0, len(table), (batch,))]
        log_s = torch.randn(batch, 1).mul_(1.2).sub_(1.2)
        s = log_s.exp()
        n = torch.randn(batch, 2)
        y = torch.addcmul(x, s, n).div_((s * s).add_(1.0).sqrt_())
        inputs = torch.cat([y, log_s.mul_(0.25)], 1)
        loss = torch.nn.functional.mse_loss(net(inputs), n)
        clear()
        loss.backward()
        optimiser.step()
        return loss

    return step


def main():
    parser = arguments(__doc__)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--adam", default="plain",
                        choices=["plain", "foreach", "flat"])
    args = parser.parse_args()
    apply_settings(args)
    step = trainer(args.width, args.batch, args.layer, args.adam)
    first = sum(step().item() for _ in range(5)) / 5
    rates = windows(step, args.seconds)
    last = sum(step().item() for _ in range(5)) / 5
    steps = rate(rates)
    flop = flop_per_point(args.width) * args.batch
    report(name=f"train_4x{args.width}_b{args.batch}",
           steps_per_s=steps["median"], gflops=1e-9 * flop * steps["median"],
           rate=steps, loss_first=first, loss_last=last,
           torch=torch.__version__, threads=torch.get_num_threads(),
           settings=vars(args))


if __name__ == "__main__":
    main()
