/* SPDX-License-Identifier: Apache-2.0 */
#include "fit/matching.h"

#include "base/random.h"
#include "num/linalg.h"
#include "scorefield/solve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Gradients of rows are multiplied so many numbers at a time; beyond so many numbers
 * eigenvalues are not all found. */
enum { TILE_CELLS = 1 << 21, MOST_EIGEN = 400 };

/* Curvatures below this part of the largest are none: the objective's Hessian is a
 * sum of products of numbers that agree to about 1e-16. */
static const double flat = 1e-10;

/* ---- the objective ---------------------------------------------------------------- */

/* The rows, and what their directions are made of. */
typedef struct inputs {
    sf_source sources[2];
} inputs;

static inputs inputs_of(const sfi_match *m)
{
    return (inputs){
        {{.data = m->x.data, .dtype = SF_F64, .stride = m->x.stride},
         {.kind = SF_UNIFORM,
          .seed = m->seed,
          .first_point = (uint64_t)((m->x.data - m->base) / m->x.stride),
          .stream = SFI_STREAM_PROBE}}};
}

static sf_status run(sfi_match *m, sf_program *p, const double *numbers,
                     const double *direction, const sf_sink *sinks)
{
    const inputs in = inputs_of(m);
    m->params[0] = numbers;
    m->params[1] = direction != NULL ? direction : numbers;
    return sf_program_run(p, m->x.rows, in.sources, m->params, sinks);
}

static void take_mean(const sfi_match *m, double *sums, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        sums[k] /= (double)m->x.rows;
}

/* On the line. */
static sf_status value_and_slope(sfi_match *m, const double *numbers,
                                 double *value, double *slope)
{
    const sf_sink sinks[] = {{value, SF_F64, 0}, {slope, SF_F64, 0}};
    SFI_TRY(run(m, m->line, numbers, NULL, sinks));
    take_mean(m, value, 1);
    take_mean(m, slope, m->count);
    return SF_OK;
}

/* One sink for each free parameter, at its elements. */
static void sinks_of(const sfi_match *m, double *cells, int64_t stride,
                     sf_sink *sinks)
{
    for (int k = 0; k < m->free_count; k++) {
        sinks[k] = (sf_sink){cells, SF_F64, stride};
        cells += m->density->parameters[m->free[k].index].count;
    }
}

static void place(sfi_match *m, const double *numbers)
{
    for (int64_t c = 0; c < m->cell_count; c++)
        m->cells[c] = numbers[m->number[c]];
}

/* Of the numbers that are in place. */
static sf_status slope_of_cells(sfi_match *m, double *value, double *slope)
{
    m->sinks[0] = (sf_sink){value, SF_F64, 0};
    sinks_of(m, m->slopes, 0, m->sinks + 1);
    SFI_TRY(run(m, m->value, m->cells, NULL, m->sinks));
    sfi_match_fold(m, m->slopes, slope);
    take_mean(m, value, 1);
    take_mean(m, slope, m->count);
    return SF_OK;
}

sf_status sfi_match_slope(sfi_match *m, const double *numbers, double *value,
                          double *slope)
{
    place(m, numbers);
    return slope_of_cells(m, value, slope);
}

sf_status sfi_match_take_design(sfi_match *m)
{
    const inputs in = inputs_of(m);
    m->params[0] = m->params[1] = m->cells; /* nothing reads them */
    return sfi_design_take(m->design, m->x.rows, in.sources, m->params);
}

sf_status sfi_match_first(sfi_match *m, double *value, double *slope)
{
    if (m->design != NULL && sfi_design_first(m->design, value, slope))
        return SF_OK;
    memset(slope, 0, (size_t)m->count * sizeof *slope);
    for (int64_t k = 0; k < m->cell_count; k++)
        m->cells[k] = 0.0;
    return slope_of_cells(m, value, slope);
}

static sf_status hessian_at(sfi_match *m, const double *numbers, double *h)
{
    if (m->design != NULL) {
        sfi_design_hessian(m->design, h);
        return SF_OK;
    }
    const sf_sink sink = {h, SF_F64, 0};
    SFI_TRY(run(m, m->hessian, numbers, NULL, &sink));
    take_mean(m, h, m->count * m->count);
    return SF_OK;
}

/* ---- as a functional on the line --------------------------------------------------- */

static sf_status call_gradient(sf_context *ctx, void *user, double *value,
                               double *gradient, const double *x,
                               int64_t walkers)
{
    (void)ctx;
    sfi_match *m = user;
    double spare;
    for (int64_t w = 0; w < walkers; w++)
        SFI_TRY(value_and_slope(m, x + w * m->count,
                                value != NULL ? value + w : &spare,
                                gradient + w * m->count));
    return SF_OK;
}

static sf_status call_value(sf_context *ctx, void *user, double *value,
                            const double *x, int64_t walkers)
{
    sfi_match *m = user;
    const size_t count = (size_t)m->count;
    double *spare = sfi_alloc(ctx, count, sizeof *spare);
    if (spare == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    for (int64_t w = 0; w < walkers && status == SF_OK; w++)
        status = value_and_slope(m, x + w * m->count, value + w, spare);
    sfi_free(ctx, spare, count, sizeof *spare);
    return status;
}

static sf_status call_product(sf_context *ctx, void *user, double *hv,
                              const double *x, const double *v, int64_t walkers)
{
    (void)ctx;
    sfi_match *m = user;
    for (int64_t w = 0; w < walkers; w++) {
        const sf_sink sink = {hv + w * m->count, SF_F64, 0};
        SFI_TRY(run(m, m->product, x + w * m->count, v + w * m->count, &sink));
        take_mean(m, hv + w * m->count, m->count);
    }
    return SF_OK;
}

/* ---- going down -------------------------------------------------------------------- */

static void start_point(const sfi_match *m, const double *first, int64_t start,
                        uint64_t seed, double *y)
{
    const sfi_where where = {seed, (uint64_t)start, 0, SFI_STREAM_PRIOR};
    for (int64_t k = 0; k < m->count; k++)
        y[k] = first[k] + (start > 0 ? sfi_normal_at(where, (uint32_t)k) : 0.0);
}

/* From one start; *value is that of the minimum, NaN if none was found. */
static sf_status descend(sfi_match *m, const sf_functional *f, double *y,
                         double *value, int64_t *iterations)
{
    sf_minimize_result first = {0}, last = {0};
    sf_lbfgs_options rough = SF_LBFGS_OPTIONS_INIT;
    sf_newton_options fine = SF_NEWTON_OPTIONS_INIT;
    rough.tolerance = 1e-4;
    fine.tolerance = 1e-12; /* or as near as rounding lets it come */
    const double near = 1e-7;
    *value = NAN;
    sf_status status = sf_minimize_lbfgs(m->ctx, y, &first, f, &rough);
    if (status == SF_OK || status == SF_E_CONVERGE)
        status = sf_minimize_newton(m->ctx, y, &last, f, &fine);
    if (status == SF_E_CONVERGE && last.gradient_norm <= near)
        status = SF_OK;
    if (status == SF_E_CONVERGE || status == SF_E_NUMERIC)
        return SF_OK;
    SFI_TRY(status);
    *value = last.value;
    *iterations = first.iterations + last.iterations;
    return SF_OK;
}

/* The lowest minimum of several starts, as numbers. */
static sf_status search(sfi_match *m, const sf_matching_options *o,
                        sf_matching *out, double *numbers, double *work)
{
    double *first = work, *y = work + m->count;
    double least = INFINITY;
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "score matching";
    f.unknowns = m->count;
    f.user = m;
    f.value = call_value;
    f.gradient = call_gradient;
    f.hvp = call_product;
    SFI_TRY(sfi_match_compile_line(m));
    sfi_domain_to_line(&m->forms, numbers, first);
    for (int64_t s = 0; s < o->starts; s++) {
        double value = NAN;
        int64_t iterations = 0;
        start_point(m, first, s, o->seed, y);
        SFI_TRY(descend(m, &f, y, &value, &iterations));
        out->failed += isnan(value);
        if (!(value < least))
            continue;
        least = value;
        out->iterations = iterations;
        sfi_domain_from_line(&m->forms, y, numbers);
    }
    if (isinf(least))
        return SFI_FAIL(m->ctx, SF_E_CONVERGE,
                        "fit: none of %lld starts came to a minimum: is the "
                        "objective unbounded, or not a number, near the "
                        "parameters' values? other first values may help",
                        (long long)o->starts);
    return SF_OK;
}

/* ---- linear systems ---------------------------------------------------------------- */

void sfi_match_name(const sfi_match *m, int64_t k, char *text, size_t size)
{
    const sfi_free_parameter *f = m->free;
    while (k >= f->form.first + f->form.count)
        f++;
    const sfi_density_parameter *p = &m->density->parameters[f->index];
    int64_t index = k - f->form.first;
    size_t used = (size_t)snprintf(text, size, "%.200s", p->name);
    if (f->symmetric) {
        int64_t i = 0;
        while (index > i)
            index -= ++i;
        snprintf(text + used, size - used, "[%lld,%lld]", (long long)i,
                 (long long)index);
        return;
    }
    int64_t left = p->count;
    for (int i = 0; i < p->rank && used < size; i++) {
        left /= p->shape[i];
        used += (size_t)snprintf(text + used, size - used, "%s%lld",
                                 i == 0 ? "[" : ",", (long long)(index / left));
        index %= left;
    }
    if (p->rank > 0 && used < size)
        snprintf(text + used, size - used, "]");
}

/* The extreme eigenvalues of a positive definite matrix with a unit diagonal, and a
 * unit vector of the least one, by powers of the matrix and of its inverse: until they
 * move by less than a part in 10^6, which is all that judging wants.  False where the
 * matrix is not positive definite.  `l` [n, n] and `v` [2 n] are work space. */
static bool extremes(sf_context *ctx, const double *a, int64_t n, double *l,
                     double *v, double *weakest, double *least, double *most)
{
    double *w = v + n;
    if (sfi_cholesky(ctx, l, a, n, "objective's Hessian", NULL) != SF_OK)
        return false;
    for (int side = 0; side < 2; side++) {
        double before = 0.0, now = 0.0;
        for (int64_t k = 0; k < n; k++)
            v[k] = 1.0 + 0.5 * sfi_normal_at((sfi_where){0, (uint64_t)k, 0,
                                                         SFI_STREAM_PRIOR},
                                             0);
        for (int step = 0; step < 1000; step++) {
            const double norm = sfi_norm(v, n);
            for (int64_t k = 0; k < n; k++)
                v[k] /= norm;
            if (side == 0)
                memcpy(w, v, (size_t)n * sizeof *w);
            for (int64_t k = 0; k < n && side == 1; k++)
                w[k] = sfi_dot(a + k * n, v, n);
            if (side == 0)
                sfi_cholesky_solve(l, n, (sf_mat){w, 1, n, n});
            now = sfi_dot(v, w, n);
            memcpy(v, w, (size_t)n * sizeof *v);
            if (fabs(now - before) <= 1e-6 * fabs(now))
                break;
            before = now;
        }
        const double norm = sfi_norm(v, n);
        for (int64_t k = 0; k < n && side == 0; k++)
            weakest[k] = v[k] / norm;
        *(side == 0 ? least : most) = side == 0 ? 1.0 / now : now;
    }
    return true;
}

/* Scale the Hessian to a unit diagonal, and find its eigenvalues; the first vector,
 * of the least, goes to out->weakest. */
static sf_status judge(sfi_match *m, const double *h, sf_matching *out,
                       double *work)
{
    const int64_t n = m->count;
    double *scaled = work, *values = work + n * n, *root = values + n;
    double least = 0.0, most = 0.0;
    for (int64_t i = 0; i < n; i++)
        root[i] = h[i * n + i] > 0.0 ? sqrt(h[i * n + i]) : 1.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            scaled[i * n + j] = h[i * n + j] / (root[i] * root[j]);
    /* The covariance is not there yet. */
    if (n <= MOST_EIGEN || !extremes(m->ctx, scaled, n, out->covariance, values,
                                     out->weakest, &least, &most)) {
        SFI_TRY(sfi_eigen_symmetric(m->ctx, values, scaled, scaled, n));
        memcpy(out->weakest, scaled, (size_t)n * sizeof *scaled);
        least = values[0];
        most = values[n - 1];
    }
    out->curvature = most > 0.0 ? least / most : 0.0;
    out->identified = out->curvature > flat;
    return SF_OK;
}

/* The parameters that a direction is made of, the largest first, as text. */
static void describe(const sfi_match *m, const double *direction, char *text,
                     size_t size)
{
    bool used[64] = {false};
    size_t at = 0;
    text[0] = '\0';
    for (int shown = 0; shown < 4; shown++) {
        int64_t most = -1;
        for (int64_t k = 0; k < m->count && k < 64; k++)
            if (!used[k] &&
                (most < 0 || fabs(direction[k]) > fabs(direction[most])))
                most = k;
        if (most < 0 || fabs(direction[most]) < 0.1)
            return;
        char name[256];
        used[most] = true;
        sfi_match_name(m, most, name, sizeof name);
        at += (size_t)snprintf(text + at, size - at, "%s%.40s",
                               shown > 0 ? ", " : "", name);
    }
}

/* H theta = -b, b being the slope where the numbers are 0. */
static sf_status solve(sfi_match *m, sf_matching *out, double *numbers,
                       double *h, double *work)
{
    const int64_t n = m->count;
    double *slope = work, value;
    memset(numbers, 0, (size_t)n * sizeof *numbers);
    if (m->design != NULL)
        SFI_TRY(sfi_match_take_design(m));
    SFI_TRY(sfi_match_first(m, &value, slope));
    SFI_TRY(hessian_at(m, numbers, h));
    if (sfi_first_not_finite(h, n * n) < n * n ||
        sfi_first_not_finite(slope, n) < n)
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "fit: the objective is not finite on these rows: a log "
                        "density without second derivatives there?");
    SFI_TRY(judge(m, h, out, work + n));
    if (!out->identified) {
        char names[200];
        describe(m, out->weakest, names, sizeof names);
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "fit: the rows do not tell these parameters apart: %s "
                        "(the objective's least curvature is %.2g of its "
                        "largest); fix one of them, or leave one out",
                        names, out->curvature);
    }
    for (int64_t k = 0; k < n; k++)
        numbers[k] = -slope[k];
    SFI_TRY(sfi_cholesky(m->ctx, h, h, n, "objective's Hessian", NULL));
    sfi_cholesky_solve(h, n, (sf_mat){numbers, 1, n, n});
    out->objective = value + 0.5 * sfi_dot(slope, numbers, n);
    return SF_OK;
}

/* ---- errors ------------------------------------------------------------------------ */

/* V: the mean of products of the rows' gradients. */
static sf_status spread_of_slopes(sfi_match *m, const double *numbers,
                                  double *v)
{
    const int64_t n = m->count, cells = m->cell_count;
    const int64_t fits = TILE_CELLS / (n + cells);
    const int64_t tile = fits < 64 ? 64 : fits > 4096 ? 4096 : fits;
    const size_t size = (size_t)(tile * (n + cells));
    double *slopes = sfi_alloc(m->ctx, size, sizeof *slopes);
    if (slopes == NULL)
        return SF_E_NOMEM;
    double *folded = slopes + tile * cells;
    memset(v, 0, (size_t)(n * n) * sizeof *v);
    sinks_of(m, slopes, cells, m->sinks);
    place(m, numbers);
    const sf_cmat all = m->x;
    sf_status status = SF_OK;
    for (int64_t first = 0; first < all.rows && status == SF_OK;
         first += tile) {
        const int64_t left = all.rows - first;
        m->x = (sf_cmat){all.data + first * all.stride,
                         left < tile ? left : tile, all.cols, all.stride};
        status = run(m, m->each, numbers, NULL, m->sinks);
        for (int64_t r = 0; r < m->x.rows && status == SF_OK; r++)
            sfi_match_fold(m, slopes + r * cells, folded + r * n);
        if (status == SF_OK)
            sfi_add_products(v, n, (sf_cmat){folded, m->x.rows, n, n});
    }
    m->x = all;
    sfi_mirror_lower(v, n);
    take_mean(m, v, n * n);
    sfi_free(m->ctx, slopes, size, sizeof *slopes);
    return status;
}

sf_status sfi_match_variances(sfi_match *m, const double *numbers, int64_t most,
                              double *v)
{
    const int64_t n = m->count, cells = m->cell_count, tile = 64;
    const sf_cmat all = m->x;
    const int64_t step = all.rows > most ? all.rows / most : 1;
    const int64_t count = all.rows / step;
    const size_t size = (size_t)(tile * cells + 2 * n);
    double *slopes = sfi_alloc_zero(m->ctx, size, sizeof *slopes);
    if (slopes == NULL)
        return SF_E_NOMEM;
    double *row = slopes + tile * cells, *mean = row + n;
    memset(v, 0, (size_t)n * sizeof *v);
    sinks_of(m, slopes, cells, m->sinks);
    place(m, numbers);
    sf_status status = SF_OK;
    for (int64_t first = 0; first < count && status == SF_OK; first += tile) {
        const int64_t left = count - first;
        m->x =
            (sf_cmat){all.data + first * step * all.stride,
                      left < tile ? left : tile, all.cols, step * all.stride};
        status = run(m, m->each, numbers, NULL, m->sinks);
        for (int64_t r = 0; r < m->x.rows && status == SF_OK; r++) {
            sfi_match_fold(m, slopes + r * cells, row);
            for (int64_t k = 0; k < n; k++) {
                mean[k] += row[k] / (double)count;
                v[k] += row[k] * row[k] / (double)count;
            }
        }
    }
    for (int64_t k = 0; k < n; k++)
        v[k] -= mean[k] * mean[k];
    m->x = all;
    sfi_free(m->ctx, slopes, size, sizeof *slopes);
    return status;
}

/* H^-1 V H^-1 / rows, in v; h is lost. */
static sf_status sandwich(sfi_match *m, double *h, double *v)
{
    const int64_t n = m->count;
    SFI_TRY(sfi_cholesky(m->ctx, h, h, n, "objective's Hessian", NULL));
    sfi_cholesky_solve(h, n, (sf_mat){v, n, n, n}); /* V H^-1 */
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            const double swap = v[i * n + j];
            v[i * n + j] = v[j * n + i];
            v[j * n + i] = swap;
        }
    sfi_cholesky_solve(h, n, (sf_mat){v, n, n, n}); /* H^-1 V H^-1 */
    take_mean(m, v, n * n);
    return SF_OK;
}

static sf_status errors(sfi_match *m, sf_matching *out, double *h, double *work)
{
    const int64_t n = m->count;
    SFI_TRY(hessian_at(m, out->estimate, h));
    if (!out->quadratic) /* a quadratic's is that of the solution */
        SFI_TRY(judge(m, h, out, work));
    SFI_TRY(spread_of_slopes(m, out->estimate, out->covariance));
    if (out->identified)
        SFI_TRY(sandwich(m, h, out->covariance));
    for (int64_t k = 0; k < n * n && !out->identified; k++)
        out->covariance[k] = NAN;
    for (int64_t k = 0; k < n; k++)
        out->error[k] = sqrt(out->covariance[k * n + k]);
    return SF_OK;
}

/* ---- all of it --------------------------------------------------------------------- */

static sf_status estimate(sfi_match *m, const sf_matching_options *o, sf_cmat x,
                          sf_matching *out, double *h, double *work)
{
    const int64_t n = m->count;
    char want[SFI_DOMAIN_WANT], name[256];
    double *numbers = out->estimate, *slope = work;
    sfi_match_read(m, numbers);
    int64_t outside = sfi_domain_outside(&m->forms, numbers, want);
    if (outside >= 0) {
        sfi_match_name(m, outside, name, sizeof name);
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "fit: the first value of \"%s\" is %g, want %s", name,
                        numbers[outside], want);
    }
    out->quadratic = m->quadratic;
    if (m->quadratic) {
        SFI_TRY(solve(m, out, numbers, h, work));
        outside = sfi_domain_outside(&m->forms, numbers, want);
        if (outside >= 0)
            sfi_match_read(m, numbers);
    }
    if (!m->quadratic || outside >= 0) {
        out->quadratic = false;
        SFI_TRY(search(m, o, out, numbers, work));
        SFI_TRY(sfi_match_slope(m, numbers, &out->objective, slope));
    }
    SFI_TRY(errors(m, out, h, work));
    for (int64_t k = 0; k < n; k++) {
        sfi_match_name(m, k, name, sizeof name);
        out->names[k] = sfi_copy_text(m->ctx, name);
        if (out->names[k] == NULL)
            return SF_E_NOMEM;
    }
    return sfi_match_adopt(m, numbers, x, work);
}

static sf_status allocate(sfi_match *m, sf_matching *out)
{
    sf_context *ctx = m->ctx;
    const size_t n = (size_t)m->count;
    out->count = m->count;
    out->rows = m->x.rows;
    out->names = sfi_alloc_zero(ctx, n, sizeof *out->names);
    out->estimate = sfi_alloc(ctx, n, sizeof *out->estimate);
    out->error = sfi_alloc(ctx, n, sizeof *out->error);
    out->weakest = sfi_alloc(ctx, n, sizeof *out->weakest);
    out->covariance = sfi_alloc(ctx, n * n, sizeof *out->covariance);
    return out->names != NULL && out->estimate != NULL && out->error != NULL &&
                   out->weakest != NULL && out->covariance != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

/* Rows as the objective takes them. */
static sf_status take_rows(sfi_match *m, sf_cmat x)
{
    const int64_t n = m->density->domain.unknowns;
    SFI_TRY(sfi_check_table(m->ctx, x, true, "fit: x"));
    if (x.rows < 2)
        return SFI_FAIL(m->ctx, SF_E_ARG, "fit: %lld rows, want at least 2",
                        (long long)x.rows);
    if (x.cols != m->density->dim)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "fit: x has %lld columns, the density has %lld",
                        (long long)x.cols, (long long)m->density->dim);
    m->rows = sfi_alloc(m->ctx, (size_t)(x.rows * n), sizeof *m->rows);
    if (m->rows == NULL)
        return SF_E_NOMEM;
    SFI_TRY(sfi_check_support(m->model, x, "fit"));
    SFI_TRY(sf_model_to_unknowns(m->model, x, (sf_mat){m->rows, x.rows, n, n}));
    m->x = m->weight != NULL ? x : (sf_cmat){m->rows, x.rows, n, n};
    m->base = m->x.data;
    return SF_OK;
}

sf_status sfi_match_begin(sfi_match *m, const char *parameters, sf_cmat x)
{
    SFI_TRY(sfi_want_ability(m->ctx, m->model, SF_CAN_MATCH, "fit"));
    m->density = m->model->density;
    const int all = m->density->parameter_count;
    m->rows_given = x.rows;
    SFI_TRY(take_rows(m, x));
    SFI_TRY(sfi_match_free_parameters(m, parameters));
    SFI_TRY(sfi_match_check_jumps(m, x, m->seed));
    SFI_TRY(sfi_match_compile(m));
    m->params = sfi_alloc(m->ctx, (size_t)all + 3, sizeof *m->params);
    m->sinks = sfi_alloc(m->ctx, (size_t)all + 1, sizeof *m->sinks);
    if (m->params == NULL || m->sinks == NULL)
        return SF_E_NOMEM;
    for (int k = 0; k < all; k++)
        m->params[2 + k] = m->density->parameters[k].value;
    double *cells = m->cells;
    for (int k = 0; k < m->free_count; k++) {
        const int index = m->free[k].index;
        m->params[2 + index] = cells;
        cells += m->density->parameters[index].count;
    }
    m->params[2 + all] = m->cells; /* of a parameter that nothing reads */
    return SF_OK;
}

static sf_status fit(sfi_match *m, const sf_matching_options *o, sf_cmat x,
                     sf_matching *out)
{
    SFI_TRY(sfi_match_begin(m, o->parameters, x));
    SFI_TRY(allocate(m, out));
    const size_t n = (size_t)m->count, work_size = n * n + 4 * n;
    double *h = sfi_alloc(m->ctx, n * n, sizeof *h);
    double *work = sfi_alloc(m->ctx, work_size, sizeof *work);
    sf_status status = SF_E_NOMEM;
    if (h != NULL && work != NULL)
        status = estimate(m, o, x, out, h, work);
    sfi_free(m->ctx, work, work_size, sizeof *work);
    sfi_free(m->ctx, h, n * n, sizeof *h);
    return status;
}

void sfi_match_end(sfi_match *m)
{
    sf_context *ctx = m->ctx;
    if (m->density == NULL) /* nothing was begun */
        return;
    const size_t all = (size_t)m->density->parameter_count;
    const size_t cells = (size_t)m->cell_count;
    sf_program *const programs[] = {m->value, m->line, m->product, m->hessian,
                                    m->each};
    for (size_t k = 0; k < SFI_COUNT(programs); k++)
        sf_program_free(programs[k]);
    sfi_design_free(m->design);
    if (m->forms.dim > 0)
        sfi_domain_free(ctx, &m->forms);
    sfi_free(ctx, m->number, cells, sizeof *m->number);
    sfi_free(ctx, m->cells, cells, sizeof *m->cells);
    sfi_free(ctx, m->slopes, cells, sizeof *m->slopes);
    sfi_free(ctx, m->free, all, sizeof *m->free);
    sfi_free(ctx, m->params, all + 3, sizeof *m->params);
    sfi_free(ctx, m->sinks, all + 1, sizeof *m->sinks);
    sfi_free(ctx, m->rows,
             (size_t)(m->rows_given * m->density->domain.unknowns),
             sizeof *m->rows);
}

sf_status sf_match_scores(sf_context *ctx, sf_matching *out, sf_model *density,
                          sf_cmat x, const sf_matching_options *options)
{
    *out = (sf_matching){.rows = 0};
    sf_matching_options o = SF_MATCHING_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    if (o.starts < 1 || o.starts > 1 << 20)
        return SFI_FAIL(ctx, SF_E_ARG, "fit: starts is %lld, want 1 to 2^20",
                        (long long)o.starts);
    if (o.slices < 0 || o.slices > SF_MATCHING_SLICES)
        return SFI_FAIL(ctx, SF_E_ARG, "fit: slices is %lld, want 0 to %d",
                        (long long)o.slices, (int)SF_MATCHING_SLICES);
    sfi_match m = {.ctx = ctx,
                   .model = density,
                   .weight = o.weight,
                   .slices = o.slices,
                   .seed = o.seed};
    const sf_status status = fit(&m, &o, x, out);
    sfi_match_end(&m);
    if (status != SF_OK)
        sf_matching_free(ctx, out);
    return status;
}

void sf_matching_free(sf_context *ctx, sf_matching *m)
{
    if (m == NULL)
        return;
    const size_t n = (size_t)m->count;
    for (size_t k = 0; k < n && m->names != NULL; k++)
        sfi_free_text(ctx, m->names[k]);
    sfi_free(ctx, m->names, n, sizeof *m->names);
    sfi_free(ctx, m->estimate, n, sizeof *m->estimate);
    sfi_free(ctx, m->error, n, sizeof *m->error);
    sfi_free(ctx, m->weakest, n, sizeof *m->weakest);
    sfi_free(ctx, m->covariance, n * n, sizeof *m->covariance);
    *m = (sf_matching){.rows = 0};
}
