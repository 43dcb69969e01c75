/* SPDX-License-Identifier: Apache-2.0 */
/* colour.h - the colours of all pictures: maps for numbers, hues for things. */
#ifndef SFI_PLOT_COLOUR_H
#define SFI_PLOT_COLOUR_H

/* sRGB components and opacity, each 0 to 1, not premultiplied. */
typedef struct sfi_rgba {
    double r, g, b, a;
} sfi_rgba;

/* Maps from [0, 1] to colours, all but the last with lightness monotone in the
 * number (of the signed one, in its distance from 1/2). */
typedef enum sfi_map {
    SFI_MAP_VIRIDIS = 0, /* dark violet to yellow: for pictures of numbers  */
    SFI_MAP_LIGHT,       /* white to mid blue: lies under points and lines  */
    SFI_MAP_SIGNED,      /* blue, white at 1/2, red: numbers with a sign    */
    SFI_MAP_CYCLIC       /* a turn of hues, 1 like 0: directions            */
} sfi_map;

/* The colour at t; t is clamped to [0, 1], NaN gives the colour at 0. */
sfi_rgba sfi_map_at(sfi_map map, double t);

/* CIE 1976 lightness L* (0 to 100) of an opaque colour. */
double sfi_lightness(sfi_rgba colour);

/* The i-th colour for unordered things (curves, groups); repeats after 7. */
sfi_rgba sfi_palette(int i);

/* `colour` with its opacity replaced. */
sfi_rgba sfi_faded(sfi_rgba colour, double alpha);

/* Fixed roles, so that the same thing has the same colour in every picture. */
extern const sfi_rgba sfi_ink;       /* text and axes              */
extern const sfi_rgba sfi_soft_ink;  /* secondary text, grid notes */
extern const sfi_rgba sfi_hairline;  /* grid lines                 */
extern const sfi_rgba sfi_paper;     /* background                 */
extern const sfi_rgba sfi_no_number; /* cells that are NaN         */
extern const sfi_rgba sfi_real;      /* data                       */
extern const sfi_rgba sfi_synthetic; /* samples                    */

#endif
