/* SPDX-License-Identifier: Apache-2.0 */
/* inner.c - what evaluates a model at many points, for one level or for one each: a
 * program, or the mixture of a data set.
 *
 * A program's graph has inputs y and (for probes) v, and as parameters the model's
 * weights, which are converted to the program's type once.  The level is a
 * parameter, so that what follows from it alone is computed once for all points, or
 * an input. */
#include "model/local.h"
#include "model/product.h"
#include "model/model.h"

#include "num/array.h"

#include <string.h>

enum { WANTS = 7 };

/* Points of a chunk of a data set's, at most, and numbers of an array, nearly. */
enum { MOST_ROWS = 4096, MOST_CELLS = 1 << 22 };

/* The law of a data set answers in f64, by chunks of points. */
typedef struct data_part {
    sfi_mixture *mixture;
    unsigned wants;
    int64_t dim, inner, rows;
    size_t cells;
    double *y;             /* [rows, inner] */
    int64_t *index;        /* [rows] which rows of the caller's these are */
    bool *done;            /* [rows] of a chunk, those that had their turn */
    double *values[WANTS]; /* [rows, columns] of what is wanted */
} data_part;

struct sfi_inner {
    sf_context *ctx;
    sf_program *program; /* or NULL, and */
    data_part data;      /* or           */
    sfi_local_law *local;
    sfi_product_law *product; /* and the model that it is of */
    const sf_model *model;
    sf_dtype dtype, row_dtype; /* of the program, and of rows and outputs */
    int output_count;
    int64_t columns[WANTS];
    size_t weight_bytes, param_count;
    char *weights;
    const void **params; /* the level, if it is one, and each weight */
    int64_t inner;
    bool probed, row_levels;
};

static sf_node flatten(sf_graph *g, sf_node n)
{
    const int64_t count = sf_node_count(g, n);
    return sf_reshape(g, n, 1, &count);
}

static sf_node wanted_node(sf_graph *g, unsigned want, const sfi_answer *a,
                           sf_node y, sf_node probe)
{
    switch (want) {
    case SFI_WANT_SCORE:
        return a->score;
    case SFI_WANT_DRIFT:
        return a->drift;
    case SFI_WANT_DENOISED:
        return a->denoised;
    case SFI_WANT_JACOBIAN:
        return flatten(g, sf_jacobian(g, a->score, y));
    case SFI_WANT_DIVERGENCE:
        return sf_divergence(g, a->drift, y);
    case SFI_WANT_LOGPDF:
        return a->logp;
    default:
        return sf_dot(g, probe, sf_jvp(g, a->drift, y, probe));
    }
}

static sf_status build(const sf_model *m, sfi_inner *f, sf_graph *g,
                       unsigned wants)
{
    sf_node *weights = sfi_alloc(m->ctx, m->layout_count, sizeof *weights);
    if (weights == NULL)
        return SF_E_NOMEM;
    const sf_node y = sf_input(g, "y", 1, &m->inner);
    sf_node probe = {0};
    f->probed = (wants & SFI_WANT_PROBE) != 0;
    if (f->probed)
        probe = sf_input(g, "probe", 1, &m->inner);
    const sf_node level = f->row_levels ? sf_input(g, "level", 0, NULL)
                                        : sf_param(g, "level", 0, NULL);
    sf_status status = sfi_weight_nodes(m, g, weights);
    if (status == SF_OK) {
        const sfi_answer a = m->ops->answer(m, g, y, level, weights);
        sf_output outputs[WANTS];
        status = sf_graph_status(g);
        for (int k = 0; k < WANTS && status == SF_OK; k++) {
            if ((wants >> k & 1) == 0)
                continue;
            const sf_node n = wanted_node(g, 1u << k, &a, y, probe);
            f->columns[f->output_count] = sf_node_count(g, n);
            outputs[f->output_count++] = (sf_output){n, SF_EACH};
        }
        if (status == SF_OK)
            status = sf_program_new(m->ctx, &f->program, g, f->dtype,
                                    f->output_count, outputs);
    }
    sfi_free(m->ctx, weights, m->layout_count, sizeof *weights);
    return status;
}

static bool convert_weights(const sf_model *m, sfi_inner *f)
{
    const size_t size = sf_dtype_size(f->dtype);
    f->weight_bytes = (size_t)m->weight_count * size;
    const size_t first = f->row_levels ? 0 : 1;
    f->param_count = m->layout_count + first;
    f->weights = sfi_alloc(m->ctx, f->weight_bytes, 1);
    f->params = sfi_alloc(m->ctx, f->param_count, sizeof *f->params);
    if (f->weights == NULL || f->params == NULL)
        return false;
    for (int64_t i = 0; i < m->weight_count; i++)
        sfi_number_put(f->dtype, f->weights, i, m->weights[i]);
    for (size_t k = 0; k < m->layout_count; k++)
        f->params[k + first] = f->weights + (size_t)m->layout[k].offset * size;
    return true;
}

/* ---- a data set ---------------------------------------------------------------- */

static sf_status open_data(const sf_model *m, sfi_inner *f, unsigned wants)
{
    data_part *d = &f->data;
    const int64_t inner = m->inner;
    const int64_t columns[WANTS] = {inner, inner, m->dim, inner * inner,
                                    1,     1,     0};
    if ((wants & SFI_WANT_PROBE) != 0)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "the distribution of a data set has exact divergences");
    d->wants = wants;
    d->inner = inner;
    d->dim = m->dim;
    d->rows = 1 + MOST_CELLS / ((wants & SFI_WANT_JACOBIAN) != 0 ? inner * inner
                                                                 : inner);
    if (d->rows > MOST_ROWS)
        d->rows = MOST_ROWS;
    d->cells = (size_t)(d->rows * inner);
    d->y = sfi_alloc(m->ctx, d->cells, sizeof *d->y);
    d->index = sfi_alloc(m->ctx, (size_t)d->rows, sizeof *d->index);
    d->done = sfi_alloc(m->ctx, (size_t)d->rows, sizeof *d->done);
    bool enough = d->y != NULL && d->index != NULL && d->done != NULL;
    for (int k = 0; k < WANTS; k++)
        if ((wants >> k & 1) != 0) {
            f->columns[f->output_count++] = columns[k];
            d->values[k] = sfi_alloc(m->ctx, (size_t)(d->rows * columns[k]),
                                     sizeof(double));
            enough = enough && d->values[k] != NULL;
        }
    return enough
               ? m->ops->mixture(
                     m, &d->mixture,
                     f->dtype == SF_F32 ? SFI_VELOCITY_TRAINING
                                        : SFI_VELOCITY_EXACT,
                     (wants & (SFI_WANT_JACOBIAN | SFI_WANT_DIVERGENCE)) != 0)
               : SF_E_NOMEM;
}

static void close_data(sfi_inner *f)
{
    data_part *d = &f->data;
    int output = 0;
    for (int k = 0; k < WANTS; k++)
        if ((d->wants >> k & 1) != 0)
            sfi_free(f->ctx, d->values[k],
                     (size_t)(d->rows * f->columns[output++]), sizeof(double));
    sfi_free(f->ctx, d->done, (size_t)d->rows, sizeof *d->done);
    sfi_free(f->ctx, d->index, (size_t)d->rows, sizeof *d->index);
    sfi_free(f->ctx, d->y, d->cells, sizeof *d->y);
    sfi_mixture_free(d->mixture);
}

/* Rows index[0] ... index[n - 1] of y, n <= d->rows, at one level. */
static sf_status run_chunk(sfi_inner *f, int64_t n, const int64_t *index,
                           const void *y, int64_t y_stride, double level,
                           void *const *outputs, const int64_t *strides)
{
    const data_part *d = &f->data;
    const int64_t inner = d->inner;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < inner; j++)
            d->y[i * inner + j] =
                sfi_number_get(f->row_dtype, y, index[i] * y_stride + j);
    const sfi_mixture_want want = {
        .logp = d->values[5],
        .score = {d->values[0], n, inner, inner},
        .velocity = {d->values[1], n, inner, inner},
        .denoised = {d->values[2], n, d->dim, d->dim},
        .jacobian = {d->values[3], n, inner * inner, inner * inner},
        .divergence = d->values[4]};
    SFI_TRY(sfi_mixture_run(d->mixture, (sf_cmat){d->y, n, inner, inner}, level,
                            &want));
    int output = 0;
    for (int k = 0; k < WANTS; k++) {
        if (d->values[k] == NULL)
            continue;
        const int64_t columns = f->columns[output];
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < columns; j++)
                sfi_number_put(f->row_dtype, outputs[output],
                               index[i] * strides[output] + j,
                               d->values[k][i * columns + j]);
        output++;
    }
    return SF_OK;
}

static sf_status run_data(sfi_inner *f, int64_t n, const void *y,
                          int64_t y_stride, double level, void *const *outputs,
                          const int64_t *strides)
{
    const data_part *d = &f->data;
    for (int64_t at = 0; at < n; at += d->rows) {
        const int64_t rows = n - at < d->rows ? n - at : d->rows;
        for (int64_t i = 0; i < rows; i++)
            d->index[i] = at + i;
        SFI_TRY(
            run_chunk(f, rows, d->index, y, y_stride, level, outputs, strides));
    }
    return SF_OK;
}

/* Rows of one level after the other. */
static sf_status run_data_levels(sfi_inner *f, int64_t n, const void *y,
                                 int64_t y_stride, const double *levels,
                                 void *const *outputs, const int64_t *strides)
{
    const data_part *d = &f->data;
    for (int64_t at = 0; at < n; at += d->rows) {
        const int64_t rows = n - at < d->rows ? n - at : d->rows;
        memset(d->done, 0, (size_t)rows * sizeof *d->done);
        for (int64_t first = 0; first < rows; first++) {
            int64_t count = 0;
            for (int64_t i = first; i < rows && !d->done[first]; i++)
                if (levels[at + i] == levels[at + first])
                    d->index[count++] = at + i;
            for (int64_t i = 0; i < count; i++)
                d->done[d->index[i] - at] = true;
            if (count > 0)
                SFI_TRY(run_chunk(f, count, d->index, y, y_stride,
                                  levels[at + first], outputs, strides));
        }
    }
    return SF_OK;
}

/* ---- any ------------------------------------------------------------------------ */

static sf_status open_program(const sf_model *m, sfi_inner *f, unsigned wants)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(m->ctx, &g));
    sf_status status = build(m, f, g, wants);
    if (status == SF_OK && !convert_weights(m, f))
        status = SF_E_NOMEM;
    sf_graph_free(g);
    return status;
}

static sf_status check_wants(const sf_model *m, unsigned wants)
{
    static const struct {
        unsigned wants;
        sf_ability ability;
    } needs[] = {
        {SFI_WANT_SCORE | SFI_WANT_JACOBIAN, SF_CAN_SCORE},
        {SFI_WANT_DENOISED, SF_CAN_NOISE},
        {SFI_WANT_DRIFT | SFI_WANT_DIVERGENCE | SFI_WANT_PROBE, SF_CAN_FLOW},
        {SFI_WANT_LOGPDF, SF_CAN_LOGPDF_CLOSED}};
    for (size_t i = 0; i < SFI_COUNT(needs); i++)
        if ((wants & needs[i].wants) != 0)
            SFI_TRY(sfi_want_ability(m->ctx, m, needs[i].ability, "eval"));
    return SF_OK;
}

sf_status sfi_inner_new(const sf_model *m, sfi_inner **out, sf_dtype dtype,
                        unsigned wants)
{
    *out = NULL;
    SFI_TRY(check_wants(m, wants));
    sfi_inner *f = sfi_alloc_zero(m->ctx, 1, sizeof *f);
    if (f == NULL)
        return SF_E_NOMEM;
    f->ctx = m->ctx;
    f->inner = m->inner;
    f->dtype = dtype;
    f->row_levels = (wants & SFI_ROW_LEVELS) != 0;
    f->row_dtype = f->row_levels ? SF_F64 : dtype;
    wants &= ~(unsigned)SFI_ROW_LEVELS;
    f->columns[0] = 1; /* of the log densities of local models and products */
    f->model = m;
    const sf_status status =
        m->ops->local             ? sfi_local_law_new(m, &f->local)
        : sfi_is_product(m)       ? sfi_product_new(m, &f->product)
        : m->ops->mixture != NULL ? open_data(m, f, wants)
                                  : open_program(m, f, wants);
    if (status != SF_OK) {
        sfi_inner_free(f);
        return status;
    }
    *out = f;
    return SF_OK;
}

void sfi_inner_free(sfi_inner *f)
{
    if (f == NULL)
        return;
    sf_program_free(f->program);
    close_data(f);
    sfi_local_law_free(f->local);
    sfi_product_free(f->product);
    sfi_free(f->ctx, f->weights, f->weight_bytes, 1);
    sfi_free(f->ctx, f->params, f->param_count, sizeof *f->params);
    sfi_free(f->ctx, f, 1, sizeof *f);
}

static sf_status run_program(sfi_inner *f, int64_t n, const void *y,
                             int64_t y_stride, const double *levels,
                             const void *probe, void *const *outputs,
                             const int64_t *strides)
{
    sf_source sources[3] = {
        {.kind = SF_ROWS, .data = y, .dtype = f->row_dtype, .stride = y_stride},
        {.kind = SF_ROWS,
         .data = probe,
         .dtype = f->row_dtype,
         .stride = f->inner}};
    sources[f->probed ? 2 : 1] = (sf_source){
        .kind = SF_ROWS, .data = levels, .dtype = SF_F64, .stride = 1};
    sf_sink sinks[WANTS];
    for (int k = 0; k < f->output_count; k++)
        sinks[k] = (sf_sink){outputs[k], f->row_dtype, strides[k]};
    return sf_program_run(f->program, n, sources, f->params, sinks);
}

/* Log densities of points in the chart, where data has missing cells. */
static sf_status run_product(sfi_inner *f, sf_cmat y, double *out,
                             int64_t stride)
{
    const int64_t d = f->model->dim;
    const size_t cells = (size_t)(y.rows * d);
    double *z = sfi_alloc(f->ctx, cells, sizeof *z);
    if (z == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < y.rows; i++)
        sfi_noise_from_chart(&f->model->noise, (sfi_units){0},
                             y.data + i * y.stride, z + i * d);
    const sf_status status =
        sfi_product_logpdf(f->product, (sf_cmat){z, y.rows, d, d}, out, stride);
    for (int64_t i = 0; i < y.rows && status == SF_OK; i++)
        out[i * stride] +=
            sfi_noise_log_slope(&f->model->noise, y.data + i * y.stride);
    sfi_free(f->ctx, z, cells, sizeof *z);
    return status;
}

sf_status sfi_inner_run(sfi_inner *f, int64_t n, const void *y,
                        int64_t y_stride, double level, const void *probe,
                        void *const *outputs, const int64_t *strides)
{
    if (f->local != NULL)
        return sfi_local_law_run(f->local, (sf_cmat){y, n, f->inner, y_stride},
                                 outputs[0], strides[0]);
    if (f->product != NULL)
        return run_product(f, (sf_cmat){y, n, f->inner, y_stride}, outputs[0],
                           strides[0]);
    if (f->program == NULL)
        return run_data(f, n, y, y_stride, level, outputs, strides);
    const float level32 = (float)level;
    f->params[0] =
        f->dtype == SF_F32 ? (const void *)&level32 : (const void *)&level;
    return run_program(f, n, y, y_stride, NULL, probe, outputs, strides);
}

sf_status sfi_inner_run_levels(sfi_inner *f, int64_t n, const double *y,
                               int64_t y_stride, const double *levels,
                               const double *probe, double *const *outputs,
                               const int64_t *strides)
{
    void *to[WANTS];
    for (int k = 0; k < f->output_count; k++)
        to[k] = outputs[k];
    return f->program == NULL
               ? run_data_levels(f, n, y, y_stride, levels, to, strides)
               : run_program(f, n, y, y_stride, levels, probe, to, strides);
}
