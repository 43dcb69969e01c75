/* SPDX-License-Identifier: Apache-2.0 */
/* plot_chains.c - the draws of chains over their number, and how well the chains
 * agree.
 *
 * A table of draws has a column `chain` and a column `draw`, both numbers from 0,
 * as `scorefield sample --density` writes them; rows may be in any order, and some
 * may be missing.  Without names (.npy) they are the first two, and in order. */
#include "cli/plot.h"

#include "table/frame.h"

#include "scorefield/diagnose.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_COLUMNS = 12, NOTE_SIZE = 64 };

/* Where the columns `chain` and `draw` are. */
typedef struct numbering {
    int64_t column[2];
    int64_t count[2]; /* chains, draws: one more than the largest */
} numbering;

static sf_status find_numbering(plot_job *j, numbering *n)
{
    static const char *const names[] = {"chain", "draw"};
    cli *c = j->c;
    const sf_frame *t = j->data.all;
    const int64_t rows = sf_frame_rows(t);
    const char *path = cli_shown_path(j->data.path);
    const bool without_names =
        !sf_frame_has_names(t) && cli_numbering(t, sf_frame_cols(t) - 2) == 2;
    for (int k = 0; k < 2; k++) {
        sf_status status = SF_OK;
        n->column[k] = k;
        if (!without_names)
            status =
                sfi_frame_find_column(c->ctx, t, names[k], path, &n->column[k]);
        if (status != SF_OK)
            return status == SF_E_ARG ? SF_E_FORMAT : status;
        n->count[k] = 0;
        for (int64_t i = 0; i < rows; i++) {
            const double v = sf_frame_cell(t, i, n->column[k]);
            char place[SF_PLACE_SIZE];
            if (!(v >= 0.0 && v < 1e9 && v == floor(v)))
                return SFI_FAIL(c->ctx, SF_E_FORMAT,
                                "%s: %g, want a whole number from 0",
                                sf_frame_place(t, i, n->column[k], place), v);
            if (n->count[k] <= (int64_t)v)
                n->count[k] = (int64_t)v + 1;
        }
    }
    if (n->count[0] > (100 * rows + 100) / (n->count[1] + 1))
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: %lld rows are few for %lld chains of %lld draws; "
                        "are the columns \"chain\" and \"draw\" numbers of "
                        "those?",
                        path, (long long)rows, (long long)n->count[0],
                        (long long)n->count[1]);
    return SF_OK;
}

/* The columns of --columns, else all numbers but the numbering. */
static sf_status choose_columns(plot_job *j, const numbering *n)
{
    cli *c = j->c;
    cli_data *d = &j->data;
    const char *list = j->o->density.columns;
    const int64_t cols = sf_frame_cols(d->all);
    int64_t dim = 0;
    if (list != NULL)
        return cli_data_choose(c, d, list);
    int64_t *index = sfi_alloc(c->ctx, (size_t)cols, sizeof *index);
    if (index == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < cols; k++)
        if (k != n->column[0] && k != n->column[1] &&
            sf_frame_left_out(d->all, k, true) == NULL)
            index[dim++] = k;
    const sf_status status =
        dim > 0 ? sf_frame_select(c->ctx, &d->some, d->all, index, dim)
                : SFI_FAIL(c->ctx, SF_E_FORMAT,
                           "%s: no column but \"chain\" and \"draw\" holds "
                           "numbers",
                           cli_shown_path(d->path));
    sfi_free(c->ctx, index, (size_t)cols, sizeof *index);
    d->dim = dim;
    return status;
}

/* Make j->trace [draw, chain, column] and j->names of the table. */
static sf_status arrange_table(plot_job *j)
{
    cli *c = j->c;
    const cli_data *d = &j->data;
    const int64_t rows = sf_frame_rows(d->all);
    numbering n;
    SFI_TRY(find_numbering(j, &n));
    SFI_TRY(choose_columns(j, &n));
    const int64_t shape[] = {n.count[1], n.count[0], d->dim};
    SFI_TRY(sf_array_new(c->ctx, &j->trace, SF_F64, 3, shape));
    double *to = j->trace.data;
    for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++)
        to[i] = NAN;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t chain = (int64_t)sf_frame_cell(d->all, i, n.column[0]);
        const int64_t draw = (int64_t)sf_frame_cell(d->all, i, n.column[1]);
        for (int64_t k = 0; k < d->dim; k++)
            to[(draw * shape[1] + chain) * d->dim + k] =
                sf_frame_cell(d->some, i, k);
    }
    j->names = sfi_alloc(c->ctx, (size_t)d->dim, sizeof *j->names);
    if (j->names == NULL)
        return SF_E_NOMEM;
    j->dim = d->dim;
    for (int64_t k = 0; k < d->dim; k++)
        j->names[k] = cli_data_name(d, k);
    return SF_OK;
}

/* How well the chains agree, of the draws that all of them have. */
static sf_status write_notes(plot_job *j, const double *x, double *by_chain,
                             char notes[][NOTE_SIZE])
{
    const int64_t chains = j->trace.shape[1], dim = j->trace.shape[2];
    int64_t draws = j->trace.shape[0];
    bool whole = false;
    while (draws > 0 && !whole) {
        whole = true;
        for (int64_t i = 0; i < chains * dim && whole; i++)
            whole = isfinite(x[(draws - 1) * chains * dim + i]);
        draws -= !whole;
    }
    for (int64_t i = 0; i < draws; i++)
        for (int64_t c = 0; c < chains; c++)
            memcpy(by_chain + (c * draws + i) * dim, x + (i * chains + c) * dim,
                   (size_t)dim * sizeof *x);
    sf_diagnosis found[MOST_COLUMNS];
    const sf_draws all = {by_chain, chains, draws, dim, dim, NULL};
    if (draws > 0)
        SFI_TRY(sf_diagnose(j->c->ctx, &all, found));
    for (int64_t k = 0; k < dim; k++) {
        notes[k][0] = '\0';
        if (draws > 0 && isfinite(found[k].rhat) && isfinite(found[k].ess_bulk))
            snprintf(notes[k], NOTE_SIZE,
                     "R-hat %.*f, %.0f effective draws of %lld",
                     found[k].rhat < 1.095 ? 3 : 2, found[k].rhat,
                     found[k].ess_bulk, (long long)(chains * draws));
    }
    return SF_OK;
}

static sf_status draw(plot_job *j)
{
    cli *c = j->c;
    const int64_t *shape = j->trace.shape;
    const size_t cells = (size_t)(shape[0] * shape[1] * shape[2]);
    char notes[MOST_COLUMNS][NOTE_SIZE];
    const char *shown[MOST_COLUMNS];
    double *x = sfi_alloc(c->ctx, cells, sizeof *x);
    double *by_chain = sfi_alloc(c->ctx, cells, sizeof *by_chain);
    sf_status status = x != NULL && by_chain != NULL ? SF_OK : SF_E_NOMEM;
    for (size_t i = 0; i < cells && status == SF_OK; i++)
        x[i] = sfi_number_get(j->trace.dtype, j->trace.data, (int64_t)i);
    if (status == SF_OK)
        status = write_notes(j, x, by_chain, notes);
    sfi_free(c->ctx, x, cells, sizeof *x);
    sfi_free(c->ctx, by_chain, cells, sizeof *by_chain);
    SFI_TRY(status);
    for (int64_t k = 0; k < shape[2]; k++)
        shown[k] = notes[k];
    sf_plot_chains_options p = SF_PLOT_CHAINS_OPTIONS_INIT;
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.title = j->o->title;
    p.names = j->names;
    p.notes = shown;
    return sf_plot_chains(c->ctx, j->o->output, &j->trace, &p);
}

sf_status plot_draw_chains(plot_job *j)
{
    cli *c = j->c;
    if (j->model != NULL || j->samples.rows > 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--chains draws one table of draws, or --trace, alone");
    if (j->o->trace != NULL && j->data.rows > 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--chains draws a table or --trace; want one of them");
    if (j->o->trace != NULL)
        SFI_TRY(plot_read_trace(j));
    else
        SFI_TRY(arrange_table(j));
    if (j->trace.shape[2] > MOST_COLUMNS)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "%lld columns are too many for one picture; choose at "
                        "most %d with --columns",
                        (long long)j->trace.shape[2], (int)MOST_COLUMNS);
    return draw(j);
}
