/* SPDX-License-Identifier: Apache-2.0 */
/* inference.c - what synthetic rows tell about one cell of a person of whom all others
 * are known: the cell of the nearest row, for each column in turn.
 *
 * That rows of real are guessed well means nothing by itself, since columns depend on
 * each other; that they are guessed better than held-out rows means that the table
 * knows them.  The distance without column j is the distance of all columns less what
 * j adds, so that all columns are attacked at the cost of about two searches. */
#include "compare/gower.h"

#include "base/parallel.h"

#include <math.h>

/* Rows are dealt to at most so many ranges, each with room for itself. */
enum { BLOCK = 128, RANGES = 16 };

enum verdict { FAILED, SUCCEEDED, NOTHING_TO_GUESS };

struct attack {
    const sfi_gower *known, *synthetic;
    const double *tolerance; /* [cols] */
    double *room;            /* [ranges, (cols + 1) BLOCK + cols] */
    int64_t *best;           /* [ranges, cols] */
    unsigned char *verdict;  /* [rows, cols] */
};

/* The rows of synthetic that are nearest to row i but for one column each. */
static void find_nearest(const struct attack *a, int64_t i, double *part,
                         double *least, int64_t *best)
{
    const int64_t d = a->known->cols, m = a->synthetic->rows;
    double *total = part + d * BLOCK;
    for (int64_t j = 0; j < d; j++)
        least[j] = INFINITY;
    for (int64_t first = 0; first < m; first += BLOCK) {
        const int64_t here = m - first < BLOCK ? m - first : BLOCK;
        for (int64_t k = 0; k < here; k++)
            total[k] = 0.0;
        for (int64_t j = 0; j < d; j++) {
            double *of = part + j * BLOCK;
            sfi_gower_column(of, a->known, i, a->synthetic, first, here, j);
            for (int64_t k = 0; k < here; k++)
                total[k] += of[k];
        }
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k < here; k++) {
                /* What only rounding makes nearer is not. */
                const double others = total[k] - part[j * BLOCK + k];
                if (others < least[j] - 1e-12) {
                    least[j] = others;
                    best[j] = first + k;
                }
            }
    }
}

static void attack_some(void *user, int64_t range, int64_t first, int64_t count)
{
    const struct attack *a = user;
    const int64_t d = a->known->cols;
    double *part = a->room + range * ((d + 1) * BLOCK + d);
    double *least = part + (d + 1) * BLOCK;
    int64_t *best = a->best + range * d;
    for (int64_t i = first; i < first + count; i++) {
        find_nearest(a, i, part, least, best);
        for (int64_t j = 0; j < d; j++) {
            double off = 0.0;
            sfi_gower_column(&off, a->known, i, a->synthetic, best[j], 1, j);
            const double truth = a->known->cells[j * a->known->stride + i];
            a->verdict[i * d + j] = isnan(truth)             ? NOTHING_TO_GUESS
                                    : off <= a->tolerance[j] ? SUCCEEDED
                                                             : FAILED;
        }
    }
}

/* A tenth of the standard deviation, as a distance. */
static void fill_tolerance(double *tolerance, const sf_frames_report *r,
                           const sfi_gower *real)
{
    for (int64_t j = 0; j < r->cols; j++) {
        const double sd = r->column[j].sd[SFI_REAL];
        tolerance[j] = real->kind[j] == SFI_GOWER_LEVEL || !(sd >= 0.0)
                           ? 0.0
                           : 0.1 * sd / real->unit[j];
    }
}

static void count(sf_frames_report *r, int k, int64_t rows,
                  const unsigned char *verdict)
{
    for (int64_t j = 0; j < r->cols; j++) {
        int64_t asked = 0, successes = 0;
        for (int64_t i = 0; i < rows; i++) {
            asked += verdict[i * r->cols + j] != NOTHING_TO_GUESS;
            successes += verdict[i * r->cols + j] == SUCCEEDED;
        }
        r->inference[j].rows[k] = asked;
        r->inference[j].success[k] =
            asked > 0 ? (double)successes / (double)asked : NAN;
    }
}

static double variance(const sf_frames_inference *f, int k)
{
    return f->success[k] * (1.0 - f->success[k]) / (double)f->rows[k];
}

static sf_status attack(sf_context *ctx, sf_frames_report *r, int k,
                        struct attack *a, int64_t rows)
{
    const int64_t d = r->cols, chunk = (rows + RANGES - 1) / RANGES;
    const size_t ranges = (size_t)sfi_parallel_parts(rows, chunk);
    const size_t each = (size_t)((d + 1) * BLOCK + d);
    const size_t cells = (size_t)(rows * d);
    a->room = sfi_alloc(ctx, ranges * each, sizeof *a->room);
    a->best = sfi_alloc_zero(ctx, ranges * (size_t)d, sizeof *a->best);
    a->verdict = sfi_alloc(ctx, cells, 1);
    const bool there = a->room != NULL && a->best != NULL && a->verdict != NULL;
    if (there) {
        sfi_parallel(ctx, rows, chunk, attack_some, a);
        count(r, k, rows, a->verdict);
    }
    sfi_free(ctx, a->verdict, cells, 1);
    sfi_free(ctx, a->best, ranges * (size_t)d, sizeof *a->best);
    sfi_free(ctx, a->room, ranges * each, sizeof *a->room);
    return there ? SF_OK : SF_E_NOMEM;
}

sf_status sfi_compare_inference(sf_context *ctx, sf_frames_report *r,
                                const sfi_gower g[SFI_TABLES],
                                const sf_frames_options *o)
{
    const int64_t d = r->cols;
    const int64_t m = sfi_compare_limit(o, g[SFI_SYNTHETIC].rows, 0.0);
    const sfi_gower synthetic = sfi_gower_some(&g[SFI_SYNTHETIC], 0, m);
    double *tolerance = sfi_alloc(ctx, (size_t)d, sizeof *tolerance);
    sf_status status = tolerance != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        fill_tolerance(tolerance, r, &g[SFI_REAL]);
    for (int k = 0; k < 2 && status == SF_OK; k++) {
        const sfi_gower *known = &g[k == 0 ? SFI_REAL : SFI_HELD_OUT];
        struct attack a = {
            .known = known, .synthetic = &synthetic, .tolerance = tolerance};
        status = attack(
            ctx, r, k, &a,
            sfi_compare_limit(o, known->rows, 2.0 * (double)m * (double)d));
    }
    sfi_free(ctx, tolerance, (size_t)d, sizeof *tolerance);
    for (int64_t j = 0; j < d && status == SF_OK; j++) {
        sf_frames_inference *f = &r->inference[j];
        f->advantage = f->success[0] - f->success[1];
        f->advantage_se = sqrt(variance(f, 0) + variance(f, 1));
    }
    return status;
}
