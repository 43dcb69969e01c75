/* SPDX-License-Identifier: Apache-2.0 */
/* matching_values.c - the objective and its derivatives at given numbers: means over
 * the rows, by the programs that matching_graph.c compiles. */
#include "fit/matching.h"

#include "base/random.h"

#include <string.h>

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

sf_status sfi_match_run(sfi_match *m, sf_program *p, const double *numbers,
                        const double *direction, const sf_sink *sinks)
{
    const inputs in = inputs_of(m);
    m->params[0] = numbers;
    m->params[1] = direction != NULL ? direction : numbers;
    return sf_program_run(p, m->x.rows, in.sources, m->params, sinks);
}

void sfi_match_mean(const sfi_match *m, double *sums, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        sums[k] /= (double)m->x.rows;
}

/* On the line. */
sf_status sfi_match_line(sfi_match *m, const double *numbers, double *value,
                         double *slope)
{
    const sf_sink sinks[] = {{value, SF_F64, 0}, {slope, SF_F64, 0}};
    SFI_TRY(sfi_match_run(m, m->line, numbers, NULL, sinks));
    sfi_match_mean(m, value, 1);
    sfi_match_mean(m, slope, m->count);
    return SF_OK;
}

/* One sink for each free parameter, at its elements. */
void sfi_match_sinks(const sfi_match *m, double *cells, int64_t stride,
                     sf_sink *sinks)
{
    for (int k = 0; k < m->free_count; k++) {
        sinks[k] = (sf_sink){cells, SF_F64, stride};
        cells += m->density->parameters[m->free[k].index].count;
    }
}

void sfi_match_place(sfi_match *m, const double *numbers)
{
    for (int64_t c = 0; c < m->cell_count; c++)
        m->cells[c] = numbers[m->number[c]];
}

/* Of the numbers that are in place. */
static sf_status slope_of_cells(sfi_match *m, double *value, double *slope)
{
    m->sinks[0] = (sf_sink){value, SF_F64, 0};
    sfi_match_sinks(m, m->slopes, 0, m->sinks + 1);
    SFI_TRY(sfi_match_run(m, m->value, m->cells, NULL, m->sinks));
    sfi_match_fold(m, m->slopes, slope);
    sfi_match_mean(m, value, 1);
    sfi_match_mean(m, slope, m->count);
    return SF_OK;
}

sf_status sfi_match_slope(sfi_match *m, const double *numbers, double *value,
                          double *slope)
{
    sfi_match_place(m, numbers);
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

sf_status sfi_match_hessian(sfi_match *m, const double *numbers, double *h)
{
    if (m->design != NULL) {
        sfi_design_hessian(m->design, h);
        return SF_OK;
    }
    const sf_sink sink = {h, SF_F64, 0};
    SFI_TRY(sfi_match_run(m, m->hessian, numbers, NULL, &sink));
    sfi_match_mean(m, h, m->count * m->count);
    return SF_OK;
}
