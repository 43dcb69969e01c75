/* SPDX-License-Identifier: Apache-2.0 */
/* frame_atoms.c - the atoms of a frame's column, from all its cells.
 *
 * What is too common is found among the sorted cells (atoms.c).  Besides, a kernel of
 * proportions or of positive numbers has no place for their ends, and cells that are
 * equal there are no chance, however few. */
#include "table/frame.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_CELLS = 20 }; /* of which ends are told from other numbers */

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* No value is an atom: neither common, nor an end of what has ends. */
static bool has_none(const sfi_store *s, int64_t j, const sfi_seen *seen,
                     const sfi_told_kind *told)
{
    const sf_frame_summary *sum = &seen->summary;
    sfi_common_sketch sketch = {0};
    if (told->has_atoms)
        return told->atom_count == 0;
    if (sum->min == 0.0 || (sum->min >= 0.0 && sum->max == 1.0))
        return false;
    for (int64_t i = 0; i < s->rows; i++)
        sfi_sketch_add(&sketch, sfi_store_cell(s, i, j));
    return sfi_sketch_is_even(&sketch);
}

/* The cells that are there, x [rows], sorted. */
static void take_cells(const sfi_store *s, int64_t j, double sd, double *x,
                       sfi_sorted_cells *out)
{
    *out = (sfi_sorted_cells){x, 0, sd};
    for (int64_t i = 0; i < s->rows; i++) {
        const double cell = sfi_store_cell(s, i, j);
        if (!isnan(cell))
            x[out->n++] = cell + 0.0; /* no -0 */
    }
    qsort(x, (size_t)out->n, sizeof *x, rising);
}

/* Those that are told have to be there. */
static sf_status take_told(const sfi_store *s, const sf_column *column,
                           const sfi_told_kind *told,
                           const sfi_sorted_cells *cells, double *at,
                           int64_t *count)
{
    for (int64_t k = 0; k < told->atom_count; k++) {
        if (bsearch(&told->atoms[k], cells->x, (size_t)cells->n,
                    sizeof *cells->x, rising) == NULL)
            return SFI_FAIL(
                s->ctx, SF_E_FORMAT,
                "%s: column \"%.200s\" is said to have the atom %g, "
                "and none of its cells is that",
                s->name != NULL ? s->name : "frame", column->name,
                told->atoms[k]);
        sfi_add_atom(at, count, told->atoms[k]);
    }
    return SF_OK;
}

/* The ends of proportions and of positive numbers, where more than one cell is there. */
static void add_ends(const sfi_sorted_cells *cells, const sfi_told_kind *told,
                     double *at, int64_t *count)
{
    const double min = cells->x[0], max = cells->x[cells->n - 1];
    const bool is_told = told->is_told;
    bool between[SF_MOST_ATOMS + 1];
    if (is_told ? told->kind == SF_KIND_PROPORTION : min >= 0.0 && max <= 1.0) {
        if (min == 0.0 && cells->x[1] == min)
            sfi_add_atom(at, count, 0.0);
        if (max == 1.0 && cells->x[cells->n - 2] == max)
            sfi_add_atom(at, count, 1.0);
        return;
    }
    if (min != 0.0 || cells->x[1] != min ||
        (is_told && told->kind != SF_KIND_POSITIVE))
        return;
    double with[SF_MOST_ATOMS];
    int64_t n = 0;
    for (int64_t k = 0; k < *count; k++)
        sfi_add_atom(with, &n, at[k]);
    sfi_add_atom(with, &n, 0.0);
    const sfi_other_cells other = sfi_cells_besides(cells, with, n, between);
    if (is_told || other.sd > SFI_WIDE * other.mean)
        sfi_add_atom(at, count, 0.0);
}

static sf_status find(sfi_store *s, int64_t j, const sf_column *column,
                      const sfi_told_kind *told, const sfi_sorted_cells *cells,
                      sf_frame_summary *rest)
{
    double at[SF_MOST_ATOMS];
    bool between[SF_MOST_ATOMS + 1];
    int64_t count = 0;
    if (told->has_atoms) {
        SFI_TRY(take_told(s, column, told, cells, at, &count));
    } else {
        count = sfi_common_values(cells, at);
        if (column->kind != SF_COLUMN_INTEGER && cells->n >= LEAST_CELLS)
            add_ends(cells, told, at, &count);
    }
    if (count == 0)
        return SF_OK;
    sfi_other_cells other = sfi_cells_besides(cells, at, count, between);
    if (other.count > 0 && other.min == other.max) {
        sfi_add_atom(at, &count, other.min);
        other = sfi_cells_besides(cells, at, count, between);
    }
    rest->min = other.min;
    rest->max = other.max;
    rest->mean = other.mean;
    rest->sd = other.sd;
    return sfi_atoms_set(s->ctx, &s->schema.columns[j].atoms, count, at,
                         between);
}

sf_status sfi_find_atoms(sfi_store *s, int64_t j, const sf_column *column,
                         const sfi_seen *seen, const sfi_told_kind *told,
                         sf_frame_summary *rest)
{
    const size_t n = (size_t)s->rows;
    sfi_sorted_cells cells;
    *rest = seen->summary;
    if (has_none(s, j, seen, told))
        return SF_OK;
    double *x = sfi_alloc(s->ctx, n, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    take_cells(s, j, seen->summary.sd, x, &cells);
    const sf_status status = find(s, j, column, told, &cells, rest);
    sfi_free(s->ctx, x, n, sizeof *x);
    return status;
}
