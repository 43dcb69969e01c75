/* SPDX-License-Identifier: Apache-2.0 */
/* Points of a model as cells of the table it was fitted to. */
#include "io/tables_check.h"

#include "faults.h"
#include "model/model.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"

/* A table of every kind but keys: what is spelled here is spelled so again. */
static const char *make_table(void)
{
    const char *path = in_folder("cells.csv");
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs("share,size,shift,count,flag,day,hour,fine\n"
                             "0.5,0.25,-1.5,3,0,2024-02-28,2024-01-01 00:30Z,"
                             "-0.12345678\n"
                             "0.25,1.5,2.0,10,1,2024-03-01,2024-01-02 12:00Z,"
                             "0.1\n"
                             "0.75,4,0.5,-2,1,2023-12-31,2023-12-31 23:45Z,"
                             "0.2\n"
                             "0.9,2.25,0,4,0,2024-02-29,2024-01-01 07:15Z,"
                             "0.3\n",
                             f) >= 0);
    CHECK(fclose(f) == 0);
    return path;
}

enum { SHARE, SIZE, SHIFT, COUNT, FLAG, DAY, HOUR, FINE, COLUMNS };

/* An empirical model of all of it, whose kernels are those of the ranges. */
static sf_status make_model(sf_context *ctx, sf_model **out)
{
    sf_frame *f = NULL;
    sf_cmat x;
    const char *names[COLUMNS];
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    *out = NULL;
    SFI_TRY(sf_frame_read(ctx, &f, in_folder("cells.csv"), NULL));
    for (int j = 0; j < COLUMNS; j++)
        names[j] = sf_frame_name(f, j);
    sf_status status = sf_frame_matrix(ctx, f, &x);
    if (status == SF_OK)
        status = sf_fit_empirical(ctx, out, x, names, &o, NULL);
    if (status == SF_OK)
        status = sf_model_describe(*out, f);
    sf_frame_free(f);
    return status;
}

static sf_status make_points(sf_context *ctx, const sf_model *m, sf_table *t,
                             const double (*rows)[COLUMNS], int64_t count)
{
    const char *names[COLUMNS];
    for (int j = 0; j < COLUMNS; j++)
        names[j] = sf_model_column(m, j);
    SFI_TRY(sf_table_new(ctx, t, count, COLUMNS, names));
    memcpy(t->data, rows, (size_t)count * sizeof *rows);
    return SF_OK;
}

/* 19782 is 2024-02-29 by `date -d`; 1704067200 is 2024-01-01T00:00:00Z.  The share
 * and the size would be rounded to where their kernels have no density. */
static const double points[][COLUMNS] = {
    {0.504, 1.236, -0.04, 2.6, 0.3, 19782.4, 1704067200.0 + 89.0, 0.123456789},
    {0.9999, 1e-9, 7.77, -3.4, 1.7, 19781.6, 1704067200.0 + 91.0, -1e-3},
    {1e-7, 1e9, 0.25, 0.2, -4.0, 0.0, 1704067200.0 - 1.0, 5.0}};

TEST(points_become_cells_like_those_of_the_table)
{
    (void)state_;
    sf_context *ctx = warning_context();
    sf_model *m = NULL;
    sf_table t;
    make_table();
    CHECK_OK(ctx, make_model(ctx, &m));
    CHECK_OK(ctx, make_points(ctx, m, &t, points, 3));
    CHECK_OK(ctx, sf_model_cells(m, &t));
    check_table(&t, "share size shift count flag day hour fine"
                    "|0.5 1.24 0 3 0 2024-02-29 2024-01-01 00:01Z 0.123456789"
                    "|0.99 0.01 7.8 -3 1 2024-02-29 2024-01-01 00:02Z -0.001"
                    "|0.01 1000000000 0.2 0 0 1970-01-01 2024-01-01 00:00Z 5");
    assert_string_equal(warned, "");
    sf_table_free(ctx, &t);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* What is drawn, written and read again has the kinds and decimals of the table. */
TEST(a_table_that_is_drawn_has_the_kinds_of_its_model)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_table t;
    sf_frame *f = NULL;
    const char *names[COLUMNS];
    make_table();
    CHECK_OK(ctx, make_model(ctx, &m));
    for (int j = 0; j < COLUMNS; j++)
        names[j] = sf_model_column(m, j);
    CHECK_OK(ctx, sf_table_new(ctx, &t, 200, COLUMNS, names));
    CHECK_OK(ctx, sf_sample(m, (sf_mat){t.data, 200, COLUMNS, COLUMNS}, NULL));
    CHECK_OK(ctx, sf_model_cells(m, &t));
    CHECK_OK(ctx, sf_table_write(ctx, &t, in_folder("drawn.csv")));
    CHECK_OK(ctx, sf_frame_read(ctx, &f, in_folder("drawn.csv"), NULL));
    for (int j = 0; j < COLUMNS; j++) {
        CHECK(sf_frame_kind(f, j) == sf_model_kind(m, j));
        CHECK(sf_frame_decimals(f, j) == sf_model_decimals(m, j));
    }
    sf_frame_free(f);
    sf_table_free(ctx, &t);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A file keeps all of it: the cells are the same from the model that is loaded. */
TEST(a_file_keeps_what_is_known_of_columns)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = NULL, *back = NULL;
    sf_table a, b;
    make_table();
    CHECK_OK(ctx, make_model(ctx, &m));
    CHECK_OK(ctx, sf_model_save(m, in_folder("m.safetensors"), NULL));
    CHECK_OK(ctx, sf_model_load(ctx, &back, in_folder("m.safetensors")));
    CHECK_OK(ctx, make_points(ctx, m, &a, points, 3));
    CHECK_OK(ctx, make_points(ctx, back, &b, points, 3));
    CHECK_OK(ctx, sf_model_cells(m, &a));
    CHECK_OK(ctx, sf_model_cells(back, &b));
    for (int64_t i = 0; i < 3; i++)
        for (int64_t j = 0; j < COLUMNS; j++) {
            char text[64];
            snprintf(text, sizeof text, "%s", cell_text(&a, i, j));
            assert_string_equal(cell_text(&b, i, j), text);
        }
    sf_table_free(ctx, &a);
    sf_table_free(ctx, &b);
    sf_model_free(m);
    sf_model_free(back);
    sf_context_free(ctx);
}

/* A Gaussian knows no bounds: its cells are left as they are, and counted. */
TEST(what_a_kind_does_not_have_is_said)
{
    (void)state_;
    sf_context *ctx = warning_context();
    sf_frame *f = NULL;
    sf_table t;
    sf_model *m = NULL;
    static const char *const names[] = {"share", "size"};
    static const double mean[] = {0.5, 1.0};
    static const double covariance[] = {1.0, 0.0, 0.0, 1.0};
    static const double rows[] = {-0.3, 1.0, 0.5, -2.0, 1.31, 0.0};
    CHECK_OK(ctx, sf_frame_read(ctx, &f, make_table(), NULL));
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 2, names, mean, covariance));
    CHECK(sf_model_kind(m, 0) == SF_KIND_REAL &&
          sf_model_decimals(m, 0) == -1 && sf_model_level(m, 0, 0) == NULL);
    CHECK_OK(ctx, sf_model_describe(m, f));
    CHECK(sf_model_kind(m, 0) == SF_KIND_PROPORTION);
    CHECK_OK(ctx, sf_table_new(ctx, &t, 3, 2, names));
    memcpy(t.data, rows, sizeof rows);
    CHECK_OK(ctx, sf_model_cells(m, &t));
    check_table(&t, "share size|-0.3 1|0.5 -2|1.31 0");
    assert_string_equal(warned, "2 of 3 cells of column \"share\" are "
                                "not in [0, 1], and all of "
                                "its table's are: the model does not know it\n"
                                "2 of 3 cells of column \"size\" are "
                                "not above 0, and all of its "
                                "table's are: the model does not know it\n");
    t.cols = 1;
    CHECK_FAILS(ctx, sf_model_cells(m, &t), SF_E_SHAPE,
                "the table has 1 columns, and the model 2");
    t.cols = 2;
    sf_table_free(ctx, &t);
    sf_model_free(m);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* Parts of a whole in whole percents and in tenths: the sum stays, and what is
 * there does not vanish.  The last row has fewer steps than parts. */
TEST(parts_make_up_their_whole)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = NULL;
    sf_cmat x;
    sf_table t;
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    static const char *const names[] = {"sand", "silt", "clay"};
    static const double rows[] = {33.4, 33.4, 33.2, 0.01, 60.5, 39.49,
                                  20.5, 20.5, 59.0, 0.3,  0.3,  0.4};
    FILE *out = fopen(in_folder("parts.csv"), "w");
    CHECK(out != NULL &&
          fputs("sand,silt,clay\n50,30,20\n20,60,20\n", out) >= 0 &&
          fclose(out) == 0);
    CHECK_OK(ctx, sf_frame_read(ctx, &f, in_folder("parts.csv"), NULL));
    CHECK_OK(ctx, sf_frame_matrix(ctx, f, &x));
    o.kernel = "dirichlet";
    o.bandwidth = SF_BANDWIDTH_FIXED;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, x, names, &o, NULL));
    CHECK_OK(ctx, sf_model_describe(m, f));
    CHECK_OK(ctx, sf_table_new(ctx, &t, 4, 3, names));
    memcpy(t.data, rows, sizeof rows);
    CHECK_OK(ctx, sf_model_cells(m, &t));
    check_table(&t, "sand silt clay|34 33 33|1 60 39|21 20 59|1 1 1");
    sf_table_free(ctx, &t);
    sf_model_free(m);
    sf_frame_free(f);
    sf_context_free(ctx);
}

TEST(a_frame_without_the_columns_describes_nothing)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = NULL;
    sf_model *m = NULL;
    const double one = 1.0, none = 0.0;
    static const char *const names[] = {"weight"};
    CHECK_OK(ctx, sf_frame_read(ctx, &f, make_table(), NULL));
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 1, names, &none, &one));
    CHECK_FAILS(ctx, sf_model_describe(m, f), SF_E_ARG,
                "the frame has no column \"weight\"");
    CHECK(sf_model_kind(m, 0) == SF_KIND_REAL);
    sf_model_free(m);
    sf_frame_free(f);
    sf_context_free(ctx);
}

static sf_status do_all(sf_context *ctx, void *user)
{
    sf_model *m = NULL, *back = NULL;
    sf_table t = {0};
    (void)user;
    sf_status status = make_model(ctx, &m);
    if (status == SF_OK)
        status = make_points(ctx, m, &t, points, 3);
    if (status == SF_OK)
        status = sf_model_cells(m, &t);
    if (status == SF_OK)
        status = sf_model_save(m, in_folder("f.safetensors"), NULL);
    if (status == SF_OK)
        status = sf_model_load(ctx, &back, in_folder("f.safetensors"));
    sf_table_free(ctx, &t);
    sf_model_free(back);
    sf_model_free(m);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    make_table();
    check_every_allocation(do_all, NULL);
}

IO_TESTS(IO_CASE(points_become_cells_like_those_of_the_table),
         IO_CASE(a_table_that_is_drawn_has_the_kinds_of_its_model),
         IO_CASE(a_file_keeps_what_is_known_of_columns),
         IO_CASE(what_a_kind_does_not_have_is_said),
         IO_CASE(parts_make_up_their_whole),
         IO_CASE(a_frame_without_the_columns_describes_nothing),
         IO_CASE(every_allocation_may_fail))
