/* SPDX-License-Identifier: Apache-2.0 */
#include "density/density.h"

#include "graph/graph.h"
#include "num/array.h"
#include "num/linalg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------- */

static sf_status copy_names(sf_density *d, const char *const *names)
{
    d->names = sfi_alloc_zero(d->ctx, (size_t)d->dim, sizeof *d->names);
    if (d->names == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < d->dim; j++) {
        char made[24];
        const char *name = made;
        snprintf(made, sizeof made, "x%lld", (long long)j);
        if (names != NULL)
            name = names[j];
        if (name == NULL || name[0] == '\0')
            return SFI_FAIL(d->ctx, SF_E_ARG, "density: name %lld is empty",
                            (long long)j);
        d->names[j] = sfi_copy_text(d->ctx, name);
        if (d->names[j] == NULL)
            return SF_E_NOMEM;
    }
    return SF_OK;
}

static sf_status copy_parameter(sf_context *ctx, sfi_density_parameter *to,
                                const sf_parameter *from)
{
    if (from->name == NULL || from->name[0] == '\0')
        return SFI_FAIL(ctx, SF_E_ARG, "density: a parameter without a name");
    if (from->rank < 0 || from->rank > SF_MAX_RANK)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "density: parameter \"%s\" has rank %d, want 0 to %d",
                        from->name, from->rank, (int)SF_MAX_RANK);
    int64_t count = 1;
    for (int i = 0; i < from->rank; i++) {
        if (from->shape[i] < 1 || from->shape[i] > (INT64_C(1) << 40) / count)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "density: parameter \"%s\" has extent %lld, want 1 "
                            "and more, and at most 2^40 elements",
                            from->name, (long long)from->shape[i]);
        to->shape[i] = from->shape[i];
        count *= from->shape[i];
    }
    to->rank = from->rank;
    const int64_t bad = sfi_first_not_finite(from->value, count);
    if (bad < count)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "density: element %lld of parameter \"%s\" is not "
                        "finite",
                        (long long)bad, from->name);
    to->name = sfi_copy_text(ctx, from->name);
    to->value = sfi_alloc(ctx, (size_t)count, sizeof *to->value);
    if (to->value != NULL) {
        to->count = count;
        memcpy(to->value, from->value, (size_t)count * sizeof *to->value);
    }
    return to->name != NULL && to->value != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_status copy_parameters(sf_density *d, int count,
                                 const sf_parameter *parameters)
{
    if (count < 0)
        return SFI_FAIL(d->ctx, SF_E_ARG, "density: %d parameters", count);
    if (count == 0)
        return SF_OK;
    d->parameters =
        sfi_alloc_zero(d->ctx, (size_t)count, sizeof *d->parameters);
    d->parameter_count = count;
    if (d->parameters == NULL)
        return SF_E_NOMEM;
    for (int k = 0; k < count; k++)
        SFI_TRY(copy_parameter(d->ctx, &d->parameters[k], &parameters[k]));
    return SF_OK;
}

static const char *name_at(const sf_density *d, int64_t i)
{
    return i < d->dim ? d->names[i] : d->parameters[i - d->dim].name;
}

static sf_status check_names(const sf_density *d)
{
    const int64_t count = d->dim + d->parameter_count;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < i; j++)
            if (strcmp(name_at(d, i), name_at(d, j)) == 0)
                return SFI_FAIL(d->ctx, SF_E_ARG,
                                "density: the name \"%s\" is used twice",
                                name_at(d, i));
    return SF_OK;
}

/* ---- nodes ------------------------------------------------------------------- */

sf_status sfi_density_parameters(const sf_density *d, sf_graph *g,
                                 sf_node *parameters)
{
    for (int k = 0; k < d->parameter_count; k++)
        parameters[k] = sf_param(g, d->parameters[k].name,
                                 d->parameters[k].rank, d->parameters[k].shape);
    return sf_graph_status(g);
}

/* Whether x is a number, since it is called so, and not the vector of all. */
static bool hides_vector(const sf_density *d)
{
    for (int64_t j = 0; j < d->dim && d->dim > 1; j++)
        if (strcmp(sf_density_name(d, j), "x") == 0)
            return true;
    return false;
}

/* One number, of a vector of one too. */
static sf_status to_number(const sf_density *d, sf_graph *g, sf_node *node)
{
    if (sf_node_count(g, *node) == 1) {
        *node = sf_reshape(g, *node, 0, NULL);
        return sf_graph_status(g);
    }
    char shape[80];
    int used = 0;
    for (int i = 0; i < sf_node_rank(g, *node); i++)
        used +=
            snprintf(shape + used, sizeof shape - (size_t)used, "%s%lld",
                     i > 0 ? ", " : "", (long long)sf_node_extent(g, *node, i));
    return SFI_FAIL(d->ctx, SF_E_SHAPE,
                    "density: the expression has %lld values, [%s]; a log "
                    "density is one number: sum(...) of them?%s",
                    (long long)sf_node_count(g, *node), shape,
                    hides_vector(d)
                        ? "  (x is the number of that name, not the vector)"
                        : "");
}

sf_status sfi_density_node(const sf_density *d, sf_graph *g, sf_node x,
                           const sf_node *parameters, sf_node *logp)
{
    const size_t most = (size_t)(d->dim + d->parameter_count + 1);
    sf_symbol *symbols = sfi_alloc(d->ctx, most, sizeof *symbols);
    if (symbols == NULL)
        return SF_E_NOMEM;
    int count = 0;
    for (int64_t j = 0; j < d->dim; j++)
        symbols[count++] = (sf_symbol){d->names[j], sf_component(g, x, j)};
    for (int k = 0; k < d->parameter_count; k++)
        symbols[count++] = (sf_symbol){d->parameters[k].name, parameters[k]};
    bool taken = false;
    for (int i = 0; i < count; i++)
        taken |= strcmp(symbols[i].name, "x") == 0;
    if (!taken)
        symbols[count++] = (sf_symbol){"x", x};
    sf_status status = sf_parse(g, d->text, count, symbols, logp);
    sfi_free(d->ctx, symbols, most, sizeof *symbols);
    SFI_TRY(status);
    return to_number(d, g, logp);
}

/* ---- programs ---------------------------------------------------------------- */

/* ln p of x and its score, with the parameters' values as constants. */
static sf_status log_density(const sf_density *d, sf_graph *g, sf_node x,
                             sf_node *logp)
{
    const size_t count = (size_t)d->parameter_count;
    sf_node *parameters = sfi_alloc(d->ctx, count, sizeof *parameters);
    if (parameters == NULL && count > 0)
        return SF_E_NOMEM;
    for (int k = 0; k < d->parameter_count; k++) {
        const sfi_density_parameter *p = &d->parameters[k];
        parameters[k] = sf_const_array(g, p->rank, p->shape, p->value);
    }
    const sf_status status = sfi_density_node(d, g, x, parameters, logp);
    sfi_free(d->ctx, parameters, count, sizeof *parameters);
    return status;
}

static sf_status compile_at(const sf_density *d, sf_program **out)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(d->ctx, &g));
    const sf_node x = sf_input(g, "x", 1, &d->dim);
    sf_node logp;
    sf_status status = log_density(d, g, x, &logp);
    if (status == SF_OK) {
        const sf_output both[] = {{logp, SF_EACH},
                                  {sf_gradient(g, logp, x), SF_EACH}};
        status = sf_program_new(d->ctx, out, g, SF_F64, 2, both);
    }
    sf_graph_free(g);
    return status;
}

/* -ln p of y. */
static sf_status energy(const sf_density *d, sf_graph *g, sf_node y, sf_node *f)
{
    sf_node logp, volume;
    const sf_node x = sfi_domain_node(&d->domain, g, y, &volume);
    SFI_TRY(log_density(d, g, x, &logp));
    *f = sf_neg(g, sf_add(g, logp, volume));
    return SF_OK;
}

typedef enum part { VALUE, GRADIENT, BOTH, PRODUCT } part;

static sf_status compile_line(const sf_density *d, part wanted,
                              sf_program **out)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(d->ctx, &g));
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
                     ? sf_program_new(d->ctx, out, g, SF_F64, 2, outputs)
                     : sf_program_new(d->ctx, out, g, SF_F64, 1, outputs + 1);
    }
    sf_graph_free(g);
    return status;
}

void sfi_density_free_programs(sfi_density_programs *p)
{
    sf_program_free(p->at);
    sf_program_free(p->both);
    sf_program_free(p->value);
    sf_program_free(p->gradient);
    sf_program_free(p->product);
}

sf_status sfi_density_update(sf_density *d)
{
    sfi_density_programs made = {0};
    sf_status status = compile_at(d, &made.at);
    if (status == SF_OK)
        status = compile_line(d, BOTH, &made.both);
    if (status != SF_OK) {
        sfi_density_free_programs(&made);
        return status;
    }
    sfi_density_free_programs(&d->programs);
    d->programs = made;
    return SF_OK;
}

/* ---- making ------------------------------------------------------------------ */

static sf_status make(sf_density *d, const char *text,
                      const sf_density_options *o)
{
    const char *domain = o->domain != NULL ? o->domain : "real";
    d->text = sfi_copy_text(d->ctx, text);
    d->domain_text = sfi_copy_text(d->ctx, domain);
    if (d->text == NULL || d->domain_text == NULL)
        return SF_E_NOMEM;
    SFI_TRY(copy_names(d, o->names));
    SFI_TRY(copy_parameters(d, o->parameter_count, o->parameters));
    SFI_TRY(check_names(d));
    SFI_TRY(sfi_domain_parse(d->ctx, &d->domain, domain, d->dim,
                             (const char *const *)d->names));
    return sfi_density_update(d);
}

sf_status sf_density_new(sf_context *ctx, sf_density **out, const char *text,
                         int64_t dim, const sf_density_options *options)
{
    *out = NULL;
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    if (dim < 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "density: a point has %lld numbers, want 1 and more",
                        (long long)dim);
    sf_density *d = sfi_alloc_zero(ctx, 1, sizeof *d);
    if (d == NULL)
        return SF_E_NOMEM;
    d->ctx = ctx;
    d->dim = dim;
    const sf_status status = make(d, text, &o);
    if (status != SF_OK) {
        sf_density_free(d);
        return status;
    }
    *out = d;
    return SF_OK;
}

void sf_density_free(sf_density *d)
{
    if (d == NULL)
        return;
    sf_context *ctx = d->ctx;
    sfi_density_free_programs(&d->programs);
    if (d->domain.dim > 0)
        sfi_domain_free(ctx, &d->domain);
    for (int k = 0; k < d->parameter_count && d->parameters != NULL; k++) {
        sfi_density_parameter *p = &d->parameters[k];
        sfi_free_text(ctx, p->name);
        sfi_free(ctx, p->value, (size_t)p->count, sizeof *p->value);
    }
    const size_t count = (size_t)d->parameter_count;
    sfi_free(ctx, d->parameters, count, sizeof *d->parameters);
    if (d->names != NULL)
        sf_density_free_names(ctx, d->names, d->dim);
    sfi_free_text(ctx, d->text);
    sfi_free_text(ctx, d->domain_text);
    sfi_free(ctx, d, 1, sizeof *d);
}

int64_t sf_density_dim(const sf_density *d)
{
    return d->dim;
}

int64_t sf_density_unknowns(const sf_density *d)
{
    return d->domain.unknowns;
}

const char *sf_density_name(const sf_density *d, int64_t column)
{
    return d->names[column];
}

/* ---- the names of a text ------------------------------------------------------- */

typedef struct search {
    sf_context *ctx;
    sf_graph *g;
    char **names;
    size_t capacity;
    int64_t count;
    bool short_of_memory;
} search;

static char *copy_name(sf_context *ctx, const char *name, size_t length)
{
    char *copy = sfi_alloc(ctx, length + 1, 1);
    if (copy != NULL) {
        memcpy(copy, name, length);
        copy[length] = '\0';
    }
    return copy;
}

/* A name that is not known is a number of the point. */
static bool take_name(void *user, const char *name, size_t length, sf_node *out)
{
    search *s = user;
    for (int64_t i = 0; i < s->count; i++)
        if (strlen(s->names[i]) == length &&
            memcmp(s->names[i], name, length) == 0) {
            *out = sf_const(s->g, 1.0);
            return true;
        }
    char **grown = sfi_grow(s->ctx, s->names, &s->capacity,
                            (size_t)s->count + 1, sizeof *grown);
    s->short_of_memory = grown == NULL;
    if (grown == NULL)
        return false;
    s->names = grown;
    grown[s->count] = copy_name(s->ctx, name, length);
    s->short_of_memory = grown[s->count] == NULL;
    if (s->short_of_memory)
        return false;
    s->count++;
    /* Not a constant, whose value could turn out to be an error. */
    *out = sf_input(s->g, "name", 0, NULL);
    return true;
}

static sf_status find_names(search *s, const char *text, int known_count,
                            const sf_parameter *known)
{
    const size_t most = (size_t)known_count;
    sf_symbol *symbols = sfi_alloc(s->ctx, most, sizeof *symbols);
    if (symbols == NULL && most > 0)
        return SF_E_NOMEM;
    for (int k = 0; k < known_count; k++)
        symbols[k] =
            (sf_symbol){known[k].name, sf_param(s->g, known[k].name,
                                                known[k].rank, known[k].shape)};
    sf_node node;
    const sf_status status =
        sfi_parse_open(s->g, text, known_count, symbols, take_name, s, &node);
    sfi_free(s->ctx, symbols, most, sizeof *symbols);
    return s->short_of_memory ? SF_E_NOMEM : status;
}

sf_status sf_density_find_names(sf_context *ctx, const char *text,
                                int known_count, const sf_parameter *known,
                                char ***names, int64_t *count)
{
    *names = NULL;
    *count = 0;
    search s = {.ctx = ctx};
    SFI_TRY(sf_graph_new(ctx, &s.g));
    sf_status status = find_names(&s, text, known_count, known);
    sf_graph_free(s.g);
    /* As many as there are, so that they can be freed by their count. */
    char **exact = NULL;
    if (status == SF_OK && s.count > 0) {
        exact = sfi_alloc(ctx, (size_t)s.count, sizeof *exact);
        status = exact != NULL ? SF_OK : SF_E_NOMEM;
    }
    for (int64_t i = 0; i < s.count; i++) {
        if (exact != NULL)
            exact[i] = s.names[i];
        else
            sfi_free_text(ctx, s.names[i]);
    }
    sfi_free(ctx, s.names, s.capacity, sizeof *s.names);
    *names = exact;
    *count = exact != NULL ? s.count : 0;
    return status;
}

void sf_density_free_names(sf_context *ctx, char **names, int64_t count)
{
    if (names == NULL)
        return;
    for (int64_t i = 0; i < count; i++)
        sfi_free_text(ctx, names[i]);
    sfi_free(ctx, names, (size_t)count, sizeof *names);
}

/* ---- asking ------------------------------------------------------------------ */

sf_status sf_density_eval(const sf_density *d, sf_cmat x, double *logp,
                          sf_mat score)
{
    sf_context *ctx = d->ctx;
    SFI_TRY(sfi_check_table(ctx, x, false, "density: x"));
    if (x.cols != d->dim)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "density: x has %lld columns, want %lld",
                        (long long)x.cols, (long long)d->dim);
    if (score.data != NULL && (score.rows != x.rows || score.cols != d->dim))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "density: the scores are [%lld, %lld], want [%lld, "
                        "%lld]",
                        (long long)score.rows, (long long)score.cols,
                        (long long)x.rows, (long long)d->dim);
    const sf_source sources[] = {
        {.data = x.data, .dtype = SF_F64, .stride = x.stride}};
    const size_t cells = (size_t)x.rows * (size_t)d->dim;
    double *spare_p =
        logp == NULL ? sfi_alloc(ctx, (size_t)x.rows, sizeof *logp) : NULL;
    double *spare_s =
        score.data == NULL ? sfi_alloc(ctx, cells, sizeof *logp) : NULL;
    const sf_sink sinks[] = {{logp != NULL ? logp : spare_p, SF_F64, 1},
                             {score.data != NULL ? score.data : spare_s, SF_F64,
                              score.data != NULL ? score.stride : d->dim}};
    sf_status status = SF_OK;
    if (x.rows > 0)
        status =
            sinks[0].data != NULL && sinks[1].data != NULL
                ? sf_program_run(d->programs.at, x.rows, sources, NULL, sinks)
                : SF_E_NOMEM;
    for (int64_t i = 0; i < x.rows && status == SF_OK; i++) {
        char want[SFI_DOMAIN_WANT];
        if (sfi_domain_outside(&d->domain, x.data + i * x.stride, want) < 0)
            continue;
        if (logp != NULL)
            logp[i] = -INFINITY;
        for (int64_t j = 0; j < d->dim && score.data != NULL; j++)
            score.data[i * score.stride + j] = NAN;
    }
    sfi_free(ctx, spare_p, (size_t)x.rows, sizeof *logp);
    sfi_free(ctx, spare_s, cells, sizeof *logp);
    return status;
}

/* The program of one part, made when it is first asked for. */
static sf_status ask(sf_density *d, part wanted, sf_program **out)
{
    sfi_density_programs *p = &d->programs;
    sf_program **slot = wanted == VALUE      ? &p->value
                        : wanted == GRADIENT ? &p->gradient
                        : wanted == BOTH     ? &p->both
                                             : &p->product;
    if (*slot == NULL)
        SFI_TRY(compile_line(d, wanted, slot));
    *out = *slot;
    return SF_OK;
}

static sf_status call_value(sf_context *ctx, void *user, double *value,
                            const double *y, int64_t walkers)
{
    (void)ctx;
    sf_density *d = user;
    const sf_source source = {
        .data = y, .dtype = SF_F64, .stride = d->domain.unknowns};
    const sf_sink sink = {value, SF_F64, 1};
    sf_program *program;
    SFI_TRY(ask(d, VALUE, &program));
    return sf_program_run(program, walkers, &source, NULL, &sink);
}

static sf_status call_gradient(sf_context *ctx, void *user, double *value,
                               double *gradient, const double *y,
                               int64_t walkers)
{
    (void)ctx;
    sf_density *d = user;
    const int64_t n = d->domain.unknowns;
    const sf_source source = {.data = y, .dtype = SF_F64, .stride = n};
    const sf_sink sinks[] = {{value, SF_F64, 1}, {gradient, SF_F64, n}};
    sf_program *program;
    SFI_TRY(ask(d, value != NULL ? BOTH : GRADIENT, &program));
    return sf_program_run(program, walkers, &source, NULL,
                          value != NULL ? sinks : sinks + 1);
}

static sf_status call_product(sf_context *ctx, void *user, double *hv,
                              const double *y, const double *v, int64_t walkers)
{
    (void)ctx;
    sf_density *d = user;
    const int64_t n = d->domain.unknowns;
    const sf_source sources[] = {{.data = y, .dtype = SF_F64, .stride = n},
                                 {.data = v, .dtype = SF_F64, .stride = n}};
    const sf_sink sink = {hv, SF_F64, n};
    sf_program *program;
    SFI_TRY(ask(d, PRODUCT, &program));
    return sf_program_run(program, walkers, sources, NULL, &sink);
}

static sf_status append_gradient(sf_context *ctx, void *user, sf_graph *g,
                                 sf_node y, sf_node *gradient)
{
    (void)ctx;
    const sf_density *d = user;
    sf_node f;
    SFI_TRY(energy(d, g, y, &f));
    *gradient = sf_gradient(g, f, y);
    return sf_graph_status(g);
}

void sf_density_functional(const sf_density *d, sf_functional *out)
{
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "density";
    f.unknowns = d->domain.unknowns;
    f.user = (void *)(uintptr_t)d;
    f.value = call_value;
    f.gradient = call_gradient;
    f.hvp = call_product;
    f.node = append_gradient;
    *out = f;
}

sf_status sf_density_to_line(const sf_density *d, sf_cmat x, sf_mat y)
{
    if (x.cols != d->dim || y.cols != d->domain.unknowns || x.rows != y.rows)
        return SFI_FAIL(d->ctx, SF_E_SHAPE,
                        "density: x is [%lld, %lld] and y [%lld, %lld], want "
                        "%lld and %lld columns",
                        (long long)x.rows, (long long)x.cols, (long long)y.rows,
                        (long long)y.cols, (long long)d->dim,
                        (long long)d->domain.unknowns);
    for (int64_t i = 0; i < x.rows; i++) {
        char want[SFI_DOMAIN_WANT];
        const double *row = x.data + i * x.stride;
        const int64_t j = sfi_domain_outside(&d->domain, row, want);
        if (j >= 0)
            return SFI_FAIL(d->ctx, SF_E_NUMERIC,
                            "density: row %lld, \"%s\" is %g, want %s",
                            (long long)(i + 1), d->names[j], row[j], want);
        sfi_domain_to_line(&d->domain, row, y.data + i * y.stride);
    }
    return SF_OK;
}

sf_status sf_density_from_line(const sf_density *d, sf_cmat y, sf_mat x)
{
    if (x.cols != d->dim || y.cols != d->domain.unknowns || x.rows != y.rows)
        return SFI_FAIL(d->ctx, SF_E_SHAPE,
                        "density: y is [%lld, %lld] and x [%lld, %lld], want "
                        "%lld and %lld columns",
                        (long long)y.rows, (long long)y.cols, (long long)x.rows,
                        (long long)x.cols, (long long)d->domain.unknowns,
                        (long long)d->dim);
    for (int64_t i = 0; i < x.rows; i++)
        sfi_domain_from_line(&d->domain, y.data + i * y.stride,
                             x.data + i * x.stride);
    return SF_OK;
}
