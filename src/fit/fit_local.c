/* SPDX-License-Identifier: Apache-2.0 */
/* fit_local.c - local normal distributions of a table (model/local.h).
 *
 * Nothing is searched but each row's nearest neighbours of its own class.  A row that
 * has none stands for a point: draws from it are copies of it but for the ridge, which
 * is counted. */
#include "fit/local_fit.h"

#include "base/parallel.h"
#include "fit/neighbours.h"
#include "model/local.h"
#include "model/model.h"
#include "num/linalg.h"
#include "num/sort.h"
#include "scorefield/fit.h"

#include <math.h>
#include <string.h>

enum { CHORDS = 5, NUMBERS = 11 };

/* ---- checks ------------------------------------------------------------------ */

static sf_status check_number(sf_context *ctx, const char *name, double x,
                              double high)
{
    if (x >= 0.0 && x <= high)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_ARG, "local: %s is %g, want 0 to %g", name, x,
                    high);
}

static sf_status check(sf_context *ctx, sf_cmat data, const char *const *names,
                       const sf_local_options *o)
{
    if (data.rows < 2 || data.cols < 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "local: the data is [%lld, %lld], want two rows or "
                        "more",
                        (long long)data.rows, (long long)data.cols);
    SFI_TRY(sfi_check_finite(ctx, data, 0, names, "local"));
    if (o->frame != NULL && sf_frame_cols(o->frame) < data.cols)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "local: the frame has %lld columns, and the data %lld",
                        (long long)sf_frame_cols(o->frame),
                        (long long)data.cols);
    if (o->neighbours < 1 || o->neighbours > SFI_LOCAL_MOST)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "local: neighbours is %lld, want 1 to %d",
                        (long long)o->neighbours, (int)SFI_LOCAL_MOST);
    if (o->target < -1 || o->target >= data.cols)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "local: target is column %lld of %lld; want one of "
                        "them, or -1",
                        (long long)o->target, (long long)data.cols);
    SFI_TRY(check_number(ctx, "shrink", o->shrink, 1.0));
    SFI_TRY(check_number(ctx, "width", o->width, 100.0));
    SFI_TRY(check_number(ctx, "rho", o->rho, 1.0));
    SFI_TRY(check_number(ctx, "ridge", o->ridge, 1.0));
    return check_number(ctx, "forget", o->forget, 1.0);
}

/* ---- columns ------------------------------------------------------------------ */

/* How many levels a column has, 0 for one of numbers.  The target has as many as its
 * numbers go to, if they are whole ones from 0. */
static sf_status find_levels(sf_context *ctx, sf_cmat data, int64_t j,
                             const sf_local_options *o, double *levels)
{
    const sf_frame *f = o->frame;
    const sf_kind kind = f != NULL ? sf_frame_kind(f, j) : SF_KIND_REAL;
    *levels = f != NULL ? (double)sf_frame_level_count(f, j) : 0.0;
    if (*levels == 0.0 && kind == SF_KIND_BOOLEAN)
        *levels = 2.0;
    if (*levels > 0.0 || j != o->target)
        return SF_OK;
    for (int64_t i = 0; i < data.rows; i++) {
        const double x = data.data[i * data.stride + j];
        if (!(x >= 0.0 && x < 1e6 && x == floor(x)))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "local: the target holds %g, want numbers of "
                            "classes from 0, or texts",
                            x);
        *levels = fmax(*levels, x + 1.0);
    }
    return SF_OK;
}

/* Numbers in standard deviations; of a constant in its own unit. */
static void standardise(sf_model *m, sf_cmat data, int64_t j)
{
    double mean = 0.0, square = 0.0;
    const double n = (double)data.rows;
    for (int64_t i = 0; i < data.rows; i++)
        mean += data.data[i * data.stride + j] / n;
    for (int64_t i = 0; i < data.rows; i++) {
        const double from = data.data[i * data.stride + j] - mean;
        square += from * from / n;
    }
    m->mean[j] = mean;
    m->scale[j] = square > 0.0 ? sqrt(square) : 1.0;
}

static sf_status fill_columns(sf_model *m, sf_cmat data,
                              const sf_local_options *o)
{
    double *rows = m->weights, *levels = m->weights + m->layout[2].offset;
    for (int64_t j = 0; j < m->dim; j++) {
        SFI_TRY(find_levels(m->ctx, data, j, o, &levels[j]));
        if (levels[j] == 0.0 && o->standardise)
            standardise(m, data, j);
        for (int64_t i = 0; i < data.rows; i++)
            rows[i * m->dim + j] =
                (data.data[i * data.stride + j] - m->mean[j]) / m->scale[j];
    }
    return SF_OK;
}

/* ---- neighbours ----------------------------------------------------------------
 *
 * Rows are put in the order of their class and, within one, of the column that is
 * spread most evenly.  From a row's place the search goes both ways, until the gap
 * in that column alone is more than the farthest neighbour so far. */

typedef struct near_rows {
    sfi_local l;
    int64_t along;  /* the column, or -1: there are no numbers */
    int64_t *order; /* [rows] which row is at a place          */
    double *sorted; /* [rows, dim] the rows in this order      */
    double *near;   /* [rows, kept] by row, not by place       */
} near_rows;

/* What one row has found. */
typedef struct found_rows {
    double distance[SFI_LOCAL_MOST];
    int64_t row[SFI_LOCAL_MOST];
} found_rows;

/* Whether the search goes on beyond the row at place `other`. */
static bool look_at(const near_rows *job, int64_t place, int64_t other,
                    found_rows *found)
{
    const sfi_local *l = &job->l;
    if (other < 0 || other >= l->rows)
        return false;
    const double *x = job->sorted + place * l->dim;
    const double *y = job->sorted + other * l->dim;
    const double farthest = found->distance[l->kept - 1];
    if (l->target >= 0 && x[l->target] != y[l->target])
        return false;
    if (job->along >= 0 && fabs(x[job->along] - y[job->along]) > farthest)
        return false;
    sfi_keep_nearest(sfi_local_distance(l, x, y, farthest), job->order[other],
                     l->kept, found->distance, found->row);
    return true;
}

static void find_near(void *user, int64_t part, int64_t first, int64_t count)
{
    const near_rows *job = user;
    const int64_t kept = job->l.kept;
    (void)part;
    for (int64_t place = first; place < first + count; place++) {
        found_rows found;
        for (int64_t k = 0; k < kept; k++) {
            found.distance[k] = INFINITY;
            found.row[k] = -1;
        }
        bool down = true, up = true;
        for (int64_t gap = 1; down || up; gap++) {
            down = down && look_at(job, place, place - gap, &found);
            up = up && look_at(job, place, place + gap, &found);
        }
        for (int64_t k = 0; k < kept; k++)
            job->near[job->order[place] * kept + k] = (double)found.row[k];
    }
}

/* The column of numbers whose mean absolute deviation is largest: standardised, it
 * is the one with the fewest in its tails. */
static int64_t most_even(const sfi_local *l)
{
    int64_t best = -1;
    double most = -1.0;
    for (int64_t j = 0; j < l->dim; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < l->rows; i++)
            sum += fabs(l->data.data[i * l->dim + j]);
        if (l->levels[j] > 0.0 || !(sum > most))
            continue;
        most = sum;
        best = j;
    }
    return best;
}

/* Sort by a column, stably; -1 leaves the order. */
static void sort_by(const near_rows *job, int64_t column, double *work,
                    int64_t *spare)
{
    const int64_t n = job->l.rows;
    for (int64_t i = 0; i < n && column >= 0; i++)
        work[i] = job->l.data.data[job->order[i] * job->l.dim + column];
    if (column >= 0)
        sfi_sort_with(work, job->order, work + n, spare, n);
}

static sf_status find_neighbours(sf_model *m, sf_local_report *report)
{
    near_rows job = {.l = sfi_local_of(m),
                     .near = m->weights + m->layout[1].offset};
    const size_t n = (size_t)job.l.rows, cells = n * (size_t)m->dim;
    int64_t *order = sfi_alloc(m->ctx, 2 * n, sizeof *order);
    double *sorted = sfi_alloc(m->ctx, cells, sizeof *sorted);
    double *work = sfi_alloc(m->ctx, 2 * n, sizeof *work);
    const bool enough = order != NULL && sorted != NULL && work != NULL;
    if (enough) {
        job.order = order;
        job.sorted = sorted;
        job.along = most_even(&job.l);
        for (size_t i = 0; i < n; i++)
            order[i] = (int64_t)i;
        sort_by(&job, job.along, work, order + n);
        sort_by(&job, job.l.target, work, order + n);
        for (size_t i = 0; i < n; i++)
            memcpy(sorted + i * (size_t)m->dim,
                   job.l.data.data + order[i] * m->dim,
                   (size_t)m->dim * sizeof *sorted);
        sfi_parallel(m->ctx, job.l.rows, 16, find_near, &job);
        for (size_t i = 0; i < n; i++)
            report->alone += job.near[i * (size_t)job.l.kept] < 0.0;
    }
    sfi_free(m->ctx, work, 2 * n, sizeof *work);
    sfi_free(m->ctx, sorted, cells, sizeof *sorted);
    sfi_free(m->ctx, order, 2 * n, sizeof *order);
    return enough ? SF_OK : SF_E_NOMEM;
}

static bool has_atoms(sf_cmat data, const sf_local_options *o)
{
    for (int64_t j = 0; o->frame != NULL && j < data.cols; j++)
        if (j != o->target && sf_frame_atom_count(o->frame, j) > 0)
            return true;
    return false;
}

/* ---- the model ----------------------------------------------------------------- */

static sf_status fit(sf_context *ctx, sf_model **out, sf_cmat data,
                     const char *const *names, const sf_local_options *o,
                     sf_local_report *report)
{
    const int64_t kept = o->neighbours > CHORDS ? o->neighbours : CHORDS;
    const sfi_number numbers[NUMBERS] = {
        {"rows", (double)data.rows},
        {"kept", (double)kept},
        {"neighbours", (double)o->neighbours},
        {"target", (double)o->target},
        {"agree", o->agree && o->target >= 0 ? 1.0 : 0.0},
        {"shrink", o->shrink},
        {"width", o->width},
        {"rho", o->rho},
        {"ridge", o->ridge},
        {"forget", o->forget},
        {"atoms", 1.0}};
    SFI_TRY(sfi_model_new(ctx, out, &sfi_local_ops, data.cols, names, NULL,
                          NUMBERS - (has_atoms(data, o) ? 0 : 1), numbers));
    SFI_TRY(fill_columns(*out, data, o));
    SFI_TRY((*out)->ops->check(*out));
    SFI_TRY(find_neighbours(*out, report));
    return o->frame != NULL ? sf_model_describe(*out, o->frame) : SF_OK;
}

sf_status sfi_fit_local(sf_context *ctx, sf_model **out, sf_cmat data,
                        const char *const *names, const sf_local_options *o,
                        sf_local_report *report)
{
    *out = NULL;
    char **made = sfi_copy_names(ctx, data.cols > 0 ? data.cols : 1, names);
    if (made == NULL)
        return SF_E_NOMEM;
    const char *const *shown = (const char *const *)made;
    sf_status status = check(ctx, data, shown, o);
    if (status == SF_OK)
        status = fit(ctx, out, data, shown, o, report);
    sfi_free_names(ctx, data.cols > 0 ? data.cols : 1, made);
    if (status != SF_OK) {
        sf_model_free(*out);
        *out = NULL;
    }
    return status;
}

sf_status sf_fit_local(sf_context *ctx, sf_model **out, sf_cmat data,
                       const char *const *names,
                       const sf_local_options *options, sf_local_report *report)
{
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    sf_local_report r = {0};
    *out = NULL;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(sfi_fit_local(ctx, out, data, names, &o, &r));
    if (r.alone > 0)
        sfi_warn(ctx,
                 "local: %lld of %lld rows are alone in their class: what is "
                 "drawn from them is a copy",
                 (long long)r.alone, (long long)data.rows);
    if (report != NULL)
        *report = r;
    return SF_OK;
}
