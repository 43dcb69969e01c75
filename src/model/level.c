/* SPDX-License-Identifier: Apache-2.0 */
/* level.c - the clock of a model and its inner coordinates (model.h). */
#include "model/model.h"

#include <math.h>

/* sigma at and below this is the end of a grid whose model goes down to 0. */
static const double least_sigma = 0.002;

bool sfi_single_level(const sf_model *m)
{
    bool missing = false;
    (void)sfi_model_number(m, "noise_level", &missing);
    return !missing || m->ops->noiseless;
}

sfi_levels sfi_levels_of(const sf_model *m)
{
    if (sfi_single_level(m))
        return (sfi_levels){1.0, 0.0, 1.0};
    if (sfi_has_kernels(m))
        return (sfi_levels){0.0, 1.0, 1.0};
    const double rho = sfi_number_of(m, "rho");
    const double low = pow(sfi_number_of(m, "sigma_min"), 1.0 / rho);
    return (sfi_levels){
        low, pow(sfi_number_of(m, "sigma_max"), 1.0 / rho) - low, rho};
}

double sfi_levels_at(const sfi_levels *l, double time, double *slope)
{
    const double root = l->low + time * l->range;
    const double level = l->rho == 1.0 ? root : pow(root, l->rho);
    if (slope != NULL && l->rho == 1.0)
        *slope = l->range;
    else if (slope != NULL)
        *slope = l->rho * l->range *
                 (root > 0.0 ? level / root : pow(root, l->rho - 1.0));
    return level;
}

double sfi_level(const sf_model *m, double time)
{
    const sfi_levels l = sfi_levels_of(m);
    return sfi_levels_at(&l, time, NULL);
}

double sfi_level_slope(const sf_model *m, double time)
{
    const sfi_levels l = sfi_levels_of(m);
    double slope;
    (void)sfi_levels_at(&l, time, &slope);
    return slope;
}

double sf_model_sigma(const sf_model *m, double time)
{
    if (m->ops->noiseless)
        return 0.0;
    return sfi_has_kernels(m) ? sf_model_used_time(m, time)
                              : sfi_level(m, time);
}

double sf_model_time(const sf_model *m, double sigma)
{
    if (m->ops->noiseless)
        return 0.0;
    double time = sigma;
    if (!sfi_has_kernels(m)) {
        const sfi_levels l = sfi_levels_of(m);
        time = (pow(fmax(sigma, 0.0), 1.0 / l.rho) - l.low) / l.range;
    }
    return fmin(fmax(time, 0.0), 1.0);
}

double sf_model_used_time(const sf_model *m, double time)
{
    return fmax(time, sfi_first_time(m));
}

double sfi_first_time(const sf_model *m)
{
    return sfi_has_kernels(m) ? sfi_number_of(m, "t_min") : 0.0;
}

double sfi_lowest_level(const sf_model *m)
{
    if (sfi_single_level(m))
        return 1.0;
    if (sfi_has_kernels(m))
        return sfi_first_time(m);
    return fmax(sfi_number_of(m, "sigma_min"), least_sigma);
}

double sfi_grid_level(const sf_model *m, int64_t i, int64_t steps)
{
    const bool kernels = sfi_has_kernels(m);
    const int64_t last = kernels ? steps : steps - 1;
    if (i > last)
        return 0.0;
    const double rho = kernels ? 7.0 : sfi_number_of(m, "rho");
    const double high = sfi_level(m, 1.0), low = sfi_lowest_level(m);
    const double a = pow(high, 1.0 / rho), b = pow(low, 1.0 / rho);
    const double along = last > 0 ? (double)i / (double)last : 0.0;
    return pow(a + along * (b - a), rho);
}

sf_status sfi_level_spread(const sf_model *m, double *spread)
{
    for (int64_t j = 0; j < m->inner; j++)
        spread[j] = 1.0;
    return sfi_has_kernels(m) ? sfi_noise_spread(m->ctx, &m->noise, spread)
                              : SF_OK;
}

/* ---- inner coordinates ------------------------------------------------------- */

sfi_units sfi_units_of(const sf_model *m)
{
    return (sfi_units){m->mean, m->scale};
}

void sfi_to_inner(const sf_model *m, sf_cmat x, sf_mat y)
{
    for (int64_t i = 0; i < x.rows; i++) {
        const double *from = x.data + i * x.stride;
        double *row = y.data + i * y.stride;
        if (sfi_has_kernels(m))
            sfi_noise_to_chart(&m->noise, sfi_units_of(m), from, row);
        for (int64_t j = 0; j < m->dim && !sfi_has_kernels(m); j++)
            row[j] = (from[j] - m->mean[j]) / m->scale[j];
    }
}

void sfi_from_inner(const sf_model *m, const double *y, double *x)
{
    if (sfi_has_kernels(m))
        sfi_noise_from_chart(&m->noise, sfi_units_of(m), y, x);
    for (int64_t j = 0; j < m->dim && !sfi_has_kernels(m); j++)
        x[j] = m->mean[j] + m->scale[j] * y[j];
}

/* ln of the units' product.  The last of a block's shares is what the others
 * leave: their density is one of these. */
static double log_units(const sf_model *m)
{
    double sum = 0.0;
    for (int64_t j = 0; j < m->dim; j++)
        sum += log(m->scale[j]);
    for (int64_t k = 0; k < m->noise.count; k++) {
        const sfi_block *b = &m->noise.blocks[k];
        const sfi_joint_ops *joint = b->kernel.ops->joint;
        if (joint != NULL && joint->shares)
            sum -= log(m->scale[sfi_noise_columns(&m->noise, b)[b->inner]]);
    }
    return sum;
}

double sfi_log_volume(const sf_model *m, const double *y)
{
    const double sum = log_units(m);
    return sfi_has_kernels(m) ? sum + sfi_noise_log_slope(&m->noise, y) : sum;
}
