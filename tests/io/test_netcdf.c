/* SPDX-License-Identifier: Apache-2.0 */
/* NetCDF as it is: headers in memory, files of each format, files that are cut off,
 * and what is no file. */
#include "faults.h"

#include "io/netcdf.h"

#include <unistd.h>

#define NEEDS_NETCDF()                                                         \
    do {                                                                       \
        if (!sfi_nc_available())                                               \
            skip();                                                            \
    } while (0)

static const char path[] = "test_netcdf.tmp.nc";

TEST(headers_hold_what_was_put_in)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_nc_header h = {0};
    int t, x, v;
    CHECK_OK(ctx, sfi_nc_add_dim(ctx, &h, "t", 3, true, &t));
    CHECK_OK(ctx, sfi_nc_add_dim(ctx, &h, "x", 4, false, &x));
    CHECK_OK(ctx,
             sfi_nc_add_var(ctx, &h, "v", SFI_NC_SHORT, 2, (int[]){t, x}, &v));
    CHECK(sfi_nc_find_var(&h, "v") == v && sfi_nc_find_dim(&h, "x") == x);
    CHECK(sfi_nc_find_var(&h, "w") == -1);
    assert_int_equal(sfi_nc_var_count(&h, v), 12);
    sfi_nc_attrs *a = &h.vars[v].attrs;
    CHECK_OK(ctx, sfi_nc_set_text(ctx, a, "units", "m"));
    CHECK_OK(ctx, sfi_nc_set_number(ctx, a, "scale_factor", 0.5));
    CHECK_OK(ctx, sfi_nc_set_text(ctx, a, "units", "km"));
    assert_string_equal(sfi_nc_text(a, "units"), "km");
    CHECK(sfi_nc_value(a, "scale_factor") == 0.5);
    CHECK(isnan(sfi_nc_value(a, "units")) && sfi_nc_text(a, "q") == NULL);
    sfi_nc_unset(ctx, a, "units");
    CHECK(a->count == 1 && sfi_nc_text(a, "units") == NULL);
    CHECK_FAILS(ctx, sfi_nc_add_dim(ctx, &h, "x", 4, false, &x), SF_E_ARG,
                "want a new name");
    CHECK_FAILS(ctx, sfi_nc_add_var(ctx, &h, "", SFI_NC_INT, 0, NULL, &v),
                SF_E_ARG, "0 bytes");
    CHECK_FAILS(ctx, sfi_nc_add_var(ctx, &h, "\xff", SFI_NC_INT, 0, NULL, &v),
                SF_E_ARG, "is not UTF-8");
    CHECK_FAILS(ctx,
                sfi_nc_add_var(ctx, &h, "w", SFI_NC_INT, 1, (int[]){7}, &v),
                SF_E_ARG, "has no dimension 7");
    sfi_nc_header_free(ctx, &h);
    sf_context_free(ctx);
}

/* A header of every type that the format has, and a record dimension. */
static sf_status make_header(sf_context *ctx, sfi_nc_header *h,
                             sfi_nc_format format)
{
    const sfi_nc_type last =
        format < SFI_NC_CDF5 ? SFI_NC_DOUBLE : SFI_NC_UINT64;
    int dims[2], v;
    h->format = format;
    SFI_TRY(sfi_nc_add_dim(ctx, h, "t", 2, true, &dims[0]));
    SFI_TRY(sfi_nc_add_dim(ctx, h, "x", 3, false, &dims[1]));
    for (int type = 0; type <= (int)last; type++) {
        SFI_TRY(sfi_nc_add_var(ctx, h, sfi_nc_type_name((sfi_nc_type)type),
                               (sfi_nc_type)type, 2, dims, &v));
        SFI_TRY(sfi_nc_set_text(ctx, &h->vars[v].attrs, "units", "m s-1"));
    }
    SFI_TRY(sfi_nc_add_var(ctx, h, "alone", SFI_NC_DOUBLE, 0, NULL, &v));
    return sfi_nc_set_text(ctx, &h->attrs, "title", "types");
}

/* The numbers 1 to 6 in the type of a variable. */
static void fill(sfi_nc_type type, void *out)
{
    switch (type) {
#define FILL(name, bytes, ctype, fill_)                                        \
    case SFI_NC_##name:                                                        \
        for (int i = 0; i < 6; i++)                                            \
            ((ctype *)out)[i] = (ctype)(i + 1);                                \
        break;
        SFI_NC_TYPE_LIST(FILL)
#undef FILL
    case SFI_NC_OTHER:
        break;
    }
}

static sf_status write_file(sf_context *ctx, const sfi_nc_header *h)
{
    static const int64_t start[2] = {0, 0}, count[2] = {2, 3};
    sfi_nc_writer *w = NULL;
    SFI_TRY(sfi_nc_create(ctx, &w, path, h));
    sf_status status = SF_OK;
    for (size_t v = 0; v < h->var_count && status == SF_OK; v++) {
        double values[6];
        fill(h->vars[v].type, values);
        status = sfi_nc_write(w, (int)v, start, count, values);
    }
    return sfi_nc_writer_close(w, status);
}

TEST(every_type_goes_through_every_format)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    for (int format = SFI_NC_CLASSIC; format <= SFI_NC_NETCDF4; format++) {
        sfi_nc_header h = {0};
        sfi_nc *f = NULL;
        CHECK_OK(ctx, make_header(ctx, &h, (sfi_nc_format)format));
        CHECK_OK(ctx, write_file(ctx, &h));
        CHECK_OK(ctx, sfi_nc_open(ctx, &f, path));
        const sfi_nc_header *g = sfi_nc_header_of(f);
        assert_int_equal(g->format, format);
        assert_int_equal(g->var_count, h.var_count);
        CHECK(g->dims[0].is_unlimited && !g->dims[1].is_unlimited);
        assert_int_equal(g->dims[0].size, 2);
        assert_string_equal(sfi_nc_text(&g->attrs, "title"), "types");
        for (size_t v = 0; v < g->var_count; v++) {
            double raw[6], got[6];
            const int n = g->vars[v].rank == 0 ? 1 : 6;
            assert_int_equal(g->vars[v].type, h.vars[v].type);
            CHECK_OK(ctx, sfi_nc_read(f, (int)v, (int64_t[]){0, 0},
                                      (int64_t[]){2, 3}, raw));
            sfi_nc_numbers(g->vars[v].type, raw, (size_t)n, got);
            for (int i = 0; i < n; i++)
                CHECK(got[i] == i + 1);
            if (n == 6) {
                CHECK_OK(ctx, sfi_nc_read(f, (int)v, (int64_t[]){1, 1},
                                          (int64_t[]){1, 2}, raw));
                CHECK(sfi_nc_number(g->vars[v].type, raw, 0) == 5.0);
            }
        }
        double raw[6];
        CHECK_FAILS(
            ctx, sfi_nc_read(f, 0, (int64_t[]){1, 0}, (int64_t[]){2, 3}, raw),
            SF_E_SHAPE, "2 from 1 on of dimension \"t\"");
        sfi_nc_close(f);
        sfi_nc_header_free(ctx, &h);
        unlink(path);
    }
    sf_context_free(ctx);
}

/* libnetcdf reads zeros behind the end of a classic file; we do not.  Files end in
 * the numbers 1 to 6, so that every byte but the padding counts. */
TEST(files_that_were_cut_off_are_refused)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    for (int format = SFI_NC_CLASSIC; format <= SFI_NC_CDF5; format++) {
        sfi_nc_header h = {0};
        sfi_nc *f = NULL;
        unsigned char bytes[4096];
        CHECK_OK(ctx, make_header(ctx, &h, (sfi_nc_format)format));
        CHECK_OK(ctx, write_file(ctx, &h));
        FILE *in = fopen(path, "rb");
        const size_t size = fread(bytes, 1, sizeof bytes, in);
        fclose(in);
        CHECK(size < sizeof bytes);
        CHECK_OK(ctx, sfi_nc_open_memory(ctx, &f, "<memory>", bytes, size));
        sfi_nc_close(f);
        for (size_t cut = 0; cut < size; cut++) {
            const sf_status status =
                sfi_nc_open_memory(ctx, &f, "<memory>", bytes, cut);
            CHECK(status == SF_E_FORMAT && f == NULL);
        }
        CHECK_FAILS(ctx,
                    sfi_nc_open_memory(ctx, &f, "<memory>", bytes, size - 1),
                    SF_E_FORMAT, "the file was cut off");
        sfi_nc_header_free(ctx, &h);
        unlink(path);
    }
    sf_context_free(ctx);
}

TEST(what_is_no_file_is_refused)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sfi_nc *f = NULL;
    CHECK_FAILS(ctx, sfi_nc_open(ctx, &f, "nowhere.nc"), SF_E_IO,
                "nowhere.nc: cannot be opened");
    CHECK_FAILS(ctx, sfi_nc_open(ctx, &f, "."), SF_E_IO, "is a directory");
    CHECK_FAILS(ctx, sfi_nc_open(ctx, &f, "-"), SF_E_ARG,
                "not from standard input");
    CHECK_FAILS(ctx, sfi_nc_open(ctx, &f, "https://example.org/a.nc"), SF_E_IO,
                "for an address");
    CHECK_FAILS(ctx, sfi_nc_open(ctx, &f, "[log]a.nc"), SF_E_IO,
                "for an address");
    CHECK_FAILS(ctx, sfi_nc_open(ctx, &f, "data/iris.csv"), SF_E_FORMAT,
                "is not a NetCDF file");
    CHECK_FAILS(ctx, sfi_nc_open_memory(ctx, &f, "<memory>", "", 0),
                SF_E_FORMAT, "the file is empty");
    CHECK_FAILS(ctx,
                sfi_nc_open_memory(ctx, &f, "<memory>", "CDF\001\0\0\0\0\0", 9),
                SF_E_FORMAT, "byte 8 of its header: it ends here");
    /* A name of 4 GB, for which libnetcdf would ask for memory. */
    static const char name[] = "CDF\001\0\0\0\0\0\0\0\012\0\0\0\001"
                               "\377\0\0\001y\0\0\0\0\0\0\001";
    CHECK_FAILS(ctx, sfi_nc_open_memory(ctx, &f, "<memory>", name, sizeof name),
                SF_E_FORMAT, "a count that goes beyond the end of the file");
    sf_context_free(ctx);
}

/* Nothing appears, and what was there stays, unless all is written. */
TEST(a_file_appears_only_when_it_is_complete)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sfi_nc_header h = {0};
    sfi_nc_writer *w = NULL;
    double values[6] = {0};
    CHECK_OK(ctx, make_header(ctx, &h, SFI_NC_CLASSIC));
    CHECK_OK(ctx, sfi_nc_create(ctx, &w, path, &h));
    assert_int_equal(access(path, F_OK), -1);
    CHECK_FAILS(
        ctx, sfi_nc_write(w, 0, (int64_t[]){0, 2}, (int64_t[]){1, 2}, values),
        SF_E_SHAPE, "2 from 2 on of dimension \"x\"");
    assert_int_equal(sfi_nc_writer_close(w, SF_OK), SF_E_SHAPE);
    assert_int_equal(access(path, F_OK), -1);
    CHECK_OK(ctx, sfi_nc_create(ctx, &w, path, &h));
    assert_int_equal(sfi_nc_writer_close(w, SF_E_CANCELLED), SF_E_CANCELLED);
    assert_int_equal(access(path, F_OK), -1);
    CHECK_FAILS(ctx, sfi_nc_create(ctx, &w, "nowhere/a.nc", &h), SF_E_IO,
                "cannot be written");
    CHECK_FAILS(ctx, sfi_nc_create(ctx, &w, "/dev/null", &h), SF_E_IO,
                "written to files only");
    /* Classic files have no unsigned bytes. */
    int v;
    CHECK_OK(ctx, sfi_nc_add_var(ctx, &h, "odd", SFI_NC_UBYTE, 0, NULL, &v));
    CHECK_FAILS(ctx, sfi_nc_create(ctx, &w, path, &h), SF_E_ARG,
                "odd cannot be written");
    sfi_nc_header_free(ctx, &h);
    sf_context_free(ctx);
}

static sf_status round_trip(sf_context *ctx)
{
    sfi_nc_header h = {0};
    sfi_nc *f = NULL;
    sf_status status = make_header(ctx, &h, SFI_NC_NETCDF4);
    if (status == SF_OK)
        status = write_file(ctx, &h);
    if (status == SF_OK)
        status = sfi_nc_open(ctx, &f, path);
    sfi_nc_close(f);
    sfi_nc_header_free(ctx, &h);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    NEEDS_NETCDF();
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        status = round_trip(ctx);
        unlink(path);
    }
    sf_context_free(ctx);
}

TEST(a_build_without_netcdf_says_so)
{
    (void)state_;
    if (sfi_nc_available())
        skip();
    sf_context *ctx = new_context();
    sfi_nc *f = NULL;
    CHECK_FAILS(ctx, sfi_nc_open(ctx, &f, "a.nc"), SF_E_UNSUPPORTED,
                "libnetcdf-dev");
    sf_context_free(ctx);
}

TESTS(CASE(headers_hold_what_was_put_in),
      CASE(every_type_goes_through_every_format),
      CASE(files_that_were_cut_off_are_refused),
      CASE(what_is_no_file_is_refused),
      CASE(a_file_appears_only_when_it_is_complete),
      CASE(every_allocation_may_fail), CASE(a_build_without_netcdf_says_so))
