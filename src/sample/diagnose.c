/* SPDX-License-Identifier: Apache-2.0 */
/* diagnose.c - how far the draws of Markov chains may be trusted.
 *
 * Everything rests on mixing.h, which is told the halves of the chains: of the
 * draws, of functions of them, or of normal scores of their ranks.  The
 * effective draws for
 *
 *     the mean        come from the draws,
 *     the sd          from squared distances from the mean,
 *     a quantile q    from the indicators of draws <= q,
 *     the middle      from normal scores,
 *
 * and R-hat from the normal scores of the draws and of their distances from the
 * median.  The score of rank r among n, average ranks for ties, is the normal
 * quantile of (r - 3/8)/(n + 1/4).
 *
 * Draws are divided by a power of two and the median subtracted before anything
 * is squared, so that no size of numbers and no far centre does harm.  A column
 * of n draws is sorted twice, walked about 20 times and asked for 6 effective
 * sizes. */
#include "scorefield/diagnose.h"

#include "base/context.h"
#include "num/loops.h"
#include "num/probability.h"
#include "num/sort.h"
#include "sample/mixing.h"

#include <math.h>
#include <string.h>

enum { LEAST_DRAWS = 4, QUANTILES = 3 };

typedef struct workspace {
    const sf_draws *given;
    int64_t n;           /* draws of all chains                             */
    int64_t ranked;      /* of these, in a half: not the middle of odd ones */
    double *x;           /* [n] the draws of one number, chain by chain     */
    double *sorted;      /* [n] ascending                                   */
    double *centred;     /* [n] (x - median)/unit                           */
    double *other;       /* [n] functions of the draws                      */
    double *scratch;     /* [n]                                             */
    double *score;       /* [ranked] normal scores of ranks 1, 2, ...       */
    int64_t *slot;       /* [n] where a draw is among the halves, or -1     */
    int64_t *order;      /* [n] slots of what is sorted                     */
    int64_t *moved;      /* [n] scratch                                     */
    sfi_chains halves;   /* meaningless for fewer than LEAST_DRAWS          */
    double unit, median; /* of x                                            */
} workspace;

/* ---- halves ---- */

static void fill_slots(workspace *w)
{
    const int64_t draws = w->given->draws, half = draws / 2;
    for (int64_t p = 0; p < w->n; p++) {
        const int64_t c = p / draws, i = p % draws;
        if (i < half)
            w->slot[p] = 2 * c * half + i;
        else if (i >= draws - half)
            w->slot[p] = (2 * c + 1) * half + i - (draws - half);
        else
            w->slot[p] = -1;
    }
}

static sfi_spread split(workspace *w, const double *from)
{
    const int64_t draws = w->given->draws, half = draws / 2;
    const size_t bytes = (size_t)half * sizeof *from;
    double *to = w->halves.draws;
    for (int64_t c = 0; c < w->given->chains; c++) {
        memcpy(to + 2 * c * half, from + c * draws, bytes);
        memcpy(to + (2 * c + 1) * half, from + (c + 1) * draws - half, bytes);
    }
    return sfi_chains_centre(&w->halves);
}

static double effective(workspace *w, const double *of)
{
    const sfi_spread spread = split(w, of);
    return sfi_chains_ess(&w->halves, spread);
}

/* ---- ranks ---- */

static double normal_score(const workspace *w, double rank)
{
    return sfi_normal_quantile((rank - 0.375) / ((double)w->ranked + 0.25));
}

/* Sort `values` [n] and give the halves the normal scores of their ranks. */
static sfi_spread split_scores(workspace *w, double *values)
{
    memcpy(w->order, w->slot, (size_t)w->n * sizeof *w->order);
    sfi_sort_with(values, w->order, w->scratch, w->moved, w->n);
    int64_t rank = 0; /* what comes before */
    for (int64_t i = 0, end; i < w->n; i = end) {
        int64_t alike = 0;
        for (end = i; end < w->n && values[end] == values[i]; end++)
            alike += w->order[end] >= 0;
        const double score =
            alike == 1
                ? w->score[rank]
                : normal_score(w, (double)rank + 0.5 * (double)alike + 0.5);
        for (int64_t k = i; k < end; k++) {
            if (w->order[k] >= 0)
                w->halves.draws[w->order[k]] = score;
        }
        rank += alike;
    }
    return sfi_chains_centre(&w->halves);
}

/* ---- quantiles ---- */

/* Half the distance of the order statistics between which the quantile p lies
 * with probability Phi(1) - Phi(-1): its probability is of the beta law of
 * ess p + 1 and ess (1 - p) + 1.  The first is the last k with k/n below that
 * law's quantile Phi(-1), the second the first k with k/n above its Phi(1). */
static double quantile_error(const workspace *w, double p, double ess)
{
    if (isnan(ess))
        return NAN;
    const double a = ess * p + 1.0, b = ess * (1.0 - p) + 1.0;
    const double n = (double)w->n,
                 share[2] = {0.5 * erfc(sqrt(0.5)), 0.5 * erfc(-sqrt(0.5))};
    int64_t at[2];
    for (int side = 0; side < 2; side++) {
        int64_t below = 0, above = w->n;
        while (above - below > 1) {
            const int64_t k = below + (above - below) / 2;
            if (sfi_beta_probability(a, b, (double)k / n) <= share[side])
                below = k;
            else
                above = k;
        }
        at[side] = side == 0 ? below : above;
    }
    const double low = w->sorted[at[0] > 1 ? at[0] - 1 : 0];
    return 0.5 * w->sorted[at[1] - 1] - 0.5 * low;
}

static double effective_quantile(workspace *w, double q)
{
    for (int64_t p = 0; p < w->n; p++)
        w->other[p] = w->x[p] <= q;
    return effective(w, w->other);
}

/* ---- one number ---- */

/* Angles to within half a period of their mean direction; of draws that have none, of
 * their sum's. */
static void count_from_mean(workspace *w, double period)
{
    const double turn = 6.2831853071795865 / period;
    double x = 0.0, y = 0.0;
    for (int64_t p = 0; p < w->n; p++) {
        x += cos(turn * w->x[p]);
        y += sin(turn * w->x[p]);
    }
    const double mean = atan2(y, x) / turn;
    for (int64_t p = 0; p < w->n; p++)
        w->x[p] -= period * round((w->x[p] - mean) / period);
}

/* Copy the draws of number j; false if one is not finite. */
static bool take(workspace *w, int64_t j)
{
    const sf_draws *d = w->given;
    bool finite = true;
    for (int64_t p = 0; p < w->n; p++) {
        w->x[p] = d->data[p * d->stride + j];
        finite = finite && isfinite(w->x[p]);
    }
    if (finite && d->period != NULL && d->period[j] > 0.0)
        count_from_mean(w, d->period[j]);
    return finite;
}

static void centre(workspace *w)
{
    const double size = fmax(fabs(w->sorted[0]), fabs(w->sorted[w->n - 1]));
    int exponent = 0;
    (void)frexp(size, &exponent);
    w->unit = ldexp(1.0, exponent - 1); /* size/unit is in [1, 2), or 0 */
    const double median = w->median / w->unit;
    for (int64_t p = 0; p < w->n; p++)
        w->centred[p] = w->x[p] / w->unit - median;
}

/* The mean, the sd, and what is known of their errors. */
static void moments(workspace *w, sf_diagnosis *out, bool told)
{
    const sfi_loops *loops = w->halves.loops;
    const double n = (double)w->n;
    const double mean = loops->sum(w->centred, w->n) / n;
    for (int64_t p = 0; p < w->n; p++) {
        const double distance = w->centred[p] - mean;
        w->other[p] = distance * distance;
    }
    const double squares = loops->sum(w->other, w->n);
    const double sd = w->n > 1 ? sqrt(squares / (n - 1.0)) : NAN;
    out->mean = w->unit * (w->median / w->unit + mean);
    out->sd = w->unit * sd;
    if (!told)
        return;
    /* The variance has the variance (E4 - E2^2)/ess, its root that over 4 E2. */
    const double second = squares / n;
    const double fourth = loops->sum_squares(w->other, w->n) / n;
    const double ess = effective(w, w->other);
    const double variance = fmax(fourth - second * second, 0.0) / ess;
    out->mcse_sd = w->unit * sqrt(variance / (4.0 * second));
    out->ess_mean = effective(w, w->centred);
    out->mcse_mean = out->sd / sqrt(out->ess_mean);
}

static void ranks(workspace *w, sf_diagnosis *out)
{
    memcpy(w->sorted, w->x, (size_t)w->n * sizeof *w->x);
    const sfi_spread spread = split_scores(w, w->sorted);
    out->rhat = sfi_chains_rhat(&w->halves, spread);
    out->ess_bulk = sfi_chains_ess(&w->halves, spread);
}

/* What is NaN stays out: distances from the median may all be alike. */
static void folded_ranks(workspace *w, sf_diagnosis *out)
{
    for (int64_t p = 0; p < w->n; p++)
        w->other[p] = fabs(w->centred[p]);
    const sfi_spread spread = split_scores(w, w->other);
    if (!isnan(out->rhat))
        out->rhat = fmax(out->rhat, sfi_chains_rhat(&w->halves, spread));
}

static void quantiles(workspace *w, sf_diagnosis *out, bool told)
{
    const double p[QUANTILES] = {0.05, 0.5, 0.95};
    double *const value[] = {&out->q05, &out->median, &out->q95};
    double *const error[] = {&out->mcse_q05, &out->mcse_median, &out->mcse_q95};
    double ess[QUANTILES];
    for (int k = 0; k < QUANTILES; k++) {
        *value[k] = sfi_quantile(w->sorted, w->n, p[k]);
        if (!told)
            continue;
        ess[k] = effective_quantile(w, *value[k]);
        *error[k] = quantile_error(w, p[k], ess[k]);
    }
    if (told && !isnan(ess[0]) && !isnan(ess[2]))
        out->ess_tail = fmin(ess[0], ess[2]);
}

static void diagnose(workspace *w, int64_t j, sf_diagnosis *out)
{
    *out = (sf_diagnosis){NAN, NAN, NAN, NAN, NAN, NAN, NAN,
                          NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    if (!take(w, j))
        return;
    bool told = w->given->draws >= LEAST_DRAWS;
    if (told) {
        ranks(w, out);
    } else {
        memcpy(w->sorted, w->x, (size_t)w->n * sizeof *w->x);
        sfi_sort(w->sorted, w->scratch, w->n);
    }
    told = told && w->sorted[0] < w->sorted[w->n - 1];
    w->median = sfi_quantile(w->sorted, w->n, 0.5);
    centre(w);
    moments(w, out, told);
    quantiles(w, out, told);
    if (told)
        folded_ranks(w, out);
}

/* ---- all numbers ---- */

static sf_status check(sf_context *ctx, const sf_draws *d,
                       const sf_diagnosis *out)
{
    if (d == NULL || d->data == NULL || out == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "diagnose: draws or out is NULL");
    if (d->chains < 1 || d->draws < 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "diagnose: %lld chains of %lld draws, want >= 1",
                        (long long)d->chains, (long long)d->draws);
    if (d->dim < 1 || d->stride < d->dim)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "diagnose: dim %lld, stride %lld, want 1 <= dim <= "
                        "stride",
                        (long long)d->dim, (long long)d->stride);
    /* So that no product below overflows. */
    if (d->chains > INT64_MAX / 4096 / d->draws)
        return SFI_FAIL(ctx, SF_E_NOMEM, "diagnose: %lld chains of %lld draws",
                        (long long)d->chains, (long long)d->draws);
    return SF_OK;
}

sf_status sf_diagnose(sf_context *ctx, const sf_draws *draws, sf_diagnosis *out)
{
    SFI_TRY(check(ctx, draws, out));
    const int64_t n = draws->chains * draws->draws, half = draws->draws / 2;
    enum { DOUBLES = 6, INTS = 3 };
    const size_t doubles =
        DOUBLES * (size_t)n + sfi_chains_size(2 * draws->chains, half);
    const size_t ints = INTS * (size_t)n;
    double *memory = sfi_alloc(ctx, doubles, sizeof *memory);
    int64_t *slots = sfi_alloc(ctx, ints, sizeof *slots);
    sf_status status = SF_E_NOMEM;
    if (memory == NULL || slots == NULL)
        goto done;
    workspace w = {.given = draws,
                   .n = n,
                   .ranked = 2 * draws->chains * half,
                   .x = memory,
                   .sorted = memory + n,
                   .centred = memory + 2 * n,
                   .other = memory + 3 * n,
                   .scratch = memory + 4 * n,
                   .score = memory + 5 * n,
                   .slot = slots,
                   .order = slots + n,
                   .moved = slots + 2 * n};
    sfi_chains_init(&w.halves, memory + DOUBLES * n, 2 * draws->chains, half);
    fill_slots(&w);
    for (int64_t r = 0; r < w.ranked; r++)
        w.score[r] = normal_score(&w, (double)r + 1.0);
    for (int64_t j = 0; j < draws->dim; j++)
        diagnose(&w, j, &out[j]);
    status = SF_OK;
done:
    sfi_free(ctx, slots, ints, sizeof *slots);
    sfi_free(ctx, memory, doubles, sizeof *memory);
    return status;
}

double sf_ebfmi(const double *energy, int64_t draws)
{
    if (draws < LEAST_DRAWS)
        return NAN;
    double most = 0.0;
    bool changes = false;
    for (int64_t i = 0; i < draws; i++) {
        if (!isfinite(energy[i]))
            return NAN;
        most = fmax(most, fabs(energy[i]));
        changes = changes || energy[i] != energy[0];
    }
    if (!changes)
        return NAN;
    int exponent = 0;
    (void)frexp(most, &exponent);
    const double unit = ldexp(1.0, exponent - 1), first = energy[0] / unit;
    double sum = 0.0;
    for (int64_t i = 0; i < draws; i++)
        sum += energy[i] / unit - first;
    const double mean = sum / (double)draws;
    double moves = 0.0, squares = 0.0;
    for (int64_t i = 0; i < draws; i++) {
        const double here = energy[i] / unit - first;
        squares += (here - mean) * (here - mean);
        if (i > 0) {
            const double move = here - (energy[i - 1] / unit - first);
            moves += move * move;
        }
    }
    return moves / squares;
}
