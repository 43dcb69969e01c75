/* SPDX-License-Identifier: Apache-2.0 */
/* test_random_graphs.c - thousands of random expressions, built twice.
 *
 * Once node by node as drawn, with nothing simplified (`raw`), and once through
 * the public constructors (`real`).  The raw graph is interpreted element by
 * element; the real one is compiled and run.  So whatever simplification,
 * views, fusion, scheduling or placement get wrong shows as a number.
 * Derivatives are compared with an interpretation of their own graph (is the
 * program right?) and with central differences of the raw one (is the rule
 * right?).
 *
 * Operations that jump (comparisons, floor, ...) or bend (min, abs, ...) are
 * kept MARGIN away from where they do, so that rounding can not flip them.
 *
 *   SCOREFIELD_GRAPHS   how many graphs                     [default 600]
 *   SCOREFIELD_FIRST    number of the first one, to repeat a failure [0] */
#include "graph/check_plan.h"
#include "graph/interpret.h"

#include "scorefield/program.h"

enum {
    MAX_POINTS = 48,
    MAX_POOL = 96,
    MAX_COUNT = 96, /* elements of one node */
    INPUTS = 3,
    PARAMS = 3,
    MAX_OUTPUTS = 24
};

static const double MARGIN = 1e-4, BIGGEST = 1e3;

/* The same expression in both graphs. */
typedef struct pair {
    int32_t raw;
    sf_node real;
} pair;

typedef struct trial {
    uint64_t seed, draws;
    sf_context *ctx;
    sf_graph *raw, *real;
    int64_t points;
    double *inputs[MAX_POINTS][INPUTS], *params[PARAMS];
    struct values values[MAX_POINTS]; /* of the raw graph */
    pair pool[MAX_POOL];
    int pool_count;
    pair leaf[INPUTS + PARAMS];
} trial;

/* ---- drawing --------------------------------------------------------------- */

static uint32_t bits(trial *t)
{
    return sfi_bits_at((sfi_where){t->seed, t->draws++, 0, SFI_STREAM_USER}, 0);
}

static int pick(trial *t, int n)
{
    return (int)((uint64_t)bits(t) * (uint64_t)n >> 32);
}

static double between(trial *t, double lo, double hi)
{
    return lo + (hi - lo) * ((double)bits(t) + 0.5) * 0x1p-32;
}

static const sfi_shape *shape_of(const trial *t, pair p)
{
    return &t->raw->nodes[p.raw].shape;
}

static int64_t count_of(const trial *t, pair p)
{
    return sfi_shape_count(shape_of(t, p));
}

/* Rather a late one, so that expressions get deep. */
static pair any(trial *t)
{
    const int a = pick(t, t->pool_count), b = pick(t, t->pool_count);
    return t->pool[a > b && pick(t, 2) ? a : b];
}

/* ---- both graphs ------------------------------------------------------------ */

static int32_t emit(trial *t, sfi_op op, sfi_shape s, int count,
                    const int32_t *args, const int64_t *attr, double value)
{
    sf_node a[4] = {{0}};
    for (int k = 0; k < count; k++)
        a[k].id = args[k];
    return sfi_emit(t->raw, op, s, count, a, attr, value).id;
}

static int32_t raw_stretch(trial *t, int32_t a, const sfi_shape *to)
{
    if (sfi_shape_equal(&t->raw->nodes[a].shape, to))
        return a;
    return emit(t, SFI_OP_BROADCAST, *to, 1, &a, NULL, 0.0);
}

static bool joint_shape(const sfi_shape *a, const sfi_shape *b, sfi_shape *out)
{
    *out = a->rank > b->rank ? *a : *b;
    for (int i = 1; i <= out->rank; i++) {
        const int64_t ea = i <= a->rank ? a->extent[a->rank - i] : 1;
        const int64_t eb = i <= b->rank ? b->extent[b->rank - i] : 1;
        if (ea != eb && ea != 1 && eb != 1)
            return false;
        out->extent[out->rank - i] = ea > eb ? ea : eb;
    }
    return sfi_shape_count(out) <= MAX_COUNT;
}

static sf_node real_elementwise(sf_graph *g, sfi_op op, const sf_node *a)
{
    switch (op) {
#define CALL_1(name) sf_##name(g, a[0])
#define CALL_2(name) sf_##name(g, a[0], a[1])
#define CALL_3(name) sf_##name(g, a[0], a[1], a[2])
#define MAKE_TYPED(NAME, name, arity)                                          \
    case SFI_OP_##NAME:                                                        \
        return CALL_##arity(name);
#define MAKE_PUBLIC(NAME, name, arity) MAKE_TYPED(NAME, name, arity)
#define MAKE_ORDERED(NAME, name, arity)
#define MAKE_INNER(NAME, name, arity)
#define EW(NAME, name, arity, scope, ...) MAKE_##scope(NAME, name, arity)
#include "num/elementwise.def"
#undef EW
    default: {
        /* No public constructor: the order of polygamma is a[0], as a number. */
        double order = 0.0;
        assert_true(sfi_is_const(g, a[0], &order));
        if (op == SFI_OP_LOG_BESSEL)
            return sfi_log_bessel_node(g, order, a[1]);
        if (op == SFI_OP_LOG_BESSEL_SLOPE)
            return sfi_log_bessel_slope_node(g, order, a[1]);
        if (op == SFI_OP_LOG_NDTR_SLOPE)
            return sfi_log_ndtr_slope_node(g, (int)order, a[1]);
        assert_true(op == SFI_OP_POLYGAMMA);
        return sf_polygamma(g, (int)order, a[1]);
    }
    }
}

static const pair nil = {-1, {-1}};

/* nil if the operands can not be stretched to one shape. */
static pair elementwise(trial *t, sfi_op op, int count, const pair *args)
{
    sfi_shape s = *shape_of(t, args[0]);
    for (int k = 1; k < count; k++) {
        const sfi_shape before = s;
        if (!joint_shape(&before, shape_of(t, args[k]), &s))
            return nil;
    }
    int32_t raw[3];
    sf_node real[3];
    for (int k = 0; k < count; k++) {
        raw[k] = raw_stretch(t, args[k].raw, &s);
        real[k] = args[k].real;
    }
    const pair out = {emit(t, op, s, count, raw, NULL, 0.0),
                      real_elementwise(t->real, op, real)};
    return out;
}

static pair ew1(trial *t, sfi_op op, pair a)
{
    return elementwise(t, op, 1, &a);
}

static pair ew2(trial *t, sfi_op op, pair a, pair b)
{
    return elementwise(t, op, 2, (pair[]){a, b});
}

static pair constant(trial *t, double value)
{
    const pair out = {
        emit(t, SFI_OP_CONST, (sfi_shape){0}, 0, NULL, NULL, value),
        sf_const(t->real, value)};
    return out;
}

/* Into one of [lo, lo + 1], for functions that are not defined everywhere. */
static pair above(trial *t, double lo, pair a)
{
    return ew2(t, SFI_OP_ADD, ew1(t, SFI_OP_SIGMOID, a), constant(t, lo));
}

static pair reshape(trial *t, pair a, sfi_shape s)
{
    const pair out = {emit(t, SFI_OP_RESHAPE, s, 1, &a.raw, NULL, 0.0),
                      sf_reshape(t->real, a.real, s.rank, s.extent)};
    return out;
}

static pair slice(trial *t, pair a, int axis, int64_t first, int64_t count,
                  int64_t step)
{
    sfi_shape s = *shape_of(t, a);
    s.extent[axis] = count;
    const int64_t attr[SFI_MAX_ATTR] = {axis, first, step};
    const pair out = {emit(t, SFI_OP_SLICE, s, 1, &a.raw, attr, 0.0),
                      sf_slice(t->real, a.real, axis, first, count, step)};
    return out;
}

static pair sum_all(trial *t, pair a)
{
    const int64_t attr[SFI_MAX_ATTR] = {
        (int64_t)((1u << shape_of(t, a)->rank) - 1u)};
    const pair out = {emit(t, SFI_OP_SUM, (sfi_shape){0}, 1, &a.raw, attr, 0.0),
                      sf_sum_all(t->real, a.real)};
    return out;
}

/* The first `want` elements as a new shape (nil if there are not so many). */
static pair first_elements(trial *t, pair a, sfi_shape want)
{
    const int64_t count = count_of(t, a), n = sfi_shape_count(&want);
    if (n > count)
        return nil;
    const pair flat = reshape(t, a, (sfi_shape){.rank = 1, .extent = {count}});
    const int64_t step = count > n ? 1 + pick(t, (int)(count / n)) : 1;
    if (n == count)
        return reshape(t, flat, want);
    return reshape(t, slice(t, flat, 0, 0, n, step), want);
}

/* ---- one random operation each ---------------------------------------------- */

/* What the table says of the operations that have a constructor. */
static const struct {
    sfi_op op;
    int arity;
    double lo, hi;
} makable[] = {
#define ROW_TYPED(NAME, arity, lo, hi)  {SFI_OP_##NAME, arity, lo, hi},
#define ROW_PUBLIC(NAME, arity, lo, hi) {SFI_OP_##NAME, arity, lo, hi},
#define ROW_ORDERED(NAME, arity, lo, hi)
#define ROW_INNER(NAME, arity, lo, hi)
#define EW(NAME, name, arity, scope, loop, cost, lo, hi, value)                \
    ROW_##scope(NAME, arity, lo, hi)
#include "num/elementwise.def"
#undef EW
};

/* Any function of one number, where the table says that it is tested. */
static pair draw_within(trial *t)
{
    int k;
    do {
        k = pick(t, (int)SFI_COUNT(makable));
    } while (makable[k].arity != 1);
    const pair share = ew1(t, SFI_OP_SIGMOID, any(t));
    const pair part =
        ew2(t, SFI_OP_MUL, share, constant(t, makable[k].hi - makable[k].lo));
    return ew1(t, makable[k].op,
               ew2(t, SFI_OP_ADD, part, constant(t, makable[k].lo)));
}

/* Functions of any number, and those with an order. */
static pair draw_unary(trial *t)
{
    static const sfi_op plain[] = {
        SFI_OP_NEG,          SFI_OP_NEG,      SFI_OP_ABS,     SFI_OP_SIGN,
        SFI_OP_SIN,          SFI_OP_COS,      SFI_OP_TANH,    SFI_OP_ERF,
        SFI_OP_FLOOR,        SFI_OP_LOG_I0,   SFI_OP_SIGMOID, SFI_OP_SOFTPLUS,
        SFI_OP_BESSEL_RATIO, SFI_OP_LOG_NDTR, SFI_OP_NDTR,    SFI_OP_ATAN};
    static const sfi_op ordered[] = {SFI_OP_POLYGAMMA, SFI_OP_LOG_BESSEL,
                                     SFI_OP_LOG_BESSEL_SLOPE,
                                     SFI_OP_LOG_NDTR_SLOPE};
    if (pick(t, 3) > 0)
        return ew1(t, plain[pick(t, (int)SFI_COUNT(plain))], any(t));
    if (pick(t, 2) > 0)
        return draw_within(t);
    const sfi_op op = ordered[pick(t, (int)SFI_COUNT(ordered))];
    const int least = op == SFI_OP_POLYGAMMA ? 0 : 1;
    const pair order = constant(t, least + pick(t, 3));
    return ew2(t, op, order, above(t, 0.6, any(t)));
}

static pair draw_binary(trial *t)
{
    static const sfi_op ops[] = {
        SFI_OP_ADD,        SFI_OP_ADD,  SFI_OP_ADD, SFI_OP_SUB,   SFI_OP_SUB,
        SFI_OP_MUL,        SFI_OP_MUL,  SFI_OP_MUL, SFI_OP_MUL,   SFI_OP_DIV,
        SFI_OP_POW,        SFI_OP_MIN,  SFI_OP_MAX, SFI_OP_ATAN2, SFI_OP_LESS,
        SFI_OP_LESS_EQUAL, SFI_OP_EQUAL};
    static const double numbers[] = {0.0, 1.0, -1.0, 2.0, 3.0, 0.5, -0.7};
    const sfi_op op = ops[pick(t, (int)SFI_COUNT(ops))];
    pair a = any(t), b = any(t);
    sfi_shape s;
    for (int k = 0; k < 20; k++, b = any(t))
        if (joint_shape(shape_of(t, a), shape_of(t, b), &s))
            break;
    if (pick(t, 6) == 0)
        b = constant(t, numbers[pick(t, (int)SFI_COUNT(numbers))]);
    else if (pick(t, 10) == 0)
        b = a;
    switch (op) {
    case SFI_OP_DIV:
    case SFI_OP_ATAN2:
        b = above(t, 0.5, b);
        break;
    case SFI_OP_POW:
        a = above(t, 0.5, a);
        break;
    case SFI_OP_EQUAL:
        a = ew1(t, SFI_OP_FLOOR, a);
        b = ew1(t, SFI_OP_FLOOR, b);
        break;
    default:
        break;
    }
    return pick(t, 2) ? ew2(t, op, a, b)
           : op == SFI_OP_DIV || op == SFI_OP_ATAN2 || op == SFI_OP_POW
               ? ew2(t, op, a, b)
               : ew2(t, op, b, a);
}

static pair draw_select(trial *t)
{
    const pair a = any(t), b = any(t);
    const pair c = ew2(t, SFI_OP_LESS, any(t), constant(t, between(t, -1, 1)));
    return elementwise(t, SFI_OP_SELECT, 3, (pair[]){c, a, b});
}

static pair draw_silu(trial *t)
{
    const pair a = any(t);
    return ew2(t, SFI_OP_MUL, a, ew1(t, SFI_OP_SIGMOID, a));
}

static pair draw_sum(trial *t)
{
    const pair a = any(t);
    const sfi_shape s = *shape_of(t, a);
    const unsigned axes = (unsigned)pick(t, 1 << s.rank);
    sfi_shape out = {0};
    for (int i = 0; i < s.rank; i++)
        if ((axes >> i & 1) == 0)
            out.extent[out.rank++] = s.extent[i];
    const int64_t attr[SFI_MAX_ATTR] = {(int64_t)axes};
    const pair y = {emit(t, SFI_OP_SUM, out, 1, &a.raw, attr, 0.0),
                    sf_sum(t->real, a.real, axes)};
    return y;
}

static pair draw_broadcast(trial *t)
{
    const pair a = any(t);
    const sfi_shape from = *shape_of(t, a);
    sfi_shape s = {0};
    const int extra = pick(t, 3);
    if (from.rank + extra > 5)
        return nil;
    for (int i = 0; i < extra; i++)
        s.extent[s.rank++] = 1 + pick(t, 3);
    for (int i = 0; i < from.rank; i++)
        s.extent[s.rank++] =
            from.extent[i] == 1 ? 1 + pick(t, 3) : from.extent[i];
    if (sfi_shape_count(&s) > MAX_COUNT)
        return nil;
    const pair y = {raw_stretch(t, a.raw, &s),
                    sf_broadcast(t->real, a.real, s.rank, s.extent)};
    return y;
}

/* Any shape with this many elements, with a 1 here and there. */
static sfi_shape draw_shape(trial *t, int64_t count)
{
    sfi_shape s = {0};
    while (s.rank < 4 && (count > 1 || pick(t, 3) == 0)) {
        int64_t e = 1;
        if (pick(t, 4) > 0)
            for (int64_t d = 2; d <= count; d++)
                if (count % d == 0 && pick(t, 2) == 0) {
                    e = d;
                    break;
                }
        s.extent[s.rank++] = e;
        count /= e;
    }
    if (count > 1)
        s.extent[s.rank++] = count;
    return s;
}

static pair draw_reshape(trial *t)
{
    const pair a = any(t);
    return reshape(t, a, draw_shape(t, count_of(t, a)));
}

static pair draw_permute(trial *t)
{
    const pair a = any(t);
    const sfi_shape s = *shape_of(t, a);
    int order[SF_MAX_RANK];
    for (int i = 0; i < s.rank; i++) {
        const int j = pick(t, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    sfi_shape out = {.rank = s.rank};
    int64_t attr[SFI_MAX_ATTR] = {0};
    for (int i = 0; i < s.rank; i++) {
        out.extent[i] = s.extent[order[i]];
        attr[i] = order[i];
    }
    const pair y = {emit(t, SFI_OP_PERMUTE, out, 1, &a.raw, attr, 0.0),
                    sf_permute(t->real, a.real, order)};
    return y;
}

static pair draw_slice(trial *t)
{
    const pair a = any(t);
    const sfi_shape s = *shape_of(t, a);
    if (s.rank == 0)
        return nil;
    const int axis = pick(t, s.rank);
    const int extent = (int)s.extent[axis];
    const int first = pick(t, extent), step = 1 + pick(t, 3);
    const int most = (extent - 1 - first) / step + 1;
    return slice(t, a, axis, first, 1 + pick(t, most), step);
}

static pair draw_pad(trial *t)
{
    const pair a = any(t);
    sfi_shape s = *shape_of(t, a);
    if (s.rank == 0)
        return nil;
    const int axis = pick(t, s.rank);
    const int64_t first = pick(t, 3), step = 1 + pick(t, 2);
    const int64_t extent = first + (s.extent[axis] - 1) * step + 1 + pick(t, 3);
    s.extent[axis] = extent;
    if (sfi_shape_count(&s) > MAX_COUNT)
        return nil;
    const int64_t attr[SFI_MAX_ATTR] = {axis, first, step};
    const pair y = {emit(t, SFI_OP_PAD, s, 1, &a.raw, attr, 0.0),
                    sf_pad(t->real, a.real, axis, first, step, extent)};
    return y;
}

static pair draw_concat(trial *t)
{
    pair part[4];
    part[0] = any(t);
    sfi_shape s = *shape_of(t, part[0]);
    if (s.rank == 0)
        return nil;
    const int axis = pick(t, s.rank), want = 1 + pick(t, 4);
    int count = 1;
    for (int k = 0; k < 40 && count < want; k++) {
        const pair b = any(t);
        const sfi_shape *sb = shape_of(t, b);
        bool fits = sb->rank == s.rank;
        for (int i = 0; fits && i < s.rank; i++)
            fits = i == axis || sb->extent[i] == s.extent[i];
        if (!fits)
            continue;
        part[count++] = b;
        s.extent[axis] += sb->extent[axis];
    }
    if (count < want && pick(t, 2))
        while (count < want) {
            part[count] = part[count - 1];
            s.extent[axis] += shape_of(t, part[count++])->extent[axis];
        }
    if (sfi_shape_count(&s) > MAX_COUNT)
        return nil;
    int32_t raw[4];
    sf_node real[4];
    for (int k = 0; k < count; k++) {
        raw[k] = part[k].raw;
        real[k] = part[k].real;
    }
    const int64_t attr[SFI_MAX_ATTR] = {axis};
    const pair y = {emit(t, SFI_OP_CONCAT, s, count, raw, attr, 0.0),
                    sf_concat(t->real, count, real, axis)};
    return y;
}

static pair draw_stop(trial *t)
{
    const pair a = any(t);
    const pair y = {
        emit(t, SFI_OP_STOP_GRADIENT, *shape_of(t, a), 1, &a.raw, NULL, 0.0),
        sf_stop_gradient(t->real, a.real)};
    return y;
}

static pair draw_matmul(trial *t)
{
    const int64_t m = 1 + pick(t, 4), k = 1 + pick(t, 4), n = 1 + pick(t, 4);
    pair a = any(t), b = any(t);
    const sfi_shape sa = *shape_of(t, a), sb = *shape_of(t, b);
    if (sa.rank != 2 || sb.rank != 2 || sa.extent[1] != sb.extent[0]) {
        a = first_elements(t, a, (sfi_shape){.rank = 2, .extent = {m, k}});
        b = first_elements(t, b, (sfi_shape){.rank = 2, .extent = {k, n}});
    }
    if (a.raw < 0 || b.raw < 0)
        return nil;
    if (pick(t, 3) == 0) { /* the transpose of a transpose */
        const int64_t attr[SFI_MAX_ATTR] = {1, 0};
        const sfi_shape s = *shape_of(t, a);
        const sfi_shape st = {.rank = 2, .extent = {s.extent[1], s.extent[0]}};
        const pair turned =
            reshape(t, a, st); /* other numbers, the shape that is needed */
        a.raw = emit(t, SFI_OP_PERMUTE, s, 1, &turned.raw, attr, 0.0);
        a.real = sf_transpose(t->real, turned.real);
    }
    const sfi_shape s = {
        .rank = 2,
        .extent = {shape_of(t, a)->extent[0], shape_of(t, b)->extent[1]}};
    const pair y = {
        emit(t, SFI_OP_MATMUL, s, 2, (int32_t[]){a.raw, b.raw}, NULL, 0.0),
        sf_matmul(t->real, a.real, b.real)};
    return y;
}

/* W x + b as networks have it. */
static pair draw_dense(trial *t)
{
    const pair x = any(t);
    const int64_t k = count_of(t, x), m = 1 + pick(t, 5);
    const pair w =
        first_elements(t, any(t), (sfi_shape){.rank = 2, .extent = {m, k}});
    const pair b =
        first_elements(t, any(t), (sfi_shape){.rank = 1, .extent = {m}});
    if (w.raw < 0 || b.raw < 0)
        return nil;
    const pair column = reshape(t, x, (sfi_shape){.rank = 2, .extent = {k, 1}});
    const sfi_shape product = {.rank = 2, .extent = {m, 1}};
    const pair y = {emit(t, SFI_OP_MATMUL, product, 2,
                         (int32_t[]){w.raw, column.raw}, NULL, 0.0),
                    sf_matmul(t->real, w.real, column.real)};
    const pair flat = reshape(t, y, (sfi_shape){.rank = 1, .extent = {m}});
    if (pick(t, 4) == 0 && t->pool_count < MAX_POOL - 1)
        t->pool[t->pool_count++] = flat; /* W x is wanted by itself, too */
    return ew2(t, SFI_OP_ADD, flat, b);
}

static pair draw_conv(trial *t)
{
    const int64_t ci = 1 + pick(t, 2), h = 1 + pick(t, 4), w = 1 + pick(t, 4);
    const int64_t co = 1 + pick(t, 2), kh = 1 + pick(t, 3), kw = 1 + pick(t, 3);
    const int64_t pad = pick(t, 3);
    const int64_t ho = h + 2 * pad - kh + 1, wo = w + 2 * pad - kw + 1;
    if (ho < 1 || wo < 1 || co * ho * wo > MAX_COUNT)
        return nil;
    const sfi_shape sx = {.rank = 3, .extent = {ci, h, w}};
    const sfi_shape sw = {.rank = 4, .extent = {co, ci, kh, kw}};
    const sfi_shape sy = {.rank = 3, .extent = {co, ho, wo}};
    const int64_t attr[SFI_MAX_ATTR] = {pad};
    pair y = nil;
    switch (pick(t, 4)) {
    case 0: {
        const pair dy = first_elements(t, any(t), sy);
        const pair k = first_elements(t, any(t), sw);
        if (dy.raw < 0 || k.raw < 0)
            return nil;
        y.raw = emit(t, SFI_OP_CONV2D_GRAD_X, sx, 2, (int32_t[]){dy.raw, k.raw},
                     attr, 0.0);
        y.real = sfi_conv2d_grad_x(t->real, dy.real, k.real, pad);
        return y;
    }
    case 1: {
        const pair x = first_elements(t, any(t), sx);
        const pair dy = first_elements(t, any(t), sy);
        if (dy.raw < 0 || x.raw < 0)
            return nil;
        y.raw = emit(t, SFI_OP_CONV2D_GRAD_W, sw, 2, (int32_t[]){x.raw, dy.raw},
                     attr, 0.0);
        y.real = sfi_conv2d_grad_w(t->real, x.real, dy.real, pad);
        return y;
    }
    default: {
        const pair x = first_elements(t, any(t), sx);
        const pair k = first_elements(t, any(t), sw);
        if (x.raw < 0 || k.raw < 0)
            return nil;
        y.raw =
            emit(t, SFI_OP_CONV2D, sy, 2, (int32_t[]){x.raw, k.raw}, attr, 0.0);
        y.real = sf_conv2d(t->real, x.real, k.real, pad);
        return y;
    }
    }
}

static pair draw_resample(trial *t)
{
    const bool pool = pick(t, 2);
    const int64_t c = 1 + pick(t, 2), h = 1 + pick(t, 2), w = 1 + pick(t, 2);
    const sfi_shape small = {.rank = 3, .extent = {c, h, w}};
    const sfi_shape large = {.rank = 3, .extent = {c, 2 * h, 2 * w}};
    const pair x = first_elements(t, any(t), pool ? large : small);
    if (x.raw < 0)
        return nil;
    const pair y = {emit(t, pool ? SFI_OP_AVG_POOL2 : SFI_OP_UPSAMPLE2,
                         pool ? small : large, 1, &x.raw, NULL, 0.0),
                    pool ? sf_avg_pool2(t->real, x.real)
                         : sf_upsample2(t->real, x.real)};
    return y;
}

static pair draw_array(trial *t)
{
    double v[24];
    const int64_t count = 1 + pick(t, 24);
    for (int64_t i = 0; i < count; i++)
        v[i] = pick(t, 4) == 0 ? pick(t, 3) - 1 : between(t, -2, 2);
    const sfi_shape s = draw_shape(t, count);
    const sf_node raw = sf_const_array(t->raw, s.rank, s.extent, v);
    const pair y = {raw.id, sf_const_array(t->real, s.rank, s.extent, v)};
    return y;
}

static pair draw(trial *t)
{
    static pair (*const kinds[])(trial *) = {
        draw_unary,   draw_unary,   draw_unary,     draw_binary,   draw_binary,
        draw_binary,  draw_binary,  draw_binary,    draw_select,   draw_silu,
        draw_sum,     draw_sum,     draw_broadcast, draw_reshape,  draw_reshape,
        draw_permute, draw_permute, draw_slice,     draw_slice,    draw_pad,
        draw_concat,  draw_concat,  draw_stop,      draw_matmul,   draw_matmul,
        draw_dense,   draw_dense,   draw_conv,      draw_resample, draw_array};
    return kinds[pick(t, (int)SFI_COUNT(kinds))](t);
}

/* ---- which nodes are tame ---------------------------------------------------- */

static bool whole_number(double x)
{
    return x == floor(x);
}

/* Whether rounding or a small step could flip node `id` at a point. */
static bool on_the_edge(const sf_graph *g, int32_t id, double *const *v)
{
    const sfi_node *n = &g->nodes[id];
    const int64_t count = sfi_shape_count(&n->shape);
    const double *a = n->arg_count > 0 ? v[g->args[n->arg_first]] : NULL;
    const double *b = n->arg_count > 1 ? v[g->args[n->arg_first + 1]] : NULL;
    for (int64_t i = 0; i < count; i++)
        switch (n->op) {
        case SFI_OP_ABS:
        case SFI_OP_SIGN:
            if (fabs(a[i]) < MARGIN)
                return true;
            break;
        case SFI_OP_FLOOR:
            if (fabs(a[i] - round(a[i])) < MARGIN)
                return true;
            break;
        case SFI_OP_EQUAL:
            if (!whole_number(a[i]) || !whole_number(b[i]))
                return true;
            break;
        case SFI_OP_MIN:
        case SFI_OP_MAX:
        case SFI_OP_LESS:
        case SFI_OP_LESS_EQUAL:
            if (fabs(a[i] - b[i]) < MARGIN)
                return true;
            break;
        default:
            break;
        }
    return false;
}

/* Evaluate what is new in the raw graph and judge it. */
static bool tame(trial *t, int32_t from)
{
    for (int64_t p = 0; p < t->points; p++) {
        interpret(t->raw, &t->values[p], (const double *const *)t->inputs[p],
                  (const double *const *)t->params);
        for (int32_t id = from; id < (int32_t)t->raw->node_count; id++) {
            const double *v = t->values[p].of[id];
            const int64_t count = sfi_shape_count(&t->raw->nodes[id].shape);
            for (int64_t i = 0; i < count; i++)
                if (!(fabs(v[i]) <= BIGGEST))
                    return false;
            if (on_the_edge(t->raw, id, t->values[p].of))
                return false;
        }
    }
    return true;
}

/* ---- one trial ---------------------------------------------------------------- */

static void add_leaves(trial *t)
{
    for (int k = 0; k < INPUTS + PARAMS; k++) {
        const bool input = k < INPUTS;
        static const int64_t sizes[] = {1, 2, 3, 4, 6, 8, 12, 16, 18, 24};
        const int64_t count = sizes[pick(t, (int)SFI_COUNT(sizes))];
        const sfi_shape s = draw_shape(t, count);
        const char name[2] = {(char)('a' + k), '\0'};
        pair p;
        if (input) {
            p.raw = sf_input(t->raw, name, s.rank, s.extent).id;
            p.real = sf_input(t->real, name, s.rank, s.extent);
            for (int64_t i = 0; i < t->points; i++) {
                t->inputs[i][k] = calloc((size_t)count, sizeof(double));
                for (int64_t j = 0; j < count; j++)
                    t->inputs[i][k][j] = between(t, -2, 2);
            }
        } else {
            p.raw = sf_param(t->raw, name, s.rank, s.extent).id;
            p.real = sf_param(t->real, name, s.rank, s.extent);
            t->params[k - INPUTS] = calloc((size_t)count, sizeof(double));
            for (int64_t j = 0; j < count; j++)
                t->params[k - INPUTS][j] = between(t, -2, 2);
        }
        t->leaf[k] = t->pool[t->pool_count++] = p;
    }
}

static void describe(const sf_graph *g)
{
    for (size_t id = 0; id < g->node_count; id++) {
        char text[SFI_SHAPE_TEXT];
        const sfi_node *n = &g->nodes[id];
        fprintf(stderr, "  %3zu %s%s %s", id, n->varies ? "~" : " ",
                sfi_op_name(n->op), sfi_shape_text(&n->shape, text));
        for (int k = 0; k < n->arg_count; k++)
            fprintf(stderr, " %d", g->args[n->arg_first + k]);
        fprintf(stderr, " {%lld %lld %lld} %g\n", (long long)n->attr[0],
                (long long)n->attr[1], (long long)n->attr[2], n->value);
    }
}

/* The number that two ways of computing it must share. */
static void agree(const trial *t, const sf_graph *g, int32_t id,
                  const char *what, int64_t point, int64_t element, double got,
                  double want, double tolerance)
{
    if (fabs(got - want) <= tolerance)
        return;
    describe(g);
    fprintf(stderr,
            "graph %llu: %s: node %d, point %lld of %lld, element %lld: %.17g, "
            "want %.17g within %.2g\n",
            (unsigned long long)t->seed, what, id, (long long)point,
            (long long)t->points, (long long)element, got, want, tolerance);
    fail();
}

static double largest(const sf_graph *g, const struct values *v)
{
    double most = 1.0;
    for (size_t id = 0; id < g->node_count; id++)
        for (int64_t i = 0; i < sfi_shape_count(&g->nodes[id].shape); i++)
            most = fabs(v->of[id][i]) <= most ? most : fabs(v->of[id][i]);
    return most;
}

typedef struct wanted {
    sf_output output;
    int32_t raw; /* the same in the raw graph, -1 if it has none */
} wanted;

/* Compile and run all wanted outputs; results[k] is [points or 1, count]. */
static void run_program(trial *t, int count, const wanted *w, double **results)
{
    sf_output outputs[MAX_OUTPUTS];
    sf_sink sinks[MAX_OUTPUTS];
    for (int k = 0; k < count; k++) {
        const int64_t n = sf_node_count(t->real, w[k].output.node);
        const int64_t rows = w[k].output.reduce == SF_EACH ? t->points : 1;
        outputs[k] = w[k].output;
        results[k] = calloc((size_t)(rows * n), sizeof(double));
        sinks[k] = (sf_sink){results[k], SF_F64, n};
    }
    /* One table for all inputs, with gaps. */
    int64_t stride = 3, first[INPUTS];
    for (int k = 0; k < INPUTS; k++) {
        first[k] = stride - 2;
        stride += count_of(t, t->leaf[k]) + 1;
    }
    double *table = calloc((size_t)(t->points * stride), sizeof *table);
    sf_source sources[INPUTS];
    memset(sources, 0, sizeof sources);
    for (int k = 0; k < INPUTS; k++) {
        for (int64_t p = 0; p < t->points; p++)
            memcpy(table + p * stride + first[k], t->inputs[p][k],
                   (size_t)count_of(t, t->leaf[k]) * sizeof *table);
        sources[k].data = table + first[k];
        sources[k].dtype = SF_F64;
        sources[k].stride = stride;
    }
    const void *params[PARAMS];
    for (int k = 0; k < PARAMS; k++)
        params[k] = t->params[k];
    sfi_plan *plan = NULL;
    CHECK_OK(t->ctx,
             sfi_plan_new(t->ctx, &plan, t->real, SF_F64, count, outputs));
    check_plan(plan);
    sfi_plan_free(plan);
    sf_program *p = NULL;
    CHECK_OK(t->ctx,
             sf_program_new(t->ctx, &p, t->real, SF_F64, count, outputs));
    CHECK_OK(t->ctx, sf_program_run(p, t->points, sources, params, sinks));
    sf_program_free(p);
    free(table);
}

/* Evaluate one node of a graph at a point, with one number of one leaf moved
 * and what derivatives take as constant kept as it is. */
static double at_moved(trial *t, const sf_graph *g, int32_t id, int64_t point,
                       const struct values *base, int leaf, int64_t element,
                       double by)
{
    double *place = leaf < INPUTS ? &t->inputs[point][leaf][element]
                                  : &t->params[leaf - INPUTS][element];
    const double kept = *place;
    *place += by;
    struct values v = {0};
    v.of = calloc(g->node_count, sizeof *v.of);
    v.count = g->node_count;
    for (size_t k = 0; k < g->node_count; k++)
        if (g->nodes[k].op == SFI_OP_STOP_GRADIENT) {
            const size_t bytes =
                (size_t)sfi_shape_count(&g->nodes[k].shape) * sizeof(double);
            v.of[k] = malloc(bytes);
            memcpy(v.of[k], base->of[k], bytes);
        }
    interpret(g, &v, (const double *const *)t->inputs[point],
              (const double *const *)t->params);
    const double out = v.of[id][0];
    values_free(&v);
    *place = kept;
    return out;
}

typedef struct slope_count {
    int64_t compared, skipped; /* slopes                           */
    int64_t alive;             /* of the compared, those not 0     */
    int64_t wild;              /* graphs with numbers too large    */
} slope_count;

/* d node / d leaf[element], summed over points unless the leaf is an input, by
 * differences with two steps; true if both agree, so that there is no jump and
 * not too much rounding. */
static bool difference(trial *t, const sf_graph *g, int32_t id,
                       const struct values *base, int leaf, int64_t element,
                       int64_t point, double *out, double *error)
{
    const int64_t from = leaf < INPUTS ? point : 0;
    const int64_t to = leaf < INPUTS ? point + 1 : t->points;
    double d[2] = {0.0, 0.0}, size = 0.0;
    const double h[2] = {2e-5, 1e-5};
    for (int64_t p = from; p < to; p++)
        for (int k = 0; k < 2; k++) {
            const double up =
                at_moved(t, g, id, p, &base[p], leaf, element, h[k]);
            const double down =
                at_moved(t, g, id, p, &base[p], leaf, element, -h[k]);
            d[k] += (up - down) / (2 * h[k]);
            size += fabs(up);
        }
    *out = (4.0 * d[1] - d[0]) / 3.0;
    *error = 1e-6 * (1.0 + fabs(*out)) + 1e-10 * size;
    return fabs(d[0] - d[1]) <= *error;
}

static void check_slopes(trial *t, const sf_graph *g, int32_t id,
                         const struct values *base, int leaf,
                         const double *result, const char *what,
                         slope_count *tally)
{
    const int64_t count = count_of(t, t->leaf[leaf]);
    for (int k = 0; k < 2; k++) {
        const int64_t element = pick(t, (int)count);
        const int64_t point = leaf < INPUTS ? pick(t, (int)t->points) : 0;
        double want, error;
        if (!difference(t, g, id, base, leaf, element, point, &want, &error)) {
            tally->skipped++;
            continue;
        }
        tally->compared++;
        tally->alive += want != 0.0;
        agree(t, g, id, what, point, element, result[point * count + element],
              want, 4 * error);
    }
}

static void free_trial(trial *t)
{
    for (int64_t p = 0; p < t->points; p++) {
        values_free(&t->values[p]);
        for (int k = 0; k < INPUTS; k++)
            free(t->inputs[p][k]);
    }
    for (int k = 0; k < PARAMS; k++)
        free(t->params[k]);
    sf_graph_free(t->raw);
    sf_graph_free(t->real);
}

static void run_trial(sf_context *ctx, uint64_t seed, slope_count *tally)
{
    static const int64_t sizes[] = {1, 2, 5, 15, 16, 17, 33, 48};
    static trial t;
    memset(&t, 0, sizeof t);
    t.seed = seed;
    t.ctx = ctx;
    t.points = sizes[pick(&t, (int)SFI_COUNT(sizes))];
    CHECK_OK(ctx, sf_graph_new(ctx, &t.raw));
    CHECK_OK(ctx, sf_graph_new(ctx, &t.real));
    add_leaves(&t);
    const int wanted_nodes = t.pool_count + 3 + pick(&t, 60);
    for (int k = 0; k < 400 && t.pool_count < wanted_nodes; k++) {
        const int32_t before = (int32_t)t.raw->node_count;
        const pair p = draw(&t);
        CHECK_OK(ctx, sf_graph_status(t.raw));
        CHECK_OK(ctx, sf_graph_status(t.real));
        if (p.raw >= 0 && tame(&t, before)) {
            assert_true(sfi_shape_equal(&t.raw->nodes[p.raw].shape,
                                        &t.real->nodes[p.real.id].shape));
            t.pool[t.pool_count++] = p;
        } else {
            tame(&t, before); /* the values of what was refused */
            for (int i = 0; i < t.pool_count; i++)
                if (t.pool[i].raw >= before)
                    t.pool[i] = t.pool[0]; /* what draw_dense left behind */
        }
    }

    /* A scalar of the last few nodes, and its derivatives. */
    pair energy = constant(&t, 0.0);
    for (int k = 0; k < 6; k++) {
        const pair last = t.pool[t.pool_count - 1 - pick(&t, t.pool_count / 2)];
        const double scale = 1.0 / (double)count_of(&t, last);
        const pair term =
            sum_all(&t, ew1(&t, k % 2 == 0 ? SFI_OP_SIN : SFI_OP_TANH, last));
        energy = ew2(&t, SFI_OP_ADD, energy,
                     ew2(&t, SFI_OP_MUL, term, constant(&t, scale)));
    }
    (void)tame(&t, (int32_t)t.raw->node_count);

    wanted w[MAX_OUTPUTS];
    int count = 0, leaf_of[MAX_OUTPUTS];
    w[count++] = (wanted){{energy.real, SF_EACH}, energy.raw};
    w[count++] = (wanted){{energy.real, SF_SUM}, energy.raw};
    for (int k = 0; k < 5; k++) {
        const pair p = any(&t);
        w[count++] = (wanted){{p.real, pick(&t, 3) ? SF_EACH : SF_SUM}, p.raw};
    }
    sf_node leaves[INPUTS + PARAMS], slopes[INPUTS + PARAMS];
    for (int k = 0; k < INPUTS + PARAMS; k++)
        leaves[k] = t.leaf[k].real;
    sf_gradients(t.real, energy.real, INPUTS + PARAMS, leaves, slopes);
    const int first_slope = count;
    for (int k = 0; k < INPUTS + PARAMS; k++)
        if (pick(&t, 4) > 0) {
            leaf_of[count] = k;
            w[count++] =
                (wanted){{slopes[k], k < INPUTS ? SF_EACH : SF_SUM}, -1};
        }
    const int last_slope = count;

    /* The same for a product of the gradient with something that varies. */
    const int by = pick(&t, INPUTS + PARAMS);
    const sf_node again =
        sf_dot(t.real, slopes[by], sf_cos(t.real, leaves[by]));
    const int other = pick(&t, INPUTS + PARAMS);
    const sf_node second = sf_gradient(t.real, again, leaves[other]);
    if (pick(&t, 2))
        w[count++] = (wanted){{second, other < INPUTS ? SF_EACH : SF_SUM}, -1};
    const int second_at = count > last_slope ? count - 1 : -1;

    /* Forward: <u, J v> is the slope of <u, y> along v. */
    sf_node inner =
        sf_node_varies(t.real, energy.real) ? any(&t).real : energy.real;
    const sf_node forward =
        sf_jvp(t.real, energy.real, leaves[by], sf_cos(t.real, leaves[by]));
    sf_node through;
    sf_gradients(t.real, energy.real, 1, &inner, &through);
    w[count++] = (wanted){{forward, SF_EACH}, -1};
    w[count++] = (wanted){{through, pick(&t, 2) ? SF_EACH : SF_SUM}, -1};
    CHECK_OK(ctx, sf_graph_status(t.real));

    static struct values real[MAX_POINTS];
    memset(real, 0, sizeof real);
    double scale = 1.0;
    for (int64_t p = 0; p < t.points; p++) {
        interpret(t.real, &real[p], (const double *const *)t.inputs[p],
                  (const double *const *)t.params);
        const double most = largest(t.real, &real[p]);
        scale = most > scale ? most : scale;
    }
    if (!(scale < 1e8)) { /* nothing to compare in such a graph */
        for (int64_t p = 0; p < t.points; p++)
            values_free(&real[p]);
        free_trial(&t);
        tally->wild++;
        return;
    }
    for (int64_t p = 0; p < t.points; p++)
        agree(&t, t.real, forward.id, "jvp against gradient", p, 0,
              real[p].of[forward.id][0], real[p].of[again.id][0],
              1e-10 * (1 + fabs(real[p].of[again.id][0])) + 1e-13 * scale);

    double *results[MAX_OUTPUTS];
    run_program(&t, count, w, results);
    for (int k = 0; k < count; k++) {
        const int32_t id = w[k].output.node.id;
        const int64_t n = sf_node_count(t.real, w[k].output.node);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0.0, size = 0.0;
            for (int64_t p = 0; p < t.points; p++) {
                const double v = real[p].of[id][i];
                const double r =
                    w[k].raw >= 0 ? t.values[p].of[w[k].raw][i] : v;
                const double tolerance = 1e-10 * (1 + fabs(v)) + 1e-13 * scale;
                agree(&t, t.raw, w[k].raw, "simplified", p, i, v, r, tolerance);
                sum += v;
                size += fabs(v);
                if (w[k].output.reduce == SF_EACH)
                    agree(&t, t.real, id, "program", p, i,
                          results[k][p * n + i], v, tolerance);
            }
            if (w[k].output.reduce == SF_SUM)
                agree(&t, t.real, id, "program, sum", 0, i, results[k][i], sum,
                      1e-10 * (1 + size) + 1e-13 * scale * (double)t.points);
        }
    }
    for (int k = first_slope; k < last_slope; k++)
        check_slopes(&t, t.raw, energy.raw, t.values, leaf_of[k], results[k],
                     "gradient", tally);
    if (second_at >= 0)
        check_slopes(&t, t.real, again.id, real, other, results[second_at],
                     "second derivative", tally);
    for (int k = 0; k < count; k++)
        free(results[k]);
    for (int64_t p = 0; p < t.points; p++)
        values_free(&real[p]);
    free_trial(&t);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

TEST(programs_and_derivatives_of_random_graphs)
{
    sf_context *ctx = new_context();
    slope_count tally = {0, 0, 0, 0};
    const uint64_t first = setting("SCOREFIELD_FIRST", 0);
    const uint64_t count = setting("SCOREFIELD_GRAPHS", 600);
    for (uint64_t seed = first; seed < first + count; seed++)
        run_trial(ctx, seed, &tally);
    /* Most differences must be smooth enough to say anything. */
    fprintf(stderr,
            "slopes: %lld compared, %lld of them not zero, %lld skipped; "
            "%lld graphs skipped\n",
            (long long)tally.compared, (long long)tally.alive,
            (long long)tally.skipped, (long long)tally.wild);
    if (count >= 100) {
        CHECK(tally.compared > 4 * tally.skipped);
        CHECK(tally.wild < (int64_t)count / 20);
    }
    sf_context_free(ctx);
}

TESTS(CASE(programs_and_derivatives_of_random_graphs))
