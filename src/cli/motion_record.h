/* SPDX-License-Identifier: Apache-2.0 */
/* motion_record.h - what a motion leaves while it goes on: its frames, its curves, and what
 * it can be taken up again from. */
#ifndef SFI_CLI_MOTION_RECORD_H
#define SFI_CLI_MOTION_RECORD_H

#include "cli/form_fields.h"
#include "field/series.h"
#include "io/output.h"

typedef struct motion_record {
    cli *c;
    sf_problem *p;
    shown_fields put; /* what is written of each frame                        */
    int64_t frames, shown; /* the start is shown, too, but not counted       */
    double *times;
    sfi_series *series;
    sfi_output *curves;
    int probes;
    double *points; /* [probes][rank]                                        */
    int width;      /* of a row of the curves                                */
    double *rows;   /* those since the last frame, if they are kept          */
    size_t row_count, row_capacity;
    const char *checkpoint;
    double *state; /* to resume from, or NULL                                */
    size_t state_count;
} motion_record;

/* Open the files that the options name; of a run that is resumed, with what it has left.
 * motion_record_close() is to follow whatever this returns. */
sf_status motion_record_open(motion_record *r, cli *c, const problem_options *o,
                             sf_problem *p, int64_t frames);

/* Who is to be told of the motion. */
sf_motion_told motion_record_told(motion_record *r);

/* Finish the files if `status` is SF_OK; a checkpoint is then removed.  Returns it, or what
 * went wrong. */
sf_status motion_record_close(motion_record *r, sf_status status);

#endif
