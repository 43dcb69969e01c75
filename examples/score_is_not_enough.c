/* SPDX-License-Identifier: Apache-2.0 */
/* score_is_not_enough.c - follow the velocity, not a multiple of the score.
 *
 *     score_is_not_enough [PICTURE]
 *
 * The noise of a kernel carries a data set from p_0 to p_1, the prior, and the
 * velocity v of sf_model_eval() leads back.  With additive Gaussian noise v is a
 * multiple of the score s, and it is tempting to follow c(t) s under other noise too.
 * Here both are done, dx/dt = v and dx/dt = c(t) s, for three numbers with the shares
 * .2, .5 and .3, under gamma, beta and von Mises noise; the factor is that which comes
 * closest to v in the mean square under p_t,
 *
 *     c(t) = E[v s]/E[s^2].
 *
 * Walkers begin at quantiles of the prior, so that each stands for the same mass, and
 * go from t = .999 to t = .03.  Both rates, and the means, are of x itself, not of a
 * chart of it.  At the end a walker counts for the datum that is nearest in the
 * kernel's chart (of positive numbers: by ratio).
 *
 * Where p_t rises from the end of its support more slowly than linearly, E[s^2] is
 * infinite: of the gamma kernel while 1/t^2 <= 2.  The best factor is then 0, and the
 * sum over the grid, which reaches far out in the chart, is near to that.
 *
 * The program fails unless the velocity meets all shares and the score misses them as
 * it is known to.  With a PICTURE (.png, .svg, .pdf) it draws 40 walkers of the gamma
 * kernel: docs/flows-need-velocities.md shows them. */
#include <scorefield/fit.h>
#include <scorefield/flow.h>
#include <scorefield/plot.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum { DATA = 3, WALKERS = 400, SHOWN = 40, MOST_STEPS = 80, GRID = 400 };

static const double pi = 3.14159265358979324;
static const double share[DATA] = {0.2, 0.5, 0.3};
static const double first = 0.999, last = 0.03;

/* Enough for the shares; a picture has MOST_STEPS. */
static int steps = 20;

/* ---- three kernels ------------------------------------------------------------- */

typedef enum chart { LOG, LOGIT, ANGLE } chart;

typedef struct noise {
    const char *name, *kernel;
    chart chart;
    double from, to; /* of the grid, in the chart */
    double data[DATA];
    double missed[DATA]; /* shares that the score leaves, to .01 */
} noise;

static const noise noises[] = {
    {"gamma",
     "gamma:shape=1,mean=1.5",
     LOG,
     -16.0,
     3.5,
     {0.3, 1.2, 4.0},
     {0.400, 0.355, 0.245}},
    {"beta",
     "beta:concentration=2,mean=0.5",
     LOGIT,
     -12.0,
     12.0,
     {1.0 / 7.0, 3.0 / 7.0, 5.0 / 7.0},
     {0.278, 0.305, 0.418}},
    {"vonmises",
     "vonmises:kappa=1",
     ANGLE,
     -3.14159265358979324,
     3.14159265358979324,
     {-2.0, 0.3, 1.5},
     {0.248, 0.475, 0.278}},
};
enum { NOISES = sizeof noises / sizeof noises[0] };

static double from_chart(chart c, double y)
{
    return c == LOG ? exp(y) : c == LOGIT ? 1.0 / (1.0 + exp(-y)) : y;
}

static double to_chart(chart c, double x)
{
    return c == LOG ? log(x) : c == LOGIT ? log(x / (1.0 - x)) : x;
}

/* dx/dy */
static double stretch(chart c, double x)
{
    return c == LOG ? x : c == LOGIT ? x * (1.0 - x) : 1.0;
}

/* Quantiles of the priors: exponential of mean 1.5, and uniform. */
static double prior_quantile(chart c, double u)
{
    return c == LOG ? -1.5 * log1p(-u) : c == LOGIT ? u : pi * (2.0 * u - 1.0);
}

static int nearest(const noise *k, double x)
{
    int best = 0;
    double least = INFINITY;
    for (int i = 0; i < DATA; i++) {
        double gap = to_chart(k->chart, x) - to_chart(k->chart, k->data[i]);
        if (k->chart == ANGLE)
            gap = remainder(gap, 2.0 * pi);
        if (fabs(gap) < least) {
            least = fabs(gap);
            best = i;
        }
    }
    return best;
}

/* ---- two flows ------------------------------------------------------------------ */

/* Times at which stages of steps are: t of `half` = 0 to 2 steps. */
static double time_of(int half)
{
    return first * pow(last / first, half / (2.0 * steps));
}

/* E[v s]/E[s^2] by the trapezoidal rule in the chart. */
static sf_status best_factor(const sf_model *m, const noise *k, double t,
                             double *factor)
{
    double x[GRID], score[GRID], velocity[GRID], logp[GRID];
    for (int i = 0; i < GRID; i++)
        x[i] = from_chart(k->chart,
                          k->from + (k->to - k->from) * (i + 0.5) / GRID);
    sf_likelihood_options at = SF_LIKELIHOOD_OPTIONS_INIT;
    at.time = t;
    const sf_cmat points = {x, GRID, 1, 1};
    const sf_model_values values = {.score = {score, GRID, 1, 1},
                                    .velocity = {velocity, GRID, 1, 1}};
    sf_status status = sf_logpdf(m, points, logp, NULL, &at);
    if (status == SF_OK)
        status = sf_model_eval(m, points, t, &values);
    if (status != SF_OK)
        return status;
    double both = 0.0, square = 0.0;
    for (int i = 0; i < GRID; i++) {
        const double mass = exp(logp[i]) * stretch(k->chart, x[i]);
        both += mass * velocity[i] * score[i];
        square += mass * score[i] * score[i];
    }
    *factor = both / square;
    return SF_OK;
}

/* dx/d ln t of all walkers; `factor` NULL: along the velocity. */
static sf_status rate(const sf_model *m, const double *x, int half,
                      const double *factor, double *out)
{
    const double t = time_of(half);
    const sf_mat place = {out, WALKERS, 1, 1};
    sf_model_values values = {0};
    if (factor != NULL)
        values.score = place;
    else
        values.velocity = place;
    const sf_status status =
        sf_model_eval(m, (sf_cmat){x, WALKERS, 1, 1}, t, &values);
    for (int i = 0; i < WALKERS; i++)
        out[i] *= factor != NULL ? t * factor[half] : t;
    return status;
}

/* Runge-Kutta steps in ln t, in which data come nearer at a steady rate:
 * path [steps + 1, WALKERS], whose first row is given. */
static sf_status follow(const sf_model *m, const double *factor,
                        double path[][WALKERS])
{
    const double h = log(last / first) / steps;
    const double reach[4] = {0.0, 0.5, 0.5, 1.0};
    const double part[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    for (int n = 0; n < steps; n++) {
        double slope[WALKERS] = {0}, x[WALKERS];
        for (int i = 0; i < WALKERS; i++)
            path[n + 1][i] = path[n][i];
        for (int stage = 0; stage < 4; stage++) {
            for (int i = 0; i < WALKERS; i++)
                x[i] = path[n][i] + h * reach[stage] * slope[i];
            const int half = 2 * n + (int)(2.0 * reach[stage]);
            const sf_status status = rate(m, x, half, factor, slope);
            if (status != SF_OK)
                return status;
            for (int i = 0; i < WALKERS; i++)
                path[n + 1][i] += h * part[stage] * slope[i];
        }
    }
    return SF_OK;
}

static void shares(const noise *k, const double *x, double found[DATA])
{
    for (int i = 0; i < DATA; i++)
        found[i] = 0.0;
    for (int i = 0; i < WALKERS; i++)
        found[nearest(k, x[i])] += 1.0 / WALKERS;
}

/* ---- the picture ---------------------------------------------------------------- */

/* Time goes from both sides to the middle, where the data are; the colour is that of
 * the datum which a walker of this rank must reach. */
static sf_status draw(sf_context *ctx, const char *file, const noise *k,
                      double path[2][MOST_STEPS + 1][WALKERS])
{
    static double points[2][SHOWN][MOST_STEPS + 1][2], lines[DATA][2][2];
    sf_plot_curve curves[2 * SHOWN + DATA];
    const char *labels[DATA] = {"the lowest 20 %", "the next 50 %",
                                "the highest 30 %"};
    int count = 0, before = -1;
    for (int side = 0; side < 2; side++)
        for (int w = 0; w < SHOWN; w++) {
            const int walker = (2 * w + 1) * WALKERS / (2 * SHOWN);
            const double rank = (walker + 0.5) / WALKERS;
            const int datum = rank < 0.2 ? 0 : rank < 0.7 ? 1 : 2;
            for (int n = 0; n <= steps; n++) {
                const double t = time_of(2 * n);
                points[side][w][n][0] = side == 0 ? -t : t;
                points[side][w][n][1] = path[side][n][walker];
            }
            curves[count++] = (sf_plot_curve){
                side == 0 && datum != before ? labels[datum] : NULL,
                {points[side][w][0], steps + 1, 2, 2},
                datum,
                0};
            before = datum;
        }
    for (int i = 0; i < DATA; i++) {
        for (int end = 0; end < 2; end++) {
            lines[i][end][0] = end == 0 ? -last : last;
            lines[i][end][1] = k->data[i];
        }
        curves[count++] = (sf_plot_curve){
            i == 0 ? "data" : NULL, {lines[i][0], 2, 2, 2}, 6, 0};
    }
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.width = 640.0;
    o.height = 400.0;
    o.title = "Walkers from the prior to the data, gamma noise";
    o.x_label = "\xe2\x88\x92t along the velocity   |   t along the score";
    o.y_label = "x";
    o.y_scale = SF_PLOT_LOG;
    return sf_plot_curves(ctx, file, curves, count, &o);
}

/* ---- all of it -------------------------------------------------------------------- */

static void print_shares(const char *kernel, const char *along,
                         const double found[DATA])
{
    printf("%-9s %-9s %6.3f %6.3f %6.3f\n", kernel, along, found[0], found[1],
           found[2]);
}

/* path[0] along the velocity, path[1] along the score. */
static sf_status compare(sf_context *ctx, const noise *k,
                         double path[2][MOST_STEPS + 1][WALKERS], bool *good)
{
    sf_empirical_options options = SF_EMPIRICAL_OPTIONS_INIT;
    options.kernel = k->kernel;
    options.bandwidth = SF_BANDWIDTH_FIXED;
    options.time = 0.01; /* below `last` */
    options.weights = share;
    sf_model *m = NULL;
    double factor[2 * MOST_STEPS + 1], found[2][DATA];
    sf_status status = sf_fit_empirical(ctx, &m, (sf_cmat){k->data, DATA, 1, 1},
                                        NULL, &options, NULL);
    for (int half = 0; half <= 2 * steps && status == SF_OK; half++)
        status = best_factor(m, k, time_of(half), &factor[half]);
    for (int side = 0; side < 2 && status == SF_OK; side++) {
        for (int i = 0; i < WALKERS; i++)
            path[side][0][i] = prior_quantile(k->chart, (i + 0.5) / WALKERS);
        status = follow(m, side == 0 ? NULL : factor, path[side]);
        shares(k, path[side][steps], found[side]);
    }
    sf_model_free(m);
    if (status != SF_OK)
        return status;
    print_shares(k->name, "velocity", found[0]);
    print_shares("", "score", found[1]);
    for (int i = 0; i < DATA; i++)
        *good = *good && fabs(found[0][i] - share[i]) < 0.005 &&
                fabs(found[1][i] - k->missed[i]) < 0.01;
    return SF_OK;
}

int main(int argc, char **argv)
{
    static double path[2][MOST_STEPS + 1][WALKERS];
    sf_context *ctx = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    if (argc > 1)
        steps = MOST_STEPS;
    bool good = true;
    sf_status status = SF_OK;
    printf("kernel    along     near the data: %.3f %.3f %.3f is true\n",
           share[0], share[1], share[2]);
    for (int k = 0; k < NOISES && status == SF_OK; k++) {
        status = compare(ctx, &noises[k], path, &good);
        if (status == SF_OK && k == 0 && argc > 1)
            status = draw(ctx, argv[1], &noises[k], path);
    }
    if (status != SF_OK)
        fprintf(stderr, "%s\n", sf_context_message(ctx));
    sf_context_free(ctx);
    return status == SF_OK && good ? 0 : 1;
}
