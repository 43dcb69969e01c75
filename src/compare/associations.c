/* SPDX-License-Identifier: Apache-2.0 */
/* associations.c - pairs of columns of any kinds: how strongly they depend on each
 * other in each table, and how far their joint distributions are apart.
 *
 * For the latter every column becomes a few groups: levels of categories, the 30
 * commonest of real and one for the others; tenths of real for numbers, cut at
 * its deciles (fewer where a value fills several); tenths of the circle; and one group
 * for missing cells.  The distance of a pair is the total variation of two tables of
 * groups.
 *
 * An angle is the point (cos, sin) where it meets a number or a category, so the
 * multiple correlation and the correlation ratio do not depend on where the circle
 * begins. */
#include "compare/mixed.h"

#include "base/parallel.h"
#include "num/association.h"
#include "num/sort.h"

#include <math.h>
#include <string.h>

/* The last group is that of missing cells, the one before it of rarer levels. */
enum { MISSING = SFI_COMMON_LEVELS + 1, GROUPS, TENTHS = 10 };

static const double PI = 3.14159265358979323846;

const char *sf_association_name(sf_association association)
{
    static const char *const names[] = {
#define NAME(name, text) text,
        SF_ASSOCIATION_LIST(NAME)
#undef NAME
    };
    const unsigned k = (unsigned)association;
    return k < SFI_COUNT(names) ? names[k] : "unknown";
}

/* ---- groups --------------------------------------------------------------- */

typedef struct groups {
    const sfi_mixed *m;
    unsigned char *of[SFI_TABLES]; /* [cols, rows]: the group of each cell    */
} groups;

static unsigned char *groups_of(const groups *g, int k, int64_t j)
{
    return g->of[k] + j * g->m->rows[k];
}

void sfi_number_common(const sfi_mixed *m, int64_t j, int tables,
                       unsigned char *group, int64_t *count)
{
    const int64_t levels = m->column[j].levels;
    for (int64_t l = 0; l < levels; l++) {
        count[l] = 0;
        group[l] = SFI_COMMON_LEVELS;
    }
    for (int k = 0; k < tables; k++) {
        const double *x = sfi_mixed_cells(m, k, j);
        for (int64_t i = 0; i < m->rows[k]; i++)
            if (!isnan(x[i]))
                count[(int64_t)x[i]]++;
    }
    for (int next = 0; next < SFI_COMMON_LEVELS; next++) {
        int64_t best = 0;
        for (int64_t l = 1; l < levels; l++)
            best = count[l] > count[best] ? l : best;
        if (levels == 0 || count[best] < 0)
            return;
        group[best] = (unsigned char)next;
        count[best] = -1;
    }
}

static sf_status group_levels(sf_context *ctx, groups *g, int64_t j)
{
    const size_t levels = (size_t)g->m->column[j].levels;
    unsigned char *group = sfi_alloc(ctx, levels, sizeof *group);
    int64_t *count = sfi_alloc(ctx, levels, sizeof *count);
    const bool there = group != NULL && count != NULL;
    if (there) {
        sfi_number_common(g->m, j, SFI_REAL + 1, group, count);
        for (int k = 0; k < SFI_TABLES; k++) {
            const double *x = sfi_mixed_cells(g->m, k, j);
            unsigned char *to = groups_of(g, k, j);
            for (int64_t i = 0; i < g->m->rows[k]; i++)
                to[i] = isnan(x[i]) ? MISSING : group[(int64_t)x[i]];
        }
    }
    sfi_free(ctx, count, levels, sizeof *count);
    sfi_free(ctx, group, levels, sizeof *group);
    return there ? SF_OK : SF_E_NOMEM;
}

/* cut [TENTHS - 1]: a number is in the first group whose cut is not below it. */
static void group_by_cuts(groups *g, int64_t j, const double *cut)
{
    for (int k = 0; k < SFI_TABLES; k++) {
        const double *x = sfi_mixed_cells(g->m, k, j);
        unsigned char *to = groups_of(g, k, j);
        for (int64_t i = 0; i < g->m->rows[k]; i++) {
            unsigned char group = 0;
            for (int c = 0; c < TENTHS - 1; c++)
                group += x[i] > cut[c];
            to[i] = isnan(x[i]) ? MISSING : group;
        }
    }
}

static sf_status group_numbers(sf_context *ctx, groups *g, int64_t j)
{
    const int64_t rows = g->m->rows[SFI_REAL];
    const double *x = sfi_mixed_cells(g->m, SFI_REAL, j);
    double cut[TENTHS - 1];
    double *sorted = sfi_alloc(ctx, 2 * (size_t)rows, sizeof *sorted);
    if (sorted == NULL)
        return SF_E_NOMEM;
    int64_t n = 0;
    for (int64_t i = 0; i < rows; i++)
        if (!isnan(x[i]))
            sorted[n++] = x[i];
    sfi_sort(sorted, sorted + rows, n);
    for (int c = 0; c < TENTHS - 1; c++)
        cut[c] = n > 0 ? sfi_quantile(sorted, n, (c + 1.0) / TENTHS) : 0.0;
    sfi_free(ctx, sorted, 2 * (size_t)rows, sizeof *sorted);
    group_by_cuts(g, j, cut);
    return SF_OK;
}

static sf_status group(sf_context *ctx, groups *g)
{
    for (int64_t j = 0; j < g->m->cols; j++) {
        const sfi_mixed_column *c = &g->m->column[j];
        double cut[TENTHS - 1];
        if (c->compared == SF_COMPARED_CATEGORY) {
            SFI_TRY(group_levels(ctx, g, j));
        } else if (c->compared == SF_COMPARED_NUMBER) {
            SFI_TRY(group_numbers(ctx, g, j));
        } else {
            for (int i = 0; i < TENTHS - 1; i++)
                cut[i] = c->period * (i + 1.0) / TENTHS;
            group_by_cuts(g, j, cut);
        }
    }
    return SF_OK;
}

static void free_groups(sf_context *ctx, groups *g)
{
    for (int k = 0; k < SFI_TABLES; k++)
        sfi_free(ctx, g->of[k], (size_t)(g->m->cols * g->m->rows[k]), 1);
}

/* ---- numbers with numbers ------------------------------------------------- */

/* What is summed of the rows that have both cells; a circle has two coordinates. */
typedef struct pair_sums {
    int64_t n;
    double mean[2][2];       /* [column][coordinate]                          */
    double product[2][2][2]; /* about the means: a's coordinate with b's      */
    double square[2][3];     /* of a column: first, second, their product     */
} pair_sums;

/* Coordinates near 0: numbers from real's smallest over its range. */
static void place(const sfi_mixed_column *c, double x, double at[2])
{
    if (c->compared == SF_COMPARED_CIRCLE) {
        const double angle = 2.0 * PI * x / c->period;
        at[0] = cos(angle);
        at[1] = sin(angle);
    } else {
        at[0] = (x - c->low) / (c->high > c->low ? c->high - c->low : 1.0);
        at[1] = 0.0;
    }
}

/* West's update keeps the sums about the means of the rows so far. */
static void add_row(pair_sums *s, double at[2][2])
{
    double off[2][2];
    s->n++;
    const double before = (double)(s->n - 1) / (double)s->n;
    for (int c = 0; c < 2; c++)
        for (int u = 0; u < 2; u++) {
            off[c][u] = at[c][u] - s->mean[c][u];
            s->mean[c][u] += off[c][u] / (double)s->n;
        }
    for (int u = 0; u < 2; u++)
        for (int v = 0; v < 2; v++)
            s->product[0][u][v] += before * off[0][u] * off[1][v];
    for (int c = 0; c < 2; c++) {
        s->square[c][0] += before * off[c][0] * off[c][0];
        s->square[c][1] += before * off[c][1] * off[c][1];
        s->square[c][2] += before * off[c][0] * off[c][1];
    }
}

static double over_root(double product, double a, double b)
{
    const double by = sqrt(a) * sqrt(b);
    return by > 0.0 ? fmax(-1.0, fmin(1.0, product / by)) : 0.0;
}

/* R^2 = (c^2 + s^2 - 2 c s q)/(1 - q^2) with the correlations c, s of the number with
 * cosine and sine, and q of these. */
static double multiple_correlation(const pair_sums *s, int circle)
{
    const double *of = s->square[circle];
    const double number = s->square[1 - circle][0];
    const bool first = circle == 0;
    const double c = over_root(s->product[0][0][0], of[0], number);
    const double with_sine = first ? s->product[0][1][0] : s->product[0][0][1];
    const double sine = over_root(with_sine, of[1], number);
    const double q = over_root(of[2], of[0], of[1]);
    const double rest = 1.0 - q * q;
    if (!(rest > 1e-12)) /* two directions: a line */
        return fmax(fabs(c), fabs(sine));
    return sqrt(fmax(
        0.0, fmin(1.0, (c * c + sine * sine - 2.0 * c * sine * q) / rest)));
}

static double circles(const double *a, const double *b, int64_t n,
                      const double period[2])
{
    double at[2][2] = {{0.0}}, product = 0.0, square[2] = {0.0, 0.0};
    for (int pass = 0; pass < 2; pass++) {
        const double mean[2] = {atan2(at[0][1], at[0][0]),
                                atan2(at[1][1], at[1][0])};
        for (int64_t i = 0; i < n; i++) {
            if (isnan(a[i]) || isnan(b[i]))
                continue;
            const double angle[2] = {2.0 * PI * a[i] / period[0],
                                     2.0 * PI * b[i] / period[1]};
            if (pass == 0) {
                for (int c = 0; c < 2; c++) {
                    at[c][0] += cos(angle[c]);
                    at[c][1] += sin(angle[c]);
                }
                continue;
            }
            const double sine[2] = {sin(angle[0] - mean[0]),
                                    sin(angle[1] - mean[1])};
            product += sine[0] * sine[1];
            square[0] += sine[0] * sine[0];
            square[1] += sine[1] * sine[1];
        }
    }
    return over_root(product, square[0], square[1]);
}

static double numbers(const sfi_mixed *m, int k, const int64_t columns[2])
{
    const sfi_mixed_column *about[2] = {&m->column[columns[0]],
                                        &m->column[columns[1]]};
    const double *x[2] = {sfi_mixed_cells(m, k, columns[0]),
                          sfi_mixed_cells(m, k, columns[1])};
    pair_sums s = {0};
    for (int64_t i = 0; i < m->rows[k]; i++) {
        double at[2][2];
        if (isnan(x[0][i]) || isnan(x[1][i]))
            continue;
        place(about[0], x[0][i], at[0]);
        place(about[1], x[1][i], at[1]);
        add_row(&s, at);
    }
    if (s.n < 3)
        return NAN;
    const bool circle[2] = {about[0]->compared == SF_COMPARED_CIRCLE,
                            about[1]->compared == SF_COMPARED_CIRCLE};
    if (circle[0] && circle[1])
        return circles(x[0], x[1], m->rows[k],
                       (double[]){about[0]->period, about[1]->period});
    if (circle[0] || circle[1])
        return multiple_correlation(&s, circle[0] ? 0 : 1);
    return over_root(s.product[0][0][0], s.square[0][0], s.square[1][0]);
}

/* ---- with categories ------------------------------------------------------ */

/* The number, or angle, of column j within the groups of a category. */
static double correlation_ratio(const groups *g, int k, int64_t j,
                                int64_t category)
{
    const sfi_mixed *m = g->m;
    const double *x = sfi_mixed_cells(m, k, j);
    const unsigned char *in = groups_of(g, k, category);
    double sum[GROUPS][2] = {{0.0}}, all[2] = {0.0, 0.0};
    int64_t count[GROUPS] = {0}, n = 0;
    for (int64_t i = 0; i < m->rows[k]; i++) {
        double at[2];
        if (isnan(x[i]) || in[i] == MISSING)
            continue;
        place(&m->column[j], x[i], at);
        for (int u = 0; u < 2; u++) {
            sum[in[i]][u] += at[u];
            all[u] += at[u];
        }
        count[in[i]]++;
        n++;
    }
    if (n < 3)
        return NAN;
    double between = 0.0, within = 0.0;
    for (int u = 0; u < 2; u++)
        for (int c = 0; c < GROUPS; c++) {
            const double off =
                count[c] > 0 ? sum[c][u] / (double)count[c] - all[u] / (double)n
                             : 0.0;
            between += (double)count[c] * off * off;
        }
    for (int64_t i = 0; i < m->rows[k]; i++) {
        double at[2];
        if (isnan(x[i]) || in[i] == MISSING)
            continue;
        place(&m->column[j], x[i], at);
        for (int u = 0; u < 2; u++) {
            const double off = at[u] - sum[in[i]][u] / (double)count[in[i]];
            within += off * off;
        }
    }
    const double total = between + within;
    return total > 1e-24 * (double)n ? sqrt(between / total) : 0.0;
}

/* Rows by the groups of two columns. */
static int64_t count_groups(int64_t count[GROUPS][GROUPS],
                            const unsigned char *a, const unsigned char *b,
                            int64_t rows)
{
    memset(count, 0, sizeof(int64_t[GROUPS][GROUPS]));
    for (int64_t i = 0; i < rows; i++)
        count[a[i]][b[i]]++;
    return rows;
}

static double cramer(const groups *g, int k, const int64_t columns[2])
{
    int64_t count[GROUPS][GROUPS];
    count_groups(count, groups_of(g, k, columns[0]),
                 groups_of(g, k, columns[1]), g->m->rows[k]);
    for (int i = 0; i < GROUPS; i++)
        count[i][MISSING] = count[MISSING][i] = 0;
    return sfi_cramer_v(&count[0][0], GROUPS, GROUPS);
}

/* ---- pairs ---------------------------------------------------------------- */

static sf_association kind_of(const sfi_mixed *m, const int64_t columns[2])
{
    const sf_compared a = m->column[columns[0]].compared;
    const sf_compared b = m->column[columns[1]].compared;
    if (a == SF_COMPARED_CATEGORY && b == SF_COMPARED_CATEGORY)
        return SF_ASSOCIATION_CRAMER;
    if (a == SF_COMPARED_CATEGORY || b == SF_COMPARED_CATEGORY)
        return SF_ASSOCIATION_RATIO;
    return a == SF_COMPARED_CIRCLE || b == SF_COMPARED_CIRCLE
               ? SF_ASSOCIATION_CIRCULAR
               : SF_ASSOCIATION_PEARSON;
}

static double associate(const groups *g, int k, const sf_frames_pair *p)
{
    const bool first_is =
        g->m->column[p->columns[0]].compared == SF_COMPARED_CATEGORY;
    switch (p->association) {
    case SF_ASSOCIATION_CRAMER:
        return cramer(g, k, p->columns);
    case SF_ASSOCIATION_RATIO:
        return correlation_ratio(g, k, p->columns[first_is],
                                 p->columns[!first_is]);
    default:
        return numbers(g->m, k, p->columns);
    }
}

static double total_variation(const groups *g, int k, const sf_frames_pair *p,
                              int64_t rows)
{
    int64_t count[2][GROUPS][GROUPS];
    const int64_t n = count_groups(
        count[0], groups_of(g, SFI_REAL, p->columns[0]),
        groups_of(g, SFI_REAL, p->columns[1]), g->m->rows[SFI_REAL]);
    count_groups(count[1], groups_of(g, k, p->columns[0]),
                 groups_of(g, k, p->columns[1]), rows);
    double sum = 0.0;
    for (int a = 0; a < GROUPS; a++)
        for (int b = 0; b < GROUPS; b++)
            sum += fabs((double)count[0][a][b] / (double)n -
                        (double)count[1][a][b] / (double)rows);
    return 0.5 * sum;
}

struct pairs {
    sf_frames_report *report;
    groups *g;
    int64_t variation_rows;
};

static void fill_pair(const struct pairs *w, sf_frames_pair *p)
{
    const int64_t rows[2] = {w->variation_rows, w->g->m->rows[SFI_HELD_OUT]};
    p->association = kind_of(w->g->m, p->columns);
    for (int k = 0; k < SFI_TABLES; k++)
        p->value[k] = associate(w->g, k, p);
    for (int k = SFI_SYNTHETIC; k < SFI_TABLES; k++) {
        p->difference[k - 1] = p->value[k] - p->value[SFI_REAL];
        p->total_variation[k - 1] =
            rows[k - 1] > 0 ? total_variation(w->g, k, p, rows[k - 1]) : NAN;
    }
}

/* The pairs of column `first` with those after it. */
static void some_pairs(void *user, int64_t part, int64_t first, int64_t count)
{
    const struct pairs *w = user;
    const int64_t d = w->report->cols;
    (void)part;
    for (int64_t a = first; a < first + count; a++) {
        sf_frames_pair *p = w->report->pair + a * (2 * d - a - 1) / 2;
        for (int64_t b = a + 1; b < d; b++, p++) {
            p->columns[0] = a;
            p->columns[1] = b;
            fill_pair(w, p);
        }
    }
}

static sf_status rank(sf_context *ctx, sf_frames_report *r)
{
    const size_t n = (size_t)r->pairs;
    double *size = sfi_alloc(ctx, 2 * n, sizeof *size);
    int64_t *scratch = sfi_alloc(ctx, n, sizeof *scratch);
    const bool there = size != NULL && scratch != NULL;
    if (there) {
        for (int64_t i = 0; i < r->pairs; i++) {
            const double gap = r->pair[i].difference[0];
            size[i] = isnan(gap) ? 1.0 : -fabs(gap);
            r->largest[i] = i;
        }
        sfi_sort_with(size, r->largest, size + n, scratch, r->pairs);
    }
    sfi_free(ctx, scratch, n, sizeof *scratch);
    sfi_free(ctx, size, 2 * n, sizeof *size);
    return there ? SF_OK : SF_E_NOMEM;
}

sf_status sfi_compare_pairs(sf_context *ctx, sf_frames_report *report,
                            const sfi_mixed *part, int64_t variation_rows)
{
    groups g = {.m = part};
    struct pairs w = {report, &g, variation_rows};
    sf_status status = SF_OK;
    for (int k = 0; k < SFI_TABLES; k++) {
        g.of[k] = sfi_alloc(ctx, (size_t)(part->cols * part->rows[k]), 1);
        if (g.of[k] == NULL)
            status = SF_E_NOMEM;
    }
    SFI_CHECK(status);
    SFI_CHECK(group(ctx, &g));
    sfi_parallel(ctx, part->cols - 1, 1, some_pairs, &w);
    SFI_CHECK(rank(ctx, report));

done:
    free_groups(ctx, &g);
    return status;
}
