/* SPDX-License-Identifier: Apache-2.0 */
/* model.c - what all models share: names, standardisation, weights. */
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DIM = 1 << 24 };

char **sfi_copy_names(sf_context *ctx, int64_t dim, const char *const *names)
{
    char **copy = sfi_alloc_zero(ctx, (size_t)dim, sizeof *copy);
    for (int64_t j = 0; copy != NULL && j < dim; j++) {
        char made[32];
        snprintf(made, sizeof made, "c%lld", (long long)j);
        copy[j] = sfi_copy_text(ctx, names != NULL ? names[j] : made);
        if (copy[j] == NULL) {
            sfi_free_names(ctx, dim, copy);
            return NULL;
        }
    }
    return copy;
}

void sfi_free_names(sf_context *ctx, int64_t dim, char **names)
{
    for (int64_t j = 0; names != NULL && j < dim; j++)
        sfi_free_text(ctx, names[j]);
    sfi_free(ctx, names, (size_t)dim, sizeof *names);
}

/* Kernels have t from 0 to 1, other models levels sigma. */
static sf_status check_levels(const sf_model *m)
{
    if (sfi_has_kernels(m) || m->ops->noiseless)
        return SF_OK;
    bool missing = false;
    const double low = sfi_model_number(m, "sigma_min", &missing);
    const double high = sfi_model_number(m, "sigma_max", &missing);
    const double rho = sfi_model_number(m, "rho", &missing);
    if (missing || !(low >= 0.0) || !(high > low) || !(high < 1e6) ||
        !(rho >= 1.0) || !(rho <= 100.0))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: sigma_min is %g, sigma_max %g, rho %g; want "
                        "0 <= sigma_min < sigma_max < 1e6 and rho in [1, 100]",
                        low, high, rho);
    return SF_OK;
}

static sf_status fill_model(sf_model *m, const char *const *names)
{
    m->names = sfi_copy_names(m->ctx, m->dim, names);
    if (m->names == NULL)
        return SF_E_NOMEM;
    m->mean = sfi_alloc_zero(m->ctx, (size_t)m->dim, sizeof *m->mean);
    m->scale = sfi_alloc(m->ctx, (size_t)m->dim, sizeof *m->scale);
    if (m->mean == NULL || m->scale == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < m->dim; j++)
        m->scale[j] = 1.0;
    SFI_TRY(check_levels(m));
    if (sfi_has_kernels(m) && m->ops->no_kernels)
        return SFI_FAIL(m->ctx, SF_E_FORMAT, "model: a %s has no kernels",
                        m->ops->family);
    return m->ops->declare(m);
}

sf_status sfi_model_declare(sf_context *ctx, sf_model **out,
                            const sfi_model_ops *ops, int64_t dim,
                            const char *const *names, const sfi_noise *noise,
                            int number_count, const sfi_number *numbers)
{
    *out = NULL;
    if (dim < 1 || dim > MAX_DIM || number_count < 0 ||
        number_count > SFI_MAX_NUMBERS)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "model: %lld columns and %d numbers, want 1 to %d and "
                        "at most %d",
                        (long long)dim, number_count, (int)MAX_DIM,
                        (int)SFI_MAX_NUMBERS);
    sf_model *m = sfi_alloc_zero(ctx, 1, sizeof *m);
    if (m == NULL)
        return SF_E_NOMEM;
    m->ctx = ctx;
    m->ops = ops;
    m->dim = dim;
    m->number_count = number_count;
    if (number_count > 0)
        memcpy(m->numbers, numbers, (size_t)number_count * sizeof *numbers);
    sf_status status =
        noise != NULL ? sfi_noise_copy(ctx, &m->noise, noise) : SF_OK;
    m->inner = noise != NULL ? noise->inner : dim;
    if (status == SF_OK)
        status = fill_model(m, names);
    if (status != SF_OK) {
        sf_model_free(m);
        return status;
    }
    *out = m;
    return SF_OK;
}

sf_status sfi_model_allocate(sf_model *m)
{
    m->weights =
        sfi_alloc_zero(m->ctx, (size_t)m->weight_count, sizeof *m->weights);
    if (m->density != NULL && m->weights != NULL)
        sfi_density_bind(m->density, m->weights);
    return m->weights != NULL ? SF_OK : SF_E_NOMEM;
}

sf_status sfi_model_new(sf_context *ctx, sf_model **out,
                        const sfi_model_ops *ops, int64_t dim,
                        const char *const *names, const sfi_noise *noise,
                        int number_count, const sfi_number *numbers)
{
    SFI_TRY(sfi_model_declare(ctx, out, ops, dim, names, noise, number_count,
                              numbers));
    const sf_status status = sfi_model_allocate(*out);
    if (status != SF_OK) {
        sf_model_free(*out);
        *out = NULL;
    }
    return status;
}

sf_status sfi_model_like(const sf_model *m, sf_model **out)
{
    SFI_TRY(sfi_model_new(
        m->ctx, out, m->ops, m->dim, (const char *const *)m->names,
        sfi_has_kernels(m) ? &m->noise : NULL, m->number_count, m->numbers));
    memcpy((*out)->mean, m->mean, (size_t)m->dim * sizeof *m->mean);
    memcpy((*out)->scale, m->scale, (size_t)m->dim * sizeof *m->scale);
    return SF_OK;
}

void sf_model_free(sf_model *m)
{
    if (m == NULL)
        return;
    sf_context *ctx = m->ctx;
    sfi_free_names(ctx, m->dim, m->names);
    sfi_schema_free(ctx, &m->schema);
    sfi_free(ctx, m->mean, (size_t)m->dim, sizeof *m->mean);
    sfi_free(ctx, m->scale, (size_t)m->dim, sizeof *m->scale);
    sfi_noise_free(ctx, &m->noise);
    sfi_density_free(m->density);
    sfi_free(ctx, m->layout, m->layout_capacity, sizeof *m->layout);
    sfi_free(ctx, m->weights, (size_t)m->weight_count, sizeof *m->weights);
    sfi_free(ctx, m, 1, sizeof *m);
}

const char *sf_model_family(const sf_model *m)
{
    return m->ops->family;
}

int64_t sf_model_dim(const sf_model *m)
{
    return m->dim;
}

const char *sf_model_column(const sf_model *m, int64_t column)
{
    return column >= 0 && column < m->dim ? m->names[column] : NULL;
}

void sf_model_kernel(const sf_model *m, int64_t column,
                     char text[SF_KERNEL_TEXT])
{
    text[0] = '\0';
    if (sfi_has_kernels(m) && column >= 0 && column < m->dim)
        sfi_kernel_format(&sfi_noise_block(&m->noise, column)->kernel, text);
}

int64_t sf_model_joint(const sf_model *m, int64_t column, int64_t *columns)
{
    if (column < 0 || column >= m->dim)
        return 0;
    const int64_t *which = &column;
    int64_t count = 1;
    if (sfi_has_kernels(m)) {
        const sfi_block *b = sfi_noise_block(&m->noise, column);
        which = sfi_noise_columns(&m->noise, b);
        count = b->columns;
    }
    if (columns != NULL)
        memcpy(columns, which, (size_t)count * sizeof *columns);
    return count;
}

void sf_model_unit(const sf_model *m, int64_t column, double *mean,
                   double *scale)
{
    const bool inside = column >= 0 && column < m->dim;
    *mean = inside ? m->mean[column] : 0.0;
    *scale = inside ? m->scale[column] : 1.0;
}

bool sfi_has_kernels(const sf_model *m)
{
    return m->noise.dim > 0;
}

/* ---- numbers and weights ---------------------------------------------------- */

double sfi_model_number(const sf_model *m, const char *key, bool *missing)
{
    for (int i = 0; i < m->number_count; i++)
        if (strcmp(m->numbers[i].key, key) == 0)
            return m->numbers[i].value;
    *missing = true;
    return NAN;
}

int64_t sf_model_setting_count(const sf_model *m)
{
    return m->number_count;
}

const char *sf_model_setting_name(const sf_model *m, int64_t k)
{
    return k >= 0 && k < m->number_count ? m->numbers[k].key : NULL;
}

double sf_model_setting(const sf_model *m, const char *name)
{
    bool missing = false;
    return sfi_model_number(m, name, &missing);
}

int64_t sf_model_parameter_count(const sf_model *m)
{
    return (int64_t)m->layout_count;
}

bool sf_model_parameter(const sf_model *m, int64_t k, sf_parameter *out)
{
    if (k < 0 || k >= (int64_t)m->layout_count)
        return false;
    const sfi_weight *w = &m->layout[k];
    *out = (sf_parameter){
        .name = m->density != NULL ? m->density->parameters[k].name : w->name,
        .rank = w->rank,
        .value = m->weights + w->offset};
    memcpy(out->shape, w->shape, sizeof out->shape);
    return true;
}

double sfi_number_of(const sf_model *m, const char *key)
{
    bool missing = false;
    return sfi_model_number(m, key, &missing);
}

sf_status sfi_whole_number(sf_model *m, const char *key, int64_t lo, int64_t hi,
                           int64_t *out)
{
    bool missing = false;
    const double value = sfi_model_number(m, key, &missing);
    if (missing || value != floor(value) || !(value >= (double)lo) ||
        !(value <= (double)hi))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: \"%s\" is %g, want a whole number from %lld to "
                        "%lld",
                        key, value, (long long)lo, (long long)hi);
    *out = (int64_t)value;
    return SF_OK;
}

sf_status sfi_add_weight(sf_model *m, const char *name, int rank,
                         const int64_t *shape)
{
    sfi_weight *grown = sfi_grow(m->ctx, m->layout, &m->layout_capacity,
                                 m->layout_count + 1, sizeof *grown);
    if (grown == NULL)
        return SF_E_NOMEM;
    m->layout = grown;
    sfi_weight w = {.rank = rank, .offset = m->weight_count, .count = 1};
    snprintf(w.name, sizeof w.name, "%s", name);
    for (int i = 0; i < rank; i++) {
        w.shape[i] = shape[i];
        w.count *= shape[i];
    }
    grown[m->layout_count++] = w;
    m->weight_count += w.count;
    return SF_OK;
}

sf_status sfi_add_fixed_weight(sf_model *m, const char *name, int rank,
                               const int64_t *shape)
{
    SFI_TRY(sfi_add_weight(m, name, rank, shape));
    m->layout[m->layout_count - 1].fixed = true;
    return SF_OK;
}

int64_t sfi_trained_weights(const sf_model *m)
{
    int64_t count = m->weight_count;
    for (size_t k = 0; k < m->layout_count; k++)
        count -= m->layout[k].fixed ? m->layout[k].count : 0;
    return count;
}

void sfi_weight_constants(const sf_model *m, sf_graph *g, sf_node *out)
{
    for (size_t k = 0; k < m->layout_count; k++)
        out[k] = sf_const_array(g, m->layout[k].rank, m->layout[k].shape,
                                m->weights + m->layout[k].offset);
}

sf_status sfi_weight_nodes(const sf_model *m, sf_graph *g, sf_node *out)
{
    for (size_t i = 0; i < m->layout_count; i++)
        out[i] = sf_param(g, m->layout[i].name, m->layout[i].rank,
                          m->layout[i].shape);
    return sf_graph_status(g);
}
