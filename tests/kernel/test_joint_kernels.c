/* SPDX-License-Identifier: Apache-2.0 */
/* test_joint_kernels.c - noise kernels of several columns against independent
 * numbers, and against what makes them kernels. */
#include "check.h"
#include "kernel/families.h"
#include "scorefield/program.h"

enum { WIDE = 5, MOST = 60000 };

/* The leading rows and columns of one factor. */
static const double lower[WIDE][WIDE] = {{0.8, 0, 0, 0, 0},
                                         {-0.5, 1.3, 0, 0, 0},
                                         {0.2, 0.4, 0.6, 0, 0},
                                         {1.1, -0.3, 0.1, 2.0, 0},
                                         {0.0, 0.7, -0.9, 0.3, 0.5}};

typedef struct joint_case {
    const char *text;
    int64_t columns;
    bool factor;
} joint_case;

static const joint_case all[] = {
    {"mvgaussian", 2, false},
    {"mvgaussian:path=vp,sigma=2", 2, true},
    {"mvgaussian:path=ve,sigma=0.7", 3, true},
    {"mvgaussian", 5, true},
    {"mvstudent", 2, false},
    {"mvstudent:path=vp,scale=0.5,nu=7", 2, true},
    {"mvstudent:path=ve,nu=2.5", 3, true},
    {"mvstudent:nu=40", 5, true},
    {"dirichlet", 2, false},
    {"dirichlet", 3, false},
    {"dirichlet:alpha=0.4", 2, false},
    {"dirichlet:alpha=0.4", 4, false},
    {"dirichlet:alpha=3", 3, false},
    {"dirichlet:alpha=20", 5, false},
};

/* A block and the memory of its factor. */
typedef struct holder {
    sfi_block block;
    double factor[WIDE * WIDE];
} holder;

static const sfi_block *block_of(sf_context *ctx, holder *h, joint_case c)
{
    const char *want = NULL;
    *h = (holder){.block = {.columns = c.columns}};
    CHECK_OK(ctx, sfi_kernel_parse(ctx, &h->block.kernel, c.text));
    CHECK(h->block.kernel.ops->joint != NULL);
    h->block.inner = h->block.kernel.ops->joint->inner(c.columns, &want);
    CHECK(h->block.inner > 0 && h->block.inner <= WIDE);
    CHECK(!c.factor || h->block.kernel.ops->joint->mixes);
    for (int64_t i = 0; i < c.columns; i++)
        for (int64_t j = 0; j < c.columns; j++)
            h->factor[i * c.columns + j] = lower[i][j];
    h->block.factor = c.factor ? h->factor : NULL;
    return &h->block;
}

static bool is(const sfi_block *b, const char *family)
{
    return strcmp(b->kernel.ops->family, family) == 0;
}

/* Three rows that a kernel may start from; the shares of the last sum to 1.02. */
static void some_x0(const sfi_block *b, int which, double *x0)
{
    static const double line[3][WIDE] = {{-1.3, 0.4, 2.2, 0.1, -0.6},
                                         {0.3, -0.2, 0.1, 1.5, 0.9},
                                         {1.7, 2.1, -0.8, -1.1, 0.2}};
    static const double parts[3][WIDE] = {
        {1, 2, 1, 3, 1}, {9, 1, 4, 2, 20}, {2, 3, 1, 1, 4}};
    double sum = 0.0;
    for (int64_t j = 0; j < b->columns; j++)
        sum += parts[which][j];
    for (int64_t j = 0; j < b->columns; j++)
        x0[j] = is(b, "dirichlet")
                    ? parts[which][j] / sum * (which == 2 ? 1.02 : 1.0)
                    : line[which][j];
}

/* ---- evaluation --------------------------------------------------------------- */

typedef struct values {
    double logp[MOST], rate[MOST], score[MOST], velocity[MOST], hessian[MOST];
} values;

/* Rows y [n, inner], x0 [n, columns], t [n]; without `out->score` and what
 * follows it if there is no room for them: `all_of_it` is false. */
static void evaluate_in(sf_context *ctx, sf_dtype dtype, const sfi_block *b,
                        int64_t n, const double *y, const double *x0,
                        const double *t, bool all_of_it, sfi_velocity how,
                        values *out)
{
    const sfi_joint_ops *ops = b->kernel.ops->joint;
    const int64_t d = b->inner;
    CHECK(n <= MOST && (!all_of_it || n * d * d <= MOST));
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node yn = sf_input(g, "y", 1, &d);
    const sf_node x0n = sf_input(g, "x0", 1, &b->columns);
    const sf_node tn = sf_input(g, "t", 0, NULL);
    const sf_node logp = ops->logp(b, g, yn, x0n, tn);
    const sf_output outputs[] = {
        {logp, SF_EACH},
        {sf_gradient(g, logp, tn), SF_EACH},
        {sf_gradient(g, logp, yn), SF_EACH},
        {ops->velocity(b, g, yn, x0n, tn, how), SF_EACH},
        {sf_hessian(g, logp, yn), SF_EACH}};
    sf_program *p = NULL;
    CHECK_OK(ctx,
             sf_program_new(ctx, &p, g, dtype, all_of_it ? 5 : 1, outputs));
    sf_graph_free(g);
    const sf_source sources[] = {
        {.kind = SF_ROWS, .data = y, .dtype = SF_F64, .stride = d},
        {.kind = SF_ROWS, .data = x0, .dtype = SF_F64, .stride = b->columns},
        {.kind = SF_ROWS, .data = t, .dtype = SF_F64, .stride = 1}};
    const sf_sink sinks[] = {{out->logp, SF_F64, 1},
                             {out->rate, SF_F64, 1},
                             {out->score, SF_F64, d},
                             {out->velocity, SF_F64, d},
                             {out->hessian, SF_F64, d * d}};
    CHECK_OK(ctx, sf_program_run(p, n, sources, NULL, sinks));
    sf_program_free(p);
}

static void evaluate(sf_context *ctx, const sfi_block *b, int64_t n,
                     const double *y, const double *x0, const double *t,
                     values *out)
{
    evaluate_in(ctx, SF_F64, b, n, y, x0, t, true, SFI_VELOCITY_EXACT, out);
}

/* Number i of the row that holds the nodes `what` [..., count] makes of `from`. */
typedef sf_node (*row_node)(const sfi_block *b, sf_graph *g, sf_node from);
static void run_row(sf_context *ctx, const sfi_block *b, row_node what,
                    int64_t size, const double *from, double *to)
{
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_output output = {what(b, g, sf_input(g, "v", 1, &size)), SF_EACH};
    const int64_t count = sf_node_count(g, output.node);
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 1, &output));
    sf_graph_free(g);
    const sf_source source = {
        .kind = SF_ROWS, .data = from, .dtype = SF_F64, .stride = size};
    const sf_sink sink = {to, SF_F64, count};
    CHECK_OK(ctx, sf_program_run(p, 1, &source, NULL, &sink));
    sf_program_free(p);
}

/* ---- known answers -------------------------------------------------------------- */

/* PFGM++ with D = 3 at r = 0.7: Student's law with nu = D and scale r/sqrt(D).
 * The velocity is by r. */
TEST(electric_flows_in_three_more_dimensions_are_the_known_ones)
{
    sf_context *ctx = new_context();
    holder h;
    static values v;
    const sfi_block *b =
        block_of(ctx, &h, (joint_case){"mvstudent:path=ve,nu=3", 2, false});
    const double r = 0.7, root = sqrt(3.0);
    const double x0[4] = {1.0, 0.5, -0.8, 0.2}, y[4] = {0.2, 0.4, 0.2, 0.4};
    const double t[2] = {r / root, r / root};
    evaluate(ctx, b, 2, y, x0, t, &v);
    const double p[2] = {0.5 * exp(v.logp[0]), 0.5 * exp(v.logp[1])};
    const double total = p[0] + p[1];
    CHECK_CLOSE(log(total), -2.438493556366117, 1e-12);
    double score[2] = {0}, u[2] = {0}, second[2][2] = {{0}};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            score[j] += p[i] / total * v.score[2 * i + j];
            u[j] += p[i] / total * v.velocity[2 * i + j] / root;
            for (int k = 0; k < 2; k++)
                second[j][k] += p[i] / total *
                                (v.hessian[4 * i + 2 * j + k] +
                                 v.score[2 * i + j] * v.score[2 * i + k]);
        }
    CHECK_CLOSE(score[0], 1.3133276270090648, 1e-10);
    CHECK_CLOSE(score[1], 0.0847621936930853, 1e-10);
    CHECK_CLOSE(u[0], -0.3097982698395672, 1e-10);
    CHECK_CLOSE(u[1], -0.004013997354213582, 1e-10);
    CHECK_CLOSE(second[0][0] - score[0] * score[0], 10.747348595229601, 1e-10);
    CHECK_CLOSE(second[0][1] - score[0] * score[1], 2.313958441235571, 1e-10);
    CHECK_CLOSE(second[1][0] - score[1] * score[0], 2.313958441235571, 1e-10);
    CHECK_CLOSE(second[1][1] - score[1] * score[1], -3.655140047235966, 1e-10);
    sf_context_free(ctx);
}

/* The normal law of x, with the inverse of [[a, b], [b, c]] = s^2 L L' written
 * down, and the velocity of its path: alpha' x0 + s'/s (x - alpha x0). */
TEST(a_factor_gives_the_normal_law_of_its_covariance)
{
    sf_context *ctx = new_context();
    holder h;
    static values v;
    const sfi_block *k =
        block_of(ctx, &h, (joint_case){"mvgaussian:path=vp,sigma=2", 2, true});
    const sfi_joint_ops *ops = k->kernel.ops->joint;
    const double x0[2] = {-1.3, 0.4}, x[2] = {0.3, -0.9}, t = 0.35;
    const double angle = 0.5 * 3.14159265358979324 * t, s = 2.0 * sin(angle);
    const double rate = 0.5 * 3.14159265358979324;
    const double a = s * s * 0.64, b = s * s * -0.4, c = s * s * (0.25 + 1.69),
                 det = a * c - b * b;
    const double e[2] = {x[0] - cos(angle) * x0[0], x[1] - cos(angle) * x0[1]};
    const double form =
        (c * e[0] * e[0] - 2.0 * b * e[0] * e[1] + a * e[1] * e[1]) / det;
    double y[2], u[2], back[2];
    ops->to_chart(k, x, y);
    evaluate(ctx, k, 1, y, x0, &t, &v);
    CHECK_CLOSE(v.logp[0] - ops->log_slope(k, y),
                -log(2.0 * 3.14159265358979324) - 0.5 * log(det) - 0.5 * form,
                1e-13);
    ops->from_chart(k, v.velocity, u);
    for (int j = 0; j < 2; j++)
        CHECK_CLOSE(u[j],
                    -rate * sin(angle) * x0[j] +
                        rate * cos(angle) / sin(angle) * e[j],
                    1e-13);
    /* The score of x is L'^-1 times that of y. */
    back[1] = v.score[1] / 1.3;
    back[0] = (v.score[0] + 0.5 * back[1]) / 0.8;
    CHECK_CLOSE(back[0], -(c * e[0] - b * e[1]) / det, 1e-13);
    CHECK_CLOSE(back[1], -(a * e[1] - b * e[0]) / det, 1e-13);
    sf_context_free(ctx);
}

/* Parts of the velocity at x: logits of the shares, and the s_j of dirichlet.c. */
enum { SHARES = 3 };
static void stein_at(sf_context *ctx, const double *y, const double *a,
                     double *s)
{
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const double e[SHARES] = {exp(y[0]), exp(y[1]), 1.0};
    sf_output outputs[SHARES];
    sf_sink sinks[SHARES];
    for (int j = 0; j < SHARES; j++) {
        const int k = (j + 1) % SHARES, l = (j + 2) % SHARES;
        const sf_node logit = sf_const(g, log(e[j] / (e[k] + e[l])));
        outputs[j] = (sf_output){sfi_beta_stein(g, logit, sf_const(g, a[j]),
                                                sf_const(g, a[k] + a[l]),
                                                SFI_VELOCITY_EXACT),
                                 SF_EACH};
        sinks[j] = (sf_sink){&s[j], SF_F64, 1};
    }
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, SHARES, outputs));
    sf_graph_free(g);
    CHECK_OK(ctx, sf_program_run(p, 1, NULL, NULL, sinks));
    sf_program_free(p);
}

static void velocity_at(sf_context *ctx, const double *y, const double *a,
                        const double *slope, double *u)
{
    double s[SHARES];
    stein_at(ctx, y, a, s);
    for (int i = 0; i < 2; i++)
        u[i] = slope[i] * s[i] - slope[2] * s[2];
}

/* x = (.2, .3, .5) under a = (2.5, 1.2, 4) that moves at (-1, .3, -2.2).  The law
 * is that of some x0, alpha and t = 0.3; its slope is not, so the velocity is put
 * together from its parts, and obeys the continuity equation with d ln p/dt. */
TEST(shares_of_three_columns_are_the_known_ones)
{
    static const double x[3] = {0.2, 0.3, 0.5}, a[3] = {2.5, 1.2, 4.0};
    static const double slope[3] = {-1.0, 0.3, -2.2};
    static const double g[3] = {0.08953441949396786, 0.14949896017835715,
                                0.06934760166771849};
    static const double u[3] = {-0.04132272661309192, 0.16996392956513348,
                                -0.12864120295204157};
    sf_context *ctx = new_context();
    holder h;
    static values v;
    const double t = 0.3;
    const sfi_block *b = block_of(ctx, &h, (joint_case){"dirichlet", 3, false});
    const sfi_joint_ops *ops = b->kernel.ops->joint;
    h.block.kernel.numbers[0] = 7.7 / 3.0 * t * t;
    double y[2], x0[3], s[3], w[2];
    for (int j = 0; j < 3; j++)
        x0[j] = (a[j] / 7.7 - t / 3.0) / (1.0 - t);
    ops->to_chart(b, x, y);
    evaluate(ctx, b, 1, y, x0, &t, &v);
    CHECK_CLOSE(v.logp[0] - ops->log_slope(b, y), 1.2010801353751723, 1e-12);
    CHECK_CLOSE(v.score[0], 0.96, 1e-12);
    CHECK_CLOSE(v.score[1], -1.11, 1e-12);

    stein_at(ctx, y, a, s);
    for (int j = 0; j < 3; j++)
        CHECK_CLOSE(s[j] * x[j] * (1.0 - x[j]), g[j], 1e-10);
    velocity_at(ctx, y, a, slope, w);
    const double mean = x[0] * w[0] + x[1] * w[1];
    for (int j = 0; j < 3; j++)
        CHECK_CLOSE(x[j] * ((j < 2 ? w[j] : 0.0) - mean), u[j], 1e-10);
    double divergence = 0.0;
    for (int j = 0; j < 2; j++)
        for (int side = -1; side <= 1; side += 2) {
            double at[2] = {y[0], y[1]}, moved[2];
            at[j] += side * 1e-4;
            velocity_at(ctx, at, a, slope, moved);
            divergence += side * moved[j] / 2e-4;
        }
    CHECK_NEAR(divergence + 0.96 * w[0] - 1.11 * w[1], -0.5993392732930647,
               1e-8);
    sf_context_free(ctx);
}

/* A share of two is a beta number of mean 1/2 and twice the concentration. */
TEST(shares_of_two_columns_are_beta_numbers)
{
    sf_context *ctx = new_context();
    holder h;
    static values v;
    const sfi_block *b =
        block_of(ctx, &h, (joint_case){"dirichlet:alpha=0.7", 2, false});
    sfi_kernel beta;
    CHECK_OK(ctx, sfi_kernel_parse(ctx, &beta, "beta:concentration=1.4"));
    for (int c = 0; c < 6; c++) {
        static const double times[] = {0.1, 0.6, 1.0};
        const double y = 0.3 * (c - 2.0), t = times[c % 3];
        const double x0[2] = {0.1 + 0.15 * c, 0.9 - 0.15 * c};
        evaluate(ctx, b, 1, &y, x0, &t, &v);
        sf_graph *g = NULL;
        CHECK_OK(ctx, sf_graph_new(ctx, &g));
        const sf_node tn = sf_param(g, "t", 0, NULL);
        const sf_node yn = sf_param(g, "y", 0, NULL);
        const sfi_kernel_nodes n = sfi_kernel_at_chart(
            &beta, g, yn, sf_const(g, x0[0]), tn, SFI_VELOCITY_EXACT);
        const sf_output outputs[] = {{n.logp, SF_EACH},
                                     {n.score, SF_EACH},
                                     {n.hessian, SF_EACH},
                                     {n.rate, SF_EACH},
                                     {n.velocity, SF_EACH}};
        double want[5];
        const sf_sink sinks[] = {{&want[0], SF_F64, 1},
                                 {&want[1], SF_F64, 1},
                                 {&want[2], SF_F64, 1},
                                 {&want[3], SF_F64, 1},
                                 {&want[4], SF_F64, 1}};
        const void *params[] = {&t, &y};
        sf_program *p = NULL;
        CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 5, outputs));
        sf_graph_free(g);
        CHECK_OK(ctx, sf_program_run(p, 1, NULL, params, sinks));
        sf_program_free(p);
        const double size = 1e-12 / (t * t);
        CHECK_NEAR(v.logp[0], want[0], size);
        CHECK_NEAR(v.score[0], want[1], size);
        CHECK_NEAR(v.hessian[0], want[2], size);
        CHECK_NEAR(v.rate[0], want[3], size / t);
        CHECK_NEAR(v.velocity[0], want[4], 1e-11 / t);
    }
    sf_context_free(ctx);
}

/* exp(-700) is still a double, its square is not, and as a float neither is.
 * There ln x_j is y_j, 0 for the last, less the largest of them and the logarithm
 * of how many of these there are. */
TEST(shares_next_to_nothing_have_densities_and_velocities)
{
    static const double y[][2] = {{700, -700}, {-700, -700}, {700, 700},
                                  {700, 0},    {-700, 0},    {0, 0}};
    enum { ROWS = SFI_COUNT(y) };
    sf_context *ctx = new_context();
    holder h;
    static values v, single;
    const sfi_block *b =
        block_of(ctx, &h, (joint_case){"dirichlet:alpha=0.5", 3, false});
    double x0[ROWS * 3], t[ROWS];
    for (int i = 0; i < ROWS; i++) {
        some_x0(b, 0, x0 + 3 * i);
        t[i] = 0.5;
    }
    evaluate(ctx, b, ROWS, y[0], x0, t, &v);
    evaluate_in(ctx, SF_F32, b, ROWS, y[0], x0, t, true, SFI_VELOCITY_TRAINING,
                &single);
    double a[3];
    for (int j = 0; j < 3; j++)
        a[j] = 6.0 * (0.5 * x0[j] + 0.5 / 3.0);
    const double constant =
        lgamma(6.0) - lgamma(a[0]) - lgamma(a[1]) - lgamma(a[2]);
    for (int i = 0; i < ROWS; i++) {
        const double z[3] = {y[i][0], y[i][1], 0.0};
        const double top = fmax(z[0], fmax(z[1], 0.0));
        double count = 0.0, want = constant;
        for (int j = 0; j < 3; j++)
            count += z[j] == top;
        for (int j = 0; j < 3; j++)
            want += a[j] * (z[j] - top - log(count));
        CHECK_CLOSE(v.logp[i], want, 1e-13);
        CHECK_CLOSE(single.logp[i], want, 1e-5);
        for (int j = 0; j < 2; j++) {
            const double share = z[j] == top ? 1.0 / count : 0.0;
            CHECK_NEAR(v.score[2 * i + j], a[j] - 6.0 * share, 1e-13);
            CHECK_NEAR(single.velocity[2 * i + j], v.velocity[2 * i + j],
                       1e-3 * (1.0 + fabs(v.velocity[2 * i + j])));
        }
    }
    sf_context_free(ctx);
}

/* ---- what makes it a kernel ------------------------------------------------------ */

static const double times[] = {0.003, 0.2, 0.6, 1.0};
enum { TIMES = SFI_COUNT(times), POINTS = 6, BASE = TIMES * POINTS };

/* Points of every time: half of them drawn, the others twice as far out. */
static void some_points(const sfi_block *b, double *y, double *x0, double *t)
{
    const sfi_joint_ops *ops = b->kernel.ops->joint;
    const int64_t d = b->inner;
    for (int i = 0; i < BASE; i++) {
        double *row = x0 + i * b->columns, *at = y + i * d, centre[WIDE];
        t[i] = times[i % TIMES];
        some_x0(b, i / TIMES % 3, row);
        ops->draw(b, row, t[i],
                  (sfi_where){11, (uint64_t)i, 0, SFI_STREAM_USER}, at);
        ops->to_chart(b, row, centre);
        for (int64_t j = 0; j < d && i >= BASE / 2; j++)
            at[j] += at[j] - centre[j];
    }
}

/* Slope by step h from values at -2h, -h, h, 2h: the error is h^4/30 of the fifth
 * derivative. */
static const double offsets[4] = {-2.0, -1.0, 1.0, 2.0};
static double slope_of(const double f[4], double h)
{
    return (8.0 * (f[2] - f[1]) - (f[3] - f[0])) / (12.0 * h);
}

TEST(derivatives_and_velocities_obey_the_continuity_equation)
{
    enum { ROWS = BASE * (4 * (WIDE + 1) + 1) };
    sf_context *ctx = new_context();
    static values v;
    static double y[ROWS * WIDE], x0[ROWS * WIDE], t[ROWS];
    for (size_t which = 0; which < SFI_COUNT(all); which++) {
        holder h;
        const sfi_block *b = block_of(ctx, &h, all[which]);
        const int64_t d = b->inner, columns = b->columns;
        some_points(b, y, x0, t);
        /* Part 4 j + k moves number j of y, or t for j = d, by offset k. */
        const double h_of_t = 1e-3;
        for (int64_t part = 0; part < 4 * (d + 1); part++)
            for (int i = 0; i < BASE; i++) {
                const int64_t to = BASE * (1 + part) + i;
                const double by = offsets[part % 4] * h_of_t * t[i];
                t[to] = t[i] + (part / 4 == d ? by : 0.0);
                memcpy(y + to * d, y + i * d, (size_t)d * sizeof *y);
                memcpy(x0 + to * columns, x0 + i * columns,
                       (size_t)columns * sizeof *x0);
                if (part / 4 < d)
                    y[to * d + part / 4] += by;
            }
        evaluate(ctx, b, BASE * (1 + 4 * (d + 1)), y, x0, t, &v);
        for (int i = 0; i < BASE; i++) {
            const double step = h_of_t * t[i];
            double total = v.rate[i], worst = 0.0, f[4];
            /* Sizes of derivatives.  Gamma functions of c = K alpha/t^2 are
             * rounded to 1e-16 c ln c, and velocities to as much of 1/t. */
            const double size = (fabs(v.logp[i]) + 1.0 / t[i] + 20.0) / t[i];
            const double c =
                is(b, "dirichlet")
                    ? (double)columns * b->kernel.numbers[0] / (t[i] * t[i])
                    : 0.0;
            const double rounding = 4e-15 * c / step;
            for (int64_t j = 0; j < d; j++) {
                const double u = v.velocity[i * d + j], s = v.score[i * d + j];
                int64_t rows[4];
                for (int k = 0; k < 4; k++) {
                    rows[k] = BASE * (1 + 4 * j + k) + i;
                    f[k] = v.logp[rows[k]];
                }
                CHECK_NEAR(s, slope_of(f, step), 1e-8 * size + rounding);
                for (int64_t m = 0; m < d; m++) {
                    for (int k = 0; k < 4; k++)
                        f[k] = v.score[rows[k] * d + m];
                    CHECK_NEAR(v.hessian[(i * d + j) * d + m],
                               slope_of(f, step),
                               1e-8 * size / t[i] + rounding);
                }
                for (int k = 0; k < 4; k++)
                    f[k] = v.velocity[rows[k] * d + j];
                const double stretch = slope_of(f, step);
                total += stretch + u * s;
                worst += fabs(stretch) + fabs(u * s);
            }
            for (int k = 0; k < 4; k++)
                f[k] = v.logp[BASE * (1 + 4 * d + k) + i];
            CHECK_NEAR(v.rate[i], slope_of(f, step), 1e-8 * size + rounding);
            CHECK_NEAR(total, 0.0,
                       1e-8 * (worst + fabs(v.rate[i]) + 1.0) +
                           rounding / t[i]);
        }
    }
    sf_context_free(ctx);
}

/* With y = centre + spread t sinh(z) even Student's tails end within |z| < 14, and
 * the trapezoid rule in z converges as fast as for anything analytic. */
TEST(densities_have_mass_one)
{
    enum { SIDE = 225 };
    sf_context *ctx = new_context();
    static values v;
    static double y[2 * MOST], x0[3 * MOST], ts[MOST], weight[MOST];
    for (size_t c = 0; c < SFI_COUNT(all); c++) {
        holder h;
        const sfi_block *b = block_of(ctx, &h, all[c]);
        const sfi_joint_ops *ops = b->kernel.ops->joint;
        const int64_t d = b->inner;
        if (d > 2)
            continue;
        double spread[2], middle[WIDE];
        ops->spread(b, spread);
        ops->middle(b, middle);
        for (int i = 0; i < TIMES; i++) {
            const double t = times[i], step = 28.0 / (SIDE - 1);
            double start[WIDE], centre[2], end[2];
            some_x0(b, i % 3, start);
            ops->to_chart(b, start, centre);
            ops->to_chart(b, middle, end);
            const int64_t n = d == 1 ? SIDE : SIDE * SIDE;
            for (int64_t k = 0; k < n; k++) {
                weight[k] = 1.0;
                for (int64_t j = 0; j < d; j++) {
                    const double z =
                        step *
                        (double)((j == 0 ? k % SIDE : k / SIDE) - SIDE / 2);
                    y[k * d + j] = centre[j] + t * (end[j] - centre[j]) +
                                   t * spread[j] * sinh(z);
                    weight[k] *= t * spread[j] * cosh(z) * step;
                }
                memcpy(x0 + k * b->columns, start,
                       (size_t)b->columns * sizeof *x0);
                ts[k] = t;
            }
            evaluate_in(ctx, SF_F64, b, n, y, x0, ts, false, SFI_VELOCITY_EXACT,
                        &v);
            double mass = 0.0;
            for (int64_t k = 0; k < n; k++)
                mass += weight[k] * exp(v.logp[k]);
            CHECK_NEAR(mass, 1.0, 1e-7);
        }
    }
    sf_context_free(ctx);
}

TEST(the_prior_knows_no_clean_row)
{
    sf_context *ctx = new_context();
    static values v;
    for (size_t c = 0; c < SFI_COUNT(all); c++) {
        holder h;
        const sfi_block *b = block_of(ctx, &h, all[c]);
        const double t[3] = {1.0, 1.0, 1.0};
        double y[3 * WIDE], x0[3 * WIDE];
        for (int i = 0; i < 3; i++) {
            some_x0(b, i, x0 + i * b->columns);
            for (int64_t j = 0; j < b->inner; j++)
                y[i * b->inner + j] = 0.3 - 0.2 * (double)j;
        }
        evaluate(ctx, b, 3, y, x0, t, &v);
        const bool remembers = strstr(all[c].text, "path=ve") != NULL;
        for (int i = 1; i < 3; i++) {
            if (remembers)
                CHECK(fabs(v.logp[i] - v.logp[0]) > 0.01);
            else
                CHECK_NEAR(v.logp[i], v.logp[0], 1e-12);
        }
        for (int64_t i = 0; i < 3 * b->inner; i++)
            CHECK(isfinite(v.velocity[i]) && isfinite(v.score[i]));
    }
    sf_context_free(ctx);
}

/* Densities p(x) of the prior in the middle, with any number of columns:
 * (2 pi)^(-d/2), Cauchy's with Gamma((1+d)/2)/pi^((1+d)/2), and (K-1)! everywhere
 * on the simplex. */
TEST(priors_have_the_known_density_in_the_middle)
{
    const double pi = 3.14159265358979324;
    const struct {
        joint_case what;
        double density;
    } known[] = {
        {{"mvgaussian", 3, false}, pow(2.0 * pi, -1.5)},
        {{"mvgaussian:path=vp", 5, false}, pow(2.0 * pi, -2.5)},
        {{"mvstudent:nu=1", 2, false}, 0.5 / pi},
        {{"mvstudent:nu=1", 3, false}, 1.0 / (pi * pi)},
        {{"mvstudent:nu=1", 5, false}, 2.0 / (pi * pi * pi)},
        {{"dirichlet", 2, false}, 1.0},
        {{"dirichlet", 3, false}, 2.0},
        {{"dirichlet", 4, false}, 6.0},
        {{"dirichlet", 5, false}, 24.0},
    };
    sf_context *ctx = new_context();
    holder h;
    static values v;
    for (size_t i = 0; i < SFI_COUNT(known); i++) {
        const sfi_block *b = block_of(ctx, &h, known[i].what);
        const sfi_joint_ops *ops = b->kernel.ops->joint;
        const double t = 1.0;
        double x[WIDE], x0[WIDE], y[WIDE];
        some_x0(b, 0, x0);
        ops->middle(b, x);
        ops->to_chart(b, x, y);
        evaluate(ctx, b, 1, y, x0, &t, &v);
        CHECK_CLOSE(exp(v.logp[0] - ops->log_slope(b, y)), known[i].density,
                    1e-13);
    }
    sf_context_free(ctx);
}

/* A row of shares that do not sum to 1 is the row that does. */
TEST(clean_shares_are_divided_by_their_sum)
{
    sf_context *ctx = new_context();
    holder h;
    static values v;
    const sfi_block *b = block_of(ctx, &h, (joint_case){"dirichlet", 3, false});
    const sfi_joint_ops *ops = b->kernel.ops->joint;
    const double y[4] = {0.4, -0.3, 0.4, -0.3}, t[2] = {0.3, 0.3};
    const double x0[6] = {0.2, 0.3, 0.5, 0.208, 0.312, 0.52};
    evaluate(ctx, b, 2, y, x0, t, &v);
    CHECK_CLOSE(v.logp[1], v.logp[0], 1e-13);
    CHECK_CLOSE(v.rate[1], v.rate[0], 1e-12);
    double at[2], same[2];
    const sfi_where where = {5, 1, 0, SFI_STREAM_USER};
    ops->draw(b, x0, 0.3, where, at);
    ops->draw(b, x0 + 3, 0.3, where, same);
    for (int j = 0; j < 2; j++) {
        CHECK_CLOSE(v.velocity[2 + j], v.velocity[j], 1e-11);
        CHECK_CLOSE(same[j], at[j], 1e-12);
    }
    sf_context_free(ctx);
}

/* What training computes: single precision, few nodes; against 1/t. */
TEST(single_precision_will_do_for_training)
{
    sf_context *ctx = new_context();
    static values exact, single;
    double y[BASE * WIDE], x0[BASE * WIDE], t[BASE];
    for (size_t c = 0; c < SFI_COUNT(all); c++) {
        holder h;
        const sfi_block *b = block_of(ctx, &h, all[c]);
        some_points(b, y, x0, t);
        evaluate(ctx, b, BASE, y, x0, t, &exact);
        evaluate_in(ctx, SF_F32, b, BASE, y, x0, t, true, SFI_VELOCITY_TRAINING,
                    &single);
        for (int i = 0; i < BASE; i++)
            for (int64_t j = i * b->inner; j < (i + 1) * b->inner; j++)
                if (t[i] >= 0.02)
                    CHECK_NEAR(t[i] * single.velocity[j],
                               t[i] * exact.velocity[j],
                               5e-4 * (1.0 + fabs(t[i] * exact.velocity[j])));
    }
    sf_context_free(ctx);
}

/* ---- charts ----------------------------------------------------------------------- */

/* ln |det| by elimination. */
static double log_det(double *a, int64_t n)
{
    double sum = 0.0;
    for (int64_t k = 0; k < n; k++) {
        int64_t top = k;
        for (int64_t i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[top * n + k]))
                top = i;
        for (int64_t j = 0; j < n; j++) {
            const double kept = a[k * n + j];
            a[k * n + j] = a[top * n + j];
            a[top * n + j] = kept;
        }
        for (int64_t i = k + 1; i < n; i++) {
            const double by = a[i * n + k] / a[k * n + k];
            for (int64_t j = k; j < n; j++)
                a[i * n + j] -= by * a[k * n + j];
        }
        sum += log(fabs(a[k * n + k]));
    }
    return sum;
}

TEST(charts_lead_there_and_back)
{
    sf_context *ctx = new_context();
    for (size_t c = 0; c < SFI_COUNT(all); c++) {
        holder h;
        const sfi_block *b = block_of(ctx, &h, all[c]);
        const sfi_joint_ops *ops = b->kernel.ops->joint;
        const int64_t d = b->inner;
        for (int which = 0; which < 3; which++) {
            double x[WIDE], y[WIDE], back[WIDE], again[WIDE], f[4][WIDE];
            double jacobian[WIDE * WIDE], slope, sum = 0.0;
            some_x0(b, which, x);
            for (int64_t j = 0; j < b->columns; j++)
                sum += x[j];
            const double scale = is(b, "dirichlet") ? 1.0 / sum : 1.0;
            ops->to_chart(b, x, y);
            ops->from_chart(b, y, back);
            for (int64_t j = 0; j < b->columns; j++)
                CHECK_NEAR(back[j], scale * x[j], 1e-14);
            run_row(ctx, b, ops->chart, b->columns, x, again);
            for (int64_t j = 0; j < d; j++)
                CHECK_NEAR(again[j], y[j], 1e-14 * (1.0 + fabs(y[j])));
            run_row(ctx, b, ops->inverse, d, y, again);
            for (int64_t j = 0; j < b->columns; j++)
                CHECK_NEAR(again[j], back[j], 1e-14);
            for (int64_t j = 0; j < d; j++) {
                for (int k = 0; k < 4; k++) {
                    double moved[WIDE];
                    memcpy(moved, y, sizeof moved);
                    moved[j] += 1e-3 * offsets[k];
                    ops->from_chart(b, moved, f[k]);
                }
                for (int64_t i = 0; i < d; i++)
                    jacobian[i * d + j] = slope_of(
                        (double[]){f[0][i], f[1][i], f[2][i], f[3][i]}, 1e-3);
            }
            CHECK_NEAR(ops->log_slope(b, y), log_det(jacobian, d), 1e-10);
            run_row(ctx, b, ops->log_slope_node, d, y, &slope);
            CHECK_NEAR(slope, ops->log_slope(b, y), 1e-13);
        }
    }
    sf_context_free(ctx);
}

/* By the curvature of the log density where x0 and x are in the middle. */
TEST(spreads_are_those_of_the_curvature)
{
    sf_context *ctx = new_context();
    static values v;
    for (size_t c = 0; c < SFI_COUNT(all); c++) {
        holder h;
        const sfi_block *b = block_of(ctx, &h, all[c]);
        const sfi_joint_ops *ops = b->kernel.ops->joint;
        const double t = 1e-4;
        double x0[WIDE], y[WIDE], spread[WIDE];
        ops->middle(b, x0);
        ops->to_chart(b, x0, y);
        ops->spread(b, spread);
        evaluate(ctx, b, 1, y, x0, &t, &v);
        for (int64_t j = 0; j < b->inner; j++)
            CHECK_CLOSE(spread[j],
                        1.0 / (t * sqrt(-v.hessian[j * b->inner + j])), 1e-7);
    }
    sf_context_free(ctx);
}

TEST(what_a_block_cannot_be_is_said)
{
    static const struct {
        double x[3];
        int64_t column;
        const char *want;
    } shares[] = {
        {{0.2, 0.3, 0.5}, -1, NULL},
        {{0.2, 0.3, 0.54}, -1, NULL},
        {{0.2, 0.3, 0.46}, -1, NULL},
        {{0.2, 0.0, 0.8}, 1, "> 0, a share of the row's sum"},
        {{0.6, 0.6, -0.2}, 2, "> 0, a share of the row's sum"},
        {{NAN, 0.5, 0.5}, 0, "> 0, a share of the row's sum"},
        {{0.2, 0.3, 0.56}, 0, "that with the others of its row sums to"},
        {{0.2, 0.3, 0.44}, 0, "that with the others of its row sums to"},
        {{20, 30, 50}, 0, "that with the others of its row sums to"},
        {{0.2, INFINITY, 0.5}, 0, "that with the others of its row sums to"},
    };
    sf_context *ctx = new_context();
    holder h;
    const sfi_block *b = block_of(ctx, &h, (joint_case){"dirichlet", 3, false});
    for (size_t i = 0; i < SFI_COUNT(shares); i++) {
        int64_t column = -1;
        const char *want =
            b->kernel.ops->joint->outside(b, shares[i].x, &column);
        CHECK((want == NULL) == (shares[i].want == NULL));
        if (want != NULL) {
            CHECK(strstr(want, shares[i].want) == want);
            CHECK(column == shares[i].column);
        }
    }
    for (size_t c = 0; c < SFI_COUNT(all); c++) {
        b = block_of(ctx, &h, all[c]);
        const sfi_joint_ops *ops = b->kernel.ops->joint;
        const char *want = NULL;
        int64_t column;
        double x[WIDE];
        CHECK(ops->inner(1, &want) == 0);
        assert_string_equal(want, "2 columns or more");
        CHECK(ops->mixes == !is(b, "dirichlet"));
        ops->middle(b, x);
        CHECK(ops->outside(b, x, &column) == NULL);
    }
    sf_context_free(ctx);
}

/* ---- draws ------------------------------------------------------------------------ */

enum { DRAWS = 20000 };

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov, with u what the distribution function says of each
 * draw: for 20000 a distance above 0.0115 has probability 0.01; one seed. */
static void check_uniform(double *u)
{
    double gap = 0.0;
    qsort(u, DRAWS, sizeof *u, ascending);
    for (int i = 0; i < DRAWS; i++)
        gap = fmax(gap, fmax(u[i] - i / (double)DRAWS,
                             (i + 1) / (double)DRAWS - u[i]));
    CHECK(gap < 0.0115);
}

/* Draws of x [DRAWS, columns]. */
static void draw_all(const sfi_block *b, const double *x0, double t, double *x)
{
    const sfi_joint_ops *ops = b->kernel.ops->joint;
    for (int i = 0; i < DRAWS; i++) {
        double y[WIDE];
        ops->draw(b, x0, t, (sfi_where){7, (uint64_t)i, 3, SFI_STREAM_USER}, y);
        ops->from_chart(b, y, x + i * b->columns);
    }
}

/* Mean and covariance within five standard errors; those of a covariance are at
 * most sqrt(`fourth` v_i v_j/n), `fourth` being a bound for E z^2 w^2 of two
 * standardised numbers. */
static void check_moments(const sfi_block *b, const double *x,
                          const double *mean, const double *covariance,
                          double fourth)
{
    const int64_t d = b->columns;
    for (int64_t j = 0; j < d; j++)
        for (int64_t k = 0; k <= j; k++) {
            double sum = 0.0, product = 0.0;
            for (int i = 0; i < DRAWS; i++) {
                sum += x[i * d + j] - mean[j];
                product += (x[i * d + j] - mean[j]) * (x[i * d + k] - mean[k]);
            }
            const double vj = covariance[j * d + j], vk = covariance[k * d + k];
            CHECK_NEAR(sum / DRAWS, 0.0, 5.0 * sqrt(vj / DRAWS));
            CHECK_NEAR(product / DRAWS, covariance[j * d + k],
                       5.0 * sqrt(fourth * vj * vk / DRAWS));
        }
}

/* Of five columns, with a factor: every number, and a sum of them all.  Student's
 * law with 2 degrees of freedom has the distribution function (1 + z/sqrt(2 +
 * z^2))/2, and for two columns that of the radius is 1 - (1 + r^2/nu)^(-nu/2);
 * with a chi-squared number for each column it would be another one. */
TEST(draws_are_normal_and_student_numbers_times_the_factor)
{
    static const struct {
        joint_case what;
        double variance, fourth;
    } moments[] = {
        {{"mvgaussian:path=vp,sigma=2", 5, true}, 4.0, 3.0},
        {{"mvgaussian", 3, false}, 1.0, 3.0},
        {{"mvstudent:nu=10,path=vp,scale=2", 5, true}, 4.0 * 10.0 / 8.0, 4.0},
    };
    sf_context *ctx = new_context();
    static double x[DRAWS * WIDE], u[DRAWS], r[DRAWS];
    holder h;
    for (size_t c = 0; c < SFI_COUNT(moments); c++) {
        const sfi_block *b = block_of(ctx, &h, moments[c].what);
        const int64_t d = b->columns;
        const double t = 0.3;
        const sfi_path_numbers path = sfi_path_at((int)b->kernel.numbers[0], t);
        double x0[WIDE], mean[WIDE], covariance[WIDE * WIDE];
        some_x0(b, 0, x0);
        draw_all(b, x0, t, x);
        for (int64_t j = 0; j < d; j++) {
            mean[j] = path.keep * x0[j];
            for (int64_t k = 0; k < d; k++) {
                double sum = j == k;
                for (int64_t m = 0; m < d && b->factor != NULL; m++)
                    sum = (m == 0 ? 0.0 : sum) + lower[j][m] * lower[k][m];
                covariance[j * d + k] =
                    sum * moments[c].variance * path.spread * path.spread;
            }
        }
        check_moments(b, x, mean, covariance, moments[c].fourth);
        if (c == 0) {
            double variance = 0.0;
            for (int64_t j = 0; j < d * d; j++)
                variance += covariance[j];
            for (int i = 0; i < DRAWS; i++) {
                double sum = 0.0;
                for (int64_t j = 0; j < d; j++)
                    sum += x[i * d + j] - mean[j];
                u[i] = 0.5 * erfc(-sum / sqrt(2.0 * variance));
            }
            check_uniform(u);
        }
    }
    const sfi_block *b = block_of(
        ctx, &h, (joint_case){"mvstudent:nu=2,path=ve,scale=3", 2, true});
    const double x0[2] = {1.0, -2.0}, t = 0.4, scale = 1.2;
    draw_all(b, x0, t, x);
    for (int i = 0; i < DRAWS; i++) {
        const double *e = x + 2 * i;
        const double z0 = (e[0] - 1.0) / 0.8 / scale,
                     z1 = ((e[1] + 2.0) / scale + 0.5 * z0) / 1.3;
        const double sum = (0.6 * z0 - 0.8 * z1);
        u[i] = 0.5 + 0.5 * sum / sqrt(2.0 + sum * sum);
        r[i] = 1.0 - 1.0 / (1.0 + 0.5 * (z0 * z0 + z1 * z1));
    }
    check_uniform(u);
    check_uniform(r);
    sf_context_free(ctx);
}

/* The distribution function of the beta law for whole a and b: the probability
 * that of a + b - 1 uniform numbers at least a are below x. */
static double beta_below(double a, double b, double x)
{
    double sum = 0.0;
    const double n = a + b - 1.0;
    for (double j = a; j <= n; j += 1.0)
        sum += exp(lgamma(n + 1.0) - lgamma(j + 1.0) - lgamma(n - j + 1.0) +
                   j * log(x) + (n - j) * log1p(-x));
    return sum;
}

/* At t = 1/2 the a of x0 = (1, 2, 3)/6 are (3, 4, 5), and each share is of the
 * beta law of a_j and the rest.  Moments of the prior of four columns, where most
 * of a row is often in one of them. */
TEST(draws_are_shares)
{
    sf_context *ctx = new_context();
    static double x[DRAWS * WIDE], u[DRAWS];
    holder h;
    const sfi_block *b = block_of(ctx, &h, (joint_case){"dirichlet", 3, false});
    const double x0[3] = {1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0};
    draw_all(b, x0, 0.5, x);
    for (int j = 0; j < 3; j++) {
        for (int i = 0; i < DRAWS; i++)
            u[i] = beta_below(3.0 + j, 9.0 - j, x[3 * i + j]);
        check_uniform(u);
    }
    for (int c = 0; c < 2; c++) {
        const double each = c == 0 ? 0.0 : 0.4;
        b = block_of(ctx, &h,
                     (joint_case){c == 0 ? "dirichlet" : "dirichlet:alpha=0.4",
                                  c == 0 ? 3 : 4, false});
        const int64_t k = b->columns;
        double start[WIDE], mean[WIDE], covariance[WIDE * WIDE];
        some_x0(b, c, start);
        draw_all(b, c == 0 ? x0 : start, c == 0 ? 0.5 : 1.0, x);
        const double sum = c == 0 ? 12.0 : each * (double)k;
        for (int64_t j = 0; j < k; j++)
            mean[j] = (c == 0 ? 3.0 + (double)j : each) / sum;
        for (int64_t j = 0; j < k; j++)
            for (int64_t m = 0; m < k; m++)
                covariance[j * k + m] =
                    ((j == m ? mean[j] : 0.0) - mean[j] * mean[m]) /
                    (sum + 1.0);
        check_moments(b, x, mean, covariance, 4.0);
    }
    sf_context_free(ctx);
}

TESTS(CASE(electric_flows_in_three_more_dimensions_are_the_known_ones),
      CASE(a_factor_gives_the_normal_law_of_its_covariance),
      CASE(shares_of_three_columns_are_the_known_ones),
      CASE(shares_of_two_columns_are_beta_numbers),
      CASE(shares_next_to_nothing_have_densities_and_velocities),
      CASE(derivatives_and_velocities_obey_the_continuity_equation),
      CASE(densities_have_mass_one), CASE(the_prior_knows_no_clean_row),
      CASE(priors_have_the_known_density_in_the_middle),
      CASE(clean_shares_are_divided_by_their_sum),
      CASE(single_precision_will_do_for_training),
      CASE(charts_lead_there_and_back),
      CASE(spreads_are_those_of_the_curvature),
      CASE(what_a_block_cannot_be_is_said),
      CASE(draws_are_normal_and_student_numbers_times_the_factor),
      CASE(draws_are_shares))
