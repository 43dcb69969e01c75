/* SPDX-License-Identifier: Apache-2.0 */
/* features.c - columns become coordinates one after the other; how many a column has
 * is decided from all tables, so that they agree.  Which levels are common is, too: the
 * commonest ones of real are partly so by chance, and would tell its rows from others
 * of the same distribution. */
#include "compare/features.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

static bool misses(const sfi_mixed *m, int64_t j)
{
    for (int k = 0; k < SFI_TABLES; k++) {
        const double *x = sfi_mixed_cells(m, k, j);
        for (int64_t i = 0; i < m->rows[k]; i++)
            if (isnan(x[i]))
                return true;
    }
    return false;
}

/* Coordinates of a column but for that of missing cells. */
static int64_t width(const sfi_mixed_column *c)
{
    if (c->compared == SF_COMPARED_CIRCLE)
        return 2;
    if (c->compared == SF_COMPARED_NUMBER)
        return 1;
    return c->levels < SFI_COMMON_LEVELS ? c->levels : SFI_COMMON_LEVELS + 1;
}

int64_t sfi_features_count(const sfi_mixed *m, int64_t skip)
{
    int64_t count = 0;
    for (int64_t j = 0; j < m->cols; j++)
        count += j != skip ? width(&m->column[j]) + misses(m, j) : 0;
    return count;
}

/* A number that real never changes is 0 there and 1 elsewhere. */
static double standardised(double x, const sf_frames_column *about)
{
    const double mean = about->mean[SFI_REAL], sd = about->sd[SFI_REAL];
    if (isnan(mean))
        return 0.0;
    return sd > 0.0 ? (x - mean) / sd : x != about->quantile[SFI_REAL][0];
}

static void put_cell(double *to, double x, const sfi_mixed_column *c,
                     const sf_frames_column *about, const unsigned char *group)
{
    const int64_t wide = width(c);
    if (isnan(x)) {
        to[wide] = 1.0;
    } else if (c->compared == SF_COMPARED_CIRCLE) {
        to[0] = cos(2.0 * PI * x / c->period);
        to[1] = sin(2.0 * PI * x / c->period);
    } else if (c->compared == SF_COMPARED_NUMBER) {
        to[0] = standardised(x, about);
    } else {
        to[group[(int64_t)x]] = sqrt(0.5);
    }
}

/* The coordinates of column j from `at` on; returns where the next begin. */
static int64_t put_column(sfi_features *f, const sfi_mixed *m, int64_t j,
                          const sf_frames_column *about, int64_t at,
                          const unsigned char *group)
{
    for (int k = 0; k < SFI_TABLES; k++) {
        const double *x = sfi_mixed_cells(m, k, j);
        for (int64_t i = 0; i < m->rows[k]; i++)
            put_cell(f->x[k] + i * f->cols + at, x[i], &m->column[j], about,
                     group);
    }
    return at + width(&m->column[j]) + misses(m, j);
}

static sf_status put_columns(sf_context *ctx, sfi_features *f,
                             const sfi_mixed *m, const sf_frames_column *about,
                             int64_t skip)
{
    int64_t at = 0, most = 0;
    for (int64_t j = 0; j < m->cols; j++)
        most = m->column[j].levels > most ? m->column[j].levels : most;
    unsigned char *group = sfi_alloc(ctx, (size_t)most, sizeof *group);
    int64_t *count = sfi_alloc(ctx, (size_t)most, sizeof *count);
    const bool there = group != NULL && count != NULL;
    for (int64_t j = 0; j < m->cols && there; j++) {
        if (j == skip)
            continue;
        if (m->column[j].compared == SF_COMPARED_CATEGORY)
            sfi_number_common(m, j, SFI_TABLES, group, count);
        at = put_column(f, m, j, &about[j], at, group);
    }
    sfi_free(ctx, count, (size_t)most, sizeof *count);
    sfi_free(ctx, group, (size_t)most, sizeof *group);
    return there ? SF_OK : SF_E_NOMEM;
}

sf_status sfi_features_new(sf_context *ctx, sfi_features *out,
                           const sfi_mixed *m, const sf_frames_column *about,
                           int64_t skip)
{
    sf_status status = SF_OK;
    memset(out, 0, sizeof *out);
    out->cols = sfi_features_count(m, skip);
    for (int k = 0; k < SFI_TABLES; k++) {
        out->rows[k] = m->rows[k];
        out->x[k] = sfi_alloc_zero(ctx, (size_t)(out->rows[k] * out->cols),
                                   sizeof *out->x[k]);
        if (out->x[k] == NULL)
            status = SF_E_NOMEM;
    }
    if (status == SF_OK)
        status = put_columns(ctx, out, m, about, skip);
    if (status != SF_OK)
        sfi_features_free(ctx, out);
    return status;
}

void sfi_features_free(sf_context *ctx, sfi_features *f)
{
    for (int k = 0; k < SFI_TABLES; k++)
        sfi_free(ctx, f->x[k], (size_t)(f->rows[k] * f->cols), sizeof *f->x[k]);
    memset(f, 0, sizeof *f);
}
