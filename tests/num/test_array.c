/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays and tables: shapes, memory, and where a row came from. */
#include "num/array.h"

#include "check.h"

TEST(arrays_are_zeroed_and_counted)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const int64_t shape[] = {2, 3, 4, 1, 1, 5};
    for (int rank = 0; rank <= SF_MAX_RANK; rank++)
        for (int type = SF_F32; type <= SF_F64; type++) {
            sf_array a;
            CHECK_OK(ctx, sf_array_new(ctx, &a, (sf_dtype)type, rank, shape));
            const int64_t want = rank == 0   ? 1
                                 : rank == 1 ? 2
                                 : rank == 2 ? 6
                                 : rank < 6  ? 24
                                             : 120;
            CHECK(sf_array_count(&a) == want);
            const size_t size = sf_dtype_size(a.dtype);
            for (size_t i = 0; i < (size_t)want * size; i++)
                CHECK(((const char *)a.data)[i] == 0);
            CHECK((uintptr_t)a.data % 64 == 0);
            sf_array_free(ctx, &a);
            CHECK(a.data == NULL);
        }
    sf_array_free(ctx, NULL);
    sf_context_free(ctx);
}

TEST(an_array_may_be_empty)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_array a;
    const int64_t shape[] = {INT64_MAX, 0, INT64_MAX};
    CHECK_FAILS(ctx, sf_array_new(ctx, &a, SF_F64, 3, shape), SF_E_SHAPE,
                "array: an extent is negative");
    CHECK(a.data == NULL);
    CHECK_OK(ctx, sf_array_new(ctx, &a, SF_F64, 2, (const int64_t[]){1000, 0}));
    CHECK(sf_array_count(&a) == 0 && a.data != NULL);
    sf_array_free(ctx, &a);
    sf_context_free(ctx);
}

TEST(impossible_arrays_are_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_array a;
    const int64_t negative[] = {2, -1}, huge[] = {INT64_MAX / 8, 2},
                  sum[] = {INT64_C(1) << 32, INT64_C(1) << 32};
    CHECK_FAILS(ctx, sf_array_new(ctx, &a, SF_F64, 7, huge), SF_E_ARG,
                "array: rank is 7, want 0 to 6");
    CHECK_FAILS(ctx, sf_array_new(ctx, &a, SF_F64, -1, huge), SF_E_ARG,
                "rank is -1");
    CHECK_FAILS(ctx, sf_array_new(ctx, &a, (sf_dtype)2, 1, huge), SF_E_ARG,
                "dtype is 2");
    CHECK_FAILS(ctx, sf_array_new(ctx, &a, SF_F64, 2, negative), SF_E_SHAPE,
                "an extent is negative");
    CHECK_FAILS(ctx, sf_array_new(ctx, &a, SF_F64, 2, huge), SF_E_SHAPE,
                "address space");
    CHECK_FAILS(ctx, sf_array_new(ctx, &a, SF_F64, 2, sum), SF_E_SHAPE,
                "address space");
    CHECK(a.data == NULL);
    sf_context_free(ctx);
}

TEST(tables_have_names_and_zeros)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const char *const names[] = {"speed", "height"};
    sf_table t;
    CHECK_OK(ctx, sf_table_new(ctx, &t, 3, 2, names));
    CHECK(t.rows == 3 && t.cols == 2);
    assert_string_equal(t.columns[1].name, "height");
    CHECK(t.columns[0].name != names[0]);
    for (int i = 0; i < 6; i++)
        CHECK(t.data[i] == 0.0);
    CHECK(t.columns[0].kind == SF_COLUMN_REAL && t.columns[0].levels == NULL);
    /* Fewer rows, as after dropping some, must not confuse freeing. */
    t.rows = 1;
    sf_table_free(ctx, &t);
    CHECK(t.data == NULL && t.columns == NULL);
    sf_table_free(ctx, &t);
    sf_table_free(ctx, NULL);
    CHECK_OK(ctx, sf_table_new(ctx, &t, 0, 12, NULL));
    assert_string_equal(t.columns[11].name, "c11");
    sf_table_free(ctx, &t);
    CHECK_FAILS(ctx, sf_table_new(ctx, &t, -1, 2, NULL), SF_E_SHAPE,
                "table: cannot hold -1 rows of 2 columns");
    CHECK_FAILS(ctx, sf_table_new(ctx, &t, INT64_MAX, 2, NULL), SF_E_SHAPE,
                "table: cannot hold");
    CHECK_FAILS(ctx, sf_table_new(ctx, &t, 0, INT64_MAX, NULL), SF_E_SHAPE,
                "table: cannot hold");
    sf_context_free(ctx);
}

TEST(levels_replace_levels)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const char *const first[] = {"a", "b", "c"}, *const second[] = {"d"};
    sf_table t;
    CHECK_OK(ctx, sf_table_new(ctx, &t, 1, 1, NULL));
    CHECK_OK(ctx, sfi_table_set_levels(ctx, &t, 0, first, 3));
    CHECK_OK(ctx, sfi_table_set_levels(ctx, &t, 0, second, 1));
    CHECK(t.columns[0].kind == SF_COLUMN_TEXT);
    CHECK(t.columns[0].level_count == 1);
    assert_string_equal(t.columns[0].levels[0], "d");
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(places_are_named_as_documented)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t;
    char place[SFI_PLACE_SIZE];
    CHECK_OK(ctx, sf_table_new(ctx, &t, 100, 2, NULL));
    assert_string_equal(sfi_table_place(&t, 7, 1, place),
                        "row 7 (counted from 0), column \"c1\"");
    CHECK_OK(ctx, sfi_table_set_source(ctx, &t, SFI_SOURCE_ROWS, "a.npy"));
    assert_string_equal(sfi_table_place(&t, 7, 1, place),
                        "a.npy: row 7 (counted from 0), column \"c1\"");
    assert_string_equal(sfi_table_place(&t, 7, -1, place),
                        "a.npy: row 7 (counted from 0)");
    CHECK_OK(ctx, sfi_table_set_source(ctx, &t, SFI_SOURCE_LINES, "a.csv"));
    assert_string_equal(sfi_table_place(&t, 15, 0, place),
                        "a.csv:17: column \"c0\"");
    static const int64_t jumps[][2] = {{1, 1}, {4, 3}, {50, 4}};
    for (int i = 0; i < 3; i++)
        CHECK_OK(ctx,
                 sfi_table_add_line_jump(ctx, &t, jumps[i][0], jumps[i][1]));
    static const struct {
        int64_t row;
        const char *place;
    } rows[] = {{0, "a.csv:2"},   {1, "a.csv:4"},   {3, "a.csv:6"},
                {4, "a.csv:9"},   {49, "a.csv:54"}, {50, "a.csv:56"},
                {99, "a.csv:105"}};
    for (size_t i = 0; i < SFI_COUNT(rows); i++)
        assert_string_equal(sfi_table_place(&t, rows[i].row, -1, place),
                            rows[i].place);
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

TESTS(CASE(arrays_are_zeroed_and_counted), CASE(an_array_may_be_empty),
      CASE(impossible_arrays_are_refused), CASE(tables_have_names_and_zeros),
      CASE(levels_replace_levels), CASE(places_are_named_as_documented))
