/* SPDX-License-Identifier: Apache-2.0 */
/* exec_box.c - a program over the points of a box.
 *
 * Blocks are strips of one row, so that a neighbour's value is the same array from
 * another address.  An array of the program's own dtype, dense along the row, is an
 * operand where it lies (worker->direct): nothing is loaded or stored, and a chain of
 * element-wise instructions streams as a loop over the arrays would.  An array that
 * stands still along the row is one number of the strip.
 *
 * A chain of numbers, each of one component, ends where the row does.  What other programs
 * have left of a row beyond whole vectors is copied in and out, unless the arrays may be
 * read and written past their rows' ends.
 *
 * Lanes are rows that follow each other; a thread has the same ones in every run. */
#include "graph/exec_block.h"

enum {
    STRIP_BYTES = 16 << 10, /* of arrays and temporaries: half of an L1      */
    LEAST_STRIP = 64,
    LINE = 64,              /* bytes of the cache */
    KEPT_BYTES = 256 << 10, /* what was read so much earlier is in it still  */
    SUMMED_LANES = 8
};

/* ---- what is used where it lies ----------------------------------------------- */

/* The elements that an array of steps spans in a box, [*low, *high). */
static void span_of(const char *data, size_t bytes, const int64_t *steps,
                    const sf_box *box, const char **low, const char **high)
{
    int64_t first = 0, last = 0;
    for (int k = 0; k < box->rank; k++) {
        const int64_t reach = (box->extent[k] - 1) * steps[k];
        *(reach < 0 ? &first : &last) += reach;
    }
    *low = data + first * (int64_t)bytes;
    *high = data + (last + 1) * (int64_t)bytes;
}

static bool overlaps(const sfi_run *run, const sf_source *src,
                     const sf_box_sink *sink)
{
    const char *a, *a_end, *z, *z_end;
    span_of(src->data, sf_dtype_size(src->dtype), src->steps, run->box, &a,
            &a_end);
    span_of(sink->to.data, sf_dtype_size(sink->to.dtype), sink->steps, run->box,
            &z, &z_end);
    return a < z_end && z < a_end;
}

static bool is_grid_load(const sfi_run *run, const sfi_step *s)
{
    return s->kind == SFI_STEP_LOAD && run->sources[s->index].kind == SF_GRID;
}

/* Whether the values of a stored buffer come last of all: then they may replace
 * what they are made from, strip by strip. */
static bool comes_last(const sfi_plan *plan, int32_t buffer)
{
    const sfi_step *last = NULL;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++)
        if (plan->steps[i].kind != SFI_STEP_STORE &&
            plan->steps[i].kind != SFI_STEP_REDUCE)
            last = &plan->steps[i];
    if (last == NULL || last->kind != SFI_STEP_FUSED)
        return false;
    const sfi_fused *f = last->fused;
    const int dst = f->instructions[f->instruction_count - 1].dst;
    return dst < 0 && f->operands[~dst].buffer == buffer;
}

static bool is_written_by_chain(const sfi_plan *plan, int32_t buffer)
{
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        const sfi_step *s = &plan->steps[i];
        if (s->kind != SFI_STEP_FUSED)
            continue;
        for (int k = 0; k < s->fused->instruction_count; k++) {
            const int dst = s->fused->instructions[k].dst;
            if (dst < 0 && s->fused->operands[~dst].buffer == buffer)
                return true;
        }
    }
    return false;
}

static bool is_stored_before(const sfi_plan *plan, size_t step)
{
    for (size_t i = plan->uniform_steps; i < step; i++)
        if (plan->steps[i].kind == SFI_STEP_STORE &&
            plan->steps[i].in[0].buffer == plan->steps[step].in[0].buffer)
            return true;
    return false;
}

/* Loads first: a sink that lies over a source may forbid them. */
static void choose_loads(const sfi_exec *e, const sfi_run *run)
{
    const sfi_plan *plan = e->plan;
    const int last = run->box->rank - 1;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        const sfi_step *s = &plan->steps[i];
        e->in_place[i] = false;
        if (!is_grid_load(run, s))
            continue;
        const sf_source *src = &run->sources[s->index];
        e->in_place[i] = src->steps[last] == 1 && src->dtype == plan->dtype &&
                         sfi_shape_count(&s->out.shape) == 1;
    }
}

static void choose_store(const sfi_exec *e, const sfi_run *run, size_t step)
{
    const sfi_plan *plan = e->plan;
    const sfi_step *s = &plan->steps[step];
    const sf_box_sink *sink = &run->box_sinks[s->index];
    const int32_t buffer = s->in[0].buffer;
    const bool last = comes_last(plan, buffer);
    bool in_place =
        sink->steps[run->box->rank - 1] == 1 && sink->to.dtype == plan->dtype &&
        plan->buffers[buffer].comps == 1 && is_written_by_chain(plan, buffer) &&
        !is_stored_before(plan, step);
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        const sfi_step *load = &plan->steps[i];
        if (!is_grid_load(run, load) ||
            !overlaps(run, &run->sources[load->index], sink) || last)
            continue;
        in_place = false;
        e->in_place[i] = false;
    }
    e->in_place[step] = in_place;
}

/* What stands still along a row is a number, and need not fill one where some other
 * operand of each of its instructions is a row. */
static void choose_numbers(sfi_exec *e, const sfi_run *run)
{
    const sfi_plan *plan = e->plan;
    const int last = run->box->rank - 1;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        const sfi_step *s = &plan->steps[i];
        if (is_grid_load(run, s) && run->sources[s->index].steps[last] == 0 &&
            sfi_shape_count(&s->out.shape) == 1) {
            e->numbers[s->out.buffer] = SFI_NUMBER;
            e->has_numbers = true;
        }
    }
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        const sfi_step *s = &plan->steps[i];
        for (int k = 0; k < s->in_count; k++)
            if (s->kind != SFI_STEP_FUSED && e->numbers[s->in[k].buffer])
                e->numbers[s->in[k].buffer] = SFI_FILLED_NUMBER;
        for (int k = 0; s->fused != NULL && k < s->fused->instruction_count;
             k++) {
            const sfi_instruction *in = &s->fused->instructions[k];
            const int mode = sfi_number_mode(e, s->fused, in);
            if (e->loops->ew[in->op][mode] != NULL)
                continue;
            const int where[] = {in->a, in->b, in->c};
            for (int a = 0; a < 3; a++)
                if (where[a] < 0) {
                    unsigned char *number =
                        &e->numbers[s->fused->operands[~where[a]].buffer];
                    *number = *number ? SFI_FILLED_NUMBER : 0;
                }
        }
    }
}

/* Whether no step is of more than one number a point. */
static bool is_chain(const sfi_plan *plan)
{
    bool chain = true;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        const sfi_step *s = &plan->steps[i];
        chain =
            chain && (s->kind == SFI_STEP_LOAD || s->kind == SFI_STEP_STORE ||
                      s->kind == SFI_STEP_REDUCE ||
                      (s->kind == SFI_STEP_FUSED && s->fused->rank == 0));
    }
    return chain;
}

/* Where the array of a step begins that is used where it lies. */
static const char *array_of(const sfi_run *run, const sfi_step *s)
{
    return s->kind == SFI_STEP_LOAD ? run->sources[s->index].data
                                    : run->box_sinks[s->index].to.data;
}

/* Whether the elements of an array were just read of another one, which is ahead of it: rows
 * and planes are taken in order of their addresses. */
static bool is_behind(const sfi_exec *e, const sfi_run *run, int step)
{
    const sfi_step *s = &e->plan->steps[step];
    const uintptr_t a = (uintptr_t)array_of(run, s);
    bool behind = false;
    for (int i = 0; i < e->placed_count; i++) {
        const sfi_step *other = &e->plan->steps[e->placed[i]];
        const uintptr_t z = (uintptr_t)array_of(run, other);
        const bool is_ahead = z > a || (z == a && e->placed[i] < step);
        behind = behind ||
                 (s->kind == SFI_STEP_LOAD && other->kind == SFI_STEP_LOAD &&
                  is_ahead && z - a < KEPT_BYTES);
    }
    return behind;
}

static void list_arrays(sfi_exec *e, const sfi_run *run)
{
    const sfi_plan *plan = e->plan;
    e->placed_count = e->rest_count = e->fetched_count = 0;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        if (!e->in_place[i]) {
            e->rest[e->rest_count++] = (int)i;
            continue;
        }
        const sfi_step *s = &plan->steps[i];
        e->lies[e->placed_count] =
            s->kind == SFI_STEP_LOAD ? s->out.buffer : s->in[0].buffer;
        e->placed[e->placed_count++] = (int)i;
    }
    if ((size_t)run->points * e->elem < KEPT_BYTES)
        return; /* all of it is in the cache */
    for (int i = 0; i < e->placed_count; i++)
        if (!is_behind(e, run, e->placed[i]))
            e->fetched[e->fetched_count++] = e->lies[i];
}

static void list_loops(sfi_exec *e)
{
    const sfi_plan *plan = e->plan;
    int count = 0;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        const sfi_fused *f = plan->steps[i].fused;
        e->loops_at[i] = count;
        for (int k = 0; f != NULL && k < f->instruction_count; k++)
            e->loop_of[count++] = sfi_fused_loop(e, f, &f->instructions[k]);
    }
}

/* Points of a strip: arrays and temporaries stay in the first cache.  Strips of a row are
 * of about one length. */
static int64_t strip_of(const sfi_exec *e, int64_t row)
{
    const sfi_plan *plan = e->plan;
    const int64_t elem = (int64_t)e->elem, temps = plan->temp_rows;
    int64_t arrays = temps;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        const sfi_step *s = &plan->steps[i];
        arrays += s->kind == SFI_STEP_STORE ||
                  (s->kind == SFI_STEP_LOAD && !e->numbers[s->out.buffer]);
    }
    int64_t most = STRIP_BYTES / ((arrays > 0 ? arrays : 1) * elem);
    if (temps > 0)
        most = sfi_smaller(most, (int64_t)e->temp_bytes / (temps * elem));
    most = most < LEAST_STRIP ? LEAST_STRIP : sfi_smaller(most, e->ld_max);
    most = most / SFI_ROW_MULTIPLE * SFI_ROW_MULTIPLE;
    const int64_t strips = (row + most - 1) / most;
    return strips > 1 ? sfi_row_length((row + strips - 1) / strips) : most;
}

static void choose(sfi_exec *e, const sfi_run *run)
{
    const sfi_plan *plan = e->plan;
    memset(e->numbers, 0, plan->buffer_count);
    choose_loads(e, run);
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++)
        if (plan->steps[i].kind == SFI_STEP_STORE)
            choose_store(e, run, i);
    choose_numbers(e, run);
    e->is_exact = is_chain(plan);
    list_arrays(e, run);
    list_loops(e);
    e->strip = strip_of(e, run->box->extent[run->box->rank - 1]);
}

/* ---- running ------------------------------------------------------------------ */

/* Say where the arrays of this block are, or that they are in the arena. */
static void point_to(const sfi_point_block *b, bool in_place)
{
    const sfi_exec *e = b->e;
    for (int i = 0; i < e->placed_count; i++) {
        const sfi_step *s = &e->plan->steps[e->placed[i]];
        b->w->direct[e->lies[i]] =
            !in_place ? NULL
            : s->kind == SFI_STEP_LOAD
                ? sfi_source_at(&b->run->sources[s->index], b->run->box, b->at)
                : sfi_sink_at(&b->run->box_sinks[s->index], b->run->box, b->at);
    }
}

static void point_on(const sfi_point_block *b)
{
    const sfi_exec *e = b->e;
    for (int i = 0; i < e->placed_count; i++)
        b->w->direct[e->lies[i]] += (size_t)b->points * e->elem;
}

/* Ask for the lines that the next strip will read and write: the instructions of a chain
 * go over a strip one after the other, so that left alone the memory idles while they
 * compute, and they while it delivers.  Worth a factor of 2.  (Inline, since GCC leaves out
 * calls of functions that do nothing else.) */
SFI_INLINE void fetch_next(const sfi_point_block *b)
{
    const sfi_exec *e = b->e;
    const int64_t bytes = b->points * (int64_t)e->elem;
    for (int i = 0; i < e->fetched_count; i++) {
        const char *next = b->w->direct[e->fetched[i]] + bytes;
        for (int64_t k = 0; k < bytes; k += LINE)
            SFI_PREFETCH(next + k);
    }
}

/* A strip of a row; in place, the arrays are where this one begins. */
static void run_strip(sfi_point_block *b, int64_t first, int64_t points,
                      bool in_place)
{
    b->at[b->run->box->rank - 1] = first;
    b->points = points;
    b->ld = sfi_row_length(points);
    b->is_in_place = in_place;
    if (in_place)
        fetch_next(b);
    sfi_run_block(b);
    if (in_place)
        point_on(b);
    b->begins = false;
}

/* Points before the first whole line of what a row stores: vectors that cross lines are
 * slower to be stored.  Not of sums, whose order depends on the extents alone. */
static int64_t head_of(const sfi_point_block *b)
{
    const sfi_exec *e = b->e;
    for (int i = 0; i < e->placed_count && b->is_exact && !e->adds; i++)
        if (e->plan->steps[e->placed[i]].kind == SFI_STEP_STORE) {
            const uintptr_t at = (uintptr_t)b->w->direct[e->lies[i]];
            return (int64_t)((LINE - at % LINE) % LINE / e->elem);
        }
    return 0;
}

static void run_row(sfi_point_block *b, int64_t length)
{
    const sf_box *box = b->run->box;
    const int64_t strip = b->e->strip;
    const bool padded = box->is_padded && !b->e->plan->product_comps;
    const int64_t whole = padded || b->is_exact
                              ? length
                              : length / SFI_ROW_MULTIPLE * SFI_ROW_MULTIPLE;
    int64_t number = 0;
    for (int k = 0; k < box->rank - 1; k++)
        number = number * box->extent[k] + b->at[k];
    number *= length;
    b->at[box->rank - 1] = 0;
    point_to(b, true);
    int64_t at = 0;
    const int64_t head = head_of(b);
    if (head > 0 && head + strip < whole) {
        b->first = number;
        run_strip(b, 0, head, true);
        at = head;
    }
    for (; at < whole; at += strip) {
        b->first = number + at;
        run_strip(b, at, whole - at < strip ? whole - at : strip, true);
    }
    if (whole < length) {
        b->first = number + whole;
        point_to(b, false);
        run_strip(b, whole, length - whole, false);
    }
}

bool sfi_box_allocate(sfi_exec *e)
{
    sf_context *ctx = e->plan->ctx;
    const size_t steps = e->plan->step_count;
    for (size_t i = e->plan->uniform_steps; i < steps; i++)
        if (e->plan->steps[i].fused != NULL)
            e->instruction_count +=
                (size_t)e->plan->steps[i].fused->instruction_count;
    e->numbers = sfi_alloc_zero(ctx, e->plan->buffer_count, 1);
    e->in_place = sfi_alloc_zero(ctx, steps, sizeof *e->in_place);
    e->placed = sfi_alloc(ctx, steps, sizeof *e->placed);
    e->lies = sfi_alloc(ctx, steps, sizeof *e->lies);
    e->rest = sfi_alloc(ctx, steps, sizeof *e->rest);
    e->fetched = sfi_alloc(ctx, steps, sizeof *e->fetched);
    e->loops_at = sfi_alloc(ctx, steps, sizeof *e->loops_at);
    e->loop_of = sfi_alloc(ctx, e->instruction_count, sizeof *e->loop_of);
    return e->numbers != NULL && e->in_place != NULL && e->placed != NULL &&
           e->lies != NULL && e->rest != NULL && e->fetched != NULL &&
           e->loops_at != NULL && e->loop_of != NULL;
}

void sfi_box_free(sfi_exec *e)
{
    sf_context *ctx = e->plan->ctx;
    const size_t steps = e->plan->step_count;
    sfi_free(ctx, e->numbers, e->plan->buffer_count, 1);
    sfi_free(ctx, e->in_place, steps, sizeof *e->in_place);
    sfi_free(ctx, e->placed, steps, sizeof *e->placed);
    sfi_free(ctx, e->lies, steps, sizeof *e->lies);
    sfi_free(ctx, e->rest, steps, sizeof *e->rest);
    sfi_free(ctx, e->fetched, steps, sizeof *e->fetched);
    sfi_free(ctx, e->loops_at, steps, sizeof *e->loops_at);
    sfi_free(ctx, e->loop_of, e->instruction_count, sizeof *e->loop_of);
}

static int64_t rows_of(const sf_box *box)
{
    int64_t rows = 1;
    for (int k = 0; k < box->rank - 1; k++)
        rows *= box->extent[k];
    return rows;
}

int64_t sfi_box_lanes(const sfi_exec *e, const sf_box *box, int threads)
{
    const int64_t rows = rows_of(box);
    const int64_t wanted = e->adds ? SUMMED_LANES : threads;
    return rows < wanted ? rows : wanted;
}

void sfi_box_begin(sfi_exec *e, const sfi_run *run)
{
    choose(e, run);
}

void sfi_box_run_lane(const sfi_exec *e, const sfi_run *run, sfi_worker *w,
                      int64_t lane, int64_t lanes)
{
    const sf_box *box = run->box;
    if (e->plan->sum_comps > 0)
        memset(e->sums + lane * e->plan->sum_comps, 0, e->sum_bytes);
    const int64_t rows = rows_of(box);
    const int64_t from = rows * lane / lanes, to = rows * (lane + 1) / lanes;
    sfi_point_block b = {.e = e,
                         .run = run,
                         .w = w,
                         .lane = (int)lane,
                         .begins = true,
                         .parts = 1,
                         .is_exact = e->is_exact};
    int64_t rest = from;
    for (int k = box->rank - 2; k >= 0; k--) {
        b.at[k] = rest % box->extent[k];
        rest /= box->extent[k];
    }
    for (int64_t row = from; row < to; row++) {
        run_row(&b, box->extent[box->rank - 1]);
        (void)sfi_next_row(box, b.at);
    }
    point_to(&b, false);
}

void sfi_box_end(sfi_exec *e)
{
    e->has_numbers = false;
    memset(e->numbers, 0, e->plan->buffer_count);
}
