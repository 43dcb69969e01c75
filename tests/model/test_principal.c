/* SPDX-License-Identifier: Apache-2.0 */
/* test_principal.c - contours and principal directions of maps whose derivatives are known
 * (to 40 digits), and of flows with random weights. */
#include "base/random.h"
#include "faults.h"
#include "model/coupling_flow.h"
#include "typed.h"

/* A map z = z* + G (x - x*), all that counts of a flow at x*; the numbers are J = G^-1. */
static double point_z[3], point_x[3], point_g[9];

static sf_status affine_declare(sf_model *m)
{
    const int64_t one = 1;
    m->weight_dtype = SF_F64;
    return sfi_add_weight(m, "none", 1, &one);
}

static sf_node affine_code(const sf_model *m, sf_graph *g, sf_node y,
                           const sf_node *weights)
{
    const int64_t d = m->dim, shape[] = {d, d};
    (void)weights;
    const sf_node off = sf_sub(g, y, sf_const_array(g, 1, &d, point_x));
    return sf_add(g, sf_const_array(g, 1, &d, point_z),
                  sf_matmul(g, sf_const_array(g, 2, shape, point_g), off));
}

static const sfi_model_ops affine_ops = {.family = "affine",
                                         .noiseless = true,
                                         .closed = true,
                                         .invertible = true,
                                         .declare = affine_declare,
                                         .code = affine_code};

static void invert(const double *j, double *g, int d)
{
    double a[9];
    memcpy(a, j, (size_t)(d * d) * sizeof *a);
    for (int i = 0; i < d * d; i++)
        g[i] = i % (d + 1) == 0;
    for (int k = 0; k < d; k++) {
        const double pivot = a[k * d + k];
        for (int i = 0; i < d; i++) {
            a[k * d + i] /= pivot;
            g[k * d + i] /= pivot;
        }
        for (int i = 0; i < d; i++) {
            const double f = a[i * d + k];
            for (int c = 0; c < d && i != k; c++) {
                a[i * d + c] -= f * a[k * d + c];
                g[i * d + c] -= f * g[k * d + c];
            }
        }
    }
}

typedef struct known_map {
    int d;
    double z[3], x[3], j[9], logpdf, contours[3], information;
} known_map;

/* Polar coordinates, which are a principal component flow; a sheared map; three
 * dimensions. */
static const known_map known[] = {
    {2,
     {0.6, -0.8},
     {1.6675504548250544, 0.8681448500179878},
     {-0.6945158800143904, 0.13304923841689262, 1.3340403638600435,
      0.06926687633122243},
     -0.8488853070511123,
     {-1.5070667587323208, 0.6581814516812086},
     0.0},
    {2,
     {0.3, 0.9},
     {0.705, 0.9847568553346894},
     {1.0, 0.9, 0.2954270566004068, 1.0941742837052104},
     -2.099485040864657,
     {-1.0057768029809704, -1.6723132164307009},
     0.578604978547014},
    {3,
     {0.4, -0.7, 0.5},
     {0.29500000000000004, -0.708300947372471, 0.54},
     {1.0, 0.15, -0.21, -0.1516601894744942, 1.0832870676749586, 0.1, 0.2, 0.0,
      1.0},
     -3.350512531438841,
     {-1.0294864653263132, -1.253434405677256, -1.070282194344176},
     0.002690533908904056}};

TEST(contours_and_information_are_the_known_ones)
{
    for (size_t i = 0; i < SFI_COUNT(known); i++) {
        const known_map *k = &known[i];
        const int d = k->d;
        sf_context *ctx = new_context();
        sf_model *m = NULL;
        double contours[3], information, sd[3], directions[9], manifold, rank;
        CHECK_OK(ctx,
                 sfi_model_new(ctx, &m, &affine_ops, d, NULL, NULL, 0, NULL));
        memcpy(point_z, k->z, sizeof point_z);
        memcpy(point_x, k->x, sizeof point_x);
        invert(k->j, point_g, d);
        const sf_principal out = {.contours = {contours, 1, d, d},
                                  .information = {&information, 1, 1, 1},
                                  .sd = {sd, 1, d, d},
                                  .directions = {directions, 1, d * d, d * d},
                                  .manifold = {&manifold, 1, 1, 1},
                                  .rank = {&rank, 1, 1, 1}};
        CHECK_OK(ctx, sf_model_principal(m, (sf_cmat){k->x, 1, d, d}, 0, &out));
        double sum = information;
        for (int j = 0; j < d; j++) {
            CHECK_NEAR(contours[j], k->contours[j], 1e-13);
            sum += contours[j];
        }
        CHECK_NEAR(information, k->information, 1e-14);
        CHECK_NEAR(sum, k->logpdf, 1e-13);
        /* J J' = sum sd^2 u u'. */
        for (int a = 0; a < d; a++)
            for (int b = 0; b < d; b++) {
                double want = 0.0, got = 0.0;
                for (int c = 0; c < d; c++) {
                    want += k->j[a * d + c] * k->j[b * d + c];
                    got += sd[c] * sd[c] * directions[c * d + a] *
                           directions[c * d + b];
                }
                CHECK_NEAR(got, want, 1e-13);
            }
        CHECK(sd[0] >= sd[1]);
        /* One latent variable moves x much more than the other of polar
         * coordinates. */
        if (i == 0) {
            CHECK(rank == 1.0);
            CHECK_NEAR(manifold, contours[0], 1e-15);
            CHECK_NEAR(directions[1], 1.3340403638600435 / sd[0], 1e-13);
        }
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

/* Columns in other units: the sum of contours and information is still ln p, and all
 * ranks together are the contours. */
TEST(contours_and_information_add_up)
{
    enum { N = 300 };
    static double x[4 * N], contours[4 * N], information[N], logp[N];
    static double manifold[N], rank[N];
    for (int d = 1; d <= 4; d++) {
        sf_context *ctx = new_context();
        sf_model *m = NULL;
        sfi_number numbers[SFI_MAX_NUMBERS];
        const sfi_flow_shape s = {3, 8, 8, SFI_SPLINE, 0.0, false};
        const int count = sfi_flow_numbers(numbers, &s);
        CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_flow_ops, d, NULL, NULL,
                                    count, numbers));
        CHECK_OK(ctx, sfi_flow_initialise(m, 3));
        for (int64_t i = 0; i < sfi_trained_weights(m); i++) {
            const sfi_where w = {1, (uint64_t)i, 0, SFI_STREAM_USER};
            m->weights[i] = (float)(0.2 * sfi_normal_at(w, 0));
        }
        for (int j = 0; j < d; j++)
            m->scale[j] = pow(10.0, j - 1);
        for (int i = 0; i < N * d; i++) {
            const sfi_where w = {2, (uint64_t)(i / d), 0, SFI_STREAM_USER};
            x[i] = m->scale[i % d] * sfi_normal_at(w, (uint32_t)(i % d));
        }
        const sf_cmat points = {x, N, d, d};
        const sf_principal out = {.contours = {contours, N, d, d},
                                  .information = {information, N, 1, 1},
                                  .manifold = {manifold, N, 1, 1},
                                  .rank = {rank, N, 1, 1}};
        CHECK_OK(ctx, sf_model_principal(m, points, d, &out));
        CHECK_OK(ctx, eval_typed(m, points, logp, (sf_mat){0}));
        for (int i = 0; i < N; i++) {
            double sum = 0.0;
            for (int j = 0; j < d; j++)
                sum += contours[i * d + j];
            CHECK(information[i] >= -1e-12);
            CHECK(rank[i] == (double)d);
            CHECK_NEAR(manifold[i], sum, 1e-12 * (1.0 + fabs(sum)));
            CHECK_NEAR(sum + information[i], logp[i],
                       1e-10 * (1.0 + fabs(logp[i])));
        }
        CHECK_FAILS(ctx, sf_model_principal(m, points, d + 1, &out), SF_E_ARG,
                    "rank is");
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

TEST(other_models_have_none)
{
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    const double x[] = {0.0}, c[] = {1.0};
    double information;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 1, NULL, x, c));
    const sf_principal out = {.information = {&information, 1, 1, 1}};
    CHECK_FAILS(ctx, sf_model_principal(m, (sf_cmat){x, 1, 1, 1}, 0, &out),
                SF_E_UNSUPPORTED, "is no invertible flow");
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(contours_and_information_are_the_known_ones),
      CASE(contours_and_information_add_up), CASE(other_models_have_none))
