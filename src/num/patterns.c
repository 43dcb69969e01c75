/* SPDX-License-Identifier: Apache-2.0 */
/* patterns.c - patterns of missing cells are equal rows of zeros and ones. */
#include "num/patterns.h"

#include "num/equal_rows.h"

#include <math.h>

bool sfi_has_missing(sf_cmat x)
{
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t j = 0; j < x.cols; j++)
            if (isnan(x.data[i * x.stride + j]))
                return true;
    return false;
}

void sfi_patterns_free(sfi_patterns *p)
{
    if (p == NULL)
        return;
    const size_t n = (size_t)p->rows, d = (size_t)p->cols;
    sfi_free(p->ctx, p->present, (size_t)p->count * d, 1);
    sfi_free(p->ctx, p->first, (size_t)p->count + 1, sizeof *p->first);
    sfi_free(p->ctx, p->order, n, sizeof *p->order);
    sfi_free(p->ctx, p, 1, sizeof *p);
}

/* there [rows, cols] is 1 where a cell is; returns how many are not. */
static int64_t look(sf_cmat x, double *there)
{
    int64_t missing = 0;
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t j = 0; j < x.cols; j++) {
            const bool is_there = !isnan(x.data[i * x.stride + j]);
            there[i * x.cols + j] = is_there ? 1.0 : 0.0;
            missing += !is_there;
        }
    return missing;
}

/* `same` [rows] is the first row that each is equal to, and becomes the number of
 * its pattern. */
static sf_status sort(sfi_patterns *p, const double *there, int64_t *same)
{
    p->count = 0;
    for (int64_t i = 0; i < p->rows; i++)
        same[i] = same[i] == i ? p->count++ : same[same[i]];
    const size_t count = (size_t)p->count, d = (size_t)p->cols;
    p->first = sfi_alloc_zero(p->ctx, count + 1, sizeof *p->first);
    p->present = sfi_alloc(p->ctx, count * d, 1);
    if (p->first == NULL || p->present == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < p->rows; i++)
        p->first[same[i] + 1]++;
    for (int64_t k = 0; k < p->count; k++)
        p->first[k + 1] += p->first[k];
    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t j = 0; j < p->cols; j++)
            p->present[same[i] * p->cols + j] = there[i * p->cols + j] > 0.0;
        p->order[p->first[same[i]]++] = i;
    }
    for (int64_t k = p->count; k > 0; k--)
        p->first[k] = p->first[k - 1];
    p->first[0] = 0;
    return SF_OK;
}

sf_status sfi_patterns_new(sf_context *ctx, sfi_patterns **out, sf_cmat x)
{
    *out = NULL;
    const size_t n = (size_t)x.rows, cells = n * (size_t)x.cols;
    sfi_patterns *p = sfi_alloc_zero(ctx, 1, sizeof *p);
    double *there = sfi_alloc(ctx, cells, sizeof *there);
    int64_t *same = sfi_alloc(ctx, n, sizeof *same);
    sf_status status = SF_E_NOMEM;
    if (p != NULL) {
        p->ctx = ctx;
        p->rows = x.rows;
        p->cols = x.cols;
        p->order = sfi_alloc(ctx, n, sizeof *p->order);
    }
    if (p != NULL && p->order != NULL && there != NULL && same != NULL) {
        p->missing = look(x, there);
        const sf_cmat table = {there, x.rows, x.cols, x.cols};
        status = sfi_find_copies(ctx, 1, &table, same, NULL);
        if (status == SF_OK)
            status = sort(p, there, same);
    }
    sfi_free(ctx, same, n, sizeof *same);
    sfi_free(ctx, there, cells, sizeof *there);
    if (status != SF_OK) {
        sfi_patterns_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}
