/* SPDX-License-Identifier: Apache-2.0 */
/* noise.c - blocks of columns, and rows through their charts. */
#include "kernel/noise.h"

#include "base/text.h"
#include "kernel/path.h"

#include <math.h>
#include <string.h>

/* ---- making ------------------------------------------------------------------ */

sf_status sfi_noise_new(sf_context *ctx, sfi_noise *out, int64_t dim)
{
    const size_t n = (size_t)dim;
    *out = (sfi_noise){.dim = dim};
    out->blocks = sfi_alloc_zero(ctx, n, sizeof *out->blocks);
    out->columns = sfi_alloc(ctx, n, sizeof *out->columns);
    out->owner = sfi_alloc(ctx, n, sizeof *out->owner);
    if (out->blocks == NULL || out->columns == NULL || out->owner == NULL) {
        sfi_noise_free(ctx, out);
        return SF_E_NOMEM;
    }
    for (int64_t j = 0; j < dim; j++)
        out->owner[j] = -1;
    return SF_OK;
}

/* The number of y, or 0 where the kernel is not for so many columns. */
static int64_t inner_of(const sfi_kernel *k, int64_t columns, const char **want)
{
    if (k->ops->joint == NULL) {
        *want = "one column; name those of others by themselves";
        return columns == 1;
    }
    *want = "at most 64 columns";
    return columns <= SFI_BLOCK_COLUMNS ? k->ops->joint->inner(columns, want)
                                        : 0;
}

sf_status sfi_noise_add(sf_context *ctx, sfi_noise *noise,
                        const sfi_kernel *kernel, int64_t count,
                        const int64_t *columns, const char *const *names)
{
    char shown[SFI_SHOW_SIZE];
    const char *want = NULL;
    int64_t first = 0;
    for (int64_t k = 0; k < noise->count; k++)
        first += noise->blocks[k].columns;
    sfi_block b = {.kernel = *kernel, .columns = count, .first = first};
    b.inner = inner_of(kernel, count, &want);
    if (b.inner == 0)
        return SFI_FAIL(
            ctx, SF_E_ARG, "kernel %s for %lld column%s, want it for %s",
            kernel->ops->family, (long long)count, count == 1 ? "" : "s", want);
    for (int64_t i = 0; i < count; i++) {
        const int64_t j = columns[i];
        if (noise->owner[j] >= 0)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "kernel: column \"%s\" is named twice",
                            sfi_show(shown, names[j], strlen(names[j])));
        noise->owner[j] = noise->count;
        noise->columns[first + i] = j;
    }
    noise->blocks[noise->count++] = b;
    return SF_OK;
}

static int64_t least_column(const sfi_noise *noise, const sfi_block *b)
{
    int64_t least = noise->dim;
    for (int64_t i = 0; i < b->columns; i++)
        if (noise->columns[b->first + i] < least)
            least = noise->columns[b->first + i];
    return least;
}

sf_status sfi_noise_complete(sf_context *ctx, sfi_noise *noise,
                             const char *const *names)
{
    char shown[SFI_SHOW_SIZE];
    for (int64_t j = 0; j < noise->dim; j++)
        if (noise->owner[j] < 0)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "kernel: there is none for column \"%s\"",
                            sfi_show(shown, names[j], strlen(names[j])));
    /* In the order of their first columns: each goes before those it is less
     * than. */
    for (int64_t k = 1; k < noise->count; k++) {
        const sfi_block b = noise->blocks[k];
        int64_t at = k;
        for (; at > 0 && least_column(noise, &noise->blocks[at - 1]) >
                             least_column(noise, &b);
             at--)
            noise->blocks[at] = noise->blocks[at - 1];
        noise->blocks[at] = b;
    }
    noise->inner = noise->squares = 0;
    for (int64_t k = 0; k < noise->count; k++) {
        sfi_block *b = &noise->blocks[k];
        b->at = noise->inner;
        noise->inner += b->inner;
        noise->squares += b->inner * b->inner;
        for (int64_t i = 0; i < b->columns; i++)
            noise->owner[noise->columns[b->first + i]] = k;
    }
    return SF_OK;
}

static size_t cells_of(const sfi_block *b)
{
    return (size_t)(b->columns * b->columns);
}

sf_status sfi_noise_mix(sf_context *ctx, sfi_block *b, const double *factor)
{
    const int64_t n = b->columns;
    if (b->kernel.ops->joint == NULL || !b->kernel.ops->joint->mixes)
        return SFI_FAIL(ctx, SF_E_ARG, "kernel %s has no factor",
                        b->kernel.ops->family);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            if (!isfinite(factor[i * n + j]) ||
                (i == j && !(factor[i * n + j] > 0.0)))
                return SFI_FAIL(ctx, SF_E_ARG,
                                "kernel %s: entry (%lld, %lld) of the factor "
                                "is %g, want a finite number%s",
                                b->kernel.ops->family, (long long)i,
                                (long long)j, factor[i * n + j],
                                i == j ? " > 0" : "");
    double *copy = sfi_alloc_zero(ctx, cells_of(b), sizeof *copy);
    if (copy == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            copy[i * n + j] = factor[i * n + j];
    sfi_free(ctx, b->factor, cells_of(b), sizeof *b->factor);
    b->factor = copy;
    return SF_OK;
}

sf_status sfi_noise_set_prior(sf_context *ctx, sfi_block *b, int64_t levels,
                              const double *prior)
{
    double sum = 0.0;
    if (!b->kernel.ops->levels || levels < 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "kernel %s: %lld levels, want one or more of the "
                        "kernel category",
                        b->kernel.ops->family, (long long)levels);
    for (int64_t k = 0; k < levels; k++) {
        if (!(prior[k] >= 0.0 && prior[k] <= 1.0))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "kernel %s: the prior of level %lld is %g, want "
                            "0 to 1",
                            b->kernel.ops->family, (long long)k, prior[k]);
        sum += prior[k];
    }
    if (!(fabs(sum - 1.0) < 1e-9))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "kernel %s: the prior sums to %.12g, want 1",
                        b->kernel.ops->family, sum);
    double *copy = sfi_alloc(ctx, (size_t)levels, sizeof *copy);
    if (copy == NULL)
        return SF_E_NOMEM;
    memcpy(copy, prior, (size_t)levels * sizeof *copy);
    if (b->prior != NULL)
        sfi_free(ctx, b->prior, (size_t)b->levels, sizeof *b->prior);
    b->prior = copy;
    b->levels = levels;
    return SF_OK;
}

sf_status sfi_noise_copy(sf_context *ctx, sfi_noise *out, const sfi_noise *from)
{
    const size_t n = (size_t)from->dim;
    SFI_TRY(sfi_noise_new(ctx, out, from->dim));
    memcpy(out->columns, from->columns, n * sizeof *out->columns);
    memcpy(out->owner, from->owner, n * sizeof *out->owner);
    out->inner = from->inner;
    out->squares = from->squares;
    sf_status status = SF_OK;
    for (int64_t k = 0; k < from->count && status == SF_OK; k++) {
        sfi_block *b = &out->blocks[out->count++];
        *b = from->blocks[k];
        b->factor = b->prior = NULL;
        if (from->blocks[k].factor != NULL)
            status = sfi_noise_mix(ctx, b, from->blocks[k].factor);
        if (from->blocks[k].prior != NULL)
            status =
                sfi_noise_set_prior(ctx, b, b->levels, from->blocks[k].prior);
    }
    if (status != SF_OK)
        sfi_noise_free(ctx, out);
    return status;
}

void sfi_noise_free(sf_context *ctx, sfi_noise *noise)
{
    const size_t n = (size_t)noise->dim;
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        sfi_free(ctx, b->factor, cells_of(b), sizeof *b->factor);
        if (b->prior != NULL)
            sfi_free(ctx, b->prior, (size_t)b->levels, sizeof *b->prior);
    }
    sfi_free(ctx, noise->owner, n, sizeof *noise->owner);
    sfi_free(ctx, noise->columns, n, sizeof *noise->columns);
    sfi_free(ctx, noise->blocks, n, sizeof *noise->blocks);
    *noise = (sfi_noise){0};
}

/* ---- asking ------------------------------------------------------------------ */

const sfi_block *sfi_noise_block(const sfi_noise *noise, int64_t column)
{
    return &noise->blocks[noise->owner[column]];
}

const int64_t *sfi_noise_columns(const sfi_noise *noise, const sfi_block *b)
{
    return noise->columns + b->first;
}

bool sfi_block_is_angle(const sfi_block *b)
{
    return b->kernel.ops->joint == NULL &&
           b->kernel.ops->chart == SFI_CHART_ANGLE;
}

bool sfi_kernel_remembers(const sfi_kernel *k)
{
    return k->ops->number_count > 0 &&
           strcmp(k->ops->numbers[0].name, "path") == 0 &&
           k->numbers[0] == SFI_PATH_VE;
}

int64_t sfi_noise_find(const sfi_noise *noise, bool discrete)
{
    for (int64_t j = 0; j < noise->dim; j++)
        if (sfi_noise_block(noise, j)->kernel.ops->discrete == discrete)
            return j;
    return -1;
}

int64_t sfi_noise_find_counts(const sfi_noise *noise, bool counts)
{
    for (int64_t j = 0; j < noise->dim; j++)
        if ((sfi_noise_block(noise, j)->kernel.ops->counts != NULL) == counts)
            return j;
    return -1;
}

/* ---- rows -------------------------------------------------------------------- */

/* A block's columns of a row, as the kernel sees them. */
static void take(const sfi_noise *noise, const sfi_block *b, sfi_units units,
                 const double *x, double *out)
{
    const int64_t *columns = sfi_noise_columns(noise, b);
    for (int64_t i = 0; i < b->columns; i++) {
        const int64_t j = columns[i];
        out[i] = units.scale != NULL ? (x[j] - units.mean[j]) / units.scale[j]
                                     : x[j];
    }
}

void sfi_noise_to_chart(const sfi_noise *noise, sfi_units units,
                        const double *x, double *y)
{
    double part[SFI_BLOCK_COLUMNS];
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        take(noise, b, units, x, part);
        if (ops->joint != NULL)
            ops->joint->to_chart(b, part, y + b->at);
        else
            y[b->at] = sfi_chart_to_number(ops->chart, part[0]);
    }
}

void sfi_noise_from_chart(const sfi_noise *noise, sfi_units units,
                          const double *y, double *x)
{
    double part[SFI_BLOCK_COLUMNS];
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        const int64_t *columns = sfi_noise_columns(noise, b);
        if (ops->joint != NULL)
            ops->joint->from_chart(b, y + b->at, part);
        else
            part[0] = sfi_chart_from_number(ops->chart, y[b->at]);
        for (int64_t i = 0; i < b->columns; i++) {
            const int64_t j = columns[i];
            x[j] = units.scale != NULL
                       ? units.mean[j] + units.scale[j] * part[i]
                       : part[i];
        }
    }
}

double sfi_noise_log_slope(const sfi_noise *noise, const double *y)
{
    double sum = 0.0;
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        const double at = y[b->at];
        if (ops->joint != NULL)
            sum += ops->joint->log_slope != NULL
                       ? ops->joint->log_slope(b, y + b->at)
                       : 0.0;
        else if (ops->chart == SFI_CHART_LOG)
            sum += at;
        else if (ops->chart == SFI_CHART_LOGIT) /* ln x + ln(1 - x) */
            sum -= fabs(at) + 2.0 * log1p(exp(-fabs(at)));
    }
    return sum;
}

void sfi_noise_settle(const sfi_noise *noise, double *y)
{
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_joint_ops *joint = b->kernel.ops->joint;
        if (joint != NULL && joint->settle != NULL)
            joint->settle(b, y + b->at);
    }
}

/* M <- P M P + across n n', P = 1 - n n', in the rows and columns of a block. */
static void project(double *m, int64_t stride, int64_t at, int64_t size,
                    const double *normal, double across)
{
    for (int64_t i = 0; i < stride; i++) {
        double over = 0.0;
        for (int64_t j = 0; j < size; j++)
            over += m[i * stride + at + j] * normal[j];
        for (int64_t j = 0; j < size; j++)
            m[i * stride + at + j] -= over * normal[j];
    }
    for (int64_t i = 0; i < stride; i++) {
        double over = 0.0;
        for (int64_t j = 0; j < size; j++)
            over += m[(at + j) * stride + i] * normal[j];
        for (int64_t j = 0; j < size; j++)
            m[(at + j) * stride + i] -= over * normal[j];
    }
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < size; j++)
            m[(at + i) * stride + at + j] += across * normal[i] * normal[j];
}

void sfi_noise_project(const sfi_noise *noise, const double *y, double *matrix,
                       double across)
{
    double normal[SFI_BLOCK_COLUMNS];
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_joint_ops *joint = b->kernel.ops->joint;
        if (joint == NULL || joint->settle == NULL)
            continue;
        memcpy(normal, y + b->at, (size_t)b->inner * sizeof *normal);
        joint->settle(b, normal);
        project(matrix, noise->inner, b->at, b->inner, normal, across);
    }
}

bool sfi_noise_has_surface(const sfi_noise *noise)
{
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_joint_ops *joint = noise->blocks[k].kernel.ops->joint;
        if (joint != NULL && joint->settle != NULL)
            return true;
    }
    return false;
}

/* What a number should be, NULL if it is that. */
static const char *wanted(const sfi_kernel *k, double x, bool clean)
{
    const sfi_kernel_ops *ops = k->ops;
    const double most = 0x1p53; /* beyond it not all whole numbers exist */
    if (ops->counts != NULL && clean && !ops->counts->whole)
        return x >= 0.0 && x <= most ? NULL : "from 0 to 2^53";
    if (ops->discrete && sfi_kernel_number_of(k, "least") == SFI_LEAST_NONE)
        return fabs(x) <= most && x == floor(x) ? NULL
                                                : "that is a whole number";
    if (ops->discrete)
        return x >= 0.0 && x <= most && x == floor(x)
                   ? NULL
                   : "that is a whole number from 0 to 2^53";
    if (ops->chart == SFI_CHART_LOG)
        return x > 0.0 ? NULL : "> 0";
    if (ops->chart == SFI_CHART_LOGIT)
        return x > 0.0 && x < 1.0 ? NULL : "between 0 and 1, both excluded";
    return NULL;
}

static int64_t outside(const sfi_noise *noise, sfi_units units, const double *x,
                       bool clean, const char **want)
{
    double part[SFI_BLOCK_COLUMNS];
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        int64_t column = 0;
        take(noise, b, units, x, part);
        *want = ops->joint != NULL ? ops->joint->outside(b, part, &column)
                                   : wanted(&b->kernel, part[0], clean);
        if (*want != NULL)
            return sfi_noise_columns(noise, b)[column];
    }
    return -1;
}

int64_t sfi_noise_outside(const sfi_noise *noise, sfi_units units,
                          const double *x, const char **want)
{
    return outside(noise, units, x, false, want);
}

int64_t sfi_noise_outside_clean(const sfi_noise *noise, sfi_units units,
                                const double *x0, const char **want)
{
    return outside(noise, units, x0, true, want);
}

void sfi_noise_middle(const sfi_noise *noise, double *x0)
{
    double part[SFI_BLOCK_COLUMNS];
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        if (ops->joint != NULL)
            ops->joint->middle(b, part);
        else
            part[0] = sfi_chart_from_number(ops->chart, 0.0);
        for (int64_t i = 0; i < b->columns; i++)
            x0[sfi_noise_columns(noise, b)[i]] = part[i];
    }
}

/* ---- means --------------------------------------------------------------------- */

static bool mean_is_in_chart(const sfi_block *b)
{
    return b->kernel.ops->joint != NULL && b->kernel.ops->joint->mean_in_chart;
}

int64_t sfi_block_vector(const sfi_block *b, const double *columns, double *out)
{
    if (sfi_block_is_angle(b)) {
        out[0] = cos(columns[0]);
        out[1] = sin(columns[0]);
        return 2;
    }
    if (mean_is_in_chart(b)) {
        b->kernel.ops->joint->to_chart(b, columns, out);
        return b->inner;
    }
    memcpy(out, columns, (size_t)b->columns * sizeof *out);
    return b->columns;
}

void sfi_block_mean(const sfi_block *b, const double *mean, double *out)
{
    if (sfi_block_is_angle(b))
        out[0] = atan2(mean[1], mean[0]);
    else if (mean_is_in_chart(b))
        b->kernel.ops->joint->from_chart(b, mean, out);
    else
        memcpy(out, mean, (size_t)b->columns * sizeof *out);
}
