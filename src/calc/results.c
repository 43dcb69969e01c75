/* SPDX-License-Identifier: Apache-2.0 */
/* results.c - the values of the outputs: those on the same axes in one pass. */
#include "calc/calculation.h"

#include "base/parallel.h"
#include "num/loops.h"

#include <math.h>
#include <string.h>

/* The outputs of one pass. */
typedef struct delivery {
    sfi_calc *c;
    unsigned mask;
    int count;
    int output[SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS];
    int component[SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS];
    sf_node node[SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS];
    int field[SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS];
    sf_field *fields; /* of all components of all outputs, or NULL */
    bool wants_stats;
    sfi_result_fn put;
    void *user;
    double *packed;
    size_t packed_count;
    double *sums; /* [2 count]: of weights times values, of weights */
} delivery;

static void tally_begin(sfi_tally *t)
{
    memset(t, 0, sizeof *t);
    for (int k = 0; k < SFI_TALLY_LANES; k++) {
        t->low[k] = INFINITY;
        t->high[k] = -INFINITY;
    }
}

/* Add them up, to what slabs before had. */
static void tally_end(const sfi_tally *t, int64_t count, sf_field_stats *s,
                      double *sums)
{
    double there = 0.0;
    const bool is_first = s->count == s->missing;
    double low = is_first ? INFINITY : s->min;
    double high = is_first ? -INFINITY : s->max;
    for (int k = 0; k < SFI_TALLY_LANES; k++) {
        low = t->low[k] < low ? t->low[k] : low;
        high = t->high[k] > high ? t->high[k] : high;
        sums[0] += t->sum[k];
        sums[1] += t->weight[k];
        there += t->there[k];
    }
    s->min = low;
    s->max = high;
    s->count += count;
    s->missing += count - (int64_t)there;
}

/* ---- rows of a box ---------------------------------------------------------------- */

/* Rows are taken in ranges, by threads; each range has a tally of its own. */
enum { PART_POINTS = 1 << 15 };

typedef struct rows {
    const delivery *d;
    const int64_t *first, *count;
    const sfi_slab *values;
    sfi_tally *parts;
    double *to; /* copy them there, dense; or NULL */
} rows;

static void note_rows(void *user, int64_t part, int64_t from, int64_t count)
{
    const rows *b = user;
    const sfi_calc *c = b->d->c;
    const sfi_loops *loops = sfi_loops_for(SF_F64);
    const int last = sf_grid_rank(c->grid) - 1;
    const int64_t n = b->count[last], step = b->values->step[last];
    const double *edge =
        b->d->mask >> last & 1u ? sf_grid_weights(c->grid, last) : NULL;
    tally_begin(&b->parts[part]);
    for (int64_t row = from; row < from + count; row++) {
        int64_t at[SF_MAX_AXES] = {0}, rest = row;
        double w = 1.0;
        at[last] = b->first[last];
        for (int k = last - 1; k >= 0; k--) {
            at[k] = b->first[k] + rest % b->count[k];
            rest /= b->count[k];
        }
        for (int k = 0; k < last; k++)
            if (b->d->mask >> k & 1u)
                w *= sfi_axis_weight(c, k, at[k]);
        const double *f = sfi_slab_at(b->values, at);
        if (b->to != NULL) {
            double *to = b->to + row * n;
            if (step == 1)
                memcpy(to, f, (size_t)n * sizeof *to);
            for (int64_t i = 0; step != 1 && i < n; i++)
                to[i] = f[i * step];
            f = to;
        }
        loops->tally(&b->parts[part], f, n, w,
                     edge != NULL ? edge + b->first[last] : NULL);
    }
}

/* Note what the values of a box are, and copy them to `to` if that is not NULL; values in
 * a field's rows are read where they lie. */
static sf_status take_rows(delivery *d, int r, const int64_t *first,
                           const int64_t *count, const sfi_slab *values,
                           double *to)
{
    sf_context *ctx = d->c->ctx;
    const int last = sf_grid_rank(d->c->grid) - 1;
    int64_t row_count = 1;
    for (int k = 0; k < last; k++)
        row_count *= count[k];
    int64_t chunk = count[last] > 0 ? PART_POINTS / count[last] : 1;
    chunk = chunk < 1 ? 1 : chunk;
    const size_t part_count = (size_t)sfi_parallel_parts(row_count, chunk);
    sfi_tally *parts = sfi_alloc(ctx, part_count, sizeof *parts);
    if (parts == NULL)
        return SF_E_NOMEM;
    rows b = {d, first, count, values, parts, to};
    sfi_parallel(ctx, row_count, chunk, note_rows, &b);
    sf_field_stats *s = &d->c->outputs[d->output[r]].stats[d->component[r]];
    for (size_t i = 0; i < part_count; i++) {
        const int64_t left = row_count - (int64_t)i * chunk;
        tally_end(&parts[i], sfi_smaller(chunk, left) * count[last], s,
                  d->sums + 2 * r);
    }
    sfi_free(ctx, parts, part_count, sizeof *parts);
    return SF_OK;
}

/* The planes of the box on other latitudes and longitudes. */
static sf_status deliver_regridded(delivery *d, int r, const int64_t *first,
                                   const int64_t *count, const sfi_slab *values)
{
    const sfi_calc *c = d->c;
    const sfi_calc_output *o = &c->outputs[d->output[r]];
    sf_field_stats *s = &d->c->outputs[d->output[r]].stats[d->component[r]];
    const int rank = sf_grid_rank(c->grid);
    const int lat = sf_grid_find_role(c->grid, SF_ROLE_LAT);
    const int lon = sf_grid_find_role(c->grid, SF_ROLE_LON);
    int64_t extent[SF_MAX_AXES], step[SF_MAX_AXES] = {0};
    int64_t own_first[SF_MAX_AXES] = {0}, own_count[SF_MAX_AXES] = {0};
    int64_t points = 1;
    int n = 0;
    for (int k = rank - 1; k >= 0; k--) {
        const sf_axis *other = sfi_regrid_axis(o->regrid, k);
        extent[k] = other != NULL ? other->count : count[k];
        step[k] = points;
        points *= extent[k];
    }
    for (int k = 0; k < rank; k++)
        if (d->mask >> k & 1u) {
            own_first[n] = k == lat || k == lon ? 0 : first[k];
            own_count[n++] = extent[k];
        }
    double *out = sfi_alloc(c->ctx, (size_t)points, sizeof *out);
    if (out == NULL)
        return SF_E_NOMEM;
    int64_t index[SF_MAX_AXES] = {0};
    for (bool more = true; more;) {
        int64_t from[SF_MAX_AXES] = {0}, to = 0;
        for (int k = 0; k < rank; k++) {
            from[k] = first[k] + index[k];
            to += index[k] * step[k];
        }
        sfi_regrid_plane(o->regrid, sfi_slab_at(values, from),
                         values->step[lat], values->step[lon], out + to,
                         step[lat], step[lon]);
        more = false;
        for (int k = rank - 1; k >= 0 && !more; k--) {
            if (k == lat || k == lon)
                continue;
            more = ++index[k] < count[k];
            if (!more)
                index[k] = 0;
        }
    }
    sfi_tally t;
    tally_begin(&t);
    const int64_t run = step[lat] > 0 ? step[lat] : 1;
    for (int64_t i = 0; i < points; i += run) {
        const double w = cos(sfi_regrid_axis(o->regrid, lat)
                                 ->coords[i / step[lat] % extent[lat]] *
                             3.14159265358979323846 / 180.0);
        sfi_loops_for(SF_F64)->tally(&t, out + i, run, w, NULL);
    }
    tally_end(&t, points, s, d->sums + 2 * r);
    const sf_status status = d->put(d->user, d->output[r], d->component[r],
                                    own_first, own_count, out);
    sfi_free(c->ctx, out, (size_t)points, sizeof *out);
    return status;
}

/* Whether the values of a box lie row-major without gaps. */
static bool is_dense(const sfi_slab *s, const sfi_calc *c, const int64_t *count)
{
    int64_t step = 1;
    bool dense = true;
    for (int k = sf_grid_rank(c->grid) - 1; k >= 0; k--) {
        dense = dense && (count[k] == 1 || s->step[k] == step);
        step *= count[k];
    }
    return dense;
}

static sf_status deliver(void *user, const int64_t *first, const int64_t *count,
                         const sfi_slab *values)
{
    delivery *d = user;
    sf_context *ctx = d->c->ctx;
    size_t points = 1;
    int64_t own_first[SF_MAX_AXES] = {0}, own_count[SF_MAX_AXES] = {0};
    int n = 0;
    for (int k = 0; k < sf_grid_rank(d->c->grid); k++) {
        points *= (size_t)count[k];
        if (d->mask >> k & 1u) {
            own_first[n] = first[k];
            own_count[n++] = count[k];
        }
    }
    if (!is_dense(&values[0], d->c, count) && points > d->packed_count) {
        sfi_free(ctx, d->packed, d->packed_count, sizeof *d->packed);
        d->packed_count = 0;
        d->packed = sfi_alloc(ctx, points, sizeof *d->packed);
        if (d->packed == NULL)
            return SF_E_NOMEM;
        d->packed_count = points;
    }
    for (int r = 0; r < d->count; r++) {
        const sfi_calc_output *o = &d->c->outputs[d->output[r]];
        if (o->regrid != NULL) {
            SFI_TRY(deliver_regridded(d, r, first, count, &values[r]));
            continue;
        }
        const bool dense = is_dense(&values[r], d->c, count);
        SFI_TRY(take_rows(d, r, first, count, &values[r],
                          dense ? NULL : d->packed));
        SFI_TRY(d->put(d->user, d->output[r], d->component[r], own_first,
                       own_count,
                       dense ? sfi_slab_at(&values[r], first) : d->packed));
    }
    return SF_OK;
}

static void collect(delivery *d, unsigned mask)
{
    int field = 0;
    d->mask = mask;
    d->count = 0;
    for (int i = 0; i < d->c->output_count; i++)
        for (int k = 0; k < d->c->outputs[i].components; k++, field++) {
            if (d->c->outputs[i].mask != mask)
                continue;
            d->output[d->count] = i;
            d->component[d->count] = k;
            d->field[d->count] = field;
            d->node[d->count++] = d->c->outputs[i].node[k];
        }
}

/* Whether values may go where they are wanted, without being seen in between. */
static bool goes_straight(const delivery *d)
{
    bool straight = d->fields != NULL && d->mask != 0;
    for (int r = 0; r < d->count; r++)
        straight = straight && d->c->outputs[d->output[r]].regrid == NULL;
    return straight;
}

static sf_status run_straight(delivery *d)
{
    enum { MOST = SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS };
    sfi_slab targets[MOST];
    int64_t first[SF_MAX_AXES] = {0}, count[SF_MAX_AXES] = {0};
    int map[SF_MAX_AXES] = {0}, rank = 0;
    for (int k = 0; k < sf_grid_rank(d->c->grid); k++) {
        const bool is_there = d->mask >> k & 1u;
        count[k] = is_there ? sf_grid_axis(d->c->grid, k)->count : 1;
        if (is_there)
            map[rank++] = k;
    }
    for (int r = 0; r < d->count; r++)
        targets[r] = sfi_slab_lent(&d->fields[d->field[r]], map);
    SFI_TRY(sfi_pass(d->c, d->count, d->node, d->mask, targets, NULL, NULL));
    for (int r = 0; r < d->count && d->wants_stats; r++)
        SFI_TRY(take_rows(d, r, first, count, &targets[r], NULL));
    return SF_OK;
}

static sf_status run_mask(delivery *d, unsigned mask)
{
    sf_context *ctx = d->c->ctx;
    collect(d, mask);
    const size_t sums = 2 * (size_t)d->count;
    d->sums = sfi_alloc_zero(ctx, sums, sizeof *d->sums);
    if (d->sums == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        goes_straight(d)
            ? run_straight(d)
            : sfi_pass(d->c, d->count, d->node, mask, NULL, deliver, d);
    for (int r = 0; r < d->count; r++) {
        sf_field_stats *s = &d->c->outputs[d->output[r]].stats[d->component[r]];
        s->mean = d->sums[2 * r] / d->sums[2 * r + 1];
        if (s->missing == s->count)
            s->min = s->max = s->mean = NAN;
    }
    sfi_free(ctx, d->sums, sums, sizeof *d->sums);
    return status;
}

sf_status sfi_calc_results(sfi_calc *c, sf_field *fields, bool wants_stats,
                           sfi_result_fn put, void *user)
{
    delivery d = {.c = c,
                  .fields = fields,
                  .wants_stats = wants_stats,
                  .put = put,
                  .user = user};
    sf_status status = SF_OK;
    for (int i = 0; i < c->output_count && status == SF_OK; i++)
        for (int k = 0; k < c->outputs[i].components && status == SF_OK; k++)
            status = sfi_calc_stages(c, c->outputs[i].node[k]);
    for (int i = 0; i < c->output_count && status == SF_OK; i++) {
        bool is_first = true;
        for (int j = 0; j < i; j++)
            is_first &= c->outputs[j].mask != c->outputs[i].mask;
        if (is_first)
            status = run_mask(&d, c->outputs[i].mask);
    }
    sfi_free(c->ctx, d.packed, d.packed_count, sizeof *d.packed);
    return status;
}
