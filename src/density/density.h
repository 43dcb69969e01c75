/* SPDX-License-Identifier: Apache-2.0 */
/* density.h - what a typed density is made of: a text, its domain, its parameters.
 *
 * It is data, and gives expressions; who evaluates it holds the programs
 * (sfi_density_programs), so that one density may be asked from many threads. */
#ifndef SFI_DENSITY_H
#define SFI_DENSITY_H

#include "density/domain.h"
#include "scorefield/density.h"
#include "scorefield/program.h"

/* One parameter.  Its value is the model's: sfi_density_bind(). */
typedef struct sfi_density_parameter {
    char *name;
    int rank;
    int64_t shape[SF_MAX_RANK];
    int64_t count; /* elements */
    double *value; /* [count]  */
} sfi_density_parameter;

typedef struct sfi_density {
    sf_context *ctx;
    char *text;
    int64_t dim;
    char **names;      /* [dim] */
    bool lends_names;  /* they are freed by another owner */
    char *domain_text; /* as it was given */
    sfi_domain domain;
    int parameter_count;
    sfi_density_parameter *parameters;
} sfi_density;

/* Check and take over what sf_density_new() is given, but for values; names are
 * x0, x1, ... where there are none.  Returns as it does, and on failure *out is
 * NULL. */
sf_status sfi_density_make(sf_context *ctx, sfi_density **out, const char *text,
                           int64_t dim, const sf_density_options *options);
void sfi_density_free(sfi_density *d);

/* Let the parameters' values be those at `values`, one after the other. */
void sfi_density_bind(sfi_density *d, double *values);

/* The names of the text as nodes of a graph: the parameters, to be taken in the
 * order of d->parameters, and the components of x [dim].  *logp has rank 0.
 * Returns SF_OK, SF_E_PARSE, SF_E_SHAPE, SF_E_ARG or SF_E_NOMEM. */
sf_status sfi_density_parameters(const sfi_density *d, sf_graph *g,
                                 sf_node *parameters);
sf_status sfi_density_node(const sfi_density *d, sf_graph *g, sf_node x,
                           const sf_node *parameters, sf_node *logp);

/* The same with the parameters' present values as constants. */
sf_status sfi_density_constant_node(const sfi_density *d, sf_graph *g,
                                    sf_node x, sf_node *logp);

/* ---- on all of the real line (line.c) ----------------------------------------- */

/* -ln p of y as programs, which hold the parameters' values as constants.  Those
 * that not everybody needs are NULL until they are asked for. */
typedef struct sfi_density_line {
    sf_context *ctx;
    const sfi_density *density;
    sf_program *value, *gradient, *both;
    sf_program *product; /* of y and v: the Hessian times v */
    double *period; /* [unknowns] of angles, or NULL where there are none */
} sfi_density_line;

/* Take the parameters' values as they are now; compiles value with gradient.
 * *out may be passed to sfi_density_line_free() also after a failure.  SF_OK,
 * SF_E_NOMEM. */
sf_status sfi_density_line_make(sf_context *ctx, sfi_density_line *out,
                                const sfi_density *d);
void sfi_density_line_free(sfi_density_line *line);

/* A functional of [domain.unknowns] numbers, which calls *line. */
void sfi_density_line_functional(sfi_density_line *line, sf_functional *out);

#endif
