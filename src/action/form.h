/* SPDX-License-Identifier: Apache-2.0 */
/* form.h - curl and divergence of one-forms.  Arrays are as in action.h. */
#ifndef SFI_ACTION_FORM_H
#define SFI_ACTION_FORM_H

#include "action/action.h"

/* Where component u of a curl lies: bit k, between the points of axis k. */
unsigned sfi_form_face(const sf_action *a, int u);

/* Curl of x [3][points]: component u on faces, 0 where there is none. */
void sfi_form_curl(const sf_action *a, const double *x, double *out);

/* The largest divergence of a curl b [3][points] in cells between points that are seen
 * [points], a box of them, relative to the largest term of it; `out` [points] is scratch. */
double sfi_form_curl_divergence(const sf_action *a, const double *b,
                                const bool *is_seen, double *out);

/* What flows out of each point, sum of x/length, of x [3][points] on edges: times their
 * volumes, it is the divergence times the point's volume.  Returns the largest term. */
double sfi_form_divergence(const sf_action *a, const double *x, double *out);

/* Whether the form's values occur in the energy only linearly, beside its curl: then charge
 * is conserved. */
bool sfi_form_is_gauge(sf_action *a);

#endif
