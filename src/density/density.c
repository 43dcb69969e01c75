/* SPDX-License-Identifier: Apache-2.0 */
/* density.c - a typed density: what it is given, checked and kept, and its text as
 * an expression. */
#include "density/density.h"

#include "base/dictionary.h"
#include "graph/graph.h"
#include "num/array.h"
#include "num/linalg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------- */

static sf_status copy_names(sfi_density *d, const char *const *names)
{
    d->names = sfi_alloc_zero(d->ctx, (size_t)d->dim, sizeof *d->names);
    if (d->names == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < d->dim; j++) {
        char made[24];
        const char *name = made;
        snprintf(made, sizeof made, "x%lld", (long long)j);
        if (names != NULL)
            name = names[j];
        if (name == NULL || name[0] == '\0')
            return SFI_FAIL(d->ctx, SF_E_ARG, "density: name %lld is empty",
                            (long long)j);
        d->names[j] = sfi_copy_text(d->ctx, name);
        if (d->names[j] == NULL)
            return SF_E_NOMEM;
    }
    return SF_OK;
}

static sf_status copy_parameter(sf_context *ctx, sfi_density_parameter *to,
                                const sf_parameter *from)
{
    if (from->name == NULL || from->name[0] == '\0')
        return SFI_FAIL(ctx, SF_E_ARG, "density: a parameter without a name");
    if (from->rank < 0 || from->rank > SF_MAX_RANK)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "density: parameter \"%s\" has rank %d, want 0 to %d",
                        from->name, from->rank, (int)SF_MAX_RANK);
    int64_t count = 1;
    for (int i = 0; i < from->rank; i++) {
        if (from->shape[i] < 1 || from->shape[i] > (INT64_C(1) << 40) / count)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "density: parameter \"%s\" has extent %lld, want 1 "
                            "and more, and at most 2^40 elements",
                            from->name, (long long)from->shape[i]);
        to->shape[i] = from->shape[i];
        count *= from->shape[i];
    }
    to->rank = from->rank;
    const int64_t bad =
        from->value != NULL ? sfi_first_not_finite(from->value, count) : count;
    if (bad < count)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "density: element %lld of parameter \"%s\" is not "
                        "finite",
                        (long long)bad, from->name);
    to->count = count;
    to->name = sfi_copy_text(ctx, from->name);
    return to->name != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_status copy_parameters(sfi_density *d, int count,
                                 const sf_parameter *parameters)
{
    if (count < 0)
        return SFI_FAIL(d->ctx, SF_E_ARG, "density: %d parameters", count);
    if (count == 0)
        return SF_OK;
    d->parameters =
        sfi_alloc_zero(d->ctx, (size_t)count, sizeof *d->parameters);
    d->parameter_count = count;
    if (d->parameters == NULL)
        return SF_E_NOMEM;
    for (int k = 0; k < count; k++)
        SFI_TRY(copy_parameter(d->ctx, &d->parameters[k], &parameters[k]));
    return SF_OK;
}

static const char *name_at(const sfi_density *d, int64_t i)
{
    return i < d->dim ? d->names[i] : d->parameters[i - d->dim].name;
}

static sf_status check_names(const sfi_density *d)
{
    const int64_t count = d->dim + d->parameter_count;
    sfi_dictionary names = {0};
    sf_status status = SF_OK;
    for (int64_t i = 0; i < count && status == SF_OK; i++) {
        int64_t number = i;
        status = sfi_dictionary_number(d->ctx, &names, name_at(d, i), &number);
        if (number < i)
            status = SFI_FAIL(d->ctx, SF_E_ARG,
                              "density: the name \"%s\" is used twice",
                              name_at(d, i));
    }
    sfi_dictionary_free(d->ctx, &names);
    return status;
}

/* ---- nodes ------------------------------------------------------------------- */

sf_status sfi_density_parameters(const sfi_density *d, sf_graph *g,
                                 sf_node *parameters)
{
    for (int k = 0; k < d->parameter_count; k++)
        parameters[k] = sf_param(g, d->parameters[k].name,
                                 d->parameters[k].rank, d->parameters[k].shape);
    return sf_graph_status(g);
}

/* Whether x is a number, since it is called so, and not the vector of all. */
static bool hides_vector(const sfi_density *d)
{
    for (int64_t j = 0; j < d->dim && d->dim > 1; j++)
        if (strcmp(d->names[j], "x") == 0)
            return true;
    return false;
}

/* One number, of a vector of one too. */
static sf_status to_number(const sfi_density *d, sf_graph *g, sf_node *node)
{
    if (sf_node_count(g, *node) == 1) {
        *node = sf_reshape(g, *node, 0, NULL);
        return sf_graph_status(g);
    }
    char shape[80];
    int used = 0;
    for (int i = 0; i < sf_node_rank(g, *node); i++)
        used +=
            snprintf(shape + used, sizeof shape - (size_t)used, "%s%lld",
                     i > 0 ? ", " : "", (long long)sf_node_extent(g, *node, i));
    return SFI_FAIL(d->ctx, SF_E_SHAPE,
                    "density: the expression has %lld values, [%s]; a log "
                    "density is one number: sum(...) of them?%s",
                    (long long)sf_node_count(g, *node), shape,
                    hides_vector(d)
                        ? "  (x is the number of that name, not the vector)"
                        : "");
}

sf_status sfi_density_node(const sfi_density *d, sf_graph *g, sf_node x,
                           const sf_node *parameters, sf_node *logp)
{
    const size_t most = (size_t)(d->dim + d->parameter_count + 1);
    sf_symbol *symbols = sfi_alloc(d->ctx, most, sizeof *symbols);
    if (symbols == NULL)
        return SF_E_NOMEM;
    int count = 0;
    for (int64_t j = 0; j < d->dim; j++)
        symbols[count++] = (sf_symbol){d->names[j], sf_component(g, x, j)};
    for (int k = 0; k < d->parameter_count; k++)
        symbols[count++] = (sf_symbol){d->parameters[k].name, parameters[k]};
    bool taken = false;
    for (int i = 0; i < count; i++)
        taken |= strcmp(symbols[i].name, "x") == 0;
    if (!taken)
        symbols[count++] = (sf_symbol){"x", x};
    sf_status status = sf_parse(g, d->text, count, symbols, logp);
    sfi_free(d->ctx, symbols, most, sizeof *symbols);
    SFI_TRY(status);
    return to_number(d, g, logp);
}

/* ---- constants --------------------------------------------------------------- */

sf_status sfi_density_constant_node(const sfi_density *d, sf_graph *g,
                                    sf_node x, sf_node *logp)
{
    const size_t count = (size_t)d->parameter_count;
    sf_node *parameters = sfi_alloc(d->ctx, count, sizeof *parameters);
    if (parameters == NULL)
        return SF_E_NOMEM;
    for (int k = 0; k < d->parameter_count; k++) {
        const sfi_density_parameter *p = &d->parameters[k];
        parameters[k] = sf_const_array(g, p->rank, p->shape, p->value);
    }
    const sf_status status = sfi_density_node(d, g, x, parameters, logp);
    sfi_free(d->ctx, parameters, count, sizeof *parameters);
    return status;
}

/* ---- making ------------------------------------------------------------------ */

static sf_status make(sfi_density *d, const char *text,
                      const sf_density_options *o)
{
    const char *domain = o->domain != NULL ? o->domain : "real";
    d->text = sfi_copy_text(d->ctx, text);
    d->domain_text = sfi_copy_text(d->ctx, domain);
    if (d->text == NULL || d->domain_text == NULL)
        return SF_E_NOMEM;
    SFI_TRY(copy_names(d, o->names));
    SFI_TRY(copy_parameters(d, o->parameter_count, o->parameters));
    SFI_TRY(check_names(d));
    return sfi_domain_parse(d->ctx, &d->domain, domain, d->dim,
                            (const char *const *)d->names);
}

sf_status sfi_density_make(sf_context *ctx, sfi_density **out, const char *text,
                           int64_t dim, const sf_density_options *options)
{
    *out = NULL;
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    if (dim < 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "density: a point has %lld numbers, want 1 and more",
                        (long long)dim);
    sfi_density *d = sfi_alloc_zero(ctx, 1, sizeof *d);
    if (d == NULL)
        return SF_E_NOMEM;
    d->ctx = ctx;
    d->dim = dim;
    const sf_status status = make(d, text, &o);
    if (status != SF_OK) {
        sfi_density_free(d);
        return status;
    }
    *out = d;
    return SF_OK;
}

void sfi_density_free(sfi_density *d)
{
    if (d == NULL)
        return;
    sf_context *ctx = d->ctx;
    if (d->domain.dim > 0)
        sfi_domain_free(ctx, &d->domain);
    for (int k = 0; k < d->parameter_count && d->parameters != NULL; k++)
        sfi_free_text(ctx, d->parameters[k].name);
    const size_t count = (size_t)d->parameter_count;
    sfi_free(ctx, d->parameters, count, sizeof *d->parameters);
    if (!d->lends_names)
        sf_density_free_names(ctx, d->names, d->dim);
    sfi_free_text(ctx, d->text);
    sfi_free_text(ctx, d->domain_text);
    sfi_free(ctx, d, 1, sizeof *d);
}

void sfi_density_bind(sfi_density *d, double *values)
{
    for (int k = 0; k < d->parameter_count; k++) {
        d->parameters[k].value = values;
        values += d->parameters[k].count;
    }
}
