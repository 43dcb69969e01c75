/* SPDX-License-Identifier: Apache-2.0 */
/* coarser.c - grids of every second point, and interpolation as products of sparse
 * matrices, an axis after the other. */
#include "solve/coarser.h"

#include "base/parallel.h"

#include <math.h>
#include <string.h>

/* Numbers below which a thread costs more than it gives. */
enum { LEAST_PARALLEL = 1 << 15 };

/* ---- grids ---------------------------------------------------------------------------- */

static int64_t half_of(const sf_action *a, int k)
{
    const int64_t n = a->count[k];
    return sfi_is_closed(a, k) || sfi_is_cells(a, k) ? (n + 1) / 2 : n / 2 + 1;
}

bool sfi_can_halve(const sf_action *a, int k)
{
    return half_of(a, k) >= 3 && half_of(a, k) < a->count[k] && !a->is_open;
}

/* The fine place of coarse node, or edge, i. */
static int64_t place_of(int64_t i, int64_t last)
{
    return 2 * i < last ? 2 * i : last;
}

static sf_status make_axis(sfi_coarser *c, int k, bool halve, sf_axis *axis)
{
    const sf_action *a = c->fine;
    const sf_axis *from = sf_grid_axis(a->grid, k);
    const int64_t n = halve ? half_of(a, k) : from->count;
    *axis = *from;
    if (!halve)
        return SF_OK;
    const bool cells = sfi_is_cells(a, k);
    double *x = sfi_alloc(a->ctx, (size_t)n, sizeof *x);
    double *edges = sfi_alloc(a->ctx, (size_t)n + 1, sizeof *edges);
    c->coords[k] = x;
    c->edges[k] = edges;
    if (x == NULL || edges == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i <= n && cells; i++)
        edges[i] = from->edges[place_of(i, from->count)];
    for (int64_t i = 0; i < n; i++)
        x[i] = cells ? 0.5 * (edges[i] + edges[i + 1])
                     : from->coords[place_of(i, from->count - 1)];
    axis->count = n;
    axis->coords = x;
    axis->edges = cells ? edges : NULL;
    return SF_OK;
}

/* ---- interpolation along an axis -------------------------------------------------------- */

static void free_map(sf_context *ctx, sfi_axis_map *m)
{
    sfi_free(ctx, m->start, (size_t)m->rows + 1, sizeof *m->start);
    sfi_free(ctx, m->column, (size_t)m->entries, sizeof *m->column);
    sfi_free(ctx, m->weight, (size_t)m->entries, sizeof *m->weight);
    memset(m, 0, sizeof *m);
}

static sf_status new_map(sf_context *ctx, sfi_axis_map *m, int64_t rows,
                         int64_t entries)
{
    *m = (sfi_axis_map){.rows = rows, .entries = entries};
    m->start = sfi_alloc_zero(ctx, (size_t)rows + 1, sizeof *m->start);
    m->column = sfi_alloc_zero(ctx, (size_t)entries, sizeof *m->column);
    m->weight = sfi_alloc_zero(ctx, (size_t)entries, sizeof *m->weight);
    return m->start != NULL && m->column != NULL && m->weight != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

/* Coordinate of coarse point i, a period further beyond the ends of a closed axis; of the
 * wall beyond those of cells. */
static double coarse_place(const sf_axis *axis, bool closed, int64_t i)
{
    const int64_t n = axis->count;
    const double turn =
        axis->coords[1] < axis->coords[0] ? -axis->period : axis->period;
    if (closed)
        return axis->coords[(i + n) % n] + (i < 0    ? -turn
                                            : i >= n ? turn
                                                     : 0.0);
    return i < 0 ? axis->edges[0] : i >= n ? axis->edges[n] : axis->coords[i];
}

/* Two weights for each fine point: of the coarse point at or before it, and the next. */
static sf_status interpolation(sfi_coarser *c, int k)
{
    const sf_action *a = c->fine;
    const sf_axis *fine = sf_grid_axis(a->grid, k);
    const sf_axis *coarse = sf_grid_axis(c->grid, k);
    const bool closed = sfi_is_closed(a, k);
    const bool falls = fine->coords[1] < fine->coords[0];
    const int64_t n = fine->count, m = coarse->count;
    sfi_axis_map *map = &c->down[k];
    SFI_TRY(new_map(a->ctx, map, n, 2 * n));
    int64_t j = -1;
    for (int64_t i = 0; i < n; i++) {
        const double x = fine->coords[i];
        while (j < m - 1) {
            const double next = coarse_place(coarse, closed, j + 1);
            if (falls ? x > next : x < next)
                break;
            j++;
        }
        const double low = coarse_place(coarse, closed, j);
        const double high = coarse_place(coarse, closed, j + 1);
        double t = high != low ? (x - low) / (high - low) : 0.0;
        if (!closed && j < 0 && a->walls[2 * k].kind != SF_SIDE_PIN)
            t = 1.0; /* constant to the wall */
        if (!closed && j == m - 1 && a->walls[2 * k + 1].kind != SF_SIDE_PIN)
            t = 0.0;
        map->start[i + 1] = 2 * (i + 1);
        map->column[2 * i] = closed ? (j + m) % m : j < 0 ? 0 : j;
        map->column[2 * i + 1] = closed      ? (j + 1) % m
                                 : j + 1 < m ? j + 1
                                             : m - 1;
        map->weight[2 * i] = !closed && j < 0 ? 0.0 : 1.0 - t;
        map->weight[2 * i + 1] = !closed && j + 1 >= m ? 0.0 : t;
    }
    return SF_OK;
}

static sf_status transpose(sf_context *ctx, const sfi_axis_map *from,
                           int64_t columns, sfi_axis_map *to)
{
    SFI_TRY(new_map(ctx, to, columns, from->entries));
    for (int64_t e = 0; e < from->entries; e++)
        to->start[from->column[e] + 1]++;
    for (int64_t j = 0; j < columns; j++)
        to->start[j + 1] += to->start[j];
    for (int64_t i = 0; i < from->rows; i++)
        for (int64_t e = from->start[i]; e < from->start[i + 1]; e++) {
            const int64_t at = to->start[from->column[e]]++;
            to->column[at] = i;
            to->weight[at] = from->weight[e];
        }
    for (int64_t j = columns; j > 0; j--)
        to->start[j] = to->start[j - 1];
    to->start[0] = 0;
    return SF_OK;
}

/* ---- moving values ------------------------------------------------------------------------ */

/* Lines along an axis: [outer][rows of the map][inner]. */
typedef struct line_move {
    const sfi_axis_map *map;
    int64_t columns, inner;
    const double *from;
    double *to;
} line_move;

static void move_lines(void *user, int64_t part, int64_t first, int64_t count)
{
    const line_move *m = user;
    (void)part;
    for (int64_t at = first; at < first + count; at++) {
        const int64_t o = at / m->map->rows, i = at % m->map->rows;
        double *const to = m->to + at * m->inner;
        memset(to, 0, (size_t)m->inner * sizeof *to);
        for (int64_t e = m->map->start[i]; e < m->map->start[i + 1]; e++) {
            const double w = m->map->weight[e];
            const double *const from =
                m->from + (o * m->columns + m->map->column[e]) * m->inner;
            for (int64_t q = 0; q < m->inner && w != 0.0; q++)
                to[q] += w * from[q];
        }
    }
}

/* All axes of `maps`, from an array of counts n to one of counts m. */
static void move(const sfi_coarser *c, const sfi_axis_map *maps,
                 const int64_t *n, const int64_t *m, const double *from,
                 double *to)
{
    const int rank = c->fine->rank;
    int64_t now[SF_MAX_AXES], size = 1;
    const double *at = from;
    int turn = 0;
    memcpy(now, n, sizeof now);
    for (int k = 0; k < rank; k++) {
        if (maps[k].start == NULL)
            continue;
        int64_t outer = 1, inner = 1;
        for (int j = 0; j < k; j++)
            outer *= now[j];
        for (int j = k + 1; j < rank; j++)
            inner *= now[j];
        now[k] = m[k];
        line_move lines = {&maps[k], n[k], inner, at, c->room[turn]};
        const int64_t chunk = 1 + LEAST_PARALLEL / inner;
        sfi_parallel(c->fine->ctx, outer * m[k], chunk, move_lines, &lines);
        at = c->room[turn];
        turn = 1 - turn;
    }
    for (int k = 0; k < rank; k++)
        size *= m[k];
    memcpy(to, at, (size_t)size * sizeof *to);
}

void sfi_coarser_interpolate(const sfi_coarser *c, const double *coarse,
                             double *fine)
{
    move(c, c->down, c->action->count, c->fine->count, coarse, fine);
}

void sfi_coarser_gather(const sfi_coarser *c, const double *fine,
                        double *coarse)
{
    move(c, c->up, c->fine->count, c->action->count, fine, coarse);
}

void sfi_coarser_mean(const sfi_coarser *c, const double *fine, double *coarse)
{
    sfi_coarser_gather(c, fine, coarse);
    for (int64_t i = 0; i < c->action->points; i++)
        coarse[i] /= c->weights[i];
}

/* ---- names -------------------------------------------------------------------------------- */

static sf_status copy_names(sfi_coarser *c)
{
    const sf_action *fine = c->fine;
    SFI_TRY(sfi_action_copy_sides(c->action, fine));
    for (size_t i = 0; i < fine->named_count; i++) {
        const sfi_named *s = &fine->named[i];
        if (s->is_number) {
            SFI_TRY(sf_action_constant(c->action, s->name, s->number));
            continue;
        }
        sf_field f;
        const size_t n = (size_t)c->action->points;
        double *values = sfi_alloc(fine->ctx, n, sizeof *values);
        if (values == NULL)
            return SF_E_NOMEM;
        sfi_coarser_mean(c, s->values, values);
        sf_status status =
            sf_field_new(fine->ctx, &f, c->grid, 1, NULL, SF_F64, 0);
        if (status == SF_OK) {
            sf_field_put(&f, 0, values);
            status = sf_action_source(c->action, s->name, &f);
            sf_field_free(fine->ctx, &f);
        }
        sfi_free(fine->ctx, values, n, sizeof *values);
        SFI_TRY(status);
    }
    return SF_OK;
}

/* ---- making ------------------------------------------------------------------------------- */

static sf_status fill(sfi_coarser *c, const bool *halve)
{
    const sf_action *fine = c->fine;
    sf_axis axes[SF_MAX_AXES];
    for (int k = 0; k < fine->rank; k++)
        SFI_TRY(make_axis(c, k, halve[k], &axes[k]));
    const sf_grid_options o = sfi_grid_options(fine->grid);
    SFI_TRY(sf_grid_new(fine->ctx, &c->grid, fine->rank, axes, &o));
    SFI_TRY(sf_action_new(fine->ctx, &c->action, c->grid, fine->text,
                          fine->kind, fine->unknowns,
                          (const char *const *)fine->names));
    for (int k = 0; k < fine->rank; k++)
        if (halve[k]) {
            SFI_TRY(interpolation(c, k));
            SFI_TRY(transpose(fine->ctx, &c->down[k], c->action->count[k],
                              &c->up[k]));
        }
    const size_t n = (size_t)fine->points;
    for (int i = 0; i < 2; i++) {
        c->room[i] = sfi_alloc(fine->ctx, n, sizeof(double));
        if (c->room[i] == NULL)
            return SF_E_NOMEM;
    }
    c->weights =
        sfi_alloc(fine->ctx, (size_t)c->action->points, sizeof(double));
    double *ones = sfi_alloc(fine->ctx, n, sizeof *ones);
    for (size_t i = 0; i < n && ones != NULL; i++)
        ones[i] = 1.0;
    if (c->weights != NULL && ones != NULL)
        sfi_coarser_gather(c, ones, c->weights);
    sfi_free(fine->ctx, ones, n, sizeof *ones);
    if (c->weights == NULL || ones == NULL)
        return SF_E_NOMEM;
    return copy_names(c);
}

sf_status sfi_coarser_new(const sf_action *fine, const bool *halve,
                          sfi_coarser *out)
{
    *out = (sfi_coarser){.fine = fine};
    const sf_status status = fill(out, halve);
    if (status != SF_OK)
        sfi_coarser_free(out);
    return status;
}

void sfi_coarser_free(sfi_coarser *c)
{
    if (c->fine == NULL)
        return;
    sf_context *ctx = c->fine->ctx;
    for (int k = 0; k < c->fine->rank; k++) {
        const size_t n = (size_t)half_of(c->fine, k);
        free_map(ctx, &c->down[k]);
        free_map(ctx, &c->up[k]);
        sfi_free(ctx, c->coords[k], n, sizeof(double));
        sfi_free(ctx, c->edges[k], n + 1, sizeof(double));
    }
    for (int i = 0; i < 2; i++)
        sfi_free(ctx, c->room[i], (size_t)c->fine->points, sizeof(double));
    if (c->action != NULL)
        sfi_free(ctx, c->weights, (size_t)c->action->points, sizeof(double));
    sf_action_free(c->action);
    sf_grid_free(c->grid);
    memset(c, 0, sizeof *c);
}
