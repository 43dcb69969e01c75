/* SPDX-License-Identifier: Apache-2.0 */
/* fit_empirical.c - the exact law of a data set: which kernels, and how much noise the
 * data has at least. */
#include "fit/bandwidth.h"
#include "fit/kernels.h"
#include "kernel/cell_law.h"
#include "model/model.h"
#include "num/linalg.h"
#include "scorefield/fit.h"

#include <math.h>
#include <string.h>

/* ---- checks ------------------------------------------------------------------ */

static sf_status check(sf_context *ctx, sf_cmat data, const char *const *names,
                       const sf_empirical_options *o)
{
    for (int64_t i = 0; i < data.rows; i++)
        for (int64_t j = 0; j < data.cols; j++)
            if (isinf(data.data[i * data.stride + j]))
                return SFI_FAIL(ctx, SF_E_NUMERIC,
                                "empirical: row %lld, column \"%s\": the value "
                                "is not finite",
                                (long long)i + 1, names[j]);
    if (o->frame != NULL && sf_frame_cols(o->frame) < data.cols)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "empirical: the frame has %lld columns, and the data "
                        "%lld",
                        (long long)sf_frame_cols(o->frame),
                        (long long)data.cols);
    if (o->bandwidth < SF_BANDWIDTH_LOO || o->bandwidth > SF_BANDWIDTH_ADAPTIVE)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "empirical: bandwidth is %d, want 0 to 2",
                        (int)o->bandwidth);
    if (o->bandwidth == SF_BANDWIDTH_FIXED &&
        !(o->time > 0.0 && o->time <= 1.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "empirical: the time is %g, want > 0 and at most 1",
                        o->time);
    if (!(o->floor < 1.0) ||
        (o->floor < 0.0 && o->bandwidth == SF_BANDWIDTH_FIXED))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "empirical: the floor is %g, want 0 to below 1%s",
                        o->floor,
                        o->floor < 0.0 ? " with a fixed bandwidth"
                                       : ", or < 0: to be found");
    if (o->loo_rows < 0)
        return SFI_FAIL(ctx, SF_E_ARG, "empirical: loo_rows is %lld, want >= 0",
                        (long long)o->loo_rows);
    double sum = 0.0;
    for (int64_t i = 0; i < data.rows && o->weights != NULL; i++) {
        if (!(o->weights[i] >= 0.0) || !isfinite(o->weights[i]))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "empirical: the weight of row %lld is %g, want a "
                            "number >= 0",
                            (long long)(i + 1), o->weights[i]);
        sum += o->weights[i];
    }
    if (o->weights != NULL && !(sum > 0.0))
        return SFI_FAIL(ctx, SF_E_ARG, "empirical: all weights are 0");
    return SF_OK;
}

/* ---- the model --------------------------------------------------------------- */

static int numbers_of(sfi_number *out, int64_t rows, bool weighted,
                      bool adaptive, double least, double floor, bool holes,
                      bool atoms)
{
    const sfi_number numbers[] = {{"rows", (double)rows},
                                  {"weighted", weighted},
                                  {"adaptive", adaptive},
                                  {"t_min", least},
                                  {"floor", floor}};
    int count = (int)SFI_COUNT(numbers) - (floor == 0.0);
    memcpy(out, numbers, (size_t)count * sizeof *numbers);
    if (holes)
        out[count++] = (sfi_number){"holes", 1.0};
    if (atoms)
        out[count++] = (sfi_number){"atoms", 1.0};
    return count;
}

static int64_t cells_of(sf_cmat data, int64_t row)
{
    int64_t count = 0;
    for (int64_t j = 0; j < data.cols; j++)
        count += !isnan(data.data[row * data.stride + j]);
    return count;
}

/* Rows of weight 0, or without a cell, are left out: they are no part of the law. */
static bool is_kept(sf_cmat data, const double *weights, int64_t row)
{
    return (weights == NULL || weights[row] > 0.0) && cells_of(data, row) > 0;
}

static int64_t kept_rows(sf_cmat data, const double *weights)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < data.rows; i++)
        kept += is_kept(data, weights, i);
    return kept;
}

/* Whether a row that is kept lacks a cell. */
static bool has_holes(sf_cmat data, const double *weights)
{
    for (int64_t i = 0; i < data.rows; i++)
        if (is_kept(data, weights, i) && cells_of(data, i) < data.cols)
            return true;
    return false;
}

/* What is in the way of rows with missing cells, with the column it is about or -1;
 * NULL if nothing is. */
static const char *why_no_holes(const sfi_noise *noise,
                                const sf_empirical_options *o, int64_t *column)
{
    *column = -1;
    for (int64_t j = 0; j < noise->dim; j++)
        if (sfi_cell_family_of(sfi_noise_block(noise, j)) == SFI_CELL_UNKNOWN) {
            *column = j;
            return "its kernel is not for them; want gaussian, lognormal, "
                   "beta, integer or category, which auto chooses from";
        }
    return o->bandwidth == SF_BANDWIDTH_ADAPTIVE
               ? "they have no distances to neighbours; want one bandwidth for "
                 "all rows"
           : o->floor != 0.0 ? "there is no background (floor) for them; want 0"
                             : NULL;
}

static sf_status check_holes(sf_context *ctx, const sfi_noise *noise,
                             sf_cmat data, const char *const *names,
                             const sf_empirical_options *o)
{
    int64_t column;
    const char *why = why_no_holes(noise, o, &column);
    if (why == NULL || !has_holes(data, o->weights))
        return SF_OK;
    if (column < 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "empirical: rows have missing cells, and %s, or "
                        "complete rows",
                        why);
    return SFI_FAIL(ctx, SF_E_ARG,
                    "empirical: rows have missing cells; column \"%s\": %s, or "
                    "complete rows",
                    names[column], why);
}

bool sf_empirical_takes_missing(sf_context *ctx, int64_t dim,
                                const char *const *names,
                                const sf_empirical_options *options)
{
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sfi_noise noise = {0};
    int64_t column;
    if (sfi_options(ctx, &o, sizeof o, options) != SF_OK)
        return false;
    const bool any = o.kernel == NULL || strcmp(o.kernel, "auto") == 0;
    const bool takes = (any || sfi_noise_parse(ctx, &noise, o.kernel, dim,
                                               names, NULL) == SF_OK) &&
                       why_no_holes(&noise, &o, &column) == NULL;
    sfi_noise_free(ctx, &noise);
    return takes;
}

/* The model of these kernels with the data in it and no noise yet. */
static sf_status make(sf_context *ctx, sf_model **out, const sfi_noise *noise,
                      sf_cmat data, const char *const *names,
                      const double *mean, const double *scale,
                      const sf_empirical_options *o, bool atoms)
{
    sfi_number numbers[SFI_MAX_NUMBERS];
    const int count =
        numbers_of(numbers, kept_rows(data, o->weights), o->weights != NULL,
                   o->bandwidth == SF_BANDWIDTH_ADAPTIVE,
                   o->bandwidth == SF_BANDWIDTH_FIXED ? o->time : 1.0,
                   fmax(o->floor, 0.0), has_holes(data, o->weights), atoms);
    SFI_TRY(sfi_model_new(ctx, out, &sfi_empirical_ops, data.cols, names, noise,
                          count, numbers));
    sf_model *m = *out;
    memcpy(m->mean, mean, (size_t)m->dim * sizeof *mean);
    memcpy(m->scale, scale, (size_t)m->dim * sizeof *scale);
    int64_t to = 0;
    for (int64_t i = 0; i < data.rows; i++) {
        if (!is_kept(data, o->weights, i))
            continue;
        for (int64_t j = 0; j < m->dim; j++)
            m->weights[to * m->dim + j] =
                (data.data[i * data.stride + j] - mean[j]) / scale[j];
        if (o->weights != NULL)
            m->weights[m->layout[1].offset + to] = log(o->weights[i]);
        to++;
    }
    if (to == 0)
        return SFI_FAIL(ctx, SF_E_ARG, "empirical: no row has a cell");
    if (o->frame != NULL)
        SFI_TRY(sf_model_describe(m, o->frame));
    SFI_TRY(sfi_check_clean(m, data, "empirical"));
    return atoms ? m->ops->check(m) : SF_OK;
}

static void set_number(sf_model *m, const char *key, double value)
{
    for (int i = 0; i < m->number_count; i++)
        if (strcmp(m->numbers[i].key, key) == 0) {
            m->numbers[i].value = value;
            return;
        }
    sfi_number *added = &m->numbers[m->number_count++];
    *added = (sfi_number){"", value};
    memcpy(added->key, key, strlen(key) + 1);
}

static void set_times(sf_model *m, double least, double floor,
                      const double *times)
{
    set_number(m, "t_min", least);
    if (floor > 0.0)
        set_number(m, "floor", floor);
    if (times != NULL) {
        const sfi_weight *w = &m->layout[m->layout_count - 1];
        memcpy(m->weights + w->offset, times, (size_t)w->count * sizeof *times);
    }
}

static sf_status find_noise(sf_model *m, const sf_empirical_options *o,
                            sf_empirical_report *report)
{
    sf_context *ctx = m->ctx;
    const int64_t n = sfi_empirical_of(m).data.rows;
    double *times = NULL;
    sfi_bandwidth found;
    if (o->bandwidth == SF_BANDWIDTH_FIXED) {
        report->time_least = report->time_most = o->time;
        report->floor = o->floor;
        return sfi_count_copies(m, &report->copies);
    }
    const int64_t counts = sfi_noise_find_counts(&m->noise, true);
    if (counts >= 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "empirical: column \"%s\": kernel %s is for counts, "
                        "whose least time the rows cannot choose; give a "
                        "number",
                        m->names[counts],
                        sfi_noise_block(&m->noise, counts)->kernel.ops->family);
    if (n < 2)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "empirical: one row has no others to choose a "
                        "bandwidth by; give a number");
    if (o->bandwidth == SF_BANDWIDTH_ADAPTIVE) {
        times = sfi_alloc(ctx, (size_t)n, sizeof *times);
        if (times == NULL)
            return SF_E_NOMEM;
    }
    const sf_status status =
        sfi_is_product(m)
            ? sfi_find_bandwidth_of_cells(m, o->loo_rows, o->seed, &found)
            : sfi_find_bandwidth(m, o->loo_rows, o->seed, o->floor, times,
                                 &found);
    if (status == SF_OK) {
        set_times(m, found.least, found.floor, times);
        report->floor = found.floor;
        report->time_least = found.least;
        report->time_most = found.most;
        report->loo = found.loo;
        report->loo_se = found.loo_se;
        report->loo_rows = found.loo_rows;
        report->neighbours = found.neighbours;
        report->copies = found.copies;
    }
    sfi_free(ctx, times, (size_t)n, sizeof *times);
    return status;
}

/* ---- atoms ------------------------------------------------------------------- */

/* The first column with atoms, or -1. */
static int64_t find_atoms(sf_cmat data, const sf_empirical_options *o)
{
    for (int64_t j = 0; o->frame != NULL && j < data.cols; j++)
        if (sf_frame_atom_count(o->frame, j) > 0)
            return j;
    return -1;
}

/* Kernels, and whether columns have atoms beside theirs.  unit [2, d] */
static sf_status choose_kernels(sf_context *ctx, sfi_noise *noise, sf_cmat data,
                                const char *const *names,
                                const sf_empirical_options *o, double *unit,
                                bool *atoms)
{
    const int64_t column = find_atoms(data, o);
    int64_t other;
    sfi_kernel_table t = {data, names, o->weights, o->frame, column >= 0};
    SFI_TRY(
        sfi_choose_kernels(ctx, noise, &t, o->kernel, unit, unit + data.cols));
    const char *why = column >= 0 ? why_no_holes(noise, o, &other) : NULL;
    *atoms = column >= 0 && why == NULL;
    if (why == NULL)
        return SF_OK;
    sfi_warn(ctx,
             "atoms of columns (\"%.200s\" has some) are taken as numbers like "
             "others: they want the kernels that auto chooses from, one "
             "bandwidth for all rows and no background",
             names[column]);
    t.atoms = false;
    sfi_noise_free(ctx, noise);
    return sfi_choose_kernels(ctx, noise, &t, o->kernel, unit,
                              unit + data.cols);
}

static sf_status fit(sf_context *ctx, sf_model **out, sf_cmat data,
                     const char *const *names, const sf_empirical_options *o,
                     sf_empirical_report *report)
{
    const size_t d = (size_t)data.cols;
    double *unit = sfi_alloc(ctx, 2 * d, sizeof *unit);
    sfi_noise noise = {0};
    sf_status status = unit != NULL ? SF_OK : SF_E_NOMEM;
    bool atoms = false;
    if (status == SF_OK)
        status = choose_kernels(ctx, &noise, data, names, o, unit, &atoms);
    if (status == SF_OK)
        status = check_holes(ctx, &noise, data, names, o);
    if (status == SF_OK)
        status = make(ctx, out, &noise, data, names, unit, unit + d, o, atoms);
    if (status == SF_OK)
        status = o->floor != 0.0 ? sfi_check_floor(*out, SF_E_ARG) : SF_OK;
    if (status == SF_OK)
        status = find_noise(*out, o, report);
    sfi_noise_free(ctx, &noise);
    sfi_free(ctx, unit, 2 * d, sizeof *unit);
    return status;
}

sf_status sf_fit_empirical(sf_context *ctx, sf_model **out, sf_cmat data,
                           const char *const *names,
                           const sf_empirical_options *options,
                           sf_empirical_report *report)
{
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_empirical_report r = {.loo = NAN, .loo_se = NAN};
    *out = NULL;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    if (data.rows < 1 || data.cols < 1)
        return SFI_FAIL(ctx, SF_E_ARG, "empirical: the data is [%lld, %lld]",
                        (long long)data.rows, (long long)data.cols);
    char **made = sfi_copy_names(ctx, data.cols, names);
    if (made == NULL)
        return SF_E_NOMEM;
    const char *const *shown = (const char *const *)made;
    sf_status status = check(ctx, data, shown, &o);
    if (status == SF_OK)
        status = fit(ctx, out, data, shown, &o, &r);
    sfi_free_names(ctx, data.cols, made);
    if (status != SF_OK) {
        sf_model_free(*out);
        *out = NULL;
    } else if (report != NULL) {
        *report = r;
    }
    return status;
}
