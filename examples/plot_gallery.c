/* SPDX-License-Identifier: Apache-2.0 */
/* plot_gallery.c - one of every picture, from numbers made here.
 *
 *     plot_gallery FOLDER
 *
 * The data are draws from a mixture of three Gaussians in the plane,
 *
 *     p(x) = sum_k w_k N(x; m_k, s_k^2 I),
 *
 * whose log density and score are known; "samples" are draws from a mixture
 * that is slightly wrong, as those of a fitted model would be, and walkers
 * follow unadjusted Langevin dynamics on p.  Without FOLDER every picture is
 * drawn to a temporary file, which is removed again. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <scorefield/plot.h>

enum {
    ROWS = 800,
    GRID = 160,
    ARROWS = 15,
    STEPS = 240,
    WALKERS = 150,
    LOSSES = 3000,
    DIM = 4
};

static double real[ROWS][DIM], synthetic[ROWS][DIM];
static double log_density[GRID * GRID];
static double arrows[ARROWS * ARROWS][4];
static double trace[STEPS * WALKERS * 2];
static double training[LOSSES][2], held_out[LOSSES / 50][2];
static double curve[2][400][2];
static const double edge = 4.5; /* all is shown on [-edge, edge]^2 */

/* ---- numbers --------------------------------------------------------------- */

static double uniform(void)
{
    static unsigned long long state = 1;
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2.0 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static const double weight[3] = {0.45, 0.35, 0.2};
static const double mean[3][2] = {{-1.6, -1.0}, {1.7, -0.4}, {0.1, 2.0}};
static const double width[3] = {0.7, 0.9, 0.5};

static void score_of(double x, double y, double *log_p, double score[2])
{
    double p = 0.0, u = 0.0, v = 0.0;
    for (int k = 0; k < 3; k++) {
        const double s2 = width[k] * width[k];
        const double dx = x - mean[k][0], dy = y - mean[k][1];
        const double here = weight[k] / (6.283185307179586 * s2) *
                            exp(-0.5 * (dx * dx + dy * dy) / s2);
        p += here;
        u -= here * dx / s2;
        v -= here * dy / s2;
    }
    *log_p = log(p);
    score[0] = u / p;
    score[1] = v / p;
}

/* A row: the plane, then a positive column and one of counts. */
static void draw_row(double row[DIM], double wrong)
{
    const double pick = uniform();
    const int k = pick < 0.45 + 0.1 * wrong ? 0 : pick < 0.8 ? 1 : 2;
    row[0] = mean[k][0] + width[k] * (1.0 + wrong) * normal();
    row[1] = mean[k][1] + width[k] * (1.0 + wrong) * normal();
    row[2] = exp(0.4 * row[0] + 0.4 * normal());
    row[3] = floor(2.0 + 1.5 * k + 1.5 * uniform());
}

static void make_numbers(void)
{
    for (int i = 0; i < ROWS; i++) {
        draw_row(real[i], 0.0);
        draw_row(synthetic[i], 0.15);
    }
    double score[2];
    for (int j = 0; j < GRID; j++)
        for (int i = 0; i < GRID; i++)
            score_of(edge * (2.0 * i / (GRID - 1) - 1.0),
                     edge * (2.0 * j / (GRID - 1) - 1.0),
                     &log_density[j * GRID + i], score);
    for (int k = 0; k < ARROWS * ARROWS; k++) {
        double log_p;
        arrows[k][0] = edge * ((2.0 * (k % ARROWS) + 1.0) / ARROWS - 1.0);
        arrows[k][1] = edge * ((2.0 * (k / ARROWS) + 1.0) / ARROWS - 1.0);
        score_of(arrows[k][0], arrows[k][1], &log_p, &arrows[k][2]);
    }
    const double h = 0.01;
    for (int w = 0; w < WALKERS; w++) {
        double x = edge * (2.0 * uniform() - 1.0);
        double y = edge * (2.0 * uniform() - 1.0);
        for (int s = 0; s < STEPS; s++) {
            double log_p;
            trace[2 * (s * WALKERS + w)] = x;
            trace[2 * (s * WALKERS + w) + 1] = y;
            score_of(x, y, &log_p, score);
            x += h * score[0] + sqrt(2.0 * h) * normal();
            y += h * score[1] + sqrt(2.0 * h) * normal();
        }
    }
    for (int i = 0; i < LOSSES; i++) {
        training[i][0] = 10.0 * i;
        training[i][1] =
            -1.0 + 2.0 * exp(-i / 200.0) - 1e-4 * i + 0.1 * normal();
        if (i % 50 == 0) {
            held_out[i / 50][0] = 10.0 * i;
            held_out[i / 50][1] = -0.95 + 2.0 * exp(-i / 220.0) +
                                  4e-8 * (i - 1600.0) * (i - 1600.0) +
                                  0.01 * normal();
        }
    }
    for (int i = 0; i < 400; i++) {
        const double x = edge * (2.0 * i / 399.0 - 1.0);
        double p = 0.0, q = 0.0;
        for (int k = 0; k < 3; k++) {
            const double z = (x - mean[k][0]) / width[k];
            p += weight[k] * exp(-0.5 * z * z) / width[k] / 2.5066282746310002;
        }
        q = exp(-0.5 * (x + 0.1) * (x + 0.1) / 2.9) / sqrt(6.2831853 * 2.9);
        curve[0][i][0] = curve[1][i][0] = x;
        curve[0][i][1] = p;
        curve[1][i][1] = q;
    }
}

/* ---- pictures --------------------------------------------------------------- */

static sf_cmat table(double (*rows)[DIM], int first, int count)
{
    const sf_cmat m = {&rows[0][first], ROWS, count, DIM};
    return m;
}

static const sf_plot_grid grid = {log_density, GRID, GRID, -4.5,
                                  4.5,         -4.5, 4.5};

static sf_status one_column(sf_context *ctx, const char *path)
{
    const sf_plot_curve curves[2] = {
        {"model", {curve[0][0], 400, 2, 2}, -1, 0},
        {"one Gaussian", {curve[1][0], 400, 2, 2}, -1, 1}};
    sf_plot_histogram_options o = SF_PLOT_HISTOGRAM_OPTIONS_INIT;
    o.title = "One column";
    o.x_label = "x (mm)";
    o.samples = table(synthetic, 0, 1);
    o.curves = curves;
    o.curve_count = 2;
    return sf_plot_histogram(ctx, path, table(real, 0, 1), &o);
}

static sf_status two_columns(sf_context *ctx, const char *path)
{
    const sf_cmat score = {arrows[0], ARROWS * ARROWS, 4, 4};
    sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
    o.title = "Density, score, data and samples";
    o.x_label = "x (mm)";
    o.y_label = "y (mm)";
    o.samples = table(synthetic, 0, 2);
    o.samples.rows = 300;
    o.grid = grid;
    o.arrows = score;
    o.equal = true;
    sf_cmat data = table(real, 0, 2);
    data.rows = 300;
    return sf_plot_plane(ctx, path, data, &o);
}

static sf_status all_pairs(sf_context *ctx, const char *path)
{
    const sf_plot_column columns[DIM] = {{.name = "x (mm)"},
                                         {.name = "y (mm)"},
                                         {.name = "mass (g)"},
                                         {.name = "count"}};
    sf_plot_pairs_options o = SF_PLOT_PAIRS_OPTIONS_INIT;
    o.title = "All pairs of columns";
    o.columns = columns;
    return sf_plot_pairs(ctx, path, table(real, 0, DIM),
                         table(synthetic, 0, DIM), &o);
}

static sf_status losses(sf_context *ctx, const char *path)
{
    const sf_cmat train = {training[0], LOSSES, 2, 2};
    const sf_cmat other = {held_out[0], LOSSES / 50, 2, 2};
    sf_plot_training_options o = SF_PLOT_TRAINING_OPTIONS_INIT;
    o.title = "Training";
    return sf_plot_training(ctx, path, train, other, &o);
}

static sf_status quantiles(sf_context *ctx, const char *path)
{
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.title = "Quantiles of mass (g)";
    return sf_plot_quantiles(ctx, path, table(real, 2, 1),
                             table(synthetic, 2, 1), &o);
}

static sf_status convergence(sf_context *ctx, const char *path)
{
    double error[2][6][2];
    for (int i = 0; i < 6; i++) {
        const double h = pow(0.5, i + 2);
        error[0][i][0] = error[1][i][0] = h;
        error[0][i][1] = 0.3 * h * h;
        error[1][i][1] = 0.2 * h * h * h * h;
    }
    const sf_plot_curve curves[2] = {
        {"second order", {error[0][0], 6, 2, 2}, -1, 0},
        {"fourth order", {error[1][0], 6, 2, 2}, -1, 1}};
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.title = "Orders of convergence";
    o.x_label = "step";
    o.y_label = "error";
    o.x_scale = o.y_scale = SF_PLOT_LOG;
    o.marks = true;
    return sf_plot_curves(ctx, path, curves, 2, &o);
}

static sf_status shares(sf_context *ctx, const char *path)
{
    static const char *const groups[] = {"2", "3", "4", "5", "6"};
    static const char *const series[] = {"real", "synthetic"};
    double share[5][2] = {{0.0}};
    for (int i = 0; i < ROWS; i++) {
        const int a = (int)real[i][3] - 2, b = (int)synthetic[i][3] - 2;
        share[a < 4 ? a : 4][0] += 1.0 / ROWS;
        share[b < 4 ? b : 4][1] += 1.0 / ROWS;
    }
    const sf_cmat values = {share[0], 5, 2, 2};
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.title = "Shares of categories";
    o.x_label = "count";
    o.y_label = "share";
    return sf_plot_bars(ctx, path, values, groups, series, &o);
}

static sf_plot_paths_options walkers(void)
{
    sf_plot_paths_options o = SF_PLOT_PATHS_OPTIONS_INIT;
    o.title = "Langevin walkers";
    o.x_label = "x (mm)";
    o.y_label = "y (mm)";
    o.grid = grid;
    o.equal = true;
    return o;
}

static sf_status paths(sf_context *ctx, const char *path)
{
    const sf_array a = {trace, SF_F64, 3, {STEPS, WALKERS, 2}};
    sf_plot_paths_options o = walkers();
    o.most_walkers = 12;
    return sf_plot_paths(ctx, path, &a, &o);
}

/* Of three walkers, as if they were chains: they leave where they began. */
static sf_status chains(sf_context *ctx, const char *path)
{
    static const char *const names[2] = {"x", "y"};
    static double three[STEPS][3][2];
    for (int i = 0; i < STEPS; i++)
        memcpy(three[i], trace + 2 * i * WALKERS, sizeof three[i]);
    const sf_array a = {three, SF_F64, 3, {STEPS, 3, 2}};
    sf_plot_chains_options o = SF_PLOT_CHAINS_OPTIONS_INIT;
    o.title = "Walkers over time";
    o.names = names;
    return sf_plot_chains(ctx, path, &a, &o);
}

static sf_status animation(sf_context *ctx, const char *path)
{
    const sf_array a = {trace, SF_F64, 3, {STEPS, WALKERS, 2}};
    const sf_plot_paths_options o = walkers();
    return sf_plot_animation(ctx, path, &a, &o);
}

static const struct {
    const char *name;
    sf_status (*draw)(sf_context *ctx, const char *path);
} pictures[] = {{"histogram.png", one_column},
                {"plane.png", two_columns},
                {"plane.pdf", two_columns},
                {"pairs.png", all_pairs},
                {"training.svg", losses},
                {"quantiles.png", quantiles},
                {"convergence.png", convergence},
                {"bars.png", shares},
                {"paths.png", paths},
                {"chains.png", chains},
                {"walkers.gif", animation},
                {"walkers.webp", animation}};

int main(int argc, char **argv)
{
    char folder[512] = "/tmp/plot-gallery-XXXXXX";
    if (argc > 1)
        snprintf(folder, sizeof folder, "%s", argv[1]);
    else if (mkdtemp(folder) == NULL)
        return 3;
    make_numbers();
    sf_context *ctx = NULL;
    sf_status status = sf_context_new(&ctx, NULL);
    const size_t count = sizeof pictures / sizeof pictures[0];
    for (size_t k = 0; k < count && status == SF_OK; k++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, pictures[k].name);
        status = pictures[k].draw(ctx, path);
        if (argc <= 1)
            unlink(path);
    }
    if (status != SF_OK)
        fprintf(stderr, "plot_gallery: %s\n",
                ctx != NULL ? sf_context_message(ctx) : sf_status_text(status));
    sf_context_free(ctx);
    if (argc <= 1)
        rmdir(folder);
    return status == SF_OK ? 0 : 1;
}
