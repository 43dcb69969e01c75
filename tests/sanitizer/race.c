/* SPDX-License-Identifier: Apache-2.0 */
/* race.c - a data race planted on purpose: the thread sanitizer must report it.
 *
 * Every thread adds to one variable.  CTest passes when the report appears. */
#include <stdio.h>

int main(void)
{
    long sum = 0;
#pragma omp parallel num_threads(2)
    for (int i = 0; i < 1000; i++)
        sum += i;
    printf("%ld\n", sum);
    return 0;
}
