/* SPDX-License-Identifier: Apache-2.0 */
/* left_out_cells.c - leaving out rows with missing cells: the row is no datum and no
 * part of the columns' own laws, and what is asked is the density of the cells that it
 * has. */
#include "fit/left_out_cells.h"

#include "base/parallel.h"
#include "base/random.h"
#include "model/model.h"
#include "num/equal_rows.h"

#include <float.h>

enum { LANES = 16, LEAST_ROWS = 200 };

static const double most_pairs = 1e6;

/* Copies give their weights to the first of them; distinct rows to `left_out`. */
static sf_status join_copies(sfi_left_out_cells *s, sf_cmat data)
{
    const size_t n = (size_t)data.rows, cells = n * (size_t)data.cols;
    double *row = sfi_alloc(s->ctx, cells, sizeof *row);
    int64_t *first = sfi_alloc(s->ctx, n, sizeof *first);
    sf_status status = row != NULL && first != NULL ? SF_OK : SF_E_NOMEM;
    for (size_t k = 0; k < cells && status == SF_OK; k++) {
        const int64_t i = (int64_t)k / data.cols, j = (int64_t)k % data.cols;
        const double x = data.data[i * data.stride + j];
        row[k] = isnan(x) ? -DBL_MAX : x; /* which equals itself */
    }
    const sf_cmat rows = {row, data.rows, data.cols, data.cols};
    if (status == SF_OK)
        status = sfi_find_copies(s->ctx, 1, &rows, first, &s->copies);
    for (size_t i = 0; i < n && status == SF_OK; i++) {
        if (first[i] == (int64_t)i) {
            s->left_out[s->rows++] = (int64_t)i;
            continue;
        }
        s->p->weight[first[i]] += s->p->weight[i];
        s->p->weight[i] = 0.0;
    }
    sfi_free(s->ctx, first, n, sizeof *first);
    sfi_free(s->ctx, row, cells, sizeof *row);
    return status;
}

sf_status sfi_left_out_cells_open(sfi_left_out_cells *s, const sf_model *m,
                                  int64_t wanted, uint64_t seed)
{
    const sf_cmat data = sfi_empirical_of(m).data;
    *s = (sfi_left_out_cells){.ctx = m->ctx, .room = data.rows};
    SFI_TRY(sfi_product_new(m, &s->p));
    const size_t n = (size_t)data.rows;
    const size_t room = (size_t)(LANES * 2 * (data.rows + m->dim));
    s->left_out = sfi_alloc(s->ctx, n, sizeof *s->left_out);
    s->logp = sfi_alloc(s->ctx, n, sizeof *s->logp);
    s->work = sfi_alloc(s->ctx, room, sizeof *s->work);
    if (s->left_out == NULL || s->logp == NULL || s->work == NULL)
        return SF_E_NOMEM;
    SFI_TRY(join_copies(s, data));
    if (s->rows < 2)
        return SFI_FAIL(s->ctx, SF_E_ARG,
                        "empirical: all rows are copies of one, which has no "
                        "others to choose a bandwidth by; give a number");
    if (wanted == 0)
        wanted = (int64_t)fmax(most_pairs / (double)s->rows, LEAST_ROWS);
    sfi_shuffle(seed, 0, s->left_out, s->rows);
    s->rows = wanted < s->rows ? wanted : s->rows;
    return SF_OK;
}

void sfi_left_out_cells_close(sfi_left_out_cells *s)
{
    const size_t n = (size_t)s->room;
    const size_t room =
        s->p != NULL ? (size_t)(LANES * 2 * (s->room + s->p->dim)) : 0;
    sfi_free(s->ctx, s->work, room, sizeof *s->work);
    sfi_free(s->ctx, s->logp, n, sizeof *s->logp);
    sfi_free(s->ctx, s->left_out, n, sizeof *s->left_out);
    sfi_product_free(s->p);
}

static void take_lane(void *user, int64_t part, int64_t first, int64_t count)
{
    sfi_left_out_cells *s = user;
    const sfi_product_law *p = s->p;
    (void)part;
    for (int64_t lane = first; lane < first + count; lane++) {
        double *r = s->work + lane * 2 * (p->rows + p->dim);
        double *lower = r + 2 * p->rows, *upper = lower + p->dim;
        for (int64_t k = lane; k < s->rows; k += LANES) {
            double values, bounds, scale = 0.0;
            const int64_t row = s->left_out[k];
            const sfi_product_query q = {lower, upper, NULL};
            for (int64_t j = 0; j < p->dim; j++) {
                const bool has = sfi_product_has(p, row, j);
                const double z = p->data[j * p->rows + row];
                lower[j] = has ? z : -INFINITY;
                upper[j] = has ? z : INFINITY;
                scale += has ? sfi_product_log_unit(p, j, z) : 0.0;
            }
            sfi_product_weigh(p, &q, row, r, r + p->rows, &values, &bounds);
            s->logp[k] = values + bounds - scale;
        }
    }
}

sf_status sfi_left_out_cells_likelihood(sfi_left_out_cells *s, double h,
                                        sfi_left_out_result *out)
{
    double sum = 0.0, squares = 0.0, total = 0.0;
    const sf_progress progress = {.stage = "leave-one-out",
                                  .step = ++s->evaluations,
                                  .loss = NAN,
                                  .held_out = NAN};
    if (!sfi_progress(s->ctx, &progress, false))
        return SFI_FAIL(s->ctx, SF_E_CANCELLED, "empirical: stopped");
    sfi_product_rest(s->p, fmax(h, SFI_LEAST_TIME));
    sfi_parallel(s->ctx, LANES, 1, take_lane, s);
    for (int64_t k = 0; k < s->rows; k++) {
        const double w = s->p->weight[s->left_out[k]];
        sum += w * s->logp[k];
        total += w;
    }
    const double mean = sum / total, n = (double)s->rows;
    for (int64_t k = 0; k < s->rows; k++) {
        const double off = s->logp[k] - mean;
        squares += s->p->weight[s->left_out[k]] * off * off;
    }
    *out = (sfi_left_out_result){.h = h, .mean = mean};
    out->se = sqrt(squares / total / fmax(n - 1.0, 1.0));
    return SF_OK;
}
