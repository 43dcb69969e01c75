/* SPDX-License-Identifier: Apache-2.0 */
/* programs.h - a decoder compiled: what inference and geometry ask of it. */
#ifndef SFI_LATENT_PROGRAMS_H
#define SFI_LATENT_PROGRAMS_H

#include "decoder/decoder.h"
#include "scorefield/latent.h"
#include "scorefield/program.h"
#include "solve/levenberg.h"

/* The members of sf_latent_values and their columns, of K and D:
 *   X(member, columns) */
#define SFI_LATENT_VALUES(X)                                                   \
    X(z, K)                                                                    \
    X(score, K)                                                                \
    X(tangential, K)                                                           \
    X(residual, D)                                                             \
    X(reconstruction, D)                                                       \
    X(orthogonality, 1)                                                        \
    X(metric, K *K)                                                            \
    X(hessian, K *K)                                                           \
    X(log_volume, 1)                                                           \
    X(principal, K *(2 + D))                                                   \
    X(covariance, K *K)                                                        \
    X(kind, 1)                                                                 \
    X(focal, 1)                                                                \
    X(misfit, 1)                                                               \
    X(loglik, 1)                                                               \
    X(logjoint, 1)                                                             \
    X(laplace, 1)                                                              \
    X(logpdf, 1)                                                               \
    X(logpdf_se, 1)                                                            \
    X(contours, K)                                                             \
    X(information, 1)                                                          \
    X(curvature, 1)                                                            \
    X(data_score, D)                                                           \
    X(ambiguous, 1)

/* All of them are maps of (z, x) in double; K latent numbers, d columns. */
typedef struct sfi_latent_programs {
    sf_context *ctx;
    int64_t latent, dim; /* K, d */
    bool varies;         /* the noise does */
    sf_latent_prior prior;
    sf_program *terms;     /* head, gradient and matrix of F = -O */
    sf_program *hessian;   /* of F */
    sf_program *value;     /* O */
    sf_program *geometry;  /* sfi_latent_parts */
    sf_program *curvature; /* of z alone; NULL where it is not wanted */
    sf_program *slope;     /* O and its gradient, likewise */
    sf_program *code; /* of x alone: a guess of z; NULL of decoders without */
    sf_program *pull; /* grad_x ln p(x|z); NULL where it is not wanted */
    sf_cmat x;        /* the rows; the caller's */
} sfi_latent_programs;

/* What is compiled only where it is asked for: bits. */
enum { SFI_LATENT_CURVATURE = 1, SFI_LATENT_SLOPE = 2, SFI_LATENT_PULL = 4 };

/* Compile.  What *out holds may be freed also after a failure. */
sf_status sfi_latent_programs_make(sf_context *ctx, sfi_latent_programs *out,
                                   const sf_decoder *d, sf_latent_prior prior,
                                   unsigned extras);
void sfi_latent_programs_free(sfi_latent_programs *p);

/* The least-squares problem of p->x; its user pointer is p. */
sfi_levenberg_problem sfi_latent_problem(sfi_latent_programs *p);

/* Hessians [count, K*K] of O, or O itself [count], at z [count, K] of the rows
 * row[0..count-1] of p->x. */
sf_status sfi_latent_values_at(sfi_latent_programs *p, int64_t count,
                               const int64_t *row, const double *z,
                               double *value);

/* O [count] and its gradient [count, K]; SFI_LATENT_SLOPE. */
sf_status sfi_latent_slope_at(sfi_latent_programs *p, int64_t count,
                              const int64_t *row, const double *z,
                              double *value, double *gradient);

/* grad_x ln p(x|z) [count, stride]; SFI_LATENT_PULL. */
sf_status sfi_latent_pull_at(sfi_latent_programs *p, int64_t count,
                             const int64_t *row, const double *z, double *pull,
                             int64_t stride);

/* The guesses z [count, K] of the rows first..first+count-1 of p->x, of a decoder that
 * has a code. */
sf_status sfi_latent_guess(sfi_latent_programs *p, int64_t first, int64_t count,
                           double *z);

/* What geometry is made of, at `count` points: arrays [count, ...]. */
typedef struct sfi_latent_parts {
    double *f, *error;           /* [d], [d] */
    double *jacobian, *whitened; /* [d*K] each */
    double *slopes;              /* [d*K] of a noise that varies */
    double *loglik;              /* [1] */
    double *tangential, *score;  /* [K] each; score is grad O */
    double *metric, *hessian;    /* [K*K] each; of O */
} sfi_latent_parts;

sf_status sfi_latent_parts_at(sfi_latent_programs *p, int64_t count,
                              const int64_t *row, const double *z,
                              const sfi_latent_parts *out);

/* SFI_LATENT_CURVATURE: the Gaussian curvature [count, stride] of the metric of two latent numbers at z. */
sf_status sfi_latent_curvature_at(sfi_latent_programs *p, int64_t count,
                                  const double *z, double *curvature,
                                  int64_t stride);

/* The same as a node, of a metric [2, 2] that is an expression of z [2]
 * (curvature.c). */
sf_node sfi_gaussian_curvature(sf_graph *g, sf_node metric, sf_node z);

#endif
