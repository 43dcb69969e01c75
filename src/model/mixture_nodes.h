/* SPDX-License-Identifier: Apache-2.0 */
/* mixture_nodes.h - the mean of the velocities u(y | x0_i) over a data set without
 * their value for each datum.
 *
 * Near the data u is (y - x0)/t, and away from them as smooth as the kernel's chart,
 * so that as a function of x0 it is a polynomial of low degree in a chart of x0, to
 * rounding, at every t.  With nodes x0_k and the Lagrange polynomials L_k of that
 * chart
 *
 *     u(y | x0) = sum_k u(y | x0_k) L_k(x0),
 *     E[u | y]  = sum_k u(y | x0_k) E[L_k(x0) | y]:
 *
 * a dear velocity is taken at some 20 nodes instead of all data, and what is left is
 * the posterior mean of as many numbers, which num/posterior.h streams.  A number
 * that is one of several columns has nodes of its own, since u of a column depends
 * on x0 of that column alone. */
#ifndef SFI_MIXTURE_NODES_H
#define SFI_MIXTURE_NODES_H

#include "kernel/noise.h"
#include "scorefield/array.h"

typedef struct sfi_mixture_nodes sfi_mixture_nodes;

/* For data [n, dim] at times from `least` on; they and the noise are read until it is
 * freed.  *out is NULL with SF_OK where a block is of several columns, or of angles, or
 * there are no more data than nodes.
 * SF_OK or SF_E_NOMEM. */
sf_status sfi_mixture_nodes_new(sf_context *ctx, sfi_mixture_nodes **out,
                                const sfi_noise *noise, sf_cmat data,
                                double least, sfi_velocity how);
void sfi_mixture_nodes_free(sfi_mixture_nodes *p);

/* How many numbers of a datum are to be averaged. */
int64_t sfi_mixture_nodes_count(const sfi_mixture_nodes *p);

/* They, of all data at time t. */
void sfi_mixture_nodes_fill(sfi_mixture_nodes *p, double t, sf_mat out);

/* E[u | y] of n points, at the time of the last fill: y [n, inner] and the means
 * [n, count].  SF_OK or SF_E_NOMEM. */
sf_status sfi_mixture_nodes_run(sfi_mixture_nodes *p, int64_t n, sf_cmat y,
                                sf_cmat mean, sf_mat velocity);

#endif
