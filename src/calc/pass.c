/* SPDX-License-Identifier: Apache-2.0 */
/* pass.c - terms at all points of the domain, slab by slab.
 *
 * A slab is a run of indices of the slowest axis, and all of the others, with as many
 * more indices on either side as is read.  What the next slab has in common with it, fields
 * and stored terms, stays: nothing is read or computed twice.
 *
 * A field in memory is read where it lies, if nothing that is read of it is a period away;
 * results may likewise go where they are wanted.  If nothing has a slab of its own, there
 * is but one. */
#include "calc/pass.h"

#include <string.h>

enum { SLAB_POINTS = 1 << 19 };

static bool is_closed(const sfi_pass_state *p, int axis)
{
    return sf_grid_axis(p->c->grid, axis)->period > 0.0;
}

/* ---- what is needed ---------------------------------------------------------------- */

/* Fields and stored terms that a node reads. */
static void find_read(const sfi_calc *c, sf_node node, sfi_pass_state *p,
                      sfi_layer *l)
{
    const sfi_field_term *t = sfi_term_of(c, node);
    const int stored = sfi_stored_of(c, node);
    if (stored >= 0) {
        l->layers |= 1ull << stored;
        return;
    }
    if (t != NULL && t->kind == SFI_TERM_FIELD)
        l->inputs |= 1u << t->index;
    if (t != NULL && t->kind == SFI_TERM_REDUCE) {
        p->by_time |= c->stages[t->stage].is_monthly;
        return;
    }
    const int count = sfi_at(c->terms_graph, node)->arg_count;
    for (int k = 0; k < count; k++)
        find_read(c, sfi_arg(c->terms_graph, node, k), p, l);
    for (int k = 0; t != NULL && k < 2 && t->arg[k].id > 0; k++)
        find_read(c, t->arg[k], p, l);
}

static sf_status too_deep(const sfi_pass_state *p, int axis, int reach)
{
    return SFI_FAIL(p->c->ctx, SF_E_UNSUPPORTED,
                    "calc: operators nest so deeply along \"%s\" that "
                    "they read %d points away, want at most %d; compute "
                    "the inner part first",
                    sf_grid_axis(p->c->grid, axis)->name, reach,
                    (int)SFI_MOST_REACH);
}

static sf_status measure_layer(sfi_pass_state *p, sfi_layer *l)
{
    sfi_calc *c = p->c;
    c->own = l->stored;
    for (int r = 0; r < l->root_count; r++) {
        int one[2][SF_MAX_AXES] = {{0}};
        sfi_term_reach(c, l->roots[r], one[0], one[1]);
        for (int k = 0; k < SF_MAX_AXES; k++) {
            l->radius[k] = one[0][k] > l->radius[k] ? one[0][k] : l->radius[k];
            l->reach[k] = one[1][k] > l->reach[k] ? one[1][k] : l->reach[k];
        }
        find_read(c, l->roots[r], p, l);
    }
    c->own = -1;
    for (int k = 0; k < p->rank; k++) {
        l->extent[k] = l->mask >> k & 1u ? sf_grid_axis(c->grid, k)->count : 1;
        if (l->reach[k] > SFI_MOST_REACH)
            return too_deep(p, k, l->reach[k]);
    }
    sfi_layer_classes(p, l);
    return SF_OK;
}

static sf_status add_layer(sfi_pass_state *p, int stored, int root_count,
                           const sf_node *roots, unsigned mask)
{
    sfi_layer *l = sfi_alloc_zero(p->c->ctx, 1, sizeof *l);
    if (l == NULL)
        return SF_E_NOMEM;
    p->layers[p->layer_count++] = l;
    l->stored = stored;
    l->root_count = root_count;
    l->roots = roots;
    l->mask = mask;
    l->values =
        sfi_alloc_zero(p->c->ctx, (size_t)root_count, sizeof *l->values);
    return l->values != NULL ? measure_layer(p, l) : SF_E_NOMEM;
}

/* The layers that are needed, those that read before those that are read; then turned
 * round.  A stored term reads only ones of lower numbers. */
static sf_status make_layers(sfi_pass_state *p, int root_count,
                             const sf_node *roots, unsigned mask)
{
    const sfi_calc *c = p->c;
    SFI_TRY(add_layer(p, -1, root_count, roots, mask));
    uint64_t wanted = p->layers[0]->layers;
    for (int s = (int)c->stored_count - 1; s >= 0; s--) {
        const sfi_stored *t = &c->stored[s];
        if (!(wanted >> s & 1u))
            continue;
        SFI_TRY(add_layer(p, s, 1, &t->of, sfi_term_mask(c, t->term)));
        wanted |= p->layers[p->layer_count - 1]->layers;
    }
    for (int i = 0; 2 * i < p->layer_count - 1; i++) {
        sfi_layer *swap = p->layers[i];
        p->layers[i] = p->layers[p->layer_count - 1 - i];
        p->layers[p->layer_count - 1 - i] = swap;
    }
    return SF_OK;
}

static void widen(int *pad, const sfi_layer *l)
{
    for (int k = 0; k < SF_MAX_AXES; k++)
        if (l->pad[k] + l->reach[k] > pad[k])
            pad[k] = l->pad[k] + l->reach[k];
}

/* How far what is read must be there beyond the slab: as far as those that read it, and
 * they as far as others read them. */
static sf_status spread(sfi_pass_state *p)
{
    for (int i = p->layer_count - 1; i >= 0; i--) {
        const sfi_layer *l = p->layers[i];
        for (int j = 0; j < i; j++)
            if (l->layers >> p->layers[j]->stored & 1u)
                widen(p->layers[j]->pad, l);
        if (l->inputs != 0)
            widen(p->input_pad, l);
        p->used |= l->inputs;
    }
    for (int k = 0; k < p->rank; k++) {
        int most = p->input_pad[k];
        for (int i = 0; i < p->layer_count; i++)
            most = p->layers[i]->pad[k] > most ? p->layers[i]->pad[k] : most;
        if (most > SFI_MOST_REACH)
            return too_deep(p, k, most);
    }
    return SF_OK;
}

/* Whether a field can be read where it lies. */
static bool may_borrow(const sfi_pass_state *p, int i)
{
    const sfi_calc_input *in = &p->c->inputs[i];
    for (int k = 0; k < p->rank; k++)
        if (in->mask >> k & 1u && is_closed(p, k) && p->input_pad[k] > 0)
            return false;
    return in->field != NULL;
}

/* Points of a slab; with none, all of them are one. */
static bool needs_slabs(const sfi_pass_state *p)
{
    bool own = p->targets == NULL || p->layer_count > 1;
    for (int i = 0; i < p->c->input_count; i++)
        own = own || (p->used >> i & 1u && !may_borrow(p, i));
    return own;
}

static sf_status measure_pass(sfi_pass_state *p, int root_count,
                              const sf_node *roots, unsigned mask)
{
    sfi_calc *c = p->c;
    int64_t points = 1;
    p->rank = sf_grid_rank(c->grid);
    p->slow = -1;
    for (int r = 0; r < root_count; r++)
        SFI_TRY(sfi_store_terms(c, roots[r]));
    SFI_TRY(make_layers(p, root_count, roots, mask));
    SFI_TRY(spread(p));
    for (int k = 0; k < p->rank; k++) {
        p->extent[k] = p->layers[p->layer_count - 1]->extent[k];
        if (p->slow < 0 && p->extent[k] > 1 && !(c->whole >> k & 1u))
            p->slow = k;
        points *= p->extent[k];
    }
    p->thick = 1;
    if (p->slow >= 0) {
        const int64_t each = points / p->extent[p->slow];
        p->thick = SLAB_POINTS / each;
        if (p->thick < 1)
            p->thick = 1;
        if (p->thick > p->extent[p->slow] || !needs_slabs(p))
            p->thick = p->extent[p->slow];
    }
    return SF_OK;
}

/* ---- room ------------------------------------------------------------------------------ */

static sf_status make_slab(sfi_pass_state *p, sfi_slab *out, sf_dtype dtype,
                           unsigned mask, const int *pads)
{
    static const int64_t none[SF_MAX_AXES] = {0};
    int64_t count[SF_MAX_AXES], pad[SF_MAX_AXES];
    for (int k = 0; k < p->rank; k++) {
        count[k] = k == p->slow ? p->thick : sf_grid_axis(p->c->grid, k)->count;
        pad[k] = k == p->slow || is_closed(p, k) ? pads[k] : 0;
    }
    return sfi_slab_new(p->c, out, dtype, mask, none, count, pad);
}

static sf_status make_spectral(sfi_pass_state *p, sfi_layer *l)
{
    if (l->stored < 0 || p->c->stored[l->stored].m == 0)
        return SF_OK;
    const sfi_stored *s = &p->c->stored[l->stored];
    return sfi_spectral_new(p->c, &l->spectral, s->axis, s->m, s->factor);
}

static sf_status make_room(sfi_pass_state *p)
{
    sfi_calc *c = p->c;
    size_t largest = 1;
    for (int i = 0; i < c->input_count; i++) {
        if (!(p->used >> i & 1u))
            continue;
        if (may_borrow(p, i)) {
            p->inputs[i] = sfi_slab_lent(c->inputs[i].field, c->inputs[i].map);
            continue;
        }
        SFI_TRY(make_slab(p, &p->inputs[i], sfi_calc_dtype(c),
                          c->inputs[i].mask, p->input_pad));
        if (p->inputs[i].dtype != SF_F64 && p->inputs[i].block_count > largest)
            largest = p->inputs[i].block_count;
    }
    p->packed = sfi_alloc(c->ctx, largest, sizeof *p->packed);
    p->packed_count = largest;
    if (p->packed == NULL)
        return SF_E_NOMEM;
    for (int i = 0; i < p->layer_count - 1; i++) {
        sfi_layer *l = p->layers[i];
        SFI_TRY(
            make_slab(p, &l->values[0], sfi_calc_dtype(c), l->mask, l->pad));
        SFI_TRY(make_spectral(p, l));
    }
    const sfi_layer *wanted = p->layers[p->layer_count - 1];
    int64_t count[SF_MAX_AXES];
    for (int k = 0; k < p->rank; k++)
        count[k] = k == p->slow ? p->thick : p->extent[k];
    for (int r = 0; r < wanted->root_count; r++) {
        if (p->targets != NULL)
            wanted->values[r] = p->targets[r];
        else
            SFI_TRY(sfi_slab_dense(c, &wanted->values[r], count));
    }
    return SF_OK;
}

/* ---- reading --------------------------------------------------------------------------- */

/* Indices of the slow axis that a slab from `first` on has, with `pad` neighbours; those
 * before `done` are there. */
static void range_of(const sfi_pass_state *p, int64_t first, int64_t count,
                     int pad, int64_t done, int64_t *from, int64_t *to)
{
    const int64_t n = p->extent[p->slow];
    *from = first - pad;
    *to = first + count + pad;
    if (!is_closed(p, p->slow)) {
        *from = *from < 0 ? 0 : *from;
        *to = *to > n ? n : *to;
    }
    if (first > 0 && *from < done)
        *from = done;
}

/* Read `count` indices of the slow axis from `first` on, which are in the file. */
static sf_status read_part(sfi_pass_state *p, int i, int64_t first,
                           int64_t count, int64_t as)
{
    const sfi_calc_input *in = &p->c->inputs[i];
    const int rank = sf_grid_rank(in->grid);
    int64_t start[SF_MAX_AXES] = {0}, n[SF_MAX_AXES] = {0};
    for (int k = 0; k < rank; k++) {
        const bool is_slow = in->map[k] == p->slow;
        start[k] = is_slow ? first : 0;
        n[k] = is_slow ? count : sf_grid_axis(in->grid, k)->count;
    }
    /* The slab in the input's own order of axes. */
    sfi_slab own = p->inputs[i];
    int64_t to[SF_MAX_AXES] = {0}, dense[SF_MAX_AXES], points = 1;
    memset(own.step, 0, sizeof own.step);
    for (int k = rank - 1; k >= 0; k--) {
        own.step[k] = p->inputs[i].step[in->map[k]];
        to[k] = in->map[k] == p->slow ? as : 0;
        dense[k] = points;
        points *= n[k];
    }
    if (own.dtype == SF_F64)
        return in->read(in->user, start, n, sfi_slab_at(&own, to), own.step);
    SFI_TRY(in->read(in->user, start, n, p->packed, dense));
    sfi_slab_put(&own, rank, to, n, p->packed);
    return SF_OK;
}

/* Pads of closed axes, of indices [from, to) of the slow one. */
static void wrap(const sfi_pass_state *p, sfi_slab *s, unsigned mask,
                 int64_t from, int64_t to)
{
    int64_t low[SF_MAX_AXES] = {0}, extent[SF_MAX_AXES] = {0};
    for (int k = 0; k < p->rank; k++)
        extent[k] = sf_grid_axis(p->c->grid, k)->count;
    if (p->slow >= 0) {
        low[p->slow] = from;
        extent[p->slow] = to - from;
    }
    sfi_slab_wrap(p->c, s, mask, low, extent, p->slow);
}

static sf_status read_input(sfi_pass_state *p, int i, int64_t first,
                            int64_t count)
{
    const sfi_calc_input *in = &p->c->inputs[i];
    int64_t from = 0, to = 1;
    if (p->slow < 0 || !(in->mask >> p->slow & 1u)) {
        if (first > 0)
            return SF_OK;
        SFI_TRY(read_part(p, i, 0, 1, 0));
        wrap(p, &p->inputs[i], in->mask, from, to);
        return SF_OK;
    }
    const int64_t n = p->extent[p->slow];
    range_of(p, first, count, p->input_pad[p->slow], p->input_done[i], &from,
             &to);
    for (int64_t at = from; at < to;) { /* round the end of a closed axis */
        const int64_t start = (at % n + n) % n;
        const int64_t most = n - start;
        const int64_t part = to - at < most ? to - at : most;
        SFI_TRY(read_part(p, i, start, part, at));
        at += part;
    }
    if (from < to)
        wrap(p, &p->inputs[i], in->mask, from, to);
    p->input_done[i] = to;
    return SF_OK;
}

/* ---- running --------------------------------------------------------------------------- */

static sf_status run_stored(sfi_pass_state *p, sfi_layer *l, int64_t first,
                            int64_t count)
{
    int64_t from = 0, to = 1;
    const bool is_cut = p->slow >= 0 && l->mask >> p->slow & 1u;
    if (!is_cut && first > 0)
        return SF_OK;
    if (is_cut)
        range_of(p, first, count, l->pad[p->slow], l->done, &from, &to);
    l->done = to;
    if (from >= to)
        return SF_OK;
    SFI_TRY(sfi_layer_run(p, l, from, to));
    if (l->spectral != NULL) {
        int64_t low[SF_MAX_AXES] = {0}, extent[SF_MAX_AXES];
        memcpy(extent, l->extent, sizeof extent);
        if (is_cut) {
            low[p->slow] = from;
            extent[p->slow] = to - from;
        }
        sfi_spectral_run(l->spectral, &l->values[0], low, extent);
    }
    wrap(p, &l->values[0], l->mask, from, to);
    return SF_OK;
}

static sf_status run_slab(sfi_pass_state *p, int64_t first, int64_t count,
                          sfi_consumer consume, void *user)
{
    for (int i = 0; i < p->c->input_count; i++)
        if (p->used >> i & 1u && !p->inputs[i].is_lent)
            SFI_TRY(read_input(p, i, first, count));
    for (int i = 0; i < p->layer_count - 1; i++)
        SFI_TRY(run_stored(p, p->layers[i], first, count));
    sfi_layer *wanted = p->layers[p->layer_count - 1];
    SFI_TRY(sfi_layer_run(p, wanted, first, first + count));
    if (p->targets != NULL)
        return SF_OK;
    int64_t begin[SF_MAX_AXES] = {0}, size[SF_MAX_AXES];
    for (int k = 0; k < p->rank; k++) {
        begin[k] = k == p->slow ? first : 0;
        size[k] = k == p->slow ? count : p->extent[k];
    }
    return consume(user, begin, size, wanted->values);
}

static sf_status run_slabs(sfi_pass_state *p, sfi_consumer consume, void *user)
{
    const int64_t n = p->slow < 0 ? 1 : p->extent[p->slow];
    for (int64_t first = 0; first < n; first += p->thick) {
        for (int i = 0; first > 0 && i < p->c->input_count; i++)
            if (p->c->inputs[i].mask >> p->slow & p->used >> i & 1u)
                sfi_slab_move(&p->inputs[i], p->slow, p->thick);
        for (int i = 0; first > 0 && i < p->layer_count; i++)
            for (int r = 0; r < p->layers[i]->root_count; r++)
                sfi_slab_move(&p->layers[i]->values[r], p->slow, p->thick);
        const int64_t count = n - first < p->thick ? n - first : p->thick;
        SFI_TRY(run_slab(p, first, count, consume, user));
    }
    return SF_OK;
}

static void free_pass(sfi_pass_state *p)
{
    sfi_calc *c = p->c;
    for (int i = 0; i < p->layer_count; i++) {
        sfi_layer *l = p->layers[i];
        sfi_layer_free_programs(c, l);
        for (int r = 0; l->values != NULL && r < l->root_count; r++)
            sfi_slab_free(c, &l->values[r]);
        sfi_free(c->ctx, l->values, (size_t)l->root_count, sizeof *l->values);
        sfi_spectral_free(l->spectral);
        sfi_free(c->ctx, l, 1, sizeof *l);
    }
    for (int i = 0; i < SFI_CALC_MOST_INPUTS; i++)
        sfi_slab_free(c, &p->inputs[i]);
    sfi_free(c->ctx, p->packed, p->packed_count, sizeof *p->packed);
    sfi_free(c->ctx, p, 1, sizeof *p);
}

sf_status sfi_pass(sfi_calc *c, int root_count, const sf_node *roots,
                   unsigned mask, const sfi_slab *targets, sfi_consumer consume,
                   void *user)
{
    sfi_pass_state *p = sfi_alloc_zero(c->ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->c = c;
    p->targets = targets;
    sf_status status = measure_pass(p, root_count, roots, mask);
    if (status == SF_OK)
        status = make_room(p);
    if (status == SF_OK)
        status = run_slabs(p, consume, user);
    c->own = -1;
    free_pass(p);
    return status;
}
