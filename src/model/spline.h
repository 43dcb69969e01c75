/* SPDX-License-Identifier: Apache-2.0 */
/* spline.h - monotone rational-quadratic splines as nodes. */
#ifndef SFI_SPLINE_H
#define SFI_SPLINE_H

#include "scorefield/graph.h"

typedef struct sfi_spline_shape {
    int64_t bins;    /* K                                                    */
    double bound;    /* B: the identity outside -B..B                        */
    double contrast; /* c: logits l become c tanh(l/c)                       */
    double floor;    /* eta: a width or height is at least 2 B eta / K       */
} sfi_spline_shape;

/* How many logits a spline has: K widths, K heights, K - 1 slopes. */
int64_t sfi_spline_logits(const sfi_spline_shape *shape);

/* The splines of x [n], one for each element, with logits [sfi_spline_logits(), n]; the
 * logarithms of their slopes [n] go to *log_slope. */
sf_node sfi_spline(sf_graph *g, const sfi_spline_shape *shape, sf_node logits,
                   sf_node x, sf_node *log_slope);

/* The x [n] of which sfi_spline() is y [n]. */
sf_node sfi_spline_inverse(sf_graph *g, const sfi_spline_shape *shape,
                           sf_node logits, sf_node y);

#endif
