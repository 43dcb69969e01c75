/* SPDX-License-Identifier: Apache-2.0 */
/* yee.c - fluxes on faces, forces on edges, row by row. */
#include "evolve/yee.h"

#include "action/form.h"
#include "base/parallel.h"

#include <math.h>
#include <string.h>

enum {
    CHUNK = 1 << 14, /* numbers that are worth a range          */
    PIECE = 512      /* of a row, which are worked on at a time */
};

/* ---- rows ----------------------------------------------------------------------------- */

/* One component of a sweep over the rows of the last axis. */
typedef struct sweep {
    const sf_action *a;
    int axis[2]; /* along which differences are taken; -1: none       */
    const double *from[2]; /* of what                                         */
    double sign[2];
    const double
        *weight;        /* of the result [points], or NULL                   */
    const double *mass; /* what it is divided by, with `current` first, where
                               it is > 0 and not pinned; or NULL               */
    const double *current;
    const bool *pinned;
    double factor;
    double *to;     /* += factor weight (...), or = (...)/mass           */
    unsigned place; /* where the result lies                            */
} sweep;

/* Where the row that holds element `at` is on an axis. */
static int64_t index_of(const sf_action *a, int axis, int64_t at)
{
    return at / a->stride[axis] % a->count[axis];
}

/* A piece of a row: n numbers from number i of the row that begins at element `row`. */
typedef struct part_of_row {
    int64_t row, i, n;
} part_of_row;

/* Differences of faces from edges: add them to `sum`. */
static void forward(const sweep *s, int k, part_of_row p, double *sum)
{
    const sf_action *a = s->a;
    const int axis = s->axis[k];
    const double *edge = a->lines[axis][SFI_LINE_EDGE];
    const double *x = s->from[k] + p.row + p.i;
    const int64_t last = a->count[axis] - 1;
    if (axis == a->rank - 1) {
        const int64_t whole = p.i + p.n > last ? p.n - 1 : p.n;
        for (int64_t j = 0; j < whole; j++)
            sum[j] += s->sign[k] * edge[p.i + j] * (x[j + 1] - x[j]);
        if (whole < p.n && sfi_is_closed(a, axis))
            sum[whole] +=
                s->sign[k] * edge[last] * (s->from[k][p.row] - x[whole]);
        return;
    }
    const int64_t i = index_of(a, axis, p.row);
    const double *next = x + (i < last ? 1 : -last) * a->stride[axis];
    const double by = s->sign[k] * edge[i];
    if (i < last || sfi_is_closed(a, axis))
        for (int64_t j = 0; j < p.n; j++)
            sum[j] += by * (next[j] - x[j]);
}

/* The transpose: of edges from faces. */
static void backward(const sweep *s, int k, part_of_row p, double *sum)
{
    const sf_action *a = s->a;
    const int axis = s->axis[k];
    const double *edge = a->lines[axis][SFI_LINE_EDGE];
    const double *x = s->from[k] + p.row + p.i;
    const int64_t last = a->count[axis] - 1;
    const bool closed = sfi_is_closed(a, axis);
    if (axis == a->rank - 1) {
        const double *e = edge + p.i;
        if (p.i == 0)
            sum[0] += s->sign[k] *
                      ((closed ? edge[last] * x[last] : 0.0) - edge[0] * x[0]);
        for (int64_t j = p.i == 0; j < p.n; j++)
            sum[j] += s->sign[k] * (e[j - 1] * x[j - 1] - e[j] * x[j]);
        return;
    }
    const int64_t i = index_of(a, axis, p.row);
    const double here = s->sign[k] * edge[i];
    const double *before = x + (i > 0 ? -1 : last) * a->stride[axis];
    const double there =
        i > 0 || closed ? s->sign[k] * edge[i > 0 ? i - 1 : last] : 0.0;
    for (int64_t j = 0; j < p.n; j++)
        sum[j] += (there != 0.0 ? there * before[j] : 0.0) - here * x[j];
}

/* Whether the result has no numbers in the row. */
static bool is_beyond(const sweep *s, int64_t row)
{
    for (int k = 0; k < s->a->rank - 1; k++)
        if ((s->place >> k & 1u) && !sfi_is_closed(s->a, k) &&
            index_of(s->a, k, row) == s->a->count[k] - 1)
            return true;
    return false;
}

static void run_piece(const sweep *s, part_of_row p)
{
    double sum[PIECE] = {0.0};
    double *to = s->to + p.row + p.i;
    const int64_t at = p.row + p.i;
    for (int k = 0; k < 2; k++)
        if (s->axis[k] >= 0 && s->mass == NULL)
            forward(s, k, p, sum);
        else if (s->axis[k] >= 0)
            backward(s, k, p, sum);
    for (int64_t j = 0; j < p.n && s->mass == NULL; j++)
        to[j] += s->factor * s->weight[at + j] * sum[j];
    for (int64_t j = 0; j < p.n && s->mass != NULL; j++)
        to[j] = s->pinned[at + j]
                    ? 0.0
                    : (s->current[at + j] + sum[j]) / s->mass[at + j];
}

static void run_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const sweep *s = user;
    const int64_t n = s->a->count[s->a->rank - 1];
    (void)part;
    for (int64_t row = first; row < first + count; row++) {
        if (is_beyond(s, row * n)) {
            for (int64_t i = 0; i < n && s->mass != NULL; i++)
                s->to[row * n + i] = 0.0;
            continue;
        }
        for (int64_t i = 0; i < n; i += PIECE)
            run_piece(s,
                      (part_of_row){row * n, i, n - i < PIECE ? n - i : PIECE});
    }
}

static void run(const sweep *s)
{
    const int64_t n = s->a->count[s->a->rank - 1];
    sfi_parallel(s->a->ctx, s->a->points / n, n < CHUNK ? CHUNK / n : 1,
                 run_rows, (void *)s);
}

/* ---- steps ------------------------------------------------------------------------------ */

/* Component u of a curl, or of its transpose. */
static sweep sweep_of(const sf_action *a, int u, const double *from)
{
    const int v = (u + 1) % SF_FORM_COMPONENTS;
    const int w = (u + 2) % SF_FORM_COMPONENTS;
    return (sweep){.a = a,
                   .axis = {a->half[v], a->half[w]},
                   .from = {from + w * a->points, from + v * a->points},
                   .sign = {1.0, -1.0}};
}

/* The face between element `low` of an edge and the next one outwards or inwards of a side's
 * axis, and what their outward difference is taken by in its curl. */
static double face_of(const sf_action *a, const sfi_absorbing_layer *s,
                      int64_t low, int64_t *face)
{
    const int u = (int)(low / a->points);
    int normal = 0;
    while (a->half[normal] != s->axis)
        normal++;
    const int64_t at = low % a->points;
    *face = (SF_FORM_COMPONENTS - u - normal) * a->points + at;
    return ((normal + 1) % SF_FORM_COMPONENTS == u ? 1.0 : -1.0) *
           (s->is_high ? 1.0 : -1.0) *
           a->lines[s->axis][SFI_LINE_EDGE][index_of(a, s->axis, at)];
}

/* What a layer adds to the curl of v: the memory of its differences. */
static void stretch(sfi_yee *y, double dt, const double *v,
                    const sfi_absorb *absorb, sfi_absorbing_layer *s)
{
    const sf_action *a = y->a;
    for (int64_t j = 0; j < absorb->cells; j++)
        for (int64_t c = 0; c < s->count; c++) {
            const int64_t at = j * s->count + c;
            if (s->k[at] == 0.0)
                continue;
            const int64_t near = sfi_absorb_element(absorb, s, c, j);
            const int64_t far = sfi_absorb_element(absorb, s, c, j + 1);
            s->psi[at] =
                s->psi_b[at] * s->psi[at] + s->psi_a[at] * (v[far] - v[near]);
            int64_t face;
            const double by = face_of(a, s, near < far ? near : far, &face);
            y->flux[face] += dt * y->weight[face] * by * s->psi[at];
        }
}

/* What a layer adds to the forces: the memory of their sums. */
static void push(const sfi_yee *y, const double *mass, const sfi_absorb *absorb,
                 sfi_absorbing_layer *s, double *out)
{
    const sf_action *a = y->a;
    for (int64_t j = 1; j < absorb->cells; j++)
        for (int64_t c = 0; c < s->count; c++) {
            const int64_t at = j * s->count + c;
            const int64_t here = sfi_absorb_element(absorb, s, c, j);
            if (s->k[at] == 0.0 || a->pinned[here])
                continue;
            double all = 0.0;
            for (int side = 0; side < 2; side++) { /* outwards, inwards */
                const int64_t next =
                    sfi_absorb_element(absorb, s, c, side == 0 ? j + 1 : j - 1);
                int64_t face;
                const double by =
                    face_of(a, s, here < next ? here : next, &face);
                all += (side == 0 ? by : -by) * y->flux[face];
            }
            s->zeta[at] = s->zeta_b[at] * s->zeta[at] + s->zeta_a[at] * all;
            out[here] += s->zeta[at] / mass[here];
        }
}

void sfi_yee_force(const sfi_yee *y, const double *current, const double *mass,
                   sfi_absorb *absorb, double *out)
{
    const sf_action *a = y->a;
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        sweep s = sweep_of(a, u, y->flux);
        s.current = current + u * a->points;
        s.mass = mass + u * a->points;
        s.pinned = a->pinned + u * a->points;
        s.to = out + u * a->points;
        s.place = sfi_action_place(a, u);
        run(&s);
    }
    for (int i = 0; absorb != NULL && i < absorb->layer_count; i++)
        push(y, mass, absorb, &absorb->layers[i], out);
}

/* flux += dt W curl v */
static void add_curl(const sfi_yee *y, double dt, const double *v, double *flux)
{
    const sf_action *a = y->a;
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        sweep s = sweep_of(a, u, v);
        s.weight = y->weight + u * a->points;
        s.factor = dt;
        s.to = flux + u * a->points;
        s.place = sfi_form_face(a, u);
        run(&s);
    }
}

void sfi_yee_drift(sfi_yee *y, double dt, const double *v, sfi_absorb *absorb)
{
    add_curl(y, dt, v, y->flux);
    for (int i = 0; absorb != NULL && i < absorb->layer_count; i++)
        stretch(y, dt, v, absorb, &absorb->layers[i]);
}

double sfi_yee_energy(const sfi_yee *y, double dt, const double *v,
                      double *room)
{
    double sum = 0.0;
    memset(room, 0, y->count * sizeof *room);
    add_curl(y, dt, v, room);
    for (size_t i = 0; i < y->count; i++)
        if (y->weight[i] > 0.0)
            sum += 0.5 * y->flux[i] * (y->flux[i] - room[i]) / y->weight[i];
    return sum;
}

void sfi_yee_curl(const sfi_yee *y, double *out)
{
    for (size_t i = 0; i < y->count; i++)
        out[i] = y->weight[i] > 0.0 ? y->flux[i] / y->weight[i] : 0.0;
}

/* ---- making ------------------------------------------------------------------------------ */

/* W of component u of the curl, from the coefficient of its square at points. */
static sf_status find_weight(sfi_yee *y, int u, double *nodal)
{
    sf_action *a = y->a;
    sf_graph *g = a->graph;
    double *x[SF_MAX_AXES];
    sf_box box = {.rank = a->rank};
    const int v = (u + 1) % SF_FORM_COMPONENTS;
    const int w = (u + 2) % SF_FORM_COMPONENTS;
    const int axis = a->half[v] >= 0 ? a->half[v] : a->half[w];
    if (axis < 0)
        return SF_OK;
    const sf_node slope =
        sfi_action_leaf(a, SFI_LEAF_SLOPE, a->half[v] >= 0 ? w : v, axis);
    const sf_node second =
        sf_gradient(g, sf_gradient(g, a->energy, slope), slope);
    for (int k = 0; k < a->rank; k++) {
        x[k] = a->lines[k][SFI_LINE_COORD];
        box.extent[k] = a->count[k];
    }
    SFI_TRY(sf_graph_status(g));
    if (sfi_action_depends(a, second, SFI_LEAF_VALUE) ||
        sfi_action_depends(a, second, SFI_LEAF_SLOPE) ||
        sfi_action_ages(a, second)) {
        y->fits = false;
        return SF_OK;
    }
    SFI_TRY(sfi_action_run(a, second, &box, x, nodal));
    sfi_action_cells(a, sfi_form_face(a, u), nodal, y->weight + u * a->points);
    for (int64_t i = 0; i < a->points; i++)
        y->fits &= nodal[i] >= 0.0;
    return SF_OK;
}

/* Whether C' W C is the Hessian, by a field without order. */
static sf_status compare(sfi_yee *y, const double *x, double *v, double *w)
{
    sf_action *a = y->a;
    double worst = 0.0, size = 0.0;
    for (size_t i = 0; i < y->count; i++)
        v[i] = a->pinned[i] ? 0.0 : sin(1.0 + 0.7390851 * (double)i);
    SFI_TRY(sfi_action_product(a, x, v, w));
    sfi_yee_drift(y, 1.0, v, NULL);
    double *ones = sfi_alloc(a->ctx, y->count, sizeof *ones);
    if (ones == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i < y->count; i++) {
        size = fmax(size, fabs(w[i]));
        ones[i] = 1.0;
    }
    /* With the product as a current and masses of 1, nothing is to be left. */
    sfi_yee_force(y, w, ones, NULL, v);
    for (size_t i = 0; i < y->count; i++)
        worst = fmax(worst, fabs(v[i]));
    sfi_free(a->ctx, ones, y->count, sizeof *ones);
    y->fits &= worst <= 1e-10 * size;
    return SF_OK;
}

sf_status sfi_yee_begin(sfi_yee *y, sf_action *a, const double *x, double *v,
                        double *w)
{
    *y = (sfi_yee){.a = a, .count = (size_t)(a->unknowns * a->points)};
    y->fits = a->is_linear && sfi_form_is_gauge(a);
    if (!y->fits)
        return sf_graph_status(a->graph);
    y->flux = sfi_alloc_zero(a->ctx, 2 * y->count, sizeof *y->flux);
    if (y->flux == NULL)
        return SF_E_NOMEM;
    y->weight = y->flux + y->count;
    for (int u = 0; u < SF_FORM_COMPONENTS && y->fits; u++)
        SFI_TRY(find_weight(y, u, v));
    if (y->fits)
        SFI_TRY(compare(y, x, v, w));
    memset(y->flux, 0, y->count * sizeof *y->flux);
    if (y->fits)
        sfi_yee_drift(y, 1.0, x, NULL);
    return SF_OK;
}

void sfi_yee_free(sfi_yee *y)
{
    if (y->a != NULL)
        sfi_free(y->a->ctx, y->flux, 2 * y->count, sizeof *y->flux);
}
