/* SPDX-License-Identifier: Apache-2.0 */
/* matching.h - the objective of score matching as programs of the parameters. */
#ifndef SFI_MATCHING_H
#define SFI_MATCHING_H

#include "density/density.h"
#include "fit/design.h"
#include "model/evaluator.h"
#include "scorefield/matching.h"

/* A parameter that is estimated. */
typedef struct sfi_free_parameter {
    int index; /* in the density's */
    bool symmetric;
    sfi_region form; /* first, count: its numbers among all */
} sfi_free_parameter;

typedef struct sfi_match {
    sf_context *ctx;
    sf_model *model;
    sfi_density *density; /* the model's */
    const char *weight;
    int64_t slices; /* directions of each row; 0: the divergence is exact */
    uint64_t seed;
    int free_count;
    sfi_free_parameter *free;
    int64_t count;    /* numbers that are estimated */
    sfi_domain forms; /* of these */
    bool bounded;     /* whether one of them has bounds */

    /* The objective of one row, of all elements of the free parameters, which are in
     * `cells` [cell_count]: sums over rows of it and its gradient; the gradient of each
     * row.  number[c] is the number that element c is. */
    sf_program *value, *each;
    int64_t cell_count, *number;
    double *cells, *slopes;
    sf_sink *sinks;
    const void **params; /* numbers, a direction, the density's */

    bool quadratic;     /* of the numbers */
    sfi_design *design; /* its Hessian; NULL where it is not seen to have one */

    /* Where there is no design: its Hessian as a program of the numbers. */
    sf_program *hessian;

    /* The sum of it and its gradient on the line, where bounds are none, and with
     * products; NULL until sfi_match_compile_line(). */
    sf_program *line, *product;

    sf_cmat
        x; /* rows as the objective takes them: in the chart, or as they are */
    double *rows;
    int64_t rows_given;
    const double
        *base; /* x.data of the first row: of a part, rows before it count */
} sfi_match;

/* Read what is free.  SF_OK, SF_E_ARG, SF_E_SHAPE, SF_E_NOMEM. */
sf_status sfi_match_free_parameters(sfi_match *m, const char *text);

/* Compile, and find whether it is a quadratic.  SF_OK, SF_E_PARSE, SF_E_SHAPE,
 * SF_E_NOMEM. */
sf_status sfi_match_compile(sfi_match *m);
sf_status sfi_match_compile_hessian(sfi_match *m);
sf_status sfi_match_compile_line(sfi_match *m);

/* SF_E_NUMERIC where the score, or the log density itself, jumps between rows x: at the
 * parameters' values and at others near them.  SF_E_NOMEM. */
sf_status sfi_match_check_jumps(sfi_match *m, sf_cmat x, uint64_t seed);

/* The numbers as the density's parameters hold them, and back into these. */
void sfi_match_read(const sfi_match *m, double *numbers);
void sfi_match_write(const sfi_match *m, const double *numbers);

/* Stay with numbers for which the log density is finite at all rows x; else SF_E_NUMERIC
 * or SF_E_NOMEM, and the density is what it was.  `room` [count] is work space. */
sf_status sfi_match_adopt(sfi_match *m, const double *numbers, sf_cmat x,
                          double *room);

/* A gradient by elements [cell_count] as one by the numbers. */
void sfi_match_fold(const sfi_match *m, const double *cells, double *numbers);

/* Everything before an estimate: rows, free parameters, programs; and its end. */
sf_status sfi_match_begin(sfi_match *m, const char *parameters, sf_cmat x);
void sfi_match_end(sfi_match *m);

/* ---- matching_values.c: means over the rows --------------------------------- */

/* Run one of the programs over the rows at these numbers; `direction` [count] is for
 * those that multiply with one, else NULL.  Sinks get sums, which sfi_match_mean()
 * divides by the number of rows. */
sf_status sfi_match_run(sfi_match *m, sf_program *p, const double *numbers,
                        const double *direction, const sf_sink *sinks);
void sfi_match_mean(const sfi_match *m, double *sums, int64_t count);

/* Numbers as elements of the free parameters, m->cells; and one sink for each free
 * parameter, at its elements among `cells`. */
void sfi_match_place(sfi_match *m, const double *numbers);
void sfi_match_sinks(const sfi_match *m, double *cells, int64_t stride,
                     sf_sink *sinks);

/* The objective and its gradient; on the line, after sfi_match_compile_line(); and its
 * Hessian [count, count]. */
sf_status sfi_match_slope(sfi_match *m, const double *numbers, double *value,
                          double *slope);
sf_status sfi_match_line(sfi_match *m, const double *line, double *value,
                         double *slope);
sf_status sfi_match_hessian(sfi_match *m, const double *numbers, double *h);

/* A design's products; and value and slope where the numbers are 0, of a design after
 * it has been taken. */
sf_status sfi_match_take_design(sfi_match *m);
sf_status sfi_match_first(sfi_match *m, double *value, double *slope);

/* ---- matching_search.c ------------------------------------------------------- */

/* The minimum of a quadratic; SF_E_NUMERIC where the rows do not determine it.  `h`
 * [count, count], `work` [count (count + 4)]. */
sf_status sfi_match_solve(sfi_match *m, sf_matching *out, double *numbers,
                          double *h, double *work);

/* The lowest minimum of several starts, as numbers; SF_E_CONVERGE without any. */
sf_status sfi_match_search(sfi_match *m, const sf_matching_options *o,
                           sf_matching *out, double *numbers, double *work);

/* ---- matching_errors.c ------------------------------------------------------- */

/* Judge a Hessian: out->curvature, identified and weakest. */
sf_status sfi_match_judge(sfi_match *m, const double *h, sf_matching *out,
                          double *work);

/* The gradient of each row at these numbers, a tile of rows [rows, count] at a time,
 * which `use` may overwrite.  SF_OK, SF_E_NOMEM, or what `use` returns. */
sf_status sfi_match_each(sfi_match *m, const double *numbers,
                         sf_status (*use)(void *user, sf_mat slopes),
                         void *user);

/* The covariance and the errors at out->estimate; where it is identified, h becomes the
 * factor of the Hessian. */
sf_status sfi_match_errors(sfi_match *m, sf_matching *out, double *h,
                           double *work);

/* The variance of each number's slope over rows, of about `most` of them. */
sf_status sfi_match_variances(sfi_match *m, const double *numbers, int64_t most,
                              double *v);

/* ---- matching_influence.c ---------------------------------------------------- */

/* Warn of a number that rests on few of the rows; `factor` as sfi_match_errors() leaves
 * it, `work` [2 count]. */
sf_status sfi_match_influence(sfi_match *m, const sf_matching *out,
                              const double *factor, double *work);

/* The name of number k: "s", "mu[0]", "M[1,0]". */
void sfi_match_name(const sfi_match *m, int64_t k, char *text, size_t size);

#endif
