/* SPDX-License-Identifier: Apache-2.0 */
/* fit_empirical.c - the exact law of a data set: which kernels, and how much noise the
 * data has at least. */
#include "fit/bandwidth.h"
#include "fit/kernels.h"
#include "model/model.h"
#include "num/linalg.h"
#include "scorefield/fit.h"

#include <math.h>
#include <string.h>

/* ---- checks ------------------------------------------------------------------ */

static sf_status check(sf_context *ctx, sf_cmat data, const char *const *names,
                       const sf_empirical_options *o)
{
    SFI_TRY(sfi_check_finite(ctx, data, 0, names, "empirical"));
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
                      bool adaptive, double least, double floor)
{
    const sfi_number numbers[] = {{"rows", (double)rows},
                                  {"weighted", weighted},
                                  {"adaptive", adaptive},
                                  {"t_min", least},
                                  {"floor", floor}};
    const int count = (int)SFI_COUNT(numbers) - (floor == 0.0);
    memcpy(out, numbers, (size_t)count * sizeof *numbers);
    return count;
}

/* Rows of weight 0 are left out: they are no part of the law. */
static int64_t kept_rows(sf_cmat data, const double *weights)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < data.rows; i++)
        kept += weights == NULL || weights[i] > 0.0;
    return kept;
}

/* The model of these kernels with the data in it and no noise yet. */
static sf_status make(sf_context *ctx, sf_model **out, const sfi_noise *noise,
                      sf_cmat data, const char *const *names,
                      const double *mean, const double *scale,
                      const sf_empirical_options *o)
{
    sfi_number numbers[SFI_MAX_NUMBERS];
    const int count =
        numbers_of(numbers, kept_rows(data, o->weights), o->weights != NULL,
                   o->bandwidth == SF_BANDWIDTH_ADAPTIVE,
                   o->bandwidth == SF_BANDWIDTH_FIXED ? o->time : 1.0,
                   fmax(o->floor, 0.0));
    SFI_TRY(sfi_model_new(ctx, out, &sfi_empirical_ops, data.cols, names, noise,
                          count, numbers));
    sf_model *m = *out;
    memcpy(m->mean, mean, (size_t)m->dim * sizeof *mean);
    memcpy(m->scale, scale, (size_t)m->dim * sizeof *scale);
    int64_t to = 0;
    for (int64_t i = 0; i < data.rows; i++) {
        if (o->weights != NULL && o->weights[i] == 0.0)
            continue;
        for (int64_t j = 0; j < m->dim; j++)
            m->weights[to * m->dim + j] =
                (data.data[i * data.stride + j] - mean[j]) / scale[j];
        if (o->weights != NULL)
            m->weights[m->layout[1].offset + to] = log(o->weights[i]);
        to++;
    }
    return sfi_check_clean(m, data, "empirical");
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
        sfi_find_bandwidth(m, o->loo_rows, o->seed, o->floor, times, &found);
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

static sf_status fit(sf_context *ctx, sf_model **out, sf_cmat data,
                     const char *const *names, const sf_empirical_options *o,
                     sf_empirical_report *report)
{
    const size_t d = (size_t)data.cols;
    double *unit = sfi_alloc(ctx, 2 * d, sizeof *unit);
    sfi_noise noise = {0};
    sf_status status = unit != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_choose_kernels(
            ctx, &noise, &(sfi_kernel_table){data, names, o->weights, o->frame},
            o->kernel, unit, unit + d);
    if (status == SF_OK)
        status = make(ctx, out, &noise, data, names, unit, unit + d, o);
    if (status == SF_OK && o->frame != NULL)
        status = sf_model_describe(*out, o->frame);
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
