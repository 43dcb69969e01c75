/* SPDX-License-Identifier: Apache-2.0 */
/* sides.c - what holds at the sides of each field: of the grid, or said for a field; values of
 * their texts; what is pinned.
 *
 * A side adds B to the energy, per area of its face:
 *
 *     flux q            -q phi                 n.dE/dgrad phi = q
 *     robin alpha, q    alpha phi^2/2 - q phi  n.dE/dgrad phi = q - alpha phi
 *     a boundary term   as it is typed         n.dE/dgrad phi = -dB/dphi
 *
 * phi being the value on the wall: that of the point there or, on cells, the one that makes
 * the energy of the half cell before the wall stationary (corner.c). */
#include "action/action.h"
#include "field/grid_text.h"

#include <math.h>
#include <string.h>

static const char *const kinds[] = {"natural", "periodic", "pin",
                                    "flux",    "robin",    "open"};

static const sf_axis *axis_of(const sf_action *a, int side)
{
    return sf_grid_axis(a->grid, side / 2);
}

static char sign_of(int side)
{
    return side % 2 == 0 ? '-' : '+';
}

/* ---- what was said -------------------------------------------------------------------- */

static int find_side(const sf_action *a, const char *name)
{
    const size_t n = strlen(name);
    for (int k = 0; k < a->rank; k++) {
        const char *axis = sf_grid_axis(a->grid, k)->name;
        if (n == strlen(axis) + 1 && memcmp(name, axis, n - 1) == 0 &&
            (name[n - 1] == '-' || name[n - 1] == '+'))
            return 2 * k + (name[n - 1] == '+');
    }
    return -1;
}

static sf_status no_side(const sf_action *a, const char *name)
{
    return SFI_FAIL(a->ctx, SF_E_ARG,
                    "action: \"%s\" is no side; want the name of an axis with "
                    "- or +, as in %s-",
                    name, sf_grid_axis(a->grid, a->rank - 1)->name);
}

static sf_status check_unread(const sf_action *a)
{
    return a->pinned == NULL
               ? SF_OK
               : SFI_FAIL(a->ctx, SF_E_ARG,
                          "action: a side is set after the action was used");
}

static void free_wall_texts(sf_action *a, sfi_action_wall *wall)
{
    for (int i = 0; i < 2; i++) {
        sfi_free_text(a->ctx, wall->own[i]);
        wall->own[i] = NULL;
    }
}

static bool is_shared(sf_side_kind kind)
{
    return kind == SF_SIDE_PERIODIC || kind == SF_SIDE_OPEN;
}

sf_status sf_action_side(sf_action *a, const char *name, const char *side,
                         const char *text)
{
    const int w = find_side(a, side);
    int u = 0;
    SFI_TRY(check_unread(a));
    if (w < 0)
        return no_side(a, side);
    while (u < a->unknowns && strcmp(a->names[u], name) != 0)
        u++;
    if (u == a->unknowns)
        return SFI_FAIL(a->ctx, SF_E_ARG, "action: \"%s\" is no field", name);
    sfi_action_wall *wall = &a->walls[sfi_wall_index(u, w)];
    char *texts[2];
    sf_side_kind kind;
    a->trouble_wall = sfi_wall_index(u, w);
    SFI_TRY(sfi_side_parse(a->ctx, text, &kind, &texts[0], &texts[1],
                           &a->trouble_at));
    if (is_shared(kind) || is_shared(wall->kind)) {
        sfi_free_text(a->ctx, texts[0]);
        sfi_free_text(a->ctx, texts[1]);
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: side %s: %s is for all fields and belongs to "
                        "the grid",
                        side, kinds[is_shared(kind) ? kind : wall->kind]);
    }
    free_wall_texts(a, wall);
    memcpy(wall->own, texts, sizeof texts);
    wall->kind = kind;
    wall->value_text = texts[0];
    wall->factor_text = texts[1];
    return SF_OK;
}

sf_status sf_action_boundary(sf_action *a, const char *side, const char *text)
{
    const int w = find_side(a, side);
    SFI_TRY(check_unread(a));
    if (w < 0)
        return no_side(a, side);
    if (a->boundary_text[w] != NULL)
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: side %s has a boundary term already", side);
    if (is_shared(a->walls[w].kind))
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: side %s is %s and has no boundary", side,
                        kinds[a->walls[w].kind]);
    if (sfi_is_cells(a, w / 2))
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "action: side %s: a boundary term wants points on the "
                        "wall; use nodes, or flux or robin",
                        side);
    a->boundary_text[w] = sfi_copy_text(a->ctx, text);
    return a->boundary_text[w] != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_status copy_text(const sf_action *a, const char *from, char **to,
                           const char **seen)
{
    *to = from != NULL ? sfi_copy_text(a->ctx, from) : NULL;
    *seen = *to;
    return from == NULL || *to != NULL ? SF_OK : SF_E_NOMEM;
}

sf_status sfi_action_copy_sides(sf_action *to, const sf_action *from)
{
    for (int i = 0; i < SFI_WALLS; i++) {
        const sfi_action_wall *wall = &from->walls[i];
        sfi_action_wall *other = &to->walls[i];
        if (is_shared(wall->kind) || i / SFI_SIDES >= from->unknowns)
            continue;
        free_wall_texts(to, other);
        other->kind = wall->kind;
        SFI_TRY(copy_text(to, wall->value_text, &other->own[0],
                          &other->value_text));
        SFI_TRY(copy_text(to, wall->factor_text, &other->own[1],
                          &other->factor_text));
    }
    for (int w = 0; w < SFI_SIDES; w++) {
        const char *seen = NULL;
        SFI_TRY(copy_text(to, from->boundary_text[w], &to->boundary_text[w],
                          &seen));
    }
    return SF_OK;
}

void sfi_action_free_sides(sf_action *a)
{
    for (int i = 0; i < SFI_WALLS; i++) {
        sfi_action_wall *wall = &a->walls[i];
        sfi_free(a->ctx, wall->values, wall->count, sizeof(double));
        sfi_free(a->ctx, wall->factors, wall->count, sizeof(double));
        sfi_values_free(a, wall->timed[0]);
        sfi_values_free(a, wall->timed[1]);
        free_wall_texts(a, wall);
    }
    for (int w = 0; w < SFI_SIDES; w++)
        sfi_free_text(a->ctx, a->boundary_text[w]);
}

/* ---- their values ---------------------------------------------------------------------- */

/* The values of a text on a wall; *timed, if it has others at other times. */
static sf_status read_wall_text(sf_action *a, const char *text, int side,
                                double *values, sfi_values **timed)
{
    sfi_values *v = NULL;
    SFI_TRY(sfi_values_new(a, &v, text, side, false, true));
    const sf_status status = sfi_values_run(a, v, values);
    if (sfi_values_is_timed(v))
        *timed = v;
    else
        sfi_values_free(a, v);
    return status;
}

static sf_status read_wall(sf_action *a, int side, sfi_action_wall *wall)
{
    const int axis = side / 2;
    wall->is_number = wall->kind != SF_SIDE_OPEN;
    if ((wall->value_text == NULL && wall->is_number) || wall->values != NULL)
        return SF_OK;
    int64_t step = 1;
    for (int k = a->rank - 1; k >= 0; k--) {
        wall->step[k] = k == axis ? 0 : step;
        step *= k == axis ? 1 : a->count[k];
    }
    wall->is_number = false;
    wall->values = sfi_alloc_zero(a->ctx, (size_t)step, sizeof *wall->values);
    wall->factors = sfi_alloc_zero(a->ctx, (size_t)step, sizeof *wall->factors);
    wall->count = (size_t)step;
    if (wall->values == NULL || wall->factors == NULL)
        return SF_E_NOMEM;
    if (wall->kind == SF_SIDE_OPEN)
        return SF_OK;
    SFI_TRY(read_wall_text(a, wall->value_text, side, wall->values,
                           &wall->timed[0]));
    a->trouble_factor = wall->factor_text != NULL;
    if (wall->factor_text != NULL)
        SFI_TRY(read_wall_text(a, wall->factor_text, side, wall->factors,
                               &wall->timed[1]));
    a->is_timed |= wall->timed[0] != NULL || wall->timed[1] != NULL;
    a->has_aging_hessian |= wall->timed[1] != NULL;
    wall->is_number = wall->timed[0] == NULL && wall->timed[1] == NULL;
    for (int64_t i = 1; i < step && wall->is_number; i++)
        wall->is_number =
            wall->values[i] == wall->values[0] &&
            (wall->factor_text == NULL || wall->factors[i] == wall->factors[0]);
    if (a->form != NULL && !(wall->is_number && wall->values[0] == 0.0))
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "action: side %s%c: of a form, pin 0 is a perfect "
                        "conductor, and no other value can be pinned",
                        axis_of(a, side)->name, sign_of(side));
    wall->value = wall->values[0];
    wall->factor = wall->factor_text != NULL ? wall->factors[0] : 0.0;
    return SF_OK;
}

/* What a side can be to a one-form. */
static sf_status check_form(const sf_action *a, int side, sf_side_kind kind)
{
    if (a->form != NULL &&
        (kind == SF_SIDE_FLUX || kind == SF_SIDE_ROBIN ||
         a->boundary_text[side] != NULL || sfi_is_cells(a, side / 2) ||
         axis_of(a, side)->role == SF_ROLE_R))
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "action: side %s%c: a form wants nodes and sides that "
                        "are periodic, pin 0, natural or open",
                        axis_of(a, side)->name, sign_of(side));
    return SF_OK;
}

/* What would not be used is refused. */
static sf_status check_area(const sf_action *a, int side, sf_side_kind kind)
{
    const bool is_used = kind == SF_SIDE_FLUX || kind == SF_SIDE_ROBIN ||
                         a->boundary_text[side] != NULL;
    if (is_used && sfi_wall_growth(a, side) == 0.0)
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: side %s%c has no area; want natural",
                        axis_of(a, side)->name, sign_of(side));
    if (a->boundary_text[side] != NULL && kind == SF_SIDE_PIN &&
        a->unknowns == 1)
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: side %s%c is pinned, which leaves nothing to "
                        "a boundary term",
                        axis_of(a, side)->name, sign_of(side));
    return SF_OK;
}

/* ---- pins -------------------------------------------------------------------------------- */

/* A component of a form is pinned where it lies along the wall, not where it leads to it. */
static bool is_pin(const sf_action *a, int u, int side)
{
    return a->walls[sfi_wall_index(u, side)].kind == SF_SIDE_PIN &&
           !sfi_is_cells(a, side / 2) && side / 2 != a->half[u];
}

bool sfi_class_is_pinned(const sf_action *a, int u,
                         const sfi_place_class *place)
{
    for (int k = 0; k < a->rank; k++) {
        const int side = 2 * k + (place[k] == SFI_AT_HIGH);
        if (place[k] == SFI_INSIDE || sfi_is_closed(a, k))
            continue;
        if (k == a->half[u] ? place[k] == SFI_AT_HIGH : is_pin(a, u, side))
            return true;
    }
    return false;
}

static bool is_point_pinned(const sf_action *a, int u, int64_t point)
{
    for (int k = 0; k < a->rank; k++) {
        const int64_t i = point / a->stride[k] % a->count[k];
        if ((i == 0 && is_pin(a, u, 2 * k)) ||
            (i == a->count[k] - 1 && is_pin(a, u, 2 * k + 1)))
            return true;
    }
    return false;
}

/* The wall's value at a point of it. */
static double pinned_value(const sf_action *a, int u, int side,
                           const int64_t *index)
{
    const sfi_action_wall *wall = &a->walls[sfi_wall_index(u, side)];
    int64_t at = 0;
    if (wall->is_number)
        return wall->value;
    for (int k = 0; k < a->rank; k++)
        at += index[k] * wall->step[k];
    return wall->values[at];
}

/* Visit the points of a wall. */
static bool next_on_wall(const sf_action *a, int axis, int64_t *index)
{
    for (int k = a->rank - 1; k >= 0; k--) {
        if (k == axis)
            continue;
        if (++index[k] < a->count[k])
            return true;
        index[k] = 0;
    }
    return false;
}

void sfi_action_pin_side(const sf_action *a, int u, int side, double *x)
{
    const int axis = side / 2;
    int64_t index[SF_MAX_AXES] = {0};
    if (!is_pin(a, u, side))
        return;
    index[axis] = side % 2 == 0 ? 0 : a->count[axis] - 1;
    do {
        int64_t at = 0;
        for (int k = 0; k < a->rank; k++)
            at += index[k] * a->stride[k];
        x[at] = pinned_value(a, u, side, index);
    } while (next_on_wall(a, axis, index));
}

/* Against the sides behind it, and along a row that is one point. */
static sf_status check_pin(const sf_action *a, int u, int side)
{
    int64_t index[SF_MAX_AXES] = {0};
    index[side / 2] = side % 2 == 0 ? 0 : a->count[side / 2] - 1;
    const double first = pinned_value(a, u, side, index);
    do {
        const double one = pinned_value(a, u, side, index);
        const double near = 1e-12 * fmax(1.0, fabs(one));
        if (a->tied[side] != 0 && fabs(one - first) > near)
            return SFI_FAIL(a->ctx, SF_E_ARG,
                            "action: side %s%c is one point and is pinned to "
                            "%g and %g",
                            axis_of(a, side)->name, sign_of(side), first, one);
        for (int v = side + 1; v < 2 * a->rank; v++) {
            const int64_t end = v % 2 == 0 ? 0 : a->count[v / 2] - 1;
            if (!is_pin(a, u, v) || index[v / 2] != end)
                continue;
            const double other = pinned_value(a, u, v, index);
            if (fabs(other - one) > near)
                return SFI_FAIL(
                    a->ctx, SF_E_ARG,
                    "action: two pinned sides meet and do not agree: %g "
                    "on %s%c, %g on %s%c",
                    one, axis_of(a, side)->name, sign_of(side), other,
                    axis_of(a, v)->name, sign_of(v));
        }
    } while (next_on_wall(a, side / 2, index));
    return SF_OK;
}

sf_status sfi_action_check_pins(const sf_action *a)
{
    for (int u = 0; u < a->unknowns; u++)
        for (int side = 0; side < 2 * a->rank; side++)
            if (is_pin(a, u, side))
                SFI_TRY(check_pin(a, u, side));
    return SF_OK;
}

typedef struct pinned_row {
    int unknown;
    double *x;
    bool agree;
} pinned_row;

/* All of a row that is one point is what one of its points is pinned to. */
static void pin_row(const sf_action *a, unsigned mask, int64_t first,
                    int64_t size, void *user)
{
    pinned_row *const r = user;
    int64_t index[SF_MAX_AXES] = {0};
    bool any = false;
    double value = 0.0;
    (void)size;
    do {
        const int64_t at = first + sfi_point_of(a, index);
        if (!is_point_pinned(a, r->unknown, at))
            continue;
        const double other = r->x[at];
        r->agree &=
            !any || fabs(other - value) <= 1e-12 * fmax(1.0, fabs(value));
        value = any ? value : other;
        any = true;
    } while (sfi_next_of_axes(a, mask, index));
    if (any)
        sfi_set_row(a, mask, first, value, r->x);
}

/* False if two pinned points of a row do not agree. */
static bool pin_rows(const sf_action *a, int u, double *x)
{
    pinned_row r = {u, x, true};
    if (a->row_size != NULL)
        sfi_action_each_row(a, pin_row, &r);
    return r.agree;
}

/* Where a component that lies between points has no number. */
static void clear_end(const sf_action *a, int u, double *x)
{
    const int half = a->half[u];
    for (int64_t i = 0; i < a->points && half >= 0 && !sfi_is_closed(a, half);
         i++)
        if (i / a->stride[half] % a->count[half] == a->count[half] - 1)
            x[i] = 0.0;
}

void sfi_action_pin(const sf_action *a, int u, double *x)
{
    for (int side = 0; side < 2 * a->rank; side++)
        sfi_action_pin_side(a, u, side, x);
    (void)pin_rows(a, u, x);
    clear_end(a, u, x);
}

static sf_status find_pinned(sf_action *a)
{
    const size_t n = (size_t)a->points, all = n * (size_t)a->unknowns;
    SFI_TRY(sfi_action_check_pins(a));
    double *values = sfi_alloc(a->ctx, n, sizeof *values);
    bool *pinned = sfi_alloc_zero(a->ctx, all, sizeof *pinned);
    sf_status status = values != NULL && pinned != NULL ? SF_OK : SF_E_NOMEM;
    a->free_count = 0;
    for (int u = 0; u < a->unknowns && status == SF_OK; u++) {
        for (size_t i = 0; i < n; i++)
            values[i] = NAN;
        for (int side = 0; side < 2 * a->rank; side++)
            sfi_action_pin_side(a, u, side, values);
        clear_end(a, u, values);
        if (!pin_rows(a, u, values))
            status = SFI_FAIL(a->ctx, SF_E_ARG,
                              "action: pinned sides meet where r = 0 or at a "
                              "pole and do not agree; use cells");
        for (size_t i = 0; i < n; i++) {
            bool *const at = &pinned[(size_t)u * n + i];
            *at = !isnan(values[i]);
            a->free_count +=
                !*at && (a->row_size == NULL || a->row_size[i] > 0);
        }
    }
    if (status == SF_OK && a->free_count == 0)
        status = SFI_FAIL(a->ctx, SF_E_ARG, "action: all points are pinned");
    sfi_free(a->ctx, values, n, sizeof *values);
    if (status == SF_OK)
        a->pinned = pinned;
    else
        sfi_free(a->ctx, pinned, all, sizeof *pinned);
    return status;
}

sf_status sfi_action_read_walls(sf_action *a)
{
    if (a->pinned != NULL)
        return SF_OK;
    for (int u = 0; u < a->unknowns; u++)
        for (int side = 0; side < 2 * a->rank; side++) {
            const int w = sfi_wall_index(u, side);
            a->trouble_wall = w;
            a->trouble_at = -1;
            a->trouble_factor = false;
            SFI_TRY(check_form(a, side, a->walls[w].kind));
            SFI_TRY(check_area(a, side, a->walls[w].kind));
            SFI_TRY(read_wall(a, side, &a->walls[w]));
        }
    a->trouble_wall = -1;
    a->trouble_at = -1; /* no text by itself */
    SFI_TRY(find_pinned(a));
    return SF_OK;
}
