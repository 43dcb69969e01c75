/* SPDX-License-Identifier: Apache-2.0 */
/* energy.c - the energy distance of two tables, and its permutation test.
 *
 * With weights s_i = 1/n for rows of the one table and -1/m for rows of the
 * other, the distance of the empirical laws is the quadratic form
 *
 *     E = - sum over i, j of s_i D_ij s_j,      D_ij = |z_i - z_j|
 *
 * over the joined rows z.  A permutation of labels changes s alone.  So the test
 * takes the matrix S of all labellings (a column each, the true one first) and
 * forms S' D S's diagonal by blocks of rows of D: each block is one matrix
 * product, and D is never held as a whole. */
#include "compare/compare.h"

#include "base/parallel.h"
#include "base/random.h"
#include "num/linalg.h"
#include "num/loops.h"
#include "num/sort.h"

#include <math.h>

enum { BLOCK = 64 };

sf_status sfi_energy(sf_context *ctx, sf_energy *out, const sfi_points *x,
                     const sfi_points *y)
{
    const double n = (double)x->n, m = (double)y->n;
    double xy = 0.0, xx = 0.0, yy = 0.0;
    SFI_TRY(sfi_pairs_sum(ctx, &xy, x, y));
    SFI_TRY(sfi_pairs_sum(ctx, &xx, x, x));
    SFI_TRY(sfi_pairs_sum(ctx, &yy, y, y));
    const double between = 2.0 * xy / (n * m);
    out->distance = between - xx / (n * n) - yy / (m * m);
    out->unbiased = between - xx / (n * (n - 1.0)) - yy / (m * (m - 1.0));
    out->relative = between > 0.0 ? out->distance / between : 0.0;
    return SF_OK;
}

sf_status sf_energy_distance(sf_context *ctx, sf_energy *out, sf_cmat x,
                             sf_cmat y)
{
    SFI_TRY(sfi_check_table(ctx, x, true, "energy distance: x"));
    SFI_TRY(sfi_check_table(ctx, y, true, "energy distance: y"));
    if (x.rows < 1 || y.rows < 1 || x.cols < 1 || x.cols != y.cols)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "energy distance: x is [%lld, %lld], y is [%lld, "
                        "%lld], want rows, and the same columns",
                        (long long)x.rows, (long long)x.cols, (long long)y.rows,
                        (long long)y.cols);
    sfi_points a = {0, 0, NULL, NULL}, b = a;
    sf_energy result;
    sf_status status = SF_OK;
    SFI_CHECK(sfi_points_new(ctx, &a, x, NULL, 0, NULL));
    SFI_CHECK(sfi_points_new(ctx, &b, y, NULL, 0, NULL));
    SFI_CHECK(sfi_energy(ctx, &result, &a, &b));
    *out = result;

done:
    sfi_points_free(ctx, &b);
    sfi_points_free(ctx, &a);
    return status;
}

/* s [padded, ld]: column 0 is the true labelling, the others permute it; padded
 * rows and columns stay zero.  index [rows] is scratch. */
static void fill_labels(double *s, int64_t labellings, int64_t ld,
                        const int64_t rows[2], uint64_t seed, int64_t *index)
{
    const int64_t total = rows[0] + rows[1];
    for (int64_t k = 0; k < labellings; k++) {
        for (int64_t i = 0; i < total; i++)
            index[i] = i;
        if (k > 0)
            sfi_shuffle(seed, (uint32_t)k, index, total);
        for (int64_t i = 0; i < total; i++)
            s[index[i] * ld + k] =
                i < rows[0] ? 1.0 / (double)rows[0] : -1.0 / (double)rows[1];
    }
}

/* The quadratic forms of all labellings, as the workers see them. */
typedef struct form_job {
    const sfi_points *z;
    const double *s;        /* [padded, ld]             */
    int64_t labellings, ld; /* ... of ld, the row of s  */
    int64_t padded;         /* ... rows of z            */
    double *part;           /* [blocks, labellings]     */
    double *work;           /* [workers, each] the distances, the product, and
                                   what forming it asks for */
    size_t each;
} form_job;

/* part = sum of s_i D_ij s_j over the rows of one block. */
static void block_form(void *user, int worker, int64_t block)
{
    const form_job *j = user;
    const sfi_points *z = j->z;
    const double *s = j->s;
    const int64_t labellings = j->labellings, ld = j->ld, padded = j->padded;
    double *part = j->part + block * labellings;
    double *work = j->work + (size_t)worker * j->each;
    const int64_t first = block * BLOCK;
    const int64_t end = sfi_smaller(first + BLOCK, z->n);
    double *product = work + BLOCK * padded;
    sfi_pairs_rows(work, padded, z, first, end);
    const sfi_gemm g = {.m = end - first,
                        .n = ld,
                        .k = padded,
                        .a = work,
                        .a_row = padded,
                        .a_col = 1,
                        .b = s,
                        .ldb = ld,
                        .c = product,
                        .ldc = ld};
    sfi_loops_for(SF_F64)->gemm(&g, product + BLOCK * ld);
    for (int64_t k = 0; k < labellings; k++)
        part[k] = 0.0;
    for (int64_t i = first; i < end; i++) {
        const double *row = product + (i - first) * ld;
        for (int64_t k = 0; k < labellings; k++)
            part[k] += s[i * ld + k] * row[k];
    }
}

static void judge(sf_compare_test *test, double *energy, int permutations,
                  double *scratch)
{
    const double observed = energy[0];
    int at_least = 1; /* the true labelling itself */
    double sum = 0.0;
    for (int k = 1; k <= permutations; k++) {
        /* A labelling that is the true one again differs by rounding. */
        at_least += energy[k] >= observed * (1.0 - 1e-12);
        sum += energy[k];
    }
    test->permutations = permutations;
    test->distance = observed;
    test->null_mean = test->null_95 = test->p = (double)NAN;
    if (permutations == 0)
        return;
    sfi_sort(energy + 1, scratch, permutations);
    test->null_mean = sum / permutations;
    test->null_95 = sfi_quantile(energy + 1, permutations, 0.95);
    test->p = (double)at_least / (double)(permutations + 1);
}

sf_status sfi_energy_test(sf_context *ctx, sf_compare_test *test,
                          const sfi_points *joined, const int64_t rows[2],
                          int permutations, uint64_t seed)
{
    const int64_t total = joined->n;
    const int64_t labellings = (int64_t)permutations + 1;
    const int64_t ld = sfi_row_length(labellings);
    const int64_t padded = (total + SFI_PANEL - 1) / SFI_PANEL * SFI_PANEL;
    const int64_t blocks = (total + BLOCK - 1) / BLOCK;
    const int workers = sfi_parallel_workers(ctx, blocks);
    const size_t s_count = (size_t)(padded * ld);
    const size_t part_count = (size_t)(blocks * labellings);
    const size_t product_work =
        sfi_loops_for(SF_F64)->gemm_work(BLOCK, ld, padded) / sizeof(double);
    const size_t each =
        (size_t)(BLOCK * (padded + ld)) + (product_work + 8) / 8 * 8;
    const size_t work_count = (size_t)workers * each;
    const size_t energy_count = 2 * (size_t)labellings;
    sf_status status = SF_E_NOMEM;
    int64_t *index = sfi_alloc(ctx, (size_t)total, sizeof *index);
    double *s = sfi_alloc_zero(ctx, s_count, sizeof *s);
    double *part = sfi_alloc(ctx, part_count, sizeof *part);
    double *work = sfi_alloc(ctx, work_count, sizeof *work);
    double *energy = sfi_alloc_zero(ctx, energy_count, sizeof *energy);
    if (index == NULL || s == NULL || part == NULL || work == NULL ||
        energy == NULL)
        goto done;
    fill_labels(s, labellings, ld, rows, seed, index);
    form_job job = {joined, s, labellings, ld, padded, part, work, each};
    sfi_parallel_tasks(workers, blocks, block_form, &job);
    for (int64_t b = 0; b < blocks; b++) {
        for (int64_t k = 0; k < labellings; k++)
            energy[k] -= part[b * labellings + k];
    }
    test->rows[0] = rows[0];
    test->rows[1] = rows[1];
    judge(test, energy, permutations, energy + labellings);
    status = SF_OK;

done:
    sfi_free(ctx, energy, energy_count, sizeof *energy);
    sfi_free(ctx, work, work_count, sizeof *work);
    sfi_free(ctx, part, part_count, sizeof *part);
    sfi_free(ctx, s, s_count, sizeof *s);
    sfi_free(ctx, index, (size_t)total, sizeof *index);
    return status;
}
