/* SPDX-License-Identifier: Apache-2.0 */
/* outer.c - one program from what is known in the chart to the data's units.
 *
 * Its inputs are the point x, the chart's y that belongs to it, and what the model said
 * at y; the charts are nodes, so that all of the factors in the header are derivatives
 * that the graph takes.  The Jacobian wants the score as a function of x near y: there it is
 * s + J (Y(x) - y), right to first order, which is all that a derivative sees. */
#include "model/outer.h"

struct sfi_outer {
    const sf_model *m;
    unsigned wants;
    sf_program *program;
};

/* Places of the wants. */
enum { SCORE, DRIFT, DENOISED, JACOBIAN, DIVERGENCE };

/* What a want is before and after. */
static int64_t inner_columns(const sf_model *m, int want)
{
    return want == JACOBIAN     ? m->inner * m->inner
           : want == DIVERGENCE ? 1
           : want == DENOISED   ? m->dim
                                : m->inner;
}

static sf_node units_of(const sf_model *m, sf_graph *g, const double *numbers)
{
    return sf_const_array(g, 1, &m->dim, numbers);
}

/* The score as a function of x, right in the neighbourhood of y to first order. */
static sf_node score_node(const sf_model *m, sf_graph *g, sf_node x,
                          const sf_node *from, bool change)
{
    const sf_node seen = sf_div(g, sf_sub(g, x, units_of(m, g, m->mean)),
                                units_of(m, g, m->scale));
    const sf_node y = sfi_noise_chart(&m->noise, g, seen);
    sf_node score = from[SCORE];
    if (change) {
        const int64_t shape[] = {m->inner, m->inner};
        const sf_node matrix = sf_reshape(g, from[JACOBIAN], 2, shape);
        const sf_node gap = sf_sub(g, y, sf_stop_gradient(g, y));
        score = sf_add(g, score, sf_matmul(g, matrix, gap));
    }
    sf_node pulled;
    sf_vjp(g, y, score, 1, &x, &pulled);
    return sf_sub(g, pulled,
                  sf_gradient(g, sfi_noise_log_slope_node(&m->noise, g, y), x));
}

static sf_node outer_node(const sf_model *m, sf_graph *g, int want, sf_node x,
                          sf_node y, const sf_node *from)
{
    const sf_node scale = units_of(m, g, m->scale);
    sf_node matrix;
    switch (want) {
    case SCORE:
        return score_node(m, g, x, from, false);
    case DRIFT:
        return sf_mul(
            g, scale,
            sf_jvp(g, sfi_noise_inverse(&m->noise, g, y), y, from[DRIFT]));
    case DENOISED:
        return sf_add(g, units_of(m, g, m->mean),
                      sf_mul(g, scale, from[DENOISED]));
    case JACOBIAN:
        matrix = sf_jacobian(g, score_node(m, g, x, from, true), x);
        return sf_reshape(g, matrix, 1, &(int64_t){m->dim * m->dim});
    default:
        return sf_add(g, sf_component(g, from[DIVERGENCE], 0),
                      sf_jvp(g, sfi_noise_log_slope_node(&m->noise, g, y), y,
                             from[DRIFT]));
    }
}

static sf_status compile(sfi_outer *o, sf_graph *g)
{
    static const char *const names[SFI_OUTER_WANTS] = {
        "score", "drift", "denoised", "jacobian", "divergence"};
    const sf_model *m = o->m;
    const sf_node x = sf_input(g, "x", 1, &m->dim);
    const sf_node y = sf_input(g, "y", 1, &m->inner);
    sf_node from[SFI_OUTER_WANTS];
    sf_output outputs[SFI_OUTER_WANTS];
    int count = 0;
    for (int k = 0; k < SFI_OUTER_WANTS; k++)
        if ((o->wants >> k & 1) != 0)
            from[k] = sf_input(g, names[k], 1, &(int64_t){inner_columns(m, k)});
    for (int k = 0; k < SFI_OUTER_WANTS; k++)
        if ((o->wants >> k & 1) != 0)
            outputs[count++] =
                (sf_output){outer_node(m, g, k, x, y, from), SF_EACH};
    return sf_program_new(m->ctx, &o->program, g, SF_F64, count, outputs);
}

sf_status sfi_outer_new(const sf_model *m, sfi_outer **out, unsigned wants)
{
    *out = NULL;
    sfi_outer *o = sfi_alloc_zero(m->ctx, 1, sizeof *o);
    if (o == NULL)
        return SF_E_NOMEM;
    o->m = m;
    o->wants = wants;
    sf_graph *g = NULL;
    sf_status status = sf_graph_new(m->ctx, &g);
    if (status == SF_OK)
        status = compile(o, g);
    sf_graph_free(g);
    if (status != SF_OK) {
        sfi_outer_free(o);
        return status;
    }
    *out = o;
    return SF_OK;
}

void sfi_outer_free(sfi_outer *o)
{
    if (o == NULL)
        return;
    sf_program_free(o->program);
    sfi_free(o->m->ctx, o, 1, sizeof *o);
}

sf_status sfi_outer_run(sfi_outer *o, int64_t n, sf_cmat x, const double *y,
                        const double *const *from, const sf_mat *to)
{
    const sf_model *m = o->m;
    sf_source sources[2 + SFI_OUTER_WANTS] = {
        {.kind = SF_ROWS, .data = x.data, .dtype = SF_F64, .stride = x.stride},
        {.kind = SF_ROWS, .data = y, .dtype = SF_F64, .stride = m->inner}};
    sf_sink sinks[SFI_OUTER_WANTS];
    int count = 0;
    for (int k = 0; k < SFI_OUTER_WANTS; k++) {
        if ((o->wants >> k & 1) == 0)
            continue;
        sources[2 + count] = (sf_source){.kind = SF_ROWS,
                                         .data = from[k],
                                         .dtype = SF_F64,
                                         .stride = inner_columns(m, k)};
        sinks[count++] = (sf_sink){to[k].data, SF_F64, to[k].stride};
    }
    return sf_program_run(o->program, n, sources, NULL, sinks);
}
