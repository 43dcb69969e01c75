/* SPDX-License-Identifier: Apache-2.0 */
/* test_local_atoms.c - local normal distributions of columns that have atoms. */
#include "base/random.h"
#include "faults.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"

#include <string.h>

enum { N = 60, D = 2 };
static const char *const names[] = {"rain", "cloud"};

/* Rain is 0, a number above, or 3, where a scale ends. */
static void make_rows(double *x)
{
    for (int64_t i = 0; i < N; i++) {
        const sfi_where w = {5, (uint64_t)i, 0, SFI_STREAM_USER};
        const double u = sfi_uniform_at(w, 0);
        x[D * i + 1] = sfi_normal_at(w, 1) + 2.0 * u;
        x[D * i] = u < 0.4 ? 0.0 : u < 0.8 ? 5.0 * (u - 0.35) : 3.0;
    }
}

static sf_model *model_of(sf_context *ctx, const double *x, bool bare)
{
    sf_frame_column c[D] = {SF_FRAME_COLUMN_INIT, SF_FRAME_COLUMN_INIT};
    sf_frame *f = NULL;
    sf_model *m = NULL;
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    for (int j = 0; j < D; j++) {
        c[j].name = names[j];
        c[j].data = x + j;
        c[j].stride = D * (int64_t)sizeof *x;
        c[j].atom_count = bare ? 0 : -1;
    }
    CHECK_OK(ctx, sf_frame_new(ctx, &f, N, D, c));
    CHECK(sf_frame_atom_count(f, 0) == (bare ? 0 : 2));
    o.frame = f;
    o.neighbours = 6;
    o.ridge = 0.02;
    CHECK_OK(ctx,
             sf_fit_local(ctx, &m, (sf_cmat){x, N, D, D}, names, &o, NULL));
    sf_frame_free(f);
    return m;
}

/* The sum over atoms and the integral over numbers, by the midpoint rule on a grid that
 * is fine beside the ridge, are 1. */
TEST(densities_integrate_to_one)
{
    enum { FINE = 400 };
    static double x[N * D], points[FINE * D], logp[FINE];
    double total = 0.0;
    sf_context *ctx = new_context();
    make_rows(x);
    sf_model *m = model_of(ctx, x, false);
    const double low = -10.0, span = 24.0, step = span / FINE;
    for (int i = -2; i < FINE; i++) {
        const double rain = i == -2   ? 0.0
                            : i == -1 ? 3.0
                                      : low + step * (i + 0.5);
        for (int k = 0; k < FINE; k++) {
            points[k * D] = rain;
            points[k * D + 1] = low + step * (k + 0.5);
        }
        CHECK_OK(ctx, sf_model_eval(
                          m, (sf_cmat){points, FINE, D, D}, 0.0,
                          &(sf_model_values){.logpdf = {logp, FINE, 1, 1}}));
        for (int k = 0; k < FINE; k++)
            total += exp(logp[k]) * step * (i < 0 ? 1.0 : step);
    }
    CHECK_NEAR(total, 1.0, 2e-3);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(draws_are_atoms_exactly_or_between)
{
    enum { DRAWS = 6000 };
    static double x[N * D], drawn[DRAWS * D];
    sf_context *ctx = new_context();
    make_rows(x);
    sf_model *m = model_of(ctx, x, false);
    static const sf_sampler methods[] = {
        SF_SAMPLER_DIRECT, SF_SAMPLER_STRATIFIED, SF_SAMPLER_CHORDS};
    for (int k = 0; k < 3; k++) {
        sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
        double zeros = 0.0, ends = 0.0, want = 0.0;
        o.method = methods[k];
        CHECK_OK(ctx, sf_sample(m, (sf_mat){drawn, DRAWS, D, D}, &o));
        for (int64_t i = 0; i < DRAWS; i++) {
            CHECK(drawn[D * i] >= 0.0 && drawn[D * i] <= 3.0);
            /* A chord between numbers is no farther out than they are. */
            CHECK(k < 2 || drawn[D * i] == 0.0 || drawn[D * i] == 3.0 ||
                  (drawn[D * i] >= 0.25 && drawn[D * i] <= 2.25));
            zeros += drawn[D * i] == 0.0 ? 1.0 / DRAWS : 0.0;
            ends += drawn[D * i] == 3.0 ? 1.0 / DRAWS : 0.0;
        }
        for (int64_t i = 0; i < N; i++)
            want += x[D * i] == 0.0 ? 1.0 / N : 0.0;
        CHECK_NEAR(zeros, want, 0.06); /* near rows are not all rows */
        CHECK(ends > 0.1 && zeros + ends < 0.8);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A frame without atoms gives what no frame knows: the model as it was. */
TEST(without_atoms_nothing_changes)
{
    static double x[N * D], a[50 * D], b[50 * D];
    sf_context *ctx = new_context();
    sf_model *other = NULL;
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    make_rows(x);
    sf_model *m = model_of(ctx, x, true);
    o.neighbours = 6;
    o.ridge = 0.02;
    CHECK_OK(ctx,
             sf_fit_local(ctx, &other, (sf_cmat){x, N, D, D}, names, &o, NULL));
    CHECK_OK(ctx, sf_sample(m, (sf_mat){a, 50, D, D}, NULL));
    CHECK_OK(ctx, sf_sample(other, (sf_mat){b, 50, D, D}, NULL));
    for (int i = 0; i < 50; i++) /* rain is of the kind positive, for one */
        CHECK(a[D * i + 1] == b[D * i + 1]);
    sf_model_free(other);
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(densities_integrate_to_one),
      CASE(draws_are_atoms_exactly_or_between),
      CASE(without_atoms_nothing_changes))
