/* SPDX-License-Identifier: Apache-2.0 */
/* proposal.c - draws from a mixture of a Student-t and the prior, and its density.  A
 * chi-squared number of 6 degrees is -2 ln(u1 u2 u3). */
#include "latent/proposal.h"

#include "num/special.h"

#include <math.h>

static const double degrees = 6.0, widening = 1.2;
static const double log_two_pi = 1.83787706640934548356;

sfi_proposal sfi_proposal_make(int n, double share)
{
    return (sfi_proposal){.n = n,
                          .log_share = {log1p(-share), log(share)},
                          .log_norm =
                              sfi_lgamma(0.5 * (degrees + n)) -
                              sfi_lgamma(0.5 * degrees) -
                              0.5 * n * (log(0.5 * degrees) + log_two_pi)};
}

double sfi_proposal_log(const sfi_proposal *p, const double *z,
                        const double *at, const double *l)
{
    const int n = p->n;
    double from[SFI_SMALL_MAX], square = 0.0, from_prior = 0.0, log_det = 0.0;
    for (int k = 0; k < n; k++) {
        from[k] = z[k] - at[k];
        log_det += log(l[k * n + k]);
        from_prior += z[k] * z[k];
    }
    sfi_small_lower_solve(l, n, from);
    for (int k = 0; k < n; k++)
        square += from[k] * from[k] / widening;
    const double a = p->log_share[0] + p->log_norm - log_det -
                     0.5 * n * log(widening) -
                     0.5 * (degrees + n) * log1p(square / degrees);
    const double b = p->log_share[1] - 0.5 * (from_prior + n * log_two_pi);
    return fmax(a, b) + log1p(exp(-fabs(a - b)));
}

void sfi_proposal_draw(const sfi_proposal *p, bool of_prior, sfi_where where,
                       uint32_t first, const double *at, const double *l,
                       double *z)
{
    const int n = p->n;
    double normal[SFI_SMALL_MAX];
    for (int k = 0; k < n; k++)
        normal[k] = z[k] = sfi_normal_at(where, first + (uint32_t)k);
    if (of_prior)
        return;
    const uint32_t next = first + (uint32_t)(n + 3) / 4 * 4;
    double chi_squared = 0.0;
    for (uint32_t k = 0; k < 3; k++)
        chi_squared -= 2.0 * log(sfi_uniform_at(where, next + k));
    const double scale = sqrt(widening * degrees / chi_squared);
    for (int j = 0; j < n; j++) {
        z[j] = at[j];
        for (int k = 0; k <= j; k++)
            z[j] += scale * l[j * n + k] * normal[k];
    }
}
