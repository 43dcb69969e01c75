/* SPDX-License-Identifier: Apache-2.0 */
/* form.c - curl and divergence of a one-form on the edges of a Cartesian grid.
 *
 * The curl lies on faces: component u between the points of the axes other than u, from the
 * four edges around the face.  The divergence of what lies on faces is in cells, and that
 * of a curl is 0 there, since each edge is met twice with opposite signs; that of what lies
 * on edges is at points, with the volume of each edge. */
#include "action/form.h"

#include <math.h>
#include <string.h>

unsigned sfi_form_face(const sf_action *a, int u)
{
    unsigned place = 0;
    for (int v = 0; v < SF_FORM_COMPONENTS; v++)
        if (v != u && a->half[v] >= 0)
            place |= 1u << a->half[v];
    return place;
}

/* Add the difference of `from` along an axis, times `sign`, at the points from which there
 * is a next one. */
static void add_difference(const sf_action *a, int axis, double sign,
                           const double *from, double *to)
{
    const int64_t n = a->count[axis], stride = a->stride[axis];
    const double *edge = a->lines[axis][SFI_LINE_EDGE];
    for (int64_t i = 0; i < a->points; i++) {
        const int64_t at = i / stride % n;
        if (at < n - 1)
            to[i] += sign * edge[at] * (from[i + stride] - from[i]);
        else if (sfi_is_closed(a, axis))
            to[i] += sign * edge[at] * (from[i - at * stride] - from[i]);
    }
}

/* 0 where a component that lies between points has no number. */
static void clear_ends(const sf_action *a, unsigned place, double *x)
{
    for (int k = 0; k < a->rank; k++)
        for (int64_t i = 0;
             i < a->points && (place >> k & 1u) && !sfi_is_closed(a, k); i++)
            if (i / a->stride[k] % a->count[k] == a->count[k] - 1)
                x[i] = 0.0;
}

void sfi_form_curl(const sf_action *a, const double *x, double *out)
{
    const int64_t n = a->points;
    memset(out, 0, (size_t)(SF_FORM_COMPONENTS * n) * sizeof *out);
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        const int v = (u + 1) % SF_FORM_COMPONENTS;
        const int w = (u + 2) % SF_FORM_COMPONENTS;
        if (a->half[v] >= 0)
            add_difference(a, a->half[v], 1.0, x + w * n, out + u * n);
        if (a->half[w] >= 0)
            add_difference(a, a->half[w], -1.0, x + v * n, out + u * n);
        clear_ends(a, sfi_form_face(a, u), out + u * n);
    }
}

/* Whether both the point and that across its cell are seen. */
static bool is_cell_seen(const sf_action *a, unsigned place,
                         const bool *is_seen, int64_t i)
{
    int64_t across = i;
    for (int k = 0; k < a->rank; k++) {
        const int64_t at = i / a->stride[k] % a->count[k];
        if (place >> k & 1u)
            across += (at < a->count[k] - 1 ? 1 : -at) * a->stride[k];
    }
    return is_seen[i] && is_seen[across];
}

double sfi_form_curl_divergence(const sf_action *a, const double *b,
                                const bool *is_seen, double *out)
{
    double most = 0.0, size = 0.0;
    unsigned place = 0;
    memset(out, 0, (size_t)a->points * sizeof *out);
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        const double *part = b + u * a->points;
        if (a->half[u] < 0)
            continue;
        place |= 1u << a->half[u];
        add_difference(a, a->half[u], 1.0, part, out);
        for (int64_t i = 0; i < a->points; i++)
            size = fmax(size,
                        fabs(part[i]) * a->lines[a->half[u]][SFI_LINE_EDGE][0]);
    }
    clear_ends(a, place, out);
    for (int64_t i = 0; i < a->points; i++)
        if (is_cell_seen(a, place, is_seen, i))
            most = fmax(most, fabs(out[i]));
    return size > 0.0 ? most / size : 0.0;
}

double sfi_form_divergence(const sf_action *a, const double *x, double *out)
{
    double most = 0.0;
    memset(out, 0, (size_t)a->points * sizeof *out);
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        const int axis = a->half[u];
        if (axis < 0)
            continue;
        const int64_t n = a->count[axis], stride = a->stride[axis];
        for (int64_t i = 0; i < a->points; i++) {
            const int64_t at = i / stride % n;
            if (at == n - 1 && !sfi_is_closed(a, axis))
                continue;
            const double out_of =
                x[u * a->points + i] * a->lines[axis][SFI_LINE_EDGE][at];
            const int64_t next = at < n - 1 ? i + stride : i - at * stride;
            most = fmax(most, fabs(out_of));
            out[i] += out_of;
            out[next] -= out_of;
        }
    }
    return most;
}

bool sfi_form_is_gauge(sf_action *a)
{
    sf_graph *g = a->graph;
    for (size_t i = 0; i < a->leaf_count; i++)
        for (size_t j = 0; j < a->leaf_count; j++) {
            const sfi_density_leaf l = a->leaves[i], m = a->leaves[j];
            double none = 1.0;
            if (l.kind != SFI_LEAF_VALUE ||
                (m.kind != SFI_LEAF_VALUE && m.kind != SFI_LEAF_SLOPE))
                continue;
            const sf_node second =
                sf_gradient(g, sf_gradient(g, a->energy, l.node), m.node);
            if (!sfi_is_const(g, second, &none) || none != 0.0)
                return false;
        }
    return true;
}

sf_status sf_action_curl(sf_action *a, const sf_field *form, char letter,
                         sf_field *out)
{
    const size_t n = (size_t)(SF_FORM_COMPONENTS * a->points);
    memset(out, 0, SF_FORM_COMPONENTS * sizeof *out);
    if (a->form == NULL)
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: the curl is that of a form, and the unknowns "
                        "are scalars");
    double *room = sfi_alloc(a->ctx, 2 * n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    sf_status status = sfi_action_gather(a, form, room);
    if (status == SF_OK)
        sfi_form_curl(a, room, room + n);
    for (int u = 0; u < SF_FORM_COMPONENTS && status == SF_OK; u++) {
        const unsigned place = sfi_form_face(a, u);
        const char name[] = {letter, '_', "xyz"[u], '\0'};
        status = sf_field_new(a->ctx, &out[u], a->grid, 1, &place, SF_F64, 0);
        if (status == SF_OK)
            status = sf_field_set_name(a->ctx, &out[u], name);
        if (status == SF_OK)
            sfi_action_put(a, room + n + u * a->points, &out[u]);
    }
    sfi_free(a->ctx, room, 2 * n, sizeof *room);
    for (int u = 0; u < SF_FORM_COMPONENTS && status != SF_OK; u++)
        sf_field_free(a->ctx, &out[u]);
    return status;
}
