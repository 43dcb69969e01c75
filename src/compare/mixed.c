/* SPDX-License-Identifier: Apache-2.0 */
/* mixed.c - frames become cells by columns.
 *
 * What a column is, the real table decides.  Files number the levels of a category in
 * the order of their appearance, which is another one in each file; so levels are
 * numbered anew, by their spelling, first those of real and then what the others
 * have besides.  Where one table has a category as text and the other as numbers
 * (0 and 1, or whole numbers that the user calls a category), the numbers are
 * spelled. */
#include "compare/mixed.h"

#include "base/dictionary.h"
#include "base/random.h"
#include "base/text.h"
#include "table/frame.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Orders of rows; those of compare.c begin at 1 << 30. */
enum { ORDER_OF_PART = 1 << 29 };

static const char *const table_names[SFI_TABLES] = {"real", "synthetic",
                                                    "held_out"};

const char *sf_compared_name(sf_compared compared)
{
    static const char *const names[] = {
#define NAME(name, text) text,
        SF_COMPARED_LIST(NAME)
#undef NAME
    };
    const unsigned k = (unsigned)compared;
    return k < SFI_COUNT(names) ? names[k] : "unknown";
}

/* ---- checks --------------------------------------------------------------- */

static sf_status check_frames(sf_context *ctx,
                              const sf_frame *const frames[SFI_TABLES])
{
    const int64_t cols = sf_frame_cols(frames[SFI_REAL]);
    for (int k = 0; k < SFI_TABLES; k++) {
        const int64_t least = k == SFI_HELD_OUT ? 1 : 2;
        if (frames[k] == NULL)
            continue;
        SFI_TRY(sfi_frame_need_cells(ctx, frames[k], "compare"));
        if (sf_frame_rows(frames[k]) < least || cols < 1 ||
            sf_frame_cols(frames[k]) != cols)
            return SFI_FAIL(ctx, SF_E_SHAPE,
                            "compare: %s is [%lld, %lld], want %lld row%s or "
                            "more, and the same columns as real, which has "
                            "%lld",
                            table_names[k], (long long)sf_frame_rows(frames[k]),
                            (long long)sf_frame_cols(frames[k]),
                            (long long)least, least == 1 ? "" : "s",
                            (long long)cols);
    }
    return SF_OK;
}

static sf_status fail_kind(sf_context *ctx, const sf_frame *f, int k, int64_t j,
                           const char *has, const char *want)
{
    char shown[SFI_SHOW_SIZE];
    const char *name = sf_frame_name(f, j);
    return SFI_FAIL(ctx, SF_E_FORMAT,
                    "compare: column \"%s\" of %s holds %s, and in real it "
                    "holds %s",
                    sfi_show(shown, name, strlen(name)), table_names[k], has,
                    want);
}

static sf_status check_kind(sf_context *ctx, const sf_frame *f, int k,
                            int64_t j, const sfi_mixed_column *c)
{
    const bool text = sf_frame_level_count(f, j) > 0;
    const bool date = sf_frame_kind(f, j) == SF_KIND_DATE;
    if (c->compared == SF_COMPARED_CATEGORY)
        return date ? fail_kind(ctx, f, k, j, "dates", "categories") : SF_OK;
    const bool wants_date = c->kind == SF_KIND_DATE;
    const char *want = wants_date ? "dates" : "numbers";
    if (text)
        return fail_kind(ctx, f, k, j, "text", want);
    if (date != wants_date)
        return fail_kind(ctx, f, k, j, date ? "dates" : "numbers", want);
    return SF_OK;
}

/* Squares of what is scaled must be numbers. */
static sf_status check_spans(sf_context *ctx, const sfi_mixed *m,
                             const sf_frame *names)
{
    for (int64_t j = 0; j < m->cols; j++) {
        char shown[SFI_SHOW_SIZE];
        double low = INFINITY, high = -INFINITY;
        for (int k = 0; k < SFI_TABLES; k++) {
            const double *x = sfi_mixed_cells(m, k, j);
            for (int64_t i = 0; i < m->rows[k]; i++) {
                low = x[i] < low ? x[i] : low;
                high = x[i] > high ? x[i] : high;
            }
        }
        const double span = high - low;
        if (!(low < high) || (span > 1e-140 && span < 1e140))
            continue;
        const char *name = sf_frame_name(names, j);
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "compare: column \"%s\" goes from %g to %g, whose "
                        "squares are out of range; change its unit",
                        sfi_show(shown, name, strlen(name)), low, high);
    }
    return SF_OK;
}

/* ---- categories ----------------------------------------------------------- */

/* Number the levels of a table that has them as text. */
static sf_status number_texts(sf_context *ctx, const sf_frame *f, int64_t j,
                              sfi_dictionary *levels, double *cells)
{
    const int64_t count = sf_frame_level_count(f, j);
    int64_t *number = sfi_alloc(ctx, (size_t)count, sizeof *number);
    sf_status status = number != NULL ? SF_OK : SF_E_NOMEM;
    for (int64_t l = 0; l < count && status == SF_OK; l++)
        status = sfi_dictionary_number(ctx, levels, sf_frame_level(f, j, l),
                                       &number[l]);
    for (int64_t i = 0; i < sf_frame_rows(f) && status == SF_OK; i++) {
        const double level = sf_frame_cell(f, i, j);
        cells[i] = isnan(level) ? level : (double)number[(int64_t)level];
    }
    sfi_free(ctx, number, (size_t)count, sizeof *number);
    return status;
}

static sf_status number_numbers(sf_context *ctx, const sf_frame *f, int64_t j,
                                sfi_dictionary *levels, double *cells)
{
    char text[40];
    for (int64_t i = 0; i < sf_frame_rows(f); i++) {
        int64_t number = 0;
        cells[i] = sf_frame_cell(f, i, j);
        if (isnan(cells[i]))
            continue;
        snprintf(text, sizeof text, "%.15g", cells[i] + 0.0); /* no -0 */
        SFI_TRY(sfi_dictionary_number(ctx, levels, text, &number));
        cells[i] = (double)number;
    }
    return SF_OK;
}

static sf_status fill_category(sf_context *ctx, sfi_mixed *m, int64_t j,
                               const sf_frame *const frames[SFI_TABLES])
{
    sfi_dictionary levels = {0};
    sf_status status = SF_OK;
    for (int k = 0; k < SFI_TABLES && status == SF_OK; k++) {
        double *cells = sfi_mixed_cells(m, k, j);
        if (frames[k] == NULL)
            continue;
        if (sf_frame_level_count(frames[k], j) > 0)
            status = number_texts(ctx, frames[k], j, &levels, cells);
        else
            status = number_numbers(ctx, frames[k], j, &levels, cells);
    }
    m->column[j].levels = (int64_t)levels.count;
    sfi_dictionary_free(ctx, &levels);
    return status;
}

/* ---- numbers -------------------------------------------------------------- */

/* Seconds where real has them and another table days. */
static double unit_of(const sf_frame *f, int64_t j)
{
    const char *unit = sf_frame_unit(f, j);
    return sf_frame_kind(f, j) == SF_KIND_DATE && unit != NULL &&
                   strcmp(unit, "d") == 0
               ? 86400.0
               : 1.0;
}

static void fill_numbers(sfi_mixed *m, int64_t j,
                         const sf_frame *const frames[SFI_TABLES])
{
    sfi_mixed_column *c = &m->column[j];
    for (int k = 0; k < SFI_TABLES; k++) {
        double *x = sfi_mixed_cells(m, k, j);
        if (frames[k] == NULL)
            continue;
        const double by = unit_of(frames[k], j) / unit_of(frames[SFI_REAL], j);
        for (int64_t i = 0; i < m->rows[k]; i++) {
            x[i] = sf_frame_cell(frames[k], i, j) * by;
            if (c->compared == SF_COMPARED_CIRCLE) {
                x[i] -= c->period * floor(x[i] / c->period);
                if (x[i] >= c->period) /* by rounding, from just below 0 */
                    x[i] = 0.0;
            }
        }
    }
    const double *x = sfi_mixed_cells(m, SFI_REAL, j);
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < m->rows[SFI_REAL]; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    c->low = low <= high ? low : 0.0;
    c->high = low <= high ? high : 0.0;
}

static sf_status set_circles(sf_context *ctx, sfi_mixed *m,
                             const sf_circle *circles, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const int64_t j = circles[i].column;
        if (j < 0 || j >= m->cols ||
            m->column[j].compared != SF_COMPARED_NUMBER ||
            !(circles[i].period > 0.0) || !isfinite(circles[i].period))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "compare: a circle of period %g in column %lld of "
                            "%lld; want a period > 0, and a column of numbers",
                            circles[i].period, (long long)j + 1,
                            (long long)m->cols);
        m->column[j].compared = SF_COMPARED_CIRCLE;
        m->column[j].period = circles[i].period;
    }
    return SF_OK;
}

/* ---- tables --------------------------------------------------------------- */

static sf_status allocate(sf_context *ctx, sfi_mixed *m)
{
    bool all = true;
    for (int k = 0; k < SFI_TABLES; k++) {
        m->cells[k] =
            sfi_alloc(ctx, (size_t)(m->cols * m->rows[k]), sizeof *m->cells[k]);
        all = all && m->cells[k] != NULL;
    }
    return all ? SF_OK : SF_E_NOMEM;
}

static sf_status fill(sf_context *ctx, sfi_mixed *m,
                      const sf_frame *const frames[SFI_TABLES],
                      const sf_circle *circles, int64_t circle_count)
{
    const sf_frame *real = frames[SFI_REAL];
    for (int64_t j = 0; j < m->cols; j++) {
        sfi_mixed_column *c = &m->column[j];
        c->kind = sf_frame_kind(real, j);
        c->period = NAN;
        c->atoms = sf_frame_atom_count(real, j);
        for (int64_t k = 0; k < c->atoms; k++)
            c->atom[k] = sf_frame_atom(real, j, k);
        c->compared =
            sf_frame_level_count(real, j) > 0 || c->kind == SF_KIND_BOOLEAN
                ? SF_COMPARED_CATEGORY
                : SF_COMPARED_NUMBER;
    }
    SFI_TRY(set_circles(ctx, m, circles, circle_count));
    for (int64_t j = 0; j < m->cols; j++) {
        for (int k = SFI_SYNTHETIC; k < SFI_TABLES; k++)
            if (frames[k] != NULL)
                SFI_TRY(check_kind(ctx, frames[k], k, j, &m->column[j]));
        if (m->column[j].compared == SF_COMPARED_CATEGORY)
            SFI_TRY(fill_category(ctx, m, j, frames));
        else
            fill_numbers(m, j, frames);
    }
    return check_spans(ctx, m, real);
}

sf_status sfi_mixed_new(sf_context *ctx, sfi_mixed *out,
                        const sf_frame *const frames[SFI_TABLES],
                        const sf_circle *circles, int64_t circle_count)
{
    memset(out, 0, sizeof *out);
    SFI_TRY(check_frames(ctx, frames));
    out->cols = sf_frame_cols(frames[SFI_REAL]);
    for (int k = 0; k < SFI_TABLES; k++)
        out->rows[k] = frames[k] != NULL ? sf_frame_rows(frames[k]) : 0;
    sf_status status = allocate(ctx, out);
    if (status == SF_OK) {
        out->column =
            sfi_alloc_zero(ctx, (size_t)out->cols, sizeof *out->column);
        status = out->column == NULL
                     ? SF_E_NOMEM
                     : fill(ctx, out, frames, circles, circle_count);
    }
    if (status != SF_OK)
        sfi_mixed_free(ctx, out);
    return status;
}

void sfi_mixed_free(sf_context *ctx, sfi_mixed *m)
{
    if (!m->is_part)
        sfi_free(ctx, m->column, (size_t)m->cols, sizeof *m->column);
    for (int k = 0; k < SFI_TABLES; k++)
        sfi_free(ctx, m->cells[k], (size_t)(m->cols * m->rows[k]),
                 sizeof *m->cells[k]);
    memset(m, 0, sizeof *m);
}

static sf_status gather(sf_context *ctx, sfi_mixed *out, const sfi_mixed *whole,
                        int k, uint64_t seed)
{
    const int64_t n = whole->rows[k];
    int64_t *pick = sfi_alloc(ctx, (size_t)n, sizeof *pick);
    if (pick == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < n; i++)
        pick[i] = i;
    sfi_shuffle(seed, ORDER_OF_PART + (uint32_t)k, pick, n);
    for (int64_t j = 0; j < whole->cols; j++) {
        const double *from = sfi_mixed_cells(whole, k, j);
        double *to = sfi_mixed_cells(out, k, j);
        for (int64_t i = 0; i < out->rows[k]; i++)
            to[i] = from[pick[i]];
    }
    sfi_free(ctx, pick, (size_t)n, sizeof *pick);
    return SF_OK;
}

sf_status sfi_mixed_part(sf_context *ctx, sfi_mixed *out,
                         const sfi_mixed *whole, const int64_t rows[SFI_TABLES],
                         uint64_t seed)
{
    memset(out, 0, sizeof *out);
    out->cols = whole->cols;
    out->column = whole->column;
    out->is_part = true;
    memcpy(out->rows, rows, sizeof out->rows);
    sf_status status = allocate(ctx, out);
    for (int k = 0; k < SFI_TABLES && status == SF_OK; k++)
        status = gather(ctx, out, whole, k, seed);
    if (status != SF_OK)
        sfi_mixed_free(ctx, out);
    return status;
}
