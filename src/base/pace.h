/* SPDX-License-Identifier: Apache-2.0 */
/* pace.h - which of two ways to do the same work is faster, by the clock.
 *
 * For work whose cost depends on who else wants the machine, such as threads that wait
 * for each other often.  Both ways must give the same result, since which one is taken
 * depends on time. */
#ifndef SFI_PACE_H
#define SFI_PACE_H

typedef struct sfi_pace {
    double cost[2]; /* of a unit of work, seconds; 0: not known */
    double since;   /* seconds since the slower way was tried   */
} sfi_pace;

/* The way for so many units (0 or 1): the faster one, or the other where it would not
 * take more than a 32nd of the time since it was tried. */
int sfi_pace_choose(const sfi_pace *p, double units);

/* It took this long. */
void sfi_pace_learn(sfi_pace *p, int way, double units, double seconds);

#endif
