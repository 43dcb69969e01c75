/* SPDX-License-Identifier: Apache-2.0 */
/* compare_job.h - the parts of the command compare. */
#ifndef SFI_CLI_COMPARE_JOB_H
#define SFI_CLI_COMPARE_JOB_H

#include "cli/cli.h"
#include "scorefield/compare_frames.h"

typedef struct compare_options {
    const char *columns, *held_out, *domain, *target;
    bool raw;
    int64_t max_rows, permutations, test_rows, projections;
    cli_read read; /* of REAL and --held-out                               */
} compare_options;

typedef struct compare_job {
    cli *c;
    const compare_options *o;
    cli_data real, synthetic, held_out;
    sf_circle *circles; /* [circle_count, of dim] what --domain says        */
    int64_t circle_count;
    sf_frames_report *report;
} compare_job;

/* Fill c->report from j->report (compare_report.c). */
void compare_put_report(compare_job *j);

#endif
