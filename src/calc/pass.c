/* SPDX-License-Identifier: Apache-2.0 */
/* pass.c - terms at all points of the domain, slab by slab.
 *
 * A slab is a run of indices of the slowest axis, and all of the others, with as many
 * more indices on either side as the terms reach.  In it the points are boxes of equal
 * classes; each class has a program, made when it is first met. */
#include "calc/calculation.h"

#include <math.h>
#include <string.h>

enum { SLAB_POINTS = 1 << 19, MOST_CLASSES = 2 * SFI_MOST_REACH + 1 };

/* Points along an axis whose formulas are one. */
typedef struct class_span {
    int64_t from, to; /* [from, to) */
    bool is_single;
} class_span;

/* A program for a class, and what it reads. */
typedef struct class_program {
    sfi_position at;
    sfi_expansion e;
    sf_program *program;
    sf_source *sources;
    size_t source_count;
    struct class_program *rings; /* [e.ring_count], of one output          */
    double **ring_means;         /* [e.ring_count] [points without lon]    */
    size_t ring_points;
} class_program;

typedef struct pass {
    sfi_calc *c;
    int rank, root_count;
    const sf_node *roots;
    unsigned mask;
    int64_t extent[SF_MAX_AXES]; /* 1 along axes that are not of the mask   */
    int radius[SF_MAX_AXES], reach[SF_MAX_AXES];
    int slow; /* the axis that slabs are cut along, -1: there is one slab   */
    int64_t thick;
    int span_count[SF_MAX_AXES];
    class_span spans[SF_MAX_AXES][MOST_CLASSES];
    class_program **programs;
    size_t program_count, program_capacity;
    sfi_slab inputs[SFI_CALC_MOST_INPUTS];
    uint32_t used; /* inputs */
    bool by_time;  /* boxes have one time each: months are read            */
    double *packed;
    size_t packed_count;
    sfi_slab *values; /* [root_count] */
} pass;

/* ---- what is needed ---------------------------------------------------------------- */

static void find_used(const sfi_calc *c, sf_node node, pass *p)
{
    const sfi_field_term *t = sfi_term_of(c, node);
    if (t != NULL && t->kind == SFI_TERM_FIELD)
        p->used |= 1u << t->index;
    if (t != NULL && t->kind == SFI_TERM_REDUCE) {
        p->by_time |= c->stages[t->stage].is_monthly;
        return;
    }
    const int count = sfi_at(c->terms_graph, node)->arg_count;
    for (int k = 0; k < count; k++)
        find_used(c, sfi_arg(c->terms_graph, node, k), p);
    for (int k = 0; t != NULL && k < 2 && t->arg[k].id > 0; k++)
        find_used(c, t->arg[k], p);
}

static bool is_closed(const pass *p, int axis)
{
    return sf_grid_axis(p->c->grid, axis)->period > 0.0;
}

/* Single points near the ends, and the rest. */
static void find_spans(pass *p)
{
    for (int k = 0; k < p->rank; k++) {
        const int64_t n = p->extent[k];
        const int64_t near_end =
            is_closed(p, k) || !(p->mask >> k & 1u) ? 0 : p->radius[k];
        class_span *s = p->spans[k];
        int m = 0;
        const bool all = n <= 2 * near_end;
        for (int64_t i = 0; i < (all ? n : near_end); i++)
            s[m++] = (class_span){i, i + 1, true};
        if (!all)
            s[m++] = (class_span){near_end, n - near_end, false};
        for (int64_t i = n - near_end; i < n && !all; i++)
            s[m++] = (class_span){i, i + 1, true};
        p->span_count[k] = m;
    }
}

static sf_status measure_pass(pass *p)
{
    sfi_calc *c = p->c;
    p->rank = sf_grid_rank(c->grid);
    p->slow = -1;
    int64_t points = 1;
    for (int r = 0; r < p->root_count; r++) {
        int one[2][SF_MAX_AXES] = {{0}};
        sfi_term_reach(c, p->roots[r], one[0], one[1]);
        for (int k = 0; k < SF_MAX_AXES; k++) {
            p->radius[k] = one[0][k] > p->radius[k] ? one[0][k] : p->radius[k];
            p->reach[k] = one[1][k] > p->reach[k] ? one[1][k] : p->reach[k];
        }
        find_used(c, p->roots[r], p);
    }
    for (int k = 0; k < p->rank; k++) {
        if (p->reach[k] > SFI_MOST_REACH)
            return SFI_FAIL(
                c->ctx, SF_E_UNSUPPORTED,
                "calc: operators nest so deeply along \"%s\" that "
                "they read %d points away, want at most %d; compute "
                "the inner part first",
                sf_grid_axis(c->grid, k)->name, p->reach[k],
                (int)SFI_MOST_REACH);
        p->extent[k] = p->mask >> k & 1u ? sf_grid_axis(c->grid, k)->count : 1;
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
        if (p->thick > p->extent[p->slow])
            p->thick = p->extent[p->slow];
    }
    find_spans(p);
    return SF_OK;
}

/* ---- reading --------------------------------------------------------------------------- */

/* Indices of the slow axis that a slab from `first` on has, with its neighbours. */
static void range_of(const pass *p, int64_t first, int64_t count, int64_t *from,
                     int64_t *to)
{
    const int64_t reach = p->reach[p->slow], n = p->extent[p->slow];
    *from = first - reach;
    *to = first + count + reach;
    if (!is_closed(p, p->slow)) {
        *from = *from < 0 ? 0 : *from;
        *to = *to > n ? n : *to;
    }
}

/* Read `count` indices of the slow axis from `first` on, which are in the file. */
static sf_status read_part(pass *p, int i, int64_t first, int64_t count,
                           int64_t as)
{
    const sfi_calc_input *in = &p->c->inputs[i];
    const int rank = sf_grid_rank(in->grid);
    int64_t start[SF_MAX_AXES] = {0}, n[SF_MAX_AXES] = {0};
    for (int k = 0; k < rank; k++) {
        const bool is_slow = in->map[k] == p->slow;
        start[k] = is_slow ? first : 0;
        n[k] = is_slow ? count : sf_grid_axis(in->grid, k)->count;
    }
    SFI_TRY(in->read(in->user, start, n, p->packed));
    /* The slab in the input's own order of axes. */
    sfi_slab own = p->inputs[i];
    int64_t to[SF_MAX_AXES] = {0};
    memset(own.step, 0, sizeof own.step);
    for (int k = 0; k < rank; k++) {
        own.step[k] = p->inputs[i].step[in->map[k]];
        to[k] = in->map[k] == p->slow ? as : 0;
    }
    sfi_slab_put(&own, rank, to, n, p->packed);
    return SF_OK;
}

static sf_status read_input(pass *p, int i, int64_t first, int64_t count)
{
    const sfi_calc_input *in = &p->c->inputs[i];
    if (p->slow < 0 || !(in->mask >> p->slow & 1u))
        return first == 0 ? read_part(p, i, 0, 1, 0) : SF_OK;
    int64_t from, to;
    const int64_t n = p->extent[p->slow];
    range_of(p, first, count, &from, &to);
    while (from < to) { /* round the end of a closed axis */
        const int64_t start = (from % n + n) % n;
        const int64_t most = n - start;
        const int64_t part = to - from < most ? to - from : most;
        SFI_TRY(read_part(p, i, start, part, from));
        from += part;
    }
    return SF_OK;
}

static sf_status make_slabs(pass *p)
{
    static const int64_t none[SF_MAX_AXES] = {0};
    sfi_calc *c = p->c;
    int64_t count[SF_MAX_AXES], pad[SF_MAX_AXES];
    size_t largest = 1;
    for (int k = 0; k < p->rank; k++) {
        count[k] = k == p->slow ? p->thick : sf_grid_axis(c->grid, k)->count;
        pad[k] = k == p->slow || is_closed(p, k) ? p->reach[k] : 0;
    }
    for (int i = 0; i < c->input_count; i++) {
        if (!(p->used >> i & 1u))
            continue;
        SFI_TRY(sfi_slab_new(c, &p->inputs[i], c->inputs[i].mask, none, count,
                             pad));
        if (p->inputs[i].block_count > largest)
            largest = p->inputs[i].block_count;
    }
    p->packed = sfi_alloc(c->ctx, largest, sizeof *p->packed);
    p->packed_count = largest;
    p->values =
        sfi_alloc_zero(c->ctx, (size_t)p->root_count, sizeof *p->values);
    if (p->packed == NULL || p->values == NULL)
        return SF_E_NOMEM;
    for (int k = 0; k < p->rank; k++)
        count[k] = k == p->slow ? p->thick : p->extent[k];
    for (int r = 0; r < p->root_count; r++)
        SFI_TRY(sfi_slab_new(c, &p->values[r], (1u << p->rank) - 1u, none,
                             count, none));
    return SF_OK;
}

/* ---- programs --------------------------------------------------------------------------- */

static void free_program(sfi_calc *c, class_program *k)
{
    for (size_t i = 0; i < k->e.ring_count; i++) {
        if (k->rings != NULL)
            free_program(c, &k->rings[i]);
        if (k->ring_means != NULL)
            sfi_free(c->ctx, k->ring_means[i], k->ring_points, sizeof(double));
    }
    sfi_free(c->ctx, k->rings, k->e.ring_count, sizeof *k->rings);
    sfi_free(c->ctx, k->ring_means, k->e.ring_count, sizeof *k->ring_means);
    sfi_free(c->ctx, k->sources, k->source_count, sizeof *k->sources);
    sf_program_free(k->program);
    sfi_expansion_free(&k->e);
}

static sf_status make_program(pass *p, class_program *k, int count,
                              const sf_node *terms, const int *offset)
{
    sfi_calc *c = p->c;
    sf_output outputs[SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS];
    SFI_TRY(sfi_expansion_new(c, &k->e, &k->at));
    for (int r = 0; r < count; r++)
        outputs[r] = (sf_output){sfi_expand(&k->e, terms[r], offset), SF_EACH};
    SFI_TRY(sf_graph_status(k->e.graph));
    SFI_TRY(sf_program_new(c->ctx, &k->program, k->e.graph, SF_F64, count,
                           outputs));
    k->source_count = k->e.graph->input_count;
    k->sources = sfi_alloc_zero(c->ctx, k->source_count, sizeof *k->sources);
    if (k->sources == NULL && k->source_count > 0)
        return SF_E_NOMEM;
    if (k->e.ring_count == 0)
        return SF_OK;
    const int lon = sf_grid_find_role(c->grid, SF_ROLE_LON);
    const int lat = sf_grid_find_role(c->grid, SF_ROLE_LAT);
    k->ring_points = 1;
    for (int a = 0; a < p->rank; a++)
        if (a != lon && a != lat)
            k->ring_points *= (size_t)p->extent[a];
    k->rings = sfi_alloc_zero(c->ctx, k->e.ring_count, sizeof *k->rings);
    k->ring_means =
        sfi_alloc_zero(c->ctx, k->e.ring_count, sizeof *k->ring_means);
    if (k->rings == NULL || k->ring_means == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i < k->e.ring_count; i++) {
        k->ring_means[i] = sfi_alloc(c->ctx, k->ring_points, sizeof(double));
        if (k->ring_means[i] == NULL)
            return SF_E_NOMEM;
        k->rings[i].at = k->at;
        SFI_TRY(make_program(p, &k->rings[i], 1, &k->e.rings[i].term,
                             k->e.rings[i].offset));
    }
    return SF_OK;
}

static bool same_position(const pass *p, const sfi_position *a,
                          const sfi_position *b)
{
    for (int k = 0; k < p->rank; k++)
        if (a->is_single[k] != b->is_single[k] ||
            (a->is_single[k] && a->index[k] != b->index[k]))
            return false;
    return true;
}

static sf_status program_at(pass *p, const sfi_position *at,
                            class_program **out)
{
    static const int here[SF_MAX_AXES] = {0};
    sf_context *ctx = p->c->ctx;
    for (size_t i = 0; i < p->program_count; i++)
        if (same_position(p, &p->programs[i]->at, at)) {
            *out = p->programs[i];
            return SF_OK;
        }
    class_program **grown = sfi_grow(ctx, p->programs, &p->program_capacity,
                                     p->program_count + 1, sizeof *grown);
    if (grown == NULL)
        return SF_E_NOMEM;
    p->programs = grown;
    class_program *k = sfi_alloc_zero(ctx, 1, sizeof *k);
    if (k == NULL)
        return SF_E_NOMEM;
    k->at = *at;
    p->programs[p->program_count++] = k;
    *out = k;
    return make_program(p, k, p->root_count, p->roots, here);
}

/* ---- boxes --------------------------------------------------------------------------------- */

/* A box of a slab: `first` are indices of the domain. */
typedef struct sub_box {
    int64_t first[SF_MAX_AXES], count[SF_MAX_AXES];
} sub_box;

static sf_source array_source(const pass *p, const double *data,
                              const int64_t *step)
{
    sf_source s = {.kind = SF_GRID, .data = data, .dtype = SF_F64};
    for (int k = 0; k < p->rank; k++)
        s.steps[k] = step[k];
    return s;
}

static sf_source source_of(const pass *p, const class_program *k,
                           const sub_box *b, const sfi_read *r)
{
    static const int64_t still[SF_MAX_AXES] = {0};
    const sfi_calc *c = p->c;
    int64_t at[SF_MAX_AXES] = {0}, step[SF_MAX_AXES] = {0};
    for (int a = 0; a < p->rank; a++)
        at[a] = b->first[a] + r->offset[a];
    switch (r->kind) {
    case SFI_READ_FIELD:
        return array_source(p, sfi_slab_at(&p->inputs[r->index], at),
                            p->inputs[r->index].step);
    case SFI_READ_TABLE: {
        const sfi_table *t = &c->tables[r->index];
        step[t->axis] = 1;
        return array_source(p, t->block + SFI_TABLE_PAD + at[t->axis], step);
    }
    case SFI_READ_STAGE: {
        const sfi_stage *s = &c->stages[r->index];
        memcpy(step, s->values.step, sizeof step);
        if (s->is_monthly) { /* boxes have one time */
            const int t = sf_grid_find_role(c->grid, SF_ROLE_T);
            at[t] = sfi_axis_month(c, at[t]);
            step[t] = 0;
        }
        return array_source(p, sfi_slab_at(&s->values, at), step);
    }
    case SFI_READ_RING: {
        const int lon = sf_grid_find_role(c->grid, SF_ROLE_LON);
        const int lat = sf_grid_find_role(c->grid, SF_ROLE_LAT);
        int64_t size = 1;
        for (int a = p->rank - 1; a >= 0; a--)
            if (a != lon && a != lat) {
                step[a] = size;
                size *= b->count[a];
            }
        return array_source(p, k->ring_means[r->index], step);
    }
    }
    return array_source(p, NULL, still);
}

static sf_status run_program(pass *p, class_program *k, const sub_box *b,
                             int count, const sf_box_sink *sinks,
                             bool is_padded);

/* The mean along the longitudes for each point of the other axes. */
static sf_status run_ring(pass *p, class_program *k, size_t i, const sub_box *b)
{
    const sfi_calc *c = p->c;
    const int lon = sf_grid_find_role(c->grid, SF_ROLE_LON);
    const int lat = sf_grid_find_role(c->grid, SF_ROLE_LAT);
    const int64_t n = b->count[lon];
    const size_t size = k->ring_points * (size_t)n;
    double *row = sfi_alloc(c->ctx, size, sizeof *row);
    if (row == NULL)
        return SF_E_NOMEM;
    sf_box_sink sink = {.to = {row, SF_F64, 0}};
    int64_t step = n;
    sink.steps[lon] = 1;
    for (int a = p->rank - 1; a >= 0; a--)
        if (a != lon && a != lat) {
            sink.steps[a] = step;
            step *= b->count[a];
        }
    const sf_status status = run_program(p, &k->rings[i], b, 1, &sink, false);
    for (int64_t at = 0; at < step / n && status == SF_OK; at++) {
        double sum = 0.0, weights = 0.0;
        for (int64_t j = 0; j < n; j++) {
            const double w = sfi_axis_weight(c, lon, j);
            sum += w * row[at * n + j];
            weights += w;
        }
        k->ring_means[i][at] = sum / weights;
    }
    sfi_free(c->ctx, row, size, sizeof *row);
    return status;
}

static sf_status run_program(pass *p, class_program *k, const sub_box *b,
                             int count, const sf_box_sink *sinks,
                             bool is_padded)
{
    (void)count;
    for (size_t i = 0; i < k->e.ring_count; i++)
        SFI_TRY(run_ring(p, k, i, b));
    for (size_t i = 0; i < k->e.read_count; i++)
        k->sources[i] = source_of(p, k, b, &k->e.reads[i]);
    sf_box box = {.rank = p->rank, .is_padded = is_padded};
    memcpy(box.extent, b->count, sizeof box.extent);
    return sf_program_run_box(k->program, &box, k->sources, NULL, sinks);
}

static sf_status run_box(pass *p, const sfi_position *at, const sub_box *b)
{
    class_program *k = NULL;
    sf_box_sink sinks[SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS];
    SFI_TRY(program_at(p, at, &k));
    for (int r = 0; r < p->root_count; r++) {
        sinks[r] = (sf_box_sink){
            .to = {sfi_slab_at(&p->values[r], b->first), SF_F64, 0}};
        memcpy(sinks[r].steps, p->values[r].step, sizeof sinks[r].steps);
    }
    const int last = p->rank - 1;
    return run_program(p, k, b, p->root_count, sinks,
                       b->count[last] == p->extent[last] && p->slow != last &&
                           !p->by_time);
}

/* All boxes of the slab of `count` indices of the slow axis from `first` on. */
static sf_status run_boxes(pass *p, int axis, sfi_position *at, sub_box *b,
                           int64_t first, int64_t count)
{
    if (axis == p->rank)
        return run_box(p, at, b);
    const int t = sf_grid_find_role(p->c->grid, SF_ROLE_T);
    for (int s = 0; s < p->span_count[axis]; s++) {
        class_span here = p->spans[axis][s];
        if (axis == p->slow) {
            here.from = here.from < first ? first : here.from;
            here.to = here.to > first + count ? first + count : here.to;
        }
        if (here.from >= here.to)
            continue;
        at->is_single[axis] = here.is_single;
        at->index[axis] = here.is_single ? here.from : 0;
        const int64_t whole = here.to - here.from;
        const int64_t each = p->by_time && axis == t ? 1 : whole;
        for (int64_t i = here.from; i < here.to; i += each) {
            b->first[axis] = i;
            b->count[axis] = each;
            SFI_TRY(run_boxes(p, axis + 1, at, b, first, count));
        }
    }
    return SF_OK;
}

static sf_status run_slab(pass *p, int64_t first, int64_t count,
                          sfi_consumer consume, void *user)
{
    sfi_calc *c = p->c;
    sfi_position at = {{false}, {0}};
    sub_box b = {{0}, {0}};
    int64_t low[SF_MAX_AXES] = {0}, extent[SF_MAX_AXES] = {0};
    for (int k = 0; k < p->rank; k++)
        extent[k] = k == p->slow ? count : sf_grid_axis(c->grid, k)->count;
    for (int i = 0; i < c->input_count; i++) {
        if (!(p->used >> i & 1u))
            continue;
        SFI_TRY(read_input(p, i, first, count));
        int64_t from = 0, to = 1;
        if (p->slow >= 0)
            range_of(p, first, count, &from, &to);
        low[p->slow < 0 ? 0 : p->slow] = from;
        if (p->slow >= 0)
            extent[p->slow] = to - from;
        sfi_slab_wrap(c, &p->inputs[i], c->inputs[i].mask, low, extent,
                      p->slow);
    }
    SFI_TRY(run_boxes(p, 0, &at, &b, first, count));
    int64_t begin[SF_MAX_AXES] = {0}, size[SF_MAX_AXES];
    for (int k = 0; k < p->rank; k++) {
        begin[k] = k == p->slow ? first : 0;
        size[k] = k == p->slow ? count : p->extent[k];
    }
    return consume(user, begin, size, p->values);
}

static sf_status run_slabs(pass *p, sfi_consumer consume, void *user)
{
    sfi_calc *c = p->c;
    const int64_t n = p->slow < 0 ? 1 : p->extent[p->slow];
    for (int64_t first = 0; first < n; first += p->thick) {
        if (first > 0) {
            for (int i = 0; i < c->input_count; i++)
                sfi_slab_move(&p->inputs[i], p->slow, p->thick);
            for (int r = 0; r < p->root_count; r++)
                sfi_slab_move(&p->values[r], p->slow, p->thick);
        }
        const int64_t count = n - first < p->thick ? n - first : p->thick;
        SFI_TRY(run_slab(p, first, count, consume, user));
    }
    return SF_OK;
}

static void free_pass(pass *p)
{
    sfi_calc *c = p->c;
    for (size_t i = 0; i < p->program_count; i++) {
        free_program(c, p->programs[i]);
        sfi_free(c->ctx, p->programs[i], 1, sizeof **p->programs);
    }
    sfi_free(c->ctx, p->programs, p->program_capacity, sizeof *p->programs);
    for (int i = 0; i < SFI_CALC_MOST_INPUTS; i++)
        sfi_slab_free(c, &p->inputs[i]);
    for (int r = 0; p->values != NULL && r < p->root_count; r++)
        sfi_slab_free(c, &p->values[r]);
    sfi_free(c->ctx, p->values, (size_t)p->root_count, sizeof *p->values);
    sfi_free(c->ctx, p->packed, p->packed_count, sizeof *p->packed);
    sfi_free(c->ctx, p, 1, sizeof *p);
}

sf_status sfi_pass(sfi_calc *c, int root_count, const sf_node *roots,
                   unsigned mask, sfi_consumer consume, void *user)
{
    pass *p = sfi_alloc_zero(c->ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->c = c;
    p->root_count = root_count;
    p->roots = roots;
    p->mask = mask;
    sf_status status = measure_pass(p);
    if (status == SF_OK)
        status = make_slabs(p);
    if (status == SF_OK)
        status = run_slabs(p, consume, user);
    free_pass(p);
    return status;
}
