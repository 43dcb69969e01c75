/* SPDX-License-Identifier: Apache-2.0 */
/* leave_one_out.c - what is left of a sum over data when one of them is left out.
 *
 * With one time for all rows that is a sum without a term.  With a time for each, a row
 * that is left out is also no neighbour of others, so that some of the other terms
 * have another time, too: their old values are taken out of the sum and the new ones
 * put in, or the sum is made again where little would be left of it.
 *
 * A floor, if its weight is to be found, has the best one for every h. */
#include "fit/leave_one_out.h"

#include "base/random.h"
#include "num/equal_rows.h"

#include <math.h>
#include <string.h>

enum { WANTED_PAIRS = 10000000, LEAST_ROWS = 200 };

/* Of a sum less than this is not what is left, but a new sum.  At a time of 1e-5 the
 * mixture's squares of x/t, and so its ln p, are off by 1e-5. */
static const double least_share = 0.05;

/* ---- distinct rows ------------------------------------------------------------ */

/* s->of from "first row that it is a copy of" to places among distinct rows. */
static void take_distinct(sfi_left_out *s)
{
    const sfi_empirical e = sfi_empirical_of(s->m);
    int64_t n = 0;
    for (int64_t i = 0; i < s->all; i++) {
        const double w = e.log_weights != NULL ? exp(e.log_weights[i]) : 1.0;
        if (s->of[i] != i) { /* its first row came before */
            s->of[i] = s->of[s->of[i]];
            s->log_weights[s->of[i]] += w;
            continue;
        }
        double *x = s->x + n * s->columns;
        memcpy(x, e.data.data + i * s->columns, (size_t)s->columns * sizeof *x);
        sfi_noise_to_chart(&s->m->noise, (sfi_units){0}, x, s->y + n * s->d);
        s->log_weights[n] = w;
        s->of[i] = n++;
    }
    for (int64_t i = 0; i < n; i++) {
        s->mass += s->log_weights[i];
        s->log_weights[i] = log(s->log_weights[i]);
    }
}

/* ---- a time for each row --------------------------------------------------------- */

/* What the rows weigh that are not left out with row r of those. */
static double others_mass(const sfi_left_out *s, int64_t r)
{
    return s->mass - exp(s->log_weights[s->left_out[r]]);
}

static double row_time(double h, double distance)
{
    return fmin(fmax(h * distance, SFI_LEAST_TIME), 1.0);
}

/* Each row's distance to neighbour K, over their geometric mean; and what changes
 * where a row is left out that is among the K of another: that one's distance is
 * then to neighbour K + 1. */
sf_status sfi_left_out_distances(sfi_left_out *s, int64_t k)
{
    const sfi_neighbours *near = &s->near;
    double sum = 0.0;
    int64_t changes = 0;
    for (int64_t i = 0; i < s->n; i++) {
        s->distance[i] =
            sqrt(fmax(near->square[i * near->most + k - 1], 1e-300));
        sum += log(s->distance[i]);
    }
    const double mean = exp(sum / (double)s->n);
    for (int64_t i = 0; i < s->n; i++) {
        const double next =
            sqrt(fmax(near->square[i * near->most + k], 1e-300));
        s->distance[i] /= mean;
        for (int64_t j = 0; j < k; j++) {
            const int64_t place = s->place[near->row[i * near->most + j]];
            if (place < 0)
                continue;
            if (!(changes < s->change_room))
                return SFI_FAIL(s->ctx, SF_E_INTERNAL,
                                "empirical: more neighbours than there are");
            s->change_point[changes] = place;
            s->change_datum[changes] = i;
            s->change_distance[changes++] = next / mean;
        }
    }
    s->changes = changes;
    return SF_OK;
}

/* ln p of the kernels of n data at points, for a time each. */
static sf_status pair_terms(sfi_left_out *s, int64_t n, const int64_t *point,
                            const int64_t *datum, const double *time,
                            double *out)
{
    const sf_source sources[] = {
        {.kind = SF_ROWS,
         .data = s->points,
         .dtype = SF_F64,
         .stride = s->d,
         .rows = point},
        {.kind = SF_ROWS,
         .data = s->x,
         .dtype = SF_F64,
         .stride = s->columns,
         .rows = datum},
        {.kind = SF_ROWS, .data = time, .dtype = SF_F64, .stride = 1}};
    const sf_sink sink = {out, SF_F64, 1};
    return sf_program_run(s->pair, n, sources, NULL, &sink);
}

/* For both times of every change: first the old ones, then the new. */
static sf_status change_terms(sfi_left_out *s, double h)
{
    const int64_t c = s->changes;
    for (int64_t k = 0; k < c; k++) {
        s->change_time[k] = s->times[s->change_datum[k]];
        s->change_time[c + k] = row_time(h, s->change_distance[k]);
        s->change_point[c + k] = s->change_point[k];
        s->change_datum[c + k] = s->change_datum[k];
    }
    return pair_terms(s, 2 * c, s->change_point, s->change_datum,
                      s->change_time, s->change_term);
}

/* ln p of left-out row r under all others, each with the time that it has without
 * the row: term by term. */
static sf_status sum_again(sfi_left_out *s, int64_t r, double h)
{
    const int64_t n = s->n;
    for (int64_t i = 0; i < n; i++) {
        s->again_point[i] = r;
        s->again_datum[i] = i;
        s->again_time[i] = s->times[i];
    }
    for (int64_t k = 0; k < s->changes; k++)
        if (s->change_point[k] == r)
            s->again_time[s->change_datum[k]] =
                row_time(h, s->change_distance[k]);
    SFI_TRY(pair_terms(s, n, s->again_point, s->again_datum, s->again_time,
                       s->again_term));
    double top = -INFINITY, sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        s->again_term[i] += s->log_weights[i];
        if (i != s->left_out[r])
            top = fmax(top, s->again_term[i]);
    }
    for (int64_t i = 0; i < n && isfinite(top); i++)
        if (i != s->left_out[r])
            sum += exp(s->again_term[i] - top);
    s->logp[r] = isfinite(top) ? top + log(sum / others_mass(s, r)) : top;
    return SF_OK;
}

/* The old terms out of the sums, and the new ones in, as shares of the old sum.
 * A share may be beyond the range of doubles: all are over the largest new one, if
 * that is above 1.  Where little is left of a sum, its digits went with what was
 * taken out, and it is made again. */
static sf_status change_likelihoods(sfi_left_out *s, double h)
{
    if (s->changes == 0)
        return SF_OK;
    SFI_TRY(change_terms(s, h));
    const int64_t c = s->changes;
    for (int64_t r = 0; r < s->rows; r++) {
        s->top[r] = 0.0;
        s->share[r] = 0.0;
    }
    for (int64_t k = 0; k < 2 * c; k++) {
        const int64_t r = s->change_point[k];
        s->change_term[k] += s->log_weights[s->change_datum[k]] -
                             log(others_mass(s, r)) - s->logp[r];
        if (k >= c)
            s->top[r] = fmax(s->top[r], s->change_term[k]);
    }
    for (int64_t k = 0; k < 2 * c; k++) {
        const int64_t r = s->change_point[k];
        const double share = exp(s->change_term[k] - s->top[r]);
        s->share[r] += k < c ? -share : share;
    }
    for (int64_t r = 0; r < s->rows; r++) {
        const double left = exp(-s->top[r]) + s->share[r];
        if (left >= least_share)
            s->logp[r] += s->top[r] + log(left);
        else
            SFI_TRY(sum_again(s, r, h));
    }
    return SF_OK;
}

/* ---- the likelihood ------------------------------------------------------------ */

static sf_status open_mixture(sfi_left_out *s, const double *least)
{
    const sfi_mixture_options options = {.log_weights = s->log_weights,
                                         .least = least,
                                         .least_all = SFI_LEAST_TIME,
                                         .how = SFI_VELOCITY_TRAINING};
    return sfi_mixture_new(s->ctx, &s->mixture, &s->m->noise,
                           (sf_cmat){s->x, s->n, s->columns, s->columns},
                           &options);
}

/* ln((1 - e) p + e q) from the logarithms of p and q. */
static double log_mixed(double p, double q, double e)
{
    const double a = log1p(-e) + p, b = log(e) + q;
    return fmax(a, b) + log1p(exp(-fabs(a - b)));
}

/* The weight e of a floor, at most 0.5, that maximises the mean of
 * ln((1 - e) p + e q): concave in e, whose slope is the mean of (q - p)/(...). */
static double best_floor(const sfi_left_out *s)
{
    double low = 0.0, high = 0.5;
    for (int pass = 0; pass < 40; pass++) {
        const double e = pass == 0 ? 0.0 : 0.5 * (low + high);
        double slope = 0.0;
        for (int64_t r = 0; r < s->rows; r++) {
            const double gap = s->logp[r] - s->log_floor[r]; /* ln p/q */
            const double less = exp(-fabs(gap));
            const double part = gap > 0.0
                                    ? (less - 1.0) / (1.0 - e + e * less)
                                    : (1.0 - less) / ((1.0 - e) * less + e);
            slope += exp(s->log_weights[s->left_out[r]]) * part;
        }
        if (!(slope > 0.0))
            high = e;
        else
            low = e;
    }
    return high > 0.0 ? 0.5 * (low + high) : 0.0;
}

/* ln p of the rows that are left out, at h; with a time for each row, h times its
 * distance. */
static sf_status log_densities(sfi_left_out *s, double h)
{
    const sfi_mixture_want want = {.logp = s->logp, .without = s->left_out};
    const sf_progress p = {.stage = "leave-one-out",
                           .step = ++s->evaluations,
                           .loss = NAN,
                           .held_out = NAN};
    if (!sfi_progress(s->ctx, &p, false))
        return SFI_FAIL(s->ctx, SF_E_CANCELLED, "empirical: stopped");
    if (s->distance != NULL) {
        for (int64_t i = 0; i < s->n; i++)
            s->times[i] = row_time(h, s->distance[i]);
        sfi_mixture_rest(s->mixture, s->times);
    }
    SFI_TRY(sfi_mixture_run(s->mixture,
                            (sf_cmat){s->points, s->rows, s->d, s->d},
                            s->distance != NULL ? 0.0 : h, &want));
    return s->distance != NULL ? change_likelihoods(s, h) : SF_OK;
}

/* Mean and standard error of the rows that are left out, as a density of the data:
 * what the chart does to it differs from row to row. */
sf_status sfi_left_out_likelihood(sfi_left_out *s, double h,
                                  sfi_left_out_result *out)
{
    SFI_TRY(log_densities(s, h));
    *out = (sfi_left_out_result){
        .h = h, .floor = s->floor < 0.0 ? best_floor(s) : s->floor};
    double weight = 0.0, squares = 0.0, sum = 0.0, parts = 0.0;
    for (int64_t r = 0; r < s->rows; r++) {
        const double w = exp(s->log_weights[s->left_out[r]]);
        if (out->floor > 0.0)
            s->logp[r] = log_mixed(s->logp[r], s->log_floor[r], out->floor);
        s->logp[r] -= s->volume[r];
        weight += w;
        sum += w * s->logp[r];
    }
    out->mean = sum / weight;
    for (int64_t r = 0; r < s->rows; r++) {
        const double w = exp(s->log_weights[s->left_out[r]]) / weight;
        squares += w * (s->logp[r] - out->mean) * (s->logp[r] - out->mean);
        parts += w * w;
    }
    out->se = sqrt(squares * parts);
    return SF_OK;
}

/* ---- making ---------------------------------------------------------------------- */

static sf_status compile_pair(sfi_left_out *s)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(s->ctx, &g));
    const sf_node y = sf_input(g, "y", 1, &s->d);
    const sf_node x0 = sf_input(g, "x0", 1, &s->columns);
    const sf_node t = sf_input(g, "t", 0, NULL);
    const sf_output out = {sfi_noise_logp(&s->m->noise, g, y, x0, t), SF_EACH};
    const sf_status status =
        sf_program_new(s->ctx, &s->pair, g, SF_F64, 1, &out);
    sf_graph_free(g);
    return status;
}

/* Room for as many changes as there can be with `most` neighbours. */
static sf_status make_room(sfi_left_out *s, int64_t most)
{
    sf_context *ctx = s->ctx;
    const size_t n = (size_t)s->n;
    s->change_room = s->n * most;
    const size_t room = 2 * (size_t)s->change_room;
    s->distance = sfi_alloc(ctx, n, sizeof *s->distance);
    s->place = sfi_alloc(ctx, n, sizeof *s->place);
    s->top = sfi_alloc(ctx, (size_t)s->rows, sizeof *s->top);
    s->share = sfi_alloc(ctx, (size_t)s->rows, sizeof *s->share);
    s->again_point = sfi_alloc(ctx, n, sizeof *s->again_point);
    s->again_datum = sfi_alloc(ctx, n, sizeof *s->again_datum);
    s->again_time = sfi_alloc(ctx, n, sizeof *s->again_time);
    s->again_term = sfi_alloc(ctx, n, sizeof *s->again_term);
    s->change_point = sfi_alloc(ctx, room, sizeof *s->change_point);
    s->change_datum = sfi_alloc(ctx, room, sizeof *s->change_datum);
    s->change_distance = sfi_alloc(ctx, room, sizeof *s->change_distance);
    s->change_time = sfi_alloc(ctx, room, sizeof *s->change_time);
    s->change_term = sfi_alloc(ctx, room, sizeof *s->change_term);
    if (s->distance == NULL || s->place == NULL || s->top == NULL ||
        s->share == NULL || s->again_point == NULL || s->again_datum == NULL ||
        s->again_time == NULL || s->again_term == NULL ||
        s->change_point == NULL || s->change_datum == NULL ||
        s->change_distance == NULL || s->change_time == NULL ||
        s->change_term == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < s->n; i++) {
        s->place[i] = -1;
        s->times[i] = 1.0;
    }
    for (int64_t r = 0; r < s->rows; r++)
        s->place[s->left_out[r]] = r;
    return SF_OK;
}

/* The law at t = 1, of any datum. */
static sf_status find_floor(sfi_left_out *s)
{
    const size_t rows = (size_t)s->rows;
    double *ones = sfi_alloc(s->ctx, rows, sizeof *ones);
    int64_t *any = sfi_alloc_zero(s->ctx, rows, sizeof *any);
    s->log_floor = sfi_alloc(s->ctx, rows, sizeof *s->log_floor);
    sf_status status = ones != NULL && any != NULL && s->log_floor != NULL
                           ? SF_OK
                           : SF_E_NOMEM;
    if (status == SF_OK) {
        for (size_t r = 0; r < rows; r++)
            ones[r] = 1.0;
        const sf_source sources[] = {
            {.kind = SF_ROWS,
             .data = s->points,
             .dtype = SF_F64,
             .stride = s->d},
            {.kind = SF_ROWS,
             .data = s->x,
             .dtype = SF_F64,
             .stride = s->columns,
             .rows = any},
            {.kind = SF_ROWS, .data = ones, .dtype = SF_F64, .stride = 1}};
        const sf_sink sink = {s->log_floor, SF_F64, 1};
        status = sf_program_run(s->pair, s->rows, sources, NULL, &sink);
    }
    sfi_free(s->ctx, any, rows, sizeof *any);
    sfi_free(s->ctx, ones, rows, sizeof *ones);
    return status;
}

/* The rows that are left out: all, or the first of a shuffle. */
static sf_status take_left_out(sfi_left_out *s, int64_t wanted, uint64_t seed)
{
    int64_t *order = sfi_alloc(s->ctx, (size_t)s->n, sizeof *order);
    if (order == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < s->n; i++)
        order[i] = i;
    if (wanted == 0)
        wanted =
            WANTED_PAIRS / s->n > LEAST_ROWS ? WANTED_PAIRS / s->n : LEAST_ROWS;
    s->rows = wanted < s->n ? wanted : s->n;
    if (s->rows < s->n)
        sfi_shuffle(seed, 0, order, s->n);
    s->left_out = sfi_alloc(s->ctx, (size_t)s->rows, sizeof *s->left_out);
    s->points = sfi_alloc(s->ctx, (size_t)(s->rows * s->d), sizeof *s->points);
    s->volume = sfi_alloc(s->ctx, (size_t)s->rows, sizeof *s->volume);
    s->logp = sfi_alloc(s->ctx, (size_t)s->rows, sizeof *s->logp);
    const bool enough = s->left_out != NULL && s->points != NULL &&
                        s->volume != NULL && s->logp != NULL;
    for (int64_t i = 0; i < s->rows && enough; i++) {
        s->left_out[i] = order[i];
        memcpy(s->points + i * s->d, s->y + order[i] * s->d,
               (size_t)s->d * sizeof *s->points);
        s->volume[i] = sfi_log_volume(s->m, s->points + i * s->d);
    }
    sfi_free(s->ctx, order, (size_t)s->n, sizeof *order);
    return enough ? SF_OK : SF_E_NOMEM;
}

static sf_status open_rows(sfi_left_out *s, int64_t wanted, uint64_t seed)
{
    const sf_cmat data = sfi_empirical_of(s->m).data;
    /* The probability of a copy is bounded, its density is not. */
    if (sfi_noise_find(&s->m->noise, false) >= 0)
        SFI_TRY(sfi_find_copies(s->ctx, 1, &data, s->of, &s->copies));
    else
        for (int64_t i = 0; i < s->all; i++)
            s->of[i] = i;
    s->n = s->all - s->copies;
    if (s->n < 2)
        return SFI_FAIL(s->ctx, SF_E_ARG,
                        "empirical: all rows are copies of one; give a "
                        "bandwidth");
    take_distinct(s);
    SFI_TRY(take_left_out(s, wanted, seed));
    SFI_TRY(compile_pair(s));
    return s->floor != 0.0 ? find_floor(s) : SF_OK;
}

sf_status sfi_left_out_open(sfi_left_out *s, const sf_model *m, int64_t wanted,
                            uint64_t seed, double floor)
{
    sf_context *ctx = m->ctx;
    const int64_t all = sfi_empirical_of(m).data.rows;
    const size_t count = (size_t)all;
    *s = (sfi_left_out){.ctx = ctx,
                        .m = m,
                        .columns = m->dim,
                        .d = m->inner,
                        .all = all,
                        .floor = floor};
    s->x = sfi_alloc(ctx, (size_t)(all * m->dim), sizeof *s->x);
    s->y = sfi_alloc(ctx, (size_t)(all * m->inner), sizeof *s->y);
    s->log_weights = sfi_alloc(ctx, count, sizeof *s->log_weights);
    s->times = sfi_alloc(ctx, count, sizeof *s->times);
    s->of = sfi_alloc(ctx, count, sizeof *s->of);
    return s->x != NULL && s->y != NULL && s->log_weights != NULL &&
                   s->times != NULL && s->of != NULL
               ? open_rows(s, wanted, seed)
               : SF_E_NOMEM;
}

sf_status sfi_left_out_alike(sfi_left_out *s)
{
    return open_mixture(s, NULL);
}

sf_status sfi_left_out_each(sfi_left_out *s, int64_t most)
{
    SFI_TRY(make_room(s, most));
    SFI_TRY(sfi_neighbours_find(s->m, &s->near,
                                (sf_cmat){s->y, s->n, s->d, s->d}, most + 1));
    return open_mixture(s, s->times);
}

void sfi_left_out_close(sfi_left_out *s)
{
    sf_context *ctx = s->ctx;
    const size_t count = (size_t)s->all;
    const size_t cells = (size_t)(s->all * s->columns),
                 inner = (size_t)(s->all * s->d);
    const size_t room = 2 * (size_t)s->change_room;
    sfi_mixture_free(s->mixture);
    sf_program_free(s->pair);
    sfi_neighbours_free(ctx, &s->near);
    sfi_free(ctx, s->change_term, room, sizeof *s->change_term);
    sfi_free(ctx, s->change_time, room, sizeof *s->change_time);
    sfi_free(ctx, s->change_distance, room, sizeof *s->change_distance);
    sfi_free(ctx, s->change_datum, room, sizeof *s->change_datum);
    sfi_free(ctx, s->change_point, room, sizeof *s->change_point);
    sfi_free(ctx, s->again_term, (size_t)s->n, sizeof *s->again_term);
    sfi_free(ctx, s->again_time, (size_t)s->n, sizeof *s->again_time);
    sfi_free(ctx, s->again_datum, (size_t)s->n, sizeof *s->again_datum);
    sfi_free(ctx, s->again_point, (size_t)s->n, sizeof *s->again_point);
    sfi_free(ctx, s->share, (size_t)s->rows, sizeof *s->share);
    sfi_free(ctx, s->top, (size_t)s->rows, sizeof *s->top);
    sfi_free(ctx, s->place, (size_t)s->n, sizeof *s->place);
    sfi_free(ctx, s->distance, (size_t)s->n, sizeof *s->distance);
    sfi_free(ctx, s->log_floor, (size_t)s->rows, sizeof *s->log_floor);
    sfi_free(ctx, s->logp, (size_t)s->rows, sizeof *s->logp);
    sfi_free(ctx, s->volume, (size_t)s->rows, sizeof *s->volume);
    sfi_free(ctx, s->points, (size_t)(s->rows * s->d), sizeof *s->points);
    sfi_free(ctx, s->left_out, (size_t)s->rows, sizeof *s->left_out);
    sfi_free(ctx, s->of, count, sizeof *s->of);
    sfi_free(ctx, s->times, count, sizeof *s->times);
    sfi_free(ctx, s->log_weights, count, sizeof *s->log_weights);
    sfi_free(ctx, s->y, inner, sizeof *s->y);
    sfi_free(ctx, s->x, cells, sizeof *s->x);
}
