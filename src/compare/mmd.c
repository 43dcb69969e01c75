/* SPDX-License-Identifier: Apache-2.0 */
/* mmd.c - the maximum mean discrepancy with a Gaussian kernel k, without bias
 *
 *     MMD^2 = mean of k(x, x') + mean of k(y, y') - 2 mean of k(x, y)
 *
 * over pairs of different rows (A. Gretton et al., J. Mach. Learn. Res. 13 (2012)
 * 723-773), and its permutation test.
 *
 * With K the kernel's matrix of all rows, its diagonal 0, and a the indicator of the rows
 * called x, the three sums are XX = a'Ka, XY = a'K1 - XX and YY = 1'K1 - 2 XY - XX: a
 * labelling takes one sum over pairs of x, and the rest is the same for all. */
#include "compare/mmd.h"

#include "base/parallel.h"
#include "base/random.h"
#include "compare/compare.h"
#include "num/sort.h"

#include <math.h>

enum { BLOCK = 16, PANEL = 8, MOST_ROWS = 2000 };

struct kernel {
    sfi_points points;
    int64_t n, m, all, ld;
    double *k;    /* [all, ld] distances, then the kernel */
    double *sums; /* [all] of its rows */
    double total;
    double bandwidth;
    uint64_t seed;
    int64_t *labels; /* [ranges, all] */
    double *squared; /* [labellings] */
};

static void fill_distances(void *user, int64_t part, int64_t first,
                           int64_t count)
{
    const struct kernel *w = user;
    (void)part;
    sfi_pairs_rows(w->k + first * w->ld, w->ld, &w->points, first,
                   first + count);
}

static void fill_kernel(void *user, int64_t part, int64_t first, int64_t count)
{
    const struct kernel *w = user;
    const double by = -0.5 / (w->bandwidth * w->bandwidth);
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        double *row = w->k + i * w->ld;
        double sum = 0.0;
        for (int64_t j = 0; j < w->all; j++) {
            row[j] = i == j ? 0.0 : exp(by * row[j] * row[j]);
            sum += row[j];
        }
        w->sums[i] = sum;
    }
}

/* The median of the positive distances; 0 if there are none. */
static sf_status find_bandwidth(sf_context *ctx, struct kernel *w)
{
    const size_t pairs = (size_t)(w->all * (w->all - 1) / 2);
    int64_t count = 0;
    double *of = sfi_alloc(ctx, 2 * pairs, sizeof *of);
    if (of == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < w->all; i++)
        for (int64_t j = 0; j < i; j++)
            if (w->k[i * w->ld + j] > 0.0)
                of[count++] = w->k[i * w->ld + j];
    sfi_sort(of, of + pairs, count);
    w->bandwidth = count > 0 ? sfi_quantile(of, count, 0.5) : 0.0;
    sfi_free(ctx, of, 2 * pairs, sizeof *of);
    return SF_OK;
}

/* The statistic if the rows of x are those that label [n] names. */
static double statistic(const struct kernel *w, const int64_t *label)
{
    const double n = (double)w->n, m = (double)w->m;
    double xx = 0.0, x = 0.0;
    for (int64_t a = 0; a < w->n; a++) {
        const double *row = w->k + label[a] * w->ld;
        double sum = 0.0;
        for (int64_t b = 0; b < w->n; b++)
            sum += row[label[b]];
        xx += sum;
        x += w->sums[label[a]];
    }
    const double xy = x - xx, yy = w->total - 2.0 * xy - xx;
    return xx / (n * (n - 1.0)) + yy / (m * (m - 1.0)) - 2.0 * xy / (n * m);
}

/* Labelling 0 is the true one. */
static void try_labels(void *user, int64_t part, int64_t first, int64_t count)
{
    const struct kernel *w = user;
    int64_t *label = w->labels + part * w->all;
    for (int64_t k = first; k < first + count; k++) {
        for (int64_t i = 0; i < w->all; i++)
            label[i] = i;
        if (k > 0)
            sfi_shuffle(w->seed, (uint32_t)k, label, w->all);
        w->squared[k] = statistic(w, label);
    }
}

static void judge(sfi_mmd *out, const struct kernel *w, int permutations)
{
    int at_least = 1;
    /* A labelling that is the true one again differs by rounding. */
    for (int k = 1; k <= permutations; k++)
        at_least += w->squared[k] >= w->squared[0] - 1e-12;
    out->squared = w->squared[0];
    out->bandwidth = w->bandwidth;
    out->p = permutations > 0 ? (double)at_least / (permutations + 1.0) : NAN;
}

sf_status sfi_mmd_test(sf_context *ctx, sfi_mmd *out, sf_cmat joined,
                       const int64_t rows[2], double bandwidth,
                       int permutations, uint64_t seed)
{
    enum { RANGES = 16 };
    const int64_t labellings = permutations + 1;
    const int64_t chunk = (labellings + RANGES - 1) / RANGES;
    const size_t ranges = (size_t)sfi_parallel_parts(labellings, chunk);
    struct kernel w = {.n = rows[0],
                       .m = rows[1],
                       .all = rows[0] + rows[1],
                       .bandwidth = bandwidth,
                       .seed = seed};
    w.ld = (w.all + PANEL - 1) / PANEL * PANEL;
    const size_t all = (size_t)w.all, cells = all * (size_t)w.ld;
    sf_status status = SF_E_NOMEM;
    w.k = sfi_alloc(ctx, cells, sizeof *w.k);
    w.sums = sfi_alloc(ctx, all, sizeof *w.sums);
    w.labels = sfi_alloc(ctx, ranges * all, sizeof *w.labels);
    w.squared = sfi_alloc(ctx, (size_t)labellings, sizeof *w.squared);
    if (w.k == NULL || w.sums == NULL || w.labels == NULL || w.squared == NULL)
        goto done;
    SFI_CHECK(sfi_points_new(ctx, &w.points, joined, NULL, 0, NULL));
    sfi_parallel(ctx, w.all, BLOCK, fill_distances, &w);
    if (bandwidth == 0.0)
        SFI_CHECK(find_bandwidth(ctx, &w));
    *out = (sfi_mmd){0.0, 0.0, permutations > 0 ? 1.0 : NAN};
    if (w.bandwidth == 0.0) /* all rows are one */
        goto done;
    sfi_parallel(ctx, w.all, BLOCK, fill_kernel, &w);
    for (int64_t i = 0; i < w.all; i++)
        w.total += w.sums[i];
    sfi_parallel(ctx, labellings, chunk, try_labels, &w);
    judge(out, &w, permutations);

done:
    sfi_points_free(ctx, &w.points);
    sfi_free(ctx, w.squared, (size_t)labellings, sizeof *w.squared);
    sfi_free(ctx, w.labels, ranges * all, sizeof *w.labels);
    sfi_free(ctx, w.sums, all, sizeof *w.sums);
    sfi_free(ctx, w.k, cells, sizeof *w.k);
    return status;
}

/* ---- in the report -------------------------------------------------------- */

/* The first rows of real and of table k, one after the other. */
static sf_status join(sf_context *ctx, sf_cmat *out, const sfi_features *f,
                      int k, const int64_t rows[2])
{
    const int64_t d = f->cols;
    double *data =
        sfi_alloc(ctx, (size_t)((rows[0] + rows[1]) * d), sizeof *data);
    if (data == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < rows[0] * d; i++)
        data[i] = f->x[SFI_REAL][i];
    for (int64_t i = 0; i < rows[1] * d; i++)
        data[rows[0] * d + i] = f->x[k][i];
    *out = (sf_cmat){data, rows[0] + rows[1], d, d};
    return SF_OK;
}

static sf_status test_table(sf_context *ctx, sf_frames_rows *out,
                            const sfi_features *f, int k, int permutations,
                            uint64_t seed)
{
    const int64_t held = f->rows[SFI_HELD_OUT];
    int64_t rows[2] = {f->rows[SFI_REAL], f->rows[k]};
    sf_cmat joined;
    sfi_mmd mmd;
    if (k == SFI_SYNTHETIC && held > 0 && held < rows[1])
        rows[1] = held;
    if (rows[0] < 2 || rows[1] < 2 || f->cols == 0)
        return SF_OK;
    SFI_TRY(join(ctx, &joined, f, k, rows));
    const sf_status status =
        sfi_mmd_test(ctx, &mmd, joined, rows, 0.0, permutations, seed);
    sfi_free(ctx, (void *)(uintptr_t)joined.data,
             (size_t)(joined.rows * joined.cols), sizeof *joined.data);
    SFI_TRY(status);
    out->mmd[k - 1] = mmd.squared;
    out->mmd_p[k - 1] = mmd.p;
    out->mmd_rows[k - 1][0] = rows[0];
    out->mmd_rows[k - 1][1] = rows[1];
    return SF_OK;
}

sf_status sfi_compare_mmd(sf_context *ctx, sf_frames_report *report,
                          const sfi_mixed *m, const sf_frames_options *o)
{
    sf_compare_options test = SF_COMPARE_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &test, sizeof test, o->numbers));
    sf_frames_rows *out = &report->joint;
    const int64_t most = test.test_rows > 0 && test.test_rows < MOST_ROWS
                             ? test.test_rows
                             : MOST_ROWS;
    int64_t rows[SFI_TABLES];
    for (int k = 0; k < SFI_TABLES; k++)
        rows[k] = m->rows[k] < most ? m->rows[k] : most;
    for (int p = 0; p < 2; p++)
        out->mmd[p] = out->mmd_p[p] = NAN;
    sfi_mixed part;
    sfi_features f;
    SFI_TRY(sfi_mixed_part(ctx, &part, m, rows, o->seed));
    sf_status status = sfi_features_new(ctx, &f, &part, report->column, -1);
    if (status == SF_OK) {
        for (int k = SFI_SYNTHETIC; k < SFI_TABLES && status == SF_OK; k++)
            status = test_table(ctx, out, &f, k, test.permutations, o->seed);
        sfi_features_free(ctx, &f);
    }
    sfi_mixed_free(ctx, &part);
    return status;
}
