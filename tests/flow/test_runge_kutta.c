/* SPDX-License-Identifier: Apache-2.0 */
/* test_runge_kutta.c - many paths of one equation: that they are right, that none
 * knows of the others, and that the work has an end. */
#include "base/random.h"
#include "check.h"
#include "faults.h"
#include "flow/runge_kutta.h"

/* Pendulums, and the integral of the speed's square:
 *     a' = b,   b' = -sin a,   s' = b^2. */
enum { SIZE = 3, MANY = 2500 };

typedef struct swings {
    const double *start; /* [n, 2] */
    double *end;         /* [n, SIZE] */
    int64_t asked, calls, with_sums;
    double blow_up;  /* slopes are infinite from this time on, 0: never */
    double rough;    /* times of jumps apart, 0: none */
    bool wrong_time; /* a time outside the way was asked for */
} swings;

static void begin(void *user, int64_t path, double *state)
{
    const swings *s = user;
    state[0] = s->start[2 * path];
    state[1] = s->start[2 * path + 1];
    state[2] = 0.0;
}

static void end(void *user, int64_t path, const double *state)
{
    swings *s = user;
    memcpy(s->end + SIZE * path, state, SIZE * sizeof *state);
}

static sf_status slopes(void *user, int64_t n, const int64_t *path,
                        const double *time, const double *state, bool sums,
                        double *slope)
{
    swings *s = user;
    s->asked += n;
    s->calls++;
    s->with_sums += sums ? n : 0;
    for (int64_t i = 0; i < n; i++) {
        const double *y = state + SIZE * i;
        double *to = slope + SIZE * i;
        const bool blown = s->blow_up > 0.0 && time[i] >= s->blow_up;
        const double push =
            s->rough > 0.0 ? 1e3 * cos(floor(time[i] / s->rough)) : 0.0;
        s->wrong_time = s->wrong_time || time[i] < 0.0 || time[i] > 10.0;
        to[0] = blown && path[i] == 3 ? INFINITY : y[1];
        to[1] = -sin(y[0]) + push;
        to[2] = sums ? y[1] * y[1] : NAN;
    }
    return SF_OK;
}

static void fill(double *start, int64_t n)
{
    for (int64_t i = 0; i < 2 * n; i++)
        start[i] =
            1.5 *
            sfi_normal_at((sfi_where){5, (uint64_t)i, 0, SFI_STREAM_USER}, 0);
}

static sf_status follow(sf_context *ctx, swings *s, int64_t n, double tolerance,
                        bool aligned, bool back)
{
    const sfi_paths paths = {.count = n,
                             .size = SIZE,
                             .sums = 1,
                             .from = back ? 10.0 : 0.0,
                             .to = back ? 0.0 : 10.0,
                             .rtol = tolerance,
                             .atol = tolerance,
                             .aligned = aligned,
                             .stage = "swings",
                             .begin = begin,
                             .slopes = slopes,
                             .end = end,
                             .user = s};
    s->asked = s->calls = s->with_sums = 0;
    return sfi_follow_paths(ctx, &paths);
}

/* The energy b^2/2 - cos a does not change; neither does what is integrated once
 * more backwards.  A step's error is below the tolerance, there are some 100 steps,
 * and an error in a or b grows at most as time, by the shear of the pendulum's
 * period. */
TEST(pendulums_keep_their_energy_and_come_back)
{
    sf_context *ctx = new_context();
    enum { N = 200 };
    double start[2 * N], there[SIZE * N], again[2 * N], back[SIZE * N];
    fill(start, N);
    for (int aligned = 0; aligned < 2; aligned++) {
        swings s = {.start = start, .end = there};
        CHECK_OK(ctx, follow(ctx, &s, N, 1e-10, aligned == 1, false));
        for (int i = 0; i < N; i++) {
            const double *y = there + SIZE * i;
            CHECK_NEAR(0.5 * y[1] * y[1] - cos(y[0]),
                       0.5 * start[2 * i + 1] * start[2 * i + 1] -
                           cos(start[2 * i]),
                       1e-7);
            again[2 * i] = y[0];
            again[2 * i + 1] = y[1];
        }
        CHECK(!s.wrong_time);
        swings r = {.start = again, .end = back};
        CHECK_OK(ctx, follow(ctx, &r, N, 1e-10, aligned == 1, true));
        for (int i = 0; i < N; i++) {
            CHECK_NEAR(back[SIZE * i], start[2 * i], 1e-6);
            CHECK_NEAR(back[SIZE * i + 1], start[2 * i + 1], 1e-6);
            CHECK_NEAR(back[SIZE * i + 2], -there[SIZE * i + 2], 1e-6);
        }
        CHECK(!r.wrong_time);
    }
    sf_context_free(ctx);
}

/* The period of small swings is 2 pi: a is cos t, and the integral of its slope's
 * square t/2 - sin(2t)/4. */
TEST(small_swings_are_those_of_a_spring)
{
    sf_context *ctx = new_context();
    const double small = 1e-4, start[2] = {small, 0.0};
    double y[SIZE];
    swings s = {.start = start, .end = y};
    CHECK_OK(ctx, follow(ctx, &s, 1, 1e-12, false, false));
    CHECK_NEAR(y[0] / small, cos(10.0), 1e-6);
    CHECK_NEAR(y[1] / small, -sin(10.0), 1e-6);
    CHECK_NEAR(y[2] / (small * small), 5.0 - sin(20.0) / 4.0, 1e-3);
    sf_context_free(ctx);
}

/* Errors are proportional to the tolerance, and the number of steps to its -1/5th
 * power: between 1e-6 and 1e-11 steps grow by 10, and we allow a quarter. */
TEST(the_method_is_of_order_five)
{
    sf_context *ctx = new_context();
    enum { N = 50 };
    double start[2 * N], rough[SIZE * N], fine[SIZE * N], best[SIZE * N];
    double error[2] = {0.0, 0.0};
    fill(start, N);
    swings s = {.start = start, .end = best};
    CHECK_OK(ctx, follow(ctx, &s, N, 1e-13, false, false));
    s.end = rough;
    CHECK_OK(ctx, follow(ctx, &s, N, 1e-6, false, false));
    const double few = (double)s.asked;
    s.end = fine;
    CHECK_OK(ctx, follow(ctx, &s, N, 1e-11, false, false));
    CHECK_NEAR((double)s.asked / few, 10.0, 2.5);
    /* Six slopes a step, all but one of them with the sums, and the first. */
    CHECK_NEAR((double)s.with_sums / (double)s.asked, 5.0 / 6.0, 0.02);
    for (int i = 0; i < SIZE * N; i++) {
        error[0] += fabs(rough[i] - best[i]) / (SIZE * N);
        error[1] += fabs(fine[i] - best[i]) / (SIZE * N);
    }
    CHECK(error[0] < 1e-4);
    CHECK(error[1] < 1e-8);
    CHECK(error[0] > 1e3 * error[1]);
    sf_context_free(ctx);
}

/* Alone, among a few, among more than there are lanes; on 1, 2 and 7 threads. */
TEST(a_path_has_the_same_bits_alone_and_among_others)
{
    sf_context *ctx = new_context();
    double *start = malloc(2 * MANY * sizeof *start);
    double *all = malloc(SIZE * MANY * sizeof *all);
    double *more = malloc(SIZE * MANY * sizeof *more);
    fill(start, MANY);
    for (int aligned = 0; aligned < 2; aligned++) {
        swings s = {.start = start, .end = all};
        CHECK_OK(ctx, sf_context_set_threads(ctx, 1));
        CHECK_OK(ctx, follow(ctx, &s, MANY, 1e-6, aligned == 1, false));
        for (int threads = 2; threads <= 7; threads += 5) {
            s.end = more;
            CHECK_OK(ctx, sf_context_set_threads(ctx, threads));
            CHECK_OK(ctx, follow(ctx, &s, MANY, 1e-6, aligned == 1, false));
            CHECK(memcmp(all, more, SIZE * MANY * sizeof *all) == 0);
        }
        for (int i = 0; i < MANY; i += 613) {
            double alone[SIZE];
            swings one = {.start = start + 2 * i, .end = alone};
            CHECK_OK(ctx, follow(ctx, &one, 1, 1e-6, aligned == 1, false));
            CHECK(memcmp(alone, all + SIZE * i, sizeof alone) == 0);
        }
    }
    free(more);
    free(all);
    free(start);
    sf_context_free(ctx);
}

/* Row 4 meets what is infinite at 2.5; the others would have gone on. */
TEST(what_cannot_be_followed_is_named_with_its_time)
{
    sf_context *ctx = new_context();
    enum { N = 300 };
    double start[2 * N], y[SIZE * N];
    fill(start, N);
    for (int aligned = 0; aligned < 2; aligned++) {
        swings s = {.start = start, .end = y, .blow_up = 2.5};
        CHECK_FAILS(ctx, follow(ctx, &s, N, 1e-6, aligned == 1, false),
                    SF_E_CONVERGE, "row 4: ");
        CHECK(strstr(sf_context_message(ctx), "beyond time 2.5 ") != NULL);
        /* Some 60 attempts to come nearer, each of 6 slopes for all. */
        CHECK(s.asked < 200 * 6 * N);
    }
    sf_context_free(ctx);
}

/* Pushes that change direction 10^5 times a way would take a million steps. */
TEST(work_has_an_end)
{
    sf_context *ctx = new_context();
    enum { N = 20 };
    double start[2 * N], y[SIZE * N];
    fill(start, N);
    swings s = {.start = start, .end = y, .rough = 1e-4};
    CHECK_FAILS(ctx, follow(ctx, &s, N, 1e-5, false, false), SF_E_CONVERGE,
                "row ");
    CHECK(s.asked <= 6 * (500 * N + 2 * N));
    CHECK_FAILS(ctx, follow(ctx, &s, 1, 1e-5, false, false), SF_E_CONVERGE,
                "row 1: ");
    CHECK(s.asked <= 6 * 4002);
    sf_context_free(ctx);
}

TEST(no_way_and_no_paths_are_no_work)
{
    sf_context *ctx = new_context();
    const double start[2] = {0.5, 0.25};
    double y[SIZE] = {0.0};
    swings s = {.start = start, .end = y};
    const sfi_paths paths = {.count = 1,
                             .size = SIZE,
                             .from = 1.0,
                             .to = 1.0,
                             .rtol = 1e-5,
                             .atol = 1e-5,
                             .begin = begin,
                             .slopes = slopes,
                             .end = end,
                             .user = &s};
    CHECK_OK(ctx, sfi_follow_paths(ctx, &paths));
    CHECK(y[0] == 0.5 && y[1] == 0.25 && s.calls == 0);
    CHECK_OK(ctx, follow(ctx, &s, 0, 1e-5, false, false));
    CHECK(s.calls == 0);
    sf_context_free(ctx);
}

/* Stops where the callback says so, having told of rows' worth of progress. */
static bool stop_half_way(void *user, const sf_progress *p)
{
    *(double *)user = (double)p->step / (double)p->steps;
    return p->step * 2 < p->steps;
}

TEST(following_can_be_stopped)
{
    sf_context *ctx = new_context();
    double *start = malloc(2 * MANY * sizeof *start);
    double *y = malloc(SIZE * MANY * sizeof *y);
    double done = 0.0;
    fill(start, MANY);
    swings s = {.start = start, .end = y};
    sf_context_set_progress(ctx, stop_half_way, &done);
    const sf_status status = follow(ctx, &s, MANY, 1e-9, false, false);
    /* A machine that is done within 100 ms is asked at the end alone. */
    CHECK(status == SF_E_CANCELLED);
    CHECK(done >= 0.5 && done <= 1.0);
    free(y);
    free(start);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    double start[2 * 5], y[SIZE * 5];
    fill(start, 5);
    swings s = {.start = start, .end = y};
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = follow(ctx, &s, 5, 1e-6, true, false);
    CHECK(faults.tries > 10);
    sf_context_free(ctx);
}

TESTS(CASE(pendulums_keep_their_energy_and_come_back),
      CASE(small_swings_are_those_of_a_spring),
      CASE(the_method_is_of_order_five),
      CASE(a_path_has_the_same_bits_alone_and_among_others),
      CASE(what_cannot_be_followed_is_named_with_its_time),
      CASE(work_has_an_end), CASE(no_way_and_no_paths_are_no_work),
      CASE(following_can_be_stopped), CASE(every_allocation_may_fail))
