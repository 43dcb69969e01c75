/* SPDX-License-Identifier: Apache-2.0 */
/* absorb.h - layers beyond open sides, in which waves that go out are lost.
 *
 * A convolutional perfectly matched layer (J. A. Roden and S. D. Gedney, Microwave and
 * Optical Technology Letters 27 (2000) 334-339) on the differences of the corner rule.  The
 * grid is continued by `cells` cells beyond each open side and pinned to 0 behind them; along
 * the axis of the side each difference d between neighbours, and each sum s of the fluxes
 * into a point, has a memory:
 *
 *     psi <- b psi + a d,    flux K (d + psi);      zeta <- b zeta + a s,    force s + zeta
 *
 * (of a one-form those of the rates in its curl and of the forces by it: evolve/yee.c), where
 * b = exp(-(sigma + alpha) dt), a = sigma/(sigma + alpha) (b - 1), sigma growing as the
 * cube of the depth to 2 c ln(10^6)/(cells h), alpha falling from 0.05 c/h to 0, and the local
 * speed c = h (K/mass)^(1/2). */
#ifndef SFI_ABSORB_H
#define SFI_ABSORB_H

#include "action/action.h"

enum { SFI_ABSORB_CELLS = 12 };

typedef struct sfi_absorbing_layer {
    int axis;
    bool is_high;
    int64_t count; /* of columns across it, of all fields                    */
    double *k;     /* [cells][count] of the edges, outwards                  */
    double *psi, *psi_a, *psi_b;
    double *zeta, *zeta_a, *zeta_b; /* of the points at the ends of the edges */
} sfi_absorbing_layer;

typedef struct sfi_absorb {
    const sf_action *inner;
    sf_action *a; /* on the larger grid */
    sf_grid *grid;
    double *coords[SF_MAX_AXES];
    int cells;
    int64_t before[SF_MAX_AXES]; /* points added at the low side              */
    sf_field fields[SF_MOST_UNKNOWNS], rates[SF_MOST_UNKNOWNS];
    sfi_absorbing_layer layers[2 * SF_MAX_AXES];
    int layer_count;
    double *memory; /* all psi and zeta, which go on with a motion            */
    size_t memory_count;
    double *room; /* what the others are parts of                             */
    size_t room_count;
} sfi_absorb;

/* Continue an action beyond its open sides, with fields [unknowns] and rates (or NULL),
 * which are 0 there.
 *
 * Returns SF_OK; SF_E_UNSUPPORTED (an energy that is not quadratic in the slopes or couples
 * them; sources of values; axes without points on their walls), SF_E_NOMEM, and what
 * sf_action_new() does.  sfi_absorb_free() is to follow in any case. */
sf_status sfi_absorb_new(sfi_absorb *l, sf_action *inner, int cells,
                         const sf_field *fields, const sf_field *rates);
void sfi_absorb_free(sfi_absorb *l);

/* Fix the coefficients for steps dt; mass [unknowns][points]; v and w are scratch of that
 * size.  The memory is then 0. */
sf_status sfi_absorb_prepare(sfi_absorb *l, double dt, const double *mass,
                             double *v, double *w);

/* Element of the j-th point outwards of column c: 0 the last one of the inner grid. */
int64_t sfi_absorb_element(const sfi_absorb *l, const sfi_absorbing_layer *s,
                           int64_t c, int64_t j);

/* Of scalars: add to forces -dE/dphi/mass at x what the layers change, and take a step of their
 * memory. */
void sfi_absorb_step(sfi_absorb *l, const double *mass, const double *x,
                     double *force);

/* Values at the points of the inner grid, and beyond it those of the nearest one. */
void sfi_absorb_extend(const sfi_absorb *l, const double *x, double *out);

/* The part of x [unknowns][points of the larger grid] that is on the inner grid. */
void sfi_absorb_crop(const sfi_absorb *l, const double *x, double *out);

#endif
