/* SPDX-License-Identifier: Apache-2.0 */
/* no_race.c - every kind of OpenMP synchronisation that the library may use, and
 * no race: the thread sanitizer must stay silent.
 *
 * Without Archer, or with an OpenMP runtime that the sanitizer does not know,
 * the implicit barriers below are reported. */
#include <stdio.h>

enum { COUNT = 4096, ROUNDS = 20, THREADS = 4 };

int main(void)
{
    static double cell[COUNT];
    double sum = 0.0;
    int singles = 0;
    int entries = 0;
    int atomics = 0;
    for (int round = 0; round < ROUNDS; round++) {
#pragma omp parallel num_threads(THREADS)
        {
#pragma omp for schedule(static)
            for (int i = 0; i < COUNT; i++)
                cell[i] = i;
                /* Read what another thread wrote before the implicit barrier. */
#pragma omp for schedule(static) reduction(+ : sum)
            for (int i = 0; i < COUNT; i++)
                sum += cell[COUNT - 1 - i];
#pragma omp for schedule(dynamic, 16)
            for (int i = 0; i < COUNT; i++)
                cell[i] += 1.0;
#pragma omp single
            singles++;
#pragma omp critical
            entries++;
#pragma omp atomic
            atomics++;
        }
        for (int i = 0; i < COUNT; i++)
            sum += cell[i] - (i + 1);
    }
    const double want = ROUNDS * (0.5 * COUNT * (COUNT - 1));
    printf("sum %g, want %g\n", sum, want);
    return sum == want && singles == ROUNDS && entries >= ROUNDS &&
                   atomics == entries
               ? 0
               : 1;
}
