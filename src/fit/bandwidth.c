/* SPDX-License-Identifier: Apache-2.0 */
/* bandwidth.c - the least noise that maximises the leave-one-out likelihood.
 *
 * The mean log density of rows under all others is a smooth function of ln t with
 * one maximum that matters: too little noise and no row explains another, too
 * much and all are smeared.  It is bracketed by halving t from 1 on, then found
 * by golden section.
 *
 * With a time for each row, t_i = h rho_i / (their geometric mean), rho_i being
 * the distance to the K-th neighbour in the chart, in units of the noise; h is
 * found for several K.  A row that is left out is also no neighbour of others:
 * else rho_i would know where it is, and a small K would look better than it is. */
#include "fit/bandwidth.h"

#include "fit/leave_one_out.h"
#include "fit/left_out_cells.h"
#include "num/equal_rows.h"

#include <math.h>

enum { HALVINGS = 20, SECTIONS = 14 };

/* K that are tried, of neighbours. */
static const int64_t neighbour_counts[] = {2, 3, 4, 6, 8, 12, 16, 32, 64};

sf_status sfi_count_copies(const sf_model *m, int64_t *copies)
{
    const sf_cmat data = sfi_empirical_of(m).data;
    const size_t n = (size_t)data.rows;
    int64_t *first = sfi_alloc(m->ctx, n, sizeof *first);
    const sf_status status =
        first != NULL ? sfi_find_copies(m->ctx, 1, &data, first, copies)
                      : SF_E_NOMEM;
    sfi_free(m->ctx, first, n, sizeof *first);
    return status;
}

/* Mean and standard error of the rows' log densities at h. */
typedef sf_status likelihood(void *user, double h, sfi_left_out_result *out);

static sf_status of_rows(void *user, double h, sfi_left_out_result *out)
{
    return sfi_left_out_likelihood(user, h, out);
}

static sf_status of_cells(void *user, double h, sfi_left_out_result *out)
{
    return sfi_left_out_cells_likelihood(user, h, out);
}

/* The h from 2^-20 to 1 where the likelihood is largest. */
static sf_status maximise(sf_context *ctx, likelihood *f, void *user,
                          sfi_left_out_result *best)
{
    sfi_left_out_result a = {.mean = -INFINITY}, b;
    double at = NAN, top = -INFINITY;
    int falling = 0;
    for (int k = 0; k <= HALVINGS && falling < 3; k++) {
        SFI_TRY(f(user, ldexp(1.0, -k), &a));
        falling = a.mean < top ? falling + 1 : 0;
        if (a.mean > top) {
            top = a.mean;
            at = (double)-k;
        }
    }
    if (isnan(at))
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "empirical: no amount of noise gives every row a "
                        "density under the others");
    const double golden = 0.61803398874989485;
    double low = at - 1.0, high = fmin(at + 1.0, 0.0);
    double here = high - golden * (high - low);
    double there = low + golden * (high - low);
    SFI_TRY(f(user, exp2(here), &a));
    SFI_TRY(f(user, exp2(there), &b));
    for (int k = 0; k < SECTIONS; k++) {
        if (a.mean >= b.mean) {
            high = there;
            there = here;
            b = a;
            here = high - golden * (high - low);
            SFI_TRY(f(user, exp2(here), &a));
        } else {
            low = here;
            here = there;
            a = b;
            there = low + golden * (high - low);
            SFI_TRY(f(user, exp2(there), &b));
        }
    }
    return f(user, exp2(0.5 * (low + high)), best);
}

static void tell(sfi_left_out_result found, sfi_bandwidth *out)
{
    out->loo = found.mean;
    out->loo_se = found.se;
    out->floor = found.floor;
}

/* ---- searches --------------------------------------------------------------- */

/* K upwards, until two have not been better than the best. */
static sf_status adapt(sfi_left_out *s, double *times, sfi_bandwidth *out)
{
    sfi_left_out_result best = {.mean = -INFINITY};
    int worse = 0;
    for (size_t k = 0; k < SFI_COUNT(neighbour_counts) && worse < 2; k++) {
        const int64_t count = neighbour_counts[k];
        sfi_left_out_result found;
        if (count >= s->near.most)
            break;
        SFI_TRY(sfi_left_out_distances(s, count));
        SFI_TRY(maximise(s->ctx, of_rows, s, &found));
        worse = found.mean > best.mean ? 0 : worse + 1;
        if (!(found.mean > best.mean))
            continue;
        best = found;
        out->neighbours = count;
        for (int64_t i = 0; i < s->all; i++)
            times[i] = s->times[s->of[i]];
    }
    tell(best, out);
    out->least = 1.0;
    out->most = 0.0;
    for (int64_t i = 0; i < s->all; i++) {
        out->least = fmin(out->least, times[i]);
        out->most = fmax(out->most, times[i]);
    }
    return SF_OK;
}

static sf_status run_adaptive(sfi_left_out *s, double *times,
                              sfi_bandwidth *out)
{
    int64_t most = neighbour_counts[0];
    for (size_t k = 0; k < SFI_COUNT(neighbour_counts); k++)
        if (4 * neighbour_counts[k] <= s->n)
            most = neighbour_counts[k];
    if (most + 1 > s->n - 1)
        return SFI_FAIL(s->ctx, SF_E_ARG,
                        "empirical: %lld distinct rows are too few for a time "
                        "for each; want at least %lld",
                        (long long)s->n, (long long)most + 2);
    SFI_TRY(sfi_left_out_each(s, most));
    return adapt(s, times, out);
}

static sf_status run_one(sfi_left_out *s, sfi_bandwidth *out)
{
    sfi_left_out_result found;
    SFI_TRY(sfi_left_out_alike(s));
    SFI_TRY(maximise(s->ctx, of_rows, s, &found));
    tell(found, out);
    out->least = out->most = fmax(found.h, SFI_LEAST_TIME);
    return SF_OK;
}

sf_status sfi_find_bandwidth(const sf_model *m, int64_t loo_rows, uint64_t seed,
                             double floor, double *times, sfi_bandwidth *out)
{
    sfi_left_out s;
    *out = (sfi_bandwidth){0};
    sf_status status = sfi_left_out_open(&s, m, loo_rows, seed, floor);
    if (status == SF_OK)
        status =
            times != NULL ? run_adaptive(&s, times, out) : run_one(&s, out);
    out->loo_rows = s.rows;
    out->copies = s.copies;
    sfi_left_out_close(&s);
    return status;
}

sf_status sfi_find_bandwidth_of_cells(const sf_model *m, int64_t loo_rows,
                                      uint64_t seed, sfi_bandwidth *out)
{
    sfi_left_out_cells s;
    sfi_left_out_result found;
    *out = (sfi_bandwidth){0};
    sf_status status = sfi_left_out_cells_open(&s, m, loo_rows, seed);
    if (status == SF_OK)
        status = maximise(m->ctx, of_cells, &s, &found);
    if (status == SF_OK) {
        tell(found, out);
        out->least = out->most = fmax(found.h, SFI_LEAST_TIME);
    }
    out->loo_rows = s.rows;
    out->copies = s.copies;
    sfi_left_out_cells_close(&s);
    return status;
}
