/* SPDX-License-Identifier: Apache-2.0 */
/* bench.h - what every bench_*.c shares: its arguments, timing in windows,
 * and the one line of JSON that bench/run reads (README.md describes it).
 *
 *   int main(int argc, char **argv)
 *   {
 *       bench_args args;
 *       if (!bench_arguments(argc, argv, &args))
 *           return 2;
 *       if (bench_wanted(&args, "normal_f32")) {
 *           const bench_rate rate = bench_windows(&args, fill, &state);
 *           bench_print("normal_f32", "normals_per_s", rate, count, 0.0);
 *       }
 *       return 0;
 *   } */
#ifndef SFI_BENCH_H
#define SFI_BENCH_H

#include <omp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__GNUC__)
#define BENCH_UNUSED __attribute__((unused))
#else
#define BENCH_UNUSED
#endif

enum { BENCH_MAX_WINDOWS = 4096 };

typedef struct bench_args {
    double seconds; /* for each figure                     [default 1]   */
    int threads;    /*                          [default all processors] */
    int case_count; /* 0: every case                                     */
    char **case_names;
} bench_args;

/* Calls a second: the best window and the median one. */
typedef struct bench_rate {
    double best, median;
} bench_rate;

BENCH_UNUSED static double bench_clock(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* PROGRAM [--seconds S] [--threads N] [CASE...]; false after a message. */
BENCH_UNUSED static bool bench_arguments(int argc, char **argv,
                                         bench_args *args)
{
    *args = (bench_args){.seconds = 1.0, .threads = omp_get_num_procs()};
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        char *end = NULL;
        const double value = strtod(argv[i + 1], &end);
        const bool number = end != argv[i + 1] && *end == '\0';
        if (strcmp(argv[i], "--seconds") == 0 && number && value >= 0.01 &&
            value <= 3600.0)
            args->seconds = value;
        else if (strcmp(argv[i], "--threads") == 0 && number && value >= 1.0 &&
                 value <= 1024.0)
            args->threads = (int)value;
        else
            break;
    }
    if (i < argc && argv[i][0] == '-') {
        fprintf(stderr,
                "usage: %s [--seconds S] [--threads N] [CASE...]\n"
                "  S: 0.01 to 3600, N: 1 to 1024\n",
                argv[0]);
        return false;
    }
    args->case_names = argv + i;
    args->case_count = argc - i;
    return true;
}

BENCH_UNUSED static bool bench_wanted(const bench_args *args, const char *name)
{
    for (int i = 0; i < args->case_count; i++)
        if (strcmp(args->case_names[i], name) == 0)
            return true;
    return args->case_count == 0;
}

BENCH_UNUSED static int bench_descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Sorts `rates`. */
BENCH_UNUSED static bench_rate bench_summarise(double *rates, int count)
{
    qsort(rates, (size_t)count, sizeof *rates, bench_descending);
    return (bench_rate){rates[0], rates[count / 2]};
}

/* Call `work` for args->seconds, in windows of about 0.1 s or one call.  The
 * first call is not measured: it allocates and touches memory. */
BENCH_UNUSED static bench_rate
bench_windows(const bench_args *args, void (*work)(void *user), void *user)
{
    static double rates[BENCH_MAX_WINDOWS];
    work(user);
    double begin = bench_clock();
    int64_t turns = 0;
    do {
        work(user);
        turns++;
    } while (bench_clock() - begin < 0.1);

    int count = 0;
    const double start = bench_clock();
    while (count < BENCH_MAX_WINDOWS &&
           (count < 3 || bench_clock() - start < args->seconds)) {
        begin = bench_clock();
        for (int64_t t = 0; t < turns; t++)
            work(user);
        rates[count++] = (double)turns / (bench_clock() - begin);
    }
    return bench_summarise(rates, count);
}

/* A call of `work` did `units` units, each of `flop` operations (0: not
 * counted); the figure printed is units a second. */
BENCH_UNUSED static void bench_print(const char *name, const char *key,
                                     bench_rate calls, double units,
                                     double flop)
{
    const double best = units * calls.best, median = units * calls.median;
    printf("{\"name\": \"%s\", \"%s\": %.6g, ", name, key, median);
    if (flop > 0.0)
        printf("\"gflops\": %.6g, ", 1e-9 * flop * median);
    printf("\"rate\": {\"best\": %.6g, \"median\": %.6g}}\n", best, median);
    fflush(stdout);
}

#endif
