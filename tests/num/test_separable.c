/* SPDX-License-Identifier: Apache-2.0 */
/* The direct solver: its residual between all kinds of walls, and answers that are
 * known. */
#include "check.h"
#include "faults.h"

#include "base/random.h"
#include "num/separable.h"

typedef struct box {
    int rank;
    sfi_separable_axis axes[3];
    int64_t step[3], size;
} box;

/* Rows have a few elements more than they need. */
static box make_box(int rank, const sfi_separable_axis *axes)
{
    box b = {.rank = rank, .size = 1};
    for (int k = rank - 1; k >= 0; k--) {
        b.axes[k] = axes[k];
        b.step[k] = b.size;
        b.size *= axes[k].count + (k == rank - 1 && rank > 1 ? 3 : 0);
    }
    return b;
}

static double *numbers(int64_t n)
{
    double *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] =
            sfi_normal_at((sfi_where){3, (uint64_t)i, 0, SFI_STREAM_USER}, 0);
    return x;
}

/* The value one step beyond point i of an axis, from those that are there. */
static double neighbour(const box *b, const double *u, int64_t here, int k,
                        int64_t i, int side)
{
    const sfi_separable_axis *a = &b->axes[k];
    const int64_t n = a->count, step = b->step[k], at = i + side;
    if (at >= 0 && at < n)
        return u[here + side * step];
    const sfi_wall wall = side < 0 ? a->low : a->high;
    if (wall == SFI_WALL_PERIODIC)
        return u[here - side * (n - 1) * step];
    if (wall == SFI_WALL_PIN)
        return a->cells ? -u[here] : 0.0;
    if (a->cells)
        return u[here];
    return n > 1 ? u[here - side * step]
                 : 0.0; /* a single node: pinned beside */
}

/* Visit every point: its element, and its place along each axis. */
static bool next_point(const box *b, int64_t at[3], int64_t *here)
{
    for (int k = b->rank - 1; k >= 0; k--) {
        at[k]++;
        *here += b->step[k];
        if (at[k] < b->axes[k].count)
            return true;
        *here -= at[k] * b->step[k];
        at[k] = 0;
    }
    return false;
}

static double volume_of(const box *b, const int64_t at[3])
{
    double volume = 1.0;
    for (int k = 0; k < b->rank; k++) {
        const sfi_separable_axis *a = &b->axes[k];
        if (a->cells)
            continue;
        if (at[k] == 0 && a->low == SFI_WALL_NATURAL)
            volume *= 0.5;
        if (at[k] == a->count - 1 && a->high == SFI_WALL_NATURAL)
            volume *= 0.5;
    }
    return volume;
}

static double mean_of(const box *b, const double *u)
{
    int64_t at[3] = {0}, here = 0;
    double sum = 0.0, all = 0.0;
    do {
        const double volume = volume_of(b, at);
        sum += volume * u[here];
        all += volume;
    } while (next_point(b, at, &here));
    return sum / all;
}

static void check_solution(sf_context *ctx, const box *b, double m2)
{
    double *f = numbers(b->size), *u = numbers(b->size);
    sfi_separable *s = NULL;
    CHECK_OK(ctx, sfi_separable_new(ctx, &s, b->rank, b->axes, m2));
    sfi_separable_solve(s, u, b->step);
    const bool is_singular = sfi_separable_is_singular(s);
    const double mean = is_singular ? mean_of(b, f) : 0.0;
    if (is_singular)
        CHECK_NEAR(mean_of(b, u), 0.0, 1e-11);
    int64_t at[3] = {0}, here = 0;
    do {
        double sum = m2 * u[here];
        for (int k = 0; k < b->rank; k++)
            sum += (2.0 * u[here] - neighbour(b, u, here, k, at[k], -1) -
                    neighbour(b, u, here, k, at[k], 1)) /
                   (b->axes[k].h * b->axes[k].h);
        CHECK_NEAR(sum, f[here] - mean, 1e-11);
    } while (next_point(b, at, &here));
    sfi_separable_free(s);
    free(f);
    free(u);
}

static const struct {
    sfi_wall low, high;
} walls[] = {{SFI_WALL_PERIODIC, SFI_WALL_PERIODIC},
             {SFI_WALL_PIN, SFI_WALL_PIN},
             {SFI_WALL_PIN, SFI_WALL_NATURAL},
             {SFI_WALL_NATURAL, SFI_WALL_PIN},
             {SFI_WALL_NATURAL, SFI_WALL_NATURAL}};

static sfi_separable_axis axis_of(int64_t count, double h, int wall, bool cells)
{
    return (sfi_separable_axis){count, h, walls[wall].low, walls[wall].high,
                                cells};
}

TEST(residuals_are_rounding_between_any_walls)
{
    enum { WALLS = (int)SFI_COUNT(walls) };
    sf_context *ctx = new_context();
    for (int k = 0; k < 2 * WALLS * 2 * WALLS; k++) {
        const int one = k % (2 * WALLS), two = k / (2 * WALLS);
        const sfi_separable_axis axes[3] = {
            axis_of(9, 1.0, one % WALLS, one >= WALLS),
            axis_of(16, 0.5, two % WALLS, two >= WALLS),
            axis_of(11, 2.0, k % WALLS, k & 1)};
        for (int rank = 1; rank <= 3; rank++) {
            const box b = make_box(rank, axes);
            check_solution(ctx, &b, 0.0);
            check_solution(ctx, &b, 0.3);
        }
    }
    sf_context_free(ctx);
}

TEST(axes_may_have_one_point)
{
    sf_context *ctx = new_context();
    for (int wall = 0; wall < 4; wall++) {
        const sfi_separable_axis axes[2] = {axis_of(1, 1.0, wall, false),
                                            axis_of(5, 1.0, 1, false)};
        const sfi_separable_axis turned[2] = {axes[1], axes[0]};
        const box b = make_box(2, axes), t = make_box(2, turned);
        check_solution(ctx, &b, 0.0);
        check_solution(ctx, &t, 0.0);
    }
    sf_context_free(ctx);
}

/* sin(pi x) sin(2 pi y) is an eigenvector of the pinned square: the lattice has
 * 4 sin^2(pi h/2)/h^2 and 4 sin^2(pi h)/h^2 for pi^2 and 4 pi^2. */
TEST(an_eigenvector_is_divided_by_its_eigenvalue)
{
    enum { N = 31 };
    const double pi = 3.14159265358979323846, h = 1.0 / (N + 1);
    const sfi_separable_axis axes[2] = {axis_of(N, h, 1, false),
                                        axis_of(N, h, 1, false)};
    const double eigenvalue =
        4.0 * (sin(pi * h / 2) * sin(pi * h / 2) + sin(pi * h) * sin(pi * h)) /
        (h * h);
    double u[N][N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            u[i][j] = sin(pi * h * (i + 1)) * sin(2.0 * pi * h * (j + 1));
    sf_context *ctx = new_context();
    sfi_separable *s = NULL;
    CHECK_OK(ctx, sfi_separable_new(ctx, &s, 2, axes, 0.0));
    sfi_separable_solve(s, &u[0][0], (const int64_t[]){N, 1});
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            CHECK_NEAR(u[i][j] * eigenvalue,
                       sin(pi * h * (i + 1)) * sin(2.0 * pi * h * (j + 1)),
                       1e-13);
    sfi_separable_free(s);
    sf_context_free(ctx);
}

/* ---- open ends ---------------------------------------------------------------------- */

enum {
    FAR = 90
}; /* points to a pinned wall, where a field has fallen to e^-40 */

/* The field of a box that is open along its first axis is that of a part of a long one. */
TEST(an_open_axis_is_a_part_of_a_long_one)
{
    enum { N = 7, LATERAL = 12 };
    static const sfi_wall ends[][2] = {{SFI_WALL_OPEN, SFI_WALL_OPEN},
                                       {SFI_WALL_PIN, SFI_WALL_OPEN},
                                       {SFI_WALL_OPEN, SFI_WALL_NATURAL}};
    sf_context *ctx = new_context();
    for (size_t e = 0; e < SFI_COUNT(ends); e++)
        for (int wall = 0; wall < (int)SFI_COUNT(walls); wall++)
            for (int cells = 0; cells < 2; cells++)
                for (int rank = 1; rank <= 3; rank++) {
                    sfi_separable_axis axes[3] = {
                        {N, 0.7, ends[e][0], ends[e][1], cells},
                        axis_of(LATERAL, 0.5, wall, cells),
                        axis_of(LATERAL, 0.5, 1, cells)};
                    const int64_t low = ends[e][0] == SFI_WALL_OPEN ? FAR : 0;
                    const int64_t high = ends[e][1] == SFI_WALL_OPEN ? FAR : 0;
                    const box b = make_box(rank, axes);
                    axes[0].count += low + high;
                    axes[0].low = low > 0 ? SFI_WALL_PIN : axes[0].low;
                    axes[0].high = high > 0 ? SFI_WALL_PIN : axes[0].high;
                    const box all = make_box(rank, axes);
                    double *u = numbers(b.size),
                           *whole = calloc((size_t)all.size, sizeof *whole);
                    CHECK(whole != NULL);
                    memcpy(whole + low * all.step[0], u,
                           (size_t)b.size * sizeof *u);
                    sfi_separable *s = NULL, *t = NULL;
                    CHECK_OK(ctx,
                             sfi_separable_new(ctx, &s, rank, b.axes, 0.6));
                    CHECK_OK(ctx,
                             sfi_separable_new(ctx, &t, rank, all.axes, 0.6));
                    sfi_separable_solve(s, u, b.step);
                    sfi_separable_solve(t, whole, all.step);
                    int64_t at[3] = {0}, here = 0;
                    do
                        CHECK_NEAR(u[here], whole[low * all.step[0] + here],
                                   1e-12);
                    while (next_point(&b, at, &here));
                    sfi_separable_free(s);
                    sfi_separable_free(t);
                    free(u);
                    free(whole);
                }
    sf_context_free(ctx);
}

/* Of sheets of charge: -|x|/2, and their mirror images in a natural wall. */
TEST(a_sheet_of_charge_has_the_field_of_its_distance)
{
    enum { N = 9 };
    const double h = 0.3;
    sf_context *ctx = new_context();
    double f[N];
    for (int i = 0; i < N; i++)
        f[i] = sin(1.0 + 2.0 * i);
    for (int kind = 0; kind < 5; kind++) { /* open; mirrored low, high; cells */
        const bool low = kind == 1 || kind == 3, high = kind == 2 || kind == 4;
        const bool cells = kind > 2;
        const sfi_separable_axis axis = {
            N, h, low ? SFI_WALL_NATURAL : SFI_WALL_OPEN,
            high ? SFI_WALL_NATURAL : SFI_WALL_OPEN, cells};
        sfi_separable *s = NULL;
        double u[N];
        memcpy(u, f, sizeof u);
        CHECK_OK(ctx, sfi_separable_new(ctx, &s, 1, &axis, 0.0));
        CHECK(!sfi_separable_is_singular(s));
        sfi_separable_solve(s, u, (const int64_t[]){1});
        const double wall =
            low ? (cells ? -0.5 : 0.0) : (cells ? N - 0.5 : N - 1.0);
        for (int i = 0; i < N; i++) {
            double want = 0.0;
            for (int j = 0; j < N; j++) {
                const bool at_wall = (low || high) && j == wall;
                want -= 0.5 * h * h * f[j] * abs(i - j);
                if ((low || high) && !at_wall)
                    want -= 0.5 * h * h * f[j] * fabs(i - (2.0 * wall - j));
            }
            CHECK_NEAR(u[i], want, 1e-13);
        }
        sfi_separable_free(s);
    }
    sf_context_free(ctx);
}

TEST(bits_do_not_depend_on_the_threads)
{
    const sfi_separable_axis axes[3] = {axis_of(40, 1.0, 4, false),
                                        axis_of(33, 1.0, 0, false),
                                        axis_of(32, 1.0, 1, true)};
    const box b = make_box(3, axes);
    double *x[3];
    for (int k = 0; k < 3; k++) {
        sf_context *ctx = new_context();
        sf_context_set_threads(ctx, (const int[]){1, 2, 7}[k]);
        x[k] = numbers(b.size);
        sfi_separable *s = NULL;
        CHECK_OK(ctx, sfi_separable_new(ctx, &s, 3, axes, 0.0));
        sfi_separable_solve(s, x[k], b.step);
        sfi_separable_free(s);
        sf_context_free(ctx);
        assert_memory_equal(x[k], x[0], (size_t)b.size * sizeof *x[k]);
    }
    for (int k = 0; k < 3; k++)
        free(x[k]);
}

TEST(what_is_out_of_range_is_refused)
{
    sf_context *ctx = new_context();
    sfi_separable *s = NULL;
    sfi_separable_axis axes[2] = {axis_of(4, 1.0, 1, false),
                                  axis_of(1, 1.0, 4, false)};
    CHECK_FAILS(ctx, sfi_separable_new(ctx, &s, 4, axes, 0.0), SF_E_ARG,
                "rank is 4");
    CHECK_FAILS(ctx, sfi_separable_new(ctx, &s, 1, axes, -1.0), SF_E_ARG,
                "m^2 is -1");
    CHECK_FAILS(ctx, sfi_separable_new(ctx, &s, 2, axes, 0.0), SF_E_SHAPE,
                "DCT1 of 1 numbers");
    axes[0].h = 0.0;
    CHECK_FAILS(ctx, sfi_separable_new(ctx, &s, 1, axes, 0.0), SF_E_ARG,
                "spacing of axis 0 is 0");
    axes[0] = axis_of(4, 1.0, 1, false);
    axes[0].low = SFI_WALL_PERIODIC;
    CHECK_FAILS(ctx, sfi_separable_new(ctx, &s, 1, axes, 0.0), SF_E_ARG,
                "periodic on one side only");
    axes[0] = axes[1] = axis_of(4, 1.0, 1, false);
    axes[1].low = SFI_WALL_OPEN;
    CHECK_FAILS(ctx, sfi_separable_new(ctx, &s, 2, axes, 0.0), SF_E_ARG,
                "axis 1 is open");
    CHECK(s == NULL);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sfi_separable_axis axes[3] = {axis_of(4, 1.0, 4, false),
                                  axis_of(4, 1.0, 1, false),
                                  axis_of(6, 1.0, 0, false)};
    axes[0].low = SFI_WALL_OPEN;
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        sfi_separable *s = NULL;
        faults.left = k;
        status = sfi_separable_new(ctx, &s, 3, axes, 0.0);
        CHECK(status == SF_OK || (status == SF_E_NOMEM && s == NULL));
        sfi_separable_free(s);
        CHECK(faults.bytes == faults.own);
    }
    faults.left = INT64_MAX;
    sf_context_free(ctx);
}

TESTS(CASE(residuals_are_rounding_between_any_walls),
      CASE(axes_may_have_one_point),
      CASE(an_eigenvector_is_divided_by_its_eigenvalue),
      CASE(an_open_axis_is_a_part_of_a_long_one),
      CASE(a_sheet_of_charge_has_the_field_of_its_distance),
      CASE(bits_do_not_depend_on_the_threads),
      CASE(what_is_out_of_range_is_refused), CASE(every_allocation_may_fail))
