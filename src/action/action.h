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
    SFI_LEAF_COEFFICIENT, /* `index`, of coordinates, in the discrete energy  */
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

/* A part of the energy that depends on coordinates alone: its values over the axes that it
 * depends on. */
typedef struct sfi_coefficient {
    double *values;
    int64_t count, step[SF_MAX_AXES];
} sfi_coefficient;

/* ---- walls ---------------------------------------------------------------------- */

enum { SFI_SIDES = 2 * SF_MAX_AXES }; /* side 2 axis + (high) of a field     */

/* What holds at a side for one field.  The values of an open wall are those of the points
 * one step beyond it, which no field holds: 0 until they are known. */
typedef struct sfi_action_wall {
    sf_side_kind kind;
    const char *value_text, *factor_text; /* the grid's, or these             */
    char *own[2];
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
    SFI_READ_COEFFICIENT,
    SFI_READ_TIME,
    SFI_READ_LINE, /* table `index` of an axis                              */
    SFI_READ_WALL_VALUE, /* of wall `index`, as sfi_wall_index() counts       */
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
    SFI_LINE_INVERSE_H, /* what a step along another axis is divided by here;
                           0 where these have no length                      */
    SFI_LINE_FACE_LOW,  /* as LOW and HIGH, of the face that another axis, whose
                          steps depend on this one, is crossed by            */
    SFI_LINE_FACE_HIGH,
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
    /* A field after the other.  Which sides close an axis, are open or have cells is the
     * same for all of them: that of the first ones. */
    sfi_action_wall walls[SF_MOST_UNKNOWNS * SFI_SIDES];
    char *boundary_text[SFI_SIDES]; /* of a term per area of a side, or NULL  */
    sf_node boundary[SFI_SIDES];    /* id -1: none                            */
    unsigned
        tied[SFI_SIDES]; /* axes that have no length at a side's points   */
    int64_t *row_size;   /* [points] of a tied row at its first point, 0 at its
                          others, 1 elsewhere; NULL: nothing is tied         */
    double *lines[SF_MAX_AXES][SFI_LINES];
    bool is_uniform[SF_MAX_AXES]; /* all inner points have equal lines        */

    bool is_read;
    sf_graph *graph;
    sfi_density_leaf *leaves; /* in the order of the graph's inputs           */
    size_t leaf_count, leaf_capacity;
    sf_node energy;   /* at rest                                      */
    sf_node discrete; /* the same with coefficients as leaves; id -1: not yet */
    sfi_coefficient *coefficients;
    int coefficient_count;
    sf_node inertia[SF_MOST_UNKNOWNS]; /* a of a dt(phi)^2/2; id -1: none     */
    bool has_motion, is_linear, is_open;
    bool is_floating[SF_MOST_UNKNOWNS]; /* a constant added changes nothing   */
    bool is_singular;                   /* one of them                        */
    bool is_timed;          /* something depends on t                        */
    bool has_aging_hessian; /* the Hessian does                              */
    double time;            /* t, of the arrays of names and walls           */
    char motion_problem[160]; /* why there is none, "" if there is            */

    sfi_class_program programs[SFI_TASKS][SFI_CLASSES];
    bool *pinned;        /* [unknowns][points]                                */
    int64_t free_count;  /* numbers of all unknowns                           */
    int64_t trouble_at;  /* byte of the text that could not be read, or -1    */
    bool trouble_factor; /* of the wall's texts, that of its factor           */
    int trouble_wall; /* the wall or, + SFI_WALLS, the boundary term whose text
                           it was; -1: the density                           */
};

/* ---- text (density_text.c) ---------------------------------------------------------- */

/* Whether the energy is of second order in the slope of field u along an axis, and couples it
 * with none along an axis of cells. */
bool sfi_slope_is_square(sf_action *a, int u, int axis);

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

/* ---- coefficients (coefficients.c) ---------------------------------------------------------- */

/* Make the discrete energy, if that was not done: before the first program. */
sf_status sfi_action_find_coefficients(sf_action *a);
void sfi_action_free_coefficients(sf_action *a);

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

/* The wall of a field at side 2 axis + (high). */
static inline int sfi_wall_index(int unknown, int side)
{
    return unknown * SFI_SIDES + side;
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

/* ---- sides (sides.c) ---------------------------------------------------------------------- */

enum { SFI_WALLS = SF_MOST_UNKNOWNS * SFI_SIDES };

/* Read the texts of all walls, and find what is pinned. */
sf_status sfi_action_read_walls(sf_action *a);

/* Whether the points of a class have a pinned value of field u. */
bool sfi_class_is_pinned(const sf_action *a, int u,
                         const sfi_place_class *place);

/* SF_E_ARG where sides that pin the same point do not agree. */
sf_status sfi_action_check_pins(const sf_action *a);

/* Set the pinned points of field u, [points]: all, or those of one side. */
void sfi_action_pin(const sf_action *a, int u, double *x);
void sfi_action_pin_side(const sf_action *a, int u, int side, double *x);

/* Give an action on another grid with the same axes the sides and boundary terms that were
 * set besides those of the grid. */
sf_status sfi_action_copy_sides(sf_action *to, const sf_action *from);
void sfi_action_free_sides(sf_action *a);

/* ---- faces (faces.c) ---------------------------------------------------------------------- */

/* Where the wall is, and how the area of its face grows with what other axes measure. */
double sfi_wall_place(const sf_action *a, int side);
double sfi_wall_growth(const sf_action *a, int side);

/* ---- tied rows (tied_rows.c) --------------------------------------------------------------------- */

/* Where r = 0, and at a pole, other axes have no length: all points there are one, with one
 * number.  Arrays keep a copy at each of them; a derivative by that number is kept as the mean of
 * the row, so that sums of products over all points are those over numbers.
 *
 * Find what is tied; SF_E_NOMEM. */
sf_status sfi_action_find_rows(sf_action *a);

/* Make what is tied equal, [points]: its mean, or the value of its first point. */
void sfi_action_tie(const sf_action *a, double *x);
void sfi_action_copy_rows(const sf_action *a, double *x);

/* Count through the indices of the axes of a mask; the point of indices. */
bool sfi_next_of_axes(const sf_action *a, unsigned mask, int64_t *index);
int64_t sfi_point_of(const sf_action *a, const int64_t *index);

/* Visit all rows that are one point: the points of the axes of a mask from `first` on. */
typedef void (*sfi_row_fn)(const sf_action *a, unsigned mask, int64_t first,
                           int64_t size, void *user);
void sfi_action_each_row(const sf_action *a, sfi_row_fn visit, void *user);
void sfi_set_row(const sf_action *a, unsigned mask, int64_t first, double value,
                 double *x);

/* Free numbers, an unknown after the other, to all points and back; pinned points have
 * their values or 0.  A derivative by a number that is tied is the sum over its row. */
void sfi_action_spread(const sf_action *a, const double *free, double *x,
                       bool pinned_values);
void sfi_action_collect(const sf_action *a, const double *x, double *free,
                        bool is_derivative);

/* Fields of one grid and dense arrays. */
sf_status sfi_action_gather(sf_action *a, const sf_field *fields, double *x);
void sfi_action_scatter(const sf_action *a, const double *x, sf_field *fields);

/* The numbers [points] of one unknown. */
void sfi_action_put(const sf_action *a, const double *x, sf_field *field);

#endif
