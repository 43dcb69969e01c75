/* SPDX-License-Identifier: Apache-2.0 */
/* absorb.c - an action on a larger grid, and the memory of its layers. */
#include "evolve/absorb.h"

#include "field/grid.h"

#include <math.h>
#include <string.h>

/* ---- what can be absorbed --------------------------------------------------------------- */

/* Whether two different slopes may meet in a product: those of one component of a curl. */
static bool is_curl(const sf_action *a, const sfi_density_leaf *l,
                    const sfi_density_leaf *m)
{
    return a->form != NULL && a->half[l->index] == m->axis &&
           a->half[m->index] == l->axis;
}

static sf_status check(const sf_action *inner)
{
    sf_action *a = (sf_action *)inner; /* its graph grows */
    sf_graph *g = a->graph;
    for (int k = 0; k < a->rank; k++)
        for (int high = 0; high < 2; high++)
            if (a->walls[2 * k + high].kind == SF_SIDE_OPEN &&
                sf_grid_axis(a->grid, k)->placement != SF_NODES)
                return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                                "evolve: side %s%s: open wants nodes here",
                                sf_grid_axis(a->grid, k)->name,
                                high ? "+" : "-");
    for (size_t i = 0; i < a->leaf_count; i++)
        for (size_t j = 0; j < a->leaf_count; j++) {
            const sfi_density_leaf l = a->leaves[i], m = a->leaves[j];
            double none = 1.0;
            if (l.kind != SFI_LEAF_SLOPE ||
                (m.kind != SFI_LEAF_SLOPE && m.kind != SFI_LEAF_VALUE))
                continue;
            const sf_node second =
                sf_gradient(g, sf_gradient(g, a->energy, l.node), m.node);
            const bool is_zero = sfi_is_const(g, second, &none) && none == 0.0;
            if ((i != j && !is_zero && !is_curl(a, &l, &m)) ||
                sfi_action_depends(a, second, SFI_LEAF_VALUE) ||
                sfi_action_depends(a, second, SFI_LEAF_SLOPE) ||
                sfi_action_ages(a, second))
                return SFI_FAIL(
                    a->ctx, SF_E_UNSUPPORTED,
                    "evolve: beyond an open side the energy is to be a sum of "
                    "squares of single slopes, or of components of a curl, "
                    "with factors that depend on the coordinates alone");
        }
    return sf_graph_status(g);
}

/* ---- the larger action -------------------------------------------------------------------- */

static sf_status make_grid(sfi_absorb *l)
{
    const sf_action *a = l->inner;
    static const sf_side wall = {SF_SIDE_PIN, "0", NULL};
    sf_axis axes[SF_MAX_AXES];
    for (int k = 0; k < a->rank; k++) {
        const sf_axis *axis = sf_grid_axis(a->grid, k);
        const double step = sfi_axis_step(axis);
        const bool low = a->walls[2 * k].kind == SF_SIDE_OPEN;
        const bool high = a->walls[2 * k + 1].kind == SF_SIDE_OPEN;
        axes[k] = *axis;
        if (!low && !high)
            continue;
        l->before[k] = low ? l->cells : 0;
        axes[k].count += l->before[k] + (high ? l->cells : 0);
        double *x = sfi_alloc(a->ctx, (size_t)axes[k].count, sizeof *x);
        if (x == NULL)
            return SF_E_NOMEM;
        l->coords[k] = x;
        for (int64_t i = 0; i < axes[k].count; i++) {
            const int64_t j = i - l->before[k];
            x[i] = j < 0             ? axis->coords[0] + step * (double)j
                   : j < axis->count ? axis->coords[j]
                                     : axis->coords[axis->count - 1] +
                                           step * (double)(j - axis->count + 1);
        }
        axes[k].coords = x;
        axes[k].edges = NULL;
        if (low)
            axes[k].low = wall;
        if (high)
            axes[k].high = wall;
    }
    const sf_grid_options o = sfi_grid_options(a->grid);
    return sf_grid_new(a->ctx, &l->grid, a->rank, axes, &o);
}

static sf_status copy_names(const sfi_absorb *l)
{
    const sf_action *a = l->inner;
    for (size_t i = 0; i < a->named_count; i++) {
        const sfi_named *s = &a->named[i];
        if (s->text != NULL)
            SFI_TRY(sf_action_set(l->a, s->name, s->text));
        else if (s->is_number)
            SFI_TRY(sf_action_constant(l->a, s->name, s->number));
        else
            return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                            "evolve: \"%s\" is a field, and not known beyond "
                            "the open sides; give it as an expression",
                            s->name);
    }
    return SF_OK;
}

/* Visit the points of the inner grid: *at in it, the result in the larger one. */
static int64_t outer_of(const sfi_absorb *l, int64_t at)
{
    const sf_action *a = l->inner;
    int64_t out = 0;
    for (int k = 0; k < a->rank; k++)
        out +=
            (at / a->stride[k] % a->count[k] + l->before[k]) * l->a->stride[k];
    return out;
}

void sfi_absorb_crop(const sfi_absorb *l, const double *x, double *out)
{
    const int64_t n = l->inner->points;
    for (int u = 0; u < l->inner->unknowns; u++)
        for (int64_t i = 0; i < n; i++)
            out[u * n + i] = x[u * l->a->points + outer_of(l, i)];
}

void sfi_absorb_extend(const sfi_absorb *l, const double *x, double *out)
{
    const sf_action *a = l->a, *inner = l->inner;
    for (int64_t i = 0; i < a->points; i++) {
        int64_t from = 0;
        for (int k = 0; k < a->rank; k++) {
            const int64_t at = i / a->stride[k] % a->count[k] - l->before[k];
            const int64_t last = inner->count[k] - 1;
            from += (at < 0 ? 0 : at > last ? last : at) * inner->stride[k];
        }
        out[i] = x[from];
    }
}

/* Fields of the larger grid from those of the inner one. */
static sf_status embed(sfi_absorb *l, const sf_field *from, sf_field *to)
{
    sf_action *a = (sf_action *)l->inner;
    const size_t n = (size_t)(a->unknowns * a->points);
    double *x = sfi_alloc(a->ctx, n, sizeof *x);
    double *y = sfi_alloc_zero(a->ctx, (size_t)l->a->points, sizeof *y);
    sf_status status = x != NULL && y != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_action_gather(a, from, x);
    for (int u = 0; u < a->unknowns && status == SF_OK; u++) {
        for (int64_t i = 0; i < a->points; i++)
            y[outer_of(l, i)] = x[u * a->points + i];
        const unsigned place = sfi_action_place(a, u);
        status = sf_field_new(a->ctx, &to[u], l->grid, 1, &place, SF_F64, 0);
        if (status == SF_OK)
            sfi_action_put(l->a, y, &to[u]);
    }
    sfi_free(a->ctx, x, n, sizeof *x);
    sfi_free(a->ctx, y, (size_t)l->a->points, sizeof *y);
    return status;
}

/* ---- layers ------------------------------------------------------------------------------- */

int64_t sfi_absorb_element(const sfi_absorb *l, const sfi_absorbing_layer *s,
                           int64_t c, int64_t j)
{
    const sf_action *a = l->a;
    const int64_t n = a->count[s->axis], inner = a->stride[s->axis];
    const int64_t index =
        s->is_high ? n - 1 - l->cells + j : (int64_t)l->cells - j;
    return (c / inner * n + index) * inner + c % inner;
}

static sf_status make_layers(sfi_absorb *l)
{
    const sf_action *a = l->inner;
    const size_t cells = (size_t)l->cells;
    size_t memory = 0;
    for (int w = 0; w < 2 * a->rank; w++) {
        if (a->walls[w].kind != SF_SIDE_OPEN)
            continue;
        sfi_absorbing_layer *s = &l->layers[l->layer_count++];
        s->axis = w / 2;
        s->is_high = w % 2 == 1;
        s->count = a->unknowns * l->a->points / l->a->count[s->axis];
        memory += cells * (size_t)s->count;
    }
    l->room_count = 7 * memory;
    l->memory_count = 2 * memory;
    l->room = sfi_alloc_zero(a->ctx, l->room_count, sizeof *l->room);
    if (l->room == NULL)
        return SF_E_NOMEM;
    l->memory = l->room;
    double *kept = l->room, *rest = l->room + l->memory_count;
    for (int i = 0; i < l->layer_count; i++) {
        sfi_absorbing_layer *s = &l->layers[i];
        const size_t n = cells * (size_t)s->count;
        double **const parts[] = {&s->k, &s->psi_a, &s->psi_b, &s->zeta_a,
                                  &s->zeta_b};
        s->psi = kept;
        s->zeta = kept + n;
        kept += 2 * n;
        for (size_t p = 0; p < SFI_COUNT(parts); p++) {
            *parts[p] = rest;
            rest += n;
        }
    }
    return SF_OK;
}

static void coefficients(const sfi_absorb *l, double depth, double c, double h,
                         double dt, double *a, double *b)
{
    const double most = 2.0 * c * log(1e6) / ((double)l->cells * h);
    const double sigma = most * depth * depth * depth;
    const double alpha = 0.05 * c / h * (1.0 - depth);
    *b = exp(-(sigma + alpha) * dt);
    *a = sigma > 0.0 ? sigma / (sigma + alpha) * (*b - 1.0) : 0.0;
}

/* The product with 1 at every third plane of an unknown has, one plane before it, -K of the edge between
 * alone. */
static sf_status read_edges(sfi_absorb *l, sfi_absorbing_layer *s, double *v,
                            double *w)
{
    sf_action *a = l->a;
    const int64_t n = a->unknowns * a->points, inner = a->stride[s->axis];
    for (int64_t phase = 0; phase < 3 * a->unknowns; phase++) {
        const int64_t u = phase / 3;
        for (int64_t i = 0; i < n; i++)
            v[i] = i / a->points == u &&
                           i / inner % a->count[s->axis] % 3 == phase % 3
                       ? 1.0
                       : 0.0;
        /* What belongs to slopes is the same at any field: take v. */
        SFI_TRY(sfi_action_product(a, v, v, w));
        for (int64_t j = 0; j < l->cells; j++)
            for (int64_t c = 0; c < s->count; c++) {
                const int64_t near = sfi_absorb_element(l, s, c, j);
                const int64_t far = sfi_absorb_element(l, s, c, j + 1);
                if (far / a->points == u &&
                    far / inner % a->count[s->axis] % 3 == phase % 3)
                    s->k[j * s->count + c] = -w[near];
            }
    }
    return SF_OK;
}

sf_status sfi_absorb_prepare(sfi_absorb *l, double dt, const double *mass,
                             double *v, double *w)
{
    memset(l->memory, 0, l->memory_count * sizeof *l->memory);
    for (int i = 0; i < l->layer_count; i++) {
        sfi_absorbing_layer *s = &l->layers[i];
        const double h = fabs(sfi_axis_step(sf_grid_axis(l->grid, s->axis)));
        SFI_TRY(read_edges(l, s, v, w));
        for (int64_t j = 0; j < l->cells; j++)
            for (int64_t c = 0; c < s->count; c++) {
                const int64_t at = j * s->count + c;
                const double m = mass[sfi_absorb_element(l, s, c, j)];
                const double speed =
                    s->k[at] > 0.0 && m > 0.0 ? h * sqrt(s->k[at] / m) : 0.0;
                coefficients(l, ((double)j + 0.5) / l->cells, speed, h, dt,
                             &s->psi_a[at], &s->psi_b[at]);
                coefficients(l, (double)j / l->cells, speed, h, dt,
                             &s->zeta_a[at], &s->zeta_b[at]);
            }
    }
    return SF_OK;
}

void sfi_absorb_step(sfi_absorb *l, const double *mass, const double *x,
                     double *force)
{
    for (int i = 0; i < l->layer_count; i++) {
        sfi_absorbing_layer *s = &l->layers[i];
        for (int64_t j = 0; j < l->cells; j++)
            for (int64_t c = 0; c < s->count; c++) {
                const int64_t at = j * s->count + c;
                const double d = x[sfi_absorb_element(l, s, c, j + 1)] -
                                 x[sfi_absorb_element(l, s, c, j)];
                s->psi[at] = s->psi_b[at] * s->psi[at] + s->psi_a[at] * d;
            }
        for (int64_t j = 0; j < l->cells; j++)
            for (int64_t c = 0; c < s->count; c++) {
                const int64_t at = j * s->count + c,
                              here = sfi_absorb_element(l, s, c, j);
                if (l->a->pinned[here])
                    continue;
                const double out = s->k[at] * s->psi[at];
                const double in =
                    j > 0 ? s->k[at - s->count] * s->psi[at - s->count] : 0.0;
                double all = 0.0; /* the first point has no memory */
                if (j > 0) {
                    const double d0 =
                        x[here] - x[sfi_absorb_element(l, s, c, j - 1)];
                    const double d1 =
                        x[sfi_absorb_element(l, s, c, j + 1)] - x[here];
                    all = s->k[at] * d1 - s->k[at - s->count] * d0 + out - in;
                }
                s->zeta[at] = s->zeta_b[at] * s->zeta[at] + s->zeta_a[at] * all;
                force[here] += (out - in + s->zeta[at]) / mass[here];
            }
    }
}

/* ---- making ------------------------------------------------------------------------------- */

sf_status sfi_absorb_new(sfi_absorb *l, sf_action *inner, int cells,
                         const sf_field *fields, const sf_field *rates)
{
    sf_action_info info;
    memset(l, 0, sizeof *l);
    l->inner = inner;
    l->cells = cells;
    SFI_TRY(sf_action_describe(inner, &info));
    SFI_TRY(check(inner));
    SFI_TRY(make_grid(l));
    SFI_TRY(inner->form != NULL
                ? sf_action_new_form(inner->ctx, &l->a, l->grid, inner->text,
                                     inner->kind, inner->form)
                : sf_action_new(inner->ctx, &l->a, l->grid, inner->text,
                                inner->kind, inner->unknowns,
                                (const char *const *)inner->names));
    SFI_TRY(copy_names(l));
    SFI_TRY(sf_action_describe(l->a, &info));
    SFI_TRY(embed(l, fields, l->fields));
    if (rates != NULL)
        SFI_TRY(embed(l, rates, l->rates));
    return make_layers(l);
}

void sfi_absorb_free(sfi_absorb *l)
{
    if (l->inner == NULL)
        return;
    sf_context *ctx = l->inner->ctx;
    for (int u = 0; u < SF_MOST_UNKNOWNS; u++) {
        sf_field_free(ctx, &l->fields[u]);
        sf_field_free(ctx, &l->rates[u]);
    }
    for (int k = 0; k < l->inner->rank && l->grid != NULL; k++)
        if (l->coords[k] != NULL)
            sfi_free(ctx, l->coords[k], (size_t)sf_grid_axis(l->grid, k)->count,
                     sizeof(double));
    sf_action_free(l->a);
    sf_grid_free(l->grid);
    sfi_free(ctx, l->room, l->room_count, sizeof *l->room);
    memset(l, 0, sizeof *l);
}
