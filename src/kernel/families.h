/* SPDX-License-Identifier: Apache-2.0 */
/* families.h - the kernels, a file each, and what their files share. */
#ifndef SFI_FAMILIES_H
#define SFI_FAMILIES_H

#include "kernel/joint.h"
#include "kernel/path.h"

extern const sfi_kernel_ops sfi_kernel_gaussian, sfi_kernel_laplace,
    sfi_kernel_student, sfi_kernel_lognormal, sfi_kernel_gamma, sfi_kernel_beta,
    sfi_kernel_vonmises, sfi_kernel_cauchy, sfi_kernel_wrapped_normal,
    sfi_kernel_cir, sfi_kernel_poisson, sfi_kernel_binomial, sfi_kernel_vmf,
    sfi_kernel_mvgaussian, sfi_kernel_mvstudent, sfi_kernel_dirichlet,
    sfi_kernel_category, sfi_kernel_integer;

/* A law that is a location plus a scale times a fixed variable: theta is
 * { location, scale }, its velocities are 1 and (y - location)/scale.  The first
 * numbers of such a kernel are its path and its scale at t = 1. */
enum { SFI_LOCATION_SCALE_NUMBERS = 2 };
void sfi_location_scale_theta(const sfi_kernel *k, sf_graph *g, sf_node x0,
                              sf_node t, sf_node *theta);
void sfi_location_scale_velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                                 const sf_node *theta, sfi_velocity how,
                                 sf_node *u);
/* (y - location)/scale */
sf_node sfi_standard(sf_graph *g, sf_node y, const sf_node *theta);

/* The normal law, which is also that of a logarithm. */
sf_node sfi_gaussian_logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                          const sf_node *theta);
void sfi_gaussian_statistic(const sfi_kernel *k, sf_graph *g, sf_node y,
                            sf_node *statistic);
void sfi_gaussian_natural(const sfi_kernel *k, sf_graph *g,
                          const sf_node *theta, sf_node *eta);
double sfi_gaussian_draw(const sfi_kernel *k, const double *theta,
                         sfi_where where);

/* What paths there are, and location and scale at t of x0 on path `path` with
 * scale `scale` at t = 1:
 *     linear  (1 - t) x0,        t scale
 *     vp      cos(pi t/2) x0,    sin(pi t/2) scale
 *     ve      x0,                t scale  (whose law at t = 1 knows x0) */
#define SFI_PATH_NUMBER                                                        \
    {                                                                          \
        "path", 0.0, 0.0, 0.0, "linear|vp|ve"                                  \
    }
void sfi_path(sf_graph *g, int path, double scale, sf_node x0, sf_node t,
              sf_node *theta);

/* What a column of angles is in; kernels see radians, whatever it is. */
#define SFI_UNIT_NUMBER                                                        \
    {                                                                          \
        "unit", SFI_UNIT_RADIANS, 0.0, 0.0, "radians|degrees"                  \
    }

/* The line from x0 to `end`: (1 - t) x0 + t end. */
sf_node sfi_line(sf_graph *g, sf_node x0, sf_node t, double end);
/* c / t^2, the schedule of a concentration. */
sf_node sfi_concentration(sf_graph *g, double c, sf_node t);
/* c (1/t^2 - 1), which is 0 at t = 1. */
sf_node sfi_odds(sf_graph *g, double c, sf_node t);

/* dy/da of a logit y of the beta law of a and b, at which b and the distribution
 * function stay. */
sf_node sfi_beta_stein(sf_graph *g, sf_node y, sf_node a, sf_node b,
                       sfi_velocity how);

/* ---- several columns (joint.h) ----------------------------------------------- */

/* What laws have in common whose noise is the block's factor L times noise of no
 * direction, a location and scale apart: the chart y = L^-1 x, in which the
 * factor is gone, and the velocity of locations and scales. */
#define SFI_FACTOR_OPS                                                         \
    .inner = sfi_factor_inner, .mixes = true, .outside = sfi_factor_outside,   \
    .middle = sfi_factor_middle, .to_chart = sfi_factor_to_chart,              \
    .from_chart = sfi_factor_from_chart, .chart = sfi_factor_chart,            \
    .inverse = sfi_factor_inverse, .log_slope = sfi_factor_log_slope,          \
    .log_slope_node = sfi_factor_log_slope_node,                               \
    .velocity = sfi_factor_velocity
int64_t sfi_factor_inner(int64_t columns, const char **want);
const char *sfi_factor_outside(const sfi_block *b, const double *x,
                               int64_t *column);
void sfi_factor_middle(const sfi_block *b, double *x);
void sfi_factor_to_chart(const sfi_block *b, const double *x, double *y);
void sfi_factor_from_chart(const sfi_block *b, const double *y, double *x);
sf_node sfi_factor_chart(const sfi_block *b, sf_graph *g, sf_node x);
sf_node sfi_factor_inverse(const sfi_block *b, sf_graph *g, sf_node y);
double sfi_factor_log_slope(const sfi_block *b, const double *y);
sf_node sfi_factor_log_slope_node(const sfi_block *b, sf_graph *g, sf_node y);
sf_node sfi_factor_velocity(const sfi_block *b, sf_graph *g, sf_node y,
                            sf_node x0, sf_node t, sfi_velocity how);

/* { location, scale } in the chart */
void sfi_factor_theta(const sfi_block *b, sf_graph *g, sf_node x0, sf_node t,
                      sf_node *theta);
/* location + scale stretch z, z normal: component j of `where` for number j; an
 * odd number of them leaves half of a pair. */
void sfi_factor_draw(const sfi_block *b, const double *x0, double t,
                     double stretch, sfi_where where, double *y);
/* The scale's slope at t = 0 times `peak`, the spread of scale 1. */
void sfi_factor_spread(const sfi_block *b, double peak, double *spread);

/* ---- counts ------------------------------------------------------------------ */

/* `count` >= 0 times a logarithm that may be -infinity; 0 for a count of 0. */
sf_node sfi_count_log(sf_graph *g, sf_node count, sf_node log);
/* ln count! */
sf_node sfi_log_factorial(sf_graph *g, sf_node count);

/* ---- draws ------------------------------------------------------------------- */

/* ln of a draw from the gamma law of this shape and scale 1, which may be too
 * small for a double; takes components from *component on. */
double sfi_draw_log_gamma(double shape, sfi_where where, uint32_t *component);

/* A Poisson number of this mean, and how many of n, at most 2^53, happen with
 * probability p each; as uniform numbers have 32 bits, probabilities below 2^-33
 * are not resolved. */
double sfi_draw_poisson(double mean, sfi_where where, uint32_t *component);
double sfi_draw_binomial(double n, double p, sfi_where where,
                         uint32_t *component);

/* ---- quadrature -------------------------------------------------------------- */

/* An integrand exp(-phi) times something slow may end where phi reaches this:
 * exp(-42) is beyond double precision. */
enum { SFI_CUT = 42 };

/* integral from 0 to `length` of f, where f(s) is a node made from a vector s of
 * nodes: Gauss-Legendre on [0, 1/4] and [1/4, 1] of the length, which suits
 * integrands that fall off from 0 on. */
typedef sf_node (*sfi_integrand)(sf_graph *g, sf_node s, const sf_node *more);
sf_node sfi_integrate(sf_graph *g, sfi_integrand f, sf_node length,
                      const sf_node *more, sfi_velocity how);

#endif
