/* SPDX-License-Identifier: Apache-2.0 */
/* exec_steps.h - one step of a plan, done for one block of points by the vector loops
 * of num/; what graph/exec_cpu.c puts together.
 *
 * A block is a set of rows of `ld` points; ld is a multiple of SFI_ROW_MULTIPLE, or one
 * vector where a few points are neither drawn nor added up, and the places beyond the
 * last point repeat it. */
#ifndef SFI_EXEC_STEPS_H
#define SFI_EXEC_STEPS_H

#include "base/pace.h"
#include "graph/exec.h"
#include "num/loops.h"

/* One thread's work space. */
typedef struct sfi_worker {
    char *arena;   /* plan->varying_comps rows of the longest block          */
    char *temps;   /* of fused steps                                         */
    char *pack;    /* what the products ask for                              */
    char *columns; /* unrolled image rows for convolutions                 */
    char **bases;  /* where the operands of a fused step begin ...         */
    char **starts; /* ... and those of a strip                             */
    char *
        *direct; /* [buffer_count] an array that is used where it lies; NULL */
} sfi_worker;

/* How an array that stands still along the rows of a box is in its buffer. */
enum { SFI_NUMBER = 1, SFI_FILLED_NUMBER };

struct sfi_exec {
    const sfi_plan *plan;
    const sfi_loops *loops;
    size_t elem; /* bytes of one number */
    int threads;
    double work; /* of a point */
    bool adds;   /* over points */
    int64_t ld_max;
    int64_t ld_min; /* of this run */
    int lanes_max;
    size_t arena_bytes, temp_bytes, pack_bytes, column_bytes, uniform_bytes;
    size_t base_count;
    size_t product_bytes, sum_bytes; /* of one lane */
    sfi_worker *workers;
    char *uniform;
    char *products;         /* [lanes][product_comps] */
    double *sums;           /* [lanes][sum_comps]     */
    const sfi_step **first; /* [outputs] the first of its products, or NULL */
    sfi_pace pace;          /* of one thread, and of threads that share steps */
    /* Of a run over a box, else 0 (exec_box.c): */
    bool has_numbers;
    unsigned char *numbers; /* [buffer_count] */
    bool *in_place;         /* [step_count] this load or store is left out  */
    int *placed;            /* [placed_count] which these are ...           */
    int32_t *lies;          /* ... and their buffers                        */
    int *rest;              /* [rest_count] the other varying steps         */
    int32_t *fetched; /* [fetched_count] buffers whose lines are asked for */
    int placed_count, rest_count, fetched_count;
    bool is_exact;        /* all chains are of one number a point; then      */
    sfi_ew_loop *loop_of; /* [instructions] what they do, and where the ...  */
    int *loops_at;        /* [step_count] ... loops of a step begin          */
    size_t instruction_count;
    int64_t strip; /* points */
};

/* What a step needs to know about the block at hand. */
typedef struct sfi_point_block {
    const sfi_exec *e;
    const sfi_run *run;
    sfi_worker *w;
    int64_t ld;
    int64_t first, points;
    int lane;
    bool begins;     /* it is the first of its lane */
    int part, parts; /* of a step that threads share, which is this thread's; of
                        others, 0 of 1 */
    int64_t at[SF_BOX_AXES]; /* of a box: where its first point is */
    bool is_in_place;        /* loads and stores may be left out   */
    bool is_exact; /* a strip of chains, which end with the points           */
} sfi_point_block;

/* All varying steps. */
void sfi_run_block(const sfi_point_block *b);

/* All of a step, or this thread's part of one that threads share. */
void sfi_run_step(const sfi_point_block *b, const sfi_step *s);

/* An output that is the same for all points. */
void sfi_write_uniform(const sfi_point_block *b, int output);

/* What a step costs for one point, in units of about a quarter of a nanosecond: an
 * addition of two numbers, or eight multiplications of a product. */
double sfi_step_work(const sfi_step *s);

/* Whether threads can share a step, and it is worth it: an element-wise chain, a
 * product with a matrix that is the same for all points, a sum of products over points,
 * a convolution. */
bool sfi_step_shared(const sfi_point_block *b, const sfi_step *s);

/* Places beyond the last point must not count: zero them in every row that a sum of
 * products over points reads.  A step that is not shared does so itself; before one
 * that is, one thread does. */
bool sfi_step_has_padding(const sfi_point_block *b, const sfi_step *s);
void sfi_clear_factors(const sfi_point_block *b, const sfi_step *s);

/* Fill pack_bytes, column_bytes and temp_bytes of e with what a thread needs for the
 * steps of e->plan and rows of e->ld_max points. */
void sfi_measure_steps(sfi_exec *e);

/* ---- boxes (exec_box.c) ------------------------------------------------------ */

/* What a run over a box takes note of; false without memory. */
bool sfi_box_allocate(sfi_exec *e);
void sfi_box_free(sfi_exec *e);

/* Lanes of a box, and one of them; before all of them begin, and behind the last. */
int64_t sfi_box_lanes(const sfi_exec *e, const sf_box *box, int threads);
void sfi_box_begin(sfi_exec *e, const sfi_run *run);
void sfi_box_run_lane(const sfi_exec *e, const sfi_run *run, sfi_worker *w,
                      int64_t lane, int64_t lanes);
void sfi_box_end(sfi_exec *e);

#endif
