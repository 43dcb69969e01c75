/* SPDX-License-Identifier: Apache-2.0 */
/* matching_influence.c - on how many rows does each number of an estimate rest?
 *
 * Score matching sees a density through the gradient of its logarithm.  Of parts that
 * are far apart the gradient says nothing about their weights, but for the few rows
 * between them (L. K. Wenliang and H. Kanagawa, Blindness of score-based methods to
 * isolated components and mixing proportions, arXiv 2008.10087).  The errors take what
 * these few happen to say for the truth: the weight of a normal law, 12 standard
 * deviations from another, may be 37 of its standard errors off, and nothing that is
 * computed from the rows, such as halves of them, shows that others were missing.
 *
 * What shows is how few they are.  Row i moves number k by f_ik/n, f_i = H^-1 g_i with
 * its gradient g_i, and
 *
 *     n_k = (sum_i f_ik^2)^2 / sum_i f_ik^4
 *
 * is the number of rows that would give the same variance if all of them moved it
 * equally: n/3 of a mean of normal numbers, n/15 of their variance.  An error that
 * rests on fewer than FEW rows, of many, is none. */
#include "fit/matching.h"

#include "num/linalg.h"

static const double few = 10.0, of_many = 0.02;

typedef struct influence {
    int64_t n;
    const double *factor;     /* of H, [n, n] */
    double *squares, *fourth; /* [n] */
} influence;

static sf_status add_rows(void *user, sf_mat slopes)
{
    const influence *f = user;
    sfi_cholesky_solve(f->factor, f->n, slopes);
    for (int64_t i = 0; i < slopes.rows; i++)
        for (int64_t k = 0; k < f->n; k++) {
            const double x = slopes.data[i * slopes.stride + k], x2 = x * x;
            f->squares[k] += x2;
            f->fourth[k] += x2 * x2;
        }
    return SF_OK;
}

sf_status sfi_match_influence(sfi_match *m, const sf_matching *out,
                              const double *factor, double *work)
{
    const int64_t n = m->count;
    influence f = {n, factor, work, work + n};
    if (!out->identified)
        return SF_OK;
    for (int64_t k = 0; k < 2 * n; k++)
        work[k] = 0.0;
    SFI_TRY(sfi_match_each(m, out->estimate, add_rows, &f));
    const double rows = (double)m->x.rows;
    for (int64_t k = 0; k < n; k++) {
        const double resting = f.squares[k] * f.squares[k] / f.fourth[k];
        char name[256];
        if (!(resting < few && resting < of_many * rows))
            continue;
        sfi_match_name(m, k, name, sizeof name);
        sfi_warn(m->ctx,
                 "%s rests on %.0f of %lld rows, and its standard error may be "
                 "far too small: of parts of a density that are far apart, "
                 "score matching sees the weights by the rows between them "
                 "alone",
                 name, resting < 1.0 ? 1.0 : resting, (long long)m->x.rows);
        return SF_OK;
    }
    return SF_OK;
}
