/* SPDX-License-Identifier: Apache-2.0 */
/* test_series.c - frames that come one by one, in any order, are one field in the file. */
#include "io/io_check.h"

#include "field/series.h"
#include "io/netcdf.h"

static const double times[] = {0.0, 0.5, 1.5};

struct frames {
    sf_grid *grid;
    sf_field u, v;
    sf_axis axis;
};

static sf_status begin(sf_context *ctx, struct frames *f)
{
    memset(f, 0, sizeof *f);
    f->axis =
        (sf_axis){.name = "t", .role = SF_ROLE_T, .count = 3, .coords = times};
    SFI_TRY(sf_grid_parse(ctx, &f->grid, "x = 0:1:5; y = 0:3:4"));
    SFI_TRY(sf_field_new(ctx, &f->u, f->grid, 1, NULL, SF_F64, 1));
    SFI_TRY(sf_field_new(ctx, &f->v, f->grid, 1, NULL, SF_F32, 0));
    SFI_TRY(sf_field_set_name(ctx, &f->u, "u"));
    return sf_field_set_name(ctx, &f->v, "v");
}

static void end(sf_context *ctx, struct frames *f)
{
    if (f->u.grid != NULL)
        sf_field_free(ctx, &f->u);
    if (f->v.grid != NULL)
        sf_field_free(ctx, &f->v);
    sf_grid_free(f->grid);
}

/* Frames of fields of these many, the last first. */
static sf_status put_all(sf_context *ctx, struct frames *f, const char *path,
                         int count)
{
    sfi_series *series = NULL;
    sf_field fields[2] = {f->u, f->v};
    SFI_TRY(
        sfi_series_open(ctx, &series, path, &f->axis, count, fields, "typed"));
    sf_status status = SF_OK;
    for (int64_t k = 2; k >= 0 && status == SF_OK; k--) {
        char text[40];
        snprintf(text, sizeof text, "x + 10*y + 100*%d", (int)k);
        status = sf_field_set(ctx, &f->u, 0, text);
        if (status == SF_OK)
            status = sf_field_set(ctx, &f->v, 0, "-x");
        if (status == SF_OK)
            status = sfi_series_put(series, k, fields);
    }
    return sfi_series_close(series, status);
}

static void check_read(sf_context *ctx, const char *path, const char *var)
{
    sf_field all;
    sf_field_read_options o = SF_FIELD_READ_OPTIONS_INIT;
    if (strstr(path, ".npy") != NULL) {
        var = NULL;
        o.grid = "t = [0, 0.5, 1.5]; y = 0:3:4; x = 0:1:5";
    }
    CHECK_OK(ctx, sf_field_read(ctx, &all, path, var, &o));
    const sf_axis *t = sf_grid_axis(all.grid, 0);
    CHECK(sf_grid_rank(all.grid) == 3 && t->count == 3);
    CHECK(t->coords[1] == 0.5 && t->coords[2] == 1.5);
    for (int64_t k = 0; k < 3; k++)
        for (int64_t j = 0; j < 4; j++)
            for (int64_t i = 0; i < 5; i++) {
                const double x = (double)i / 4.0, y = (double)j;
                const double *u = all.data[0];
                CHECK_NEAR(u[k * all.step[0] + j * all.step[1] + i],
                           var != NULL && var[0] == 'v'
                               ? -x
                               : x + 10.0 * y + 100.0 * (double)k,
                           1e-12);
            }
    sf_field_free(ctx, &all);
}

TEST(frames_may_come_in_any_order)
{
    sf_context *ctx = new_context();
    struct frames f;
    char path[PATH_SIZE];
    CHECK_OK(ctx, begin(ctx, &f));
    if (sfi_nc_available()) {
        snprintf(path, sizeof path, "%s/%s", folder, "series.nc");
        CHECK_OK(ctx, put_all(ctx, &f, path, 2));
        check_read(ctx, path, "u");
        check_read(ctx, path, "v");
    }
    snprintf(path, sizeof path, "%s/%s", folder, "series.npy");
    CHECK_OK(ctx, put_all(ctx, &f, path, 1));
    check_read(ctx, path, "u");
    end(ctx, &f);
    sf_context_free(ctx);
}

/* The list names a file for each time, beside it. */
TEST(a_list_has_a_file_for_each_frame)
{
    sf_context *ctx = new_context();
    struct frames f;
    char path[PATH_SIZE], text[2000] = "";
    CHECK_OK(ctx, begin(ctx, &f));
    snprintf(path, sizeof path, "%s/%s", folder, "list.pvd");
    CHECK_OK(ctx, put_all(ctx, &f, path, 2));
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    CHECK(strstr(text, "timestep=\"1.5\" file=\"list_0002.vti\"") != NULL);
    for (int k = 0; k < 3; k++) {
        char name[PATH_SIZE + 16];
        snprintf(name, sizeof name, "%.*s_%04d.vti", (int)strlen(path) - 4,
                 path, k);
        file = fopen(name, "rb");
        CHECK(file != NULL);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        CHECK(strstr(text, "Name=\"u\"") != NULL &&
              strstr(text, "Name=\"v\"") != NULL);
    }
    end(ctx, &f);
    sf_context_free(ctx);
}

TEST(what_cannot_be_written_leaves_nothing)
{
    sf_context *ctx = new_context();
    struct frames f;
    char path[PATH_SIZE];
    sfi_series *series = NULL;
    CHECK_OK(ctx, begin(ctx, &f));
    sf_field fields[2] = {f.u, f.v};
    snprintf(path, sizeof path, "%s/%s", folder, "two.npy");
    CHECK_FAILS(ctx, put_all(ctx, &f, path, 2), SF_E_ARG, "holds one field");
    snprintf(path, sizeof path, "%s/%s", folder, "broken.nc");
    if (sfi_nc_available()) {
        CHECK_OK(ctx,
                 sfi_series_open(ctx, &series, path, &f.axis, 2, fields, NULL));
        CHECK_OK(ctx, sfi_series_put(series, 1, fields));
        CHECK(sfi_series_close(series, SF_E_CANCELLED) == SF_E_CANCELLED);
        CHECK(fopen(path, "rb") == NULL);
    }
    end(ctx, &f);
    sf_context_free(ctx);
}

static sf_status work(sf_context *ctx, void *user)
{
    struct frames f;
    sf_status status = begin(ctx, &f);
    if (status == SF_OK)
        status = put_all(ctx, &f, in_folder(user), 1);
    end(ctx, &f);
    return status;
}

TEST(every_allocation_may_fail)
{
    if (sfi_nc_available())
        check_every_allocation(work, "f.nc");
    check_every_allocation(work, "f.npy");
    check_every_allocation(work, "f.pvd");
}

IO_TESTS(IO_CASE(frames_may_come_in_any_order),
         IO_CASE(a_list_has_a_file_for_each_frame),
         IO_CASE(what_cannot_be_written_leaves_nothing),
         IO_CASE(every_allocation_may_fail))
