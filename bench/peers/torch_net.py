# SPDX-License-Identifier: Apache-2.0
"""The network of the benchmarks, in torch, and the torch settings.

The network f(y, s) has 4 hidden layers of `width` units with SiLU, the 3
inputs (y_1, y_2, ln(s)/4) with y divided by sqrt(1 + s^2), and 2 outputs; it
predicts the noise n of y = x + s n, so that the score is -f / s.  It is what
bench/README.md calls "4x128" for width 128.
"""

import argparse

import torch


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=0,
                        help="0: what torch chooses itself")
    parser.add_argument("--flush-denormal", type=int, default=0)
    parser.add_argument("--layer", choices=["linear", "conv"],
                        default="linear",
                        help="conv: the layers as 1x1 convolutions, which "
                             "torch hands to oneDNN instead of the BLAS")
    return parser


def apply_settings(args):
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    if args.flush_denormal:
        torch.set_flush_denormal(True)
    torch.manual_seed(0)


class Pointwise(torch.nn.Conv2d):
    """A dense layer on [points, channels] as a convolution: the batch is laid
    along the width of one channels-last image, so nothing is copied."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 1)
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        image = x.view(1, 1, *x.shape).permute(0, 3, 1, 2)
        return super().forward(image).permute(0, 2, 3, 1).view(len(x), -1)


def network(width, layer):
    make = torch.nn.Linear if layer == "linear" else Pointwise
    modules = [make(3, width), torch.nn.SiLU()]
    for _ in range(3):
        modules += [make(width, width), torch.nn.SiLU()]
    return torch.nn.Sequential(*modules, make(width, 2))


def flop_per_point(width):
    """Of one training step: the products forward, for the weights, and for the
    inputs of all layers but the first.  Additions of a bias, activations and
    the optimiser are not counted."""
    forward = 3 * width + 3 * width * width + 2 * width
    backward = forward + 3 * width * width + 2 * width
    return 2 * (forward + backward)


def eight_gaussians(count):
    angle = torch.randint(0, 8, (count,)) * (torch.pi / 4)
    centre = 2.0 * torch.stack([angle.cos(), angle.sin()], 1)
    return centre + 0.2 * torch.randn(count, 2)
