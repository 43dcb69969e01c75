/* SPDX-License-Identifier: Apache-2.0 */
/* pass.h - terms at all points of the domain: what a pass consists of.
 *
 * A pass has *layers*.  The last one is what is wanted; the others are terms that are
 * stored (storing.c), each of which is computed before those that read it, in a slab
 * of its own with room for the neighbours that they read.
 *
 * Along an axis with ends, the points of a layer near them have formulas of their own.
 * So each layer has a few *classes* of points, and a program for each class. */
#ifndef SFI_PASS_H
#define SFI_PASS_H

#include "calc/calculation.h"
#include "calc/spectral.h"

enum { SFI_MOST_CLASSES = 2 * SFI_MOST_REACH + 1, SFI_MOST_LAYERS = 33 };

/* Points along an axis whose formulas are one. */
typedef struct sfi_span_class {
    int64_t from, to; /* [from, to) */
    bool is_single;
} sfi_span_class;

/* A program for a class, and what it reads. */
typedef struct sfi_calc_program {
    sfi_position at;
    sfi_expansion e;
    sf_program *program;
    sf_source *sources;
    size_t source_count;
    struct sfi_calc_program *rings; /* [e.ring_count], of one output      */
    double **ring_means;            /* [e.ring_count] [points without lon] */
    size_t ring_points;
} sfi_calc_program;

typedef struct sfi_layer {
    int stored; /* which term, -1: the roots of the pass                   */
    int root_count;
    const sf_node *roots;
    unsigned mask;
    int64_t extent[SF_MAX_AXES]; /* 1 along axes that are not of the mask  */
    int radius[SF_MAX_AXES], reach[SF_MAX_AXES]; /* of its own formulas    */
    int pad[SF_MAX_AXES]; /* how far others read it                        */
    uint32_t inputs;      /* that it reads                                 */
    uint64_t layers;      /* stored terms that it reads                    */
    int span_count[SF_MAX_AXES];
    sfi_span_class spans[SF_MAX_AXES][SFI_MOST_CLASSES];
    sfi_calc_program **programs;
    size_t program_count, program_capacity;
    sfi_slab *values;       /* [root_count]                                */
    sfi_spectral *spectral; /* or NULL                                     */
    int64_t done;           /* indices of the slow axis before this are there */
} sfi_layer;

typedef struct sfi_pass_state {
    sfi_calc *c;
    int rank;
    int slow; /* the axis that slabs are cut along, -1: there is one slab  */
    int64_t thick, extent[SF_MAX_AXES];
    bool by_time; /* boxes have one time each: months are read             */
    const sfi_slab *targets; /* where the roots go, or NULL                 */
    int layer_count;
    sfi_layer *layers[SFI_MOST_LAYERS]; /* the last one: what is wanted     */
    sfi_slab inputs[SFI_CALC_MOST_INPUTS];
    int input_pad[SF_MAX_AXES];
    int64_t input_done[SFI_CALC_MOST_INPUTS];
    uint32_t used; /* inputs */
    double *packed;
    size_t packed_count;
} sfi_pass_state;

/* ---- classes.c --------------------------------------------------------------- */

/* Single points near the ends of a layer, and the rest. */
void sfi_layer_classes(const sfi_pass_state *p, sfi_layer *l);

/* Compute indices [from, to) of the slow axis, which may go on round a closed axis. */
sf_status sfi_layer_run(sfi_pass_state *p, sfi_layer *l, int64_t from,
                        int64_t to);

void sfi_layer_free_programs(sfi_calc *c, sfi_layer *l);

#endif
