/* SPDX-License-Identifier: Apache-2.0 */
/* whole_rows.c - transport, coverage and closeness of whole rows (gower.h).
 *
 * Transport between samples and coverage by a sample depend on how many rows they
 * have.  So that the figures of synthetic and of held-out rows can be held against
 * each other, as many rows of the one enter as there are of the other. */
#include "compare/compare.h"
#include "compare/gower.h"
#include "compare/transport.h"

#include "base/parallel.h"

#include <math.h>

enum { MOST_ROWS = 2000, PARTS = 5 };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Rows of synthetic that are held against rows of held-out. */
static int64_t matched(const sfi_gower g[SFI_TABLES], int k)
{
    const int64_t held = g[SFI_HELD_OUT].rows;
    return k == SFI_SYNTHETIC && held > 0 ? smaller(g[k].rows, held)
                                          : g[k].rows;
}

/* ---- transport ------------------------------------------------------------ */

struct transport_parts {
    const sfi_gower *g[2];
    int64_t rows[2];
    int count;
    sfi_transport *room[PARTS]; /* a range of parts has one */
    double *scratch[PARTS];     /* each [rows[1]]           */
    double result[PARTS];
};

/* Parts are spread evenly over the rows, which are in random order. */
static int64_t first_of(const struct transport_parts *w, int k, int q)
{
    const int64_t all = w->g[k]->rows, spare = all - w->rows[k];
    return w->count > 1 ? spare * q / (w->count - 1) : 0;
}

static void one_part(struct transport_parts *w, int q, sfi_transport *room,
                     double *scratch)
{
    const int64_t rows = w->rows[0], others = w->rows[1];
    const sfi_gower a = sfi_gower_some(w->g[0], first_of(w, 0, q), rows);
    const sfi_gower b = sfi_gower_some(w->g[1], first_of(w, 1, q), others);
    double *cost = sfi_transport_costs(room);
    for (int64_t i = 0; i < rows; i++)
        sfi_gower_distances(cost + i * others, scratch, &a, i, &b, 0, others);
    w->result[q] = sfi_transport_run(room);
}

static void some_parts(void *user, int64_t part, int64_t first, int64_t count)
{
    struct transport_parts *w = user;
    for (int64_t q = first; q < first + count; q++)
        one_part(w, (int)q, w->room[part], w->scratch[part]);
}

static void summarise(sf_frames_rows *out, int p,
                      const struct transport_parts *w)
{
    double sum = 0.0, squares = 0.0;
    for (int q = 0; q < w->count; q++)
        sum += w->result[q];
    const double mean = sum / w->count;
    for (int q = 0; q < w->count; q++)
        squares += (w->result[q] - mean) * (w->result[q] - mean);
    out->transport[p] = mean;
    out->transport_sd[p] =
        w->count > 1 ? sqrt(squares / (w->count - 1.0)) : NAN;
    out->transport_parts[p] = w->count;
    for (int k = 0; k < 2; k++)
        out->transport_rows[p][k] = w->rows[k];
}

static sf_status transport(sf_context *ctx, sf_frames_rows *out, int p,
                           const sfi_gower g[SFI_TABLES])
{
    const int other = p + 1, threads = sf_context_threads(ctx);
    struct transport_parts w = {
        .g = {&g[SFI_REAL], &g[other]},
        .rows = {smaller(g[SFI_REAL].rows, MOST_ROWS),
                 smaller(matched(g, other), MOST_ROWS)},
    };
    const bool all =
        w.rows[0] == g[SFI_REAL].rows && w.rows[1] == g[other].rows;
    w.count = all ? 1 : PARTS;
    const int64_t chunk = threads < w.count ? (w.count + threads - 1) / threads
                                            : 1; /* each part is its own sum */
    const int64_t ranges = sfi_parallel_parts(w.count, chunk);
    sf_status status = SF_OK;
    for (int64_t r = 0; r < ranges; r++) {
        SFI_CHECK(sfi_transport_new(ctx, &w.room[r], w.rows[0], w.rows[1]));
        w.scratch[r] = sfi_alloc(ctx, (size_t)w.rows[1], sizeof *w.scratch[r]);
        SFI_CHECK(w.scratch[r] != NULL ? SF_OK : SF_E_NOMEM);
    }
    sfi_parallel(ctx, w.count, chunk, some_parts, &w);
    summarise(out, p, &w);

done:
    for (int64_t r = 0; r < ranges; r++) {
        sfi_free(ctx, w.scratch[r], (size_t)w.rows[1], sizeof *w.scratch[r]);
        sfi_transport_free(ctx, w.room[r]);
    }
    return status;
}

/* ---- coverage ------------------------------------------------------------- */

int64_t sfi_compare_limit(const sf_frames_options *o, int64_t rows,
                          double cells)
{
    enum { LEAST = 500 };
    int64_t most = o->max_rows > 0 ? smaller(rows, o->max_rows) : rows;
    const double room = fmax(LEAST, o->max_work / fmax(cells, 1.0));
    return o->max_work > 0.0 && room < (double)most ? (int64_t)room : most;
}

/* work [3 n] */
static void cover(sf_context *ctx, sf_frames_rows *out, int p,
                  const sfi_gower *real, const sfi_gower *other, double *work)
{
    const int64_t n = real->rows;
    double *radius = work + n, *nearest = radius + n;
    int64_t covered = 0;
    sfi_gower_nearest(ctx, work, radius, real, n, real);
    sfi_gower_nearest(ctx, nearest, NULL, real, n, other);
    for (int64_t i = 0; i < n; i++)
        covered += nearest[i] <= radius[i];
    out->coverage[p] = (double)covered / (double)n;
    out->coverage_rows[p][0] = n;
    out->coverage_rows[p][1] = other->rows;
}

static sf_status coverage(sf_context *ctx, sf_frames_rows *out, int p,
                          const sfi_gower g[SFI_TABLES],
                          const sf_frames_options *o)
{
    /* r^2 pairs: r rows that look at r rows. */
    const double most = sqrt(o->max_work * (double)g[SFI_REAL].cols);
    const int other = p + 1;
    const int64_t n = sfi_compare_limit(o, g[SFI_REAL].rows, most);
    const int64_t m = sfi_compare_limit(o, matched(g, other), most);
    const sfi_gower real = sfi_gower_some(&g[SFI_REAL], 0, n);
    const sfi_gower covering = sfi_gower_some(&g[other], 0, m);
    double *work = sfi_alloc(ctx, 3 * (size_t)n, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    cover(ctx, out, p, &real, &covering, work);
    sfi_free(ctx, work, 3 * (size_t)n, sizeof *work);
    return SF_OK;
}

sf_status sfi_compare_rows(sf_context *ctx, sf_frames_report *report,
                           const sfi_gower g[SFI_TABLES],
                           const sf_frames_options *o)
{
    sf_frames_rows *out = &report->joint;
    for (int p = 0; p < 2; p++) {
        out->transport[p] = out->transport_sd[p] = out->coverage[p] = NAN;
        if (g[p + 1].rows == 0)
            continue;
        SFI_TRY(transport(ctx, out, p, g));
        SFI_TRY(coverage(ctx, out, p, g, o));
    }
    return SF_OK;
}

/* ---- closeness ------------------------------------------------------------ */

static double share_nearer(const double *first, const double *second, int64_t n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += first[i] < 0.5 * second[i];
    return (double)count / (double)n;
}

sf_status sfi_compare_closeness(sf_context *ctx, sf_frames_report *report,
                                const sfi_gower g[SFI_TABLES],
                                const sf_frames_options *o)
{
    const sfi_gower *real = &g[SFI_REAL];
    const bool held_out = g[SFI_HELD_OUT].rows > 0;
    const sfi_gower *of[2] = {held_out ? &g[SFI_HELD_OUT] : real,
                              &g[SFI_SYNTHETIC]};
    sf_compare_copies *c = &report->copies;
    const double cells = (double)real->rows * (double)real->cols;
    int64_t most = 0;
    for (int k = 0; k < 2; k++) {
        c->rows[k] = sfi_compare_limit(o, of[k]->rows, cells);
        most = c->rows[k] > most ? c->rows[k] : most;
    }
    const size_t count = (size_t)(c->rows[0] + c->rows[1] + most);
    double *work = sfi_alloc(ctx, count, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    double *nearest[2] = {work, work + c->rows[0]};
    double *second = nearest[1] + c->rows[1];
    for (int k = 0; k < 2; k++) {
        sfi_gower_nearest(ctx, nearest[k], second, of[k], c->rows[k], real);
        report->second_neighbour[k] =
            share_nearer(nearest[k], second, c->rows[k]);
    }
    sfi_compare_judge(c, nearest, second, real->rows);
    const double median[2] = {c->dcr[0][SF_COMPARE_QUANTILES / 2],
                              c->dcr[1][SF_COMPARE_QUANTILES / 2]};
    report->closeness_ratio = median[0] > 0.0 ? median[1] / median[0] : NAN;
    sfi_free(ctx, work, count, sizeof *work);
    return SF_OK;
}
