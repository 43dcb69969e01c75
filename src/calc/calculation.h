/* SPDX-License-Identifier: Apache-2.0 */
/* calculation.h - the field calculator: what its parts know of each other.
 *
 *     text -> terms (language.c) -> terms with units (unit_pass.c)
 *          -> one program for each class of positions (expand.c) -> values (run.c)
 *
 * A *term* is a node of a graph whose inputs are leaves: a field, an axis, or an
 * operator with other terms as arguments.  Such a graph says what is wanted, of a point
 * and of its neighbours.  To compute it, it is expanded at a *position* into a second
 * graph, whose inputs are the values of fields and tables at certain offsets from the
 * point; that is a program of a box (sf_program_run_box()).
 *
 * Along an axis with ends, the points near them have other difference formulas, each
 * its own; all others have one.  So an axis has a few classes of positions: single
 * points near its ends, and the interior; and each product of classes has a program. */
#ifndef SFI_CALCULATION_H
#define SFI_CALCULATION_H

#include "calc/fornberg.h"
#include "calc/regrid.h"
#include "field/calendar.h"
#include "field/layout.h"
#include "field/units.h"
#include "graph/graph.h"
#include "scorefield/calc.h"
#include "scorefield/program.h"

enum {
    SFI_TABLE_PAD = 64,  /* values of a table before and behind the axis   */
    SFI_MOST_REACH = 48, /* points that a formula may go along an axis     */
    SFI_CALC_MOST_INPUTS = 32,
    SFI_CALC_MOST_OUTPUTS = 64,
    SFI_CALC_MOST_COMPONENTS = 3
};

/* ---- terms ------------------------------------------------------------------- */

typedef enum sfi_term_kind {
    SFI_TERM_FIELD,   /* index: the input                                   */
    SFI_TERM_AXIS,    /* axis: its coordinate                               */
    SFI_TERM_TABLE,   /* index: a table of one axis                         */
    SFI_TERM_TEXT,    /* a quoted text, an argument of some operators       */
    SFI_TERM_WORD,    /* a word that is an argument: `month`                */
    SFI_TERM_DERIV,   /* d^m arg / d axis^m in the axis's own unit (radians,
                          seconds)                                           */
    SFI_TERM_LAPLAT,  /* (1/cos) d/dlat (cos d arg/dlat), order 2          */
    SFI_TERM_POLE,    /* arg, but at a pole what `pole` says of arg[1]     */
    SFI_TERM_SHIFT,   /* arg, `shift` points further along axis            */
    SFI_TERM_REDUCE,  /* over the axes of `mask`                            */
    SFI_TERM_CONVERT, /* arg in the unit `text`                             */
    SFI_TERM_REGRID,  /* arg on the latitudes and longitudes of `text`; of a
                            whole definition alone                           */
    SFI_TERM_GEOPOTENTIAL /* arg, times g if it is a height                  */
} sfi_term_kind;

typedef enum sfi_pole_rule {
    SFI_POLE_MISSING,
    SFI_POLE_CURL,
    SFI_POLE_DIV,
    SFI_POLE_LAPLACIAN
} sfi_pole_rule;

typedef enum sfi_reduction {
    SFI_REDUCE_MEAN,
    SFI_REDUCE_SUM,
    SFI_REDUCE_MIN,
    SFI_REDUCE_MAX,
    SFI_REDUCE_VAR,
    SFI_REDUCE_INTEGRAL,
    SFI_REDUCE_MONTH /* means of each calendar month, at every time */
} sfi_reduction;

typedef struct sfi_field_term {
    sfi_term_kind kind;
    sf_node node;
    int index, axis, m, shift;
    unsigned mask;
    sfi_pole_rule pole;
    sfi_reduction reduction;
    sf_node arg[2];
    char *text;
    int stage; /* of a reduction: where its values are, -1              */
} sfi_field_term;

/* A term that CF has a name for. */
typedef struct sfi_mark {
    sf_node node;
    const char *standard_name;
} sfi_mark;

/* ---- what is read ------------------------------------------------------------- */

/* Values along one axis, [-SFI_TABLE_PAD, count + SFI_TABLE_PAD). */
typedef struct sfi_table {
    int axis, rule, q; /* what it holds; tables are equal if these are   */
    double *block;
} sfi_table;

/* Read a box of values; value i goes to out[sum_k i_k step[k]]. */
typedef sf_status (*sfi_box_reader)(void *user, const int64_t *start,
                                    const int64_t *count, double *out,
                                    const int64_t *step);

/* A field of the caller or of a file. */
typedef struct sfi_calc_input {
    char *name;
    sf_node node;
    const sf_grid *grid; /* its own                                       */
    sfi_box_reader read; /* boxes of it in its own order of axes          */
    void *user;
    const sf_field *field; /* if it is in memory, else NULL                  */
    int map[SF_MAX_AXES];  /* its axis k is this axis of the domain         */
    unsigned mask;         /* of the domain's axes                          */
    sfi_unit unit;
    /* As the file has them, or NULL. */
    const char *standard_name, *grid_mapping, *coordinates;
} sfi_calc_input;

/* An array over some axes of the domain, with room for neighbours: the value at indices
 * i is block[zero + sum_k i_k step[k]].  One that is lent is all of somebody else's
 * array, and stays where it is. */
typedef struct sfi_slab {
    bool is_lent;
    void *block;
    sf_dtype dtype;
    size_t block_count;
    int64_t zero;
    int64_t step[SF_MAX_AXES]; /* 0 along axes that it lacks                 */
    int64_t pad[SF_MAX_AXES];
} sfi_slab;

/* The values of a reduction, over all of the axes that are left. */
typedef struct sfi_stage {
    unsigned mask;   /* of axes that are left */
    bool is_monthly; /* the index along time is that of a month             */
    sfi_slab values;
} sfi_stage;

/* A term whose values are put by before others read them, at neighbours or at all points
 * of a line. */
typedef struct sfi_stored {
    sf_node term, of; /* what is read; what is computed                   */
    int m, axis;      /* m > 0: the m-th derivative of that along axis, ...  */
    double factor;    /* ... times this, by its Fourier series              */
} sfi_stored;

/* ---- the calculator ------------------------------------------------------------ */

typedef struct sfi_calc_output {
    char *name;
    int components;
    sf_node node[SFI_CALC_MOST_COMPONENTS];
    sfi_unit unit[SFI_CALC_MOST_COMPONENTS];
    unsigned mask;
    char *expression;
    const char *standard_name[SFI_CALC_MOST_COMPONENTS];
    char cell_methods[96];
    sfi_regrid *regrid; /* or NULL */
    sf_field_stats stats[SFI_CALC_MOST_COMPONENTS];
} sfi_calc_output;

typedef struct sfi_calc {
    sf_context *ctx;
    sf_calc_options o;
    sf_graph *terms_graph;
    sf_grid *grid;        /* the domain */
    sfi_unit_base *units; /* NULL: bare numbers */
    sfi_field_term *terms;
    size_t term_count, term_capacity;
    int *term_of; /* [inputs of the graph] */
    size_t term_of_capacity;
    sfi_table *tables;
    size_t table_count, table_capacity;
    sfi_stage *stages;
    size_t stage_count, stage_capacity;
    sfi_stored *stored; /* those that others read are before them          */
    size_t stored_count, stored_capacity;
    int own; /* the stored term that is being computed and not read, -1 */
    int input_count, output_count;
    sfi_calc_input inputs[SFI_CALC_MOST_INPUTS];
    sfi_calc_output outputs[SFI_CALC_MOST_OUTPUTS];
    unsigned whole; /* axes that slabs are not cut along */
    size_t mark_count, mark_capacity;
    sfi_mark *marks;
} sfi_calc;

/* ---- terms (terms.c) ------------------------------------------------------------ */

/* A new leaf of the graph of terms, which takes over its text; the first error sticks to
 * that graph. */
sf_node sfi_term_new(sfi_calc *c, const sfi_field_term *term);

/* The term of a node, or NULL. */
const sfi_field_term *sfi_term_of(const sfi_calc *c, sf_node node);

/* Whether a node has an operation that may give a number where an operand is missing;
 * and of what (a bit each) it asks missing(). */
typedef struct sfi_asked {
    uint32_t inputs;
    uint64_t stages, stored;
} sfi_asked;
void sfi_term_missing(const sfi_calc *c, sf_node node, bool *hides,
                      sfi_asked *asked);

/* Which of the stored terms a node is, or -1; the one that is being computed is none. */
int sfi_stored_of(const sfi_calc *c, sf_node node);

/* Axes of the domain on which a node depends. */
unsigned sfi_term_mask(const sfi_calc *c, sf_node node);

/* How many points along each axis it goes from its own, to read fields and stored terms:
 * `radius` where no end is near, `reach` in any case. */
void sfi_term_reach(const sfi_calc *c, sf_node node, int *radius, int *reach);

/* ---- tables (axis_tables.c) ---------------------------------------------------------- */

typedef enum sfi_table_rule {
    SFI_TABLE_COORD = 0,   /* as the file has it                              */
    SFI_TABLE_INVERSE_COS, /* 1/cos(lat); 0 at a pole                      */
    SFI_TABLE_TAN,         /* tan(lat); 0 at a pole                        */
    SFI_TABLE_INVERSE_A,   /* 1/a, of the radius a                         */
    SFI_TABLE_INVERSE_ACOS, /* 1/(a cos(lat)); 0 at a pole                  */
    SFI_TABLE_TAN_A,        /* tan(lat)/a; 0 at a pole                      */
    SFI_TABLE_CORIOLIS,     /* 2 Omega sin(lat); NaN within 5 degrees of the
                            equator with q = 1                              */
    SFI_TABLE_INVERSE_R, /* 1/r; 0 at r = 0                                 */
    SFI_TABLE_FIRST,     /* weight of point q in the first derivative       */
    SFI_TABLE_SECOND,    /* ... the second                                  */
    SFI_TABLE_LAPLAT     /* ... of SFI_TERM_LAPLAT                          */
} sfi_table_rule;

/* The number of a table; -1 without memory. */
int sfi_table_find(sfi_calc *c, int axis, sfi_table_rule rule, int q);

/* Its value at index i, which may be beyond the ends by SFI_TABLE_PAD. */
double sfi_table_at(const sfi_calc *c, int table, int64_t i);

/* The unit of its values. */
sfi_unit sfi_table_unit(const sfi_calc *c, int table);

/* Points of the formula for the m-th derivative, by radians, seconds or the axis's own
 * unit, at index i: offsets[n] from i and weights[n]; returns n.  c->o.order + 1 points
 * that lie nearest, round a closed axis. */
int sfi_points_at(const sfi_calc *c, int axis, int m, int64_t i, int *offsets,
                  double *weights);

/* Whether all formulas off the ends have the same weights. */
bool sfi_axis_is_uniform(const sfi_calc *c, int axis);

/* Whether index i is a pole, of an axis of latitudes. */
bool sfi_axis_pole_at(const sfi_calc *c, int axis, int64_t i);

/* The unit of an axis whose unit is dated ("days since ..."); if only seconds are wanted,
 * also in a calendar that is not known.  Returns SF_OK, SF_E_FORMAT with the reason. */
sf_status sfi_axis_clock(const sfi_calc *c, int axis, bool needs_dates,
                         sfi_clock_unit *out);

/* Seconds, radians or plain numbers in one unit of an axis's coordinate. */
double sfi_axis_factor(const sfi_calc *c, int axis);

/* Weight of index i of an axis in a mean: its cell, or 1 of a time without bounds. */
double sfi_axis_weight(const sfi_calc *c, int axis, int64_t i);

/* Month, 0 to 11, of index i of the axis of time. */
int sfi_axis_month(const sfi_calc *c, int64_t i);

/* ---- the language (language.c) --------------------------------------------------- */

/* Read "name = expression; ..." into c->outputs; inputs, grid and units are there. */
sf_status sfi_calc_read(sfi_calc *c, const char *text);

/* The next assignment of a list, from *at on: its name and its expression, without the
 * blanks around them; SF_E_PARSE if that is none, *found false at the end. */
typedef struct sfi_definition {
    const char *name, *text;
    size_t name_length, text_length;
} sfi_definition;
sf_status sfi_definition_next(sf_context *ctx, const char *list, size_t *at,
                              sfi_definition *out, bool *found);

/* ---- units (unit_pass.c) ---------------------------------------------------------- */

/* Replace the outputs' nodes by ones whose operands are in units that fit, and say in
 * which unit they are. */
sf_status sfi_calc_convert(sfi_calc *c);

/* ---- expansion (expand.c) --------------------------------------------------------- */

/* Where a program's points are, along each axis. */
typedef struct sfi_position {
    bool is_single[SF_MAX_AXES]; /* one point, near an end                */
    int64_t index[SF_MAX_AXES];  /* that point                            */
} sfi_position;

typedef enum sfi_read_kind {
    SFI_READ_FIELD,
    SFI_READ_TABLE,
    SFI_READ_STAGE,
    SFI_READ_RING,
    SFI_READ_STORED
} sfi_read_kind;

/* An input of a program: an array, from the point on by these offsets. */
typedef struct sfi_read {
    sfi_read_kind kind;
    int index;
    int offset[SF_MAX_AXES];
    sf_node node;
    bool is_used; /* by the term that is being expanded */
} sfi_read;

/* A mean along the longitudes of the row beside a pole. */
typedef struct sfi_ring {
    sf_node term;
    int offset[SF_MAX_AXES]; /* of the row, from the position */
} sfi_ring;

typedef struct sfi_expansion {
    sfi_calc *calc;
    sf_graph *graph;
    sfi_position at;
    sfi_read *reads;
    size_t read_count, read_capacity;
    sfi_ring *rings;
    size_t ring_count, ring_capacity;
    struct sfi_known *known;
    size_t known_count, known_capacity;
} sfi_expansion;

sf_status sfi_expansion_new(sfi_calc *c, sfi_expansion *out,
                            const sfi_position *at);
void sfi_expansion_free(sfi_expansion *e);

/* The node of a term at the position and an offset from it; missing wherever something
 * that it reads is, also where an operation would hide that. */
sf_node sfi_expand(sfi_expansion *e, sf_node term, const int *offset);

/* ---- stored terms (storing.c) ------------------------------------------------------- */

/* Add those terms of a node that are to be stored, whose reductions are there. */
sf_status sfi_store_terms(sfi_calc *c, sf_node node);

/* ---- slabs (slab.c) ------------------------------------------------------------------ */

/* Room for `count` [rank] values from index `first` on along each axis of `mask`, and
 * `pad` more on both sides; all zeros.  Rows end behind a multiple of 16. */
sf_status sfi_slab_new(sfi_calc *c, sfi_slab *out, sf_dtype dtype,
                       unsigned mask, const int64_t *first,
                       const int64_t *count, const int64_t *pad);
void sfi_slab_free(sfi_calc *c, sfi_slab *s);

/* Room for `count` doubles from index 0 on along all axes, row-major without gaps; their
 * values mean nothing. */
sf_status sfi_slab_dense(sfi_calc *c, sfi_slab *out, const int64_t *count);

/* The array of a field of one component, whose axis k is axis map[k] of the domain. */
sfi_slab sfi_slab_lent(const sf_field *f, const int *map);

/* The same room for indices along `axis` that are larger by `by` > 0; values that belong
 * to both stay at their indices. */
void sfi_slab_move(sfi_slab *s, int axis, int64_t by);

/* What programs compute in. */
static inline sf_dtype sfi_calc_dtype(const sfi_calc *c)
{
    return c->o.precision == SF_CALC_SINGLE ? SF_F32 : SF_F64;
}

static inline void *sfi_slab_address(const sfi_slab *s, const int64_t *index)
{
    int64_t at = s->zero;
    for (int k = 0; k < SF_MAX_AXES; k++)
        at += index[k] * s->step[k];
    return (char *)s->block + at * (int64_t)sf_dtype_size(s->dtype);
}

/* Of a slab of doubles. */
static inline double *sfi_slab_at(const sfi_slab *s, const int64_t *index)
{
    return sfi_slab_address(s, index);
}

/* Copy dense row-major values to the box of `count` values from `first` on. */
void sfi_slab_put(sfi_slab *s, int rank, const int64_t *first,
                  const int64_t *count, const double *values);

/* Fill the pads of closed axes, of which `count` values from 0 on are there, from the
 * values a period away; `skip` is left out (-1: none). */
void sfi_slab_wrap(const sfi_calc *c, sfi_slab *s, unsigned mask,
                   const int64_t *first, const int64_t *count, int skip);

/* ---- passes (pass.c) ------------------------------------------------------------------ */

/* What is done with the values of the roots: value[r] at index i of the box is
 * values[r].block[...] (sfi_slab_at). */
typedef sf_status (*sfi_consumer)(void *user, const int64_t *first,
                                  const int64_t *count, const sfi_slab *values);

/* Compute terms whose axes are those of `mask` at all points, slab by slab.  With `targets`
 * [root_count] the values go there, which are lent, and `consume` is not called. */
sf_status sfi_pass(sfi_calc *c, int root_count, const sf_node *roots,
                   unsigned mask, const sfi_slab *targets, sfi_consumer consume,
                   void *user);

/* ---- reductions (reduce.c) -------------------------------------------------------------- */

/* Compute all reductions that a term needs. */
sf_status sfi_calc_stages(sfi_calc *c, sf_node node);

/* ---- putting together (calculation.c) --------------------------------------------------------- */

sf_status sfi_calc_new(sf_context *ctx, sfi_calc **out,
                       const sf_calc_options *opts);
void sfi_calc_free(sfi_calc *c);

/* A field to read: `grid` and `user` must outlive the calculator. */
sf_status sfi_calc_add(sfi_calc *c, const char *name, const sf_grid *grid,
                       const char *unit, sfi_box_reader read, void *user);

/* The same of a field of one component in memory. */
sf_status sfi_calc_add_field(sfi_calc *c, const char *name, const char *unit,
                             const sf_field *field);

/* Everything before values: the domain, the terms, their units. */
sf_status sfi_calc_understand(sfi_calc *c, const char *text);

/* The axes of an output, and what a file says of component k of it. */
sf_status sfi_calc_grid(const sfi_calc *c, const sfi_calc_output *o,
                        sf_grid **out);
void sfi_calc_name(const sfi_calc *c, const sfi_calc_output *o, int k,
                   char *text, size_t size);
void sfi_calc_scheme(const sfi_calc *c, char *text, size_t size);
sf_status sfi_calc_describe(sfi_calc *c, const sfi_calc_output *o, int k,
                            sf_field *f);

/* All outputs as fields, with everything computed; c->outputs[].stats only if they are
 * wanted. */
sf_status sfi_calc_fields(sfi_calc *c, int most, sf_field *out, int *count,
                          bool wants_stats);

/* ---- results (results.c) ---------------------------------------------------------------- */

typedef sf_status (*sfi_result_fn)(void *user, int output, int component,
                                   const int64_t *first, const int64_t *count,
                                   const double *values);

/* Compute all outputs; `put` gets them box by box, dense and row-major over the axes
 * of the output's mask.  With `fields`, one for each component of each output, values go straight there where no operation follows that needs all of a plane; the
 * others go to `put`. */
sf_status sfi_calc_results(sfi_calc *c, sf_field *fields, bool wants_stats,
                           sfi_result_fn put, void *user);

#endif
