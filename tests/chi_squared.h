/* SPDX-License-Identifier: Apache-2.0 */
/* chi_squared.h - whole numbers that were drawn against the law they are of. */
#ifndef SFI_TESTS_CHI_SQUARED_H
#define SFI_TESTS_CHI_SQUARED_H

#include "check.h"

/* K. Pearson's sum over cells 0..count-1, of which those that expect fewer than 10
 * are put together with their neighbours, as the normal deviate that E. B. Wilson
 * and M. M. Hilferty (1931) make of it.  Infinite if a draw is where no mass
 * is; `mass` must hold all of it. */
SFI_UNUSED static double chi_squared(const int64_t *seen, const double *mass,
                                     int64_t count)
{
    double draws = 0.0, sum = 0.0, want = 0.0, have = 0.0, cells = 0.0;
    for (int64_t i = 0; i < count; i++)
        draws += (double)seen[i];
    double rest = draws;
    for (int64_t i = 0; i < count; i++) {
        if (seen[i] > 0 && !(mass[i] > 0.0))
            return INFINITY;
        want += draws * mass[i];
        have += (double)seen[i];
        rest -= draws * mass[i];
        if (want < 10.0 || (rest < 10.0 && rest > 1e-9 * draws))
            continue;
        sum += (have - want) * (have - want) / want;
        cells += 1.0;
        want = have = 0.0;
    }
    if (want > 0.5) {
        sum += (have - want) * (have - want) / want;
        cells += 1.0;
    }
    if (cells < 2.0)
        return 0.0;
    const double freedom = cells - 1.0, spread = 2.0 / (9.0 * freedom);
    return (cbrt(sum / freedom) - 1.0 + spread) / sqrt(spread);
}

/* Whether draws follow the law: a deviate above 4 has probability 3e-5. */
#define CHECK_FOLLOWS(seen, mass, count)                                       \
    check_follows((seen), (mass), (count), __FILE__, __LINE__)

SFI_UNUSED static void check_follows(const int64_t *seen, const double *mass,
                                     int64_t count, const char *file, int line)
{
    double total = 0.0;
    for (int64_t i = 0; i < count; i++)
        total += mass[i];
    check_near(total, 1.0, 1e-9, "the mass of the law", file, line);
    const double deviate = chi_squared(seen, mass, count);
    if (deviate < 4.0)
        return;
    fprintf(stderr, "%s:%d: the deviate is %g\n", file, line, deviate);
    fail();
}

#endif
