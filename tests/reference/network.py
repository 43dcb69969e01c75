# SPDX-License-Identifier: Apache-2.0
"""A network's answers by numpy: the reference of tests/model/test_network.c.

    network.py

Prints the table of the test.  It is written from the formulas at the head of
src/model/network.c and src/model/network.h and shares no code with them:
weights are numbers by a formula, derivatives by the complex step
f'(x) = Im f(x + ih)/h with h = 1e-40, which is exact to rounding for the
analytic functions that a network is made of (W. Squire and G. Trapp, SIAM Review
40 (1998) 110-112).

What is in the test was made with numpy 2.4.6.
"""

import numpy as np

DIM, WIDTH, LAYERS, FREQUENCIES = 3, 5, 3, 4
SIGMA_MIN, SIGMA_MAX, RHO = 0.01, 40.0, 7.0
MEAN, SCALE = np.array([0.5, -1.0, 2.0]), np.array([2.0, 0.5, 4.0])
POINTS = np.array([[0.75, -1.25, 3.0], [3.0, -1.75, 10.0], [-7.0, 0.25, -1.5]])
TIMES = [0.0, 0.375, 1.0]
STEP = 1e-40


def shapes(levels):
    """The weights in the order in which a model holds them."""
    yield WIDTH, DIM
    if levels:
        yield WIDTH, 1 + 2 * FREQUENCIES
    yield WIDTH,
    for _ in range(1, LAYERS):
        yield WIDTH, WIDTH
        yield WIDTH,
    yield DIM, WIDTH
    yield DIM,


def weights(levels):
    """Element i of array k is ((5 i + 3 k) mod 17 - 8)/32, a number of float."""
    for k, shape in enumerate(shapes(levels)):
        i = np.arange(np.prod(shape))
        yield (((5 * i + 3 * k) % 17 - 8) / 32).reshape(shape)


def silu(x):
    return x / (1 + np.exp(-x))


def features(sigma):
    c = np.log(sigma) / 4
    angles = [2**k * np.pi / 4 * c for k in range(FREQUENCIES)]
    return np.array([c] + [f(a) for a in angles for f in (np.sin, np.cos)])


def perceptron(u, sigma):
    """F(u); sigma None: one noise level."""
    w = list(weights(sigma is not None))
    first = w.pop(0)
    shift = w.pop(0) @ features(sigma) if sigma is not None else 0.0
    h = silu(first @ u + shift + w.pop(0))
    for _ in range(1, LAYERS):
        h = h + silu(w.pop(0) @ h + w.pop(0))
    return w.pop(0) @ h + w.pop(0)


def jacobian(f, x):
    columns = [f(x + STEP * 1j * e).imag / STEP for e in np.eye(DIM)]
    return np.array(columns).T


def energy(u, sigma):
    """The gradient of u.F(u); of real u."""
    return perceptron(u, sigma) + jacobian(
        lambda v: perceptron(v, sigma), u).T @ u


def level(time):
    """sigma, and its derivative by time."""
    low, high = SIGMA_MIN**(1 / RHO), SIGMA_MAX**(1 / RHO)
    root = low + time * (high - low)
    return root**RHO, RHO * root**(RHO - 1) * (high - low)


def denoiser(y, sigma, head):
    total = 1 + sigma**2
    return y / total + sigma / np.sqrt(total) * head(y / np.sqrt(total), sigma)


def answers(x, time, head):
    """Score, velocity, mean of the clean point, in the data's units."""
    sigma, rate = level(time)
    y = (x - MEAN) / SCALE
    clean = denoiser(y, sigma, head)
    return ((clean - y) / sigma**2 / SCALE, rate * (y - clean) / sigma * SCALE,
            MEAN + SCALE * clean)


def row(*numbers):
    flat = np.concatenate([np.ravel(n) for n in numbers])
    print("    {" + ", ".join("%.16g" % n for n in flat) + "},")


def main():
    for name, head in ("all_levels", perceptron), ("energies", energy):
        print("/* %s: score, velocity, denoised */" % name)
        for x in POINTS:
            for time in TIMES:
                row(*answers(x, time, head))
    print("/* derivatives: the score's Jacobian, the velocity's divergence */")
    for x in POINTS:
        for time in TIMES:
            row(jacobian(lambda z: answers(z, time, perceptron)[0], x),
                np.trace(jacobian(
                    lambda z: answers(z, time, perceptron)[1], x)))
    print("/* one_level: score */")
    for x in POINTS:
        y = (x - MEAN) / SCALE
        row((perceptron(y, None) - y) / SCALE)


if __name__ == "__main__":
    main()
