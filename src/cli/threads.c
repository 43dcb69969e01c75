/* SPDX-License-Identifier: Apache-2.0 */
/* threads.c - threads that wait do not keep a core from others for long.
 *
 * A thread of libgomp that has nothing to do spins for milliseconds before it
 * sleeps.  Where another program wants the core, that is time nobody has: two
 * programs at once on two cores took up to ten times as long as one.  How long it
 * spins is read from the environment when libgomp is loaded, which is before
 * main(), so the program starts itself once more with a shorter time. */
#define _POSIX_C_SOURCE 200809L

#include "cli/cli.h"

#include <stdlib.h>
#include <unistd.h>

/* Longer than from one parallel loop to the next in training. */
static const char spins[] = "1000";

void cli_be_patient(char **argv)
{
    static const char *const said[] = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"};
    for (size_t i = 0; i < SFI_COUNT(said); i++)
        if (getenv(said[i]) != NULL)
            return;
    if (setenv("GOMP_SPINCOUNT", spins, 0) == 0)
        (void)execv("/proc/self/exe", argv);
    /* Still here: it goes on as it is. */
}
