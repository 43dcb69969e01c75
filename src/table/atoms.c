/* SPDX-License-Identifier: Apache-2.0 */
/* atoms.c - values that a column of numbers has too often to be a number like others.
 *
 * How often is too often is asked of the neighbourhood: on a coarse grid every value
 * is common, and so are those beside it.  So a value is held against the commonest
 * other one within half a standard deviation, and against the next one on either
 * side, which on a grid of whole numbers may lie farther off.
 *
 * Most columns have no value that is common at all.  A sketch of a few counters
 * (J. Misra and D. Gries, Sci. Comput. Program. 2 (1982) 143-152) says so in one
 * pass, and they need not be sorted. */
#include "table/atoms.h"

#include <math.h>
#include <string.h>

enum { FEW = 5, TWENTIETH = 20, TIMES = 5 };

/* ---- memory -------------------------------------------------------------------- */

void sfi_atoms_free(sf_context *ctx, sfi_atoms *a)
{
    const size_t n = (size_t)a->count;
    sfi_free(ctx, a->at, n, sizeof *a->at);
    sfi_free(ctx, a->between, n + 1, sizeof *a->between);
    *a = (sfi_atoms){0};
}

sf_status sfi_atoms_set(sf_context *ctx, sfi_atoms *a, int64_t count,
                        const double *at, const bool *between)
{
    const size_t n = (size_t)count;
    *a = (sfi_atoms){0};
    if (count == 0)
        return SF_OK;
    a->count = count;
    a->at = sfi_alloc(ctx, n, sizeof *a->at);
    a->between = sfi_alloc(ctx, n + 1, sizeof *a->between);
    if (a->at == NULL || a->between == NULL) {
        sfi_atoms_free(ctx, a);
        return SF_E_NOMEM;
    }
    memcpy(a->at, at, n * sizeof *at);
    memcpy(a->between, between, (n + 1) * sizeof *between);
    return SF_OK;
}

/* ---- asking -------------------------------------------------------------------- */

int64_t sfi_atoms_gap(const sfi_atoms *a, double x)
{
    int64_t gap = 0;
    while (gap < a->count && x > a->at[gap])
        gap++;
    return gap;
}

int64_t sfi_atoms_find(const sfi_atoms *a, double x)
{
    const int64_t k = sfi_atoms_gap(a, x);
    return k < a->count && a->at[k] == x ? k : -1;
}

/* ---- common values ------------------------------------------------------------- */

void sfi_sketch_add(sfi_common_sketch *s, double x)
{
    int free_one = -1;
    if (isnan(x))
        return;
    s->n++;
    for (int k = 0; k < SFI_SKETCHED; k++) {
        if (s->count[k] == 0) {
            free_one = k;
        } else if (s->value[k] == x) {
            s->count[k]++;
            return;
        }
    }
    if (free_one >= 0) {
        s->value[free_one] = x;
        s->count[free_one] = 1;
        return;
    }
    for (int k = 0; k < SFI_SKETCHED; k++)
        s->count[k]--;
}

/* A value with a share p of n cells is counted at least (p - 1/25) n times: with a
 * twentieth of them a hundredth. */
bool sfi_sketch_is_even(const sfi_common_sketch *s)
{
    enum { HUNDREDTH = 100 };
    for (int k = 0; k < SFI_SKETCHED; k++)
        if (s->count[k] > 0 && s->count[k] * HUNDREDTH >= s->n)
            return false;
    return true;
}

/* Cells from `first` on that have its value. */
static int64_t run_from(const sfi_sorted_cells *c, int64_t first)
{
    int64_t end = first + 1;
    while (end < c->n && c->x[end] == c->x[first])
        end++;
    return end - first;
}

/* The same of those up to `last`. */
static int64_t run_up_to(const sfi_sorted_cells *c, int64_t last)
{
    int64_t begin = last;
    while (begin > 0 && c->x[begin - 1] == c->x[last])
        begin--;
    return last + 1 - begin;
}

/* The cells of the commonest other value near those from `first` to `end`. */
static int64_t commonest_near(const sfi_sorted_cells *c, int64_t first,
                              int64_t end)
{
    const double value = c->x[first], reach = 0.5 * c->sd;
    int64_t most = 0, count = 0;
    for (int64_t i = end; i < c->n && (i == end || c->x[i] - value <= reach);
         i += count) {
        count = run_from(c, i);
        most = count > most ? count : most;
    }
    for (int64_t i = first - 1;
         i >= 0 && (i == first - 1 || value - c->x[i] <= reach); i -= count) {
        count = run_up_to(c, i);
        most = count > most ? count : most;
    }
    return most;
}

int64_t sfi_common_values(const sfi_sorted_cells *c, double *at)
{
    int64_t found = 0, count = 0;
    for (int64_t i = 0; i < c->n && found < SF_MOST_ATOMS; i += count) {
        count = run_from(c, i);
        if (count >= FEW && count * TWENTIETH >= c->n &&
            count >= TIMES * commonest_near(c, i, i + count))
            at[found++] = c->x[i];
    }
    return found;
}

void sfi_add_atom(double *at, int64_t *count, double value)
{
    int64_t place = *count;
    while (place > 0 && at[place - 1] > value)
        place--;
    if ((place > 0 && at[place - 1] == value) || *count == SF_MOST_ATOMS)
        return;
    memmove(at + place + 1, at + place, (size_t)(*count - place) * sizeof *at);
    at[place] = value;
    ++*count;
}

/* ---- what is left -------------------------------------------------------------- */

sfi_other_cells sfi_cells_besides(const sfi_sorted_cells *c, const double *at,
                                  int64_t count, bool *between)
{
    sfi_other_cells other = {0, (double)NAN, (double)NAN, (double)NAN,
                             (double)NAN};
    double mean = 0.0, squares = 0.0;
    memset(between, 0, (size_t)(count + 1) * sizeof *between);
    for (int64_t i = 0, gap = 0; i < c->n; i++) {
        const double x = c->x[i];
        while (gap < count && at[gap] < x)
            gap++;
        if (gap < count && at[gap] == x)
            continue;
        between[gap] = true;
        other.min = other.count == 0 ? x : other.min;
        other.max = x;
        const double from = x - mean;
        mean += from / (double)++other.count;
        squares += from * (x - mean);
    }
    if (other.count > 0)
        other.mean = mean;
    if (other.count > 1)
        other.sd = sqrt(squares / (double)(other.count - 1));
    return other;
}
