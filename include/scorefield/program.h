/* SPDX-License-Identifier: Apache-2.0 */
/* program.h - a graph compiled, and mapped over many points.
 *
 * A program is the outputs that are wanted of a graph, scheduled: element-wise
 * chains fused, buffers planned, work space allocated.  Running it allocates
 * nothing.  It is the one place that knows about blocks of points and threads;
 * the same program gives the same bits for any number of threads, and what it
 * gives for one point does not depend on the other points.
 *
 * A program has its own work space: run it from one thread at a time. */
#ifndef SCOREFIELD_PROGRAM_H
#define SCOREFIELD_PROGRAM_H

#include "scorefield/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_program sf_program;

typedef enum sf_reduce {
    SF_EACH = 0, /* one row for each point                              */
    SF_SUM = 1   /* the sum over all points: losses and their gradients */
} sf_reduce;

typedef struct sf_output {
    sf_node node;
    sf_reduce reduce;
} sf_output;

/* Compile `count` outputs of a graph for arithmetic in `dtype`.  The graph may
 * grow (equivalent nodes are appended) and may be freed afterwards.
 *
 * Returns SF_OK; SF_E_ARG (no outputs), whatever error the graph carries, or
 * SF_E_NOMEM.  On failure *out is NULL. */
SF_API sf_status sf_program_new(sf_context *ctx, sf_program **out,
                                sf_graph *graph, sf_dtype dtype, int count,
                                const sf_output *outputs);

/* Free a program; NULL is allowed. */
SF_API void sf_program_free(sf_program *program);

/* Where the values of one input come from. */
typedef enum sf_source_kind {
    SF_ROWS = 0, /* the caller's rows                                       */
    SF_NORMAL,   /* independent N(0,1), a function of (seed, point, step)   */
    SF_UNIFORM,  /* independent and uniform in (0, 1), likewise             */
    SF_GRID      /* an array with steps; of sf_program_run_box() alone      */
} sf_source_kind;

/* The points of a box are numbered in row-major order. */
enum { SF_BOX_AXES = 4 };

typedef struct sf_source {
    sf_source_kind kind;

    /* SF_ROWS: component j of point i is data[r*stride + j] with r = rows[i],
     * or r = i where rows is NULL.  stride 0 gives every point the same row. */
    const void *data;
    sf_dtype dtype;
    int64_t stride;
    const int64_t *rows;

    /* SF_NORMAL, SF_UNIFORM: component j of point i draws the number that belongs
     * to (seed, stream, first_point + i, step, first_component + j); see
     * docs/decisions. */
    uint64_t seed;
    uint64_t first_point; /* + points < 2^56 */
    uint32_t step;
    uint32_t stream;          /* < 256 */
    uint32_t first_component; /* + components < 2^32 */

    /* SF_GRID: component j of the point with indices i is data[j*stride +
     * sum_k i_k steps[k]].  A step may be 0 or negative: a neighbour's value is the
     * same array from another address, a coordinate one with a single step that is
     * not 0. */
    int64_t steps[SF_BOX_AXES];
} sf_source;

/* Where an output goes.
 *   SF_EACH: row i at data + i*stride elements of `dtype`
 *   SF_SUM:  the elements one after the other, in the program's own dtype
 *            (`dtype` must say so; `stride` is not used) */
typedef struct sf_sink {
    void *data;
    sf_dtype dtype;
    int64_t stride;
} sf_sink;

/* Evaluate all outputs for `points` points.
 *
 *   sources   one for each input of the graph, in the order they were made
 *             (those that no output depends on are not read)
 *   params    one pointer for each parameter, likewise, to its elements in the
 *             program's dtype
 *   sinks     one for each output
 *
 * Returns SF_OK or SF_E_ARG (points < 0, a dtype that does not fit).  Values
 * that are not finite are not an error here. */
SF_API sf_status sf_program_run(sf_program *program, int64_t points,
                                const sf_source *sources,
                                const void *const *params,
                                const sf_sink *sinks);

/* Points of a product of axes, the last of which is fastest. */
typedef struct sf_box {
    int rank; /* 1 to SF_BOX_AXES */
    int64_t extent[SF_BOX_AXES];
    bool
        is_padded; /* all arrays of SF_GRID and of sinks may be read and written
                       behind each row, to the next multiple of 16 elements; what
                       is written there means nothing                         */
} sf_box;

/* Where an output goes.
 *   SF_EACH: component j of the point with indices i is element j*stride +
 *            sum_k i_k steps[k]
 *   SF_SUM:  as of sf_program_run() */
typedef struct sf_box_sink {
    sf_sink to;
    int64_t steps[SF_BOX_AXES];
} sf_box_sink;

/* Evaluate all outputs for the points of a box: each row of the arrays is read and
 * written where it lies, without a copy, if it is of the program's dtype and its step
 * along the last axis is 1.
 *
 *   sources  SF_GRID; SF_ROWS with stride 0; draws, whose points are numbered
 *   sinks    one may be the very array of a source if that is read at the same
 *            address alone: the new values may replace the old ones.  Otherwise no
 *            sink overlaps anything else.
 *
 * Sums over the points have an order that depends on the extents alone.
 *
 * Returns SF_OK or SF_E_ARG (rank, a negative extent, a source of another kind, a
 * dtype that does not fit). */
SF_API sf_status sf_program_run_box(sf_program *program, const sf_box *box,
                                    const sf_source *sources,
                                    const void *const *params,
                                    const sf_box_sink *sinks);

/* Bytes of work space that the program holds. */
SF_API size_t sf_program_memory(const sf_program *program);

/* About how long a point takes, in multiplications of a matrix product; of them there
 * are some tens in a nanosecond of one core. */
SF_API double sf_program_work(const sf_program *program);

#ifdef __cplusplus
}
#endif
#endif
