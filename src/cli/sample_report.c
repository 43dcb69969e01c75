/* SPDX-License-Identifier: Apache-2.0 */
/* sample_report.c - what is typed about chains, and what is told of them. */
#include "cli/sample.h"

#include <math.h>

sf_chain_options sample_chain_options(const cli *c, const sample_options *o)
{
    sf_chain_options s = SF_CHAIN_OPTIONS_INIT;
    s.method = o->method == SAMPLE_HMC    ? SF_CHAIN_HMC
               : o->method == SAMPLE_MALA ? SF_CHAIN_MALA
                                          : SF_CHAIN_NUTS;
    s.metric = (sf_metric)o->metric;
    s.warmup = o->warmup;
    s.thin = o->thin;
    s.step = o->step;
    s.accept = o->accept;
    s.max_treedepth = o->max_treedepth;
    s.temperatures = o->temperatures;
    s.max_temperature = o->max_temperature;
    s.seed = c->common.seed;
    return s;
}

sf_status sample_check_chains(const cli *c, const sample_options *o)
{
    if (o->method > SAMPLE_MALA && !cli_given(c, "step"))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--step H is missing: the step of Langevin dynamics, "
                        "in squared units of the columns");
    static const char *const about_chains[] = {"accept", "metric",
                                               "max-treedepth", "temperatures"};
    for (size_t i = 0; i < SFI_COUNT(about_chains); i++)
        if (o->method > SAMPLE_MALA && cli_given(c, about_chains[i]))
            return SFI_FAIL(
                c->ctx, SF_E_ARG,
                "--%s applies only to the methods nuts, hmc and mala",
                about_chains[i]);
    if (cli_given(c, "max-treedepth") && o->method != SAMPLE_NUTS)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--max-treedepth applies only to --method nuts");
    if (cli_given(c, "max-temperature") && o->method <= SAMPLE_MALA &&
        o->temperatures == 1)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--max-temperature applies only to --temperatures R, "
                        "R > 1, and to the methods ula and lm");
    return SF_OK;
}

void sample_put_diagnosis(cli *c, json_t *list, const char *name,
                          const sf_diagnosis *s)
{
    json_t *row = cli_add_object(c, list);
    cli_put_text(c, row, "name", name);
    cli_put_number(c, row, "mean", s->mean);
    cli_put_number(c, row, "mcse", s->mcse_mean);
    cli_put_number(c, row, "sd", s->sd);
    cli_put_number(c, row, "q05", s->q05);
    cli_put_number(c, row, "median", s->median);
    cli_put_number(c, row, "q95", s->q95);
    cli_put_number(c, row, "ess_bulk", round(s->ess_bulk));
    cli_put_number(c, row, "ess_tail", round(s->ess_tail));
    cli_put_number(c, row, "rhat", s->rhat);
}

static void put_paths(cli *c, const sample_chains *s)
{
    json_t *list = cli_put_list(c, c->report, "chains");
    for (int64_t i = 0; i < s->chains; i++) {
        const sf_chain_report *r = &s->report[i];
        json_t *row = cli_add_object(c, list);
        cli_put_count(c, row, "chain", i);
        cli_put_number(c, row, "step", r->step);
        cli_put_number(c, row, "acceptance", r->accept);
        cli_put_count(c, row, "divergences", r->divergences);
        cli_put_count(c, row, "undefined", r->undefined);
        cli_put_count(c, row, "reached_max_treedepth",
                      r->reached_max_treedepth);
        cli_put_number(c, row, "ebfmi",
                       sf_ebfmi(s->energy + i * s->draws, s->draws));
        cli_put_count(c, row, "gradients", r->gradients);
        if (s->temperatures == 1)
            continue;
        cli_put_number(c, row, "swap_acceptance", r->swap_acceptance);
        cli_put_count(c, row, "round_trips", r->round_trips);
    }
}

/* What the warm-up made of the metric, and for how much. */
static void put_adaptation(cli *c, const sample_chains *s)
{
    json_t *list = cli_put_list(c, c->report, "adaptation");
    for (int64_t i = 0; i < s->chains; i++) {
        const sf_chain_report *r = &s->report[i];
        json_t *row = cli_add_object(c, list);
        char name[16];
        cli_choice(SAMPLE_METRICS, (int)r->metric, name, sizeof name);
        cli_put_count(c, row, "chain", i);
        cli_put_text(c, row, "metric", name);
        cli_put_count(c, row, "rank", r->rank);
        cli_put_number(c, row, "fisher_divergence_before",
                       r->divergence_before);
        cli_put_number(c, row, "fisher_divergence_after", r->divergence_after);
        cli_put_count(c, row, "gradients", r->gradients_warmup);
    }
}

void sample_put_chains(cli *c, const sample_chains *s)
{
    put_paths(c, s);
    put_adaptation(c, s);
}
