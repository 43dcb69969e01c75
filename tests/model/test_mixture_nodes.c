/* SPDX-License-Identifier: Apache-2.0 */
/* test_mixture_nodes.c - the velocity of a data set by nodes is the mean of those of
 * its data, each taken for itself. */
#include "base/random.h"
#include "check.h"
#include "faults.h"
#include "model/mixture.h"
#include "scorefield/program.h"

static const char *const names[] = {"c0", "c1"};

enum { DATA = 150, POINTS = 12, COLUMNS = 2 };

static void make_data(double *data)
{
    for (int i = 0; i < DATA; i++) {
        const sfi_where where = {4, (uint64_t)i, 0, SFI_STREAM_USER};
        data[COLUMNS * i] = 0.01 + 0.98 * sfi_uniform_at(where, 0);
        data[COLUMNS * i + 1] = -1.5 * log(sfi_uniform_at(where, 1));
    }
}

/* Velocity and divergence of the rows y, pair by pair; data move where t is above
 * their own least time. */
static void by_pairs(sf_context *ctx, const sfi_noise *noise,
                     const double *data, const double *least, double t,
                     const double *y, double *velocity, double *divergence)
{
    sf_graph *g = NULL;
    sf_program *program = NULL;
    const int64_t two = COLUMNS;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node at = sf_input(g, "y", 1, &two);
    const sf_node x0 = sf_input(g, "x0", 1, &two);
    const sf_node time = sf_input(g, "t", 0, NULL);
    const sfi_kernel_nodes n =
        sfi_noise_at(noise, g, at, x0, time, SFI_VELOCITY_EXACT);
    const sf_output outputs[] = {{n.logp, SF_EACH},
                                 {n.score, SF_EACH},
                                 {n.rate, SF_EACH},
                                 {n.velocity, SF_EACH}};
    CHECK_OK(ctx, sf_program_new(ctx, &program, g, SF_F64, 4, outputs));
    sf_graph_free(g);
    for (int q = 0; q < POINTS; q++) {
        double logp[DATA], score[2 * DATA], rate[DATA], u[2 * DATA];
        double times[DATA], top = -INFINITY, sum = 0.0, s[2] = {0, 0};
        for (int i = 0; i < DATA; i++)
            times[i] = fmax(t, least[i]);
        const sf_source sources[] = {
            {.kind = SF_ROWS, .data = y + 2 * q, .dtype = SF_F64},
            {.kind = SF_ROWS, .data = data, .dtype = SF_F64, .stride = 2},
            {.kind = SF_ROWS, .data = times, .dtype = SF_F64, .stride = 1}};
        const sf_sink sinks[] = {{logp, SF_F64, 1},
                                 {score, SF_F64, 2},
                                 {rate, SF_F64, 1},
                                 {u, SF_F64, 2}};
        CHECK_OK(ctx, sf_program_run(program, DATA, sources, NULL, sinks));
        for (int i = 0; i < DATA; i++)
            top = fmax(top, logp[i]);
        double *v = velocity + 2 * q;
        v[0] = v[1] = divergence[q] = 0.0;
        for (int i = 0; i < DATA; i++)
            sum += exp(logp[i] - top);
        for (int i = 0; i < DATA; i++) {
            const double r = exp(logp[i] - top) / sum;
            const double moving = t > least[i] ? 1.0 : 0.0;
            for (int j = 0; j < 2; j++) {
                v[j] += r * moving * u[2 * i + j];
                s[j] += r * score[2 * i + j];
            }
            divergence[q] -= r * moving * rate[i];
        }
        divergence[q] -= v[0] * s[0] + v[1] * s[1];
    }
    sf_program_free(program);
}

/* At the exact setting 1e-10 of a unit velocity over t, at the other 1e-6 (which is
 * what velocity_table.h has for other kernels); times from near the data to the
 * prior, with all data moving and with half of them at rest. */
TEST(velocities_by_nodes_are_those_of_the_pairs)
{
    static const double times[] = {0.031, 0.1, 0.3, 0.6, 1.0};
    sf_context *ctx = new_context();
    double data[COLUMNS * DATA], least[DATA];
    double y[2 * POINTS], want[2 * POINTS], want_div[POINTS];
    double got[2 * POINTS], div[POINTS], alone[2], alone_div;
    sfi_noise noise;
    make_data(data);
    CHECK_OK(ctx, sfi_noise_parse(ctx, &noise, "c0=beta; c1=gamma", COLUMNS,
                                  names, NULL));
    for (int own = 0; own < 2; own++) {
        for (int i = 0; i < DATA; i++)
            least[i] = own == 1 && i % 2 == 0 ? 0.2 : 0.03;
        for (int how = 0; how < 2; how++) {
            const sfi_mixture_options o = {
                .least = own == 1 ? least : NULL,
                .least_all = 0.03,
                .how = how == 0 ? SFI_VELOCITY_TRAINING : SFI_VELOCITY_EXACT,
                .spread = true};
            sfi_mixture *p = NULL;
            CHECK_OK(ctx, sfi_mixture_new(
                              ctx, &p, &noise,
                              (sf_cmat){data, DATA, COLUMNS, COLUMNS}, &o));
            for (size_t k = 0; k < SFI_COUNT(times); k++) {
                const double t = times[k];
                for (int q = 0; q < 2 * POINTS; q++) {
                    const double *x = data + 2 * (7 * (q / 2)) + q % 2;
                    y[q] =
                        sfi_chart_to_number(
                            q % 2 == 0 ? SFI_CHART_LOGIT : SFI_CHART_LOG, *x) +
                        t * ((q % 5) - 2.0);
                }
                by_pairs(ctx, &noise, data, least, t, y, want, want_div);
                CHECK_OK(ctx,
                         sfi_mixture_run(p, (sf_cmat){y, POINTS, 2, 2}, t,
                                         &(sfi_mixture_want){
                                             .velocity = {got, POINTS, 2, 2},
                                             .divergence = div}));
                const double allowed = how == 0 ? 1e-6 : 1e-10;
                for (int q = 0; q < 2 * POINTS; q++)
                    CHECK_NEAR(got[q], want[q],
                               allowed * (1.0 + fabs(want[q])) / t);
                for (int q = 0; q < POINTS; q++)
                    CHECK_NEAR(div[q], want_div[q],
                               10.0 * allowed * (1.0 + fabs(want_div[q])) /
                                   (t * t));
                /* The same bits without the others. */
                CHECK_OK(ctx, sfi_mixture_run(p, (sf_cmat){y + 10, 1, 2, 2}, t,
                                              &(sfi_mixture_want){
                                                  .velocity = {alone, 1, 2, 2},
                                                  .divergence = &alone_div}));
                CHECK(memcmp(alone, got + 10, sizeof alone) == 0);
                CHECK(alone_div == div[5]);
            }
            sfi_mixture_free(p);
        }
    }
    sfi_noise_free(ctx, &noise);
    sf_context_free(ctx);
}

/* What is wanted of few rows of many columns takes megabytes, not 26 of 1024. */
TEST(memory_is_bounded_where_there_are_many_columns)
{
    enum { ROWS = 5, WIDE = 250 };
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    double *data = malloc(ROWS * WIDE * sizeof *data);
    for (int i = 0; i < ROWS * WIDE; i++)
        data[i] = sin((double)i);
    sfi_noise noise;
    sfi_mixture *p = NULL;
    CHECK_OK(ctx, sfi_noise_parse(ctx, &noise, "student", WIDE, NULL, NULL));
    CHECK_OK(ctx,
             sfi_mixture_new(
                 ctx, &p, &noise, (sf_cmat){data, ROWS, WIDE, WIDE},
                 &(sfi_mixture_options){.least_all = 0.1, .spread = true}));
    CHECK(faults.bytes < 300 << 20);
    double logp;
    CHECK_OK(ctx, sfi_mixture_run(p, (sf_cmat){data, 1, WIDE, WIDE}, 0.5,
                                  &(sfi_mixture_want){.logp = &logp}));
    CHECK(isfinite(logp));
    sfi_mixture_free(p);
    sfi_noise_free(ctx, &noise);
    CHECK(faults.bytes == faults.own);
    free(data);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    double data[COLUMNS * DATA], got[2], div;
    const double y[2] = {0.1, 0.2};
    make_data(data);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sfi_noise noise = {0};
        sfi_mixture *p = NULL;
        status = sfi_noise_parse(ctx, &noise, "c0=beta; c1=gamma", COLUMNS,
                                 names, NULL);
        if (status == SF_OK)
            status = sfi_mixture_new(ctx, &p, &noise,
                                     (sf_cmat){data, DATA, COLUMNS, COLUMNS},
                                     &(sfi_mixture_options){.least_all = 0.03});
        if (status == SF_OK)
            status =
                sfi_mixture_run(p, (sf_cmat){y, 1, 2, 2}, 0.3,
                                &(sfi_mixture_want){.velocity = {got, 1, 2, 2},
                                                    .divergence = &div});
        sfi_mixture_free(p);
        sfi_noise_free(ctx, &noise);
    }
    sf_context_free(ctx);
}

TESTS(CASE(velocities_by_nodes_are_those_of_the_pairs),
      CASE(memory_is_bounded_where_there_are_many_columns),
      CASE(every_allocation_may_fail))
