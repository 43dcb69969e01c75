/* SPDX-License-Identifier: Apache-2.0 */
/* compare_job.h - the parts of the command compare. */
#ifndef SFI_CLI_COMPARE_JOB_H
#define SFI_CLI_COMPARE_JOB_H

#include "cli/cli.h"
#include "io/output.h"
#include "scorefield/compare_frames.h"

typedef struct compare_options {
    const char *columns, *held_out, *domain, *target, *output;
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

/* ---- in words (compare_words.c) ---- */

enum { COMPARE_WORDS = 5 };

/* A sentence. */
typedef struct compare_words {
    char text[800];
} compare_words;

void compare_describe(const compare_job *j, compare_words words[COMPARE_WORDS]);

/* ---- as a page (compare_html.c over compare_pictures.c) ---- */

/* Write the report, which has been filled, to `path`. */
sf_status compare_write_html(compare_job *j, const char *path);

/* Text into the page, escaped (html_text.c). */
void compare_html_text(sfi_output *out, const char *text);

/* Pictures into the page; where the program has none, that. */
sf_status compare_put_pictures(compare_job *j, sfi_output *out);

#endif
