/* SPDX-License-Identifier: Apache-2.0 */
/* posterior_block.h - a block of queries on its way through the data: what
 * num/posterior.c holds, and the work that one thread does with it. */
#ifndef SFI_POSTERIOR_BLOCK_H
#define SFI_POSTERIOR_BLOCK_H

#include "num/loops.h"
#include "num/posterior.h"
#include "num/posterior_tree.h"

enum {
    SFI_POSTERIOR_BLOCK = 128, /* queries                                    */
    SFI_POSTERIOR_CHUNK = 256, /* points                                     */
    SFI_POSTERIOR_GROUP = 8    /* chunks that products are summed over before
                                  the sums are added to the totals           */
};

/* A logit, and the row of the data it belongs to. */
typedef struct sfi_posterior_best {
    double logit;
    int64_t row;
} sfi_posterior_best;

/* One thread's work space.  What a query has summed up is relative to its
 * reference (sfi_posterior_reference), and its columns are
 *     y [d], with scales s, s y [d], and with covariances y_k y_l, l <= k. */
typedef struct sfi_posterior_desk {
    /* of the posterior's type */
    char *features; /* [BLOCK, d + 1]   what logits are linear in   */
    char *logits;   /* [BLOCK, CHUNK]                               */
    char *bias;     /* [CHUNK]                                      */
    char *scaled;   /* [1 + d, CHUNK]   s, s y                      */
    char *pairs;    /* [d (d + 1)/2, CHUNK]                         */
    char *sums;     /* [BLOCK, columns] of a group of chunks        */
    void *pack;     /* what the products ask for                    */
    /* of each query of the block */
    const double **query;     /* [BLOCK] x                                  */
    int64_t *left_out;        /* [BLOCK] place that does not count, or -1   */
    double *top;              /* [BLOCK] logit that weights are relative to */
    double *mass;             /* [BLOCK] sum of weights                     */
    double *limit;            /* [BLOCK] leaves below it do not matter      */
    double *total;            /* [BLOCK, columns]                           */
    double *offset;           /* [BLOCK] what logits lack                   */
    double *part;             /* [BLOCK] mass of a group                    */
    double *box;              /* [2, d] of the block                        */
    sfi_posterior_best *best; /* [BLOCK, MOST_BEST] largest so far      */
    int64_t *best_count;      /* [BLOCK] how many                       */
} sfi_posterior_desk;

struct sfi_posterior {
    sf_context *ctx;
    const sfi_loops *loops;
    sf_dtype dtype;
    size_t elem;
    int64_t d, columns;
    bool scaled, paired;
    bool compact; /* leaves of the tree are: each has its own centre */
    int64_t leaf; /* chunks of a leaf                                */
    int64_t chunks;
    int threads;
    sfi_posterior_tree tree;
    double extent;   /* largest |y - middle|^2 there may be          */
    double *middle;  /* [d] of the data                              */
    double *centres; /* [leaves, d]                                  */
    double *reach;   /* [leaves] largest |y - c|^2                   */
    char *data;      /* [chunks, d, CHUNK] y - c                     */
    char *squares;   /* [chunks, CHUNK] s_j |y - c|^2                */
    char *weights;   /* [chunks, CHUNK] log weights                  */
    char *scales;    /* [chunks, CHUNK] or NULL                      */
    int32_t *home;   /* [batch] leaf at which a query begins         */
    int32_t *order;  /* [batch] queries by it                        */
    int64_t *start;  /* [leaves + 1] of each in the order            */
    char *desks;     /* [threads] of desk_bytes                      */
    size_t desk_bytes;
    sfi_posterior_desk *desk; /* [threads]                           */
};

/* A block of queries at work. */
typedef struct sfi_posterior_job {
    const sfi_posterior *p;
    sfi_posterior_desk *desk;
    int64_t rows;
    double scale, cut;
    sfi_likeness likeness;
    int moments;                /* the highest that is summed: 0, 1 or 2 */
    int64_t best;               /* largest logits that are kept          */
    double least, most;         /* limit of the block                    */
    sfi_posterior_queries span; /* its box                               */
} sfi_posterior_job;

/* Lay a desk out at `at`, or only measure it where that is NULL. */
size_t sfi_posterior_lay_out(const sfi_posterior *p, char *at,
                             sfi_posterior_desk *desk);

/* Sum over all leaves that matter: desk->query and left_out are set, and `homes`
 * has the leaf each query begins with. */
void sfi_posterior_sum(sfi_posterior_job *job, const int32_t *homes);

/* What the sums of a query are relative to: itself, where chunks are compact, so
 * that y - x is never the difference of large numbers; else the middle. */
const double *sfi_posterior_reference(const sfi_posterior_job *job, int64_t i);

#endif
