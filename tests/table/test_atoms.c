/* SPDX-License-Identifier: Apache-2.0 */
/* Atoms of columns: which values they are, what the others are, and what a user says of
 * them. */
#include "io/tables_check.h"

#include "base/random.h"
#include "table/frame.h"

enum { MOST = 400 };

static sfi_sorted_cells cells_of(const double *x, int64_t n)
{
    sfi_sorted_cells c = {(double *)(uintptr_t)x, n, 0.0};
    double mean = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    c.sd = sqrt(squares / (double)(n - 1));
    return c;
}

/* `count` cells of each value, rising. */
static int64_t repeat(double *x, const double *values, const int *counts,
                      int distinct)
{
    int64_t n = 0;
    for (int k = 0; k < distinct; k++)
        for (int i = 0; i < counts[k]; i++)
            x[n++] = values[k];
    return n;
}

/* Each bound of the rule, held and missed by one cell: a twentieth of the cells, five
 * cells, five times the commonest within half a standard deviation, and the next value
 * where that is farther off. */
TEST(a_value_is_too_common_by_its_neighbourhood)
{
    (void)state_;
    static const struct {
        double value[5];
        int count[5], distinct, atoms;
        double atom;
    } known[] = {{{0, 50, 51, 52, 53}, {5, 24, 24, 24, 23}, 5, 0, 0},
                 {{0, 3, 5, 7, 9}, {20, 4, 4, 4, 4}, 5, 1, 0},
                 {{0, 3, 5, 7, 9}, {19, 4, 4, 4, 4}, 5, 0, 0},
                 {{1, 2, 3, 4, 5}, {4, 4, 20, 4, 4}, 5, 1, 3},
                 {{1, 2, 3, 4, 5}, {4, 4, 19, 4, 4}, 5, 0, 0},
                 {{0, 0.1, 90, 95, 100}, {4, 0, 0, 0, 0}, 1, 0, 0},
                 {{-9, 8, 9, 10, 11}, {5, 1, 1, 1, 1}, 5, 1, -9},
                 {{-9, 8, 9, 10, 11}, {4, 1, 1, 1, 1}, 5, 0, 0}};
    for (size_t k = 0; k < SFI_COUNT(known); k++) {
        double x[MOST], at[SF_MOST_ATOMS];
        const int64_t n =
            repeat(x, known[k].value, known[k].count, known[k].distinct);
        const sfi_sorted_cells c = cells_of(x, n);
        CHECK(sfi_common_values(&c, at) == known[k].atoms);
        CHECK(known[k].atoms == 0 || at[0] == known[k].atom);
    }
}

/* A twentieth is asked of the cells that are there: 5 of 100 are, and 5 of 101 not. */
TEST(a_twentieth_of_the_cells)
{
    (void)state_;
    double x[101], at[SF_MOST_ATOMS];
    for (int i = 0; i < 101; i++)
        x[i] = i < 5 ? -40.0 : (double)i;
    sfi_sorted_cells c = cells_of(x, 100);
    CHECK(sfi_common_values(&c, at) == 1 && at[0] == -40.0);
    c = cells_of(x, 101);
    CHECK(sfi_common_values(&c, at) == 0);
}

/* Whatever the sketch says is even has no atom, in any order of the cells. */
TEST(the_sketch_misses_nothing)
{
    (void)state_;
    int even = 0;
    for (uint64_t t = 0; t < 400; t++) {
        double x[MOST], at[SF_MOST_ATOMS];
        sfi_common_sketch sketch = {{0.0}, {0}, 0};
        const sfi_where w = {t, 0, 0, SFI_STREAM_USER};
        const int64_t n = 30 + (int64_t)(t % 300);
        const double part = 0.04 + 0.02 * sfi_uniform_at(w, 0);
        for (int64_t i = 0; i < n; i++) {
            const sfi_where v = {t, 1 + (uint64_t)i, 0, SFI_STREAM_USER};
            x[i] = sfi_uniform_at(v, 0) < part ? 3.0 : sfi_normal_at(v, 1);
            sfi_sketch_add(&sketch, x[i]);
        }
        sfi_sketch_add(&sketch, NAN);
        CHECK(sketch.n == n);
        for (int64_t i = 1; i < n; i++) /* insertion */
            for (int64_t k = i; k > 0 && x[k] < x[k - 1]; k--) {
                const double y = x[k];
                x[k] = x[k - 1];
                x[k - 1] = y;
            }
        const sfi_sorted_cells c = cells_of(x, n);
        const bool is_even = sfi_sketch_is_even(&sketch);
        even += is_even;
        CHECK(!is_even || sfi_common_values(&c, at) == 0);
    }
    CHECK(even > 20 && even < 380); /* it says either, often */
}

TEST(what_is_left_beside_atoms)
{
    (void)state_;
    static const double x[] = {-3, -2, 0, 0, 0, 4, 5, 9, 9};
    static const double at[] = {0, 9};
    bool between[3];
    const sfi_sorted_cells c = cells_of(x, 9);
    const sfi_other_cells o = sfi_cells_besides(&c, at, 2, between);
    CHECK(o.count == 4 && o.min == -3 && o.max == 5 && o.mean == 1.0);
    CHECK_CLOSE(o.sd, sqrt(50.0 / 3.0), 1e-15);
    CHECK(between[0] && between[1] && !between[2]);
    const sfi_atoms a = {(double *)(uintptr_t)at, between, 2};
    CHECK(sfi_atoms_find(&a, 9) == 1 && sfi_atoms_find(&a, 8) == -1);
    CHECK(sfi_atoms_gap(&a, -1) == 0 && sfi_atoms_gap(&a, 8) == 1 &&
          sfi_atoms_gap(&a, 10) == 2);
}

/* ---- frames ------------------------------------------------------------------- */

/* 40 rows: rain, which is 0 or widely spread; a proportion with both ends; whole
 * numbers with a usual one; a column of two values; and one 0 among others. */
static const char *make_table(void)
{
    const char *path = in_folder("atoms.csv");
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    fprintf(f, "rain,part,hours,dose,x\n");
    for (int i = 0; i < 40; i++)
        fprintf(f, "%g,%g,%d,%g,%g\n",
                i % 2 == 0 ? 0.0 : 0.1 * (i * i % 97 + 1),
                i < 3   ? 0.0
                : i < 5 ? 1.0
                        : 0.02 * i,
                i % 3 == 0 ? 20 + i : 40, i < 38 ? 0.5 : 2.5,
                i == 7 ? 0.0 : 1.5 + i * 0.37);
    fclose(f);
    return path;
}

TEST(the_kind_is_that_of_the_other_numbers)
{
    (void)state_;
    static const sf_kind kinds[] = {SF_KIND_POSITIVE, SF_KIND_PROPORTION,
                                    SF_KIND_INTEGER, SF_KIND_REAL,
                                    SF_KIND_REAL};
    static const int atoms[] = {1, 2, 1, 2, 0};
    sf_context *ctx = new_context();
    sf_frame *f = NULL;
    CHECK_OK(ctx, sf_frame_read(ctx, &f, make_table(), NULL));
    for (int j = 0; j < 5; j++) {
        CHECK(sf_frame_kind(f, j) == kinds[j]);
        CHECK(sf_frame_atom_count(f, j) == atoms[j]);
    }
    CHECK(sf_frame_atom(f, 0, 0) == 0.0 && !sf_frame_between(f, 0, 0) &&
          sf_frame_between(f, 0, 1));
    CHECK(sf_frame_atom(f, 1, 0) == 0.0 && sf_frame_atom(f, 1, 1) == 1.0);
    CHECK(!sf_frame_between(f, 1, 0) && sf_frame_between(f, 1, 1) &&
          !sf_frame_between(f, 1, 2) && !sf_frame_between(f, 1, 3));
    CHECK(sf_frame_atom(f, 2, 0) == 40.0 && sf_frame_between(f, 2, 0) &&
          sf_frame_between(f, 2, 1));
    CHECK(sf_frame_atom(f, 3, 0) == 0.5 && sf_frame_atom(f, 3, 1) == 2.5);
    for (int gap = 0; gap < 3; gap++)
        CHECK(!sf_frame_between(f, 3, gap));
    CHECK(isnan(sf_frame_atom(f, 0, 1)) && isnan(sf_frame_atom(f, 0, -1)));
    CHECK(sf_frame_between(f, 4, 0)); /* without any */
    sf_frame_free(f);
    sf_context_free(ctx);
}

TEST(atoms_are_told)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = NULL;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.kinds = "rain=real:atoms=none; part=real; hours=integer:atoms=20:40";
    CHECK_OK(ctx, sf_frame_read(ctx, &f, make_table(), &o));
    CHECK(sf_frame_kind(f, 0) == SF_KIND_REAL &&
          sf_frame_atom_count(f, 0) == 0);
    CHECK(sf_frame_atom_count(f, 1) == 0); /* no proportions, no ends */
    CHECK(sf_frame_atom_count(f, 2) == 2 && sf_frame_atom(f, 2, 0) == 20.0);
    assert_string_equal(sf_frame_why(f, 0), "told");
    sf_frame_free(f);
    static const struct {
        const char *kinds, *message;
        sf_status status;
    } wrong[] = {
        {"rain=positive:atoms=none", "not all its cells are numbers above 0",
         SF_E_FORMAT},
        {"x=positive", "not all its cells are numbers above 0", SF_E_FORMAT},
        {"rain=real:atoms=0:2.05",
         "\"rain\" is said to have the atom 2.05, and none of its cells is "
         "that",
         SF_E_FORMAT},
        {"rain=real:atoms=2:0", "rising numbers", SF_E_ARG},
        {"rain=real:atoms=", "rising numbers", SF_E_ARG},
        {"rain=real:atoms=0:", "rising numbers", SF_E_ARG},
        {"rain=real:atoms=1e999", "rising numbers", SF_E_ARG},
        {"rain=real:zeros=0", "want real:atoms=none", SF_E_ARG},
        {"rain=category:atoms=0", "want real:atoms=none", SF_E_ARG},
        {"rain=rael:atoms=0", "want one of real|", SF_E_ARG}};
    for (size_t k = 0; k < SFI_COUNT(wrong); k++) {
        o.kinds = wrong[k].kinds;
        CHECK_FAILS(ctx, sf_frame_read(ctx, &f, make_table(), &o),
                    wrong[k].status, wrong[k].message);
        CHECK(f == NULL);
    }
    sf_context_free(ctx);
}

TEST(memory_has_atoms_too)
{
    (void)state_;
    double x[30];
    static const double told[] = {3.0, 1.0}, many[25] = {0.0};
    sf_context *ctx = new_context();
    sf_frame *f = NULL;
    sf_frame_column c = SF_FRAME_COLUMN_INIT;
    for (int i = 0; i < 30; i++)
        x[i] = i < 10 ? 0.0 : i < 20 ? 3.0 : 0.1 * i;
    x[29] = 1.0;
    c.data = x;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, 30, 1, &c));
    CHECK(sf_frame_atom_count(f, 0) == 2 &&
          sf_frame_kind(f, 0) == SF_KIND_REAL);
    sf_frame_free(f);
    c.atoms = told;
    c.atom_count = 2;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, 30, 1, &c));
    CHECK(sf_frame_atom_count(f, 0) == 2 && sf_frame_atom(f, 0, 0) == 1.0);
    sf_frame_free(f);
    c.atom_count = 0;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, 30, 1, &c));
    CHECK(sf_frame_atom_count(f, 0) == 0);
    sf_frame_free(f);
    c.atoms = many;
    c.atom_count = 25;
    CHECK_FAILS(ctx, sf_frame_new(ctx, &f, 30, 1, &c), SF_E_ARG,
                "its atoms are not -1 to 24");
    sf_context_free(ctx);
}

static sf_status read_it(sf_context *ctx, void *user)
{
    sf_frame *f = NULL;
    (void)user;
    SFI_TRY(sf_frame_read(ctx, &f, in_folder("atoms.csv"), NULL));
    sf_frame_free(f);
    return SF_OK;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    make_table();
    check_every_allocation(read_it, NULL);
}

IO_TESTS(IO_CASE(a_value_is_too_common_by_its_neighbourhood),
         IO_CASE(a_twentieth_of_the_cells), IO_CASE(the_sketch_misses_nothing),
         IO_CASE(what_is_left_beside_atoms),
         IO_CASE(the_kind_is_that_of_the_other_numbers),
         IO_CASE(atoms_are_told), IO_CASE(memory_has_atoms_too),
         IO_CASE(every_allocation_may_fail))
