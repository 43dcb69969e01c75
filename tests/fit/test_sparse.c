/* SPDX-License-Identifier: Apache-2.0 */
/* test_sparse.c - paths of penalties: optimality at each of them, their ends, the
 * default multiplier, supports that are found, and refits in closed form. */
#include "base/random.h"
#include "check.h"
#include "typed.h"
#include "faults.h"
#include "num/probability.h"
#include "scorefield/matching.h"

enum { DIM = 6, ROWS = 400, NUMBERS = DIM * (DIM + 1) / 2 };

static double normal_of(uint64_t point, uint32_t j)
{
    return sfi_normal_at((sfi_where){21, point, 0, SFI_STREAM_USER}, j);
}

/* A chain: x_j = 0.6 x_{j-1} + noise of sd 1, so that the precision has one diagonal
 * beside the main one, -0.6. */
static sf_cmat chain(void)
{
    static double x[ROWS * DIM];
    for (uint32_t i = 0; i < ROWS; i++)
        for (uint32_t j = 0; j < DIM; j++)
            x[i * DIM + j] =
                normal_of(i, j) + (j > 0 ? 0.6 * x[i * DIM + j - 1] : 0.0);
    return (sf_cmat){x, ROWS, DIM, DIM};
}

static sf_cmat positive(int64_t rows)
{
    static double x[ROWS * DIM];
    for (uint32_t i = 0; i < ROWS; i++) {
        const double common = normal_of(i, 50);
        for (uint32_t j = 0; j < DIM; j++)
            x[i * DIM + j] = 0.05 + fabs(normal_of(i, 60 + j) + 0.5 * common);
    }
    return (sf_cmat){x, rows, DIM, DIM};
}

static sf_model *density_of(sf_context *ctx, const char *text,
                            const char *domain)
{
    static const double values[DIM * DIM] = {1.0};
    const sf_parameter parameters[] = {{"K", 2, {DIM, DIM}, values},
                                       {"b", 1, {DIM}, values}};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.domain = domain;
    o.parameter_count = strchr(text, 'b') != NULL ? 2 : 1;
    o.parameters = parameters;
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d, text, DIM, &o));
    return d;
}

static sf_sparse_options options_of(const char *parameters, const char *sparse)
{
    sf_sparse_options o = SF_SPARSE_OPTIONS_INIT;
    o.parameters = parameters;
    o.sparse = sparse;
    return o;
}

/* s = -K x: H of K is known from second moments m_kl = mean x_k x_l, and J = mean of
 * |K x|^2 / 2 - tr K.  The conditions are checked from these alone. */
static void check_conditions(const sf_sparse_path *p, sf_cmat x, int64_t l)
{
    double m[DIM][DIM] = {{0}}, k[DIM][DIM], most = 0.0;
    const double *t = p->estimates + l * p->numbers;
    for (int64_t i = 0; i < x.rows; i++)
        for (int a = 0; a < DIM; a++)
            for (int b = 0; b < DIM; b++)
                m[a][b] +=
                    x.data[i * DIM + a] * x.data[i * DIM + b] / (double)x.rows;
    for (int a = 0; a < DIM; a++)
        for (int b = 0; b <= a; b++)
            k[a][b] = k[b][a] = t[a * (a + 1) / 2 + b];
    for (int a = 0; a < DIM; a++)
        for (int b = 0; b <= a; b++) {
            double slope = a == b ? -1.0 : 0.0;
            for (int c = 0; c < DIM; c++)
                slope += a == b ? k[a][c] * m[c][b]
                                : k[a][c] * m[c][b] + k[b][c] * m[c][a];
            const double own = k[a][b] * (p->multiplier - 1.0) *
                               (a == b ? m[a][a] : m[a][a] + m[b][b]);
            const double least = a == b ? 0.0 : p->lambdas[l];
            slope += own;
            const double off = k[a][b] > 0.0   ? fabs(slope + least)
                               : k[a][b] < 0.0 ? fabs(slope - least)
                                               : fabs(slope) - least;
            most = fmax(most, off);
        }
    CHECK(most <= 1e-8 * p->lambdas[0]);
    CHECK(p->violation[l] <= 1e-9);
}

TEST(optimality_holds_at_every_penalty)
{
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, "-0.5*x*K*x", NULL);
    for (int round = 0; round < 2; round++) {
        sf_sparse_options o = options_of("K=symmetric", "K");
        sf_sparse_path p;
        o.multiplier = round == 0 ? 0.0 : 1.7;
        CHECK_OK(ctx, sf_match_sparse(ctx, &p, d, chain(), &o));
        CHECK(p.count == 100 && p.numbers == NUMBERS);
        CHECK(p.penalised == NUMBERS - DIM && p.block_most == DIM);
        CHECK_CLOSE(p.multiplier, round == 0 ? 1.0 : 1.7, 1e-15);
        CHECK_CLOSE(p.lambdas[99], 0.001 * p.lambdas[0], 1e-12);
        for (int64_t l = 0; l < p.count; l++)
            check_conditions(&p, chain(), l);
        /* Nothing at first, then something. */
        CHECK(p.edges[0] == 0 && p.edges[1] >= 1);
        sf_sparse_path_free(ctx, &p);
    }
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(just_below_the_largest_penalty_there_is_an_edge)
{
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, "-0.5*x*K*x", "positive");
    sf_sparse_options o = options_of("K=symmetric", "K");
    sf_sparse_path p;
    o.weight = "min(d, 3)";
    CHECK_OK(ctx, sf_match_sparse(ctx, &p, d, positive(ROWS), &o));
    const double most = p.lambdas[0];
    const double lambdas[] = {2.0 * most, most * (1.0 + 1e-6),
                              most * (1.0 - 1e-6)};
    sf_sparse_path_free(ctx, &p);
    o.lambdas = lambdas;
    o.lambda_count = 3;
    CHECK_OK(ctx, sf_match_sparse(ctx, &p, d, positive(ROWS), &o));
    CHECK(p.edges[0] == 0 && p.edges[1] == 0 && p.edges[2] == 1);
    sf_sparse_path_free(ctx, &p);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Without a penalty it is the estimate of sf_match_scores(), and so is the refit. */
TEST(no_penalty_is_the_estimate_without)
{
    static const char *const texts[] = {"-0.5*x*K*x", "-0.5*x*K*x + b*x"};
    static const char *const forms[] = {"K=symmetric", "K=symmetric; b"};
    sf_context *ctx = new_context();
    const double zero = 0.0;
    for (int t = 0; t < 2; t++)
        for (int bounded = 0; bounded < 2; bounded++) {
            sf_model *d =
                density_of(ctx, texts[t], bounded ? "positive" : NULL);
            const sf_cmat x = bounded ? positive(ROWS) : chain();
            sf_matching_options mo = SF_MATCHING_OPTIONS_INIT;
            sf_sparse_options o = options_of(forms[t], "K");
            sf_matching m;
            sf_sparse_path p;
            mo.parameters = forms[t];
            mo.weight = o.weight = bounded ? "min(d, 1)" : NULL;
            o.lambdas = &zero;
            o.lambda_count = 1;
            CHECK_OK(ctx, sf_match_scores(ctx, &m, d, x, &mo));
            CHECK_OK(ctx, sf_match_sparse(ctx, &p, d, x, &o));
            CHECK(p.numbers == m.count);
            for (int64_t k = 0; k < m.count; k++) {
                CHECK(strcmp(p.names[k], m.names[k]) == 0);
                CHECK_NEAR(p.estimates[k], m.estimate[k], 1e-6);
                CHECK_NEAR(p.estimate[k], m.estimate[k], 1e-10);
            }
            CHECK_CLOSE(p.refit[0], m.objective, 1e-12);
            CHECK_CLOSE(p.objective[0], m.objective, 1e-9);
            sf_sparse_path_free(ctx, &p);
            sf_matching_free(ctx, &m);
            sf_model_free(d);
        }
    sf_context_free(ctx);
}

/* The chain is found, and what is chosen is the density's.  The criterion by its
 * formula. */
TEST(a_chain_is_found)
{
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, "-0.5*x*K*x", NULL);
    sf_sparse_options o = options_of("K=symmetric", "K");
    sf_sparse_path p;
    CHECK_OK(ctx, sf_match_sparse(ctx, &p, d, chain(), &o));
    for (int a = 0; a < DIM; a++)
        for (int b = 0; b <= a; b++) {
            const double k = p.estimate[a * (a + 1) / 2 + b];
            CHECK((k != 0.0) == (a - b <= 1));
            if (a - b == 1)
                CHECK_NEAR(k, -0.6, 0.25);
        }
    const int64_t l = p.chosen;
    CHECK(p.edges[l] == DIM - 1);
    CHECK_CLOSE(p.criterion[l],
                2.0 * ROWS * p.refit[l] / p.scale + 5.0 * log(ROWS) +
                    log(3003.0),
                1e-12);
    for (int64_t i = 0; i < p.count; i++)
        CHECK(p.criterion[i] >= p.criterion[l]);
    double score[DIM];
    const double x[DIM] = {1.0};
    CHECK_OK(ctx, eval_typed(d, (sf_cmat){x, 1, DIM, DIM}, NULL,
                             (sf_mat){score, 1, DIM, DIM}));
    CHECK_CLOSE(score[0], -p.estimate[0], 1e-12);
    CHECK_CLOSE(score[1], -p.estimate[1], 1e-12);
    sf_sparse_path_free(ctx, &p);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* In other units J is other numbers, and the same edges are chosen.  The published
 * criterion has the scale 1. */
/* ---- graphs of truncated normal laws ------------------------------------------------ */

enum { NODES = 20, BLOCK = 5, MOST_ROWS = 1000, SWEEPS = 60 };

/* Blocks whose elements are 0 or in [0.5, 1]: none is negative, so that the law on
 * positive numbers has a finite integral. */
static void draw_graph(double k[NODES][NODES])
{
    memset(k, 0, sizeof(double[NODES][NODES]));
    for (uint32_t i = 0; i < NODES; i++)
        for (uint32_t j = i / BLOCK * BLOCK; j < i; j++) {
            const sfi_where where = {31, i, 0, SFI_STREAM_USER};
            if (sfi_uniform_at(where, 2 * j) < 0.4)
                k[i][j] = k[j][i] =
                    0.5 + 0.5 * sfi_uniform_at(where, 2 * j + 1);
        }
    for (int i = 0; i < NODES; i++)
        k[i][i] = 1.6;
}

/* Rows of exp(-x K x / 2), x > 0, by Gibbs sampling: x_j given the others is normal,
 * of mean -sum_k K_jk x_k / K_jj and variance 1/K_jj, above 0. */
static sf_cmat truncated(double k[NODES][NODES], int64_t rows)
{
    static double x[MOST_ROWS * NODES];
    for (int64_t i = 0; i < rows; i++) {
        double *row = x + i * NODES;
        for (int j = 0; j < NODES; j++)
            row[j] = 0.5;
        for (uint32_t s = 0; s < SWEEPS; s++)
            for (uint32_t j = 0; j < NODES; j++) {
                const double sd = 1.0 / sqrt(k[j][j]);
                double mean = row[j];
                for (int l = 0; l < NODES; l++)
                    mean -= k[j][l] * row[l] / k[j][j];
                const double u = sfi_uniform_at(
                    (sfi_where){32, (uint64_t)i, s, SFI_STREAM_USER}, j);
                const double below = 0.5 * erfc(-mean / sd * sqrt(0.5));
                row[j] =
                    fmax(1e-12, mean - sd * sfi_normal_quantile(u * below));
            }
    }
    return (sf_cmat){x, rows, NODES, NODES};
}

/* Under the curve of edges found over edges that are none, along the path. */
static double area_of(const sf_sparse_path *p, double k[NODES][NODES])
{
    double area = 0.0, hits = 0.0, wrong = 0.0;
    int edges = 0;
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < i; j++)
            edges += k[i][j] != 0.0;
    const int others = NODES * (NODES - 1) / 2 - edges;
    for (int64_t l = 0; l <= p->count; l++) {
        double h = edges, w = others;
        if (l < p->count) {
            h = w = 0.0;
            for (int i = 0; i < NODES; i++)
                for (int j = 0; j < i; j++) {
                    const bool found =
                        p->estimates[l * p->numbers + i * (i + 1) / 2 + j] !=
                        0.0;
                    h += found && k[i][j] != 0.0;
                    w += found && k[i][j] == 0.0;
                }
        }
        area += (w - wrong) * (h + hits) / 2.0 / edges / others;
        hits = h;
        wrong = w;
    }
    return area;
}

/* S. Yu, M. Drton, A. Shojaie, JMLR 20 (2019), section 6: the more rows, the larger the
 * area.  Chance has 1/2. */
TEST(graphs_of_truncated_laws_are_found_as_rows_grow)
{
    static double k[NODES][NODES];
    static const double ones[NODES * NODES] = {1.0};
    const sf_parameter parameter = {"K", 2, {NODES, NODES}, ones};
    sf_context *ctx = new_context();
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.domain = "positive";
    o.parameter_count = 1;
    o.parameters = &parameter;
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d, "-0.5*x*K*x", NODES, &o));
    sf_sparse_options s = options_of("K=symmetric", "K");
    s.weight = "min(d, 3)";
    s.lambda_count = 40;
    draw_graph(k);
    double area[3];
    static const int64_t rows[] = {80, 300, MOST_ROWS};
    for (int n = 0; n < 3; n++) {
        sf_sparse_path p;
        CHECK_OK(ctx, sf_match_sparse(ctx, &p, d, truncated(k, rows[n]), &s));
        area[n] = area_of(&p, k);
        sf_sparse_path_free(ctx, &p);
    }
    CHECK(area[1] > area[0] + 0.1 && area[2] > area[1] + 0.05);
    CHECK(area[2] > 0.95);
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(units_do_not_choose)
{
    static double y[ROWS * DIM];
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, "-0.5*x*K*x", NULL);
    sf_sparse_options o = options_of("K=symmetric", "K");
    sf_sparse_path p, q;
    for (int i = 0; i < ROWS * DIM; i++)
        y[i] = chain().data[i] / 20.0;
    CHECK_OK(ctx, sf_match_sparse(ctx, &p, d, chain(), &o));
    CHECK_OK(ctx,
             sf_match_sparse(ctx, &q, d, (sf_cmat){y, ROWS, DIM, DIM}, &o));
    CHECK(p.chosen == q.chosen);
    CHECK_CLOSE(q.scale, 400.0 * p.scale, 1e-6);
    CHECK_CLOSE(q.refit[q.chosen], 400.0 * p.refit[p.chosen], 1e-9);
    CHECK_CLOSE(q.criterion[q.chosen], p.criterion[p.chosen], 1e-6);
    sf_sparse_path_free(ctx, &q);
    o.scale = 1.0;
    CHECK_OK(ctx, sf_match_sparse(ctx, &q, d, chain(), &o));
    CHECK_CLOSE(q.scale, 1.0, 1e-15);
    CHECK_CLOSE(q.criterion[0], 2.0 * ROWS * q.refit[0], 1e-12);
    sf_sparse_path_free(ctx, &q);
    sf_sparse_path_free(ctx, &p);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Fewer rows than a block has numbers: a = 6 ln 6 / 4 = 2.688, and the multiplier is
 * 2 - 1/(1 + 4 e a). */
TEST(few_rows_have_a_multiplier)
{
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, "-0.5*x*K*x", "positive");
    sf_sparse_options o = options_of("K=symmetric", "K");
    sf_sparse_path p;
    o.weight = "min(d, 3)";
    CHECK_OK(ctx, sf_match_sparse(ctx, &p, d, positive(4), &o));
    const double a = 1.5 * log(6.0);
    CHECK_CLOSE(p.multiplier, 2.0 - 1.0 / (1.0 + 4.0 * exp(1.0) * a), 1e-14);
    for (int64_t l = 0; l < p.count; l++)
        CHECK(p.violation[l] <= 1e-9);
    sf_sparse_path_free(ctx, &p);
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    static const int threads[] = {1, 2, 7};
    static double first[100 * NUMBERS];
    for (size_t t = 0; t < SFI_COUNT(threads); t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
        sf_model *d = density_of(ctx, "-0.5*x*K*x", "positive");
        sf_sparse_options o = options_of("K=symmetric", "K");
        sf_sparse_path p;
        CHECK_OK(ctx, sf_match_sparse(ctx, &p, d, positive(ROWS), &o));
        CHECK(p.count == 100);
        if (t == 0)
            memcpy(first, p.estimates, sizeof first);
        CHECK(memcmp(first, p.estimates, sizeof first) == 0);
        sf_sparse_path_free(ctx, &p);
        sf_model_free(d);
        sf_context_free(ctx);
    }
}

static void refused(sf_context *ctx, sf_model *d, const sf_sparse_options *o,
                    sf_status status, const char *part)
{
    sf_sparse_path p;
    CHECK_FAILS(ctx, sf_match_sparse(ctx, &p, d, chain(), o), status, part);
    CHECK(p.names == NULL && p.estimates == NULL);
}

TEST(what_has_no_path_is_told)
{
    static const double ascending[] = {1.0, 2.0};
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, "-0.5*x*K*x + b*x", NULL);
    sf_sparse_options o = options_of("K=symmetric; b", NULL);
    refused(ctx, d, &o, SF_E_ARG, "no parameter is named");
    o.sparse = "K, c";
    refused(ctx, d, &o, SF_E_ARG, "\"c\" is no parameter");
    o.sparse = "K";
    o.gamma = 1.5;
    refused(ctx, d, &o, SF_E_ARG, "gamma is 1.5");
    o.gamma = 0.5;
    o.multiplier = 0.5;
    refused(ctx, d, &o, SF_E_ARG, "multiplier is 0.5");
    o.multiplier = 0.0;
    o.lambdas = ascending;
    o.lambda_count = 2;
    refused(ctx, d, &o, SF_E_ARG, "lambda 1 is 2");
    o.lambdas = NULL;
    o.parameters = "K=symmetric; b=positive";
    refused(ctx, d, &o, SF_E_ARG, "bounds");
    sf_model_free(d);
    d = density_of(ctx, "-0.5*(x - b)*K*(x - b)", NULL);
    o.parameters = "K=symmetric; b";
    refused(ctx, d, &o, SF_E_UNSUPPORTED, "quadratic");
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *d = density_of(ctx, "-0.5*x*K*x", NULL);
    sf_sparse_options o = options_of("K=symmetric", "K");
    sf_sparse_path p;
    sf_status status = SF_E_NOMEM;
    o.lambda_count = 3;
    while (NEXT_FAULT(&faults, status)) {
        status = sf_match_sparse(ctx, &p, d, chain(), &o);
        sf_sparse_path_free(ctx, &p);
    }
    sf_model_free(d);
    sf_context_free(ctx);
}

TESTS(CASE(optimality_holds_at_every_penalty),
      CASE(just_below_the_largest_penalty_there_is_an_edge),
      CASE(no_penalty_is_the_estimate_without), CASE(a_chain_is_found),
      CASE(graphs_of_truncated_laws_are_found_as_rows_grow),
      CASE(units_do_not_choose), CASE(few_rows_have_a_multiplier),
      CASE(threads_do_not_change_a_bit), CASE(what_has_no_path_is_told),
      CASE(every_allocation_may_fail))
