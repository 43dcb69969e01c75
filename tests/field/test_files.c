/* SPDX-License-Identifier: Apache-2.0 */
/* Fields from files and back.  The files of tests/data/fields were written by
 * Python's netCDF4 (make.py beside them), and the numbers follow from what it put
 * in. */
#include "faults.h"

#include "field/units.h"
#include "io/netcdf.h"
#include "scorefield/field.h"

#include <unistd.h>

#define NEEDS_NETCDF()                                                         \
    do {                                                                       \
        if (!sfi_nc_available())                                               \
            skip();                                                            \
    } while (0)

#define FILES "tests/data/fields/"

static const char out[] = "test_files.tmp.nc";

static sf_field read_field(sf_context *ctx, const char *path, const char *var,
                           const char *select)
{
    sf_field_read_options o = SF_FIELD_READ_OPTIONS_INIT;
    sf_field f;
    o.select = select;
    CHECK_OK(ctx, sf_field_read(ctx, &f, path, var, &o));
    return f;
}

static double value(const sf_field *f, int64_t i, int64_t j, int64_t k)
{
    const int rank = sf_grid_rank(f->grid);
    const int64_t at[3] = {i, j, k};
    int64_t e = 0;
    for (int a = 0; a < rank; a++)
        e += at[a + 3 - rank] * f->step[a];
    return f->dtype == SF_F32 ? ((const float *)f->data[0])[e]
                              : ((const double *)f->data[0])[e];
}

/* Raw number 10363 at [1, 2, 3]; xarray gives the same double. */
TEST(packed_fields_on_the_globe)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sf_field u = read_field(ctx, FILES "packed.nc", "u", NULL);
    CHECK(value(&u, 1, 2, 3) == 10.670808727034174);
    assert_string_equal(u.unit, "m s**-1");
    assert_string_equal(sf_field_description(&u, "standard_name"),
                        "eastward_wind");
    CHECK(sf_field_description(&u, "scale_factor") == NULL);
    assert_int_equal(sf_grid_geometry(u.grid), SF_GEOMETRY_SPHERE);
    const sf_axis *lat = sf_grid_axis(u.grid, 1),
                  *lon = sf_grid_axis(u.grid, 2);
    CHECK(lat->role == SF_ROLE_LAT && lat->coords[0] == 90.0);
    CHECK(lon->period == 360.0 && lon->coords[0] == -180.0);
    CHECK(sf_grid_axis(u.grid, 0)->role == SF_ROLE_LEV);
    /* The cap of half a row, and a turn of longitude. */
    CHECK_CLOSE(8.0 * sf_grid_volume(u.grid, (int64_t[]){0, 0, 0}) / 350.0,
                4.0 * acos(0.0) * 6371229.0 * 6371229.0 *
                    (1.0 - sin(acos(0.0) * 0.75)),
                1e-13);
    sf_field_free(ctx, &u);

    /* Unsigned bytes 7 i, of which 2 to 253 are valid and 255 is missing; a factor
     * that is 0.1 in float. */
    sf_field v = read_field(ctx, FILES "packed.nc", "v", NULL);
    int missing = 0;
    for (int i = 0; i < 40; i++) {
        const int raw = i == 39 ? 255 : i * 7 % 256;
        const double got = value(&v, 0, i / 8, i % 8);
        const bool is_missing = raw < 2 || raw > 253;
        missing += isnan(got);
        CHECK(is_missing ? isnan(got) : got == raw * (double)0.1f);
    }
    assert_int_equal(missing, 2);
    sf_field_free(ctx, &v);
    sf_context_free(ctx);
}

TEST(selections_go_over_the_seam)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sf_field all = read_field(ctx, FILES "packed.nc", "u", NULL);
    sf_field some = read_field(ctx, FILES "packed.nc", "u",
                               "lon=90:-90; lev=850; lat=45:-45");
    assert_int_equal(sf_grid_rank(some.grid), 2);
    const sf_axis *lon = sf_grid_axis(some.grid, 1);
    const double want[] = {-270, -225, -180, -135, -90};
    assert_int_equal(lon->count, 5);
    CHECK(lon->period == 0.0);
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 5; i++) {
            CHECK(lon->coords[i] == want[i]);
            CHECK(value(&some, 0, j, i) == value(&all, 1, j + 1, (i + 6) % 8));
        }
    sf_field_free(ctx, &some);
    sf_field one = read_field(ctx, FILES "packed.nc", "u", "lat=0;lon=180");
    assert_int_equal(sf_grid_rank(one.grid), 1);
    CHECK(value(&one, 0, 0, 1) == value(&all, 1, 2, 0));
    sf_field_free(ctx, &one);
    sf_field_free(ctx, &all);
    sf_context_free(ctx);
}

TEST(fields_of_a_climate_model)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sf_field t = read_field(ctx, FILES "climate.nc", NULL, NULL);
    assert_string_equal(t.name, "t");
    CHECK(value(&t, 0, 0, 0) == 250.0 && value(&t, 2, 1, 2) == 280.0);
    CHECK(isnan(value(&t, 1, 2, 3)));
    assert_string_equal(sf_grid_axis(t.grid, 0)->calendar, "360_day");
    CHECK(sf_grid_radius(t.grid) == 6371220.0);
    const double *edges = sf_grid_axis(t.grid, 1)->edges;
    CHECK(edges[0] == 5 && edges[1] == 20 && edges[3] == 60);
    CHECK(sf_grid_axis(t.grid, 0)->edges[0] == -946800.0 - 4320.0);
    sf_field_free(ctx, &t);
    t = read_field(ctx, FILES "climate.nc", "t", "time=1861-06-01");
    CHECK(sf_grid_rank(t.grid) == 2 && value(&t, 0, 0, 1) == 263.0);
    sf_field_free(ctx, &t);
    t = read_field(ctx, FILES "climate.nc", "t", "time=1861-01:1862-05");
    assert_int_equal(sf_grid_axis(t.grid, 0)->count, 1);
    sf_field_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(groups_meshes_and_odd_axes)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sf_field q = read_field(ctx, FILES "groups.nc", "/run/two/q", NULL);
    assert_string_equal(q.name, "q");
    assert_string_equal(q.unit, "kg");
    CHECK(value(&q, 0, 1, 2) == 65534.0 && isnan(value(&q, 0, 1, 1)));
    assert_string_equal(sf_grid_axis(q.grid, 0)->name, "y");
    CHECK(sf_grid_axis(q.grid, 1)->coords[2] == 2.5);
    sf_field_free(ctx, &q);

    static const char *const none[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        sf_field f = read_field(ctx, FILES "shapes.nc", none[i], NULL);
        assert_int_equal(sf_grid_geometry(f.grid), SF_GEOMETRY_NONE);
        CHECK(sf_grid_weights(f.grid, 0) == NULL);
        CHECK(isnan(sf_grid_volume(f.grid, (int64_t[]){0, 0})));
        sf_field_free(ctx, &f);
    }
    sf_field c = read_field(ctx, FILES "shapes.nc", "c", NULL);
    assert_int_equal(sf_grid_axis(c.grid, 0)->count, 4);
    CHECK(sf_grid_axis(c.grid, 0)->repeats);
    double at[] = {315.0}, got;
    CHECK_OK(ctx, sf_field_at(ctx, &c, 0, (sf_cmat){at, 1, 1, 1}, &got));
    CHECK_CLOSE(got, 2.5, 1e-15);
    sf_field_free(ctx, &c);
    sf_field d = read_field(ctx, FILES "shapes.nc", "d", NULL);
    CHECK(sf_grid_axis(d.grid, 0)->coords[1] == 1.0);
    sf_field_free(ctx, &d);
    sf_context_free(ctx);
}

TEST(files_that_do_not_hold_the_field_are_refused)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sf_field f;
    static const struct {
        const char *file, *var, *select;
        sf_status status;
        const char *part;
    } cases[] = {
        {FILES "packed.nc", "temperature", NULL, SF_E_FORMAT,
         "its fields are: u, v"},
        {FILES "packed.nc", "levle", NULL, SF_E_FORMAT, "did you mean level?"},
        {FILES "packed.nc", NULL, NULL, SF_E_FORMAT, "several fields"},
        {FILES "packed.nc", "u", "lat=10", SF_E_ARG,
         "latitude has no point at 10"},
        {FILES "packed.nc", "u", "lat=0;lon=0;lev=500", SF_E_SHAPE,
         "is a single number"},
        {FILES "packed.nc", "u", "level=2000-01-01", SF_E_ARG,
         "level has no unit"},
        {FILES "shapes.nc", "e", NULL, SF_E_SHAPE,
         "dimension \"record\" of \"e\" has no points (it is unlimited"},
        {FILES "shapes.nc", "label", NULL, SF_E_FORMAT, "holds texts"},
        {"nowhere.nc", NULL, NULL, SF_E_IO, "nowhere.nc: cannot be opened"},
        {FILES "make.py", NULL, NULL, SF_E_FORMAT, "is not a NetCDF file"}};
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        sf_field_read_options o = SF_FIELD_READ_OPTIONS_INIT;
        o.select = cases[i].select;
        CHECK_FAILS(ctx,
                    sf_field_read(ctx, &f, cases[i].file, cases[i].var, &o),
                    cases[i].status, cases[i].part);
        CHECK(f.owner == NULL && f.data[0] == NULL);
    }
    sf_context_free(ctx);
}

static void count_warning(void *user, const char *text)
{
    (void)text;
    ++*(int *)user;
}

TEST(guesses_are_warnings)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    int count = 0;
    sf_context_set_warning(ctx, count_warning, &count);
    sf_field f = read_field(ctx, FILES "packed.nc", "u", NULL);
    assert_int_equal(count, 1); /* level, by its name */
    sf_field_free(ctx, &f);
    sf_context_free(ctx);
}

/* ---- writing ---------------------------------------------------------------- */

static void check_same(const sf_field *a, const sf_field *b)
{
    const int rank = sf_grid_rank(a->grid);
    assert_int_equal(rank, sf_grid_rank(b->grid));
    for (int k = 0; k < rank; k++) {
        const sf_axis *p = sf_grid_axis(a->grid, k),
                      *q = sf_grid_axis(b->grid, k);
        assert_string_equal(p->name, q->name);
        assert_int_equal(p->count, q->count);
        CHECK(p->role == q->role && p->period == q->period);
        CHECK(p->repeats == q->repeats);
        for (int64_t i = 0; i < p->count; i++)
            CHECK(p->coords[i] == q->coords[i]);
        for (int64_t i = 0; i <= p->count; i++)
            CHECK_NEAR(p->edges[i], q->edges[i],
                       1e-9 * fabs(p->edges[p->count] - p->edges[0]));
    }
    const int64_t n = sf_field_points(a, 0);
    double *x = malloc((size_t)n * sizeof *x),
           *y = malloc((size_t)n * sizeof *y);
    sf_field_get(a, 0, x);
    sf_field_get(b, 0, y);
    for (int64_t i = 0; i < n; i++)
        CHECK(isnan(x[i]) ? isnan(y[i]) : x[i] == y[i]);
    free(x);
    free(y);
}

TEST(what_is_written_is_read_back_in_every_format)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    static const char *const sources[][2] = {{FILES "packed.nc", "u"},
                                             {FILES "packed.nc", "v"},
                                             {FILES "climate.nc", "t"},
                                             {FILES "shapes.nc", "c"}};
    for (size_t i = 0; i < SFI_COUNT(sources); i++)
        for (int format = SF_FILE_AUTO; format <= SF_FILE_NETCDF4; format++) {
            sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
            sf_field f = read_field(ctx, sources[i][0], sources[i][1], NULL);
            o.format = (sf_file_format)format;
            if (format != SF_FILE_CLASSIC)
                o.like = sources[i][0];
            o.deflate = format == SF_FILE_NETCDF4 ? 5 : 0;
            CHECK_OK(ctx, sf_field_write(ctx, out, 1, &f, &o));
            sf_field g = read_field(ctx, out, sources[i][1], NULL);
            check_same(&f, &g);
            assert_int_equal(sf_grid_geometry(f.grid),
                             sf_grid_geometry(g.grid));
            if (f.unit != NULL)
                assert_string_equal(f.unit, g.unit);
            CHECK(sf_grid_radius(f.grid) == sf_grid_radius(g.grid));
            sf_field_free(ctx, &f);
            sf_field_free(ctx, &g);
            unlink(out);
        }
    sf_context_free(ctx);
}

/* Readers other than ours rely on the column that a closed axis says twice. */
TEST(a_repeated_column_is_written_again)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sf_field c = read_field(ctx, FILES "shapes.nc", "c", NULL);
    sfi_nc *f = NULL;
    double raw[5];
    const sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    CHECK_OK(ctx, sf_field_write(ctx, out, 1, &c, &o));
    CHECK_OK(ctx, sfi_nc_open(ctx, &f, out));
    const sfi_nc_header *h = sfi_nc_header_of(f);
    const int var = sfi_nc_find_var(h, "c");
    assert_int_equal(sfi_nc_var_count(h, var), 5);
    CHECK_OK(ctx, sfi_nc_read(f, var, (int64_t[]){0}, (int64_t[]){5}, raw));
    for (int64_t i = 0; i < 5; i++)
        CHECK(raw[i] == value(&c, 0, 0, i % 4));
    sfi_nc_close(f);
    sf_field_free(ctx, &c);
    unlink(out);
    sf_context_free(ctx);
}

TEST(a_file_made_like_another_keeps_what_it_says)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    sf_field_read_options r = SF_FIELD_READ_OPTIONS_INIT;
    r.dtype = SF_F32;
    sf_field t;
    sfi_nc *f = NULL;
    CHECK_OK(ctx, sf_field_read(ctx, &t, FILES "climate.nc", "t", &r));
    o.like = FILES "climate.nc";
    o.history = "2026-11-30 scorefield";
    CHECK_OK(ctx, sf_field_write(ctx, out, 1, &t, &o));
    CHECK_OK(ctx, sfi_nc_open(ctx, &f, out));
    const sfi_nc_header *h = sfi_nc_header_of(f);
    assert_int_equal(h->format, SFI_NC_NETCDF4);
    CHECK(h->dims[sfi_nc_find_dim(h, "time")].is_unlimited);
    assert_string_equal(sfi_nc_text(&h->attrs, "history"),
                        "2026-11-30 scorefield\nmade for tests");
    assert_string_equal(sfi_nc_text(&h->attrs, "Conventions"), "CF-1.8");
    const int v = sfi_nc_find_var(h, "t"), lat = sfi_nc_find_var(h, "lat"),
              height = sfi_nc_find_var(h, "height"),
              crs = sfi_nc_find_var(h, "crs");
    CHECK(v >= 0 && lat >= 0 && height >= 0 && crs >= 0);
    CHECK(h->vars[v].type == SFI_NC_FLOAT && h->vars[lat].type == SFI_NC_FLOAT);
    CHECK(sfi_nc_value(&h->vars[v].attrs, "_FillValue") == -9999.0);
    CHECK(sfi_nc_attr_find(&h->vars[lat].attrs, "_FillValue") == NULL);
    assert_string_equal(sfi_nc_text(&h->vars[v].attrs, "cell_methods"),
                        "time: mean");
    assert_string_equal(sfi_nc_text(&h->vars[v].attrs, "coordinates"),
                        "height");
    CHECK(sfi_nc_value(&h->vars[crs].attrs, "earth_radius") == 6371220.0);
    double raw;
    CHECK_OK(ctx, sfi_nc_read(f, height, NULL, NULL, &raw));
    CHECK(raw == 1.5);
    /* Bounds come along as they are, in the type that they had. */
    assert_string_equal(sfi_nc_text(&h->vars[lat].attrs, "bounds"), "lat_bnds");
    const int bounds = sfi_nc_find_var(h, "lat_bnds");
    CHECK(bounds >= 0 && h->vars[bounds].type == SFI_NC_FLOAT);
    float pairs[6];
    CHECK_OK(ctx, sfi_nc_read(f, bounds, (int64_t[]){0, 0}, (int64_t[]){3, 2},
                              pairs));
    CHECK(pairs[0] == 5.0f && pairs[3] == 40.0f);
    CHECK(sfi_nc_find_var(h, "time_bnds") >= 0);
    sfi_nc_close(f);
    sf_field_free(ctx, &t);
    unlink(out);
    sf_context_free(ctx);
}

/* Nodes on walls have half cells there, which a reader cannot guess; a 1-form lies
 * between the points; another radius and a rotated pole are told by a mapping. */
TEST(grids_of_our_own_survive)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sf_grid *g = NULL;
    sf_field f, back;
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, "y = 0:1:4 map s^2; x = 0:3:3"));
    CHECK_OK(ctx, sf_field_new(ctx, &f, g, 2, (unsigned[]){1, 2}, SF_F64, 0));
    CHECK_OK(ctx, sf_field_set_name(ctx, &f, "A"));
    CHECK_OK(ctx, sf_field_set(ctx, &f, 0, "x + 10*y"));
    CHECK_OK(ctx, sf_field_write(ctx, out, 1, &f, NULL));
    back = read_field(ctx, out, "A_y", NULL);
    assert_string_equal(sf_grid_axis(back.grid, 0)->name, "y_half");
    assert_int_equal(sf_grid_axis(back.grid, 0)->count, 3);
    CHECK_CLOSE(value(&back, 0, 0, 1), 1.5 + 5.0 / 9.0, 1e-14);
    const double *edges = sf_grid_axis(back.grid, 1)->edges;
    CHECK(edges[0] == 0.0 && edges[3] == 3.0);
    sf_field_free(ctx, &back);
    sf_field_free(ctx, &f);
    sf_grid_free(g);

    const double lat[] = {-5, 0, 5}, lon[] = {-3, 0, 3, 7};
    const sf_axis axes[] = {{.name = "rlat",
                             .unit = "degrees",
                             .role = SF_ROLE_LAT,
                             .count = 3,
                             .coords = lat},
                            {.name = "rlon",
                             .unit = "degrees",
                             .role = SF_ROLE_LON,
                             .count = 4,
                             .coords = lon}};
    sf_grid_options o = SF_GRID_OPTIONS_INIT;
    o.radius = 1000.0;
    o.is_rotated = true;
    o.pole_lat = 39.25;
    o.pole_lon = -162.0;
    double pole_lat, pole_lon;
    CHECK_OK(ctx, sf_grid_new(ctx, &g, 2, axes, &o));
    CHECK_OK(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 0));
    CHECK_OK(ctx, sf_field_set_name(ctx, &f, "h"));
    CHECK_OK(ctx, sf_field_write(ctx, out, 1, &f, NULL));
    back = read_field(ctx, out, "h", NULL);
    CHECK(sf_grid_pole(back.grid, &pole_lat, &pole_lon));
    CHECK(pole_lat == 39.25 && pole_lon == -162.0);
    CHECK(sf_grid_radius(back.grid) == 1000.0);
    sf_field_free(ctx, &back);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    unlink(out);
    sf_context_free(ctx);
}

TEST(outputs_that_cannot_be_are_refused)
{
    (void)state_;
    NEEDS_NETCDF();
    sf_context *ctx = new_context();
    sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    sf_field f[2] = {read_field(ctx, FILES "packed.nc", "u", NULL),
                     read_field(ctx, FILES "packed.nc", "v", "lat=0:90")};
    CHECK_FAILS(ctx, sf_field_write(ctx, out, 2, f, NULL), SF_E_ARG,
                "axis \"latitude\" has 5 points in one field and 3");
    CHECK_FAILS(ctx, sf_field_write(ctx, "a.grb", 1, f, NULL), SF_E_ARG,
                "fields are written to .nc");
    CHECK_FAILS(ctx, sf_field_write(ctx, "a.npy", 2, f, NULL), SF_E_ARG,
                "holds one field, not 2");
    o.deflate = 4;
    o.format = SF_FILE_CLASSIC;
    CHECK_FAILS(ctx, sf_field_write(ctx, out, 1, f, &o), SF_E_ARG,
                "only NetCDF-4 compresses");
    o = (sf_field_write_options)SF_FIELD_WRITE_OPTIONS_INIT;
    CHECK_OK(ctx, sf_field_write(ctx, out, 1, f, &o));
    o.like = out;
    CHECK_FAILS(ctx, sf_field_write(ctx, out, 1, f, &o), SF_E_ARG,
                "is both read and written");
    CHECK_OK(ctx, sf_field_set_name(ctx, &f[0], NULL));
    CHECK_FAILS(ctx, sf_field_write(ctx, out, 1, f, NULL), SF_E_ARG,
                "without a name");
    sf_field_free(ctx, &f[0]);
    sf_field_free(ctx, &f[1]);
    unlink(out);
    sf_context_free(ctx);
}

TEST(arrays_become_fields_on_a_typed_grid)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = NULL;
    sf_field f, back;
    sf_field_read_options o = SF_FIELD_READ_OPTIONS_INIT;
    static const char grid[] = "x = 0:1:3; y = 0:1:2";
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, grid));
    CHECK_OK(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F32, 1));
    CHECK_OK(ctx, sf_field_set(ctx, &f, 0, "x + 10*y"));
    CHECK_OK(ctx, sf_field_write(ctx, "test_files.tmp.npy", 1, &f, NULL));
    CHECK_FAILS(ctx,
                sf_field_read(ctx, &back, "test_files.tmp.npy", NULL, NULL),
                SF_E_ARG, "give its grid");
    o.grid = "x = 0:1:3; y = 0:1:3";
    CHECK_FAILS(ctx, sf_field_read(ctx, &back, "test_files.tmp.npy", NULL, &o),
                SF_E_FORMAT, "axis 0 of the array has 2 points, axis \"y\"");
    o.grid = grid;
    CHECK_OK(ctx, sf_field_read(ctx, &back, "test_files.tmp.npy", NULL, &o));
    CHECK(value(&back, 0, 1, 2) == 11.0);
    sf_field_free(ctx, &back);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    unlink("test_files.tmp.npy");
    sf_context_free(ctx);
}

/* The text of a file up to the raw data, and the offset of that. */
static char *load(const char *path, size_t *size, size_t *raw)
{
    FILE *in = fopen(path, "rb");
    CHECK(in != NULL);
    char *bytes = malloc(1 << 16);
    *size = fread(bytes, 1, (1 << 16) - 1, in);
    bytes[*size] = '\0';
    fclose(in);
    const char *mark = strstr(bytes, "encoding=\"raw\">\n_");
    *raw = mark != NULL ? (size_t)(mark - bytes) + 17 : *size;
    return bytes;
}

/* Falling latitudes are written from the south; a vector has three components, the
 * last axis first. */
TEST(vtk_files_hold_growing_axes)
{
    (void)state_;
    sf_context *ctx = new_context();
    const double lat[] = {30, 20, 0}, lon[] = {5, 6};
    const sf_axis axes[] = {
        {.name = "lat", .role = SF_ROLE_LAT, .count = 3, .coords = lat},
        {.name = "lon", .role = SF_ROLE_LON, .count = 2, .coords = lon}};
    sf_grid *g = NULL;
    sf_field f;
    size_t size, raw;
    uint64_t bytes;
    double values[3];
    CHECK_OK(ctx, sf_grid_new(ctx, &g, 2, axes, NULL));
    CHECK_OK(ctx, sf_field_new(ctx, &f, g, 2, NULL, SF_F64, 0));
    CHECK_OK(ctx, sf_field_set_name(ctx, &f, "a<b"));
    CHECK_OK(ctx, sf_field_set(ctx, &f, 0, "lat"));
    CHECK_OK(ctx, sf_field_set(ctx, &f, 1, "lon"));
    CHECK_FAILS(ctx, sf_field_write(ctx, "test_files.tmp.vti", 1, &f, NULL),
                SF_E_ARG, "axis \"lat\" is not uniform; want .vtr");
    CHECK_OK(ctx, sf_field_write(ctx, "test_files.tmp.vtr", 1, &f, NULL));
    char *text = load("test_files.tmp.vtr", &size, &raw);
    CHECK(strstr(text, "WholeExtent=\"0 1 0 2 0 0\"") != NULL);
    CHECK(strstr(text, "Name=\"a&lt;b\" NumberOfComponents=\"3\"") != NULL);
    memcpy(&bytes, text + raw, sizeof bytes);
    assert_int_equal(bytes, 6 * 3 * sizeof(double));
    /* The second point: latitude 0, longitude 6. */
    memcpy(values, text + raw + 8 + 3 * sizeof(double), sizeof values);
    CHECK(values[0] == 6.0 && values[1] == 0.0 && values[2] == 0.0);
    /* Then the coordinates, longitudes first. */
    memcpy(values, text + raw + 8 + 18 * sizeof(double) + 8 + 16 + 8,
           sizeof values);
    CHECK(values[0] == 0.0 && values[1] == 20.0 && values[2] == 30.0);
    free(text);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    unlink("test_files.tmp.vtr");
    sf_context_free(ctx);
}

TEST(lists_of_times_name_their_files)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = NULL;
    sf_field f[2];
    size_t size, raw;
    sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    o.times = (const double[]){0.5, 2.0};
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, "x = 0:1:3; y = 1:2:2"));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(ctx, sf_field_new(ctx, &f[i], g, 1, NULL, SF_F32, 1));
        CHECK_OK(ctx, sf_field_set(ctx, &f[i], 0, "x"));
    }
    CHECK_OK(ctx, sf_field_write(ctx, "test_files.tmp.pvd", 2, f, &o));
    char *text = load("test_files.tmp.pvd", &size, &raw);
    CHECK(strstr(text, "timestep=\"2\" file=\"test_files.tmp_0001.vti\""));
    free(text);
    text = load("test_files.tmp_0001.vti", &size, &raw);
    CHECK(strstr(text, "Origin=\"0 1 0\" Spacing=\"0.5 1 1\"") != NULL);
    CHECK(size == raw + 8 + 6 * sizeof(float) +
                      strlen("\n  </AppendedData>\n</VTKFile>\n"));
    free(text);
    for (int i = 0; i < 2; i++)
        sf_field_free(ctx, &f[i]);
    sf_grid_free(g);
    unlink("test_files.tmp.pvd");
    unlink("test_files.tmp_0000.vti");
    unlink("test_files.tmp_0001.vti");
    sf_context_free(ctx);
}

static sf_status copy_file(sf_context *ctx)
{
    sf_field f;
    sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    sf_field_read_options r = SF_FIELD_READ_OPTIONS_INIT;
    o.like = FILES "climate.nc";
    r.select = "lon=240:270; time=1861-06";
    SFI_TRY(sf_field_read(ctx, &f, FILES "climate.nc", "t", &r));
    sf_status status = sf_field_write(ctx, out, 1, &f, &o);
    if (status == SF_OK)
        status = sf_field_write(ctx, "test_files.tmp.vtr", 1, &f, NULL);
    sf_field_free(ctx, &f);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    NEEDS_NETCDF();
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = copy_file(ctx);
    unlink(out);
    unlink("test_files.tmp.vtr");
    sf_context_free(ctx);
}

TESTS(CASE(packed_fields_on_the_globe), CASE(selections_go_over_the_seam),
      CASE(fields_of_a_climate_model), CASE(groups_meshes_and_odd_axes),
      CASE(files_that_do_not_hold_the_field_are_refused),
      CASE(guesses_are_warnings),
      CASE(what_is_written_is_read_back_in_every_format),
      CASE(a_repeated_column_is_written_again),
      CASE(a_file_made_like_another_keeps_what_it_says),
      CASE(grids_of_our_own_survive), CASE(outputs_that_cannot_be_are_refused),
      CASE(arrays_become_fields_on_a_typed_grid),
      CASE(vtk_files_hold_growing_axes), CASE(lists_of_times_name_their_files),
      CASE(every_allocation_may_fail))
