/* SPDX-License-Identifier: Apache-2.0 */
/* fit_density.c - scorefield fit --density: the parameters of a typed density. */
#include "cli/typed_density.h"
#include "cli/fit.h"
#include "base/text.h"
#include "num/decimal.h"
#include "scorefield/matching.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parameters as --param says them. */
typedef struct typed {
    cli *c;
    int count;
    sf_parameter parameters[CLI_MOST_TEXTS + 1]; /* and x, for a moment */
    size_t cells[CLI_MOST_TEXTS];
    char forms[1 << 14]; /* "s=positive; M=symmetric; ..." */
    size_t used;
} typed;

static void free_typed(typed *t)
{
    for (int k = 0; k < t->count; k++) {
        const sf_parameter *p = &t->parameters[k];
        void *value = (void *)(uintptr_t)p->value;
        void *name = (void *)(uintptr_t)p->name;
        sfi_free(t->c->ctx, value, t->cells[k], sizeof(double));
        if (name != NULL)
            sfi_free(t->c->ctx, name, strlen(name) + 1, 1);
    }
}

/* ---- --param ------------------------------------------------------------------ */

static sf_status bad_parameter(cli *c, const char *option)
{
    char shown[SFI_SHOW_SIZE];
    return SFI_FAIL(c->ctx, SF_E_ARG,
                    "--param is \"%s\", want NAME, NAME=FIRST, NAME[3], "
                    "NAME[2,2]=eye, =symmetric or =1,2;3,4, NAME>0, NAME<1, "
                    "or NAME=LO:HI",
                    sfi_show(shown, option, strlen(option)));
}

/* "[2,3]" at *at, which moves on. */
static bool read_shape(const char **at, sf_parameter *p)
{
    if (**at != '[')
        return true;
    do {
        char *end = NULL;
        const long extent = strtol(*at + 1, &end, 10);
        if (end == *at + 1 || extent < 1 || extent > 1 << 20 ||
            p->rank == SF_MAX_RANK)
            return false;
        p->shape[p->rank++] = extent;
        *at = end;
    } while (**at == ',');
    return *(*at)++ == ']';
}

static void add_form(typed *t, const char *name, const char *form)
{
    const size_t room = sizeof t->forms - t->used;
    const int n = snprintf(t->forms + t->used, room, "%s%s=%s",
                           t->used > 0 ? "; " : "", name, form);
    t->used = n > 0 && (size_t)n < room ? t->used + (size_t)n : sizeof t->forms;
}

/* First values: `number` throughout, or on a matrix's diagonal alone. */
static sf_status fill(typed *t, sf_parameter *p, size_t *cells, double number,
                      bool diagonal)
{
    size_t count = 1;
    for (int i = 0; i < p->rank; i++)
        count *= (size_t)p->shape[i];
    double *value = sfi_alloc(t->c->ctx, count, sizeof *value);
    if (value == NULL)
        return SF_E_NOMEM;
    p->value = value;
    *cells = count;
    const size_t across = p->rank == 2 ? (size_t)p->shape[1] : 0;
    for (size_t i = 0; i < count; i++)
        value[i] = !diagonal || i / across == i % across ? number : 0.0;
    return SF_OK;
}

/* What follows the '=': a form, or first values. */
static sf_status read_first(typed *t, const char *option, sfi_piece said,
                            sf_parameter *p, size_t *cells, const char *form)
{
    const bool eye = said.size == 3 && memcmp(said.at, "eye", 3) == 0;
    const bool mirrored =
        said.size == 9 && memcmp(said.at, "symmetric", 9) == 0;
    if (eye || mirrored) {
        if (p->rank != 2 || p->shape[0] != p->shape[1])
            return SFI_FAIL(t->c->ctx, SF_E_ARG,
                            "--param \"%s\": want a square matrix, NAME[2,2]",
                            option);
        add_form(t, p->name, mirrored ? "symmetric" : form);
        return fill(t, p, cells, 1.0, true);
    }
    const char *colon = memchr(said.at, ':', said.size);
    if (colon != NULL) {
        double lo = 0.0, hi = 0.0;
        const char *after = sfi_number_parse(said.at, &lo);
        char text[64];
        if (after != colon ||
            sfi_number_parse(colon + 1, &hi) != said.at + said.size ||
            said.size >= sizeof text)
            return bad_parameter(t->c, option);
        snprintf(text, sizeof text, "%.*s", (int)said.size, said.at);
        add_form(t, p->name, text);
        return fill(t, p, cells, 0.5 * (lo + hi), false);
    }
    sf_parameter given = {0};
    const sf_status status =
        cli_read_numbers(t->c, option, said, &given, cells);
    p->value = given.value;
    if (status == SF_E_ARG)
        return bad_parameter(t->c, option);
    SFI_TRY(status);
    add_form(t, p->name, form);
    if (*cells == 1 && p->rank > 0) {
        const double number = given.value[0];
        p->value = NULL;
        sfi_free(t->c->ctx, (void *)(uintptr_t)given.value, 1, sizeof number);
        return fill(t, p, cells, number, false);
    }
    bool same = p->rank == 0 || p->rank == given.rank;
    for (int i = 0; i < p->rank && same; i++)
        same = p->shape[i] == given.shape[i];
    if (!same)
        return SFI_FAIL(t->c->ctx, SF_E_ARG,
                        "--param \"%s\": the values are not of the shape that "
                        "is named",
                        option);
    p->rank = given.rank;
    memcpy(p->shape, given.shape, sizeof p->shape);
    return SF_OK;
}

static sf_status read_one(typed *t, const char *option)
{
    const size_t size = strcspn(option, "[=<>");
    const sfi_piece name = sfi_trimmed(option, size);
    sf_parameter *p = &t->parameters[t->count];
    size_t *cells = &t->cells[t->count++];
    const char *at = option + size;
    char form[64] = "real";
    double first = 0.0;
    if (name.size == 0)
        return bad_parameter(t->c, option);
    p->name = cli_copy_piece(t->c, name);
    if (p->name == NULL)
        return SF_E_NOMEM;
    if (!read_shape(&at, p))
        return bad_parameter(t->c, option);
    if (*at == '>' || *at == '<') {
        double bound = 0.0;
        const char *after = sfi_number_parse(at + 1, &bound);
        if (after == NULL || (*after != '\0' && *after != '='))
            return bad_parameter(t->c, option);
        snprintf(form, sizeof form, *at == '>' ? "%.*s:" : ":%.*s",
                 (int)(after - at - 1), at + 1);
        first = *at == '>' ? bound + 1.0 : bound - 1.0;
        at = after;
    }
    if (*at == '=')
        return read_first(t, option, sfi_trimmed(at + 1, strlen(at + 1)), p,
                          cells, form);
    if (*at != '\0')
        return bad_parameter(t->c, option);
    add_form(t, p->name, form);
    return fill(t, p, cells, first, false);
}

/* ---- columns ------------------------------------------------------------------ */

static const char *name_at(const void *user, int64_t k)
{
    const char *const *names = user;
    return names[k];
}

/* Those of --columns, else those that the text names, else, where it is of the
 * vector x alone, all that hold numbers. */
static sf_status choose_columns(typed *t, const fit_options *o, cli_data *d)
{
    cli *c = t->c;
    char **names = NULL;
    int64_t count = 0;
    if (o->columns != NULL)
        return cli_data_choose(c, d, o->columns);
    SFI_TRY(cli_data_choose(c, d, NULL));
    int known = t->count;
    if (sf_frame_find(d->all, "x") < 0)
        t->parameters[known++] =
            (sf_parameter){.name = "x", .rank = 1, .shape = {d->dim}};
    sf_status status = sf_density_find_names(c->ctx, o->density, known,
                                             t->parameters, &names, &count);
    if (status == SF_OK && count > 0)
        for (int64_t k = 0; k < count && status == SF_OK; k++)
            if (sf_frame_find(d->all, names[k]) < 0)
                status = SFI_FAIL(c->ctx, SF_E_ARG,
                                  "--density: \"%s\" is neither a column of "
                                  "%s nor a --param",
                                  names[k], cli_shown_path(d->path));
    if (status == SF_OK && count > 0)
        status = cli_data_match(c, d,
                                &(cli_named){"density", count, name_at, names});
    sf_density_free_names(c->ctx, names, count);
    return status == SF_E_SHAPE ? SF_E_ARG : status;
}

/* With --objective general and without --domain, columns whose numbers are all
 * positive are so.  `text` has room for them. */
static void find_domain(const fit_options *o, const cli_data *d, char *text,
                        size_t size)
{
    size_t used =
        (size_t)snprintf(text, size, "%s", o->domain != NULL ? o->domain : "");
    if (o->domain != NULL || o->objective != FIT_GENERAL) {
        if (o->domain == NULL)
            snprintf(text, size, "real");
        return;
    }
    for (int64_t k = 0; k < d->dim && used < size; k++) {
        bool positive = true;
        for (int64_t i = 0; i < d->x.rows; i++)
            positive &= d->x.data[i * d->x.stride + k] > 0.0;
        used += (size_t)snprintf(text + used, size - used, "%s%s=%s",
                                 k > 0 ? "; " : "", cli_data_name(d, k),
                                 positive ? "positive" : "real");
    }
}

/* ---- report ------------------------------------------------------------------- */

/* Of more numbers the matrix would be longer than all else together. */
enum { MOST_COVARIANCES = 256 };

static void report_numbers(cli *c, const sf_matching *m)
{
    json_t *list = cli_put_list(c, c->report, "parameters");
    for (int64_t k = 0; k < m->count; k++) {
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "parameter", m->names[k]);
        cli_put_number(c, row, "estimate", m->estimate[k]);
        cli_put_number(c, row, "standard_error", m->error[k]);
    }
    if (!c->common.json || m->count > MOST_COVARIANCES)
        return;
    json_t *all = cli_put_list(c, c->report, "covariance");
    for (int64_t i = 0; i < m->count; i++) {
        json_t *row = json_array();
        for (int64_t j = 0; j < m->count; j++)
            cli_add_number(c, row, m->covariance[i * m->count + j]);
        c->report_failed |= json_array_append_new(all, row) != 0;
    }
}

static void report_fit(cli *c, const cli_data *d, const char *domain,
                       const sf_matching *m, const sf_stein *stein,
                       double seconds)
{
    cli_put_text(c, c->report, "family", "density");
    cli_put_text(c, c->report, "domain", domain);
    cli_put_count(c, c->report, "rows", m->rows);
    cli_put_count(c, c->report, "dropped_rows", d->rows - m->rows);
    cli_put_number(c, c->report, "objective", m->objective);
    cli_put_text(c, c->report, "solved_by",
                 m->quadratic ? "a linear system" : "L-BFGS and Newton");
    if (!m->quadratic) {
        cli_put_count(c, c->report, "iterations", m->iterations);
        cli_put_count(c, c->report, "failed_starts", m->failed);
    }
    if (stein->rows > 0) {
        cli_put_number(c, c->report, "stein_discrepancy", stein->discrepancy);
        cli_put_number(c, c->report, "stein_p", stein->p);
        cli_put_count(c, c->report, "stein_rows", stein->rows);
    }
    cli_put_number(c, c->report, "seconds", seconds);
    report_numbers(c, m);
}

/* Numbers of the direction along which nothing changes. */
static void warn_of_weakness(cli *c, const sf_matching *m)
{
    char names[256] = "";
    size_t used = 0;
    for (int64_t k = 0; k < m->count && used < sizeof names - 64; k++)
        if (fabs(m->weakest[k]) > 0.1)
            used +=
                (size_t)snprintf(names + used, sizeof names - used, "%s%.40s",
                                 used > 0 ? ", " : "", m->names[k]);
    cli_warn(c,
             "warning: these parameters are not identifiable from the data: "
             "%s; fix "
             "one of them, or leave one out",
             names);
}

/* ---- the command --------------------------------------------------------------- */

/* Rows outside the domain are an error of the file. */
static sf_status check_rows(cli *c, const cli_data *d, const sf_model *density)
{
    const int64_t n = sf_model_unknowns(density);
    const size_t cells = (size_t)(d->x.rows * n);
    double *y = sfi_alloc(c->ctx, cells, sizeof *y);
    if (y == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        sf_model_to_unknowns(density, d->x, (sf_mat){y, d->x.rows, n, n});
    sfi_free(c->ctx, y, cells, sizeof *y);
    return cli_data_error(d, status);
}

static sf_status match(typed *t, const fit_options *o, const cli_data *d,
                       sf_model *density, const char *domain)
{
    cli *c = t->c;
    sf_matching m;
    sf_matching_options how = SF_MATCHING_OPTIONS_INIT;
    how.parameters = t->forms;
    how.weight = o->weight;
    how.starts = o->starts;
    how.slices = o->slices;
    how.seed = c->common.seed;
    const double begun = sfi_clock();
    cli_progress_begin(c);
    sf_status status = sf_match_scores(c->ctx, &m, density, d->x, &how);
    cli_progress_end(c);
    if (status == SF_E_NUMERIC)
        sfi_message_prefix(c->ctx, "%s: ", cli_shown_path(d->path));
    if (status == SF_E_SHAPE)
        status = SF_E_ARG;
    SFI_TRY(status);
    sf_stein stein = {0};
    sf_stein_options test = SF_STEIN_OPTIONS_INIT;
    test.seed = c->common.seed;
    if (d->x.rows >= 4)
        status = sf_stein_test(c->ctx, density, d->x, &test, &stein);
    report_fit(c, d, domain, &m, &stein, sfi_clock() - begun);
    if (status == SF_OK)
        status = fit_save(c, o, density, NULL);
    if (status == SF_OK && (c->common.json || !c->common.quiet))
        status = cli_report(c, stderr);
    if (status == SF_OK && stein.rows > 0 && stein.p < 0.05)
        cli_warn(c,
                 "warning: the data reject this density (kernel Stein test, "
                 "p = %.2g): another form of the density?",
                 stein.p);
    if (status == SF_OK && !m.identified)
        warn_of_weakness(c, &m);
    sf_matching_free(c->ctx, &m);
    return status;
}

static sf_status fit(typed *t, const fit_options *o, cli_data *d)
{
    cli *c = t->c;
    for (int k = 0; k < o->params.count; k++)
        SFI_TRY(read_one(t, o->params.text[k]));
    if (t->count == 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--param is missing: which names of --density are to "
                        "be estimated?");
    if (t->used >= sizeof t->forms)
        return SFI_FAIL(c->ctx, SF_E_ARG, "--param: the names are too long");
    SFI_TRY(cli_data_read(c, d, c->operands[0], &o->read));
    SFI_TRY(choose_columns(t, o, d));
    SFI_TRY(cli_data_take(c, d));
    const size_t dim = (size_t)d->dim, room = 1 << 16;
    const char **names = sfi_alloc(c->ctx, dim, sizeof *names);
    char *domain = sfi_alloc(c->ctx, room, 1);
    sf_model *density = NULL;
    sf_status status = names != NULL && domain != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK) {
        for (int64_t k = 0; k < d->dim; k++)
            names[k] = cli_data_name(d, k);
        find_domain(o, d, domain, room);
        sf_density_options how = SF_DENSITY_OPTIONS_INIT;
        how.names = names;
        how.domain = domain;
        how.parameter_count = t->count;
        how.parameters = t->parameters;
        status = sf_density_new(c->ctx, &density, o->density, d->dim, &how);
        status = status == SF_E_SHAPE ? SF_E_ARG : status;
    }
    if (status == SF_OK)
        status = check_rows(c, d, density);
    if (status == SF_OK)
        status = o->sparse != NULL
                     ? fit_sparse(c, o, d, density, domain, t->forms)
                     : match(t, o, d, density, domain);
    sf_model_free(density);
    sfi_free(c->ctx, domain, room, 1);
    sfi_free(c->ctx, names, dim, sizeof *names);
    return status;
}

sf_status fit_density(cli *c, const fit_options *o)
{
    cli_data data = {0};
    typed *t = sfi_alloc_zero(c->ctx, 1, sizeof *t);
    if (t == NULL)
        return SF_E_NOMEM;
    t->c = c;
    const sf_status status = fit(t, o, &data);
    free_typed(t);
    sfi_free(c->ctx, t, 1, sizeof *t);
    cli_data_free(&data);
    return status;
}
