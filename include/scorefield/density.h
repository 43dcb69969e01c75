/* SPDX-License-Identifier: Apache-2.0 */
/* density.h - log densities typed as text, known up to a constant. */
#ifndef SCOREFIELD_DENSITY_H
#define SCOREFIELD_DENSITY_H

#include "scorefield/functional.h"
#include "scorefield/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_density sf_density;

/* A name of the text that stands for numbers which are the same for all points. */
typedef struct sf_parameter {
    const char *name;
    int rank;                   /* 0 for one number          */
    int64_t shape[SF_MAX_RANK]; /* its first `rank` are used */
    const double *value;        /* row-major; copied         */
} sf_parameter;

typedef struct sf_density_options {
    size_t size; /* set by _INIT */

    /* [dim], the names that stand for the numbers of a point; NULL: x0, x1, ... */
    const char *const *names;

    /* Where a point may be, "FORM" for all of its numbers, or "NAME=FORM;
     * NAME,NAME=FORM; ..." with "real" for those not named:
     *
     *     real      any number
     *     LO:HI     between two bounds, of which one may be left out
     *     positive  0:
     *     circle    an angle in radians, of period 2 pi: (-pi, pi]
     *     simplex   shares > 0 whose sum is 1, of at least two numbers
     *
     * NULL: "real". */
    const char *domain;

    int parameter_count;
    const sf_parameter *parameters;
} sf_density_options;

#define SF_DENSITY_OPTIONS_INIT                                                \
    {                                                                          \
        sizeof(sf_density_options), NULL, NULL, 0, NULL                        \
    }

/* Make the density of points x [dim] whose logarithm, up to a constant, is `text`
 * (docs/EXPRESSIONS.md).  The text may use the options' names and parameters, and
 * `x` for the whole point as a vector unless that is one of the names; its value
 * is one number, or a vector of one.  `options` may be NULL.
 *
 * Densities are with respect to Lebesgue measure in the units of x; of shares, of
 * all but the last.
 *
 * Returns SF_OK; SF_E_PARSE, SF_E_SHAPE (as sf_parse(); a value that is not one
 * number); SF_E_ARG (dim < 1, a name that is used twice or empty, a domain that is
 * none, a parameter that is not finite); SF_E_NOMEM. */
SF_API sf_status sf_density_new(sf_context *ctx, sf_density **out,
                                const char *text, int64_t dim,
                                const sf_density_options *options);
SF_API void sf_density_free(sf_density *density);

/* The names of a text that are neither `known` (NULL: none) nor constants nor
 * functions, in the order in which they appear.  On success *names holds *count
 * strings, to be freed by sf_density_free_names(); on failure NULL and 0.
 * Returns SF_OK, SF_E_PARSE, SF_E_SHAPE, SF_E_NOMEM. */
SF_API sf_status sf_density_find_names(sf_context *ctx, const char *text,
                                       int known_count,
                                       const sf_parameter *known, char ***names,
                                       int64_t *count);
SF_API void sf_density_free_names(sf_context *ctx, char **names, int64_t count);

/* Numbers of a point, and the name of one; it lives as long as the density. */
SF_API int64_t sf_density_dim(const sf_density *density);
SF_API const char *sf_density_name(const sf_density *density, int64_t column);

/* ln p [n], up to a constant, and the score grad ln p [n, dim] of points x
 * [n, dim]; either may be absent (NULL, or a matrix without data).  The score of
 * shares is that of the text as it stands.  Outside the domain ln p is -inf and the
 * score NaN.
 * Returns SF_OK, SF_E_SHAPE or SF_E_NOMEM. */
SF_API sf_status sf_density_eval(const sf_density *density, sf_cmat x,
                                 double *logp, sf_mat score);

/* ---- on all of the real line ---------------------------------------------------
 *
 * Solvers and samplers move y, of `unknowns` real numbers, one for each number of x
 * and one less for each group of shares:
 *
 *     real, circle  x = y
 *     LO:           x = LO + exp(y)            :HI  x = HI - exp(y)
 *     LO:HI         x = LO + (HI - LO) / (1 + exp(-y))
 *     simplex       by breaking a stick in parts 1/(1 + exp(-y_i) (k - i)),
 *                   i = 1, ..., k - 1, so that y = 0 is the middle
 *
 * The functional is -ln p of y, so ln |dx/dy| is in it. */
SF_API int64_t sf_density_unknowns(const sf_density *density);

/* A functional with values, gradients and Hessian products that uses the density,
 * which must outlive it; one thread at a time. */
SF_API void sf_density_functional(const sf_density *density,
                                  sf_functional *out);

/* x [n, dim] to y [n, unknowns] and back.  to_line returns SF_OK, SF_E_SHAPE, or
 * SF_E_NUMERIC where x is outside the domain: row, name and what was expected;
 * from_line SF_OK or SF_E_SHAPE. */
SF_API sf_status sf_density_to_line(const sf_density *density, sf_cmat x,
                                    sf_mat y);
SF_API sf_status sf_density_from_line(const sf_density *density, sf_cmat y,
                                      sf_mat x);

#ifdef __cplusplus
}
#endif
#endif
