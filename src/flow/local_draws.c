/* SPDX-License-Identifier: Apache-2.0 */
/* local_draws.c - samples of models of local normal distributions.
 *
 * A draw from row i needs no covariance: with normal numbers g_m, one for each
 * member of N_i, the sum of g_m (x_m - mu)/sqrt(k) has the covariance S_i.
 *
 *     x = c_i + h (sqrt(1 - rho) sum + sqrt(rho diag S_i) g').
 *
 * The ridge is left out: it is there so that densities have an inverse, and what is
 * zero in all of a neighbourhood is to be drawn as zero.
 *
 * No draw is beyond what its column can hold: where a twentieth of the rows have its
 * least or largest value, which is an end that values were cut off at, draws beyond it
 * are that value; beyond 0 of amounts and counts, and 0 and 1 of proportions, they are
 * reflected, so that none of these gets a mass that the data do not have.
 *
 * A column with atoms is an atom where the row that its level is drawn from is, and
 * else a number, reflected at the atoms that are ends.
 *
 * Chords go from row i to one of its five nearest, x = x_i + u (x_j - x_i) with u of
 * the beta distribution of 4 and 4, which is the median of seven uniform numbers:
 * its middle rather than any point of it.  (N. V. Chawla et al., SMOTE, J. Artif.
 * Intell. Res. 16 (2002) 321-357, has u uniform.)
 *
 * What is nearest to a row of another class is drawn again, at most ten times; the
 * number of the attempt is part of the address of its random numbers, so that sample
 * i still is a function of the seed and of i. */
#include "flow/local_draws.h"

#include "base/parallel.h"
#include "base/random.h"
#include "flow/resample.h"
#include "model/local.h"
#include "model/model.h"

#include <math.h>

enum { CHORDS = 5, ATTEMPTS = 10, WORTH = 1 << 14 };

/* Components of the random numbers of an attempt: normal ones for members, one for
 * each column; uniform ones beyond them. */
enum { COLUMN_NORMALS = SFI_LOCAL_MOST + 2, UNIFORMS = 1 << 24 };

/* The ends of a column, in its standard deviations; infinite where there are none. */
typedef struct column_ends {
    double lower, upper;
    bool cut_lower, cut_upper; /* draws beyond are the end itself */
} column_ends;

typedef struct drawing_local {
    sfi_local l;
    const column_ends *ends; /* [dim] */
    const sf_model *m;
    const sf_sample_options *o;
    const int64_t *index; /* [n] which row */
    sf_mat out;
} drawing_local;

static const double *row_at(const sfi_local *l, int64_t i)
{
    return l->data.data + i * l->dim;
}

/* ---- ends of columns ------------------------------------------------------------ */

/* Whether a twentieth of the rows, and five of them, have the value. */
static bool is_cut_at(const sfi_local *l, int64_t j, double value)
{
    enum { FEW = 5, TWENTIETH = 20 };
    int64_t count = 0;
    for (int64_t i = 0; i < l->rows; i++)
        count += row_at(l, i)[j] == value;
    return count >= FEW && count * TWENTIETH >= l->rows;
}

/* Numbers beside atoms are in the gaps from the first to the last that has some. */
static column_ends ends_of_gaps(const sf_model *m, int64_t j)
{
    const sfi_atoms *a = &sfi_model_about(m, j)->atoms;
    column_ends e = {-INFINITY, INFINITY, false, false};
    int64_t first = 0, last = a->count;
    while (first < a->count && !a->between[first])
        first++;
    while (last > 0 && !a->between[last])
        last--;
    if (first > 0)
        e.lower = (a->at[first - 1] - m->mean[j]) / m->scale[j];
    if (last < a->count)
        e.upper = (a->at[last] - m->mean[j]) / m->scale[j];
    return e;
}

static column_ends ends_of(const sfi_local *l, const sf_model *m, int64_t j)
{
    const sf_kind kind = sf_model_kind(m, j);
    column_ends e = {-INFINITY, INFINITY, false, false};
    double low = INFINITY, high = -INFINITY;
    if (l->levels[j] > 0.0)
        return e;
    for (int64_t i = 0; i < l->rows; i++) {
        low = fmin(low, row_at(l, i)[j]);
        high = fmax(high, row_at(l, i)[j]);
    }
    const double zero = -m->mean[j] / m->scale[j];
    const bool counts = kind == SF_KIND_INTEGER && low >= zero;
    const bool atoms = sfi_local_has_atoms(l, j);
    if (atoms)
        e = ends_of_gaps(m, j);
    e.cut_lower = !atoms && is_cut_at(l, j, low);
    e.cut_upper = !atoms && is_cut_at(l, j, high);
    if (e.cut_lower)
        e.lower = low;
    else if (kind == SF_KIND_PROPORTION || kind == SF_KIND_POSITIVE || counts)
        e.lower = fmax(e.lower, zero);
    if (e.cut_upper)
        e.upper = high;
    else if (kind == SF_KIND_PROPORTION)
        e.upper = fmin(e.upper, zero + 1.0 / m->scale[j]);
    return e;
}

static double within(const column_ends *e, double x)
{
    if (x < e->lower)
        x = e->cut_lower ? e->lower : 2.0 * e->lower - x;
    if (x > e->upper)
        x = e->cut_upper ? e->upper : 2.0 * e->upper - x;
    return fmax(x, e->lower); /* reflected twice */
}

/* ---- one draw ------------------------------------------------------------------ */

static double draw_number(const sfi_local *l, const int64_t *members,
                          int64_t count, int64_t j, sfi_where where)
{
    const double cell = row_at(l, members[0])[j];
    const uint32_t at = (uint32_t)(COLUMN_NORMALS + j);
    double mean = 0.0, square = 0.0, along = 0.0;
    int64_t numbers = 0;
    for (int64_t i = 0; i < count; i++)
        numbers += sfi_local_atom(l, j, row_at(l, members[i])[j]) < 0;
    const double k = count > 1 ? (double)(count - 1) : 1.0;
    for (int64_t i = 0; i < count; i++) {
        const double x = row_at(l, members[i])[j];
        mean += sfi_local_atom(l, j, x) < 0 ? x / (double)numbers : 0.0;
    }
    for (int64_t i = 0; i < count; i++) {
        const double x = row_at(l, members[i])[j], from = x - mean;
        if (sfi_local_atom(l, j, x) >= 0)
            continue;
        square += from * from / k;
        along += from * sfi_normal_at(where, (uint32_t)i) / sqrt(k);
    }
    const double own = sfi_local_atom(l, j, cell) < 0 ? cell : mean;
    const double noise = sqrt(1.0 - l->rho) * along +
                         sqrt(l->rho * square) * sfi_normal_at(where, at);
    return own + l->shrink * (mean - own) + l->width * noise;
}

static double draw_level(const sfi_local *l, const int64_t *members,
                         int64_t count, int64_t j, sfi_where where)
{
    const uint32_t at = (uint32_t)(UNIFORMS + 2 * j);
    int64_t from = 0;
    if (sfi_uniform_at(where, at) < l->forget)
        from = (int64_t)(sfi_uniform_at(where, at + 1) * (double)count);
    return row_at(l, members[from])[j];
}

static void draw_normal(const sfi_local *l, const column_ends *ends,
                        int64_t row, sfi_where where, double *x)
{
    int64_t members[SFI_LOCAL_MOST + 1];
    const int64_t count = sfi_local_members(l, row, l->k, members);
    for (int64_t j = 0; j < l->dim; j++) {
        const bool levels = l->levels[j] > 0.0;
        double level = 0.0;
        if (levels || sfi_local_has_atoms(l, j))
            level = draw_level(l, members, count, j, where);
        x[j] = levels || sfi_local_atom(l, j, level) >= 0
                   ? level
                   : within(&ends[j], draw_number(l, members, count, j, where));
    }
}

/* The median of seven uniform numbers. */
static double middle_of_seven(sfi_where where)
{
    enum { SEVEN = 7 };
    double u[SEVEN];
    for (int i = 0; i < SEVEN; i++) {
        const double x = sfi_uniform_at(where, (uint32_t)(UNIFORMS - 8 + i));
        int at = i;
        for (; at > 0 && x < u[at - 1]; at--)
            u[at] = u[at - 1];
        u[at] = x;
    }
    return u[SEVEN / 2];
}

/* Whether both numbers are in one gap, so that all between them are. */
static bool is_one_gap(const sfi_local *l, int64_t j, double x, double y)
{
    if (!sfi_local_has_atoms(l, j))
        return true;
    const sf_model *m = l->atoms;
    const sfi_atoms *atoms = &sfi_model_about(m, j)->atoms;
    int64_t between = 0;
    for (int64_t k = 0; k < atoms->count; k++) {
        const double at = (atoms->at[k] - m->mean[j]) / m->scale[j];
        between += (x <= at) != (y <= at) || x == at || y == at;
    }
    return between == 0;
}

static void draw_chord(const sfi_local *l, int64_t row, sfi_where where,
                       double *x)
{
    int64_t members[SFI_LOCAL_MOST + 1];
    const int64_t count = sfi_local_members(l, row, CHORDS, members);
    const double u = middle_of_seven(where);
    int64_t other = 0;
    if (count > 1)
        other = 1 + (int64_t)(sfi_uniform_at(where, UNIFORMS - 1) *
                              (double)(count - 1));
    const double *a = row_at(l, row), *b = row_at(l, members[other]);
    for (int64_t j = 0; j < l->dim; j++)
        x[j] = l->levels[j] == 0.0 && is_one_gap(l, j, a[j], b[j])
                   ? a[j] + u * (b[j] - a[j])
               : sfi_uniform_at(where, (uint32_t)(UNIFORMS + j)) < u ? b[j]
                                                                     : a[j];
}

/* ---- rows ---------------------------------------------------------------------- */

/* Whether the row that is nearest to x is of its class. */
static bool agrees(const sfi_local *l, const double *x)
{
    double least = INFINITY;
    bool same = true;
    for (int64_t i = 0; i < l->rows; i++) {
        const double distance = sfi_local_distance(l, x, row_at(l, i), least);
        if (distance < least) {
            least = distance;
            same = row_at(l, i)[l->target] == x[l->target];
        }
    }
    return same;
}

static void draw_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const drawing_local *job = user;
    const sfi_local *l = &job->l;
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        double *x = job->out.data + i * job->out.stride;
        for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
            const sfi_where where = {job->o->seed,
                                     (uint64_t)(job->o->first + i), attempt,
                                     SFI_STREAM_STEP};
            if (job->o->method == SF_SAMPLER_CHORDS)
                draw_chord(l, job->index[i], where, x);
            else
                draw_normal(l, job->ends, job->index[i], where, x);
            if (!l->agrees || agrees(l, x))
                break;
        }
        for (int64_t j = 0; j < l->dim; j++)
            x[j] = sfi_local_value(job->m, l, j, x[j]);
    }
}

/* ---- samples ------------------------------------------------------------------- */

static sf_status check_local(const sf_model *m, sf_mat out,
                             const sf_sample_options *o)
{
    if (o->method != SF_SAMPLER_AUTO && o->method != SF_SAMPLER_DIRECT &&
        o->method != SF_SAMPLER_STRATIFIED && o->method != SF_SAMPLER_CHORDS)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "sample: a model of local normal distributions has the "
                        "methods direct, stratified and chords");
    if (o->trace != NULL)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "sample: draws from local normal distributions have no "
                        "path to trace");
    if (o->first < 0)
        return SFI_FAIL(m->ctx, SF_E_ARG, "sample: first is %lld, want >= 0",
                        (long long)o->first);
    if (out.rows < 0 || out.cols != m->dim || out.stride < out.cols)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "sample: the result is [%lld, %lld], want [n, %lld]",
                        (long long)out.rows, (long long)out.cols,
                        (long long)m->dim);
    return SF_OK;
}

sf_status sfi_draw_local(const sf_model *m, sf_mat out,
                         const sf_sample_options *o)
{
    SFI_TRY(check_local(m, out, o));
    const size_t n = (size_t)out.rows, d = (size_t)m->dim;
    int64_t *index = sfi_alloc(m->ctx, n, sizeof *index);
    column_ends *ends = sfi_alloc(m->ctx, d, sizeof *ends);
    const drawing_local job = {sfi_local_of(m), ends, m, o, index, out};
    sf_status status = index != NULL && ends != NULL ? SF_OK : SF_E_NOMEM;
    for (size_t j = 0; j < d && status == SF_OK; j++)
        ends[j] = ends_of(&job.l, m, (int64_t)j);
    if (status == SF_OK && o->method != SF_SAMPLER_DIRECT)
        status = sfi_each_once(m->ctx, o->seed, o->first, out.rows, job.l.rows,
                               index);
    for (size_t i = 0;
         i < n && status == SF_OK && o->method == SF_SAMPLER_DIRECT; i++)
        index[i] = (int64_t)(sfi_uniform_at((sfi_where){o->seed,
                                                        (uint64_t)o->first + i,
                                                        0, SFI_STREAM_PRIOR},
                                            0) *
                             (double)job.l.rows);
    if (status == SF_OK) {
        const int64_t cost = job.l.dim * (job.l.agrees ? job.l.rows : job.l.k);
        sfi_parallel(m->ctx, out.rows, 1 + WORTH / cost, draw_rows,
                     (void *)(uintptr_t)&job);
    }
    sfi_free(m->ctx, ends, d, sizeof *ends);
    sfi_free(m->ctx, index, n, sizeof *index);
    return status;
}
