/* SPDX-License-Identifier: Apache-2.0 */
/* transform.h - real transforms of all lines of an array along one of its axes.
 *
 * transform_kind.h says what the transforms are, and which one suits the walls of an
 * axis.  Here a line is planned once and every array of such lines can be
 * transformed, in place, without allocating.
 *
 * Our own transforms (transform_own.h) take eight lines at once, a vector element
 * each.  FFTW, where this build has it (cmake -DSCOREFIELD_FFTW), takes the lengths
 * that are no powers of two but have small factors; docs/decisions/transforms.md has
 * the measurements.
 *
 * Error of a result, relative to the line in the Euclidean norm: a few 1e-16 times
 * log2(n). */
#ifndef SFI_TRANSFORM_H
#define SFI_TRANSFORM_H

#include "base/context.h"
#include "num/transform_kind.h"

typedef struct sfi_transform sfi_transform;

typedef enum sfi_transform_engine {
    SFI_TRANSFORM_BEST,
    SFI_TRANSFORM_OWN,
    SFI_TRANSFORM_FFTW
} sfi_transform_engine;

enum { SFI_TRANSFORM_AXES = 4 };

/* An array with any steps between neighbours.  What is float is transformed in
 * double and rounded at the end. */
typedef struct sfi_line_array {
    sf_dtype dtype;
    void *data;
    int rank; /* 1 to SFI_TRANSFORM_AXES */
    int64_t count[SFI_TRANSFORM_AXES];
    int64_t step[SFI_TRANSFORM_AXES]; /* in elements; elements do not overlap */
    int axis;                         /* along which the lines run            */
} sfi_line_array;

/* Plan for lines of n numbers, for as many threads as the context has now.
 * Returns SF_OK, or with *out NULL
 *   SF_E_SHAPE        n below sfi_transform_least(kind), or above 2^30
 *   SF_E_UNSUPPORTED  FFTW is asked for, and this build has none
 *   SF_E_NOMEM */
sf_status sfi_transform_new(sf_context *ctx, sfi_transform **out,
                            sfi_transform_kind kind, int64_t n,
                            sfi_transform_engine engine);
void sfi_transform_free(sfi_transform *t);

/* Transform every line.  lines->count[lines->axis] is the n of the plan.  The
 * result has the same bits for any number of threads.  One plan runs one array at a
 * time. */
void sfi_transform_run(sfi_transform *t, const sfi_line_array *lines);

/* What computes it: "own" or FFTW's name and version. */
const char *sfi_transform_engine_name(const sfi_transform *t);

#endif
