/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h - exact optimal transport between two tables of equal weights:
 *
 *     min sum f_ij c_ij,     sum over j of f_ij = 1/n,  over i = 1/m,  f_ij >= 0
 *
 * All is allocated before; running allocates nothing. */
#ifndef SFI_TRANSPORT_H
#define SFI_TRANSPORT_H

#include "base/context.h"

typedef struct sfi_transport sfi_transport;

/* Room for n sources and m sinks, n m + 100 (n + m) bytes or so besides the costs.
 * Returns SF_OK or SF_E_NOMEM; then *out is NULL. */
sf_status sfi_transport_new(sf_context *ctx, sfi_transport **out, int64_t n,
                            int64_t m);
void sfi_transport_free(sf_context *ctx, sfi_transport *t); /* or NULL */

/* The costs, [n, m], to be filled before each run: finite, >= 0. */
double *sfi_transport_costs(sfi_transport *t);

/* The least sum, to 1e-13 (n + m) times the largest cost. */
double sfi_transport_run(sfi_transport *t);

#endif
