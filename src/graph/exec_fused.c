/* SPDX-License-Identifier: Apache-2.0 */
/* exec_fused.c - element-wise chains.
 *
 * The instructions of a chain follow each other for one strip of numbers, whose
 * temporaries stay in the first cache, and then for the next.  Where the last axis
 * and the points lie in one run, strips go through both.  Operands that are the
 * same for all points, but not along that axis, would stop them: of few points,
 * they are written out as rows. */
#include "graph/exec_block.h"

enum {
    MAX_STRIP = 512,
    FEW_POINTS = SFI_ROW_MULTIPLE /* rows as short as this, of which a strip
                                     holds a whole number, are not worth a
                                     loop each */
};

static int64_t strip_length(const sfi_exec *e, int rows)
{
    int64_t strip = SFI_STRIP_BYTES / (int64_t)e->elem / (rows + 1);
    strip = strip / SFI_ROW_MULTIPLE * SFI_ROW_MULTIPLE;
    if (strip > MAX_STRIP)
        strip = MAX_STRIP;
    return strip < 4 * SFI_ROW_MULTIPLE ? 4 * SFI_ROW_MULTIPLE : strip;
}

/* Numbers that are one for each element of the last axis, and not for each point:
 * they would make every row a loop of its own.  Of few points, they are written out as
 * rows, so that the last axis and the points are one run all the same. */
static bool written_out(const sfi_fused *f, int k)
{
    return f->operands[k].scalar && f->operands[k].stride[f->rank - 1] != 0;
}

/* Elements first, ..., first + n - 1 of such an operand, from its numbers. */
static void write_out(const sfi_point_block *b, const sfi_operand *o, int rank,
                      char *to, const char *numbers, int64_t first, int64_t n)
{
    const size_t elem = b->e->elem;
    for (int64_t i = 0; i < n; i += b->ld) {
        const int64_t number = (first + i) / b->ld * o->stride[rank - 1];
        sfi_copy_row(b, to + (size_t)i * elem, numbers + (size_t)number * elem,
                     false);
    }
}

/* Where the operands begin for the strip of n elements from `first` on. */
static void start_strip(const sfi_point_block *b, const sfi_fused *f,
                        char *const *base, bool few, size_t temp_stride,
                        int64_t first, int64_t n)
{
    char *row = b->w->temps + (size_t)f->temp_count * temp_stride;
    for (int k = 0; k < f->operand_count; k++) {
        const sfi_operand *o = &f->operands[k];
        b->w->starts[k] = o->scalar || b->e->numbers[o->buffer]
                              ? base[k]
                              : base[k] + (size_t)first * b->e->elem;
        if (!few || !written_out(f, k))
            continue;
        write_out(b, o, f->rank, row, base[k], first, n);
        b->w->starts[k] = row;
        row += temp_stride;
    }
}

static char *operand_at(const sfi_point_block *b, int where, size_t temp_stride)
{
    return where >= 0 ? b->w->temps + (size_t)where * temp_stride
                      : b->w->starts[~where];
}

int sfi_number_mode(const sfi_exec *e, const sfi_fused *f,
                    const sfi_instruction *in)
{
    const int where[] = {in->a, in->b, in->c};
    int mode = in->mode;
    for (int k = 0; k < 3; k++)
        if (where[k] < 0 && e->numbers[f->operands[~where[k]].buffer])
            mode |= 1 << k;
    return mode;
}

/* Which operands the loop reads as one number. */
static int mode_of(const sfi_exec *e, const sfi_fused *f,
                   const sfi_instruction *in, bool few)
{
    const int where[] = {in->a, in->b, in->c};
    int mode = in->mode;
    for (int k = 0; k < 3 && few; k++)
        if (where[k] < 0 && written_out(f, ~where[k]))
            mode &= ~(1 << k);
    const int numbers = e->has_numbers ? sfi_number_mode(e, f, in) : mode;
    /* None but numbers is no loop; they fill rows then. */
    return e->loops->ew[in->op][numbers] != NULL ? numbers : mode;
}

sfi_ew_loop sfi_fused_loop(const sfi_exec *e, const sfi_fused *f,
                           const sfi_instruction *in)
{
    return e->loops->ew[in->op][mode_of(e, f, in, false)];
}

/* A chain over a strip of a box, which its temporaries can hold; which loops its
 * instructions are was found before. */
static void run_exact(const sfi_point_block *b, const sfi_fused *f,
                      const sfi_ew_loop *loop)
{
    const size_t stride = (size_t)b->ld * b->e->elem;
    for (int k = 0; k < f->operand_count; k++)
        b->w->starts[k] =
            sfi_address(b, f->operands[k].buffer, f->operands[k].offset);
    for (int k = 0; k < f->instruction_count; k++) {
        const sfi_instruction *in = &f->instructions[k];
        loop[k](operand_at(b, in->dst, stride), operand_at(b, in->a, stride),
                operand_at(b, in->b, stride), operand_at(b, in->c, stride),
                b->points);
    }
}

/* `few`: operands are written out where that makes rows of them. */
static void run_strips(const sfi_point_block *b, const sfi_fused *f,
                       char *const *base, int64_t count, bool few)
{
    const sfi_exec *e = b->e;
    int rows = f->temp_count;
    for (int k = 0; k < f->operand_count && few; k++)
        rows += written_out(f, k);
    const int64_t strip = strip_length(e, rows);
    const size_t stride = (size_t)strip * e->elem;
    int64_t from, to;
    sfi_part_of(b, count, SFI_ROW_MULTIPLE, &from, &to);
    for (int64_t i = from; i < to; i += strip) {
        const int64_t n = to - i < strip ? to - i : strip;
        start_strip(b, f, base, few, stride, i, n);
        for (int k = 0; k < f->instruction_count; k++) {
            const sfi_instruction *in = &f->instructions[k];
            e->loops->ew[in->op][mode_of(e, f, in, few)](
                operand_at(b, in->dst, stride), operand_at(b, in->a, stride),
                operand_at(b, in->b, stride), operand_at(b, in->c, stride), n);
        }
    }
}

/* Instructions that take fewer than three operands leave the others 0, which
 * names the first temporary: harmless, since the loops ignore them. */
void sfi_step_fused(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_fused *f = s->fused;
    if (b->is_exact) {
        run_exact(b, f, b->e->loop_of + b->e->loops_at[s - b->e->plan->steps]);
        return;
    }
    char **base = b->w->bases;
    const int64_t row = s->varies ? b->ld : 1;
    const bool few =
        !f->flat && f->lined_up && s->varies && b->ld <= FEW_POINTS;
    const int outer = (f->flat || few) && f->rank > 0 ? f->rank - 1 : f->rank;
    int64_t count = row;
    if (outer < f->rank)
        count *= f->extent[f->rank - 1];
    if (!s->varies)
        count = sfi_row_length(count);
    int64_t index[SF_MAX_RANK] = {0};
    for (;;) {
        for (int k = 0; k < f->operand_count; k++) {
            const sfi_operand *o = &f->operands[k];
            int64_t comp = o->offset;
            for (int i = 0; i < outer; i++)
                comp += index[i] * o->stride[i];
            base[k] = sfi_address(b, o->buffer, comp);
        }
        run_strips(b, f, base, count, few);
        int i = outer - 1;
        while (i >= 0 && ++index[i] == f->extent[i])
            index[i--] = 0;
        if (i < 0)
            return;
    }
}
