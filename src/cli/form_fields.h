/* SPDX-License-Identifier: Apache-2.0 */
/* form_fields.h - what is written of a problem's unknowns: they themselves, or of a one-form
 * A that and its fields E = -dA/dt and B = curl A. */
#ifndef SFI_CLI_FORM_FIELDS_H
#define SFI_CLI_FORM_FIELDS_H

#include "cli/problem_options.h"

enum { SHOWN_FIELDS = 3 * SF_FORM_COMPONENTS };

/* Fields of the problem's own while these are the same; those of a form are copies. */
typedef struct shown_fields {
    sf_field *fields;
    int count;
    bool at_points; /* those of a form are averaged to the points            */
    sf_field own[SHOWN_FIELDS];
} shown_fields;

/* What there is of a problem; of a motion also E.  shown_fields_free() is to follow. */
sf_status shown_fields_new(cli *c, shown_fields *s, sf_problem *p,
                           bool is_motion, bool at_points);
void shown_fields_free(cli *c, shown_fields *s);

/* Take A, and B of it; or, from dA/dt, E. */
sf_status shown_fields_take(cli *c, shown_fields *s, sf_problem *p,
                            const sf_field *fields);
sf_status shown_fields_take_rates(cli *c, shown_fields *s,
                                  const sf_field *rates);

#endif
