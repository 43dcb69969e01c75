/* SPDX-License-Identifier: Apache-2.0 */
/* models.h - graphs like those that are fitted: what the tests of programs
 * run.  Each makes its inputs and parameters and returns a loss of one point. */
#ifndef SFI_TESTS_MODELS_H
#define SFI_TESTS_MODELS_H

#include "scorefield/graph.h"

typedef sf_node (*model_fn)(sf_graph *g);

static sf_node par(sf_graph *g, const char *name, int64_t m, int64_t n)
{
    return sf_param(g, name, n > 0 ? 2 : 1, (int64_t[]){m, n});
}

static sf_node in(sf_graph *g, const char *name, int64_t m, int64_t n)
{
    return sf_input(g, name, n > 0 ? 2 : 1, (int64_t[]){m, n});
}

static sf_node affine(sf_graph *g, sf_node w, sf_node x, sf_node b)
{
    return sf_add(g, sf_matmul(g, w, x), b);
}

/* Two dense layers with biases, squared error. */
static sf_node model_dense(sf_graph *g)
{
    const sf_node x = in(g, "x", 5, 0), y = in(g, "y", 3, 0);
    const sf_node h =
        sf_silu(g, affine(g, par(g, "W", 7, 5), x, par(g, "b", 7, 0)));
    const sf_node e =
        sf_sub(g, affine(g, par(g, "V", 3, 7), h, par(g, "c", 3, 0)), y);
    return sf_dot(g, e, e);
}

/* One matrix used forward and, transposed, backward. */
static sf_node model_tied(sf_graph *g)
{
    const sf_node x = in(g, "x", 6, 0), w = par(g, "W", 4, 6);
    const sf_node h = sf_tanh(g, affine(g, w, x, par(g, "b", 4, 0)));
    const sf_node e = sf_sub(g, sf_matmul(g, sf_transpose(g, w), h), x);
    return sf_dot(g, e, e);
}

/* || d/dx f(W x) ||^2: the derivative by W goes through a derivative. */
static sf_node model_slope(sf_graph *g)
{
    const sf_node x = in(g, "x", 4, 0), w = par(g, "W", 6, 4);
    const sf_node f =
        sf_sum_all(g, sf_softplus(g, affine(g, w, x, par(g, "b", 6, 0))));
    const sf_node d = sf_gradient(g, f, x);
    return sf_dot(g, d, d);
}

/* tr S' + |S|^2 / 2 for a network S: implicit score matching. */
static sf_node model_score(sf_graph *g)
{
    const sf_node x = in(g, "x", 3, 0);
    const sf_node h =
        sf_silu(g, affine(g, par(g, "W", 8, 3), x, par(g, "b", 8, 0)));
    const sf_node s = affine(g, par(g, "V", 3, 8), h, par(g, "c", 3, 0));
    return sf_add(g, sf_divergence(g, s, x),
                  sf_mul(g, sf_const(g, 0.5), sf_dot(g, s, s)));
}

/* Convolutions with pooling and upsampling between them. */
static sf_node model_image(sf_graph *g)
{
    const sf_node x = sf_input(g, "x", 3, (int64_t[]){2, 6, 4});
    const sf_node w = sf_param(g, "w", 4, (int64_t[]){3, 2, 3, 3});
    const sf_node b = sf_param(g, "b", 3, (int64_t[]){3, 1, 1});
    const sf_node v = sf_param(g, "v", 4, (int64_t[]){2, 3, 3, 3});
    const sf_node h = sf_silu(g, sf_add(g, sf_conv2d(g, x, w, 1), b));
    const sf_node low = sf_avg_pool2(g, h);
    const sf_node y = sf_conv2d(g, sf_upsample2(g, low), v, 1);
    const sf_node e = sf_sub(g, y, x);
    return sf_dot(g, e, e);
}

/* The slope of a convolution: its weights meet their own gradients. */
static sf_node model_image_slope(sf_graph *g)
{
    const sf_node x = sf_input(g, "x", 3, (int64_t[]){1, 4, 5});
    const sf_node w = sf_param(g, "w", 4, (int64_t[]){2, 1, 3, 2});
    const sf_node y = sf_sum_all(g, sf_tanh(g, sf_conv2d(g, x, w, 1)));
    const sf_node d = sf_gradient(g, y, x);
    return sf_dot(g, d, d);
}

/* Scores of every row with every other one, soft maximum, average. */
static sf_node model_attention(sf_graph *g)
{
    const sf_node x = in(g, "x", 4, 3);
    const sf_node q = sf_matmul(g, x, par(g, "Q", 3, 2));
    const sf_node k = sf_matmul(g, x, par(g, "K", 3, 2));
    const sf_node v = sf_matmul(g, x, par(g, "V", 3, 3));
    const sf_node e = sf_exp(g, sf_matmul(g, q, sf_transpose(g, k)));
    const sf_node total = sf_reshape(g, sf_sum(g, e, 2u), 2, (int64_t[]){4, 1});
    const sf_node y = sf_matmul(g, sf_div(g, e, total), v);
    const sf_node r = sf_sub(g, y, x);
    return sf_dot(g, r, r);
}

/* Parameters that meet points element by element, in several shapes. */
static sf_node model_elements(sf_graph *g)
{
    const sf_node x = in(g, "x", 3, 4), t = sf_input(g, "t", 0, NULL);
    const sf_node s = sf_param(g, "s", 0, NULL), row = par(g, "row", 4, 0);
    const sf_node column = par(g, "column", 3, 1), all = par(g, "all", 3, 4);
    sf_node y = sf_mul(g, sf_add(g, x, row), sf_exp(g, sf_mul(g, s, column)));
    y = sf_add(g, sf_mul(g, y, all), sf_sin(g, sf_mul(g, t, row)));
    y = sf_concat(g, 3, (sf_node[]){y, sf_mul(g, all, s), column}, 1);
    return sf_sum_all(g, sf_square(g, y));
}

/* Products behind factors, signs, shapes and sums. */
static sf_node model_scaled(sf_graph *g)
{
    const sf_node x = in(g, "x", 4, 0), y = in(g, "y", 6, 0);
    const sf_node w = par(g, "W", 6, 4), u = par(g, "U", 3, 8);
    const sf_node s = sf_param(g, "s", 0, NULL);
    const sf_node a = sf_matmul(g, w, x);
    const sf_node flat = sf_reshape(g, u, 2, (int64_t[]){6, 4});
    const sf_node b = sf_matmul(g, sf_sub(g, sf_mul(g, s, flat), w), x);
    const sf_node e = sf_sub(g, sf_mul(g, sf_const(g, 3.0), a), y);
    return sf_sub(g, sf_dot(g, e, sf_tanh(g, b)),
                  sf_mul(g, sf_square(g, s), sf_dot(g, a, a)));
}

/* A linear layer whose value is wanted beside its sum with a bias. */
static sf_node model_stopped(sf_graph *g)
{
    const sf_node x = in(g, "x", 4, 0);
    const sf_node h = sf_matmul(g, par(g, "W", 5, 4), x);
    const sf_node b = par(g, "b", 5, 0);
    const sf_node k = sf_add(g, sf_stop_gradient(g, h), b);
    return sf_add(g, sf_dot(g, k, h), sf_dot(g, h, h));
}

static const struct model {
    const char *name;
    model_fn make;
} models[] = {
    {"dense", model_dense},         {"tied", model_tied},
    {"slope", model_slope},         {"score", model_score},
    {"image", model_image},         {"image_slope", model_image_slope},
    {"attention", model_attention}, {"elements", model_elements},
    {"scaled", model_scaled},       {"stopped", model_stopped},
};

#endif
