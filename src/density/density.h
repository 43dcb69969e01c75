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

/* Programs hold the parameters' values as constants.  Those that not everybody
 * needs are NULL until they are asked for. */
typedef struct sfi_density_programs {
    sf_program *at;       /* of x: ln p and score                  */
    sf_program *both;     /* of y: -ln p and its gradient          */
    sf_program *value;    /* -ln p alone                           */
    sf_program *gradient; /* of -ln p alone                        */
    sf_program *product;  /* of y and v: the Hessian of -ln p, times v */
} sfi_density_programs;

struct sf_density {
    sf_context *ctx;
    char *text;
    int64_t dim;
    char **names;      /* [dim] */
    char *domain_text; /* as it was given */
    sfi_domain domain;
    int parameter_count;
    sfi_density_parameter *parameters;
    sfi_density_programs programs;
};

/* Take the parameters' present values into the programs.  SF_OK or SF_E_NOMEM; on
 * failure the programs are those of before. */
sf_status sfi_density_update(sf_density *d);
void sfi_density_free_programs(sfi_density_programs *programs);

/* The names of the text as nodes of a graph: the parameters, to be taken in the
 * order of d->parameters, and the numbers of x [dim].  *logp is a number.
 * Returns SF_OK, SF_E_PARSE, SF_E_SHAPE, SF_E_ARG or SF_E_NOMEM. */
sf_status sfi_density_parameters(const sf_density *d, sf_graph *g,
                                 sf_node *parameters);
sf_status sfi_density_node(const sf_density *d, sf_graph *g, sf_node x,
                           const sf_node *parameters, sf_node *logp);

#endif
