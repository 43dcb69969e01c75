/* SPDX-License-Identifier: Apache-2.0 */
/* test_kernels.c - every noise kernel against independent numbers, and against
 * what makes it a kernel. */
#include "check.h"
#include "kernel/kernel.h"
#include "scorefield/program.h"

enum { DATA = 3, VALUES = 5, MOST = 4096 };

/* What a kernel gives at x[i], x0[i], t[i]. */
typedef struct values {
    double logp[MOST], score[MOST], hessian[MOST], rate[MOST], velocity[MOST];
} values;

static sfi_kernel kernel_of(sf_context *ctx, const char *text)
{
    sfi_kernel k;
    CHECK_OK(ctx, sfi_kernel_parse(ctx, &k, text));
    return k;
}

/* In the chart, or in the data's own coordinate. */
static void evaluate_in(sf_context *ctx, sf_dtype dtype, const sfi_kernel *k,
                        bool chart, int64_t n, const double *x,
                        const double *x0, const double *t, sfi_velocity how,
                        values *out)
{
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node xn = sf_input(g, "x", 0, NULL);
    const sf_node x0n = sf_input(g, "x0", 0, NULL);
    const sf_node tn = sf_input(g, "t", 0, NULL);
    const sfi_kernel_nodes v = chart
                                   ? sfi_kernel_at_chart(k, g, xn, x0n, tn, how)
                                   : sfi_kernel_at(k, g, xn, x0n, tn, how);
    const sf_output outputs[VALUES] = {{v.logp, SF_EACH},
                                       {v.score, SF_EACH},
                                       {v.hessian, SF_EACH},
                                       {v.rate, SF_EACH},
                                       {v.velocity, SF_EACH}};
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, dtype, VALUES, outputs));
    sf_graph_free(g);
    const sf_source sources[3] = {
        {.kind = SF_ROWS, .data = x, .dtype = SF_F64, .stride = 1},
        {.kind = SF_ROWS, .data = x0, .dtype = SF_F64, .stride = 1},
        {.kind = SF_ROWS, .data = t, .dtype = SF_F64, .stride = 1}};
    const sf_sink sinks[VALUES] = {{out->logp, SF_F64, 1},
                                   {out->score, SF_F64, 1},
                                   {out->hessian, SF_F64, 1},
                                   {out->rate, SF_F64, 1},
                                   {out->velocity, SF_F64, 1}};
    CHECK_OK(ctx, sf_program_run(p, n, sources, NULL, sinks));
    sf_program_free(p);
}

static void evaluate(sf_context *ctx, const sfi_kernel *k, bool chart,
                     int64_t n, const double *x, const double *x0,
                     const double *t, sfi_velocity how, values *out)
{
    evaluate_in(ctx, SF_F64, k, chart, n, x, x0, t, how, out);
}

/* Oracles C1 (C1.gaussian, C1.gamma, ...): three data points of weights .2, .5,
 * .3 at t = 0.4.  Everything of the marginal is a mean over the posterior. */
typedef struct oracle {
    const char *text;
    double x, x0[DATA];
    double logp, score, cond_score[DATA], jacobian;
    double velocity, cond_velocity[DATA], rate, divergence;
} oracle;

static const oracle oracles[] = {
    {"gaussian:path=linear,sigma=1",
     0.3,
     {-1.0, 0.5, 2.0},
     -0.6192418862507222,
     0.08290830341930452,
     {-5.625, 0.0, 5.625},
     -3.925077753107928,
     -0.5552722022795363,
     {3.25, -0.5, -4.25},
     -0.904015159178388,
     0.9500518354052853},
    {"gamma:shape=1,mean=1.5",
     0.9,
     {0.3, 1.2, 4.0},
     -0.5392168507222991,
     0.0130128591239147,
     {-2.1794871794871793, 1.0984848484848484, 3.75},
     -3.7225489556441405,
     -0.08104185940166728,
     {1.5856271213645898, -0.8573863735267773, -4.187323742341306},
     -0.47872774130183277,
     0.47978232760136674},
    {"beta:concentration=2,mean=0.5",
     0.4,
     {0.14285714285714285, 0.42857142857142855, 0.7142857142857143},
     0.6437055721471844,
     1.4807206458609161,
     {-6.785714285714286, 2.142857142857143, 11.071428571428571},
     -20.948865320409986,
     -0.014576839333900905,
     {0.6868984584298413, -0.07846299733109147, -0.7826011788787784},
     -0.5267420837103699,
     0.5483263106634745},
    {"lognormal:path=linear,sigma=1",
     0.9,
     {0.3, 1.2, 4.0},
     -0.5646966435606204,
     -0.11641245922296321,
     {-5.395994214845384, 0.3802322898208269, 5.3967856411788935},
     -2.929412038990482,
     -0.3790964985328604,
     {2.471877649503247, -0.6472846630165071, -3.356223472749863},
     0.3920234661041818,
     -0.4361550217812065},
    {"laplace:path=linear,scale=1",
     0.35,
     {-1.0, 0.5, 2.0},
     -0.47867866960643396,
     -2.138579316539342,
     {-2.5, -2.5, 2.5},
     1.6764785068701213,
     -0.5053281569468121,
     {3.375, -0.375, -4.125},
     -2.2724600730918154,
     1.1917757285804167},
    {"student:nu=3,path=linear,scale=1",
     0.35,
     {-1.0, 0.5, 2.0},
     -0.6524494603781769,
     -0.24036643392302454,
     {-2.7486437613019894, -0.41450777202072536, 2.8274428274428276},
     -5.981172300040928,
     -0.5317608985636066,
     {3.375, -0.375, -4.125},
     -1.2573809307681816,
     1.1295634598807442},
    {"vonmises:kappa=1",
     0.9,
     {-2.0, 0.3, 1.5},
     -1.2567149997158515,
     -0.7411035757792674,
     {-1.2560589783734073, -2.964372985323936, 2.964372985323936},
     3.9053052521430556,
     0.4925957787663146,
     {12.896334234803124, 1.9693878927663275, -1.9693878927663275},
     2.299228315337801,
     -1.9341638222803124},
    {"wrappedcauchy",
     0.9,
     {-2.0, 0.3, 1.5},
     -1.476028333193558,
     -0.446151985345538,
     {-0.11369590638296437, -1.8332683640804182, 1.8332683640804182},
     3.7175292846954293,
     0.4519473235617381,
     {0.7476541537936948, 1.7645077293594855, -1.7645077293594855},
     0.7426075734795372,
     -0.5409703778008655},
};

TEST(marginals_of_three_points_are_the_known_ones)
{
    sf_context *ctx = new_context();
    static const double weight[DATA] = {0.2, 0.5, 0.3};
    static values v;
    for (size_t i = 0; i < SFI_COUNT(oracles); i++) {
        const oracle *o = &oracles[i];
        const sfi_kernel k = kernel_of(ctx, o->text);
        const double x[DATA] = {o->x, o->x, o->x}, t[DATA] = {0.4, 0.4, 0.4};
        evaluate(ctx, &k, false, DATA, x, o->x0, t, SFI_VELOCITY_EXACT, &v);
        double total = 0.0, score = 0.0, velocity = 0.0, rate = 0.0;
        double second = 0.0, r[DATA];
        for (int j = 0; j < DATA; j++)
            total += r[j] = weight[j] * exp(v.logp[j]);
        for (int j = 0; j < DATA; j++) {
            r[j] /= total;
            score += r[j] * v.score[j];
            velocity += r[j] * v.velocity[j];
            rate += r[j] * v.rate[j];
            second += r[j] * (v.hessian[j] + v.score[j] * v.score[j]);
            CHECK_NEAR(v.score[j], o->cond_score[j], 1e-10 * 12.0);
            CHECK_NEAR(v.velocity[j], o->cond_velocity[j], 1e-10 * 13.0);
        }
        CHECK_CLOSE(log(total), o->logp, 1e-10);
        CHECK_CLOSE(score, o->score, 1e-9);
        CHECK_CLOSE(second - score * score, o->jacobian, 1e-9);
        CHECK_CLOSE(velocity, o->velocity, 1e-9);
        CHECK_CLOSE(rate, o->rate, 1e-9);
        CHECK_CLOSE(-rate - velocity * score, o->divergence, 1e-9);
    }
    sf_context_free(ctx);
}

/* Oracle C18: dX = (1.5 - X) ds + sqrt(X) dW at s = 0.7, where t^2 = 1 - exp(-s)
 * and dt/ds = (1 - t^2)/(2 t). */
TEST(a_square_root_diffusion_needs_the_score_alone)
{
    sf_context *ctx = new_context();
    static const double x0[DATA] = {0.3, 1.2, 4.0},
                        weight[DATA] = {0.2, 0.5, 0.3};
    static values v;
    const sfi_kernel k = kernel_of(ctx, "cir:shape=3,mean=1.5");
    const double time = sqrt(-expm1(-0.7)), at = 0.9;
    const double x[DATA] = {at, at, at}, t[DATA] = {time, time, time};
    evaluate(ctx, &k, false, DATA, x, x0, t, SFI_VELOCITY_EXACT, &v);
    double total = 0.0, score = 0.0, velocity = 0.0, rate = 0.0;
    for (int j = 0; j < DATA; j++) {
        const double r = weight[j] * exp(v.logp[j]);
        total += r;
        score += r * v.score[j];
        velocity += r * v.velocity[j];
        rate += r * v.rate[j];
    }
    score /= total;
    velocity *= exp(-0.7) / (2.0 * time * total);
    rate *= exp(-0.7) / (2.0 * time * total);
    CHECK_CLOSE(log(total), -0.7270951512594734, 1e-12);
    CHECK_NEAR(score, -0.0017745193879979341, 1e-12);
    CHECK_CLOSE(velocity, 0.10079853372459907, 1e-12);
    CHECK_CLOSE(rate, 0.024991152782450895, 1e-12);
    CHECK_CLOSE(velocity, (1.5 - at) - 0.5 - 0.5 * at * score, 1e-12);
    sf_context_free(ctx);
}

/* Oracle C22: a column with gamma and one with beta noise; the kernels multiply,
 * and the posterior joins the columns. */
TEST(kernels_of_two_columns_are_joined_by_the_posterior)
{
    enum { ROWS = 4 };
    static const double data[2][ROWS] = {{0.3, 1.2, 4.0, 2.0},
                                         {0.8, 0.2, 0.6, 0.9}};
    static const double at[2] = {0.9, 0.4}, w[ROWS] = {0.4, 0.3, 0.2, 0.1};
    static const double post[ROWS] = {0.22527177532933132, 0.7471839851236695,
                                      0.021192508654883636,
                                      0.00635173089211557};
    static const double jacobian[2][2] = {
        {-4.356368801077969, -9.847713885337493},
        {-9.847713885337493, 20.692520922404146}};
    static const char *const texts[2] = {"gamma:shape=1,mean=1.5",
                                         "beta:concentration=2,mean=0.5"};
    sf_context *ctx = new_context();
    static values v[2];
    for (int c = 0; c < 2; c++) {
        const sfi_kernel k = kernel_of(ctx, texts[c]);
        const double x[ROWS] = {at[c], at[c], at[c], at[c]};
        const double t[ROWS] = {0.4, 0.4, 0.4, 0.4};
        evaluate(ctx, &k, false, ROWS, x, data[c], t, SFI_VELOCITY_EXACT,
                 &v[c]);
    }
    double total = 0.0, r[ROWS], score[2] = {0}, velocity[2] = {0};
    double rate = 0.0, second[2][2] = {{0}};
    for (int j = 0; j < ROWS; j++)
        total += r[j] = w[j] * exp(v[0].logp[j] + v[1].logp[j]);
    for (int j = 0; j < ROWS; j++) {
        r[j] /= total;
        CHECK_CLOSE(r[j], post[j], 1e-10);
        rate += r[j] * (v[0].rate[j] + v[1].rate[j]);
        for (int a = 0; a < 2; a++) {
            score[a] += r[j] * v[a].score[j];
            velocity[a] += r[j] * v[a].velocity[j];
            for (int b = 0; b < 2; b++)
                second[a][b] += r[j] * (v[a].score[j] * v[b].score[j] +
                                        (a == b ? v[a].hessian[j] : 0.0));
        }
    }
    CHECK_CLOSE(log(total), -0.4149471031728352, 1e-10);
    CHECK_CLOSE(score[0], 0.42426239029826085, 1e-10);
    CHECK_CLOSE(score[1], -0.3723037411239642, 1e-10);
    CHECK_CLOSE(velocity[0], -0.3858459244990761, 1e-9);
    CHECK_CLOSE(velocity[1], 0.14443972539425173, 1e-9);
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 2; b++)
            CHECK_CLOSE(second[a][b] - score[a] * score[b], jacobian[a][b],
                        1e-9);
    CHECK_CLOSE(-rate - velocity[0] * score[0] - velocity[1] * score[1],
                -1.9661819673297738, 1e-9);
    sf_context_free(ctx);
}

/* Oracle C23.gamma: k = 6.25 and m = 1.32 are those of x0 = 1.2 at t = 0.4. */
TEST(scores_in_the_chart_are_the_known_ones)
{
    sf_context *ctx = new_context();
    static values v;
    const sfi_kernel k = kernel_of(ctx, "gamma:shape=1,mean=1.5");
    const double y = log(0.9), x = 0.9, x0 = 1.2, t = 0.4;
    evaluate(ctx, &k, true, 1, &y, &x0, &t, SFI_VELOCITY_TRAINING, &v);
    CHECK_CLOSE(v.score[0], 1.9886363636363635, 1e-12);
    CHECK_CLOSE(v.hessian[0], -4.261363636363637, 1e-12);
    evaluate(ctx, &k, false, 1, &x, &x0, &t, SFI_VELOCITY_TRAINING, &v);
    CHECK_CLOSE(v.score[0], 1.0984848484848484, 1e-12);
    sf_context_free(ctx);
}

/* u_k of a family for given theta, in the data's coordinate. */
static void velocity_at(sf_context *ctx, const char *family, double x,
                        const double *theta, double *u)
{
    const sfi_kernel k = kernel_of(ctx, family);
    const sfi_chart chart = k.ops->chart;
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node y = sf_input(g, "y", 0, NULL);
    const sf_node th[2] = {sf_param(g, "a", 0, NULL),
                           sf_param(g, "b", 0, NULL)};
    sf_node nodes[2];
    k.ops->velocity(&k, g, y, th, SFI_VELOCITY_EXACT, nodes);
    const sf_node slope = sf_exp(g, sfi_chart_log_slope(g, chart, y));
    const sf_output outputs[2] = {{sf_mul(g, slope, nodes[0]), SF_EACH},
                                  {sf_mul(g, slope, nodes[1]), SF_EACH}};
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 2, outputs));
    sf_graph_free(g);
    const double at = sfi_chart_to_number(chart, x);
    const sf_source source = {
        .kind = SF_ROWS, .data = &at, .dtype = SF_F64, .stride = 1};
    const void *params[2] = {&theta[0], &theta[1]};
    const sf_sink sinks[2] = {{&u[0], SF_F64, 1}, {&u[1], SF_F64, 1}};
    CHECK_OK(ctx, sf_program_run(p, 1, &source, params, sinks));
    sf_program_free(p);
}

/* Oracles C11 to C13: how points move with a parameter at fixed distribution
 * function. */
TEST(implicit_derivatives_are_the_known_ones)
{
    sf_context *ctx = new_context();
    double u[2];
    /* With mean k/1 the scale is 1, but m moves with k: dz/dk is u_k + u_m. */
    static const double k[] = {0.3, 1, 2.5, 10, 100};
    static const double z[] = {0.05, 0.7, 3.0, 8.0, 120.0};
    static const double dz[] = {0.49471098700413124, 0.9732187409923876,
                                1.1692620067376636, 0.9075477177235484,
                                1.0957525107070083};
    for (int i = 0; i < 5; i++) {
        const double theta[2] = {k[i], k[i]};
        velocity_at(ctx, "gamma", z[i], theta, u);
        CHECK_CLOSE(u[0] + u[1], dz[i], 1e-10);
    }
    static const double a[] = {0.2, 1, 5, 40}, b[] = {0.3, 1, 2, 60};
    static const double x[] = {0.1, 0.5, 0.8, 0.42};
    static const double da[] = {1.845964471428413, 0.34657359027997264,
                                0.03283828035045593, 0.005987651715814999};
    static const double db[] = {-0.7152603291573881, -0.34657359027997264,
                                -0.10774713086261191, -0.004154419258506274};
    for (int i = 0; i < 4; i++) {
        const double theta[2] = {a[i], b[i]};
        velocity_at(ctx, "beta", x[i], theta, u);
        CHECK_CLOSE(u[0], da[i], 1e-10);
        CHECK_CLOSE(u[1], db[i], 1e-10);
    }
    static const double kappa[] = {0.1, 1, 5, 50}, f[] = {1.0, 0.5, 0.4, 0.1};
    static const double df[] = {-0.8177888568881393, -0.2788272248960605,
                                -0.04336928276295475, -0.0010059546772441482};
    for (int i = 0; i < 4; i++) {
        const double theta[2] = {0.0, kappa[i]};
        velocity_at(ctx, "vonmises", f[i], theta, u);
        CHECK_CLOSE(u[1], df[i], 1e-10);
    }
    sf_context_free(ctx);
}

/* One law each, with derivatives by x and t and the velocity, in the chart, from
 * mpmath with 40 digits: the series of the law with as many terms as it takes,
 * numerical derivatives, and the velocity of the Fokker-Planck equation, from the
 * score: that of dX = (mean - X) ds + sqrt(2 mean X/shape) dW, and -dv/dt/2 times
 * the score on the circle. */
static const struct {
    const char *text;
    double x, x0, t, want[VALUES];
} known[] = {
    {"cir",
     0.25,
     1.5,
     0.5,
     {-0.42156373645066401, 0.41412033643838693, -2.7281644446801464,
      -1.9243320294300963, -0.72495527897680601}},
    {"cir",
     -3.0,
     0.5,
     0.96875,
     {-3.020593736737356, 0.94868646771662244, -0.051315040710322453,
      -0.91695062848393214, 0.96554185899259102}},
    {"cir",
     0.75,
     2.0,
     0.0625,
     {1.412019940792209, -15.468745261723766, -279.08531523153604,
      -2.4074365474387769, 0.85073373204710592}},
    {"cir",
     0.0,
     1.0,
     0.0078125,
     {3.5865219553068723, 0.2499904629075721, -8192.250002861052,
      -127.99902334808388, -0.0039063394069668838}},
    {"cir:shape=0.25,mean=2",
     -4.0,
     0.5,
     0.375,
     {-2.6910640864216186, 0.25810829062996487, 0.0076345320389758065,
      0.84243408618748254, -3.9635619025023509}},
    {"cir:shape=0.25,mean=2",
     -1.0,
     0.5,
     0.125,
     {-0.78659061928546616, 0.84978198204727644, -1.2492759181227996,
      -7.1813550729606542, -3.5664791625879585}},
    {"cir:shape=30,mean=1.5",
     0.5,
     2.0,
     0.5,
     {0.61658981483556296, 9.9964709893697284, -69.410381644900883,
      3.2451952671611926, -0.52448309017344133}},
    {"cir:shape=30,mean=1.5",
     0.625,
     2.0,
     0.03125,
     {-41.621265287574522, 1322.0961601194791, -18477.418180090293,
      2909.8228129924086, -2.2259526457851943}},
    {"cir:shape=1000,mean=1",
     0.125,
     1.0,
     0.75,
     {-7.5029879047107583, -166.49159652496463, -1433.2251719335587,
      15.989692933762632, 0.1008864713973973}},
    {"wrappednormal",
     3.375,
     0.25,
     0.845703125,
     {-2.6510080807840676, -0.019353994460779804, 1.1659702006297883,
      12.162054041461312, 0.20181367554796805}},
    {"wrappednormal",
     0.375,
     0.25,
     0.84375,
     {-1.3737356220488848, -0.050025250225058618, -0.4000530805243479,
      -4.0416809848709355, 0.50857960107000817}},
    {"wrappednormal",
     1.5,
     0.25,
     0.0625,
     {-197.36705676062546, -318.75, -255.0, 6383.9372549019608,
      20.07843137254902}},
    {"wrappednormal",
     -1.0,
     -1.25,
     0.125,
     {-0.8161211700089064, -15.75, -63.0, 23.873015873015873,
      2.0317460317460317}},
    {"wrappednormal",
     0.5,
     -2.5,
     0.5,
     {-13.802605361101698, -7.7779818841565466, 18.54117053627502,
      70.256153534704394, 6.9137616748058192}},
    {"wrappednormal",
     3.0,
     0.25,
     0.75,
     {-3.8479508897785653, -1.5105886620618623, 1.897915188968879,
      16.377965563763173, 5.9190412880791341}},
    {"wrappednormal",
     3.375,
     0.25,
     0.75,
     {-4.1889134608156467, -0.086106819372095388, 5.1829202310061842,
      20.337637676467838, 0.33739814937637377}},
    {"wrappednormal",
     3.375,
     0.25,
     0.84375,
     {-2.6749100855886018, -0.02009825239101158, 1.2107949006624808,
      12.313602037005972, 0.20432803708605598}},
    {"wrappednormal",
     3.375,
     0.25,
     0.8125,
     {-3.097898637625611, -0.034846902397270685, 2.0988854837711101,
      14.774225609464504, 0.24514834969611169}},
    {"wrappednormal",
     3.375,
     0.25,
     0.859375,
     {-2.4919927723963475, -0.014651051860052662, 0.88270340603370086,
      11.097983373153747, 0.18415879958440062}},
    {"wrappednormal",
     -2.0,
     1.0,
     0.875,
     {-2.3221499095647535, 0.086815455376105007, 0.60187079230953662,
      9.707187789851033, -1.3828737425242682}},
    {"wrappednormal",
     0.5,
     0.25,
     0.96875,
     {-1.8369335433905083, -0.0002408073589211432, -0.00094313602943396471,
      -0.24136715014510754, 0.061631151839498269}},
    {"wrappednormal",
     0.5,
     -1.0,
     0.9921875,
     {-1.8378770664093429, -3.6742172993274907e-14, -2.6055654771605617e-15,
      -1.0672232066859442e-11, 1.504936261484574e-10}},
};

TEST(laws_have_the_known_values)
{
    sf_context *ctx = new_context();
    static values v;
    for (size_t i = 0; i < SFI_COUNT(known); i++) {
        const sfi_kernel k = kernel_of(ctx, known[i].text);
        evaluate(ctx, &k, true, 1, &known[i].x, &known[i].x0, &known[i].t,
                 SFI_VELOCITY_EXACT, &v);
        const double got[VALUES] = {v.logp[0], v.score[0], v.hessian[0],
                                    v.rate[0], v.velocity[0]};
        /* A few roundings of x, each of which moves the score by 1e-16/t^2. */
        const double t2 = known[i].t * known[i].t;
        for (int j = 0; j < VALUES; j++)
            CHECK_NEAR(got[j], known[i].want[j],
                       3e-13 * fabs(known[i].want[j]) + 2e-15 + 6e-16 / t2);
    }
    sf_context_free(ctx);
}

/* ---- what makes it a kernel ---------------------------------------------------- */

static const char *const all[] = {"gaussian",
                                  "gaussian:path=vp,sigma=2",
                                  "gaussian:path=ve",
                                  "laplace",
                                  "student:nu=2.5",
                                  "lognormal:sigma=0.7",
                                  "gamma:shape=1,mean=1.5",
                                  "gamma:shape=0.4,mean=0.7",
                                  "beta",
                                  "beta:concentration=1,mean=0.3",
                                  "vonmises",
                                  "wrappedcauchy",
                                  "wrappednormal",
                                  "wrappednormal:sigma=0.4",
                                  "cir",
                                  "cir:shape=0.3,mean=0.7",
                                  "cir:shape=60,mean=2"};

static double some_x0(sfi_chart chart, int which)
{
    static const double line[] = {-1.3, 0.4, 2.2}, half[] = {0.2, 1.1, 5.0},
                        unit[] = {0.03, 0.4, 0.9}, circle[] = {-2.0, 0.3, 3.0};
    return (chart == SFI_CHART_LOG     ? half
            : chart == SFI_CHART_LOGIT ? unit
            : chart == SFI_CHART_ANGLE ? circle
                                       : line)[which];
}

/* The law in the chart on a grid that holds all of it: y from lo, step apart. */
static void grid_of(sf_context *ctx, const sfi_kernel *k, double x0, double t,
                    double *lo, double *step, values *v, double *y)
{
    static double x0s[MOST], ts[MOST];
    *lo = -150.0;
    *step = 300.0 / (MOST - 1);
    if (k->ops->chart == SFI_CHART_ANGLE) {
        *lo = -3.14159265358979324;
        *step = 6.28318530717958648 / (MOST - 1);
    }
    for (int pass = 0; pass < 3; pass++) {
        for (int i = 0; i < MOST; i++) {
            y[i] = *lo + i * *step;
            x0s[i] = x0;
            ts[i] = t;
        }
        evaluate(ctx, k, true, MOST, y, x0s, ts, SFI_VELOCITY_TRAINING, v);
        if (k->ops->chart == SFI_CHART_ANGLE || pass == 2)
            return;
        /* Close in on where the density is not negligible. */
        double top = -INFINITY, first = INFINITY, last = -INFINITY;
        for (int i = 0; i < MOST; i++)
            top = fmax(top, v->logp[i]);
        for (int i = 0; i < MOST; i++)
            if (v->logp[i] > top - 36.0) {
                first = fmin(first, y[i]);
                last = fmax(last, y[i]);
            }
        first -= 2.0 * *step;
        last += 2.0 * *step;
        *lo = first;
        *step = (last - first) / (MOST - 1);
    }
}

/* Student's tails reach beyond any grid. */
static bool heavy(const sfi_kernel *k)
{
    return strcmp(k->ops->family, "student") == 0;
}

TEST(densities_have_mass_one)
{
    sf_context *ctx = new_context();
    static values v;
    static double y[MOST];
    for (size_t i = 0; i < SFI_COUNT(all); i++) {
        const sfi_kernel k = kernel_of(ctx, all[i]);
        for (int c = 0; c < 9 && !heavy(&k); c++) {
            static const double times[] = {0.15, 0.5, 1.0};
            double lo, step, mass = 0.0;
            grid_of(ctx, &k, some_x0(k.ops->chart, c % 3), times[c / 3], &lo,
                    &step, &v, y);
            for (int j = 0; j < MOST; j++)
                mass += exp(v.logp[j]) * (j == 0 || j == MOST - 1 ? 0.5 : 1.0);
            /* Laplace has a kink, which the trapezoid rule sees. */
            CHECK_NEAR(mass * step, 1.0, 1e-4);
        }
    }
    sf_context_free(ctx);
}

/* Derivatives by y and t against differences, and the continuity equation,
 * which pins the velocity up to a constant flux. */
TEST(derivatives_and_velocities_obey_the_continuity_equation)
{
    sf_context *ctx = new_context();
    static values v[5];
    double y[27], x0[27], t[27], moved[27];
    for (size_t i = 0; i < SFI_COUNT(all); i++) {
        const sfi_kernel k = kernel_of(ctx, all[i]);
        for (int c = 0; c < 27; c++) {
            static const double times[] = {0.2, 0.45, 0.9};
            t[c] = times[c % 3];
            x0[c] = some_x0(k.ops->chart, c / 3 % 3);
            const double centre = sfi_chart_to_number(k.ops->chart, x0[c]);
            y[c] = (1.0 - t[c]) * centre + t[c] * (c / 9 - 0.83);
        }
        const double h = 1e-5;
        evaluate(ctx, &k, true, 27, y, x0, t, SFI_VELOCITY_EXACT, &v[0]);
        for (int side = 0; side < 4; side++) {
            const double by = side % 2 == 0 ? h : -h;
            for (int c = 0; c < 27; c++)
                moved[c] = (side < 2 ? y[c] : t[c]) + by;
            evaluate(ctx, &k, true, 27, side < 2 ? moved : y, x0,
                     side < 2 ? t : moved, SFI_VELOCITY_EXACT, &v[1 + side]);
        }
        for (int c = 0; c < 27; c++) {
            const double score = (v[1].logp[c] - v[2].logp[c]) / (2.0 * h);
            const double hessian = (v[1].score[c] - v[2].score[c]) / (2.0 * h);
            const double rate = (v[3].logp[c] - v[4].logp[c]) / (2.0 * h);
            const double slope =
                (v[1].velocity[c] - v[2].velocity[c]) / (2.0 * h);
            const double size = 1.0 + fabs(score) + fabs(hessian) + fabs(rate);
            CHECK_NEAR(v[0].score[c], score, 1e-7 * size);
            CHECK_NEAR(v[0].hessian[c], hessian, 1e-6 * size);
            CHECK_NEAR(v[0].rate[c], rate, 1e-6 * size);
            CHECK_NEAR(v[0].rate[c] + slope + v[0].velocity[c] * v[0].score[c],
                       0.0, 1e-6 * size * (1.0 + fabs(v[0].velocity[c])));
        }
    }
    sf_context_free(ctx);
}

/* What training computes: single precision, few nodes.  Errors are relative to
 * 1/t, the size of velocities near a point. */
TEST(single_precision_will_do_for_training)
{
    enum { POINTS = 2000 };
    sf_context *ctx = new_context();
    static double y[POINTS], x0[POINTS], t[POINTS];
    static values exact, single;
    for (size_t i = 0; i < SFI_COUNT(all); i++) {
        const sfi_kernel k = kernel_of(ctx, all[i]);
        for (int j = 0; j < POINTS; j++) {
            const sfi_where where = {3, (uint64_t)j, 0, SFI_STREAM_USER};
            const double at = sfi_normal_at(where, 0);
            x0[j] = sfi_chart_from_number(k.ops->chart, at);
            t[j] = 0.02 + 0.98 * sfi_uniform_at(where, 2);
            y[j] = at + t[j] * sfi_normal_at(where, 1);
        }
        evaluate(ctx, &k, true, POINTS, y, x0, t, SFI_VELOCITY_EXACT, &exact);
        evaluate_in(ctx, SF_F32, &k, true, POINTS, y, x0, t,
                    SFI_VELOCITY_TRAINING, &single);
        double gap = 0.0;
        for (int j = 0; j < POINTS; j++) {
            const double error =
                t[j] * fabs(single.velocity[j] - exact.velocity[j]);
            gap = error <= gap ? gap : error;
        }
        CHECK(gap < 5e-4); /* beta; gamma 2e-5, all others 1e-6 */
    }
    sf_context_free(ctx);
}

/* No flux through the ends: u p vanishes where p does.  On the circle the flux
 * through the antipode is 0. */
TEST(velocities_carry_nothing_through_the_ends)
{
    sf_context *ctx = new_context();
    static values v;
    static const char *const circular[] = {"vonmises", "wrappedcauchy",
                                           "wrappednormal"};
    for (size_t which = 0; which < SFI_COUNT(circular); which++) {
        const sfi_kernel k = kernel_of(ctx, circular[which]);
        const double pi = 3.14159265358979324;
        const double y[2] = {0.3 + pi, 0.3 - pi}, x0[2] = {0.3, 0.3},
                     t[2] = {0.4, 0.4};
        evaluate(ctx, &k, true, 2, y, x0, t, SFI_VELOCITY_EXACT, &v);
        CHECK_NEAR(v.velocity[0], 0.0, 1e-13);
        CHECK_NEAR(v.velocity[1], 0.0, 1e-13);
    }
    sf_context_free(ctx);
}

/* Where the marginal velocity is an affine function of the marginal score, that
 * of one clean point is so too, with the same coefficients for every point: three
 * of them give points (score, velocity) of one line, and else they do not. */
TEST(a_markov_kernel_has_velocities_affine_in_the_score)
{
    sf_context *ctx = new_context();
    static values v;
    for (size_t i = 0; i < SFI_COUNT(all); i++) {
        const sfi_kernel k = kernel_of(ctx, all[i]);
        double x0[3];
        for (int j = 0; j < 3; j++)
            x0[j] = some_x0(k.ops->chart, j);
        const double at = sfi_chart_to_number(k.ops->chart, x0[1]) + 0.1;
        const double y[3] = {at, at, at}, t[3] = {0.6, 0.6, 0.6};
        evaluate(ctx, &k, true, 3, y, x0, t, SFI_VELOCITY_EXACT, &v);
        const double ds = v.score[1] - v.score[0], es = v.score[2] - v.score[0];
        const double du = v.velocity[1] - v.velocity[0],
                     eu = v.velocity[2] - v.velocity[0];
        const double area = fabs(ds * eu - es * du),
                     size = fabs(ds * eu) + fabs(es * du);
        CHECK(k.ops->markov ? area < 1e-12 * size : area > 1e-3 * size);
    }
    sf_context_free(ctx);
}

TEST(the_prior_knows_no_clean_point)
{
    sf_context *ctx = new_context();
    static values v;
    for (size_t i = 0; i < SFI_COUNT(all); i++) {
        const sfi_kernel k = kernel_of(ctx, all[i]);
        const double t[3] = {1.0, 1.0, 1.0}, y[3] = {0.2, 0.2, 0.2};
        const double x0[3] = {some_x0(k.ops->chart, 0),
                              some_x0(k.ops->chart, 1),
                              some_x0(k.ops->chart, 2)};
        evaluate(ctx, &k, true, 3, y, x0, t, SFI_VELOCITY_TRAINING, &v);
        const bool depends =
            strstr(all[i], "ve") != NULL && strstr(all[i], "path") != NULL;
        for (int j = 1; j < 3; j++) {
            if (depends)
                CHECK(fabs(v.logp[j] - v.logp[0]) > 0.01);
            else
                CHECK_NEAR(v.logp[j], v.logp[0], 1e-13);
        }
        for (int j = 0; j < 3; j++)
            CHECK(isfinite(v.score[j]) && isfinite(v.hessian[j]) &&
                  isfinite(v.rate[j]) && isfinite(v.velocity[j]));
    }
    sf_context_free(ctx);
}

/* Draws against the distribution function by Kolmogorov and Smirnov: for 20000
 * draws a distance above 0.0115 has probability 0.01; one seed, chosen first. */
TEST(draws_follow_the_density)
{
    enum { DRAWS = 20000 };
    sf_context *ctx = new_context();
    static values v;
    static double y[MOST], cdf[MOST];
    static int64_t count[MOST];
    for (size_t i = 0; i < SFI_COUNT(all); i++) {
        const sfi_kernel k = kernel_of(ctx, all[i]);
        for (int c = 0; c < 2; c++) {
            const double t = c == 0 ? 0.3 : 1.0;
            const double x0 = some_x0(k.ops->chart, 1);
            double lo, step;
            grid_of(ctx, &k, x0, t, &lo, &step, &v, y);
            double sum = 0.0;
            for (int j = 0; j < MOST; j++) {
                cdf[j] = sum + 0.5 * exp(v.logp[j]) * step;
                sum += exp(v.logp[j]) * step;
                count[j] = 0;
            }
            double theta[SFI_KERNEL_THETA];
            sf_graph *g = NULL;
            CHECK_OK(ctx, sf_graph_new(ctx, &g));
            sf_node nodes[SFI_KERNEL_THETA];
            k.ops->theta(&k, g, sf_const(g, x0), sf_const(g, t), nodes);
            sf_output outputs[SFI_KERNEL_THETA];
            sf_sink sinks[SFI_KERNEL_THETA];
            for (int j = 0; j < k.ops->theta_count; j++) {
                outputs[j] = (sf_output){nodes[j], SF_EACH};
                sinks[j] = (sf_sink){&theta[j], SF_F64, 1};
            }
            sf_program *p = NULL;
            CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, k.ops->theta_count,
                                         outputs));
            sf_graph_free(g);
            CHECK_OK(ctx, sf_program_run(p, 1, NULL, NULL, sinks));
            sf_program_free(p);
            for (uint64_t n = 0; n < DRAWS; n++) {
                const sfi_where where = {7, n, (uint32_t)c, SFI_STREAM_USER};
                double at = k.ops->draw(&k, theta, where);
                if (k.ops->chart == SFI_CHART_ANGLE)
                    at = remainder(at, 6.28318530717958648);
                const double place = ceil((at - lo) / step);
                if (place < MOST)
                    count[place > 0.0 ? (int)place : 0]++;
            }
            int64_t below = 0;
            double gap = 0.0;
            for (int j = 0; j < MOST; j++) {
                below += count[j];
                gap = fmax(gap, fabs((double)below / DRAWS - cdf[j]));
            }
            if (!(gap < 0.0115))
                fprintf(stderr, "%s, t = %g: distance %g\n", all[i], t, gap);
            CHECK(gap < 0.0115);
        }
    }
    sf_context_free(ctx);
}

TEST(kernels_are_read_from_text)
{
    sf_context *ctx = new_context();
    sfi_kernel k = kernel_of(ctx, "student:nu=4,path=vp,scale=2e-1");
    CHECK(sfi_kernel_number_of(&k, "nu") == 4.0);
    CHECK(sfi_kernel_number_of(&k, "path") == 1.0);
    CHECK(sfi_kernel_number_of(&k, "scale") == 0.2);
    k = kernel_of(ctx, "gamma");
    CHECK(sfi_kernel_number_of(&k, "shape") == 1.0);
    CHECK(isnan(sfi_kernel_number_of(&k, "kappa")));
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "gauss"), SF_E_ARG,
                "kernel \"gauss\", want one of: gaussian, laplace, student, "
                "lognormal, gamma, beta, vonmises, wrappedcauchy, "
                "wrappednormal, cir, poisson, binomial");
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "gamma:shape=0"), SF_E_ARG,
                "kernel gamma: shape is \"0\", want a number between 0 and");
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "gamma:shape=1x"), SF_E_ARG,
                "shape is \"1x\"");
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "gamma:kappa=1"), SF_E_ARG,
                "want NAME=VALUE with a NAME among: shape, mean");
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "gamma:"), SF_E_ARG, "\"\"");
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "gaussian:path=up"), SF_E_ARG,
                "path is \"up\", want linear|vp|ve");
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "beta:mean=nan"), SF_E_ARG,
                "mean is \"nan\"");
    /* Hexadecimal is no number here, and a newline stays out of a message. */
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "gamma:mean=0x2"), SF_E_ARG,
                "mean is \"0x2\"");
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "gamma:mean=1\n"), SF_E_ARG,
                "mean is \"1\\x0A\"");
    CHECK_FAILS(ctx, sfi_kernel_parse(ctx, &k, "gaussian:path=\x1b[m"),
                SF_E_ARG, "path is \"\\x1B[m\"");
    sf_context_free(ctx);
}

TESTS(CASE(marginals_of_three_points_are_the_known_ones),
      CASE(a_square_root_diffusion_needs_the_score_alone),
      CASE(kernels_of_two_columns_are_joined_by_the_posterior),
      CASE(scores_in_the_chart_are_the_known_ones),
      CASE(implicit_derivatives_are_the_known_ones),
      CASE(densities_have_mass_one),
      CASE(derivatives_and_velocities_obey_the_continuity_equation),
      CASE(single_precision_will_do_for_training),
      CASE(velocities_carry_nothing_through_the_ends),
      CASE(a_markov_kernel_has_velocities_affine_in_the_score),
      CASE(laws_have_the_known_values), CASE(the_prior_knows_no_clean_point),
      CASE(draws_follow_the_density), CASE(kernels_are_read_from_text))
