/* SPDX-License-Identifier: Apache-2.0 */
/* modes.h - the modes of the quadratic part of an action on a uniform Cartesian box.
 *
 * B goes back from the modes, A goes there, A B = c; columns of B are orthogonal under the
 * volumes V of the points, B' V B = D, and V^-1 K B = B diag(lambda) for the quadratic part K.
 * So B' = D A V^-1/c.  D is the product of the squared lengths of the columns along each
 * axis. */
#ifndef SFI_ACTION_MODES_H
#define SFI_ACTION_MODES_H

#include "action/action.h"
#include "num/transform.h"

typedef struct sfi_modes {
    const sf_action *a;
    int64_t n;                  /* of free points, in their order            */
    int64_t count[SF_MAX_AXES]; /* along each axis                           */
    double mass;                /* m^2, which is part of lambda              */
    double scale;               /* c                                         */
    double *lambda;             /* [n]                                       */
    double *lengths;            /* [n] D                                     */
    sfi_transform *there[SF_MAX_AXES], *back[SF_MAX_AXES];
} sfi_modes;

/* Plan for an action that sf_action_describe() knows.  *fits: false, and *out empty, if it
 * has several fields, another geometry, a side that transforms do not have, or a quadratic
 * part that is not definite along the axes or has no constant coefficients.
 *
 * Returns SF_OK, SF_E_NOMEM, or what transforms do. */
sf_status sfi_modes_new(sf_action *a, sfi_modes *out, bool *fits);
void sfi_modes_free(sfi_modes *m);

/* z [n] in place: A z, B z. */
void sfi_modes_there(const sfi_modes *m, double *z);
void sfi_modes_back(const sfi_modes *m, double *z);

#endif
