/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - what the cells of a column say of it, one after the other. */
#ifndef SFI_SEEN_H
#define SFI_SEEN_H

#include "scorefield/frame.h"

typedef struct sfi_seen {
    sf_frame_summary summary; /* until the end, sd is the sum of squares      */
    double last;
    bool runs;    /* each cell is one more than the one before                */
    int decimals; /* that all have at most; SF_MOST_DECIMALS + 1: more        */
} sfi_seen;

void sfi_seen_begin(sfi_seen *seen);
void sfi_seen_add(sfi_seen *seen, double cell);

/* Turn sums into what a summary says. */
void sfi_seen_end(sfi_seen *seen);

#endif
