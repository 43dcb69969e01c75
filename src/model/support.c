/* SPDX-License-Identifier: Apache-2.0 */
/* support.c - where points of a model may be: the domain of a typed density, the
 * supports of kernels. */
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double two_pi = 6.2831853071795865;

bool sfi_has_support(const sf_model *m)
{
    return sfi_has_kernels(m) || m->density != NULL;
}

int64_t sfi_outside_support(const sf_model *m, const double *x, char *want)
{
    if (m->density != NULL)
        return sfi_domain_outside(&m->density->domain, x, want);
    if (!sfi_has_kernels(m))
        return -1;
    const char *text = NULL;
    const int64_t j = sfi_noise_outside(&m->noise, sfi_units_of(m), x, &text);
    if (j >= 0)
        snprintf(want, SFI_SUPPORT_WANT, "a value %s", text);
    return j;
}

void sfi_middle(const sf_model *m, double *x)
{
    memset(x, 0, (size_t)m->dim * sizeof *x);
    if (sfi_has_kernels(m))
        sfi_noise_middle(&m->noise, x);
    for (int64_t j = 0; j < m->dim; j++)
        x[j] = m->mean[j] + m->scale[j] * x[j];
}

static sf_status say_outside(const sf_model *m, const char *what, int64_t row,
                             int64_t j, double value, const char *want)
{
    if (!sfi_has_kernels(m))
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "%s: row %lld, column \"%s\": %g, want %s", what,
                        (long long)(row + 1), m->names[j], value, want);
    return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                    "%s: row %lld, column \"%s\": %g, and kernel %s wants %s",
                    what, (long long)(row + 1), m->names[j], value,
                    sfi_noise_block(&m->noise, j)->kernel.ops->family, want);
}

sf_status sfi_check_support(const sf_model *m, sf_cmat x, const char *what)
{
    for (int64_t i = 0; i < x.rows && sfi_has_support(m); i++) {
        const double *row = x.data + i * x.stride;
        char want[SFI_SUPPORT_WANT];
        const int64_t j = sfi_outside_support(m, row, want);
        if (j >= 0)
            return say_outside(m, what, i, j, row[j], want);
    }
    return SF_OK;
}

void sfi_warn_of_outside(const sf_model *m, sf_cmat x, int64_t count,
                         int64_t first)
{
    char want[SFI_SUPPORT_WANT];
    const double *row = x.data + first * x.stride;
    const int64_t j = sfi_outside_support(m, row, want);
    sfi_warn(
        m->ctx,
        "%lld of %lld rows are outside the support of the model (row %lld, "
        "column \"%s\": %g, want %s): their log density is -inf",
        (long long)count, (long long)x.rows, (long long)first + 1, m->names[j],
        row[j], want);
}

/* `row` [2 dim]: a clean row, and room for one. */
static sf_status check_clean(const sf_model *m, sf_cmat x0, const char *what,
                             double *row)
{
    sfi_noise_middle(&m->noise, row);
    for (int64_t j = 0; j < m->dim; j++)
        row[j] = m->mean[j] + m->scale[j] * row[j];
    for (int64_t i = 0; i < x0.rows; i++) {
        const double *x = x0.data + i * x0.stride;
        double *filled = row + m->dim;
        const char *text = NULL;
        char want[SFI_SUPPORT_WANT];
        for (int64_t j = 0; j < m->dim; j++)
            filled[j] =
                (sfi_has_holes(m) && isnan(x[j])) || sfi_is_atom(m, j, x[j])
                    ? row[j]
                    : x[j];
        const int64_t j =
            sfi_noise_outside_clean(&m->noise, sfi_units_of(m), filled, &text);
        if (j < 0)
            continue;
        snprintf(want, sizeof want, "a value %s", text);
        return say_outside(m, what, i, j, x[j], want);
    }
    return SF_OK;
}

sf_status sfi_check_clean(const sf_model *m, sf_cmat x0, const char *what)
{
    const size_t room = 2 * (size_t)m->dim;
    if (!sfi_has_kernels(m))
        return SF_OK;
    double *row = sfi_alloc(m->ctx, room, sizeof *row);
    if (row == NULL)
        return SF_E_NOMEM;
    const sf_status status = check_clean(m, x0, what, row);
    sfi_free(m->ctx, row, room, sizeof *row);
    return status;
}

/* ---- of one column ------------------------------------------------------------ */

static sf_support of_domain(const sfi_domain *d, int64_t column)
{
    sf_support s = {-INFINITY, INFINITY, 0.0};
    const sfi_region *r = d->regions;
    while (d->place[column] >= r->first + r->count)
        r++;
    if (r->form == SFI_CIRCLE)
        s.period = two_pi;
    if (r->form == SFI_ABOVE || r->form == SFI_BETWEEN)
        s.lower = r->lo;
    if (r->form == SFI_BELOW || r->form == SFI_BETWEEN)
        s.upper = r->hi;
    if (r->form == SFI_SIMPLEX)
        s = (sf_support){0.0, 1.0, 0.0};
    return s;
}

static sf_support of_block(const sfi_block *b, double mean, double scale)
{
    sf_support s = {-INFINITY, INFINITY, 0.0};
    const sfi_kernel_ops *ops = b->kernel.ops;
    const bool shares = ops->joint != NULL && ops->joint->shares;
    if (ops->joint != NULL && !shares)
        return s;
    if (sfi_block_is_angle(b))
        s.period = two_pi * scale;
    else if (shares || ops->counts != NULL || ops->chart != SFI_CHART_REAL ||
             sfi_kernel_number_of(&b->kernel, "least") == SFI_LEAST_ZERO)
        s.lower = mean;
    if (shares || ops->chart == SFI_CHART_LOGIT)
        s.upper = mean + scale;
    return s;
}

sf_support sf_model_support(const sf_model *m, int64_t column)
{
    const sf_support all = {-INFINITY, INFINITY, 0.0};
    if (column < 0 || column >= m->dim)
        return all;
    if (m->density != NULL)
        return of_domain(&m->density->domain, column);
    return sfi_has_kernels(m) ? of_block(sfi_noise_block(&m->noise, column),
                                         m->mean[column], m->scale[column])
                              : all;
}
