/* SPDX-License-Identifier: Apache-2.0 */
/* thermal.h - a field at a temperature: the density exp(-E/T) of the values of a field,
 * where E is the discrete action of action.h with its volumes.
 *
 * The functional is E/T in other coordinates y, which chains find easy:
 *
 *     phi = pinned values + B S y
 *
 * Where the part of the action that is quadratic near zero has constant coefficients on a
 * uniform Cartesian box, B goes back from the modes of that part, and S takes each mode by
 * its own standard deviation (T/lambda_k)^1/2.  Without anything else in the action y is
 * standard normal, and all modes have one frequency: Fourier acceleration (G. G. Batrouni
 * et al., Phys. Rev. D 32 (1985) 2736-2747).  Elsewhere B is 1, and S is the standard
 * deviation of one value with its neighbours held.
 *
 *     sf_thermal_new(ctx, &t, action, 0.5);
 *     sf_thermal_functional(t, &f);
 *     sf_chains_run(ctx, &f, 4, NULL, &options, &draws);
 *     sf_thermal_field(t, draws.x, fields);
 *
 * Fields on finer grids are rougher: <phi^2> grows as ln(1/h) in two dimensions and as 1/h in
 * three. */
#ifndef SCOREFIELD_THERMAL_H
#define SCOREFIELD_THERMAL_H

#include "scorefield/action.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_thermal sf_thermal;

/* Prepare an action, at rest, at a temperature > 0 in its own unit.  The action must
 * outlive it, and is not to be solved or moved meanwhile.
 *
 * Returns SF_OK; SF_E_ARG (temperature), SF_E_UNSUPPORTED (open sides; an action that a
 * constant does not change, whose density has no integral), SF_E_NOMEM, or what
 * sf_action_describe() does.  On failure *out is NULL. */
SF_API sf_status sf_thermal_new(sf_context *ctx, sf_thermal **out,
                                sf_action *action, double temperature);
SF_API void sf_thermal_free(sf_thermal *thermal);

/* E/T as a functional of y [unknowns]; valid as long as the thermal field. */
SF_API sf_status sf_thermal_functional(sf_thermal *thermal, sf_functional *out);

/* Fields [count of the action's unknowns] of y, and y of fields. */
SF_API sf_status sf_thermal_field(sf_thermal *thermal, const double *y,
                                  sf_field *fields);
SF_API sf_status sf_thermal_coordinates(sf_thermal *thermal,
                                        const sf_field *fields, double *y);

/* Where chains may begin, y [chains, unknowns]: draws of the quadratic part about the fields,
 * if there are modes, else the fields themselves.  Chain c's is a function of the seed and
 * of c. */
SF_API sf_status sf_thermal_start(sf_thermal *thermal, const sf_field *fields,
                                  uint64_t seed, int64_t chains, double *y);

/* Whether y are modes; and then lambda [unknowns], the eigenvalues c_k (-D_k^2) + m^2 of the
 * quadratic part, where m^2 is made positive if it is not. */
SF_API bool sf_thermal_has_modes(const sf_thermal *thermal);
SF_API void sf_thermal_eigenvalues(const sf_thermal *thermal, double *lambda);

#ifdef __cplusplus
}
#endif
#endif
