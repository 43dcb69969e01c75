/* SPDX-License-Identifier: Apache-2.0 */
/* line.c - a typed density on all of the real line, as solvers and samplers want
 * it: -ln p of y, in which ln |dx/dy| is, with its gradient and Hessian products.
 *
 * Parameters are constants of the programs, so that what depends on them alone is
 * computed once. */
#include "density/density.h"

/* -ln p of y. */
static sf_status energy(const sfi_density *d, sf_graph *g, sf_node y,
                        sf_node *f)
{
    sf_node logp, volume;
    const sf_node x = sfi_domain_node(&d->domain, g, y, &volume);
    SFI_TRY(sfi_density_constant_node(d, g, x, &logp));
    *f = sf_neg(g, sf_add(g, logp, volume));
    return SF_OK;
}

typedef enum line_part { VALUE, GRADIENT, BOTH, PRODUCT } line_part;

static sf_status compile(sf_context *ctx, const sfi_density *d,
                         line_part wanted, sf_program **out)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(ctx, &g));
    const sf_node y = sf_input(g, "y", 1, &d->domain.unknowns);
    const sf_node v =
        wanted == PRODUCT ? sf_input(g, "v", 1, &d->domain.unknowns) : y;
    sf_node f;
    sf_status status = energy(d, g, y, &f);
    if (status == SF_OK) {
        sf_node slope = f;
        if (wanted != VALUE)
            slope = sf_gradient(g, f, y);
        if (wanted == PRODUCT)
            slope = sf_gradient(g, sf_dot(g, slope, v), y);
        const sf_output outputs[] = {{f, SF_EACH}, {slope, SF_EACH}};
        status = wanted == BOTH
                     ? sf_program_new(ctx, out, g, SF_F64, 2, outputs)
                     : sf_program_new(ctx, out, g, SF_F64, 1, outputs + 1);
    }
    sf_graph_free(g);
    return status;
}

/* Angles are the same on the line as they are typed. */
static sf_status find_periods(sfi_density_line *line)
{
    const double two_pi = 6.2831853071795865;
    const sfi_domain *d = &line->density->domain;
    for (int64_t k = 0; k < d->count; k++) {
        const sfi_region *r = &d->regions[k];
        if (r->form != SFI_CIRCLE)
            continue;
        if (line->period == NULL)
            line->period = sfi_alloc_zero(line->ctx, (size_t)d->unknowns,
                                          sizeof *line->period);
        if (line->period == NULL)
            return SF_E_NOMEM;
        for (int64_t i = 0; i < r->inner; i++)
            line->period[r->at + i] = two_pi;
    }
    return SF_OK;
}

sf_status sfi_density_line_make(sf_context *ctx, sfi_density_line *out,
                                const sfi_density *d)
{
    *out = (sfi_density_line){.ctx = ctx, .density = d};
    SFI_TRY(find_periods(out));
    return compile(ctx, d, BOTH, &out->both);
}

void sfi_density_line_free(sfi_density_line *line)
{
    sf_program_free(line->value);
    sf_program_free(line->gradient);
    sf_program_free(line->both);
    sf_program_free(line->product);
    if (line->period != NULL)
        sfi_free(line->ctx, line->period,
                 (size_t)line->density->domain.unknowns, sizeof *line->period);
}

/* The program of one part, made when it is first asked for. */
static sf_status ask(sfi_density_line *p, line_part wanted, sf_program **out)
{
    sf_program **slot = wanted == VALUE      ? &p->value
                        : wanted == GRADIENT ? &p->gradient
                        : wanted == BOTH     ? &p->both
                                             : &p->product;
    if (*slot == NULL)
        SFI_TRY(compile(p->ctx, p->density, wanted, slot));
    *out = *slot;
    return SF_OK;
}

static sf_status call_value(sf_context *ctx, void *user, double *value,
                            const double *y, int64_t walkers)
{
    (void)ctx;
    sfi_density_line *line = user;
    const sf_source source = {
        .data = y, .dtype = SF_F64, .stride = line->density->domain.unknowns};
    const sf_sink sink = {value, SF_F64, 1};
    sf_program *program;
    SFI_TRY(ask(line, VALUE, &program));
    return sf_program_run(program, walkers, &source, NULL, &sink);
}

static sf_status call_gradient(sf_context *ctx, void *user, double *value,
                               double *gradient, const double *y,
                               int64_t walkers)
{
    (void)ctx;
    sfi_density_line *line = user;
    const int64_t n = line->density->domain.unknowns;
    const sf_source source = {.data = y, .dtype = SF_F64, .stride = n};
    const sf_sink sinks[] = {{value, SF_F64, 1}, {gradient, SF_F64, n}};
    sf_program *program;
    SFI_TRY(ask(line, value != NULL ? BOTH : GRADIENT, &program));
    return sf_program_run(program, walkers, &source, NULL,
                          value != NULL ? sinks : sinks + 1);
}

static sf_status call_product(sf_context *ctx, void *user, double *hv,
                              const double *y, const double *v, int64_t walkers)
{
    (void)ctx;
    sfi_density_line *line = user;
    const int64_t n = line->density->domain.unknowns;
    const sf_source sources[] = {{.data = y, .dtype = SF_F64, .stride = n},
                                 {.data = v, .dtype = SF_F64, .stride = n}};
    const sf_sink sink = {hv, SF_F64, n};
    sf_program *program;
    SFI_TRY(ask(line, PRODUCT, &program));
    return sf_program_run(program, walkers, sources, NULL, &sink);
}

static sf_status append_gradient(sf_context *ctx, void *user, sf_graph *g,
                                 sf_node y, sf_node *gradient)
{
    (void)ctx;
    const sfi_density_line *line = user;
    sf_node f;
    SFI_TRY(energy(line->density, g, y, &f));
    *gradient = sf_gradient(g, f, y);
    return sf_graph_status(g);
}

static double call_work(void *user)
{
    sf_program *program;
    return ask(user, BOTH, &program) == SF_OK ? sf_program_work(program) : 0.0;
}

void sfi_density_line_functional(sfi_density_line *line, sf_functional *out)
{
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "density";
    f.unknowns = line->density->domain.unknowns;
    f.user = line;
    f.period = line->period;
    f.value = call_value;
    f.gradient = call_gradient;
    f.hvp = call_product;
    f.node = append_gradient;
    f.work = call_work;
    *out = f;
}
