/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - a schedule that any executor can follow.
 *
 * A plan is three lists of steps: `constant` steps compute what is the same for all
 * runs, once; `uniform` steps what is the same for all points, once for each run;
 * `varying` steps are followed for each block of points.  Steps read and write buffers through views.  Nothing in a plan
 * knows how long a block is, or how many threads or machines there are.
 *
 * A buffer of c components is c numbers (uniform) or c rows of numbers, one
 * for each point of the block (varying).  Views address components. */
#ifndef SFI_PLAN_H
#define SFI_PLAN_H

#include "graph/graph.h"
#include "scorefield/program.h"

typedef enum sfi_place {
    SFI_IN_ARENA = 0, /* at `offset` of the uniform or the varying arena */
    SFI_IN_PARAM      /* the caller's parameter number `offset`          */
} sfi_place;

typedef struct sfi_buffer {
    bool varies;
    bool constant; /* the same for all runs */
    sfi_place place;
    int64_t comps;
    int64_t offset; /* components from the start of its arena */
    int level;      /* of the last step that writes it        */
    int first_step, last_step;
    bool kept; /* false: lives only inside one fused step */
} sfi_buffer;

/* Component (i0, i1, ...) is number offset + sum_k i_k stride_k of the buffer. */
typedef struct sfi_view {
    int32_t buffer;
    int64_t offset;
    sfi_shape shape;
    int64_t stride[SF_MAX_RANK];
} sfi_view;

typedef enum sfi_step_kind {
    SFI_STEP_LOAD,   /* out <- source number `index`                     */
    SFI_STEP_FUSED,  /* element-wise chain `fused`                       */
    SFI_STEP_COPY,   /* out <- in[0], any views of one shape             */
    SFI_STEP_PAD,    /* out <- 0, then the slice `window` of out <- in[0]*/
    SFI_STEP_CONCAT, /* out <- in[0..in_count-1] along axis `index`      */
    SFI_STEP_SUM,    /* out [kept] <- sum of in[0] [kept..., summed...]  */
    SFI_STEP_MATMUL, /* out <- in[0] in[1] (+ in[2] as bias)             */
    SFI_STEP_CONV,   /* index = pad in these three                       */
    SFI_STEP_CONV_GRAD_X,
    SFI_STEP_CONV_GRAD_W,
    SFI_STEP_POOL,
    SFI_STEP_UPSAMPLE,
    SFI_STEP_STORE,      /* sink `index` <- rows of in[0]                    */
    SFI_STEP_REDUCE,     /* output `index` += sum over points of in[0]       */
    SFI_STEP_REDUCE_NT,  /* output `index` [m,n] += in[0] [m,p] in[1] [n,p]^T,
                            contracted over p and points                     */
    SFI_STEP_REDUCE_CONV /* output `index` += conv weight gradient, pad: pad */
} sfi_step_kind;

/* One operand of a fused chain: where it starts and how it moves along the
 * collapsed axes of the chain. */
typedef struct sfi_operand {
    int32_t buffer;
    int64_t offset;
    int64_t stride[SF_MAX_RANK];
    bool scalar; /* one number for a whole run, not a row */
} sfi_operand;

/* dst, a, b, c: >= 0 a temporary row, < 0 operand number ~x. */
typedef struct sfi_instruction {
    sfi_ew op;
    int mode; /* sfi_loops.ew[op][mode] */
    int dst, a, b, c;
} sfi_instruction;

/* Instructions that run over every element of a shape, a strip at a time.
 * `flat`: the last axis and the points are one contiguous run; `lined_up`: they are
 * but for numbers that are the same for all points. */
typedef struct sfi_fused {
    int rank;
    int64_t extent[SF_MAX_RANK];
    bool flat, lined_up;
    int operand_count, instruction_count, temp_count;
    size_t operand_capacity, instruction_capacity;
    sfi_operand *operands;
    sfi_instruction *instructions;
} sfi_fused;

typedef struct sfi_step {
    sfi_step_kind kind;
    bool varies, constant;
    int level;
    int64_t index;
    int64_t pad;
    int in_count;
    sfi_view *in;
    sfi_view out; /* buffer -1 if none */
    sfi_view window;
    sfi_fused *fused;
} sfi_step;

/* A summed output has up to two accumulators: products in the program's dtype,
 * plain sums in double. */
typedef struct sfi_plan_output {
    sf_reduce reduce;
    int64_t comps;
    bool uniform;   /* the node does not vary: SUM gives points * value   */
    sfi_view value; /* if uniform                                         */
    int64_t product_offset; /* into a lane's products, -1 if none         */
    int64_t sum_offset;     /* into a lane's double sums, -1 if none      */
} sfi_plan_output;

typedef struct sfi_constant {
    int32_t buffer;
    int64_t count;
    double *values;
} sfi_constant;

typedef struct sfi_plan {
    sf_context *ctx;
    sf_dtype dtype;
    sfi_buffer *buffers;
    size_t buffer_count, buffer_capacity;
    sfi_step *steps; /* in order: [0, constant_steps), [constant_steps,
                        uniform_steps), the varying ones       */
    size_t step_count, step_capacity, constant_steps, uniform_steps;
    sfi_constant *constants;
    size_t constant_count, constant_capacity;
    sfi_plan_output *outputs;
    int output_count;
    int input_count, param_count;
    int64_t *input_comps;  /* [input_count], 0 if the input is not used */
    int64_t uniform_comps; /* size of the uniform arena                 */
    int64_t varying_comps; /* rows of the varying arena                 */
    int64_t product_comps; /* a lane's accumulators                     */
    int64_t sum_comps;
    int temp_rows; /* most temporaries of any fused step        */
} sfi_plan;

/* Schedule the outputs of a graph.  Returns SF_OK, the graph's error, SF_E_ARG
 * or SF_E_NOMEM; on failure *out is NULL. */
sf_status sfi_plan_new(sf_context *ctx, sfi_plan **out, sf_graph *graph,
                       sf_dtype dtype, int count, const sf_output *outputs);
void sfi_plan_free(sfi_plan *plan);

/* Whether a view is row-major without gaps. */
bool sfi_view_contiguous(const sfi_view *view);

#endif
