/* SPDX-License-Identifier: Apache-2.0 */
/* vtk.h - files of the Visualization Toolkit's XML formats, as ParaView reads them:
 * values at the points of a uniform (.vti) or rectilinear (.vtr) grid, and lists of
 * such files with times (.pvd).
 *
 * Values are appended raw, little-endian, each array behind its size as a UInt64.
 * The first axis is the fastest one.
 * The format: https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html */
#ifndef SFI_VTK_H
#define SFI_VTK_H

#include "io/output.h"

typedef struct sfi_vtk_array {
    const char *name;
    sf_dtype dtype;
    int components; /* 1 or 3, the values of a point side by side            */
} sfi_vtk_array;

typedef struct sfi_vtk_grid {
    int64_t count[3];         /* points along x, y, z; each >= 1             */
    bool is_uniform;          /* then first and step, else coords            */
    double first[3], step[3]; /* step > 0                                    */
    const double *coords[3];  /* ascending                                   */
} sfi_vtk_grid;

/* Everything before the values.  What follows are, for each array,
 * sfi_vtk_begin_array() and its values; sfi_vtk_coordinates(); sfi_vtk_end().
 * Errors stick to `out`. */
void sfi_vtk_begin(sfi_output *out, const sfi_vtk_grid *grid, int count,
                   const sfi_vtk_array *arrays);
void sfi_vtk_begin_array(sfi_output *out, const sfi_vtk_grid *grid,
                         const sfi_vtk_array *array);
void sfi_vtk_coordinates(sfi_output *out, const sfi_vtk_grid *grid);
void sfi_vtk_end(sfi_output *out);

/* A .pvd file: names of files beside it, and their times. */
sf_status sfi_vtk_list(sfi_output *out, int count, const char *const *files,
                       const double *times);

#endif
