/* SPDX-License-Identifier: Apache-2.0 */
/* vmf.c - a direction: von Mises-Fisher noise on the sphere,
 *
 *     p(n) = k/(4 pi sinh k) exp(k mu.n),    k = kappa_1 (1/t^2 - 1),
 *
 * by area, mu being the direction of x0: uniform at t = 1.  x is latitude and
 * longitude in degrees, or a unit vector; y is the unit vector, and what is a
 * function of y is one of n = y/|y|.
 *
 * With p = 1 - mu.n and q = 1 + mu.n, which are |n - mu|^2/2 and |n + mu|^2/2 and
 * as such keep their digits beside mu and opposite to it,
 *
 *     ln p(n) = -k p + ln(k/(2 pi (1 - e^(-2k)))).
 *
 * The flow keeps to the meridians of mu.  By k its velocity along them is
 * T (mu - (mu.n) n), and with E(x) = (1 - e^(-x))/x and a = k q, b = 2 k
 *
 *     T = (E(a) - E(b))/((b - a) E(b)) = (1 - e^(-a) E(b - a)/E(b))/a.
 *
 * From k = 1/8 on the first loses a factor of 18 at most of its accuracy where
 * mu.n < 0, the second where mu.n >= 0.  Below it the divided difference of E has
 * a series of positive powers of a and b. */
#include "kernel/families.h"
#include "kernel/joint.h"

#include <math.h>

enum { KAPPA };
enum { DEGREES = 2, SPACE = 3 };

static const double pi = 3.14159265358979324;
static const double degree = 3.14159265358979324 / 180.0;
static const double log_2pi = 1.8378770664093455, log_4pi = 2.5310242469692908;
static const double border = 0.125;

/* ---- the sphere -------------------------------------------------------------- */

static int64_t inner(int64_t columns, const char **want)
{
    if (columns == DEGREES || columns == SPACE)
        return SPACE;
    *want = "2 columns (latitude and longitude, in degrees) or 3 (a unit "
            "vector)";
    return 0;
}

static double length_of(const double *y)
{
    return sqrt(y[0] * y[0] + y[1] * y[1] + y[2] * y[2]);
}

static void settle(const sfi_block *b, double *y)
{
    (void)b;
    const double length = length_of(y);
    if (length > 0.0) {
        for (int i = 0; i < SPACE; i++)
            y[i] /= length;
    } else { /* all of the sphere is equally near */
        y[0] = 1.0;
        y[1] = y[2] = 0.0;
    }
}

static sf_node direction(sf_graph *g, sf_node y)
{
    return sf_div(g, y, sf_sqrt(g, sf_dot(g, y, y)));
}

static sf_node tangent(const sfi_block *b, sf_graph *g, sf_node y, sf_node v)
{
    (void)b;
    const sf_node along = sf_div(g, sf_dot(g, y, v), sf_dot(g, y, y));
    return sf_sub(g, v, sf_mul(g, along, y));
}

/* ---- the chart --------------------------------------------------------------- */

static const char *outside(const sfi_block *b, const double *x, int64_t *column)
{
    *column = 0;
    if (b->columns == SPACE)
        return fabs(length_of(x) - 1.0) <= 1e-3 ? NULL
                                                : "that makes a unit vector";
    if (!(fabs(x[0]) <= 90.0))
        return "from -90 to 90 (a latitude, in degrees)";
    *column = 1;
    return fabs(x[1]) <= 360.0 ? NULL
                               : "from -360 to 360 (a longitude, in degrees)";
}

static void middle(const sfi_block *b, double *x)
{
    for (int64_t i = 0; i < b->columns; i++)
        x[i] = b->columns == SPACE && i == 0 ? 1.0 : 0.0;
}

static void to_chart(const sfi_block *b, const double *x, double *y)
{
    if (b->columns == SPACE) {
        for (int i = 0; i < SPACE; i++)
            y[i] = x[i];
        settle(b, y);
        return;
    }
    const double latitude = degree * x[0], longitude = degree * x[1];
    y[0] = cos(latitude) * cos(longitude);
    y[1] = cos(latitude) * sin(longitude);
    y[2] = sin(latitude);
}

/* The longitude of a pole is 0; atan2 of -0 is -pi, not pi. */
static void from_chart(const sfi_block *b, const double *y, double *x)
{
    if (b->columns == SPACE) {
        for (int i = 0; i < SPACE; i++)
            x[i] = y[i];
        settle(b, x);
        return;
    }
    const double across = hypot(y[0], y[1]);
    const double turn = across > 0.0 ? atan2(y[1], y[0]) / degree : 0.0;
    x[0] = atan2(y[2], across) / degree;
    x[1] = turn <= -180.0 ? turn + 360.0 : turn;
}

static sf_node vector(sf_graph *g, int count, const sf_node *numbers)
{
    const int64_t one = 1;
    sf_node parts[SPACE];
    for (int i = 0; i < count; i++)
        parts[i] = sf_reshape(g, numbers[i], 1, &one);
    return sf_concat(g, count, parts, 0);
}

static sf_node chart(const sfi_block *b, sf_graph *g, sf_node x)
{
    if (b->columns == SPACE)
        return direction(g, x);
    const sf_node unit = sf_const(g, degree);
    const sf_node latitude = sf_mul(g, unit, sf_component(g, x, 0));
    const sf_node longitude = sf_mul(g, unit, sf_component(g, x, 1));
    const sf_node across = sf_cos(g, latitude);
    const sf_node y[SPACE] = {sf_mul(g, across, sf_cos(g, longitude)),
                              sf_mul(g, across, sf_sin(g, longitude)),
                              sf_sin(g, latitude)};
    return vector(g, SPACE, y);
}

static sf_node inverse(const sfi_block *b, sf_graph *g, sf_node y)
{
    if (b->columns == SPACE)
        return direction(g, y);
    const sf_node zero = sf_const(g, 0.0), one = sf_const(g, 1.0);
    const sf_node unit = sf_const(g, 1.0 / degree);
    const sf_node east = sf_component(g, y, 0), north = sf_component(g, y, 1);
    const sf_node area = sf_add(g, sf_square(g, east), sf_square(g, north));
    /* Derivatives at the poles, where there are none, stay finite. */
    const sf_node off = sf_less(g, zero, area);
    const sf_node across =
        sf_select(g, off, sf_sqrt(g, sf_select(g, off, area, one)), zero);
    const sf_node turn = sf_mul(g, unit,
                                sf_atan2(g, sf_select(g, off, north, zero),
                                         sf_select(g, off, east, one)));
    const sf_node past = sf_less_equal(g, turn, sf_const(g, -180.0));
    const sf_node x[DEGREES] = {
        sf_mul(g, unit, sf_atan2(g, sf_component(g, y, 2), across)),
        sf_select(g, past, sf_add(g, turn, sf_const(g, 360.0)), turn)};
    return vector(g, DEGREES, x);
}

/* ---- the law ----------------------------------------------------------------- */

static sf_node concentration(const sfi_block *b, sf_graph *g, sf_node t)
{
    return sfi_odds(g, b->kernel.numbers[KAPPA], t);
}

static sf_node half_square(sf_graph *g, sf_node v)
{
    return sf_mul(g, sf_const(g, 0.5), sf_dot(g, v, v));
}

/* ln(k/(2 pi (1 - e^(-2k)))), for small k as k - ln(sinh(k)/k) - ln 4 pi, with
 * ln(sinh(k)/k) = sum over i > 0 of -(-1)^i zeta(2i)/(i pi^(2i)) k^(2i).  What is
 * not taken has a k at which it is finite. */
static sf_node log_peak(sf_graph *g, sf_node k)
{
    static const double series[] = {1.0 / 467775.0, -1.0 / 37800.0,
                                    1.0 / 2835.0, -1.0 / 180.0, 1.0 / 6.0};
    const sf_node limit = sf_const(g, border);
    const sf_node wide = sf_less(g, k, limit);
    const sf_node low = sf_select(g, wide, k, limit);
    const sf_node high = sf_select(g, wide, limit, k);
    const sf_node z = sf_square(g, low);
    sf_node sum = sf_const(g, 0.0);
    for (size_t i = 0; i < SFI_COUNT(series); i++)
        sum = sf_mul(g, z, sf_add(g, sf_const(g, series[i]), sum));
    const sf_node flat = sf_sub(g, sf_sub(g, low, sum), sf_const(g, log_4pi));
    const sf_node lost =
        sf_neg(g, sf_expm1(g, sf_mul(g, sf_const(g, -2.0), high)));
    const sf_node steep = sf_sub(g, sf_sub(g, sf_log(g, high), sf_log(g, lost)),
                                 sf_const(g, log_2pi));
    return sf_select(g, wide, flat, steep);
}

static sf_node logp(const sfi_block *b, sf_graph *g, sf_node y, sf_node x0,
                    sf_node t)
{
    const sf_node k = concentration(b, g, t), mu = chart(b, g, x0);
    const sf_node p = half_square(g, sf_sub(g, direction(g, y), mu));
    return sf_sub(g, log_peak(g, k), sf_mul(g, k, p));
}

static int64_t statistics(const sfi_block *b)
{
    return b->inner;
}

static sf_node statistic(const sfi_block *b, sf_graph *g, sf_node y)
{
    (void)b;
    return direction(g, y);
}

static sf_node natural(const sfi_block *b, sf_graph *g, sf_node x0, sf_node t,
                       sf_node *log_partition)
{
    const sf_node k = concentration(b, g, t);
    *log_partition = sf_sub(g, k, log_peak(g, k));
    return sf_mul(g, k, chart(b, g, x0));
}

/* E(x) */
static sf_node mean_decay(sf_graph *g, sf_node x)
{
    const sf_node one = sf_const(g, 1.0);
    const sf_node fall = sf_neg(g, sf_expm1(g, sf_neg(g, x)));
    return sf_select(g, sf_equal(g, x, sf_const(g, 0.0)), one,
                     sf_div(g, fall, x));
}

/* (E(a) - E(b))/(b - a) = sum over n > 0 of -(-1)^n h/(n + 1)!, h being the sum of
 * all a^i b^j with i + j = n - 1.  Of a <= b < 1/4 the next term is below 1e-17. */
static sf_node decay_slope(sf_graph *g, sf_node a, sf_node b)
{
    enum { TERMS = 12 };
    double factor = 0.5;
    sf_node h = sf_const(g, 1.0), power = h, sum = sf_const(g, factor);
    for (int n = 2; n <= TERMS; n++) {
        factor /= -(n + 1);
        power = sf_mul(g, power, b);
        h = sf_add(g, sf_mul(g, h, a), power);
        sum = sf_add(g, sum, sf_mul(g, sf_const(g, factor), h));
    }
    return sum;
}

static sf_node velocity(const sfi_block *b, sf_graph *g, sf_node y, sf_node x0,
                        sf_node t, sfi_velocity how)
{
    (void)how;
    const sf_node one = sf_const(g, 1.0), two = sf_const(g, 2.0);
    const sf_node k = concentration(b, g, t);
    const sf_node n = direction(g, y), mu = chart(b, g, x0);
    const sf_node from = sf_sub(g, mu, n), across = sf_add(g, mu, n);
    const sf_node p = half_square(g, from), q = half_square(g, across);
    const sf_node near = sf_less_equal(g, p, one);

    const sf_node far_end = sf_mul(g, two, k), end = sf_mul(g, k, q);
    const sf_node rest = sf_mul(g, k, p);
    const sf_node scale = mean_decay(g, far_end);
    const sf_node beside =
        sf_div(g,
               sf_sub(g, one,
                      sf_mul(g, sf_exp(g, sf_neg(g, end)),
                             sf_div(g, mean_decay(g, rest), scale))),
               end);
    const sf_node beyond =
        sf_div(g, sf_sub(g, sf_div(g, mean_decay(g, end), scale), one), rest);
    const sf_node flat = sf_div(g, decay_slope(g, end, far_end), scale);
    const sf_node rate = sf_select(g, sf_less(g, k, sf_const(g, border)), flat,
                                   sf_select(g, near, beside, beyond));

    /* mu - (mu.n) n is the tangent part of mu - n and of mu + n. */
    const sf_node towards = tangent(b, g, n, sf_select(g, near, from, across));
    return sf_mul(g, sf_mul(g, sf_jvp(g, k, t, one), rate), towards);
}

/* ---- draws ------------------------------------------------------------------- */

/* p by its inverse distribution function, then an angle around mu.  The two
 * directions across mu are those of T. Duff et al., Journal of Computer Graphics
 * Techniques 6 (2017) 1-8. */
static void draw(const sfi_block *b, const double *x0, double t,
                 sfi_where where, double *y)
{
    double mu[SPACE];
    to_chart(b, x0, mu);
    const double k =
        b->kernel.numbers[KAPPA] * ((1.0 - t) * (1.0 + t) / (t * t));
    const double above = 1.0 - sfi_uniform_at(where, 0);
    const double p =
        k > 0.0 ? fmin(2.0, -log1p(above * expm1(-2.0 * k)) / k) : 2.0 * above;
    const double size = sqrt(p * (2.0 - p));
    const double angle = 2.0 * pi * sfi_uniform_at(where, 1);
    const double c = size * cos(angle), s = size * sin(angle);

    const double side = copysign(1.0, mu[2]);
    const double a = -1.0 / (side + mu[2]), m = mu[0] * mu[1] * a;
    const double first[SPACE] = {1.0 + side * mu[0] * mu[0] * a, side * m,
                                 -side * mu[0]};
    const double second[SPACE] = {m, side + mu[1] * mu[1] * a, -mu[1]};
    for (int i = 0; i < SPACE; i++)
        y[i] = (1.0 - p) * mu[i] + c * first[i] + s * second[i];
    settle(b, y);
}

static void spread(const sfi_block *b, double *out)
{
    for (int i = 0; i < SPACE; i++)
        out[i] = 1.0 / sqrt(b->kernel.numbers[KAPPA]);
}

static const sfi_joint_ops joint = {.inner = inner,
                                    .outside = outside,
                                    .middle = middle,
                                    .to_chart = to_chart,
                                    .from_chart = from_chart,
                                    .chart = chart,
                                    .inverse = inverse,
                                    .settle = settle,
                                    .tangent = tangent,
                                    .mean_in_chart = true,
                                    .logp = logp,
                                    .velocity = velocity,
                                    .statistics = statistics,
                                    .statistic = statistic,
                                    .natural = natural,
                                    .draw = draw,
                                    .spread = spread};

const sfi_kernel_ops sfi_kernel_vmf = {
    .family = "vmf",
    .number_count = 1,
    .numbers = {{"kappa", 1.0, 0.0, 1e6, NULL}},
    .joint = &joint};
