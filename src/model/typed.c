/* SPDX-License-Identifier: Apache-2.0 */
/* typed.c - a typed density as a family of model.
 *
 * Its inner coordinates are its columns as they are, its weights the parameters of
 * the text, and its score the gradient of the text's expression.  What solvers and
 * samplers move is another chart, which takes all of the real line
 * (unknowns.c). */
#include "model/model.h"

#include "graph/graph.h"

#include <stdio.h>
#include <string.h>

static sf_status typed_declare(sf_model *m)
{
    m->weight_dtype = SF_F64;
    return SF_OK;
}

static sfi_answer typed_answer(const sf_model *m, sf_graph *g, sf_node y,
                               sf_node level, const sf_node *weights)
{
    (void)level;
    sfi_answer a = {{-1}, {-1}, {-1}, {-1}};
    const sf_status status =
        sfi_density_node(m->density, g, y, weights, &a.logp);
    if (status == SF_OK)
        a.score = sf_gradient(g, a.logp, y);
    else if (sf_graph_status(g) == SF_OK)
        (void)sfi_graph_fail(g, status, "%s", sf_context_message(m->ctx));
    return a;
}

/* Parse once, so that a text that is none is refused where the model is made. */
static sf_status check_text(const sf_model *m)
{
    sf_graph *g = NULL;
    sf_node logp;
    SFI_TRY(sf_graph_new(m->ctx, &g));
    const sf_node x = sf_input(g, "x", 1, &m->dim);
    const sf_status status = sfi_density_constant_node(m->density, g, x, &logp);
    sf_graph_free(g);
    return status;
}

static sf_status typed_check(const sf_model *m)
{
    const sf_status status = check_text(m);
    return status == SF_OK || status == SF_E_NOMEM ? status : SF_E_FORMAT;
}

const sfi_model_ops sfi_density_ops = {.family = "density",
                                       .noiseless = true,
                                       .closed = true,
                                       .no_kernels = true,
                                       .declare = typed_declare,
                                       .check = typed_check,
                                       .answer = typed_answer};

/* The names have one owner, the model. */
static void take_names(sf_model *m, sfi_density *d)
{
    sfi_free_names(m->ctx, m->dim, m->names);
    m->names = d->names;
    d->lends_names = true;
}

sf_status sfi_density_declare(sf_context *ctx, sf_model **out, sfi_density *d)
{
    sf_model *m = NULL;
    sf_status status =
        sfi_model_declare(ctx, &m, &sfi_density_ops, d->dim,
                          (const char *const *)d->names, NULL, 0, NULL);
    *out = NULL;
    if (status != SF_OK) {
        sfi_density_free(d);
        return status;
    }
    m->density = d;
    take_names(m, d);
    for (int k = 0; k < d->parameter_count && status == SF_OK; k++) {
        char name[32];
        snprintf(name, sizeof name, "parameter.%d", k);
        status = sfi_add_weight(m, name, d->parameters[k].rank,
                                d->parameters[k].shape);
    }
    if (status != SF_OK) {
        sf_model_free(m);
        return status;
    }
    *out = m;
    return SF_OK;
}

sf_status sf_density_new(sf_context *ctx, sf_model **out, const char *text,
                         int64_t dim, const sf_density_options *options)
{
    *out = NULL;
    sfi_density *d = NULL;
    sf_model *m = NULL;
    SFI_TRY(sfi_density_make(ctx, &d, text, dim, options));
    SFI_TRY(sfi_density_declare(ctx, &m, d));
    sf_status status = sfi_model_allocate(m);
    for (int k = 0; k < d->parameter_count && status == SF_OK; k++)
        memcpy(d->parameters[k].value, options->parameters[k].value,
               (size_t)d->parameters[k].count * sizeof(double));
    if (status == SF_OK)
        status = check_text(m);
    if (status != SF_OK) {
        sf_model_free(m);
        return status;
    }
    *out = m;
    return SF_OK;
}

const char *sf_density_text(const sf_model *m)
{
    return m->density != NULL ? m->density->text : NULL;
}

const char *sf_density_domain(const sf_model *m)
{
    return m->density != NULL ? m->density->domain_text : NULL;
}
