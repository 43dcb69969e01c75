/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/noise.h"

#include "base/parallel.h"
#include "base/text.h"
#include "kernel/path.h"
#include "num/decimal.h"
#include "scorefield/program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- text ------------------------------------------------------------------- */

void sfi_kernel_format(const sfi_kernel *k, char text[SF_KERNEL_TEXT])
{
    size_t used = (size_t)snprintf(text, SF_KERNEL_TEXT, "%s", k->ops->family);
    for (int i = 0; i < k->ops->number_count && used < SF_KERNEL_TEXT; i++) {
        const sfi_kernel_number *n = &k->ops->numbers[i];
        char number[SFI_NUMBER_SIZE];
        const char *word = number;
        int size = sfi_number_format(k->numbers[i], number);
        if (n->words != NULL) {
            word = n->words;
            for (int at = 0; at < (int)k->numbers[i]; at++)
                word = strchr(word, '|') + 1;
            size = (int)strcspn(word, "|");
        }
        used +=
            (size_t)snprintf(text + used, SF_KERNEL_TEXT - used, "%s%s=%.*s",
                             i == 0 ? ":" : ",", n->name, size, word);
    }
}

/* A piece of the text, without blanks at its ends. */
typedef struct piece {
    const char *at;
    size_t size;
} piece;

static piece trimmed(const char *at, size_t size)
{
    while (size > 0 && (*at == ' ' || *at == '\t')) {
        at++;
        size--;
    }
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    return (piece){at, size};
}

static sf_status parse_piece(sf_context *ctx, sfi_kernel *out, piece p,
                             bool *bare)
{
    char text[256], shown[SFI_SHOW_SIZE];
    if (p.size >= sizeof text)
        return SFI_FAIL(ctx, SF_E_ARG, "kernel \"%s\": the text is too long",
                        sfi_show(shown, p.at, p.size));
    memcpy(text, p.at, p.size);
    text[p.size] = '\0';
    *bare = memchr(text, ':', p.size) == NULL;
    return sfi_kernel_parse(ctx, out, text);
}

/* Which column "NAME=..." is about: the one of the longest name, -1 for none. */
static int64_t column_of(piece p, int64_t dim, const char *const *names)
{
    int64_t found = -1;
    size_t longest = 0;
    for (int64_t j = 0; j < dim; j++) {
        const size_t size = strlen(names[j]);
        if (size < p.size && size >= longest &&
            memcmp(names[j], p.at, size) == 0 &&
            trimmed(p.at + size, p.size - size).at[0] == '=') {
            found = j;
            longest = size;
        }
    }
    return found;
}

/* "COLUMN=KERNEL; ..." */
static sf_status parse_columns(sf_context *ctx, sfi_noise *out,
                               const char *text, const char *const *names,
                               bool *bare)
{
    char shown[SFI_SHOW_SIZE];
    while (*text != '\0') {
        const size_t size = strcspn(text, ";");
        const piece p = trimmed(text, size);
        text += size + (text[size] == ';');
        if (p.size == 0)
            continue;
        const int64_t j = column_of(p, out->dim, names);
        if (j < 0)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "kernel: \"%s\", want KERNEL for all columns, or "
                            "COLUMN=KERNEL with a column of the data",
                            sfi_show(shown, p.at, p.size));
        if (out->kernels[j].ops != NULL)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "kernel: column \"%s\" is named twice",
                            sfi_show(shown, names[j], strlen(names[j])));
        const size_t name = strlen(names[j]);
        const piece rest = trimmed(p.at + name, p.size - name);
        SFI_TRY(parse_piece(ctx, &out->kernels[j],
                            trimmed(rest.at + 1, rest.size - 1), &bare[j]));
    }
    for (int64_t j = 0; j < out->dim; j++)
        if (out->kernels[j].ops == NULL)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "kernel: there is none for column \"%s\"",
                            sfi_show(shown, names[j], strlen(names[j])));
    return SF_OK;
}

static sf_status parse(sf_context *ctx, sfi_noise *out, const char *text,
                       const char *const *names, bool *bare)
{
    const size_t word = strcspn(text, ":=;");
    if (text[word] == '=')
        return parse_columns(ctx, out, text, names, bare);
    SFI_TRY(parse_piece(ctx, &out->kernels[0], trimmed(text, strlen(text)),
                        &bare[0]));
    for (int64_t j = 1; j < out->dim; j++) {
        out->kernels[j] = out->kernels[0];
        bare[j] = bare[0];
    }
    return SF_OK;
}

sf_status sfi_noise_parse(sf_context *ctx, sfi_noise *out, const char *text,
                          int64_t dim, const char *const *names, bool *bare)
{
    *out = (sfi_noise){dim, NULL};
    const size_t n = (size_t)dim;
    bool *spare = sfi_alloc_zero(ctx, n, sizeof *spare);
    out->kernels = sfi_alloc_zero(ctx, n, sizeof *out->kernels);
    const sf_status status = spare != NULL && out->kernels != NULL
                                 ? parse(ctx, out, text, names, spare)
                                 : SF_E_NOMEM;
    if (status == SF_OK && bare != NULL)
        memcpy(bare, spare, n * sizeof *bare);
    sfi_free(ctx, spare, n, sizeof *spare);
    if (status != SF_OK)
        sfi_noise_free(ctx, out);
    return status;
}

sf_status sfi_noise_copy(sf_context *ctx, sfi_noise *out, const sfi_noise *from)
{
    const size_t n = (size_t)from->dim;
    *out = (sfi_noise){from->dim, sfi_alloc(ctx, n, sizeof *out->kernels)};
    if (out->kernels == NULL) {
        out->dim = 0;
        return SF_E_NOMEM;
    }
    memcpy(out->kernels, from->kernels, n * sizeof *out->kernels);
    return SF_OK;
}

void sfi_noise_free(sf_context *ctx, sfi_noise *noise)
{
    sfi_free(ctx, noise->kernels, (size_t)noise->dim, sizeof *noise->kernels);
    *noise = (sfi_noise){0, NULL};
}

bool sfi_kernel_remembers(const sfi_kernel *k)
{
    return k->ops->number_count > 0 &&
           strcmp(k->ops->numbers[0].name, "path") == 0 &&
           k->numbers[0] == SFI_PATH_VE;
}

/* ---- rows ------------------------------------------------------------------- */

void sfi_noise_to_chart(const sfi_noise *noise, const double *x, double *y)
{
    for (int64_t j = 0; j < noise->dim; j++)
        y[j] = sfi_chart_to_number(noise->kernels[j].ops->chart, x[j]);
}

void sfi_noise_from_chart(const sfi_noise *noise, const double *y, double *x)
{
    for (int64_t j = 0; j < noise->dim; j++)
        x[j] = sfi_chart_from_number(noise->kernels[j].ops->chart, y[j]);
}

void sfi_noise_slopes(const sfi_noise *noise, const double *y, double *slope,
                      double *bend, double *turn)
{
    for (int64_t j = 0; j < noise->dim; j++) {
        const sfi_chart chart = noise->kernels[j].ops->chart;
        const double x = sfi_chart_from_number(chart, y[j]);
        slope[j] = 1.0;
        bend[j] = turn[j] = 0.0;
        if (chart == SFI_CHART_LOG) {
            slope[j] = x;
            bend[j] = 1.0;
        } else if (chart == SFI_CHART_LOGIT) {
            /* 1 - x = chart^-1(-y), without cancellation. */
            const double rest = sfi_chart_from_number(chart, -y[j]);
            slope[j] = x * rest;
            bend[j] = rest - x;
            turn[j] = -2.0 * x * rest;
        }
    }
}

double sfi_noise_log_slope(const sfi_noise *noise, const double *y)
{
    double sum = 0.0;
    for (int64_t j = 0; j < noise->dim; j++) {
        const sfi_chart chart = noise->kernels[j].ops->chart;
        if (chart == SFI_CHART_LOG)
            sum += y[j];
        else if (chart == SFI_CHART_LOGIT) /* ln x + ln(1 - x) */
            sum -= fabs(y[j]) + 2.0 * log1p(exp(-fabs(y[j])));
    }
    return sum;
}

/* What a number should be, NULL if it is that. */
static const char *wanted(const sfi_kernel_ops *ops, double x, bool clean)
{
    const double most = 0x1p53; /* beyond it not all whole numbers exist */
    if (ops->counts != NULL && clean && !ops->counts->whole)
        return x >= 0.0 && x <= most ? NULL : "from 0 to 2^53";
    if (ops->counts != NULL)
        return x >= 0.0 && x <= most && x == floor(x)
                   ? NULL
                   : "that is a whole number from 0 to 2^53";
    if (ops->chart == SFI_CHART_LOG)
        return x > 0.0 ? NULL : "> 0";
    if (ops->chart == SFI_CHART_LOGIT)
        return x > 0.0 && x < 1.0 ? NULL : "between 0 and 1, both excluded";
    return NULL;
}

static int64_t outside(const sfi_noise *noise, const double *x, bool clean,
                       const char **want)
{
    for (int64_t j = 0; j < noise->dim; j++) {
        *want = wanted(noise->kernels[j].ops, x[j], clean);
        if (*want != NULL)
            return j;
    }
    return -1;
}

int64_t sfi_noise_outside(const sfi_noise *noise, const double *x,
                          const char **want)
{
    return outside(noise, x, false, want);
}

int64_t sfi_noise_outside_clean(const sfi_noise *noise, const double *x0,
                                const char **want)
{
    return outside(noise, x0, true, want);
}

int64_t sfi_noise_find(const sfi_noise *noise, bool counts)
{
    for (int64_t j = 0; j < noise->dim; j++)
        if ((noise->kernels[j].ops->counts != NULL) == counts)
            return j;
    return -1;
}

/* ---- nodes ------------------------------------------------------------------ */

sfi_kernel_nodes sfi_noise_at(const sfi_noise *noise, sf_graph *g, sf_node y,
                              sf_node x0, sf_node t, sfi_velocity how)
{
    sfi_kernel_nodes all = {{-1}, {-1}, {-1}, {-1}, {-1}};
    const int64_t one = 1;
    for (int64_t j = 0; j < noise->dim; j++) {
        const sf_node place = sf_stop_gradient(g, sf_component(g, y, j));
        const sfi_kernel_nodes n = sfi_kernel_at_chart(
            &noise->kernels[j], g, place, sf_component(g, x0, j), t, how);
        const sf_node row[3] = {sf_reshape(g, n.score, 1, &one),
                                sf_reshape(g, n.hessian, 1, &one),
                                sf_reshape(g, n.velocity, 1, &one)};
        if (j == 0) {
            all = (sfi_kernel_nodes){n.logp, row[0], row[1], n.rate, row[2]};
            continue;
        }
        all.logp = sf_add(g, all.logp, n.logp);
        all.rate = sf_add(g, all.rate, n.rate);
        all.score = sf_concat(g, 2, (sf_node[]){all.score, row[0]}, 0);
        all.hessian = sf_concat(g, 2, (sf_node[]){all.hessian, row[1]}, 0);
        all.velocity = sf_concat(g, 2, (sf_node[]){all.velocity, row[2]}, 0);
    }
    return all;
}

/* Curvatures at t = SMALL, where a path has hardly moved x0. */
sf_status sfi_noise_spread(sf_context *ctx, const sfi_noise *noise,
                           double *spread)
{
    const double small = 1e-4;
    const int64_t d = noise->dim;
    double *x0 = sfi_alloc_zero(ctx, 2 * (size_t)d, sizeof *x0);
    sf_graph *g = NULL;
    sf_program *program = NULL;
    sf_status status = x0 != NULL ? sf_graph_new(ctx, &g) : SF_E_NOMEM;
    if (status == SF_OK) {
        const sf_node y = sf_input(g, "y", 1, &d), x = sf_input(g, "x0", 1, &d);
        const sf_node t = sf_param(g, "t", 0, NULL);
        const sf_output out = {
            sfi_noise_at(noise, g, y, x, t, SFI_VELOCITY_TRAINING).hessian,
            SF_EACH};
        status = sf_program_new(ctx, &program, g, SF_F64, 1, &out);
    }
    if (status == SF_OK) {
        double *middle = x0 + d; /* of the chart: 0 */
        sfi_noise_from_chart(noise, middle, x0);
        const sf_source sources[] = {
            {.kind = SF_ROWS, .data = middle, .dtype = SF_F64, .stride = d},
            {.kind = SF_ROWS, .data = x0, .dtype = SF_F64, .stride = d}};
        const void *const params[] = {&small};
        const sf_sink sink = {spread, SF_F64, d};
        status = sf_program_run(program, 1, sources, params, &sink);
    }
    for (int64_t j = 0; j < d && status == SF_OK; j++)
        spread[j] = spread[j] < 0.0
                        ? 1.0 / (small * sqrt(-spread[j]))
                        : sfi_kernel_number_of(&noise->kernels[j], "scale");
    sf_program_free(program);
    sf_graph_free(g);
    sfi_free(ctx, x0, 2 * (size_t)d, sizeof *x0);
    return status;
}

/* ---- draws ------------------------------------------------------------------ */

enum { ROWS = 512 };

struct sfi_noiser {
    sf_context *ctx;
    const sfi_noise *noise;
    sf_program *program;
    double *theta; /* [ROWS, dim, SFI_KERNEL_THETA] */
    size_t count;
};

static sf_status compile(sfi_noiser *z, sf_graph *g)
{
    const int64_t d = z->noise->dim, one = 1;
    const sf_node x0 = sf_input(g, "x0", 1, &d), t = sf_input(g, "t", 0, NULL);
    const size_t parts = (size_t)d * SFI_KERNEL_THETA;
    sf_node *all = sfi_alloc(z->ctx, parts, sizeof *all);
    if (all == NULL)
        return SF_E_NOMEM;
    int count = 0;
    for (int64_t j = 0; j < d; j++) {
        const sfi_kernel *k = &z->noise->kernels[j];
        sf_node theta[SFI_KERNEL_THETA];
        k->ops->theta(k, g, sf_component(g, x0, j), t, theta);
        for (int i = 0; i < SFI_KERNEL_THETA; i++)
            all[count++] = sf_reshape(
                g, i < k->ops->theta_count ? theta[i] : sf_const(g, 0.0), 1,
                &one);
    }
    const sf_output out = {sf_concat(g, count, all, 0), SF_EACH};
    sfi_free(z->ctx, all, parts, sizeof *all);
    return sf_program_new(z->ctx, &z->program, g, SF_F64, 1, &out);
}

sf_status sfi_noiser_new(sf_context *ctx, sfi_noiser **out,
                         const sfi_noise *noise)
{
    *out = NULL;
    sfi_noiser *z = sfi_alloc_zero(ctx, 1, sizeof *z);
    if (z == NULL)
        return SF_E_NOMEM;
    z->ctx = ctx;
    z->noise = noise;
    z->count = (size_t)(ROWS * noise->dim * SFI_KERNEL_THETA);
    z->theta = sfi_alloc(ctx, z->count, sizeof *z->theta);
    sf_graph *g = NULL;
    sf_status status = z->theta != NULL ? sf_graph_new(ctx, &g) : SF_E_NOMEM;
    if (status == SF_OK)
        status = compile(z, g);
    sf_graph_free(g);
    if (status != SF_OK) {
        sfi_noiser_free(z);
        return status;
    }
    *out = z;
    return SF_OK;
}

void sfi_noiser_free(sfi_noiser *z)
{
    if (z == NULL)
        return;
    sf_program_free(z->program);
    sfi_free(z->ctx, z->theta, z->count, sizeof *z->theta);
    sfi_free(z->ctx, z, 1, sizeof *z);
}

typedef struct drawing {
    const sfi_noiser *z;
    sfi_where where;
    sf_mat y; /* of these rows */
} drawing;

static void draw_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const drawing *job = user;
    const int64_t d = job->z->noise->dim;
    (void)part;
    for (int64_t i = first; i < first + count; i++)
        for (int64_t j = 0; j < d; j++) {
            const sfi_kernel *k = &job->z->noise->kernels[j];
            sfi_where where = job->where;
            where.point += (uint64_t)i;
            where.step = (uint32_t)((int64_t)where.step * d + j);
            job->y.data[i * job->y.stride + j] = k->ops->draw(
                k, job->z->theta + (i * d + j) * SFI_KERNEL_THETA, where);
        }
}

sf_status sfi_noiser_run(sfi_noiser *z, int64_t n, sf_cmat x0,
                         const int64_t *index, const double *times,
                         sfi_where where, sf_mat y)
{
    const int64_t columns = z->noise->dim * SFI_KERNEL_THETA;
    for (int64_t at = 0; at < n; at += ROWS) {
        const int64_t count = n - at < ROWS ? n - at : ROWS;
        const sf_source sources[] = {
            {.kind = SF_ROWS,
             .data = index != NULL ? x0.data : x0.data + at * x0.stride,
             .dtype = SF_F64,
             .stride = x0.stride,
             .rows = index != NULL ? index + at : NULL},
            {.kind = SF_ROWS,
             .data = times + at,
             .dtype = SF_F64,
             .stride = 1}};
        const sf_sink sink = {z->theta, SF_F64, columns};
        SFI_TRY(sf_program_run(z->program, count, sources, NULL, &sink));
        drawing job = {
            z, where, {y.data + at * y.stride, count, y.cols, y.stride}};
        job.where.point += (uint64_t)at;
        sfi_parallel(z->ctx, count, 64, draw_rows, &job);
    }
    return SF_OK;
}
