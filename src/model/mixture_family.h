/* SPDX-License-Identifier: Apache-2.0 */
/* mixture_family.h - a data set under noise of exponential families: where every
 * block's density is exp(T(y).eta - A), so is that of a row, and
 *
 *     ln p_t(y)   the logarithm of a sum over data of exp(T(y).eta_i - A_i) w_i
 *     score       T'(y)^T E[eta | y]
 *     jacobian    the derivative of that by y alone, plus T'^T Cov(eta | y) T'
 *     denoised    E[x0 | y], of numbers that stand behind eta with a statistic of 0
 *     velocity    mixture_nodes.h, where it suits
 *     divergence  A'(t) - T.eta'(t), in the mean, less velocity times score
 *
 * which num/posterior.h streams: a product of two short vectors and an exponential
 * for each pair, whatever the kernels are. */
#ifndef SFI_MIXTURE_FAMILY_H
#define SFI_MIXTURE_FAMILY_H

#include "model/mixture.h"

typedef struct sfi_mixture_family sfi_mixture_family;

/* As sfi_mixture_new(), for times from `least` on, but *out is NULL with SF_OK where a kernel is of no
 * exponential family, or has none in few statistics.  `log_weights` sum to 1 (NULL:
 * equal); they, data and noise are read until it is freed. */
sf_status sfi_mixture_family_new(sf_context *ctx, sfi_mixture_family **out,
                                 const sfi_noise *noise, sf_cmat data,
                                 const double *log_weights, double least,
                                 sfi_velocity how);
void sfi_mixture_family_free(sfi_mixture_family *p);

/* Whether it can give all that is wanted. */
bool sfi_mixture_family_gives(const sfi_mixture_family *p,
                              const sfi_mixture_want *want);

/* What sfi_mixture_run() gives, with the data at `times` [n], which are t where
 * `moving` [n] is 1 and rest where it is 0.  SF_OK or SF_E_NOMEM. */
sf_status sfi_mixture_family_run(sfi_mixture_family *p, sf_cmat y, double t,
                                 const double *times, const double *moving,
                                 const sfi_mixture_want *want);

#endif
