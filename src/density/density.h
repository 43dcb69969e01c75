/* SPDX-License-Identifier: Apache-2.0 */
/* density.h - what a typed density is made of. */
#ifndef SFI_DENSITY_H
#define SFI_DENSITY_H

#include "density/domain.h"
#include "scorefield/density.h"
#include "scorefield/program.h"

/* One parameter, owned. */
typedef struct sfi_density_parameter {
    char *name;
    int rank;
    int64_t shape[SF_MAX_RANK];
    int64_t count; /* elements */
    double *value;
} sfi_density_parameter;

struct sf_density {
    sf_context *ctx;
    char *text;
    int64_t dim;
    char **names;      /* [dim] */
    char *domain_text; /* as it was given */
    sfi_domain domain;
    int parameter_count;
    sfi_density_parameter *parameters;
    const void **values; /* [parameter_count], for programs */

    /* Of x: ln p and score.  Of y: -ln p; its gradient; both; the Hessian times a
     * vector. */
    sf_program *at, *value, *gradient, *both, *product;
};

/* The names of the text as nodes of a graph: the parameters, to be taken in the
 * order of d->parameters, and the numbers of x [dim].  *logp is a number.
 * Returns SF_OK, SF_E_PARSE, SF_E_SHAPE, SF_E_ARG or SF_E_NOMEM. */
sf_status sfi_density_parameters(const sf_density *d, sf_graph *g,
                                 sf_node *parameters);
sf_status sfi_density_node(const sf_density *d, sf_graph *g, sf_node x,
                           const sf_node *parameters, sf_node *logp);

#endif
