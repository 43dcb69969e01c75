/* SPDX-License-Identifier: Apache-2.0 */
/* test_multigrid.c - coarser actions, and the cycle as an approximate inverse. */
#include "faults.h"

#include "solve/coarser.h"
#include "solve/multigrid.h"

struct made {
    sf_grid *grid;
    sf_action *action;
    int64_t n;
};

static struct made make(sf_context *ctx, const char *grid, const char *density)
{
    static const char *const names[] = {"phi", "psi"};
    struct made m = {0};
    CHECK_OK(ctx, sf_grid_parse(ctx, &m.grid, grid));
    CHECK_OK(ctx, sf_action_new(ctx, &m.action, m.grid, density, SF_ENERGY,
                                strstr(density, "psi") != NULL ? 2 : 1, names));
    if (strstr(density, "rho") != NULL)
        CHECK_OK(ctx, sf_action_set(m.action, "rho",
                                    "where(abs(x - 0.5) < 0.25, 1000, 1)"));
    if (strstr(density, "sigma") != NULL)
        CHECK_OK(ctx, sf_action_set(m.action, "sigma",
                                    "where(abs(x - 0.5) < 0.25, "
                                    "where(abs(y - 0.4) < 0.2, 1e4, 1), 1)"));
    sf_action_info info;
    CHECK_OK(ctx, sf_action_describe(m.action, &info));
    m.n = m.action->unknowns * m.action->points;
    return m;
}

static void done(struct made *m)
{
    sf_action_free(m->action);
    sf_grid_free(m->grid);
}

static double *numbers(const struct made *m, double seed)
{
    double *x = malloc(sizeof *x * (size_t)m->n);
    CHECK(x != NULL);
    for (int64_t i = 0; i < m->n; i++)
        x[i] = m->action->pinned[i]
                   ? 0.0
                   : sin(seed + 1.7 * (double)i * (double)(i % 13));
    return x;
}

static double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* ---- coarser actions ------------------------------------------------------------------ */

static const char *const grids[] = {
    "x = 0:1:9 pin 0, natural; y = 0:2:12 periodic",
    "x = 0:1:10 natural; y = 0:2:7 periodic",
    "x = 0:1:11 cells pin 0, natural; y = 0:2:8 cells natural, pin 0",
    "x = [0, 0.1, 0.4, 0.5, 0.9, 1]; y = [2, 1.8, 1.5, 1.1, 0.5, 0]",
    "z = 0:1:6 natural; y = 0:2:6 natural; x = 0:2:7 natural",
    "r = 1:2:9 pin 0; theta = 0:6.283185307179586:16 periodic"};

/* Linear functions are interpolated exactly where no wall or period is in the way, and
 * u.Pv = P'u.v. */
TEST(interpolation_is_linear_and_has_its_transpose)
{
    sf_context *ctx = new_context();
    for (size_t g = 0; g < SFI_COUNT(grids); g++)
        for (int halved = 1; halved < 4; halved++) {
            struct made m = make(ctx, grids[g], "0.5*grad2(phi)");
            const sf_action *a = m.action;
            const bool halve[SF_MAX_AXES] = {halved & 1, halved >> 1 & 1,
                                             halved == 3 && a->rank > 2};
            sfi_coarser c;
            CHECK_OK(ctx, sfi_coarser_new(a, halve, &c));
            const sf_action *b = c.action;
            double *fine = calloc((size_t)a->points, sizeof *fine);
            double *coarse = calloc((size_t)b->points, sizeof *coarse);
            double *back = calloc((size_t)b->points, sizeof *back);
            CHECK(fine != NULL && coarse != NULL && back != NULL);
            for (int k = 0; k < a->rank; k++) {
                CHECK(halve[k] ? b->count[k] <= a->count[k] / 2 + 1
                               : b->count[k] == a->count[k]);
                const sf_axis *from = sf_grid_axis(c.grid, k);
                const sf_axis *to = sf_grid_axis(a->grid, k);
                for (int64_t i = 0; i < b->points; i++)
                    coarse[i] =
                        1.0 + from->coords[i / b->stride[k] % b->count[k]];
                sfi_coarser_interpolate(&c, coarse, fine);
                for (int64_t i = 0; i < a->points; i++) {
                    bool inner = true;
                    for (int j = 0; j < a->rank; j++) {
                        const int64_t at = i / a->stride[j] % a->count[j];
                        inner &= !halve[j] ||
                                 !(sfi_is_closed(a, j) || sfi_is_cells(a, j)) ||
                                 (at > 0 && at < a->count[j] - 2);
                    }
                    if (inner)
                        CHECK_NEAR(
                            fine[i],
                            1.0 + to->coords[i / a->stride[k] % a->count[k]],
                            1e-14);
                }
            }
            for (int64_t i = 0; i < b->points; i++)
                coarse[i] = sin(2.0 * (double)i);
            sfi_coarser_interpolate(&c, coarse, fine);
            double *u = numbers(&m, 0.3);
            sfi_coarser_gather(&c, u, back);
            CHECK_NEAR(dot(a->points, u, fine), dot(b->points, back, coarse),
                       1e-12);
            /* To a pinned wall beside the first cell it falls in a line. */
            for (int64_t i = 0; i < b->points; i++)
                coarse[i] = sf_grid_axis(c.grid, 1)->coords[i % b->count[1]];
            sfi_coarser_interpolate(&c, coarse, fine);
            if (halve[1] && sfi_is_cells(a, 1))
                CHECK_NEAR(fine[0], sf_grid_axis(a->grid, 1)->coords[0], 1e-14);
            for (int64_t i = 0; i < a->points; i++)
                fine[i] = 3.0;
            sfi_coarser_mean(&c, fine, coarse);
            for (int64_t i = 0; i < b->points; i++)
                CHECK_NEAR(coarse[i], 3.0, 1e-14);
            sfi_coarser_free(&c);
            free(u);
            free(fine);
            free(coarse);
            free(back);
            done(&m);
        }
    sf_context_free(ctx);
}

/* ---- the cycle ------------------------------------------------------------------------ */

/* The factor by which x += M(b - H x) lowers the residual, in the end. */
static double rate_of(sf_context *ctx, const struct made *m, sfi_multigrid *g,
                      const double *x, double sign)
{
    double *r = numbers(m, 1.0), *z = numbers(m, 0.0), *q = numbers(m, 0.0);
    double before = 1.0, rate = 1.0;
    if (m->action->is_singular) { /* without a mean */
        double sum = 0.0;
        for (int64_t i = 0; i < m->n; i++)
            sum += r[i] / (double)m->n;
        for (int64_t i = 0; i < m->n; i++)
            r[i] -= sum;
    }
    for (int step = 0; step < 12; step++) {
        CHECK_OK(ctx, sfi_multigrid_apply(g, r, z));
        CHECK_OK(ctx, sfi_action_product(m->action, x, z, q));
        for (int64_t i = 0; i < m->n; i++)
            r[i] -= sign * q[i];
        const double now = sqrt(dot(m->n, r, r));
        rate = now / before;
        before = now;
    }
    free(r);
    free(z);
    free(q);
    return rate;
}

static const struct {
    const char *grid, *density;
    double rate; /* at most */
} cycles[] = {
    {"x = 0:1:65 pin 0; y = 0:1:65 pin 0",
     "0.5*exp(3*sin(6*x)*sin(5*y))*grad2(phi)", 0.35},
    {"x = 0:1:129 pin 0; y = 0:1:129 pin 0",
     "0.5*exp(3*sin(6*x)*sin(5*y))*grad2(phi)", 0.35},
    {"x = 0:1:65 pin 0; y = 0:1:65 pin 0", "0.5*rho*grad2(phi)", 0.75},
    {"x = 0:1:65 pin 0; y = 0:1:65 pin 0",
     "-0.5*(1 + x)*(dx(phi)^2 + 0.001*dy(phi)^2)", 0.1},
    {"x = 0:1:50 robin 1, 2; y = 0:1:71 natural", "(1 + x*y)*grad2(phi)", 0.2},
    {"x = 0:1:50; y = 0:1:60 periodic", "(1 + 0.3*x)*grad2(phi)", 0.15},
    {"x = 0:1:50 cells pin 1; y = 0:1:37 cells natural",
     "(1 + x)*grad2(phi) + phi^2", 0.15},
    {"r = 1:5:41 pin 1; theta = 0:6.283185307179586:60 periodic", "grad2(phi)",
     0.15},
    {"x = 0:1:17 pin 0; y = 0:1:17 natural; z = 0:1:20 periodic",
     "(1 + x*y)*grad2(phi)", 0.2},
    {"x = 0:1:33 pin 0; y = 0:1:33 pin 0", "sqrt(1 + grad2(phi))", 0.5},
    {"x = 0:1:33 pin 0; y = 0:1:33 pin 0",
     "(1 + x)*grad2(phi) + grad2(psi) + 0.5*phi*psi", 0.12},
    {"x = 0:1:301 pin 0", "(1 + x)*grad2(phi)", 0.1},
};

TEST(a_cycle_is_a_symmetric_inverse_on_every_grid)
{
    sf_context *ctx = new_context();
    for (size_t c = 0; c < SFI_COUNT(cycles); c++) {
        struct made m = make(ctx, cycles[c].grid, cycles[c].density);
        const double sign = cycles[c].density[0] == '-' ? -1.0 : 1.0;
        double *x = numbers(&m, 0.1), *u = numbers(&m, 0.5);
        double *v = numbers(&m, 2.5), *mu = numbers(&m, 0.0);
        double *mv = numbers(&m, 0.0);
        for (int64_t i = 0; i < m.n; i++)
            x[i] *= 0.02;
        sfi_multigrid *g = NULL;
        CHECK_OK(ctx, sfi_multigrid_new(m.action, x, sign, &g));
        CHECK(sfi_multigrid_is_definite(g) && sfi_multigrid_levels(g) > 2);
        CHECK_OK(ctx, sfi_multigrid_apply(g, u, mu));
        CHECK_OK(ctx, sfi_multigrid_apply(g, v, mv));
        const double size = sqrt(dot(m.n, u, mu) * dot(m.n, v, mv));
        CHECK(dot(m.n, u, mu) > 0.0);
        if (!m.action->is_singular) /* there of right-hand sides without mean */
            CHECK_NEAR(dot(m.n, u, mv), dot(m.n, v, mu), 1e-11 * size);
        const double rate = rate_of(ctx, &m, g, x, sign);
        if (!(rate < cycles[c].rate))
            fprintf(stderr, "%s: %s: rate %g\n", cycles[c].grid,
                    cycles[c].density, rate);
        CHECK(rate < cycles[c].rate);
        sfi_multigrid_free(g);
        free(x);
        free(u);
        free(v);
        free(mu);
        free(mv);
        done(&m);
    }
    sf_context_free(ctx);
}

TEST(what_is_not_definite_is_said)
{
    sf_context *ctx = new_context();
    struct made m = make(ctx, "x = 0:1:33 pin 0; y = 0:1:33 pin 0",
                         "(1 + x)*grad2(phi) - 40*phi^2");
    double *x = numbers(&m, 0.0);
    sfi_multigrid *g = NULL;
    CHECK_OK(ctx, sfi_multigrid_new(m.action, x, 1.0, &g));
    CHECK(!sfi_multigrid_is_definite(g));
    sfi_multigrid_free(g);
    free(x);
    done(&m);
    /* It depends on the field. */
    m = make(ctx, "x = 0:1:33 pin 0; y = 0:1:33 pin 0",
             "0.001*grad2(phi) + phi^4 - phi^2");
    x = numbers(&m, 0.0);
    for (int64_t i = 0; i < m.n; i++)
        x[i] = 1.0;
    CHECK_OK(ctx, sfi_multigrid_new(m.action, x, 1.0, &g));
    CHECK(sfi_multigrid_is_definite(g));
    for (int64_t i = 0; i < m.n; i++)
        x[i] = 0.0;
    CHECK_OK(ctx, sfi_multigrid_at(g, x));
    CHECK(!sfi_multigrid_is_definite(g));
    sfi_multigrid_free(g);
    free(x);
    done(&m);
    sf_context_free(ctx);
}

/* ---- solving by it -------------------------------------------------------------------- */

static sf_action_solution solve(sf_context *ctx, const char *grid,
                                const char *density, double **values)
{
    struct made m = make(ctx, grid, density);
    sf_field phi;
    sf_action_solution s;
    CHECK_OK(ctx, sf_action_field(m.action, &phi, 0));
    CHECK_OK(ctx, sf_action_solve(m.action, &phi, NULL, &s));
    *values = malloc(sizeof **values * (size_t)m.n);
    CHECK(*values != NULL);
    sf_field_get(&phi, 0, *values);
    sf_field_free(ctx, &phi);
    done(&m);
    return s;
}

/* As many more points, no more steps: what conjugate gradients need after those that came
 * before multigrid. */
TEST(steps_do_not_grow_with_the_points)
{
    sf_context *ctx = new_context();
    for (int k = 0; k < 2; k++) {
        char grid[80];
        double *values;
        const int n = k == 0 ? 257 : 513;
        const int before = k == 0 ? 5000000 / (257 * 257) : 20;
        snprintf(grid, sizeof grid, "x = 0:1:%d pin 0; y = 0:1:%d pin 0", n, n);
        const sf_action_solution s =
            solve(ctx, grid, "0.5*exp(3*sin(6*x)*sin(5*y))*grad2(phi) - phi",
                  &values);
        CHECK(strcmp(s.engine, "conjugate gradients with multigrid") == 0);
        CHECK(s.residual <= 1e-8);
        CHECK(s.products > before && s.products <= before + 9);
        free(values);
    }
    sf_context_free(ctx);
}

/* Coefficients of 1 and 10 000: what the recursion takes for 5e-9 is more. */
TEST(what_rounding_left_is_solved_for_again)
{
    sf_context *ctx = new_context();
    double *values;
    const sf_action_solution s =
        solve(ctx, "x = 0:1:257 pin 0; y = 0:1:257 pin 0",
              "0.5*sigma*grad2(phi) - phi", &values);
    CHECK(s.residual <= 1e-8 && s.iterations == 2);
    free(values);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    double *values[3];
    const size_t n = 300 * 301;
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, (const int[]){1, 2, 7}[t]));
        const sf_action_solution s =
            solve(ctx, "x = 0:1:300 pin 1; y = 0:1:301 natural, pin 1",
                  "(1 + x*y)*grad2(phi) + phi^4", &values[t]);
        CHECK(strcmp(s.engine,
                     "Newton with conjugate gradients and multigrid") == 0);
        assert_memory_equal(values[t], values[0], n * sizeof **values);
        sf_context_free(ctx);
    }
    for (int t = 0; t < 3; t++)
        free(values[t]);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    struct made m = make(ctx, "x = 0:1:12 pin 0; y = 0:1:14 periodic",
                         "0.5*rho*grad2(phi)");
    double *x = numbers(&m, 0.0);
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK && k < 100000; k += 1 + k / 8) {
        sfi_multigrid *g = NULL;
        const int64_t before = faults.bytes;
        faults.left = k;
        status = sfi_multigrid_new(m.action, x, 1.0, &g);
        CHECK(status == SF_OK || (status == SF_E_NOMEM && g == NULL));
        faults.left = INT64_MAX;
        sfi_multigrid_free(g);
        (void)before; /* the action keeps programs that it has made */
    }
    CHECK_OK(ctx, status);
    free(x);
    done(&m);
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

TESTS(CASE(interpolation_is_linear_and_has_its_transpose),
      CASE(a_cycle_is_a_symmetric_inverse_on_every_grid),
      CASE(what_is_not_definite_is_said),
      CASE(steps_do_not_grow_with_the_points),
      CASE(what_rounding_left_is_solved_for_again),
      CASE(threads_do_not_change_a_bit), CASE(every_allocation_may_fail))
