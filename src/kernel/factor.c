/* SPDX-License-Identifier: Apache-2.0 */
/* factor.c - what the laws of x = location + scale L z have in common, where L is
 * a block's factor and z has no direction.  In the chart y = L^-1 x
 *
 *     y = alpha y0 + s(t) z,    y0 = L^-1 x0,
 *
 * so L is a change of coordinates and nothing else; the law's own file says what
 * z is. */
#include "graph/graph.h"
#include "kernel/families.h"

#include <math.h>

int64_t sfi_factor_inner(int64_t columns, const char **want)
{
    *want = "2 columns or more";
    return columns >= 2 ? columns : 0;
}

const char *sfi_factor_outside(const sfi_block *b, const double *x,
                               int64_t *column)
{
    (void)b;
    (void)x;
    (void)column;
    return NULL;
}

void sfi_factor_middle(const sfi_block *b, double *x)
{
    for (int64_t j = 0; j < b->columns; j++)
        x[j] = 0.0;
}

/* Row by row: x and y may be the same array. */
void sfi_factor_to_chart(const sfi_block *b, const double *x, double *y)
{
    for (int64_t i = 0; i < b->columns; i++) {
        double rest = x[i], pivot = 1.0;
        if (b->factor != NULL) {
            const double *row = b->factor + i * b->columns;
            for (int64_t j = 0; j < i; j++)
                rest -= row[j] * y[j];
            pivot = row[i];
        }
        y[i] = rest / pivot;
    }
}

/* From the last row up, for the same reason. */
void sfi_factor_from_chart(const sfi_block *b, const double *y, double *x)
{
    for (int64_t i = b->columns - 1; i >= 0; i--) {
        double sum = y[i];
        if (b->factor != NULL) {
            const double *row = b->factor + i * b->columns;
            sum *= row[i];
            for (int64_t j = 0; j < i; j++)
                sum += row[j] * y[j];
        }
        x[i] = sum;
    }
}

/* L^-1, whose column i is the chart of unit vector i. */
sf_node sfi_factor_chart(const sfi_block *b, sf_graph *g, sf_node x)
{
    if (b->factor == NULL)
        return x;
    const int64_t d = b->columns, shape[2] = {d, d};
    const size_t count = (size_t)d * (size_t)d;
    double *columns = sfi_alloc_zero(g->ctx, count, sizeof *columns);
    if (columns == NULL)
        return sfi_graph_fail(g, SF_E_NOMEM, "kernel %s: a factor's inverse",
                              b->kernel.ops->family);
    for (int64_t i = 0; i < d; i++) {
        double *column = columns + i * d;
        column[i] = 1.0;
        sfi_factor_to_chart(b, column, column);
    }
    const sf_node inverse =
        sf_transpose(g, sf_const_array(g, 2, shape, columns));
    sfi_free(g->ctx, columns, count, sizeof *columns);
    return sf_matmul(g, inverse, x);
}

sf_node sfi_factor_inverse(const sfi_block *b, sf_graph *g, sf_node y)
{
    const int64_t shape[2] = {b->columns, b->columns};
    return b->factor == NULL
               ? y
               : sf_matmul(g, sf_const_array(g, 2, shape, b->factor), y);
}

double sfi_factor_log_slope(const sfi_block *b, const double *y)
{
    double sum = 0.0;
    (void)y;
    for (int64_t j = 0; b->factor != NULL && j < b->columns; j++)
        sum += log(b->factor[j * (b->columns + 1)]);
    return sum;
}

sf_node sfi_factor_log_slope_node(const sfi_block *b, sf_graph *g, sf_node y)
{
    (void)y;
    return sf_const(g, sfi_factor_log_slope(b, NULL));
}

void sfi_factor_theta(const sfi_block *b, sf_graph *g, sf_node x0, sf_node t,
                      sf_node *theta)
{
    sfi_location_scale_theta(&b->kernel, g, sfi_factor_chart(b, g, x0), t,
                             theta);
}

sf_node sfi_factor_velocity(const sfi_block *b, sf_graph *g, sf_node y,
                            sf_node x0, sf_node t, sfi_velocity how)
{
    (void)how;
    sf_node theta[2];
    sfi_factor_theta(b, g, x0, t, theta);
    const sf_node one = sf_const(g, 1.0);
    const sf_node stretching =
        sf_mul(g, sf_jvp(g, theta[1], t, one), sfi_standard(g, y, theta));
    return sf_add(g, sf_jvp(g, theta[0], t, one), stretching);
}

void sfi_factor_draw(const sfi_block *b, const double *x0, double t,
                     double stretch, sfi_where where, double *y)
{
    const sfi_path_numbers path = sfi_path_at((int)b->kernel.numbers[0], t);
    const double scale = b->kernel.numbers[1] * path.spread * stretch;
    sfi_factor_to_chart(b, x0, y);
    for (int64_t j = 0; j < b->inner; j++)
        y[j] = path.keep * y[j] + scale * sfi_normal_at(where, (uint32_t)j);
}

void sfi_factor_spread(const sfi_block *b, double peak, double *spread)
{
    const sfi_path_numbers start = sfi_path_at((int)b->kernel.numbers[0], 0.0);
    for (int64_t j = 0; j < b->inner; j++)
        spread[j] = b->kernel.numbers[1] * start.spread_rate * peak;
}
