/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - faults planted on purpose: the sanitizers must report each.
 *
 *   fault overrun    reads behind an allocation
 *   fault leak       forgets one
 *   fault overflow   adds 1 to the largest int
 *
 * CTest passes when the report appears. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    /* volatile, so that the compiler does not see the fault and remove it */
    volatile int count = 16;
    int *volatile cell = calloc((size_t)count, sizeof *cell);
    int got = 0;

    if (cell == NULL)
        return EXIT_FAILURE;
    if (strcmp(kind, "overrun") == 0)
        got = cell[count];
    else if (strcmp(kind, "overflow") == 0)
        got = (INT_MAX - 16 + count) + (count - 15);
    if (strcmp(kind, "leak") != 0)
        free(cell);
    cell = NULL;
    printf("%s: %d, and nothing was reported\n", kind, got);
    return 0;
}
