# SPDX-License-Identifier: Apache-2.0
"""Standard normal numbers of torch into an existing float32 tensor, a second."""

import torch

from timing import rate, report, windows
from torch_net import apply_settings, arguments


def main():
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, default=1 << 18,
                        help="numbers a call; the default fits a cache")
    args = parser.parse_args()
    apply_settings(args)
    x = torch.empty(args.count)
    numbers = rate(windows(x.normal_, args.seconds), args.count)
    report(name="normal_f32", normals_per_s=numbers["median"], rate=numbers,
           torch=torch.__version__, threads=torch.get_num_threads(),
           settings=vars(args))


if __name__ == "__main__":
    main()
