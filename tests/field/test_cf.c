/* SPDX-License-Identifier: Apache-2.0 */
/* What variables mean, from headers that were put together here: no file and no
 * libnetcdf. */
#include "faults.h"

#include "field/cf.h"
#include "field/select.h"

/* A header, and the values of its variables. */
typedef struct fixture {
    sf_context *ctx;
    sfi_nc_header h;
    const double *values[16];
    sfi_cf_source source;
} fixture;

static sf_status read_values(void *user, int var, double *values)
{
    const fixture *f = user;
    for (int64_t i = 0; i < sfi_nc_var_count(&f->h, var); i++)
        values[i] = f->values[var] != NULL ? f->values[var][i] : (double)i;
    return SF_OK;
}

static void begin(fixture *f, sf_context *ctx)
{
    memset(f, 0, sizeof *f);
    f->ctx = ctx;
    f->source = (sfi_cf_source){"<test>", &f->h, read_values, f};
}

static void end(fixture *f)
{
    sfi_nc_header_free(f->ctx, &f->h);
}

static int dim(fixture *f, const char *name, int64_t size)
{
    int index = -1;
    CHECK_OK(f->ctx, sfi_nc_add_dim(f->ctx, &f->h, name, size, false, &index));
    return index;
}

static int var(fixture *f, const char *name, sfi_nc_type type, int rank,
               const int *dims, const double *values)
{
    int index = -1;
    CHECK_OK(f->ctx,
             sfi_nc_add_var(f->ctx, &f->h, name, type, rank, dims, &index));
    f->values[index] = values;
    return index;
}

static void text(fixture *f, int v, const char *key, const char *value)
{
    CHECK_OK(f->ctx, sfi_nc_set_text(f->ctx, &f->h.vars[v].attrs, key, value));
}

static void number(fixture *f, int v, const char *key, double value)
{
    CHECK_OK(f->ctx,
             sfi_nc_set_number(f->ctx, &f->h.vars[v].attrs, key, value));
}

static sfi_cf *understand(fixture *f, int v)
{
    sfi_cf *cf = NULL;
    CHECK_OK(f->ctx, sfi_cf_read(f->ctx, &cf, &f->source, v, 0.0));
    return cf;
}

/* The role of a coordinate with these attributes. */
static sf_role role_of(sf_context *ctx, const char *name, const char *standard,
                       const char *units, const char *axis, const char **why)
{
    fixture f;
    begin(&f, ctx);
    const int d = dim(&f, name, 4);
    const int x = var(&f, name, SFI_NC_DOUBLE, 1, &d, NULL);
    const int v = var(&f, "v", SFI_NC_FLOAT, 1, &d, NULL);
    if (standard != NULL)
        text(&f, x, "standard_name", standard);
    if (units != NULL)
        text(&f, x, "units", units);
    if (axis != NULL)
        text(&f, x, "axis", axis);
    sfi_cf *cf = understand(&f, v);
    const sf_role role = cf->axis[0].role;
    *why = cf->axis[0].why;
    sfi_cf_free(cf);
    end(&f);
    return role;
}

TEST(roles_are_decided_in_the_order_of_trust)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const struct {
        const char *name, *standard, *units, *axis;
        sf_role role;
        const char *why;
    } cases[] = {
        {"a", "latitude", "degrees", "Y", SF_ROLE_LAT, "standard_name"},
        {"a", "grid_longitude", "degrees", "X", SF_ROLE_LON, "standard_name"},
        {"a", NULL, "degrees_north", "Y", SF_ROLE_LAT, "units"},
        {"a", NULL, "degreeE", NULL, SF_ROLE_LON, "units"},
        {"a", "air_pressure", "hPa", "Z", SF_ROLE_LEV, "standard_name"},
        {"a", "projection_x_coordinate", "m", NULL, SF_ROLE_X, "standard_name"},
        {"a", NULL, "days since 2000-01-01", NULL, SF_ROLE_T, "units"},
        {"a", NULL, "m", "X", SF_ROLE_X, "axis"},
        {"a", NULL, "m", "Z", SF_ROLE_LEV, "axis"},
        {"z", NULL, "m", "Z", SF_ROLE_Z, "axis"},
        {"lat", NULL, NULL, NULL, SF_ROLE_LAT, "name"},
        {"Longitude", NULL, "degrees", NULL, SF_ROLE_LON, "name"},
        {"level", NULL, "millibars", NULL, SF_ROLE_LEV, "name"},
        {"theta", NULL, NULL, NULL, SF_ROLE_THETA, "name"},
        {"a", NULL, "degrees", NULL, SF_ROLE_NONE, NULL},
        {"month", NULL, NULL, NULL, SF_ROLE_NONE, NULL},
        {"timestep", NULL, NULL, NULL, SF_ROLE_NONE, NULL}};
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        const char *why = NULL;
        assert_int_equal(role_of(ctx, cases[i].name, cases[i].standard,
                                 cases[i].units, cases[i].axis, &why),
                         cases[i].role);
        if (cases[i].why != NULL)
            assert_string_equal(why, cases[i].why);
        else
            CHECK(why == NULL);
    }
    sf_context_free(ctx);
}

/* The packing of the wind in xarray's ERA-Interim sample, month 1, 500 hPa, 45 N 60 W:
 * raw numbers and values by Python's netCDF4 in double. */
TEST(packed_numbers_are_unpacked_in_double)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const struct {
        double scale, offset;
        int16_t raw;
        double value;
    } cases[] = {{-0.00157270493804553, 26.96875, 775, 25.74990367301471},
                 {-0.000477819996337667, -1.46875, -14421, 5.421892167185497},
                 {-1.7250274674968, 66825.5, 8197, 52685.449848928765}};
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        fixture f;
        sfi_packing p;
        double got;
        begin(&f, ctx);
        const int v = var(&f, "v", SFI_NC_SHORT, 0, NULL, NULL);
        number(&f, v, "scale_factor", cases[i].scale);
        number(&f, v, "add_offset", cases[i].offset);
        /* No short is NaN: this matches nothing. */
        number(&f, v, "_FillValue", NAN);
        sfi_packing_read(&f.h.vars[v], false, &p);
        assert_int_equal(p.fill_count, 0);
        sfi_unpack(&p, &cases[i].raw, 1, &got);
        CHECK_CLOSE(got, cases[i].value, 1e-14);
        CHECK(sfi_packing_is_float(&p));
        end(&f);
    }
    sf_context_free(ctx);
}

TEST(missing_is_decided_before_unpacking)
{
    (void)state_;
    sf_context *ctx = new_context();
    fixture f;
    sfi_packing p;
    double got[6];
    begin(&f, ctx);
    const int v = var(&f, "v", SFI_NC_SHORT, 0, NULL, NULL);
    number(&f, v, "scale_factor", 0.5);
    number(&f, v, "_FillValue", -9);
    number(&f, v, "missing_value", 7);
    const int16_t range[] = {-10, 100}, raw[] = {-9, 7, -11, 101, 100, 14};
    CHECK_OK(ctx, sfi_nc_set(ctx, &f.h.vars[v].attrs, "valid_range",
                             SFI_NC_SHORT, 2, range));
    sfi_packing_read(&f.h.vars[v], false, &p);
    sfi_unpack(&p, raw, 6, got);
    for (int i = 0; i < 4; i++)
        CHECK(isnan(got[i]));
    CHECK(got[4] == 50.0 && got[5] == 7.0);
    end(&f);

    /* A fill value in double of a variable in float: compared as floats. */
    begin(&f, ctx);
    const int w = var(&f, "w", SFI_NC_FLOAT, 0, NULL, NULL);
    number(&f, w, "missing_value", 1e20);
    const float values[] = {1e20f, 1.0f, NAN, 9.96921e36f};
    sfi_packing_read(&f.h.vars[w], false, &p);
    sfi_unpack(&p, values, 4, got);
    CHECK(isnan(got[0]) && got[1] == 1.0 && isnan(got[2]) && isnan(got[3]));
    sfi_packing_read(&f.h.vars[w], true, &p);
    assert_int_equal(p.fill_count, 1);
    end(&f);

    /* Bytes have no fill value of their own; unsigned ones may be described by the
     * signed numbers of the same bits. */
    begin(&f, ctx);
    const int b = var(&f, "b", SFI_NC_BYTE, 0, NULL, NULL);
    text(&f, b, "_Unsigned", "true");
    number(&f, b, "_FillValue", -1);
    number(&f, b, "valid_max", -6);
    const int8_t bytes[] = {-1, -127, 5, -5, -6};
    sfi_packing_read(&f.h.vars[b], false, &p);
    sfi_unpack(&p, bytes, 5, got);
    CHECK(isnan(got[0]) && got[1] == 129.0 && got[2] == 5.0);
    CHECK(isnan(got[3]) && got[4] == 250.0);
    end(&f);
    sf_context_free(ctx);
}

static const double lats[] = {90, 0, -90}, lons[] = {0, 90, 180, 270, 360};

/* A field on falling latitudes and four longitudes, or five with the first one
 * again. */
static int globe(fixture *f, int columns)
{
    const int dims[] = {dim(f, "lat", 3), dim(f, "lon", columns)};
    const int y = var(f, "lat", SFI_NC_FLOAT, 1, &dims[0], lats),
              x = var(f, "lon", SFI_NC_FLOAT, 1, &dims[1], lons);
    text(f, y, "units", "degrees_north");
    text(f, x, "units", "degrees_east");
    return var(f, "v", SFI_NC_FLOAT, 2, dims, NULL);
}

TEST(longitudes_close_with_or_without_a_repeated_column)
{
    (void)state_;
    sf_context *ctx = new_context();
    fixture f;
    for (int columns = 3; columns <= 5; columns++) {
        begin(&f, ctx);
        sfi_cf *cf = understand(&f, globe(&f, columns));
        const sfi_cf_axis *a = &cf->axis[1];
        CHECK(a->period == (columns > 3 ? 360.0 : 0.0));
        CHECK(a->repeats == (columns == 5));
        CHECK(a->count == (columns == 3 ? 3 : 4));
        CHECK(cf->radius == 6371229.0);
        assert_string_equal(cf->radius_from, "assumed");
        sfi_cf_free(cf);
        end(&f);
    }
    sf_context_free(ctx);
}

TEST(bounds_are_edges_where_they_join)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const double joined[] = {90, 45, 45, -45, -45, -90},
                        turned[] = {45, 90, -45, 45, -90, -45},
                        apart[] = {90, 50, 40, -45, -45, -90},
                        outside[] = {90, 80, 80, 70, 70, -90};
    static const double *const bounds[] = {joined, turned, apart, outside};
    for (int i = 0; i < 4; i++) {
        fixture f;
        begin(&f, ctx);
        const int v = globe(&f, 4);
        const int pair = dim(&f, "two", 2);
        (void)var(&f, "b", SFI_NC_DOUBLE, 2, (int[]){0, pair}, bounds[i]);
        text(&f, 0, "bounds", "b");
        sfi_cf *cf = understand(&f, v);
        if (i < 2) {
            CHECK(cf->axis[0].edges != NULL);
            CHECK(cf->axis[0].edges[0] == 90 && cf->axis[0].edges[1] == 45);
            CHECK(cf->axis[0].edges[3] == -90 && cf->remark_count == 0);
        } else {
            CHECK(cf->axis[0].edges == NULL && cf->remark_count == 1);
        }
        bool fields[8];
        sfi_cf_fields(&f.h, fields);
        CHECK(!fields[0] && !fields[1] && fields[2] && !fields[3]);
        sfi_cf_free(cf);
        end(&f);
    }
    sf_context_free(ctx);
}

TEST(geometry_is_refused_where_there_are_no_axes)
{
    (void)state_;
    sf_context *ctx = new_context();
    fixture f;
    begin(&f, ctx);
    const int dims[] = {dim(&f, "j", 2), dim(&f, "i", 3)};
    const int lat = var(&f, "lat2", SFI_NC_DOUBLE, 2, dims, NULL),
              v = var(&f, "v", SFI_NC_DOUBLE, 2, dims, NULL);
    text(&f, lat, "standard_name", "latitude");
    text(&f, v, "coordinates", "lat2 nowhere");
    sfi_cf *cf = understand(&f, v);
    assert_int_equal(cf->geometry, SF_GEOMETRY_NONE);
    CHECK(strstr(cf->obstacle, "lat2 has two dimensions") != NULL);
    sfi_cf_free(cf);
    end(&f);

    begin(&f, ctx);
    const int cell = dim(&f, "cell", 5);
    const int y = var(&f, "clat", SFI_NC_DOUBLE, 1, &cell, NULL),
              w = var(&f, "w", SFI_NC_DOUBLE, 1, &cell, NULL);
    text(&f, y, "units", "degrees_north");
    text(&f, w, "coordinates", "clat");
    cf = understand(&f, w);
    assert_int_equal(cf->geometry, SF_GEOMETRY_NONE);
    CHECK(strstr(cf->obstacle, "cells of a mesh") != NULL);
    sfi_cf_free(cf);
    end(&f);
    sf_context_free(ctx);
}

TEST(a_grid_mapping_gives_radius_and_pole)
{
    (void)state_;
    sf_context *ctx = new_context();
    fixture f;
    begin(&f, ctx);
    const int v = globe(&f, 4);
    const int crs = var(&f, "crs", SFI_NC_INT, 0, NULL, NULL);
    text(&f, v, "grid_mapping", "crs: lat lon");
    text(&f, crs, "grid_mapping_name", "rotated_latitude_longitude");
    number(&f, crs, "grid_north_pole_latitude", 39.25);
    number(&f, crs, "grid_north_pole_longitude", -162);
    number(&f, crs, "semi_major_axis", 6371220);
    sfi_cf *cf = understand(&f, v);
    CHECK(cf->is_rotated && cf->pole_lat == 39.25 && cf->pole_lon == -162);
    CHECK(cf->radius == 6371220);
    assert_string_equal(cf->radius_from, "semi_major_axis");
    sfi_cf_free(cf);
    number(&f, crs, "earth_radius", 6370000);
    cf = understand(&f, v);
    CHECK(cf->radius == 6370000);
    sfi_cf_free(cf);
    end(&f);
    sf_context_free(ctx);
}

TEST(coordinates_that_are_none_are_counted_and_said)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const double zigzag[] = {1, 3, 2}, hole[] = {1, -9, 3};
    for (int i = 0; i < 2; i++) {
        fixture f;
        begin(&f, ctx);
        const int d = dim(&f, "x", 3);
        const int x = var(&f, "x", SFI_NC_FLOAT, 1, &d, i == 0 ? zigzag : hole);
        const int v = var(&f, "v", SFI_NC_FLOAT, 1, &d, NULL);
        number(&f, x, "_FillValue", -9);
        sfi_cf *cf = understand(&f, v);
        CHECK(cf->axis[0].role == SF_ROLE_NONE);
        CHECK(cf->axis[0].coords[2] == 2.0);
        CHECK(strstr(cf->remarks[0], i == 0 ? "neither grow nor fall"
                                            : "a coordinate is missing"));
        sfi_cf_free(cf);
        end(&f);
    }
    sf_context_free(ctx);
}

TEST(a_second_axis_of_a_role_has_none)
{
    (void)state_;
    sf_context *ctx = new_context();
    fixture f;
    begin(&f, ctx);
    const int dims[] = {dim(&f, "lat", 2), dim(&f, "latitude", 3),
                        dim(&f, "z", 2)};
    for (int k = 0; k < 3; k++)
        (void)var(&f, f.h.dims[k].name, SFI_NC_DOUBLE, 1, &dims[k], NULL);
    const int v = var(&f, "v", SFI_NC_FLOAT, 3, dims, NULL);
    sfi_cf *cf = understand(&f, v);
    CHECK(cf->axis[0].role == SF_ROLE_LAT && cf->axis[1].role == SF_ROLE_NONE);
    CHECK(cf->axis[2].role == SF_ROLE_LEV);
    sfi_cf_free(cf);
    end(&f);
    sf_context_free(ctx);
}

TEST(names_that_are_not_there_are_suggested)
{
    (void)state_;
    sf_context *ctx = new_context();
    fixture f;
    int found = -1;
    begin(&f, ctx);
    const int v = globe(&f, 4);
    CHECK_OK(ctx, sfi_cf_find(ctx, &f.source, NULL, &found));
    assert_int_equal(found, v);
    CHECK_OK(ctx, sfi_cf_find(ctx, &f.source, "/lat", &found));
    assert_int_equal(found, 0);
    CHECK_FAILS(ctx, sfi_cf_find(ctx, &f.source, "lot", &found), SF_E_FORMAT,
                "has no variable \"lot\"; did you mean lat?");
    CHECK_FAILS(ctx, sfi_cf_find(ctx, &f.source, "temperature", &found),
                SF_E_FORMAT, "its fields are: v");
    (void)var(&f, "w", SFI_NC_FLOAT, 2, f.h.vars[v].dims, NULL);
    CHECK_FAILS(ctx, sfi_cf_find(ctx, &f.source, NULL, &found), SF_E_FORMAT,
                "several fields, name one: v, w");
    end(&f);
    sf_context_free(ctx);
}

/* ---- selections ------------------------------------------------------------- */

static void check_span(const sfi_cf *cf, const char *what, int k, int64_t first,
                       int64_t count, bool is_single)
{
    sfi_span spans[SFI_CF_MOST_AXES];
    CHECK_OK(cf->ctx, sfi_select(cf, what, spans));
    assert_int_equal(spans[k].first, first);
    assert_int_equal(spans[k].count, count);
    assert_int_equal(spans[k].is_single, is_single);
}

TEST(points_are_selected_by_value_range_and_date)
{
    (void)state_;
    sf_context *ctx = new_context();
    fixture f;
    begin(&f, ctx);
    static const double months[] = {0, 31, 59, 90};
    const int dims[] = {dim(&f, "time", 4), dim(&f, "lat", 3),
                        dim(&f, "lon", 4)};
    const int t = var(&f, "time", SFI_NC_DOUBLE, 1, &dims[0], months),
              y = var(&f, "lat", SFI_NC_FLOAT, 1, &dims[1], lats),
              x = var(&f, "lon", SFI_NC_FLOAT, 1, &dims[2], lons);
    text(&f, t, "units", "days since 1970-01-01");
    text(&f, y, "units", "degrees_north");
    text(&f, x, "units", "degrees_east");
    sfi_cf *cf = understand(&f, var(&f, "v", SFI_NC_FLOAT, 3, dims, NULL));
    check_span(cf, NULL, 1, 0, 3, false);
    check_span(cf, " lat = 0 ", 1, 1, 1, true);
    check_span(cf, "lat=-90:10", 1, 1, 2, false);
    check_span(cf, "lat=10:-90;lon=90", 1, 1, 2, false);
    check_span(cf, "lon=-90", 2, 3, 1, true);
    check_span(cf, "lon=-100:100", 2, 3, 3, false);
    check_span(cf, "lon=260:10", 2, 3, 2, false);
    check_span(cf, "lon=0:360", 2, 0, 4, false);
    check_span(cf, "time=1970-02", 0, 1, 1, true);
    check_span(cf, "t=1970-02-01", 0, 1, 1, true);
    check_span(cf, "time=1970-01-15:1970-03-01T00:00", 0, 1, 2, false);
    check_span(cf, "time=59", 0, 2, 1, true);
    check_span(cf, "time=30:60", 0, 1, 2, false);
    sfi_span spans[SFI_CF_MOST_AXES];
    static const struct {
        const char *text;
        sf_status status;
        const char *part;
    } bad[] = {
        {"lat=45", SF_E_ARG, "lat has no point at 45; the nearest ones are "},
        {"time=1971-01-01", SF_E_ARG, "the nearest ones are 1970-04-01"},
        {"lot=1", SF_E_ARG, "no axis is called \"lot\"; did you mean l"},
        {"height=1", SF_E_ARG, "they are: time, lat, lon"},
        {"lat", SF_E_PARSE, "want AXIS=VALUE"},
        {"lat=", SF_E_PARSE, "want AXIS=VALUE"},
        {"lat=north", SF_E_ARG, "\"north\" is not a number or a range A:B"},
        {"time=noon", SF_E_ARG, "no date of the calendar standard"},
        {"lat=1970-02-01", SF_E_ARG, "looks like a date, but lat has no unit"}};
    for (size_t i = 0; i < SFI_COUNT(bad); i++)
        CHECK_FAILS(ctx, sfi_select(cf, bad[i].text, spans), bad[i].status,
                    bad[i].part);
    sfi_cf_free(cf);
    end(&f);
    sf_context_free(ctx);
}

/* Longitudes of a region, typed in the other convention. */
TEST(longitudes_of_a_region_count_modulo_a_turn)
{
    (void)state_;
    sf_context *ctx = new_context();
    fixture f;
    static const double west[] = {-140, -130, -120};
    begin(&f, ctx);
    const int d = dim(&f, "lon", 3);
    const int x = var(&f, "lon", SFI_NC_FLOAT, 1, &d, west);
    text(&f, x, "units", "degrees_east");
    sfi_cf *cf = understand(&f, var(&f, "v", SFI_NC_FLOAT, 1, &d, NULL));
    check_span(cf, "lon=230", 0, 1, 1, true);
    check_span(cf, "lon=225:245", 0, 1, 2, false);
    check_span(cf, "lon=-140:-130", 0, 0, 2, false);
    sfi_cf_free(cf);
    end(&f);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *plain = new_context();
    fixture f;
    begin(&f, plain);
    const int v = globe(&f, 5);
    const int pair = dim(&f, "two", 2);
    static const double joined[] = {90, 45, 45, -45, -45, -90};
    (void)var(&f, "b", SFI_NC_DOUBLE, 2, (int[]){0, pair}, joined);
    text(&f, 0, "bounds", "b");
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sfi_cf *cf = NULL;
        status = sfi_cf_read(ctx, &cf, &f.source, v, 0.0);
        sfi_cf_free(cf);
    }
    end(&f);
    sf_context_free(ctx);
    sf_context_free(plain);
}

TESTS(CASE(roles_are_decided_in_the_order_of_trust),
      CASE(packed_numbers_are_unpacked_in_double),
      CASE(missing_is_decided_before_unpacking),
      CASE(longitudes_close_with_or_without_a_repeated_column),
      CASE(bounds_are_edges_where_they_join),
      CASE(geometry_is_refused_where_there_are_no_axes),
      CASE(a_grid_mapping_gives_radius_and_pole),
      CASE(coordinates_that_are_none_are_counted_and_said),
      CASE(a_second_axis_of_a_role_has_none),
      CASE(names_that_are_not_there_are_suggested),
      CASE(points_are_selected_by_value_range_and_date),
      CASE(longitudes_of_a_region_count_modulo_a_turn),
      CASE(every_allocation_may_fail))
