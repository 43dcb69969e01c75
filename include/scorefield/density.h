/* SPDX-License-Identifier: Apache-2.0 */
/* density.h - log densities typed as text, known up to a constant: a family of
 * model (model.h), called "density". */
#ifndef SCOREFIELD_DENSITY_H
#define SCOREFIELD_DENSITY_H

#include "scorefield/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_density_options {
    size_t size; /* set by _INIT */

    /* [dim], the names of the components of a point; NULL: x0, x1, ... */
    const char *const *names;

    /* The support, "FORM" for all components of a point, or "NAME=FORM;
     * NAME,NAME=FORM; ..." with "real" for those not named:
     *
     *     real      any number
     *     LO:HI     between two bounds, of which one may be left out
     *     positive  0:
     *     circle    an angle in radians, of period 2 pi: (-pi, pi]
     *     simplex   proportions > 0 whose sum is 1, at least two components
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

/* Make a model of points x [dim] whose log density, up to a constant, is `text`
 * (docs/EXPRESSIONS.md).  The text may use the options' names and parameters, and
 * `x` for the whole point as a vector unless that is one of the names; its value
 * is a scalar, or a vector of one element.  `options` may be NULL.  The parameters are
 * the model's (sf_model_parameter()).
 *
 * Densities are with respect to Lebesgue measure in the units of x; for proportions, on
 * all but the last.  The score of proportions is that of the text as it stands.
 *
 * There is no noise: such a model answers at time 0 alone, and
 * sf_model_can(SF_CAN_NOISE) is false.  It is not normalised.
 *
 * Returns SF_OK; SF_E_PARSE, SF_E_SHAPE (as sf_parse(); a value that is not a
 * scalar); SF_E_ARG (dim < 1, a name that is used twice or empty, a domain that is
 * none, a parameter that is not finite); SF_E_NOMEM. */
SF_API sf_status sf_density_new(sf_context *ctx, sf_model **out,
                                const char *text, int64_t dim,
                                const sf_density_options *options);

/* The text and the domain that a density was made with; NULL of other models.
 * They live as long as the model. */
SF_API const char *sf_density_text(const sf_model *model);
SF_API const char *sf_density_domain(const sf_model *model);

/* The names of a text that are neither `known` (NULL: none) nor constants nor
 * functions, in the order in which they appear.  On success *names holds *count
 * strings, to be freed by sf_density_free_names(); on failure NULL and 0.
 * Returns SF_OK, SF_E_PARSE, SF_E_SHAPE, SF_E_NOMEM. */
SF_API sf_status sf_density_find_names(sf_context *ctx, const char *text,
                                       int known_count,
                                       const sf_parameter *known, char ***names,
                                       int64_t *count);
SF_API void sf_density_free_names(sf_context *ctx, char **names, int64_t count);

#ifdef __cplusplus
}
#endif
#endif
