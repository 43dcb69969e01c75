/* SPDX-License-Identifier: Apache-2.0 */
/* path.h - the paths of location and scale as numbers (families.h has them as
 * nodes): at time t the law of a family with a path is x0 `keep` plus `spread`
 * times the noise of scale 1. */
#ifndef SFI_PATH_H
#define SFI_PATH_H

/* The words of the number "path", in order. */
enum { SFI_PATH_LINEAR = 0, SFI_PATH_VP, SFI_PATH_VE };

typedef struct sfi_path_numbers {
    double keep, spread;           /* at t            */
    double keep_rate, spread_rate; /* their slopes in t */
} sfi_path_numbers;

sfi_path_numbers sfi_path_at(int path, double t);

#endif
