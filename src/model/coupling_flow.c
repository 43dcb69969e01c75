/* SPDX-License-Identifier: Apache-2.0 */
/* coupling_flow.c - an invertible map g from standardised columns to N(0, I), whose
 * density is exact: ln p(y) = ln N(g(y)) + ln |dg/dy|.
 *
 *     linear_1, coupling_1, ..., linear_L, coupling_L, linear_L+1
 *
 *     linear     y = P (I + tril(N)) (triu(N') + diag(exp s)) x + b,  ln |det| = sum s
 *     coupling   the first d/2 numbers pass; each of the others goes through a
 *                monotone function whose logits a network of the first gives: a
 *                rational-quadratic spline (spline.h), or exp(2 tanh(r/2)) x + t
 *
 * (C. Durkan et al., Neural spline flows, 2019; L. Dinh et al., Density estimation using
 * real NVP, 2017).  The order P of a linear layer is fixed; it brings what has passed into
 * the other half.  Networks are residual, their last layers begin at 0, so that a flow
 * begins as the identity and needs no statistics of its data.  With one column the logits
 * are weights.
 *
 * The way back, for sampling, is one pass too: the inverse of a linear layer is a matrix
 * that is found in double precision when the program is made. */
#include "model/coupling_flow.h"

#include "base/random.h"
#include "model/spline.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 64, MAX_WIDTH = 1 << 14, MAX_BINS = 64 };

/* Weights of a linear layer and of a coupling, in order, and of its network. */
enum { LOWER, UPPER, SCALE, SHIFT, LINEAR };
enum { NETWORK = 6 };

/* What the numbers say. */
typedef struct architecture {
    int64_t dim, layers, width, passing, moved, logits;
    sfi_coupling coupling;
    sfi_spline_shape spline;
    int64_t network; /* weights of a coupling  */
    int64_t first; /* its first weight: families made of a flow have own ones */
    int64_t orders; /* first weight of orders */
} architecture;

static architecture architecture_of(const sf_model *m)
{
    architecture a = {
        .dim = m->dim,
        .layers = (int64_t)sfi_number_of(m, "layers"),
        .width = (int64_t)sfi_number_of(m, "width"),
        .coupling = (sfi_coupling)sfi_number_of(m, "coupling"),
        .spline = {(int64_t)sfi_number_of(m, "bins"), sfi_number_of(m, "bound"),
                   sfi_number_of(m, "contrast"), sfi_number_of(m, "floor")}};
    a.passing = a.dim / 2;
    a.moved = a.dim - a.passing;
    a.logits = a.coupling == SFI_AFFINE ? 2 : sfi_spline_logits(&a.spline);
    a.network = a.passing > 0 ? NETWORK : 1;
    const bool own =
        m->layout_count > 0 && strncmp(m->layout[0].name, "flow.", 5) != 0;
    a.first = own ? 1 : 0;
    a.orders = a.first + a.layers * (LINEAR + a.network) + LINEAR;
    return a;
}

/* ---- weights ------------------------------------------------------------------------- */

static sf_status add(sf_model *m, int64_t layer, const char *what, int rank,
                     int64_t rows, int64_t columns)
{
    char name[48];
    const int64_t shape[] = {rows, columns};
    snprintf(name, sizeof name, "flow.%lld.%s", (long long)layer, what);
    return sfi_add_weight(m, name, rank, shape);
}

static sf_status add_linear(sf_model *m, int64_t layer)
{
    const int64_t d = m->dim;
    SFI_TRY(add(m, layer, "lower", 2, d, d));
    SFI_TRY(add(m, layer, "upper", 2, d, d));
    SFI_TRY(add(m, layer, "scale", 1, d, 0));
    return add(m, layer, "shift", 1, d, 0);
}

static sf_status add_coupling(sf_model *m, const architecture *a, int64_t layer)
{
    const int64_t outputs = a->logits * a->moved, width = a->width;
    if (a->passing == 0)
        return add(m, layer, "net.2.bias", 1, outputs, 0);
    SFI_TRY(add(m, layer, "net.0.weight", 2, width, a->passing));
    SFI_TRY(add(m, layer, "net.0.bias", 1, width, 0));
    SFI_TRY(add(m, layer, "net.1.weight", 2, width, width));
    SFI_TRY(add(m, layer, "net.1.bias", 1, width, 0));
    SFI_TRY(add(m, layer, "net.2.weight", 2, outputs, width));
    return add(m, layer, "net.2.bias", 1, outputs, 0);
}

/* A number that must be in [lo, hi]. */
static sf_status check_number(const sf_model *m, const char *key, double lo,
                              double hi)
{
    bool missing = false;
    const double value = sfi_model_number(m, key, &missing);
    if (!missing && value >= lo && value <= hi)
        return SF_OK;
    return SFI_FAIL(m->ctx, SF_E_FORMAT,
                    "flow: \"%s\" is %g, want a number from %g to %g", key,
                    value, lo, hi);
}

sf_status sfi_flow_declare(sf_model *m)
{
    int64_t whole;
    SFI_TRY(sfi_whole_number(m, "layers", 1, MAX_LAYERS, &whole));
    SFI_TRY(sfi_whole_number(m, "width", 1, MAX_WIDTH, &whole));
    SFI_TRY(sfi_whole_number(m, "bins", 2, MAX_BINS, &whole));
    SFI_TRY(sfi_whole_number(m, "coupling", 0, SFI_AFFINE, &whole));
    SFI_TRY(sfi_whole_number(m, "one_scale", 0, 1, &whole));
    SFI_TRY(check_number(m, "bound", 0.1, 1e3));
    SFI_TRY(check_number(m, "contrast", 0.1, 10.0));
    SFI_TRY(check_number(m, "floor", 1e-3, 0.9));
    SFI_TRY(check_number(m, "principal", 0.0, 1e6));
    const architecture a = architecture_of(m);
    m->weight_dtype = SF_F32;
    for (int64_t l = 0; l <= a.layers; l++) {
        SFI_TRY(add_linear(m, l));
        if (l < a.layers)
            SFI_TRY(add_coupling(m, &a, l));
    }
    for (int64_t l = 0; l <= a.layers; l++) {
        char name[48];
        snprintf(name, sizeof name, "flow.%lld.order", (long long)l);
        SFI_TRY(sfi_add_fixed_weight(m, name, 1, &m->dim));
    }
    return SF_OK;
}

static double *values_of(const sf_model *m, int64_t weight)
{
    return m->weights + m->layout[weight].offset;
}

/* The first weight of linear layer l. */
static int64_t linear_of(const architecture *a, int64_t l)
{
    return a->first + l * (LINEAR + a->network);
}

/* Each order names every column once, and exp(s) does not overflow. */
static sf_status check_order(const sf_model *m, int64_t l, const double *order)
{
    for (int64_t j = 0; j < m->dim; j++) {
        bool bad = !(order[j] >= 0.0) || !(order[j] < (double)m->dim) ||
                   order[j] != floor(order[j]);
        for (int64_t i = 0; i < j && !bad; i++)
            bad = order[i] == order[j];
        if (bad)
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "flow: element %lld of \"flow.%lld.order\" is %g, "
                            "want each number from 0 to %lld once",
                            (long long)j, (long long)l, order[j],
                            (long long)m->dim - 1);
    }
    return SF_OK;
}

sf_status sfi_flow_check(const sf_model *m)
{
    const architecture a = architecture_of(m);
    for (int64_t l = 0; l <= a.layers; l++) {
        const double *scale = values_of(m, linear_of(&a, l) + SCALE);
        SFI_TRY(check_order(m, l, values_of(m, a.orders + l)));
        for (int64_t j = 0; j < a.dim; j++)
            if (!(fabs(scale[j]) <= 30.0))
                return SFI_FAIL(m->ctx, SF_E_FORMAT,
                                "flow: element %lld of \"flow.%lld.scale\" is "
                                "%g, want -30 to 30",
                                (long long)j, (long long)l, scale[j]);
    }
    return SF_OK;
}

/* ---- linear layers ---------------------------------------------------------------------- */

/* 0, 1, ..., d - 1, along the first axis of [d, 1] or the second of [1, d]. */
static sf_node numbers_along(sf_graph *g, int64_t d, int axis)
{
    const int64_t shape[] = {axis == 0 ? d : 1, axis == 0 ? 1 : d};
    const sf_node ones = sf_broadcast(g, sf_const(g, 1.0), 1, &d);
    const sf_node counted = sf_sub(g, sf_cumsum(g, ones), sf_const(g, 1.0));
    return sf_reshape(g, counted, 2, shape);
}

/* P (I + tril(N)) (triu(N') + diag(exp s)) x, of a vector or of the columns of a matrix. */
static sf_node multiply(const architecture *a, sf_graph *g, const sf_node *w,
                        sf_node order, sf_node x)
{
    const int64_t d = a->dim, column[] = {d, 1};
    const sf_node i = numbers_along(g, d, 0), j = numbers_along(g, d, 1);
    const sf_node lower = sf_mul(g, sf_less(g, j, i), w[LOWER]);
    const sf_node upper = sf_mul(g, sf_less(g, i, j), w[UPPER]);
    const sf_node place = sf_equal(g, sf_reshape(g, order, 2, column), j);
    const sf_node scale = sf_exp(g, w[SCALE]);
    const bool vector = sf_node_rank(g, x) == 1;
    const sf_node own = vector ? scale : sf_reshape(g, scale, 2, column);
    const sf_node u = sf_add(g, sf_matmul(g, upper, x), sf_mul(g, own, x));
    return sf_matmul(g, place, sf_add(g, u, sf_matmul(g, lower, u)));
}

/* (I - M)^-1 x of a strict triangle M, whose power d is 0. */
static sf_node undo_triangle(sf_graph *g, sf_node m, sf_node x, int64_t d)
{
    for (int64_t power = 1; power < d; power *= 2) {
        x = sf_add(g, x, sf_matmul(g, m, x));
        if (2 * power < d)
            m = sf_matmul(g, m, m);
    }
    return x;
}

/* What multiply() undone gives, of a vector. */
static sf_node divide(const architecture *a, sf_graph *g, const sf_node *w,
                      sf_node order, sf_node y)
{
    const int64_t d = a->dim, column[] = {d, 1};
    const sf_node i = numbers_along(g, d, 0), j = numbers_along(g, d, 1);
    const sf_node shrink = sf_exp(g, sf_neg(g, w[SCALE]));
    const sf_node lower = sf_neg(g, sf_mul(g, sf_less(g, j, i), w[LOWER]));
    const sf_node upper =
        sf_neg(g, sf_mul(g, sf_reshape(g, shrink, 2, column),
                         sf_mul(g, sf_less(g, i, j), w[UPPER])));
    const sf_node place = sf_equal(g, sf_reshape(g, order, 2, column), j);
    const sf_node u = sf_matmul(g, sf_transpose(g, place), y);
    return undo_triangle(g, upper,
                         sf_mul(g, shrink, undo_triangle(g, lower, u, d)), d);
}

/* The inverse matrix of linear layer l [d, d], from its weights: for each unit vector the
 * order is undone, and the triangles are solved. */
static void invert(const sf_model *m, const architecture *a, int64_t l,
                   double *inverse)
{
    const int64_t d = a->dim, first = linear_of(a, l);
    const double *lower = values_of(m, first + LOWER);
    const double *upper = values_of(m, first + UPPER);
    const double *scale = values_of(m, first + SCALE);
    const double *order = values_of(m, a->orders + l);
    for (int64_t c = 0; c < d; c++) {
        double *x = inverse + c; /* column c */
        for (int64_t i = 0; i < d; i++)
            x[(int64_t)order[i] * d] = i == c ? 1.0 : 0.0;
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j < i; j++)
                x[i * d] -= lower[i * d + j] * x[j * d];
        for (int64_t i = d - 1; i >= 0; i--) {
            for (int64_t j = i + 1; j < d; j++)
                x[i * d] -= upper[i * d + j] * x[j * d];
            x[i * d] /= exp(scale[i]);
        }
    }
}

/* ---- couplings ------------------------------------------------------------------------------ */

/* The logits [logits, moved] that the passing numbers give. */
static sf_node logits_of(const architecture *a, sf_graph *g, const sf_node *w,
                         sf_node passed)
{
    const int64_t shape[] = {a->logits, a->moved};
    if (a->passing == 0)
        return sf_reshape(g, w[0], 2, shape);
    const sf_node h = sf_silu(g, sf_add(g, sf_matmul(g, w[0], passed), w[1]));
    const sf_node more = sf_silu(g, sf_add(g, sf_matmul(g, w[2], h), w[3]));
    const sf_node out = sf_add(g, sf_matmul(g, w[4], sf_add(g, h, more)), w[5]);
    return sf_reshape(g, out, 2, shape);
}

static sf_node row_of(sf_graph *g, sf_node a, int64_t row, int64_t n)
{
    return sf_reshape(g, sf_slice(g, a, 0, row, 1, 1), 1, &n);
}

/* 2 tanh(r/2), the logarithm of the slope of an affine coupling. */
static sf_node affine_slope(const architecture *a, sf_graph *g, sf_node logits)
{
    const sf_node half = sf_const(g, 0.5), two = sf_const(g, 2.0);
    const sf_node r = row_of(g, logits, 0, a->moved);
    return sf_mul(g, two, sf_tanh(g, sf_mul(g, half, r)));
}

/* The numbers that pass, and those that are moved. */
static sf_node passing_of(const architecture *a, sf_graph *g, sf_node x)
{
    return sf_slice(g, x, 0, 0, a->passing, 1);
}

static sf_node moved_of(const architecture *a, sf_graph *g, sf_node x)
{
    return sf_slice(g, x, 0, a->passing, a->moved, 1);
}

/* What the moved numbers become, one way or the other, and ln of the slope. */
static sf_node move(const architecture *a, sf_graph *g, sf_node logits,
                    sf_node moved, bool back, sf_node *log_slope)
{
    if (a->coupling == SFI_SPLINE)
        return back ? sfi_spline_inverse(g, &a->spline, logits, moved)
                    : sfi_spline(g, &a->spline, logits, moved, log_slope);
    const sf_node shift = row_of(g, logits, 1, a->moved);
    *log_slope = affine_slope(a, g, logits);
    const sf_node slope = sf_exp(g, *log_slope);
    return back ? sf_div(g, sf_sub(g, moved, shift), slope)
                : sf_add(g, sf_mul(g, slope, moved), shift);
}

/* The second part below the first, if there is a first. */
static sf_node joined(const architecture *a, sf_graph *g, sf_node passed,
                      sf_node moved)
{
    const sf_node parts[] = {passed, moved};
    return a->passing > 0 ? sf_concat(g, 2, parts, 0) : moved;
}

static sf_node couple_back(const architecture *a, sf_graph *g, const sf_node *w,
                           sf_node x)
{
    const sf_node passed = a->passing > 0 ? passing_of(a, g, x) : (sf_node){-1};
    const sf_node logits = logits_of(a, g, w, passed);
    sf_node slope;
    return joined(a, g, passed,
                  move(a, g, logits, moved_of(a, g, x), true, &slope));
}

/* The Jacobian of a coupling times another, the moved rows of which get what the passing
 * one adds: the derivative of the moved numbers by the one that passes. */
static sf_node couple_jacobian(const architecture *a, sf_graph *g,
                               sf_node passed, sf_node y, sf_node log_slope,
                               sf_node jacobian)
{
    const int64_t one = 1, column[] = {a->moved, 1};
    const sf_node slope = sf_reshape(g, sf_exp(g, log_slope), 2, column);
    const sf_node below = sf_mul(g, slope, moved_of(a, g, jacobian));
    if (a->passing == 0)
        return below;
    const sf_node unit = sf_broadcast(g, sf_const(g, 1.0), 1, &one);
    const sf_node by_passed =
        sf_reshape(g, sf_jvp(g, y, passed, unit), 2, column);
    const sf_node above = passing_of(a, g, jacobian);
    return joined(a, g, above, sf_add(g, below, sf_mul(g, by_passed, above)));
}

/* Forth; *jacobian, unless it is NULL, becomes the coupling's times itself. */
static sf_node couple(const architecture *a, sf_graph *g, const sf_node *w,
                      sf_node x, sf_node *log_slope, sf_node *jacobian)
{
    const sf_node passed = a->passing > 0 ? passing_of(a, g, x) : (sf_node){-1};
    const sf_node y = move(a, g, logits_of(a, g, w, passed), moved_of(a, g, x),
                           false, log_slope);
    if (jacobian != NULL)
        *jacobian = couple_jacobian(a, g, passed, y, *log_slope, *jacobian);
    return joined(a, g, passed, y);
}

/* ---- the family ----------------------------------------------------------------------------- */

static sf_node forward(const sf_model *m, sf_graph *g, sf_node y,
                       const sf_node *weights, sf_node *log_det,
                       sf_node *jacobian)
{
    const architecture a = architecture_of(m);
    sf_node sum = sf_const(g, 0.0), log_slope;
    for (int64_t l = 0; l <= a.layers; l++) {
        const sf_node *w = weights + linear_of(&a, l);
        const sf_node order = weights[a.orders + l];
        y = sf_add(g, multiply(&a, g, w, order, y), w[SHIFT]);
        if (jacobian != NULL)
            *jacobian = multiply(&a, g, w, order, *jacobian);
        sum = sf_add(g, sum, sf_sum_all(g, w[SCALE]));
        if (l == a.layers)
            break;
        y = couple(&a, g, w + LINEAR, y, &log_slope, jacobian);
        sum = sf_add(g, sum, sf_sum_all(g, log_slope));
    }
    *log_det = sum;
    return y;
}

sf_node sfi_flow_forward(const sf_model *m, sf_graph *g, sf_node y,
                         const sf_node *weights, sf_node *log_det)
{
    return forward(m, g, y, weights, log_det, NULL);
}

sf_node sfi_flow_jacobian(const sf_model *m, sf_graph *g, sf_node y,
                          const sf_node *weights, sf_node *log_det,
                          sf_node *jacobian)
{
    *jacobian = sf_eye(g, m->dim);
    return forward(m, g, y, weights, log_det, jacobian);
}

sf_node sfi_flow_backward(const sf_model *m, sf_graph *g, sf_node z,
                          const sf_node *weights)
{
    const architecture a = architecture_of(m);
    for (int64_t l = a.layers; l >= 0; l--) {
        const sf_node *w = weights + linear_of(&a, l);
        if (l < a.layers)
            z = couple_back(&a, g, w + LINEAR, z);
        z = divide(&a, g, w, weights[a.orders + l], sf_sub(g, z, w[SHIFT]));
    }
    return z;
}

static sfi_answer flow_answer(const sf_model *m, sf_graph *g, sf_node y,
                              sf_node level, const sf_node *weights)
{
    const double log_two_pi = 1.8378770664093453;
    sf_node log_det;
    (void)level;
    const sf_node z = sfi_flow_forward(m, g, y, weights, &log_det);
    const sf_node twice =
        sf_add(g, sf_dot(g, z, z), sf_const(g, (double)m->dim * log_two_pi));
    sfi_answer a = {{-1}, {-1}, {-1}, {-1}};
    a.logp = sf_sub(g, log_det, sf_mul(g, sf_const(g, 0.5), twice));
    a.score = sf_gradient(g, a.logp, y);
    return a;
}

static sf_node flow_code(const sf_model *m, sf_graph *g, sf_node y,
                         const sf_node *weights)
{
    sf_node log_det;
    return sfi_flow_forward(m, g, y, weights, &log_det);
}

static sf_status flow_decode(const sf_model *m, sf_graph *g, sf_node z,
                             sf_node noise, const sf_node *weights,
                             sf_node *out)
{
    const architecture a = architecture_of(m);
    const int64_t d = a.dim, shape[] = {d, d};
    const size_t cells = (size_t)(d * d);
    double *inverse = sfi_alloc(m->ctx, cells, sizeof *inverse);
    (void)noise; /* there is none */
    if (inverse == NULL)
        return SF_E_NOMEM;
    for (int64_t l = a.layers; l >= 0; l--) {
        const sf_node *w = weights + linear_of(&a, l);
        if (l < a.layers)
            z = couple_back(&a, g, w + LINEAR, z);
        invert(m, &a, l, inverse);
        z = sf_matmul(g, sf_const_array(g, 2, shape, inverse),
                      sf_sub(g, z, w[SHIFT]));
    }
    sfi_free(m->ctx, inverse, cells, sizeof *inverse);
    *out = z;
    return sf_graph_status(g);
}

const sfi_model_ops sfi_flow_ops = {.family = "flow",
                                    .noiseless = true,
                                    .closed = true,
                                    .trained = true,
                                    .invertible = true,
                                    .no_kernels = true,
                                    .declare = sfi_flow_declare,
                                    .answer = flow_answer,
                                    .code = flow_code,
                                    .decode = flow_decode,
                                    .check = sfi_flow_check};

/* ---- making ----------------------------------------------------------------------------------- */

int sfi_flow_numbers(sfi_number *out, const sfi_flow_shape *shape)
{
    const sfi_number numbers[] = {{"layers", (double)shape->layers},
                                  {"width", (double)shape->width},
                                  {"bins", (double)shape->bins},
                                  {"bound", 5.0},
                                  {"contrast", 3.0},
                                  {"floor", 0.1},
                                  {"coupling", (double)shape->coupling},
                                  {"principal", shape->principal},
                                  {"one_scale", shape->one_scale}};
    memcpy(out, numbers, sizeof numbers);
    return (int)SFI_COUNT(numbers);
}

/* The passing half is drawn from what was moved, so that no column passes twice; the
 * other half is the rest. */
static void choose_order(const architecture *a, uint64_t seed, int64_t layer,
                         int64_t *work, double *order)
{
    for (int64_t j = 0; j < a->dim; j++)
        work[j] = (a->passing + j) % a->dim;
    sfi_shuffle(seed, (uint32_t)(2 * layer), work, a->moved);
    sfi_shuffle(seed, (uint32_t)(2 * layer + 1), work + a->passing, a->moved);
    for (int64_t j = 0; j < a->dim; j++)
        order[j] = (double)work[j];
}

/* Of weights of networks 1/sqrt(inputs); of the first layer's biases 1, so that its units
 * bend at different places of the few numbers that it reads; of all others 0. */
static double spread_of(const sfi_weight *w)
{
    if (strstr(w->name, ".net.0.bias") != NULL)
        return 1.0;
    const bool inner = strstr(w->name, ".net.0.weight") != NULL ||
                       strstr(w->name, ".net.1.weight") != NULL;
    return inner ? 1.0 / sqrt((double)w->shape[1]) : 0.0;
}

sf_status sfi_flow_initialise(sf_model *m, uint64_t seed)
{
    const architecture a = architecture_of(m);
    int64_t *work = sfi_alloc(m->ctx, (size_t)a.dim, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    for (size_t k = 0; k < m->layout_count; k++) {
        const sfi_weight *w = &m->layout[k];
        const double spread = spread_of(w);
        for (int64_t i = 0; i < w->count; i++) {
            const sfi_where where = {seed, (uint64_t)i, (uint32_t)k,
                                     SFI_STREAM_WEIGHTS};
            m->weights[w->offset + i] =
                (float)(spread * sfi_normal_at(where, 0));
        }
    }
    for (int64_t l = 0; l <= a.layers; l++)
        choose_order(&a, seed, l, work, values_of(m, a.orders + l));
    sfi_free(m->ctx, work, (size_t)a.dim, sizeof *work);
    return SF_OK;
}
