/* SPDX-License-Identifier: Apache-2.0 */
/* action.h - actions of fields, typed as text; their equations of motion.
 *
 * An action is the integral of a density of unknown fields and their first derivatives.
 * What makes it stationary solves its equation of motion:
 *
 *     energy      e(phi, grad phi, x)                  solve de/dphi - div de/dgrad phi = 0
 *     lagrangian  L = T - V with dt(phi) in it         at rest, -L is the energy
 *
 * It is discretised by the corner rule (docs/FIELDS.md): at every point, for each of the
 * 2^d ways to take one-sided differences, the density times the volume of that part of the
 * point's cell.  So the discrete equation is the gradient of one function, its Hessian is
 * symmetric, and what is natural at a wall holds there by itself.  Order 2.
 *
 *     sf_action *a;
 *     sf_action_new(ctx, &a, grid, "0.5*grad2(phi) + rho*phi", SF_ENERGY, 1,
 *                   (const char *const[]){"phi"});
 *     sf_action_set(a, "rho", "exp(-20*((x-0.5)^2 + (y-0.5)^2))");
 *     sf_field phi;
 *     sf_action_field(a, &phi, 0);
 *     sf_action_solve(a, &phi, NULL, &result);
 *
 * The density may use: the unknown fields; dx dy dz dt, d(e, axis), grad(e), grad2(e) =
 * |grad e|^2, of expressions that hold no derivative; the coordinates; the names that
 * sf_action_set() and sf_action_constant() define; docs/EXPRESSIONS.md. */
#ifndef SCOREFIELD_ACTION_H
#define SCOREFIELD_ACTION_H

#include "scorefield/field.h"
#include "scorefield/functional.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_action sf_action;

typedef enum sf_action_kind { SF_ENERGY = 0, SF_LAGRANGIAN } sf_action_kind;

enum { SF_MOST_UNKNOWNS = 4 };

/* Make an action on a grid, whose sides say what holds at its walls.
 *
 *   grid   must outlive the action; Cartesian, polar, cylindrical, axisymmetric,
 *          sphere, spherical or radial; without a node where r = 0 or at a pole
 *   text   the density; it is read when the action is first used
 *   names  [count] of the unknown fields
 *
 * Returns SF_OK; SF_E_ARG (count, names, a geometry without lengths, an axis of one
 * point, sides that are not supported: which and why), SF_E_NOMEM; on failure *out is
 * NULL. */
SF_API sf_status sf_action_new(sf_context *ctx, sf_action **out,
                               const sf_grid *grid, const char *text,
                               sf_action_kind kind, int count,
                               const char *const *names);
SF_API void sf_action_free(sf_action *action);

enum { SF_FORM_COMPONENTS = 3 };

/* The same of a one-form, such as the vector potential of Maxwell's equations, on a
 * Cartesian grid of one to three of the axes x, y, z.  Its unknowns are the components
 * FORM_x, FORM_y, FORM_z, in this order: each lies midway between the points along its axis
 * (K. S. Yee, IEEE Trans. Antennas Propag. 14 (1966) 302-307), or on points if the grid has
 * none such.  The density may use the vector FORM, its components, dt(FORM), curl(FORM)
 * and curl2(FORM) = |curl FORM|^2; the square of a vector is that of its length:
 *
 *     0.5*dt(A)^2 - 0.5*curl2(A) + J_x*A_x            E = -dA/dt, B = curl A
 *
 *   sides  periodic; pin 0: a perfect conductor, along which it vanishes; natural: a wall
 *          to which B has no component along; open
 *
 * Returns as sf_action_new(); SF_E_UNSUPPORTED (another geometry or side, cells). */
SF_API sf_status sf_action_new_form(sf_context *ctx, sf_action **out,
                                    const sf_grid *grid, const char *text,
                                    sf_action_kind kind, const char *form);

/* Define a name that the density uses: a number; an expression of the coordinates, of
 * constants that were defined before, of the time t, and of sums with delta(x - a, y - b), a
 * point source of strength one between the points around it, times a number or an
 * expression of t; or the values of a field on the action's grid, which are copied.
 *
 * What depends on t, sources, sides and the density itself, is taken at each time of a
 * motion; such an action has nothing at rest, and is not solved.  t is no time where a name
 * is called so.
 *
 * Returns SF_OK; SF_E_PARSE (with the column), SF_E_ARG (a name twice, a source outside the
 * grid, a value that is not finite: where), SF_E_SHAPE (another grid), SF_E_NOMEM. */
SF_API sf_status sf_action_constant(sf_action *action, const char *name,
                                    double value);
SF_API sf_status sf_action_set(sf_action *action, const char *name,
                               const char *text);
SF_API sf_status sf_action_source(sf_action *action, const char *name,
                                  const sf_field *field);

/* Make a field for unknown u on the action's grid: zero, but for the values that the
 * sides pin.  That of a form's component lies midway between points. */
SF_API sf_status sf_action_field(sf_action *action, sf_field *out, int u);

/* What is known of an action. */
typedef struct sf_action_info {
    int64_t points, unknowns; /* of the grid; free numbers of all fields      */
    bool is_linear;           /* its Hessian does not depend on the fields    */
    bool is_singular;         /* it stays the same if a constant is added     */
    bool has_motion;          /* there is a dt()                              */
    bool is_timed;            /* a source, a side or the density depends on t */
} sf_action_info;
SF_API sf_status sf_action_describe(sf_action *action, sf_action_info *out);

/* The action as a functional of its free numbers: what solve and sample take.  Values at
 * pinned points are those of `fields` [count of unknowns], which also receive and give
 * free numbers by sf_action_pack() and _unpack(); `functional` is valid as long as the
 * action.  At rest: time derivatives are 0.
 *
 * Returns SF_OK; SF_E_PARSE, SF_E_ARG, SF_E_UNSUPPORTED, SF_E_NOMEM. */
SF_API sf_status sf_action_functional(sf_action *action, sf_functional *out);
SF_API sf_status sf_action_pack(sf_action *action, const sf_field *fields,
                                double *x);
SF_API sf_status sf_action_unpack(sf_action *action, const double *x,
                                  sf_field *fields);

typedef enum sf_point_kind {
    SF_POINT_MINIMUM = 0,
    SF_POINT_MAXIMUM,
    SF_POINT_SADDLE
} sf_point_kind;

typedef struct sf_action_solve_options {
    size_t size;      /* set by _INIT                                        */
    double tolerance; /* of |residual| / |residual at zero or at the start|
                         [1e-8]                                              */
    int64_t max_iterations; /* of Newton [100] */
    bool project; /* of a singular problem that is not balanced, subtract
                         the mean of its right-hand side [false: an error]   */
} sf_action_solve_options;

#define SF_ACTION_SOLVE_OPTIONS_INIT                                           \
    {                                                                          \
        .size = sizeof(sf_action_solve_options), .tolerance = 1e-8,            \
        .max_iterations = 100                                                  \
    }

typedef struct sf_action_solution {
    const char *engine; /* "conjugate gradients", "Newton", ...             */
    int64_t iterations; /* of Newton; of a linear equation 1, and one each time
                           that what rounding left is solved for             */
    int64_t products;   /* with the Hessian, without those in the cycles of a
                           multigrid preconditioner                          */
    double residual;    /* |b - A phi|/|b|, or |gradient| over that of the
                            start; recomputed at the end                     */
    double energy;      /* the discrete action's                            */
    double imbalance;   /* of a singular problem: sum of its right-hand side
                            over the sum of its size                         */
    sf_point_kind kind;
} sf_action_solution;

/* Find the stationary point that is reached from `fields` [count of unknowns], which
 * receive it.
 *
 * Returns SF_OK; SF_E_PARSE, SF_E_ARG, SF_E_UNSUPPORTED as above; SF_E_NUMERIC (values
 * that are not finite; a singular problem whose right-hand side has a mean: how large),
 * SF_E_CONVERGE (the fields hold the best so far), SF_E_CANCELLED, SF_E_NOMEM. */
SF_API sf_status sf_action_solve(sf_action *action, sf_field *fields,
                                 const sf_action_solve_options *opts,
                                 sf_action_solution *out);

/* A step of a motion. */
typedef struct sf_motion_level {
    double time;
    double energy;  /* of a wave with that of its motion                     */
    double fastest; /* the largest |dphi/dt|: how far a flow is from rest    */
    const sf_field *fields;
} sf_motion_level;

/* Who is told of a motion; another status than SF_OK ends it.  NULL: nobody. */
typedef struct sf_motion_told {
    void *user;
    /* Frames: times equally far apart, of which the last is the end. */
    sf_status (*frame)(void *user, double time, const sf_field *fields);
    /* The start and each step. */
    sf_status (*level)(void *user, const sf_motion_level *level);
    /* After each frame: dphi/dt at that time, [count of unknowns]. */
    sf_status (*rates)(void *user, double time, const sf_field *rates);
    /* After frame k = 1, 2, ...: what the motion is to be taken up again from, by
     * `resume` of a call that is the same but for that.  The rest of it then has the
     * same bits. */
    sf_status (*save)(void *user, int64_t k, const double *state, size_t count);
} sf_motion_told;

typedef struct sf_action_flow_options {
    size_t size;      /* set by _INIT                                        */
    double until;     /* > 0: how long                                       */
    double tolerance; /* of the error of a step, relative to the largest value
                         [1e-5]                                              */
    double step;      /* the first one [0: by itself]                        */
    int64_t frames;   /* [1]                                                 */
    sf_motion_told told;
    const double *resume; /* [resume_count], or NULL: from the start         */
    size_t resume_count;
    int64_t max_steps; /* with those that are rejected [1000000]             */
} sf_action_flow_options;

#define SF_ACTION_FLOW_OPTIONS_INIT                                            \
    {                                                                          \
        .size = sizeof(sf_action_flow_options), .until = 1.0,                  \
        .tolerance = 1e-5, .frames = 1, .max_steps = 1000000                   \
    }

typedef struct sf_action_motion {
    const char *engine;
    int64_t accepted, rejected, gradients;
    double energy_start, energy_end;
    double drift; /* of a wave: largest |E - E(0)|/|E(0)|; of a flow: 0       */
    double step;  /* the last one                                            */
    double gauss; /* of a form: largest |div eps E - rho|, rho being advanced by
                     -div(J + sigma E), over the largest term of that; NaN where
                     it is not known                                         */
    double
        div_b; /* of a form: largest |div B| over that of its terms; or NaN */
} sf_action_motion;

/* Follow V dphi/dt = -dE/dphi, downhill, from the fields: heat and diffusion.
 *
 * Runge-Kutta-Chebyshev steps of second order (B. P. Sommeijer, L. F. Shampine and
 * J. G. Verwer, J. Comput. Appl. Math. 88 (1998) 315-326), as many stages as the stiffness
 * asks for; of a linear action with constant coefficients on a uniform Cartesian box, by the
 * exponential of each mode, exact in time, unless a step is given.  What natural sides keep is kept to rounding.
 *
 * Returns as sf_action_solve(); SF_E_NUMERIC (at which time values were not finite),
 * SF_E_CONVERGE (max_steps were not enough: how far they led), SF_E_ARG (a state to resume
 * from that is of another motion). */
SF_API sf_status sf_action_flow(sf_action *action, sf_field *fields,
                                const sf_action_flow_options *opts,
                                sf_action_motion *out);

typedef enum sf_motion_method {
    SF_METHOD_LEAPFROG = 0, /* Stoermer and Verlet, order 2                  */
    SF_METHOD_YOSHIDA4,     /* three of them, order 4                        */
    SF_METHOD_MIDPOINT      /* implicit, order 2, no bound of the step       */
} sf_motion_method;

typedef struct sf_action_evolve_options {
    size_t size;    /* set by _INIT                                         */
    double until;   /* > 0                                                  */
    double step;    /* [0: 0.9 of the stability bound of the method; of the
                       midpoint: of Stoermer and Verlet]                    */
    double damping; /* gamma >= 0 of phi_tt + gamma phi_t [0]               */
    int64_t frames; /* [1]                                                  */
    sf_motion_told told;
    const double *resume; /* as of a flow                                   */
    size_t resume_count;
    sf_motion_method method;
    int absorb; /* cells of the layer beyond an open side, >= 2 [12]        */
    const sf_field
        *conductivity; /* sigma at the points: a phi_tt + sigma phi_t, of
                       the leapfrog [NULL: 0]                               */
} sf_action_evolve_options;

#define SF_ACTION_EVOLVE_OPTIONS_INIT                                          \
    {                                                                          \
        .size = sizeof(sf_action_evolve_options), .until = 1.0, .frames = 1,   \
        .absorb = 12                                                           \
    }

/* Follow the equation of motion of a Lagrangian, a phi_tt = -dE/dphi - gamma a phi_t, by
 * Stoermer and Verlet's steps: time is an axis of the same corner rule.  Or by compositions of
 * them (H. Yoshida, Physics Letters A 150 (1990) 262-268), or by the implicit midpoint.
 *
 *   rates  [count of unknowns] dphi/dt at the start; NULL: 0.  Not changed
 *
 * What goes out at an open side is absorbed by a layer beyond it (a convolutional perfectly
 * matched one), in which the field is 0 at the start and is pinned to 0 behind it; energies
 * hold the layer.  That wants the leapfrog, and squares of single slopes with factors of the
 * coordinates alone; definitions of names are used beyond the side.
 *
 * For quadratic energies without t, V sum [a v^2/2] + phi^n.K phi^(n+1)/2 of Stoermer and
 * Verlet, and V sum [a v^2/2] + E of the midpoint, are constant to rounding.
 *
 * Returns as sf_action_flow(); SF_E_ARG (a step above the stability bound: both; no dt() in
 * the density), SF_E_NUMERIC (that bound has fallen below the step), SF_E_UNSUPPORTED (a kinetic term other than a(x) dt(phi)^2/2). */
SF_API sf_status sf_action_evolve(sf_action *action, sf_field *fields,
                                  const sf_field *rates,
                                  const sf_action_evolve_options *opts,
                                  sf_action_motion *out);

/* ---- forms -------------------------------------------------------------------- */

/* The curl of a one-form: B of the vector potential, or -dB/dt of E.  Component u of it lies
 * midway between points along the axes other than its own, in the middle of a face.
 *
 *   form  [SF_FORM_COMPONENTS] as of sf_action_field()
 *   out   [SF_FORM_COMPONENTS] made here, by name "B_x", ..., for `letter` 'B'; to be freed
 *
 * Returns SF_OK; SF_E_ARG (an action of scalars), SF_E_SHAPE, SF_E_NOMEM. */
SF_API sf_status sf_action_curl(sf_action *action, const sf_field *form,
                                char letter, sf_field *out);

/* Add to the rates dA/dt = -E the field E = -grad phi of a density of charge at rest,
 * div(eps grad phi) = -rho, eps being the factor of dt(FORM)^2/2; phi is 0 on walls that
 * conduct.  Gauss's law then holds at the start, to the solver's residual.
 *
 *   charge  rho at the points; on walls that are pinned it does not count
 *   rates   [SF_FORM_COMPONENTS] as of sf_action_field()
 *
 * Returns as sf_action_solve(); SF_E_UNSUPPORTED (open sides). */
SF_API sf_status sf_action_charge(sf_action *action, const sf_field *charge,
                                  sf_field *rates, sf_action_solution *out);

/* ---- explanation ------------------------------------------------------------- */

/* Say what an action is, a line at a time: unknown, energy or lagrangian, equation (one for
 * each field), stencil, kind, sides, method, null space, conserved.
 *
 *   is_tex  equations for TeX's math mode, with amsmath
 *   line    called with the name of a line and its text; another status than SF_OK ends it
 *
 * Returns SF_OK; SF_E_PARSE, SF_E_ARG, SF_E_UNSUPPORTED (an equation too long to print),
 * SF_E_NOMEM, or what `line` returned. */
SF_API sf_status sf_action_explain(sf_action *action, bool is_tex,
                                   sf_status (*line)(void *user,
                                                     const char *name,
                                                     const char *text),
                                   void *user);

/* ---- verification ------------------------------------------------------------ */

typedef struct sf_action_level {
    int64_t points;  /* along the longest axis                               */
    double error;    /* largest difference from what is exact                */
    double order;    /* log2 of the last level's error over this; NaN: first */
    double residual; /* of the solver                                        */
} sf_action_level;

enum { SF_MOST_LEVELS = 4 };

/* Solve the action for a solution that is known, on the grid and on coarser ones of every
 * second, fourth and eighth point: how fast does the error fall?  Whatever `exact` is, a
 * source is added that makes it stationary (the Euler-Lagrange expression, by symbolic
 * derivatives), and it gives the values and fluxes of the sides.
 *
 *   exact   [unknowns] expressions of the coordinates and constants
 *   levels  [*count] out, coarsest first, 2 to SF_MOST_LEVELS
 *
 * Returns as sf_action_solve(); SF_E_ARG (an axis whose intervals are an odd number),
 * SF_E_UNSUPPORTED (a derivative of the density by a slope that depends on a source of
 * values; several fields with sides that are not periodic). */
SF_API sf_status sf_action_verify(sf_action *action, const char *const *exact,
                                  sf_action_level *levels, int *count);

/* ---- problems in files ------------------------------------------------------- */

/* An action with what it starts from, as a text file has it (docs/FIELDS.md):
 *
 *     [grid]       x = 0:1:129 pin 0 ; y = 0:1:129 natural
 *     [field]      phi = exp(-50*((x-0.5)^2 + (y-0.5)^2)) ; dt_phi = 0
 *                  or form A = 1 ; A_x = 0 ; E_x = 0 (= -dt A_x) ; charge = 0
 *     [constants]  g = 1
 *     [source]     rho = delta(x-0.5, y-0.5)          or FILE:VARIABLE
 *     [action]     lagrangian = 0.5*(dt(phi)^2 - grad2(phi)) - g*rho*phi
 *     [motion]     until = 2 ; step = auto ; every = 0.05 ; damping = 0 ; temperature = 1
 *                  conductivity = 0
 *                  method = leapfrog, yoshida4 or midpoint
 *     [solver]     tolerance = 1e-8 ; project = mean */
typedef struct sf_problem {
    sf_grid *grid;
    sf_action *action;
    int unknowns;
    sf_action_kind kind;
    sf_field fields[SF_MOST_UNKNOWNS]; /* at the start                       */
    sf_field rates[SF_MOST_UNKNOWNS];
    bool has_rates;
    double until, every; /* 0: not given                                     */
    double step;         /* 0: by itself                                     */
    double damping;
    double temperature; /* of thermal.h; 0: not given                        */
    double motion_tolerance, tolerance;
    bool project;
    sf_motion_method method;
    int absorb; /* cells beyond open sides; 0: not given                     */
    bool
        is_form; /* the unknowns are the components of a one-form             */
    bool has_charge, has_conductivity;
    sf_field charge; /* of a form, at the points: for sf_action_charge()  */
    sf_field conductivity; /* at the points                                   */
} sf_problem;

/* Read a problem from a file; or from bytes of the same form that messages call `path`.
 *
 * Returns SF_OK; SF_E_IO, SF_E_FORMAT (what is wrong, with file, line and column), and what
 * the calls above return; on failure *out is zeroed. */
SF_API sf_status sf_problem_read(sf_context *ctx, sf_problem *out,
                                 const char *path);
SF_API sf_status sf_problem_read_bytes(sf_context *ctx, sf_problem *out,
                                       const char *path, const void *bytes,
                                       size_t size);
SF_API void sf_problem_free(sf_context *ctx, sf_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
