/* SPDX-License-Identifier: Apache-2.0 */
/* curvature.c - the Gaussian curvature of a metric [E F; F G] of two latent numbers u
 * and v, by Brioschi's formula:
 *
 *                   | F_uv - E_vv/2 - G_uu/2   E_u/2   F_u - E_v/2 |
 *     (EG - F^2)^2 k = | F_v - G_u/2              E       F           |
 *                   | G_v/2                    F       G           |
 *
 *                   | 0      E_v/2  G_u/2 |
 *                 - | E_v/2  E      F     |
 *                   | G_u/2  F      G     |
 *
 * (A. Gray, Modern Differential Geometry of Curves and Surfaces, 1993, chapter 17.)  It
 * needs the metric alone, so that it holds for Fisher's of a noise that varies, too. */
#include "latent/programs.h"

static sf_node times(sf_graph *g, double factor, sf_node a)
{
    return sf_mul(g, sf_const(g, factor), a);
}

/* Its derivatives by u and v. */
typedef struct slopes {
    sf_node u, v;
} slopes;

static slopes derive(sf_graph *g, sf_node a, sf_node z)
{
    const sf_node gradient = sf_gradient(g, a, z);
    return (slopes){sf_component(g, gradient, 0), sf_component(g, gradient, 1)};
}

/* a e - b d of [a b; d e]. */
static sf_node minor(sf_graph *g, sf_node a, sf_node b, sf_node d, sf_node e)
{
    return sf_sub(g, sf_mul(g, a, e), sf_mul(g, b, d));
}

/* Of the matrix [a b c; d E F; e F G]. */
static sf_node determinant(sf_graph *g, const sf_node *row, sf_node d,
                           sf_node e, const sf_node *metric)
{
    const sf_node E = metric[0], F = metric[1], G = metric[2];
    const sf_node one = sf_mul(g, row[0], minor(g, E, F, F, G));
    const sf_node two = sf_mul(g, row[1], minor(g, d, F, e, G));
    const sf_node three = sf_mul(g, row[2], minor(g, d, E, e, F));
    return sf_add(g, sf_sub(g, one, two), three);
}

static sf_node entry(sf_graph *g, sf_node metric, int64_t i, int64_t j)
{
    return sf_component(g, sf_reshape(g, metric, 1, (int64_t[]){4}), 2 * i + j);
}

sf_node sfi_gaussian_curvature(sf_graph *g, sf_node metric, sf_node z)
{
    const sf_node m[] = {entry(g, metric, 0, 0), entry(g, metric, 0, 1),
                         entry(g, metric, 1, 1)};
    const slopes E = derive(g, m[0], z), F = derive(g, m[1], z),
                 G = derive(g, m[2], z);
    const sf_node bend = sf_sub(
        g, derive(g, F.u, z).v,
        times(g, 0.5, sf_add(g, derive(g, E.v, z).v, derive(g, G.u, z).u)));
    const sf_node first[] = {bend, times(g, 0.5, E.u),
                             sf_sub(g, F.u, times(g, 0.5, E.v))};
    const sf_node second[] = {sf_const(g, 0.0), times(g, 0.5, E.v),
                              times(g, 0.5, G.u)};
    const sf_node a = determinant(g, first, sf_sub(g, F.v, times(g, 0.5, G.u)),
                                  times(g, 0.5, G.v), m);
    const sf_node b = determinant(g, second, second[1], second[2], m);
    return sf_div(g, sf_sub(g, a, b),
                  sf_square(g, minor(g, m[0], m[1], m[1], m[2])));
}
