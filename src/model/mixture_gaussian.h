/* SPDX-License-Identifier: Apache-2.0 */
/* mixture_gaussian.h - a data set under Gaussian noise: all that is asked of it
 * is a function of the posterior's mean and covariance, which num/posterior.h
 * streams. */
#ifndef SFI_MIXTURE_GAUSSIAN_H
#define SFI_MIXTURE_GAUSSIAN_H

#include "model/mixture.h"

typedef struct sfi_mixture_gaussian sfi_mixture_gaussian;

/* As sfi_mixture_new(), but *out is NULL with SF_OK where the noise is not
 * Gaussian, in the chart, on one path.  `log_weights` sum to 1 (NULL: equal) and are read until
 * it is freed; the data is copied. */
sf_status sfi_mixture_gaussian_new(sf_context *ctx, sfi_mixture_gaussian **out,
                                   const sfi_noise *noise, sf_cmat data,
                                   const double *log_weights, bool spread);
void sfi_mixture_gaussian_free(sfi_mixture_gaussian *p);

/* Whether it can give all that is wanted. */
bool sfi_mixture_gaussian_gives(const sfi_mixture_gaussian *p,
                                const sfi_mixture_want *want);

/* What sfi_mixture_run() gives of `want`'s first six members, at time t; with
 * velocity and divergence 0 if the data does not move. */
sf_status sfi_mixture_gaussian_run(sfi_mixture_gaussian *p, sf_cmat y, double t,
                                   bool moving, const sfi_mixture_want *want);

#endif
