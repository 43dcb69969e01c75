/* SPDX-License-Identifier: Apache-2.0 */
/* solve.h - the minimisers for whatever provides a functional; the contracts
 * are those of scorefield/solve.h. */
#ifndef SFI_SOLVE_H
#define SFI_SOLVE_H

#include "functional/functional.h"
#include "scorefield/solve.h"

sf_status sfi_minimize_lbfgs(sf_context *ctx, double *x,
                             sf_minimize_result *result, const sf_functional *f,
                             const sf_lbfgs_options *opts);

sf_status sfi_minimize_newton(sf_context *ctx, double *x,
                              sf_minimize_result *result,
                              const sf_functional *f,
                              const sf_newton_options *opts);

#endif
