/* SPDX-License-Identifier: Apache-2.0 */
/* velocity_table.h - velocities that are integrals, read from a table.
 *
 * At one time t the part of a velocity that is dear is a function of one number
 * for all pairs of a point and a datum (kernel.h, `reduced`): a table made once a
 * time serves them all, by cubics through its four nearest values.  With STEP
 * standard deviations of the noise between values the error is about 1e-6 of the
 * noise's width.  Values are at multiples of a step that follows from the time, so
 * that what is read does not depend on what else the table covers (but far from all
 * data, where steps grow). */
#ifndef SFI_VELOCITY_TABLE_H
#define SFI_VELOCITY_TABLE_H

#include "kernel/noise.h"
#include "scorefield/program.h"

#include <math.h>

typedef struct sfi_velocity_table {
    sf_context *ctx;
    double spread;
    sf_program *program;
    double t;         /* of the table, NaN: there is none yet */
    double low, high; /* what it covers                       */
    double over_step;
    int64_t before; /* value i is at (before + i) steps */
    int64_t count;
    size_t capacity;
    double *at, *value; /* [capacity] */
} sfi_velocity_table;

/* For a kernel that has `reduced` and outlives it; `spread` is that of its noise
 * over t.  SF_OK or SF_E_NOMEM. */
sf_status sfi_velocity_table_new(sf_context *ctx, sfi_velocity_table **out,
                                 const sfi_kernel *k, double spread);
void sfi_velocity_table_free(sfi_velocity_table *p);

/* Make it cover r from low to high at time t, which it may do already.  SF_OK or
 * SF_E_NOMEM. */
sf_status sfi_velocity_table_cover(sfi_velocity_table *p, double t, double low,
                                   double high);

/* The velocity's part at r, which is covered; NaN for NaN. */
static inline double sfi_velocity_table_at(const sfi_velocity_table *p,
                                           double r)
{
    const double place = r * p->over_step, down_to = floor(place);
    const double from = down_to - (double)p->before;
    if (!(from >= 1.0 && from <= (double)(p->count - 3)))
        return NAN;
    const int64_t i = (int64_t)from;
    const double u = place - down_to;
    const double *v = p->value + i;
    /* Lagrange's cubic through -1, 0, 1, 2. */
    const double down = u - 1.0, far = u - 2.0, up = u + 1.0;
    return (1.0 / 6.0) * (up * u * down * v[2] - u * down * far * v[-1]) +
           0.5 * up * far * (down * v[0] - u * v[1]);
}

#endif
