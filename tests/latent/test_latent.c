/* SPDX-License-Identifier: Apache-2.0 */
/* Latent points of decoders, and what is told there: against numbers of 40 digits,
 * closed forms of linear decoders, quadrature, and each other. */
#include "check.h"
#include "faults.h"
#include "latent/latent_values.h"

#include "base/random.h"
#include "scorefield/latent.h"

static const double pi = 3.14159265358979323846;

/* The decoder that most cases are about. */
static const char quadratic[] = "z0 + 0.3*z1^2; z1 + 0.2*z0*z1; z0^2 - 0.5*z1";

static sf_decoder *new_decoder(sf_context *ctx, const char *text,
                               int64_t latent,
                               const sf_decoder_options *options)
{
    sf_decoder *d = NULL;
    CHECK_OK(ctx, sf_decoder_new(ctx, &d, text, latent, options));
    return d;
}

static sf_decoder *isotropic(sf_context *ctx, const char *text, int64_t latent,
                             double sigma)
{
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    o.sigma = &sigma;
    o.sigma_count = 1;
    return new_decoder(ctx, text, latent, &o);
}

static sf_decoder *decoder_of(sf_context *ctx, const known_case *k)
{
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    o.dim = k->dim;
    o.sigma = k->sigma;
    o.sigma_count = k->sigma_count;
    o.covariance = k->covariance;
    o.log_sigma = k->log_sigma;
    return new_decoder(ctx, k->decoder, k->latent, &o);
}

static sf_cmat table(const double *data, int64_t rows, int64_t cols)
{
    return (sf_cmat){data, rows, cols, cols};
}

static sf_mat room(double *data, int64_t rows, int64_t cols)
{
    return (sf_mat){data, rows, cols, cols};
}

/* ---- known answers ------------------------------------------------------------- */

enum { MOST_ROWS = 3, MEMBERS = 21 };

/* Room for all members, one after the other. */
struct everything {
    double number[MEMBERS][MOST_ROWS * MOST_NUMBERS];
    sf_latent_values values;
};

/* Only members whose numbers are known, as logjoint is refused without a prior. */
static void want_known(struct everything *e, const known_case *k)
{
    const sf_latent_values none = SF_LATENT_VALUES_INIT;
    int used = 0;
    e->values = none;
    for (int i = 0; i < k->count; i++) {
        sf_mat *m = (sf_mat *)((char *)&e->values + k->values[i].member);
        if (m->data == NULL)
            *m = room(e->number[used++], k->rows, k->values[i].count);
    }
}

/* Relative 1e-9 of the numbers as computed: the certificate of the points is 1e-13,
 * and their second derivatives are of order one.  Absolute 1e-11 for those that are
 * zero at a stationary point. */
static void check_known(const struct everything *e, const known_case *k)
{
    for (int i = 0; i < k->count; i++) {
        const expectation *x = &k->values[i];
        const sf_mat *m =
            (const sf_mat *)((const char *)&e->values + x->member);
        for (int j = 0; j < x->count; j++) {
            const double got = m->data[x->row * m->stride + j];
            const double want = x->number[j];
            if (!(fabs(got - want) <= 1e-11 + 1e-9 * fabs(want)))
                fprintf(stderr, "%s: member at %zu, row %d, number %d\n",
                        k->name, x->member, (int)x->row, j);
            CHECK_NEAR(got, want, 1e-11 + 1e-9 * fabs(want));
        }
    }
}

TEST(points_and_geometry_are_those_of_forty_digits)
{
    static struct everything e;
    sf_context *ctx = new_context();
    for (size_t c = 0; c < sizeof known_cases / sizeof *known_cases; c++) {
        const known_case *k = &known_cases[c];
        sf_decoder *d = decoder_of(ctx, k);
        sf_latent_options o = SF_LATENT_OPTIONS_INIT;
        const sf_cmat x = table(k->x, k->rows, k->dim);
        o.prior = k->prior;
        o.tolerance = 1e-14;
        want_known(&e, k);
        if (k->at != NULL)
            CHECK_OK(ctx,
                     sf_latent_at(ctx, d, x, table(k->at, k->rows, k->latent),
                                  &e.values, NULL, &o));
        else
            CHECK_OK(ctx, sf_latent_infer(ctx, d, x, &e.values, NULL, &o));
        check_known(&e, k);
        sf_decoder_free(d);
    }
    sf_context_free(ctx);
}

/* The counter-example of the documentation, to its 16 digits: at the most likely point
 * J' Sigma^-1 eps = 0 and J' eps is not. */
TEST(residuals_are_orthogonal_in_the_product_of_the_inverse_covariance)
{
    sf_context *ctx = new_context();
    const double sigma[] = {0.5, 1.0, 2.0}, x[] = {1.2, -0.7, 0.9};
    double z[2], tangential[2], e[3];
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    o.sigma = sigma;
    o.sigma_count = 3;
    sf_decoder *d = new_decoder(ctx, quadratic, 2, &o);
    sf_latent_options how = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    how.prior = SF_LATENT_NONE;
    how.tolerance = 1e-14;
    v.z = room(z, 1, 2);
    v.tangential = room(tangential, 1, 2);
    v.residual = room(e, 1, 3);
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 1, 3), &v, NULL, &how));
    CHECK_NEAR(tangential[0], 0.0, 1e-13);
    CHECK_NEAR(tangential[1], 0.0, 1e-13);
    const double j[3][2] = {
        {1.0, 0.6 * z[1]}, {0.2 * z[1], 1.0 + 0.2 * z[0]}, {2.0 * z[0], -0.5}};
    const double want[] = {-0.8991439890598587, 0.23935174672711243};
    for (int k = 0; k < 2; k++) {
        double sum = 0.0;
        for (int i = 0; i < 3; i++)
            sum += j[i][k] * e[i];
        CHECK_NEAR(sum, want[k], 1e-12);
    }
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* ---- identities ----------------------------------------------------------------- */

/* O of x at z. */
static double objective(sf_context *ctx, const sf_decoder *d, const double *x,
                        const double *z)
{
    double value;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    v.logjoint = room(&value, 1, 1);
    CHECK_OK(ctx, sf_latent_at(ctx, d, table(x, 1, 3), table(z, 1, 2), &v, NULL,
                               NULL));
    return value;
}

static void derivatives(sf_context *ctx, const sf_decoder *d, const double *x,
                        const double *z, double *score, double *hessian)
{
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    v.score = room(score, 1, 2);
    v.hessian = room(hessian, 1, 4);
    CHECK_OK(ctx, sf_latent_at(ctx, d, table(x, 1, 3), table(z, 1, 2), &v, NULL,
                               NULL));
}

/* Central differences with a step of 1e-5: their error is 1e-10 of a third
 * derivative, and the rounding of O over the step, 1e-11. */
TEST(score_and_hessian_are_derivatives_of_the_objective)
{
    static const double covariance[] = {1.0,  0.3, 0.1,  0.3, 2.0,
                                        -0.4, 0.1, -0.4, 1.5};
    static const double x[] = {0.7, -0.4, 1.3}, z[] = {0.3, -0.6};
    const double h = 1e-5;
    sf_context *ctx = new_context();
    for (int noise = 0; noise < 3; noise++) {
        sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
        o.dim = 3;
        o.covariance = noise == 1 ? covariance : NULL;
        o.log_sigma =
            noise == 2 ? "0.3*z0 - 0.1*z1^2; 0.2*sin(z1); z0*z1" : NULL;
        sf_decoder *d = new_decoder(
            ctx, "tanh(z0 + z1); exp(0.4*z0)*z1; sin(z0) - 0.5*z1", 2, &o);
        double score[2], hessian[4], up[2], down[2], ignored[4];
        derivatives(ctx, d, x, z, score, hessian);
        for (int k = 0; k < 2; k++) {
            double more[] = {z[0], z[1]}, less[] = {z[0], z[1]};
            more[k] += h;
            less[k] -= h;
            CHECK_NEAR(
                score[k],
                (objective(ctx, d, x, more) - objective(ctx, d, x, less)) /
                    (2.0 * h),
                1e-8);
            derivatives(ctx, d, x, more, up, ignored);
            derivatives(ctx, d, x, less, down, ignored);
            for (int i = 0; i < 2; i++)
                CHECK_NEAR(hessian[i * 2 + k], (up[i] - down[i]) / (2.0 * h),
                           1e-8);
        }
        sf_decoder_free(d);
    }
    sf_context_free(ctx);
}

/* Without a prior the certificate at a point of the manifold does not depend on how it
 * is parametrised: z -> (2 u0 + u1, u0 - 3 u1) and its inverse. */
TEST(the_certificate_does_not_depend_on_the_units_of_z)
{
    static const char turned[] =
        "2*z0 + z1 + 0.3*(z0 - 3*z1)^2; (z0 - 3*z1)*(1 + 0.2*(2*z0 + z1)); "
        "(2*z0 + z1)^2 - 0.5*(z0 - 3*z1)";
    static const double x[] = {1.2, -0.7, 0.9}, u[] = {0.3, 0.2};
    const double z[] = {2.0 * u[0] + u[1], u[0] - 3.0 * u[1]};
    sf_context *ctx = new_context();
    sf_decoder *plain = isotropic(ctx, quadratic, 2, 0.5);
    sf_decoder *other = isotropic(ctx, turned, 2, 0.5);
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    double a, b;
    o.prior = SF_LATENT_NONE;
    v.orthogonality = room(&a, 1, 1);
    CHECK_OK(ctx, sf_latent_at(ctx, plain, table(x, 1, 3), table(z, 1, 2), &v,
                               NULL, &o));
    v.orthogonality = room(&b, 1, 1);
    CHECK_OK(ctx, sf_latent_at(ctx, other, table(x, 1, 3), table(u, 1, 2), &v,
                               NULL, &o));
    CHECK(a > 0.1);
    CHECK_CLOSE(b, a, 1e-12);
    sf_decoder_free(other);
    sf_decoder_free(plain);
    sf_context_free(ctx);
}

/* Directions of x = Wz + n, W = [2 .5; 0 1; 1 1]: the eigenvectors of WW' to 16
 * digits, whose eigenvalues 6.05206097986845 and 1.19793902013155 are the squares of
 * the standard deviations.  The columns of W have the cosine 0.596. */
TEST(principal_directions_are_those_of_the_covariance)
{
    static const double x[] = {0.1, 0.2, 0.3};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, "2*z0 + 0.5*z1; z1; z0 + z1", 2, 0.5);
    double p[10];
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    v.principal = room(p, 1, 10);
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 1, 3), &v, NULL, NULL));
    const double want[] = {
        sqrt(6.0520609798684495),     2.0 * sqrt(6.0520609798684495),
        0.8141230090961027,           0.18924022995159803,
        0.5489916770117499,           sqrt(1.19793902013155),
        2.0 * sqrt(1.19793902013155), -0.4463996993475114,
        0.8086057802054468,           0.3832544854803294};
    for (int i = 0; i < 10; i++)
        CHECK_NEAR(p[i], want[i], 1e-13);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* The sheared map f = (z0 + z1^2/2, z1 e^(0.3 z0)) at (0.6, -0.8): contours and
 * information worked out from J by hand; their sum is ln p(x) without noise. */
TEST(contours_and_information_add_up_to_the_density_without_noise)
{
    static const double z[] = {0.6, -0.8};
    const double x[] = {0.92, -0.8 * exp(0.18)};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, "z0 + 0.5*z1^2; z1*exp(0.3*z0)", 2, 1.0);
    double contours[2], information;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    v.contours = room(contours, 1, 2);
    v.information = room(&information, 1, 1);
    CHECK_OK(ctx, sf_latent_at(ctx, d, table(x, 1, 2), table(z, 1, 2), &v, NULL,
                               NULL));
    CHECK_NEAR(contours[0], -1.1386027322562715, 1e-14);
    CHECK_NEAR(contours[1], -1.6035163972035502, 1e-14);
    CHECK_NEAR(information, 0.43743528351151784, 1e-14);
    CHECK_NEAR(contours[0] + contours[1] + information, -2.3046838459483037,
               1e-14);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* The paraboloid z1 = a r^2 has the curvature 4 a^2/(1 + 4 a^2 r^2)^2, which is 1 for
 * a = 1 at r = 1/2; a sphere of radius 2 has 1/4, in units of half a standard
 * deviation 1/16; the hyperbolic plane of normal distributions -1/2. */
TEST(curvatures_are_those_of_known_surfaces)
{
    static const double z[] = {0.4, -0.3};
    static const struct {
        const char *text, *log_sigma;
        double sigma, want;
    } cases[] = {
        {"z0; z1; z0^2 + z1^2", NULL, 1.0, 1.0},
        {"2*sin(z0)*cos(z1); 2*sin(z0)*sin(z1); 2*cos(z0)", NULL, 0.5, 0.0625},
        {"z0; z0 + z1; z1", NULL, 1.0, 0.0},
        {"z0", "z1", 0.0, -0.5}};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
        sf_latent_values v = SF_LATENT_VALUES_INIT;
        double x[3] = {0.0}, curvature;
        o.sigma = cases[i].log_sigma == NULL ? &cases[i].sigma : NULL;
        o.sigma_count = 1;
        o.log_sigma = cases[i].log_sigma;
        sf_decoder *d = new_decoder(ctx, cases[i].text, 2, &o);
        v.curvature = room(&curvature, 1, 1);
        CHECK_OK(ctx, sf_latent_at(ctx, d, table(x, 1, sf_decoder_dim(d)),
                                   table(z, 1, 2), &v, NULL, NULL));
        CHECK_NEAR(curvature, cases[i].want, 1e-12);
        sf_decoder_free(d);
    }
    sf_context_free(ctx);
}

/* ---- networks ------------------------------------------------------------------- */

enum { NET_LATENT = 3, NET_DIM = 6, NET_WIDTH = 8, NET_TEXT = 8192 };

/* f = V tanh(W z + b), and what it gives. */
struct net {
    double w[NET_WIDTH][NET_LATENT], b[NET_WIDTH], v[NET_DIM][NET_WIDTH];
    char text[NET_TEXT];
};

static double normal(uint64_t seed, int64_t i, int j)
{
    return sfi_normal_at((sfi_where){seed, (uint64_t)i, 0, SFI_STREAM_USER},
                         (uint32_t)j);
}

static void make_net(struct net *n, uint64_t seed)
{
    size_t used = 0;
    for (int i = 0; i < NET_WIDTH; i++) {
        n->b[i] = normal(seed, i, 0);
        for (int k = 0; k < NET_LATENT; k++)
            n->w[i][k] = normal(seed, i, 1 + k);
        for (int j = 0; j < NET_DIM; j++)
            n->v[j][i] = normal(seed, i, 8 + j) / sqrt(NET_WIDTH);
    }
    for (int j = 0; j < NET_DIM; j++)
        for (int i = 0; i < NET_WIDTH; i++)
            used += (size_t)snprintf(
                n->text + used, NET_TEXT - used,
                "%s%.17g*tanh(%.17g*z0 + %.17g*z1 + %.17g*z2 + %.17g)",
                i > 0   ? " + "
                : j > 0 ? "; "
                        : "",
                n->v[j][i], n->w[i][0], n->w[i][1], n->w[i][2], n->b[i]);
    CHECK(used < NET_TEXT);
}

static void decode(const struct net *n, const double *z, double *x)
{
    for (int j = 0; j < NET_DIM; j++) {
        x[j] = 0.0;
        for (int i = 0; i < NET_WIDTH; i++)
            x[j] += n->v[j][i] * tanh(n->w[i][0] * z[0] + n->w[i][1] * z[1] +
                                      n->w[i][2] * z[2] + n->b[i]);
    }
}

/* Score and Hessian of twenty networks by central differences of O with a step of
 * 1e-4: 1e-8 of third and fourth derivatives of order 1000, and 1e-16 of |O| = 100 over
 * the square of the step. */
TEST(derivatives_of_random_networks_are_differences)
{
    static struct net n;
    const double h = 1e-4, sigma = 0.3;
    sf_context *ctx = new_context();
    for (uint64_t seed = 0; seed < 20; seed++) {
        double x[NET_DIM], z[NET_LATENT], score[3], hessian[9], near[9][9];
        make_net(&n, seed);
        sf_decoder *d = isotropic(ctx, n.text, NET_LATENT, sigma);
        for (int k = 0; k < NET_LATENT; k++)
            z[k] = normal(seed, 100, k);
        decode(&n, z, x);
        for (int j = 0; j < NET_DIM; j++)
            x[j] += sigma * normal(seed, 101, j);
        sf_latent_values v = SF_LATENT_VALUES_INIT;
        v.score = room(score, 1, 3);
        v.hessian = room(hessian, 1, 9);
        CHECK_OK(ctx, sf_latent_at(ctx, d, table(x, 1, NET_DIM), table(z, 1, 3),
                                   &v, NULL, NULL));
        /* O by hand on a cross of steps in each pair of directions. */
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                for (int s = 0; s < 4; s++) {
                    double at[3] = {z[0], z[1], z[2]}, f[NET_DIM], sum = 0.0;
                    at[a] += s % 2 == 0 ? h : -h;
                    at[b] += s / 2 == 0 ? h : -h;
                    decode(&n, at, f);
                    for (int j = 0; j < NET_DIM; j++)
                        sum -= 0.5 * (x[j] - f[j]) * (x[j] - f[j]) /
                               (sigma * sigma);
                    for (int k = 0; k < 3; k++)
                        sum -= 0.5 * at[k] * at[k];
                    near[3 * a + b][s] = sum;
                }
        for (int a = 0; a < 3; a++) {
            CHECK_NEAR(score[a], (near[4 * a][0] - near[4 * a][3]) / (4.0 * h),
                       1e-5);
            for (int b = 0; b < 3; b++) {
                const double *o = near[3 * a + b];
                const double mixed =
                    (o[0] - o[1] - o[2] + o[3]) / (4.0 * h * h);
                CHECK_NEAR(hessian[3 * a + b], mixed, 1e-4);
            }
        }
        sf_decoder_free(d);
    }
    sf_context_free(ctx);
}

/* Ten thousand rows that a network made: all are certified, nearly all at a maximum at
 * least as good as the point that made them, and no misfit is out of proportion. */
TEST(rows_of_a_network_are_certified)
{
    enum { ROWS = 10000 };
    static struct net n;
    static double x[ROWS * NET_DIM], z[ROWS * NET_LATENT], joint[ROWS],
        made[ROWS];
    const double sigma = 0.1;
    sf_context *ctx = new_context();
    make_net(&n, 3);
    sf_decoder *d = isotropic(ctx, n.text, NET_LATENT, sigma);
    for (int64_t i = 0; i < ROWS; i++) {
        for (int k = 0; k < NET_LATENT; k++)
            z[i * NET_LATENT + k] = normal(5, i, k);
        decode(&n, z + i * NET_LATENT, x + i * NET_DIM);
        for (int j = 0; j < NET_DIM; j++)
            x[i * NET_DIM + j] += sigma * normal(5, i, 8 + j);
    }
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    v.logjoint = room(made, ROWS, 1);
    CHECK_OK(ctx, sf_latent_at(ctx, d, table(x, ROWS, NET_DIM),
                               table(z, ROWS, NET_LATENT), &v, NULL, NULL));
    v.logjoint = room(joint, ROWS, 1);
    CHECK_OK(ctx,
             sf_latent_infer(ctx, d, table(x, ROWS, NET_DIM), &v, &r, NULL));
    int64_t better = 0;
    for (int64_t i = 0; i < ROWS; i++)
        better += joint[i] >= made[i];
    CHECK(r.converged >= ROWS - 10);
    CHECK(r.maxima >= ROWS - 10);
    CHECK(better >= ROWS - 10);
    CHECK(r.unreachable == 0);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* ---- inference ------------------------------------------------------------------ */

enum { STRIP_ROWS = 1000 };

static const char strip[] =
    "(3 + z0)*cos(3 + z0)/3; z1; (3 + z0)*sin(3 + z0)/3";

/* Rows of the rolled strip, and their maxima on a grid of 40001 angles: z1 has a
 * closed form, x1/(1 + sigma^2). */
static void make_strip(double *x, double sigma)
{
    for (int64_t i = 0; i < STRIP_ROWS; i++) {
        const sfi_where where = {7, (uint64_t)i, 0, SFI_STREAM_USER};
        const double a = 3.0 + sfi_normal_at(where, 0);
        x[3 * i] = a * cos(a) / 3.0 + sigma * sfi_normal_at(where, 2);
        x[3 * i + 1] =
            sfi_normal_at(where, 1) + sigma * sfi_normal_at(where, 3);
        x[3 * i + 2] = a * sin(a) / 3.0 + sigma * sfi_normal_at(where, 4);
    }
}

static double best_of_grid(const double *x, double sigma)
{
    double best = -INFINITY;
    for (int i = 0; i <= 40000; i++) {
        const double z = -6.0 + 12.0 * i / 40000.0, a = 3.0 + z;
        const double e0 = (x[0] - a * cos(a) / 3.0) / sigma;
        const double e2 = (x[2] - a * sin(a) / 3.0) / sigma;
        best = fmax(best, -0.5 * (e0 * e0 + e2 * e2 + z * z));
    }
    return best - 0.5 * x[1] * x[1] / (1.0 + sigma * sigma) - 3.0 * log(sigma) -
           2.5 * log(2.0 * pi);
}

/* The grid's spacing of 3e-4 misses its maximum by less than 1e-5 nats (curvature
 * (|f'|/sigma)^2 = 1000, (1.5e-4)^2/2 of it). */
TEST(the_global_maximum_of_a_rolled_strip_is_found)
{
    static double x[STRIP_ROWS * 3], joint[STRIP_ROWS];
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, strip, 2, 0.1);
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    make_strip(x, 0.1);
    v.logjoint = room(joint, STRIP_ROWS, 1);
    CHECK_OK(ctx,
             sf_latent_infer(ctx, d, table(x, STRIP_ROWS, 3), &v, &r, NULL));
    int64_t found = 0;
    for (int64_t i = 0; i < STRIP_ROWS; i++) {
        const double want = best_of_grid(x + 3 * i, 0.1);
        CHECK(joint[i] < want + 1e-4);
        found += joint[i] > want - 1e-4;
    }
    CHECK(found >= STRIP_ROWS - 2);
    assert_int_equal(r.rows, STRIP_ROWS);
    assert_int_equal(r.converged, STRIP_ROWS);
    assert_int_equal(r.maxima, STRIP_ROWS);
    CHECK(r.worst_orthogonality <= 1e-8);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* z1 = 0 is stationary for x1 = 0 by symmetry, and where x2 is above 1/2 a saddle of
 * (z0; z1; z1^2) with unit noise and prior: d2O/dz1^2 = 2 x2 - 2.  The maxima are at
 * z1 = +-sqrt(x2 - 1). */
TEST(saddles_are_left)
{
    static const double x[] = {0.4, 0.0, 3.0};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, "z0; z1; z1^2", 2, 1.0);
    double z[2], kind, ambiguous = NAN;
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    v.z = room(z, 1, 2);
    v.kind = room(&kind, 1, 1);
    v.ambiguous = room(&ambiguous, 1, 1);
    o.tolerance = 1e-13;
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 1, 3), &v, &r, &o));
    CHECK_NEAR(z[0], 0.2, 1e-12);
    CHECK_NEAR(fabs(z[1]), sqrt(2.0), 1e-12);
    CHECK(kind == 1.0);
    assert_int_equal(r.ambiguous, 1);
    CHECK(ambiguous == 1.0);
    assert_int_equal(r.saddles, 0);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* At the one start, the origin, everything is symmetric: it is the stationary point of
 * the row (0, 0, 1.0001), a saddle beside two maxima at z1 = +-0.01 that the codebook is
 * too coarse to see. */
TEST(a_start_on_a_saddle_is_no_end)
{
    static const double x[] = {0.0, 0.0, 1.0001};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, "z0; z1; z1^2", 2, 1.0);
    double z[2];
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    v.z = room(z, 1, 2);
    o.starts = 1;
    o.tolerance = 1e-13;
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 1, 3), &v, &r, &o));
    CHECK_NEAR(z[0], 0.0, 1e-12);
    CHECK_NEAR(fabs(z[1]), 0.01, 1e-7);
    assert_int_equal(r.maxima, 1);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* A coordinate that f does not use is not determined without a prior, and normal with
 * it; rows are given in both cases. */
TEST(what_the_decoder_does_not_use_is_undetermined)
{
    static const double x[] = {0.5, 1.1, -0.3};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, "z0; 2*z0; z0 + 0*z1", 2, 0.5);
    double kind, residual[3];
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    v.kind = room(&kind, 1, 1);
    v.residual = room(residual, 1, 3);
    o.prior = SF_LATENT_NONE;
    o.tolerance = 1e-14;
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 1, 3), &v, &r, &o));
    CHECK(kind == 0.0);
    assert_int_equal(r.undetermined, 1);
    CHECK_NEAR(residual[0], 0.5 - 2.4 / 6.0, 1e-12);
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 1, 3), &v, &r, NULL));
    CHECK(kind == 1.0);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* Values of 1e6 with noise of 1e-3: x - f has 7 digits of its 1e9 standard deviations,
 * and the certificate cannot be 1e-8. */
TEST(large_offsets_are_certified_to_their_rounding)
{
    static const double x[] = {1000000.3, 1000000.1, -999999.8};
    sf_context *ctx = new_context();
    sf_decoder *d =
        isotropic(ctx, "1e6 + z0; 1e6 + z0^2; -1e6 + sin(z0)", 1, 1e-3);
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    double z;
    v.z = room(&z, 1, 1);
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 1, 3), &v, &r, NULL));
    assert_int_equal(r.converged, 1);
    CHECK(fabs(z - 0.26) < 0.1);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* 1/sqrt(z0) is not finite for half of the starts, and for none of log(-1 - z0^2). */
TEST(starts_where_the_decoder_is_not_finite_are_dropped)
{
    static const double x[] = {1.0, 0.5, 2.0, 0.1};
    double z[2];
    sf_context *ctx = new_context();
    sf_decoder *half = isotropic(ctx, "sqrt(z0); z0", 1, 0.3);
    sf_decoder *none = isotropic(ctx, "log(-1 - z0^2); z0", 1, 0.3);
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    v.z = room(z, 2, 1);
    CHECK_OK(ctx, sf_latent_infer(ctx, half, table(x, 2, 2), &v, &r, NULL));
    assert_int_equal(r.converged, 2);
    CHECK(z[0] > 0.0 && z[1] > 0.0);
    CHECK_FAILS(ctx, sf_latent_infer(ctx, none, table(x, 2, 2), &v, &r, NULL),
                SF_E_NUMERIC, "not finite at any start");
    assert_int_equal(r.undefined, 2);
    CHECK(isnan(z[0]));
    sf_decoder_free(none);
    sf_decoder_free(half);
    sf_context_free(ctx);
}

/* Rows far from a manifold are told: 0 of rows of the model, all of rows at a distance
 * of 40 standard deviations. */
TEST(rows_that_are_not_on_the_manifold_are_counted)
{
    static double x[30 * 3];
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, quadratic, 2, 0.1);
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    for (int i = 0; i < 30; i++) {
        const sfi_where where = {3, (uint64_t)i, 0, SFI_STREAM_USER};
        const double a = sfi_normal_at(where, 0), b = sfi_normal_at(where, 1);
        x[3 * i] = a + 0.3 * b * b + 0.1 * sfi_normal_at(where, 2);
        x[3 * i + 1] = b + 0.2 * a * b + 0.1 * sfi_normal_at(where, 3);
        x[3 * i + 2] = a * a - 0.5 * b + 0.1 * sfi_normal_at(where, 4);
        if (i >= 20)
            x[3 * i + 2] -= 20.0;
    }
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 30, 3), &v, &r, NULL));
    assert_int_equal(r.unreachable, 10);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* ---- evidence ------------------------------------------------------------------- */

/* The closed form of x = Wz + n of a row whose digits were found with 40 of them; and
 * the same number by Laplace's integral, which is exact here. */
TEST(the_density_of_a_linear_decoder_is_exact)
{
    static const double sigma[] = {0.4, 0.7, 0.5, 0.9};
    static const double x[] = {0.5, -0.2, 1.1, 0.3, 2.0, 0.4, -0.5, -1.2};
    sf_context *ctx = new_context();
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    o.sigma = sigma;
    o.sigma_count = 4;
    sf_decoder *d = new_decoder(
        ctx, "1.5*z0 + 0.5*z1 + 0.3; z1 - 0.2*z0; z0 + z1; 0.7*z1 - 1", 2, &o);
    double logpdf[2], se[2];
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    CHECK(sf_decoder_is_linear(d));
    v.logpdf = room(logpdf, 2, 1);
    v.logpdf_se = room(se, 2, 1);
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 2, 4), &v, &r, NULL));
    CHECK_NEAR(logpdf[0], -5.72287467316674, 1e-12);
    CHECK_NEAR(logpdf[1], -8.352293676348255, 1e-12);
    CHECK(se[0] == 0.0 && se[1] == 0.0 && r.worst_se == 0.0);
    CHECK_NEAR(r.mean_logpdf, 0.5 * (logpdf[0] + logpdf[1]), 1e-14);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* Signal over noise of 1e9 and 1: ln p of each column is normal, of variances
 * 1e10 + 1e-8 and 2e-8; the Hessian is singular to its rounding, the density is not. */
TEST(densities_are_exact_where_the_noise_is_tiny)
{
    static const double x[] = {3e4, -2e-4};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, "1e5*z0; 1e-4*z1", 2, 1e-4);
    double logpdf;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    v.logpdf = room(&logpdf, 1, 1);
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 1, 2), &v, NULL, NULL));
    const double want = -log(2.0 * pi) - 0.5 * log(1e10) - 0.5 * 0.09 -
                        0.5 * log(2e-8) - 0.5 * 4e-8 / 2e-8;
    CHECK_NEAR(logpdf, want, 1e-7);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

enum { CURVE_ROWS = 100 };

static const char curve[] =
    "2*tanh(z0); sin(1.5*z0) + 0.2*z0; exp(0.4*z0) - 1; 0.5*z0";

/* ln p(x) of the curve by the trapezoid rule on [-9, 9], whose error is exponentially
 * small; the noise is 0.3. */
static double curve_evidence(const double *x)
{
    enum { STEPS = 20000 };
    const double h = 18.0 / STEPS;
    double sum = 0.0;
    for (int i = 0; i <= STEPS; i++) {
        const double z = -9.0 + h * i;
        const double f[] = {2.0 * tanh(z), sin(1.5 * z) + 0.2 * z,
                            exp(0.4 * z) - 1.0, 0.5 * z};
        double square = z * z;
        for (int k = 0; k < 4; k++)
            square += (x[k] - f[k]) * (x[k] - f[k]) / 0.09;
        sum += h * exp(-0.5 * square);
    }
    return log(sum) - 4.0 * log(0.3) - 2.5 * log(2.0 * pi);
}

static void make_curve(double *x)
{
    for (int64_t i = 0; i < CURVE_ROWS; i++) {
        const sfi_where where = {11, (uint64_t)i, 0, SFI_STREAM_USER};
        const double z = sfi_normal_at(where, 0);
        const double f[] = {2.0 * tanh(z), sin(1.5 * z) + 0.2 * z,
                            exp(0.4 * z) - 1.0, 0.5 * z};
        for (int k = 0; k < 4; k++)
            x[4 * i + k] = f[k] + 0.3 * sfi_normal_at(where, (uint32_t)(k + 1));
    }
}

/* The quadrature is right at a row whose evidence is known to 16 digits.  Errors over
 * their standard error have the standard deviation 1, that of 100 of them within
 * +-0.25 except once in 2000 runs (the seed is fixed); a largest one above 4.5 once in
 * 1500. */
TEST(importance_sampling_errs_by_its_standard_error)
{
    static const double known[] = {1.1, 0.9, 0.2, 0.4};
    static double x[CURVE_ROWS * 4], logpdf[CURVE_ROWS], se[CURVE_ROWS];
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, curve, 1, 0.3);
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    CHECK_NEAR(curve_evidence(known), -0.9749013519609742, 1e-11);
    make_curve(x);
    v.logpdf = room(logpdf, CURVE_ROWS, 1);
    v.logpdf_se = room(se, CURVE_ROWS, 1);
    CHECK_OK(ctx,
             sf_latent_infer(ctx, d, table(x, CURVE_ROWS, 4), &v, &r, NULL));
    double squares = 0.0, largest = 0.0;
    for (int64_t i = 0; i < CURVE_ROWS; i++) {
        const double error = (logpdf[i] - curve_evidence(x + 4 * i)) / se[i];
        CHECK(se[i] > 0.001 && se[i] < 0.1);
        squares += error * error / CURVE_ROWS;
        largest = fmax(largest, fabs(error));
    }
    CHECK(sqrt(squares) > 0.75 && sqrt(squares) < 1.25);
    CHECK(largest < 4.5);
    assert_int_equal(r.doubtful, 0);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* The surface, whose evidence is known by quadrature with 40 digits to be -3.47909...
 * and -2.93753...; Laplace's integral is off by 0.12 and 0.04. */
TEST(many_samples_reach_the_evidence_of_the_surface)
{
    static const double x[] = {1.2, -0.7, 0.9, -0.4, 0.8, 0.1};
    static const double want[] = {-3.4790934327969922, -2.9375350235564786};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, quadratic, 2, 0.5);
    double logpdf[2], se[2];
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    o.samples = 100000;
    v.logpdf = room(logpdf, 2, 1);
    v.logpdf_se = room(se, 2, 1);
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, 2, 3), &v, NULL, &o));
    for (int i = 0; i < 2; i++) {
        CHECK(se[i] < 0.003);
        CHECK_NEAR(logpdf[i], want[i], 4.0 * se[i]);
    }
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* ---- rows, threads, memory -------------------------------------------------------- */

enum { NUMBERS = STRIP_ROWS * 5 };

/* z, certificate, logpdf and its standard error of `rows` rows of the strip. */
static void strip_values(sf_context *ctx, const double *x, int64_t rows,
                         double *out)
{
    sf_decoder *d = isotropic(ctx, strip, 2, 0.1);
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    o.samples = 32;
    v.z = (sf_mat){out, rows, 2, 5};
    v.orthogonality = (sf_mat){out + 2, rows, 1, 5};
    v.logpdf = (sf_mat){out + 3, rows, 1, 5};
    v.logpdf_se = (sf_mat){out + 4, rows, 1, 5};
    CHECK_OK(ctx, sf_latent_infer(ctx, d, table(x, rows, 3), &v, NULL, &o));
    sf_decoder_free(d);
}

TEST(results_have_the_same_bits_for_any_number_of_threads)
{
    static double x[STRIP_ROWS * 3], first[NUMBERS], again[NUMBERS];
    static const int threads[] = {1, 2, 7};
    sf_context *ctx = new_context();
    make_strip(x, 0.1);
    for (int t = 0; t < 3; t++) {
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
        strip_values(ctx, x, STRIP_ROWS, t == 0 ? first : again);
        if (t > 0)
            assert_memory_equal(first, again, sizeof first);
    }
    sf_context_free(ctx);
}

TEST(a_row_does_not_depend_on_the_others)
{
    static double x[STRIP_ROWS * 3], all[NUMBERS];
    double few[7 * 5];
    sf_context *ctx = new_context();
    make_strip(x, 0.1);
    strip_values(ctx, x, STRIP_ROWS, all);
    strip_values(ctx, x, 7, few);
    assert_memory_equal(few, all, sizeof few);
    sf_context_free(ctx);
}

/* All of it, with the k-th allocation failing, for every k. */
static sf_status everything_at_once(sf_context *ctx)
{
    static const double x[] = {1.2, -0.7, 0.9, -0.4, 0.8, 0.1};
    double z[4], logpdf[2], principal[20];
    sf_decoder *d = NULL;
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    o.samples = 16;
    v.z = room(z, 2, 2);
    v.logpdf = room(logpdf, 2, 1);
    v.principal = room(principal, 2, 10);
    sf_decoder_options noise = SF_DECODER_OPTIONS_INIT;
    noise.log_sigma = "0.1*z0";
    const sf_status status = sf_decoder_new(ctx, &d, quadratic, 2, &noise);
    if (status != SF_OK) {
        CHECK(d == NULL);
        return status;
    }
    const sf_status end = sf_latent_infer(ctx, d, table(x, 2, 3), &v, NULL, &o);
    sf_decoder_free(d);
    return end;
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    CHECK_OK(ctx, sf_context_set_threads(ctx, 1));
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        faults.left = k;
        status = everything_at_once(ctx);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        CHECK(faults.bytes == faults.own);
    }
    sf_context_free(ctx);
}

/* ---- refusals -------------------------------------------------------------------- */

TEST(what_has_no_answer_is_refused)
{
    static const double x[] = {1.0, 2.0};
    double number[2];
    sf_context *ctx = new_context();
    sf_decoder *square = isotropic(ctx, "z0; z1", 2, 1.0);
    sf_decoder *line = isotropic(ctx, "z0; z0^2", 1, 1.0);
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    o.prior = SF_LATENT_NONE;
    const sf_cmat row = table(x, 1, 2);
    CHECK_FAILS(ctx, sf_latent_infer(ctx, square, row, &v, NULL, &o), SF_E_ARG,
                "2 latent numbers for 2 columns without a prior");
    v.logpdf = room(number, 1, 1);
    CHECK_FAILS(ctx, sf_latent_infer(ctx, line, row, &v, NULL, &o), SF_E_ARG,
                "no p(x) without a prior");
    v.logpdf = room(number, 2, 1);
    CHECK_FAILS(ctx, sf_latent_infer(ctx, line, row, &v, NULL, NULL),
                SF_E_SHAPE, "logpdf is [2, 1], want [1, 1]");
    CHECK_FAILS(ctx,
                sf_latent_infer(ctx, line, table(x, 2, 1), NULL, NULL, NULL),
                SF_E_SHAPE, "x has 1 columns, the decoder 2");
    const double nan_row[] = {1.0, NAN};
    CHECK_FAILS(
        ctx, sf_latent_infer(ctx, line, table(nan_row, 1, 2), NULL, NULL, NULL),
        SF_E_NUMERIC, "x");
    v = (sf_latent_values)SF_LATENT_VALUES_INIT;
    v.curvature = room(number, 1, 1);
    CHECK_FAILS(ctx, sf_latent_infer(ctx, line, row, &v, NULL, NULL), SF_E_ARG,
                "the Gaussian curvature is of 2");
    sf_decoder_free(line);
    sf_decoder_free(square);
    sf_context_free(ctx);
}

TESTS(CASE(points_and_geometry_are_those_of_forty_digits),
      CASE(residuals_are_orthogonal_in_the_product_of_the_inverse_covariance),
      CASE(score_and_hessian_are_derivatives_of_the_objective),
      CASE(the_certificate_does_not_depend_on_the_units_of_z),
      CASE(principal_directions_are_those_of_the_covariance),
      CASE(contours_and_information_add_up_to_the_density_without_noise),
      CASE(curvatures_are_those_of_known_surfaces),
      CASE(derivatives_of_random_networks_are_differences),
      CASE(rows_of_a_network_are_certified),
      CASE(the_global_maximum_of_a_rolled_strip_is_found),
      CASE(saddles_are_left), CASE(a_start_on_a_saddle_is_no_end),
      CASE(what_the_decoder_does_not_use_is_undetermined),
      CASE(large_offsets_are_certified_to_their_rounding),
      CASE(starts_where_the_decoder_is_not_finite_are_dropped),
      CASE(rows_that_are_not_on_the_manifold_are_counted),
      CASE(the_density_of_a_linear_decoder_is_exact),
      CASE(densities_are_exact_where_the_noise_is_tiny),
      CASE(importance_sampling_errs_by_its_standard_error),
      CASE(many_samples_reach_the_evidence_of_the_surface),
      CASE(results_have_the_same_bits_for_any_number_of_threads),
      CASE(a_row_does_not_depend_on_the_others),
      CASE(every_allocation_may_fail), CASE(what_has_no_answer_is_refused))
