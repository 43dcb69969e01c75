/* SPDX-License-Identifier: Apache-2.0 */
/* action.h - an action as its parts know it.
 *
 *     text -> a graph of the density with leaves (density_text.c)
 *          -> the terms that hold one point's value, a graph for each class of points
 *             (corner.c) -> their derivatives, as programs of boxes (apply.c)
 *
 * Fields are dense arrays [unknowns][points], row-major, pinned points among them.
 *
 * A one-form has three unknowns, its components.  That along an axis of the grid lies
 * between points: number i between those of index i and i + 1 of that axis.  Beyond the last
 * point of an axis that is not closed there is none; its number is pinned. */
#ifndef SFI_ACTION_H
#define SFI_ACTION_H

#include "field/grid.h"
#include "graph/graph.h"
#include "scorefield/action.h"
#include "scorefield/program.h"

/* ---- the density -------------------------------------------------------------- */

typedef enum sfi_leaf_kind {
    SFI_LEAF_VALUE, /* of unknown `index`                                     */
    SFI_LEAF_SLOPE, /* its physical derivative along `axis`                   */
    SFI_LEAF_RATE,  /* its time derivative                                    */
    SFI_LEAF_COORD, /* of `axis`, in the grid's unit                          */
    SFI_LEAF_SOURCE, /* array `index`                                         */
    SFI_LEAF_TIME,   /* t                                                     */
    SFI_LEAF_DELTA /* a point source, while its text is read                 */
} sfi_leaf_kind;

typedef struct sfi_density_leaf {
    sfi_leaf_kind kind;
    int index, axis;
    sf_node node; /* an input of the density's graph */
} sfi_density_leaf;

/* A text that has values at all points, or on a wall (text_values.c). */
typedef struct sfi_values sfi_values;

/* A name that the density may use: a number, or values at all points. */
typedef struct sfi_named {
    char *name;
    bool is_number;
    double number;
    double *values;    /* [points], of the action's time                      */
    char *text;        /* that it was set by; NULL: a number or a field       */
    sfi_values *timed; /* what they are at another time; NULL: the same       */
} sfi_named;

/* ---- walls ---------------------------------------------------------------------- */

/* The values of an open wall are those of the points one step beyond it, which no field
 * holds: 0 until they are known. */
typedef struct sfi_action_wall {
    sf_side_kind kind;
    bool is_number; /* the same value everywhere                      */
    double value, factor;
    double *values, *factors; /* [points of the wall], the axis left out      */
    sfi_values *timed[2]; /* what these are at another time; NULL: the same */
    int64_t step[SF_MAX_AXES];
    size_t count;
} sfi_action_wall;

/* ---- programs --------------------------------------------------------------------- */

/* Which class a point is of, along an axis. */
typedef enum sfi_place_class {
    SFI_AT_LOW,
    SFI_INSIDE,
    SFI_AT_HIGH
} sfi_place_class;

typedef enum sfi_read_of {
    SFI_READ_VALUE,  /* of unknown `index`                                    */
    SFI_READ_VECTOR, /* what a Hessian is applied to                          */
    SFI_READ_SOURCE,
    SFI_READ_TIME,
    SFI_READ_LINE, /* table `index` of an axis                              */
    SFI_READ_WALL_VALUE, /* of wall `index` = 2 axis + (high)                 */
    SFI_READ_WALL_FACTOR
} sfi_read_of;

typedef struct sfi_point_read {
    sfi_read_of of;
    int index;
    int offset[SF_MAX_AXES];
    sf_node node;
} sfi_point_read;

typedef enum sfi_task_of {
    SFI_VALUE,    /* the sum                                                 */
    SFI_GRADIENT, /* dS/dphi at each point                                   */
    SFI_PRODUCT,  /* Hessian times a vector                                  */
    SFI_DIAGONAL, /* of the Hessian                                          */
    SFI_TASKS
} sfi_task_of;

typedef struct sfi_class_program {
    bool is_made;
    sf_program *program;
    sfi_point_read *reads;
    size_t read_count, read_capacity;
    sf_source *sources;
    int value_count; /* of the fields, on which its outputs depend */
} sfi_class_program;

/* Tables along an axis: [count], index 0 the first point. */
typedef enum sfi_line_rule {
    SFI_LINE_COORD,
    SFI_LINE_LOW,  /* measure from the midpoint below (or the wall) to it   */
    SFI_LINE_HIGH, /* ... to the midpoint above                             */
    SFI_LINE_EDGE, /* 1 / distance to the next point                        */
    SFI_LINE_INVERSE_H, /* what a step along another axis is divided by here  */
    SFI_LINES
} sfi_line_rule;

enum { SFI_CLASSES = 81 }; /* 3^4 */

struct sf_action {
    sf_context *ctx;
    const sf_grid *grid;
    int rank, unknowns;
    int64_t points;
    int64_t count[SF_MAX_AXES], stride[SF_MAX_AXES];
    sf_action_kind kind;
    char *text;
    char *names[SF_MOST_UNKNOWNS];
    char *form; /* its name; NULL: the unknowns are scalars      */
    int half
        [SF_MOST_UNKNOWNS]; /* the axis between whose points one lies; -1   */
    sfi_named *named;
    size_t named_count, named_capacity;
    sfi_action_wall walls[2 * SF_MAX_AXES];
    double *lines[SF_MAX_AXES][SFI_LINES];
    bool is_uniform[SF_MAX_AXES]; /* all inner points have equal lines        */

    bool is_read;
    sf_graph *graph;
    sfi_density_leaf *leaves; /* in the order of the graph's inputs           */
    size_t leaf_count, leaf_capacity;
    sf_node energy; /* at rest                                      */
    sf_node inertia[SF_MOST_UNKNOWNS]; /* a of a dt(phi)^2/2; id -1: none     */
    bool has_motion, is_linear, is_singular, is_open;
    bool is_timed;          /* something depends on t                        */
    bool has_aging_hessian; /* the Hessian does                              */
    double time;            /* t, of the arrays of names and walls           */
    char motion_problem[160]; /* why there is none, "" if there is            */

    sfi_class_program programs[SFI_TASKS][SFI_CLASSES];
    bool *pinned; /* [unknowns][points]                                   */
    int64_t
        free_count; /* numbers of all unknowns                             */
};

/* ---- text (density_text.c) ---------------------------------------------------------- */

/* Read the density, if that was not done. */
sf_status sfi_action_read(sf_action *a);

/* A text of coordinates and, if they are allowed, point sources and the time: the sum of
 * `rest` and, at each point at[i][axis], amount[i], which depends on t at most. */
typedef struct sfi_spread_text {
    sf_node rest;
    int deltas;
    double at[SFI_MOST_ARGUMENTS][SF_MAX_AXES];
    sf_node amount[SFI_MOST_ARGUMENTS];
    bool is_timed;
} sfi_spread_text;
sf_status sfi_action_parse_spread(sf_action *a, const char *text, bool deltas,
                                  bool time, sfi_spread_text *out);

/* An expression of coordinates and constants, as a node. */
sf_status sfi_action_parse(sf_action *a, const char *text, sf_node *out);

/* The leaf of a kind; made if there is none. */
sf_node sfi_action_leaf(sf_action *a, sfi_leaf_kind kind, int index, int axis);

/* Whether a node depends on a leaf of this kind. */
bool sfi_action_depends(const sf_action *a, sf_node node, sfi_leaf_kind kind);

/* 1/h of an axis as an expression of the coordinates; h is the length of a radian, or of
 * a unit. */
sf_node sfi_action_inverse_h(sf_action *a, int axis);

/* Whether a node depends on the time, by itself or through a source. */
bool sfi_action_ages(const sf_action *a, sf_node node);

/* ---- values of texts (text_values.c) ------------------------------------------------------- */

/* Values of a node that depends on coordinates and, for all points, sources, over a box
 * of points with coordinates x[axis]. */
sf_status sfi_action_run(sf_action *a, sf_node node, const sf_box *box,
                         double *const *x, double *values);

/* A text at all points, or (wall >= 0) on a wall, which has no point sources. */
sf_status sfi_values_new(sf_action *a, sfi_values **out, const char *text,
                         int wall, bool deltas, bool time);
void sfi_values_free(sf_action *a, sfi_values *v);
bool sfi_values_is_timed(const sfi_values *v);
bool sfi_values_is_number(const sfi_values *v);

/* Its values [points] at the action's time; SF_E_ARG where one is not finite. */
sf_status sfi_values_run(sf_action *a, const sfi_values *v, double *out);

/* Values of unknown u, or (-1) at the points [points], by a text of coordinates, constants
 * and, on points, point sources. */
sf_status sfi_action_evaluate(sf_action *a, int u, const char *text,
                              double *values);

/* Go to a time: what depends on t is that of `time` from now on.  SF_E_ARG (values that are
 * not finite; pins that do not agree), and the action is then of no time. */
sf_status sfi_action_at(sf_action *a, double time);

/* SF_E_UNSUPPORTED of a form, which this verb does not take. */
sf_status sfi_action_check_scalars(const sf_action *a, const char *verb);

/* SF_E_UNSUPPORTED for an action that depends on t: it is never at rest. */
sf_status sfi_action_check_rest(const sf_action *a);

/* ---- programs (corner.c) -------------------------------------------------------------- */

sf_status sfi_class_program_make(sf_action *a, sfi_task_of task,
                                 const sfi_place_class *place,
                                 sfi_class_program *out);
void sfi_class_program_free(sf_action *a, sfi_class_program *p);

/* The roles of the axes along which the components of a form lie. */
static inline sf_role sfi_form_role(int component)
{
    static const sf_role roles[] = {SF_ROLE_X, SF_ROLE_Y, SF_ROLE_Z};
    return roles[component];
}

static inline bool sfi_is_closed(const sf_action *a, int axis)
{
    return a->walls[2 * axis].kind == SF_SIDE_PERIODIC;
}

static inline bool sfi_is_cells(const sf_action *a, int axis)
{
    return sf_grid_axis(a->grid, axis)->placement == SF_CELLS &&
           !sfi_is_closed(a, axis);
}

/* Whether the domain ends at the points of a wall, which have the half of a cell: not on
 * cells, nor where the grid goes on. */
static inline bool sfi_is_end(const sf_action *a, int axis, bool is_high)
{
    return !sfi_is_closed(a, axis) && !sfi_is_cells(a, axis) &&
           a->walls[2 * axis + is_high].kind != SF_SIDE_OPEN;
}

/* ---- applying (apply.c) ----------------------------------------------------------------- */

/* All arrays are [unknowns][points]; outputs are 0 at pinned points. */
sf_status sfi_action_value(sf_action *a, const double *x, double *out);
sf_status sfi_action_gradient(sf_action *a, const double *x, double *out);
sf_status sfi_action_product(sf_action *a, const double *x, const double *v,
                             double *out);
sf_status sfi_action_diagonal(sf_action *a, const double *x, double *out);

/* Volume of the cell of each point, [points]. */
void sfi_action_volumes(const sf_action *a, double *out);

/* What the corner rule makes of c q^2/2 of a quantity that lies midway along the axes k of
 * which place has bit k, at each of its numbers [points]: the volume there, times c at the
 * points around [points], or 1 (NULL); 0 where none is. */
void sfi_action_cells(const sf_action *a, unsigned place, const double *c,
                      double *out);

/* Where unknown u lies. */
static inline unsigned sfi_action_place(const sf_action *a, int u)
{
    return a->half[u] >= 0 ? 1u << a->half[u] : 0u;
}

/* Values of `a` of unknown u, [points]. */
sf_status sfi_action_inertia(sf_action *a, int u, double *out);

/* SF_E_ARG where sides that pin the same point do not agree. */
sf_status sfi_action_check_pins(const sf_action *a);

/* Set the pinned numbers of unknown u, [points]. */
void sfi_action_pin(const sf_action *a, int u, double *x);

/* Free numbers, an unknown after the other, to all points and back; pinned points have
 * their values or 0. */
void sfi_action_spread(const sf_action *a, const double *free, double *x,
                       bool pinned_values);
void sfi_action_collect(const sf_action *a, const double *x, double *free);

/* Fields of one grid and dense arrays. */
sf_status sfi_action_gather(sf_action *a, const sf_field *fields, double *x);
void sfi_action_scatter(const sf_action *a, const double *x, sf_field *fields);

/* The numbers [points] of one unknown. */
void sfi_action_put(const sf_action *a, const double *x, sf_field *field);

#endif
