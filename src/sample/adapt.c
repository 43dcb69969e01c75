/* SPDX-License-Identifier: Apache-2.0 */
#include "sample/adapt.h"

#include <math.h>
#include <string.h>

/* ---- step ---------------------------------------------------------------------- */

void sfi_step_size_begin(sfi_step_size *s, double step)
{
    *s = (sfi_step_size){.target = s->target,
                         .centre = log(10.0 * step),
                         .average = log(step),
                         .step = step};
}

void sfi_step_size_learn(sfi_step_size *s, double accept)
{
    const double slowness = 10.0, gain = 0.05, decay = 0.75;
    const double n = (double)++s->count;
    const double weight = 1.0 / (n + slowness);
    s->lack += weight * (s->target - accept - s->lack);
    const double next = s->centre - sqrt(n) / gain * s->lack;
    const double share = pow(n, -decay);
    s->average = share * next + (1.0 - share) * s->average;
    s->step = exp(next);
}

double sfi_step_size_end(const sfi_step_size *s)
{
    return exp(s->average);
}

/* ---- windows ------------------------------------------------------------------- */

void sfi_windows_init(sfi_windows *w, int64_t warmup)
{
    int64_t first = 75, base = 25, last = 50;
    *w = (sfi_windows){0, 0, 0, 0};
    if (warmup < 20)
        return;
    if (first + base + last > warmup) {
        first = (int64_t)(0.15 * (double)warmup);
        last = (int64_t)(0.1 * (double)warmup);
        base = warmup - first - last;
    }
    *w = (sfi_windows){first, warmup - last, base, first + base};
    if (w->end + 2 * base > w->last)
        w->end = w->last;
}

bool sfi_windows_counts(const sfi_windows *w, int64_t i)
{
    return i >= w->first && i < w->last;
}

bool sfi_windows_closes(sfi_windows *w, int64_t i)
{
    if (w->length == 0 || i + 1 != w->end)
        return false;
    w->length *= 2;
    w->end += w->length;
    if (w->end + 2 * w->length > w->last)
        w->end = w->last;
    return true;
}

/* ---- variances ----------------------------------------------------------------- */

void sfi_running_clear(sfi_running *r)
{
    const size_t d = (size_t)r->dim, cells = r->dense ? d * d : d;
    r->count = 0;
    memset(r->mean, 0, d * sizeof *r->mean);
    memset(r->sums, 0, cells * sizeof *r->sums);
}

void sfi_running_add(sfi_running *r, const double *x)
{
    const int64_t d = r->dim;
    const double n = (double)++r->count;
    for (int64_t j = 0; j < d; j++) {
        r->gap[j] = x[j] - r->mean[j];
        r->mean[j] += r->gap[j] / n;
    }
    for (int64_t j = 0; j < d; j++) {
        const double past = x[j] - r->mean[j];
        if (!r->dense)
            r->sums[j] += r->gap[j] * past;
        else
            for (int64_t k = 0; k < d; k++)
                r->sums[j * d + k] += past * r->gap[k];
    }
}

void sfi_running_finish(sfi_running *r)
{
    const int64_t cells = r->dense ? r->dim * r->dim : r->dim;
    const double divisor = r->count > 1 ? (double)(r->count - 1) : 1.0;
    for (int64_t i = 0; i < cells; i++)
        r->sums[i] /= divisor;
}
