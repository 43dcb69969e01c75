/* SPDX-License-Identifier: Apache-2.0 */
/* sample_field.c - scorefield sample PROBLEM: a field at a temperature.
 *
 * Draws are written as they come; what is kept of each are three numbers, its energy over T,
 * mean and mean square, and of modes the sums for their variances. */
#include "cli/sample.h"

#include "cli/problem_options.h"
#include "field/series.h"
#include "scorefield/thermal.h"

#include <math.h>
#include <string.h>

enum { NUMBERS = 3, SHELLS = 12 };

typedef struct field_run {
    cli *c;
    const sample_options *o;
    sf_problem *p;
    sf_thermal *thermal;
    sf_functional f;
    int64_t chains, draws; /* of each                                        */
    sfi_series *series;
    sf_field fields[SF_MOST_UNKNOWNS];
    double *numbers;         /* [chains, draws, NUMBERS] of the first field  */
    double *energy;          /* [chains, draws]                              */
    sf_chain_report *report; /* [chains]                                     */
    double *sum, *squares;   /* [unknowns] of y, over all draws              */
    double *volume;          /* [points] over their sum                      */
    double *values;          /* [points]                                     */
    int64_t points, gradients;
} field_run;

/* ---- a draw ----------------------------------------------------------------------------- */

static sf_status take(void *user, int64_t chain, int64_t i, const double *y,
                      double value)
{
    field_run *r = user;
    const int64_t at = chain * r->draws + i;
    double *to = r->numbers + at * NUMBERS;
    SFI_TRY(sf_thermal_field(r->thermal, y, r->fields));
    sf_field_get(&r->fields[0], 0, r->values);
    to[0] = value;
    to[1] = to[2] = 0.0;
    for (int64_t k = 0; k < r->points; k++) {
        to[1] += r->volume[k] * r->values[k];
        to[2] += r->volume[k] * r->values[k] * r->values[k];
    }
    for (int64_t j = 0; j < r->f.unknowns; j++) {
        r->sum[j] += y[j];
        r->squares[j] += y[j] * y[j];
    }
    return sfi_series_put(r->series, at, r->fields);
}

static sf_status run_langevin(field_run *r, double *now)
{
    const sample_options *o = r->o;
    const int64_t n = r->f.unknowns;
    sf_langevin_options s = SF_LANGEVIN_OPTIONS_INIT;
    s.method = o->method == SAMPLE_LM ? SF_LANGEVIN_LM : SF_LANGEVIN_ULA;
    s.step = o->step;
    s.seed = r->c->common.seed;
    sf_langevin *plan = NULL;
    SFI_TRY(sf_langevin_new(r->c->ctx, &plan, &r->f, r->chains, &s));
    const sf_mat walkers = {now, r->chains, n, n};
    sf_status status = sf_langevin_advance(plan, walkers, o->warmup);
    for (int64_t i = 0; i < r->draws && status == SF_OK; i++) {
        status = sf_langevin_advance(plan, walkers, o->thin);
        for (int64_t c = 0; c < r->chains && status == SF_OK; c++) {
            double value = 0.0;
            status = r->f.value(r->c->ctx, r->f.user, &value, now + c * n, 1);
            if (status == SF_OK)
                status = take(r, c, i, now + c * n, value);
        }
    }
    sf_langevin_free(plan);
    r->gradients = r->chains * (o->warmup + r->draws * o->thin);
    return status;
}

static sf_status run_chains(field_run *r, const double *start)
{
    sf_chain_options s = sample_chain_options(r->c, r->o);
    s.draws = r->draws;
    if (!cli_given(r->c, "metric"))
        s.metric = SF_METRIC_DIAGONAL;
    const sf_chain_draws to = {
        .energy = r->energy, .report = r->report, .draw = take, .user = r};
    SFI_TRY(sf_chains_run(r->c->ctx, &r->f, r->chains, start, &s, &to));
    for (int64_t i = 0; i < r->chains; i++)
        r->gradients += r->report[i].gradients + r->report[i].gradients_warmup;
    return SF_OK;
}

static sf_status draw(field_run *r)
{
    const size_t cells = (size_t)(r->chains * r->f.unknowns);
    double *start = sfi_alloc(r->c->ctx, cells, sizeof *start);
    if (start == NULL)
        return SF_E_NOMEM;
    sf_status status = sf_thermal_start(r->thermal, r->p->fields,
                                        r->c->common.seed, r->chains, start);
    cli_progress_begin(r->c);
    if (status == SF_OK)
        status = r->o->method > SAMPLE_MALA ? run_langevin(r, start)
                                            : run_chains(r, start);
    cli_progress_end(r->c);
    sfi_free(r->c->ctx, start, cells, sizeof *start);
    return status;
}

/* ---- report ----------------------------------------------------------------------------- */

/* Modes in shells of wave numbers, lambda = k^2 + m^2: the variance of each, in units of
 * what the quadratic part alone has. */
static sf_status put_spectrum(field_run *r)
{
    const int64_t n = r->f.unknowns;
    const double draws = (double)(r->chains * r->draws);
    double *lambda = sfi_alloc(r->c->ctx, (size_t)n, sizeof *lambda);
    double least = INFINITY, most = 0.0;
    struct {
        double lambda, ratio;
        int64_t count;
    } shells[SHELLS] = {{0.0, 0.0, 0}};
    if (lambda == NULL)
        return SF_E_NOMEM;
    sf_thermal_eigenvalues(r->thermal, lambda);
    for (int64_t j = 0; j < n; j++) {
        least = fmin(least, lambda[j]);
        most = fmax(most, lambda[j]);
    }
    const double width = log(most / least) * (1.0 + 1e-9) + 1e-300;
    for (int64_t j = 0; j < n; j++) {
        const int s = (int)(SHELLS * log(lambda[j] / least) / width);
        const double mean = r->sum[j] / draws;
        shells[s].lambda += lambda[j];
        shells[s].ratio +=
            (r->squares[j] - draws * mean * mean) / (draws - 1.0);
        shells[s].count++;
    }
    json_t *list = cli_put_list(r->c, r->c->report, "spectrum");
    for (int s = 0; s < SHELLS; s++) {
        if (shells[s].count == 0)
            continue;
        const double count = (double)shells[s].count;
        json_t *row = cli_add_object(r->c, list);
        cli_put_number(r->c, row, "eigenvalue", shells[s].lambda / count);
        cli_put_count(r->c, row, "modes", shells[s].count);
        cli_put_number(r->c, row, "variance_ratio", shells[s].ratio / count);
    }
    sfi_free(r->c->ctx, lambda, (size_t)n, sizeof *lambda);
    return SF_OK;
}

static void warn(field_run *r, const sf_diagnosis *s)
{
    static const char *const names[] = {"energy/T", "mean", "mean square"};
    int worst = 0;
    for (int k = 1; k < NUMBERS; k++)
        if (s[k].rhat > s[worst].rhat)
            worst = k;
    if (s[worst].rhat > 1.01)
        cli_warn(
            r->c,
            "warning: the chains do not agree: R-hat of the %s is %.3f, "
            "want at most 1.01; draw more (-n, --warmup), or the field has "
            "phases that chains do not leave (--temperatures)",
            names[worst], s[worst].rhat);
    int64_t divergences = 0, deepest = 0;
    for (int64_t i = 0; i < r->chains; i++) {
        divergences += r->report[i].divergences;
        deepest += r->report[i].reached_max_treedepth;
    }
    if (divergences > 0)
        cli_warn(r->c,
                 "warning: %lld iterations diverged: the step is too long "
                 "somewhere; try --accept 0.95",
                 (long long)divergences);
    if (deepest > 0)
        cli_warn(
            r->c,
            "warning: %lld paths reached the maximum treedepth before they "
            "turned; try --max-treedepth %lld",
            (long long)deepest, (long long)r->o->max_treedepth + 2);
}

static sf_status tell(field_run *r, double temperature, double seconds)
{
    cli *c = r->c;
    char method[16];
    sf_diagnosis s[NUMBERS];
    const sf_draws draws = {r->numbers, r->chains, r->draws,
                            NUMBERS,    NUMBERS,   NULL};
    SFI_TRY(sf_diagnose(c->ctx, &draws, s));
    cli_choice(SAMPLE_METHODS, r->o->method, method, sizeof method);
    cli_put_count(c, c->report, "draws", r->chains * r->draws);
    cli_put_number(c, c->report, "temperature", temperature);
    cli_put_text(c, c->report, "method", method);
    cli_put_text(c, c->report, "coordinates",
                 sf_thermal_has_modes(r->thermal)
                     ? "modes of the quadratic part"
                     : "values");
    cli_put_count(c, c->report, "warmup", r->o->warmup);
    cli_put_count(c, c->report, "gradients", r->gradients);
    cli_put_number(c, c->report, "seconds", seconds);
    json_t *list = cli_put_list(c, c->report, "numbers");
    sample_put_diagnosis(c, list, "energy/T", &s[0]);
    sample_put_diagnosis(c, list, "mean", &s[1]);
    sample_put_diagnosis(c, list, "mean square", &s[2]);
    if (sf_thermal_has_modes(r->thermal) && r->chains * r->draws > 1)
        SFI_TRY(put_spectrum(r));
    if (r->o->method <= SAMPLE_MALA) {
        const sample_chains run = {r->chains, r->draws, r->o->temperatures,
                                   r->report, r->energy};
        sample_put_chains(c, &run);
    }
    if (c->common.json || !c->common.quiet)
        SFI_TRY(cli_report(c, stderr));
    warn(r, s);
    return SF_OK;
}

/* ---- the command ------------------------------------------------------------------------ */

static sf_status open_series(field_run *r)
{
    sf_context *ctx = r->c->ctx;
    const int64_t all = r->chains * r->draws;
    double *numbers = sfi_alloc(ctx, (size_t)all, sizeof *numbers);
    char *history = cli_history(r->c);
    for (int64_t i = 0; i < all && numbers != NULL; i++)
        numbers[i] = (double)i;
    const sf_axis axis = {.name = "draw", .count = all, .coords = numbers};
    const sf_status status =
        numbers != NULL && history != NULL
            ? sfi_series_open(ctx, &r->series, r->o->output, &axis,
                              r->p->unknowns, r->fields, history)
            : SF_E_NOMEM;
    sfi_free(ctx, numbers, (size_t)all, sizeof *numbers);
    sfi_free_text(ctx, history);
    return status;
}

static sf_status make_volumes(field_run *r)
{
    double all = 0.0;
    for (int64_t i = 0; i < r->points; i++) {
        int64_t index[SF_MAX_AXES] = {0}, rest = i;
        for (int k = sf_grid_rank(r->p->grid) - 1; k >= 0; k--) {
            const int64_t n = sf_grid_axis(r->p->grid, k)->count;
            index[k] = rest % n;
            rest /= n;
        }
        r->volume[i] = sf_grid_volume(r->p->grid, index);
        all += r->volume[i];
    }
    for (int64_t i = 0; i < r->points; i++)
        r->volume[i] /= all;
    return SF_OK;
}

static sf_status work(field_run *r, double temperature)
{
    sf_context *ctx = r->c->ctx;
    const double begun = sfi_clock();
    const size_t all = (size_t)(r->chains * r->draws);
    const size_t n = (size_t)r->f.unknowns, points = (size_t)r->points;
    double *room = sfi_alloc_zero(ctx, (NUMBERS + 1) * all + 2 * n + 2 * points,
                                  sizeof *room);
    r->report = sfi_alloc_zero(ctx, (size_t)r->chains, sizeof *r->report);
    sf_status status = room != NULL && r->report != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK) {
        r->numbers = room;
        r->energy = r->numbers + NUMBERS * all;
        r->sum = r->energy + all;
        r->squares = r->sum + n;
        r->volume = r->squares + n;
        r->values = r->volume + points;
        status = make_volumes(r);
    }
    for (int u = 0; u < r->p->unknowns && status == SF_OK; u++)
        status = sf_action_field(r->p->action, &r->fields[u], u);
    if (status == SF_OK)
        status = open_series(r);
    if (status == SF_OK)
        status = draw(r);
    status = sfi_series_close(r->series, status);
    if (status == SF_OK)
        status = tell(r, temperature, sfi_clock() - begun);
    for (int u = 0; u < r->p->unknowns; u++)
        if (r->fields[u].grid != NULL)
            sf_field_free(ctx, &r->fields[u]);
    sfi_free(ctx, r->report, (size_t)r->chains, sizeof *r->report);
    sfi_free(ctx, room, (NUMBERS + 1) * all + 2 * n + 2 * points, sizeof *room);
    return status;
}

static sf_status sample_problem(cli *c, const void *values, sf_problem *p)
{
    const sample_options *o = values;
    const double temperature =
        cli_given(c, "temperature") ? o->temperature : p->temperature;
    if (!(temperature > 0.0))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "at which temperature? want --temperature T, or "
                        "temperature = T in [motion]");
    field_run r = {.c = c,
                   .o = o,
                   .p = p,
                   .chains = o->chains,
                   .draws = (o->rows + o->chains - 1) / o->chains,
                   .points = sf_grid_points(p->grid)};
    SFI_TRY(cli_put_problem(c, p));
    SFI_TRY(sf_thermal_new(c->ctx, &r.thermal, p->action, temperature));
    sf_status status = sf_thermal_functional(r.thermal, &r.f);
    if (status == SF_OK)
        status = work(&r, temperature);
    sf_thermal_free(r.thermal);
    return status;
}

sf_status sample_field(cli *c, const sample_options *o)
{
    static const char *const others[] = {
        "steps", "corrections", "churn", "given", "trace",  "density",
        "dim",   "columns",     "raw",   "first", "domain", "param"};
    sample_options how = *o;
    const cli_file out = cli_series_file(o->output);
    SFI_TRY(cli_check_files(c, &out, 1));
    for (size_t i = 0; i < SFI_COUNT(others); i++)
        if (cli_given(c, others[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s does not apply to a problem", others[i]);
    if (how.method == SAMPLE_AUTO)
        how.method = SAMPLE_NUTS;
    if (how.method < SAMPLE_NUTS)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "a problem is sampled by the methods nuts, hmc, mala, "
                        "ula and lm");
    SFI_TRY(sample_check_chains(c, &how));
    cli_catch_signals();
    const problem_options none = {0};
    return cli_with_problem(c, &none, &how, sample_problem);
}
