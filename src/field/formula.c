/* SPDX-License-Identifier: Apache-2.0 */
/* formula.c - typed functions of coordinates: maps of stretched axes, and fields
 * set to an expression.
 *
 * The only file of this floor that knows expressions.  A text is compiled once and
 * run over columns of coordinates: those of one row at a time for a field, so that
 * no array of all coordinates is ever made. */
#include "field/formula.h"

#include "field/layout.h"
#include "scorefield/program.h"

#include <string.h>

/* A number for each point, from columns of numbers. */
static sf_status compile(sf_context *ctx, sf_program **out, const char *text,
                         int count, const char *const *names)
{
    sf_graph *g = NULL;
    sf_symbol symbols[SF_MAX_AXES];
    sf_node node;
    *out = NULL;
    SFI_TRY(sf_graph_new(ctx, &g));
    for (int k = 0; k < count; k++)
        symbols[k] = (sf_symbol){names[k], sf_input(g, names[k], 0, NULL)};
    sf_status status = sf_parse(g, text, count, symbols, &node);
    if (status == SF_OK && sf_node_rank(g, node) > 0)
        status =
            SFI_FAIL(ctx, SF_E_SHAPE,
                     "\"%s\" is an array, want a number at each point", text);
    const sf_output output = {node, SF_EACH};
    if (status == SF_OK)
        status = sf_program_new(ctx, out, g, SF_F64, 1, &output);
    sf_graph_free(g);
    return status;
}

sf_status sfi_formula_run(sf_context *ctx, const char *text, const char *name,
                          int64_t count, const double *at, double *values)
{
    sf_program *program = NULL;
    double *x = sfi_alloc(ctx, (size_t)count, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    memcpy(x, at, (size_t)count * sizeof *x);
    const sf_source source = {
        .kind = SF_ROWS, .data = x, .dtype = SF_F64, .stride = 1};
    const sf_sink sink = {values, SF_F64, 1};
    sf_status status = compile(ctx, &program, text, 1, &name);
    if (status == SF_OK)
        status = sf_program_run(program, count, &source, NULL, &sink);
    sf_program_free(program);
    sfi_free(ctx, x, (size_t)count, sizeof *x);
    return status;
}

/* Coordinates of component c along axis k: the points, or midway. */
static void coordinates(const sf_field *f, int c, int k, double *out)
{
    const sf_axis *axis = sf_grid_axis(f->grid, k);
    const int64_t n = sf_field_count(f, c, k);
    if (f->place[c] >> k & 1u)
        memcpy(out, axis->edges + 1, (size_t)n * sizeof *out);
    else
        memcpy(out, axis->coords, (size_t)n * sizeof *out);
}

static sf_status run_rows(sf_program *program, sf_field *f, int c,
                          double *const *x)
{
    sfi_row_walk w = sfi_walk(f, c);
    const size_t bytes = sf_dtype_size(f->dtype);
    do {
        sf_source sources[SF_MAX_AXES];
        for (int k = 0; k < w.rank; k++)
            sources[k] = (sf_source){.kind = SF_ROWS,
                                     .data = x[k] + w.index[k],
                                     .dtype = SF_F64,
                                     .stride = k == w.rank - 1};
        const sf_sink sink = {(char *)f->data[c] + w.at * (int64_t)bytes,
                              f->dtype, 1};
        SFI_TRY(sf_program_run(program, w.count, sources, NULL, &sink));
    } while (sfi_walk_on(&w));
    return SF_OK;
}

sf_status sf_field_set(sf_context *ctx, sf_field *f, int c, const char *text)
{
    const int rank = sf_grid_rank(f->grid);
    const char *names[SF_MAX_AXES] = {NULL};
    double *x[SF_MAX_AXES] = {NULL};
    sf_program *program = NULL;
    sf_status status = SF_OK;
    if (c < 0 || c >= f->components)
        return SFI_FAIL(ctx, SF_E_ARG, "field: component %d, want 0 to %d", c,
                        f->components - 1);
    for (int k = 0; k < rank; k++) {
        const sf_axis *axis = sf_grid_axis(f->grid, k);
        names[k] = axis->name;
        x[k] = sfi_alloc(ctx, (size_t)axis->count, sizeof(double));
        if (x[k] == NULL)
            status = SF_E_NOMEM;
        else
            coordinates(f, c, k, x[k]);
    }
    if (status == SF_OK)
        status = compile(ctx, &program, text, rank, names);
    if (status == SF_OK)
        status = run_rows(program, f, c, x);
    sf_program_free(program);
    for (int k = 0; k < rank; k++)
        sfi_free(ctx, x[k], (size_t)sf_grid_axis(f->grid, k)->count,
                 sizeof(double));
    return status;
}
