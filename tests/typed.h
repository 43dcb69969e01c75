/* SPDX-License-Identifier: Apache-2.0 */
/* typed.h - models asked in one line, for the tests of verbs. */
#ifndef SFI_TESTS_TYPED_H
#define SFI_TESTS_TYPED_H

#include "check.h"
#include "scorefield/density.h"

/* ln p [n] and the score; either may be absent. */
SFI_UNUSED static sf_status eval_typed(const sf_model *m, sf_cmat x,
                                       double *logp, sf_mat score)
{
    const sf_model_values values = {
        .score = score, .logpdf = {logp, logp != NULL ? x.rows : 0, 1, 1}};
    return sf_model_eval(m, x, 0.0, &values);
}

/* The functional of a model at time 0, and what is to be freed after it. */
SFI_UNUSED static sf_evaluator *
functional_of(sf_context *ctx, const sf_model *m, sf_functional *f)
{
    sf_evaluator *owner = NULL;
    CHECK_OK(ctx, sf_model_functional(ctx, &owner, f, m, 0.0));
    return owner;
}

#endif
