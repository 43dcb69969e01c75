/* SPDX-License-Identifier: Apache-2.0 */
/* Units: conversions whose numbers are definitions, and the algebra of their
 * texts. */
#include "faults.h"

#include "field/units.h"

typedef struct fixture {
    sf_context *ctx;
    sfi_unit_base *units;
} fixture;

static fixture begin(void)
{
    fixture f = {new_context(), NULL};
    CHECK_OK(f.ctx, sfi_units_open(f.ctx, &f.units));
    return f;
}

static void end(fixture *f)
{
    sfi_units_close(f->units);
    sf_context_free(f->ctx);
}

static sfi_unit unit(fixture *f, const char *text)
{
    sfi_unit u;
    CHECK(sfi_unit_read(f->units, text, &u));
    return u;
}

static double convert(fixture *f, double x, const char *from, const char *to)
{
    const sfi_unit a = unit(f, from), b = unit(f, to);
    sfi_conversion c;
    CHECK_OK(f->ctx, sfi_unit_convert(f->units, &a, &b, &c));
    return c.slope * x + c.offset;
}

/* 98.6 degF is 37 degC by definition of both; a knot is 1852 m an hour; gpdm is ten
 * metres of geopotential height. */
TEST(numbers_are_converted_by_definitions)
{
    (void)state_;
    if (!sfi_units_available())
        skip();
    fixture f = begin();
    CHECK_CLOSE(convert(&f, 98.6, "degF", "degC"), 37.0, 1e-12);
    CHECK_CLOSE(convert(&f, 10.0, "knots", "m s-1"), 18520.0 / 3600.0, 1e-14);
    CHECK_CLOSE(convert(&f, 850.0, "hPa", "Pa"), 85000.0, 1e-14);
    CHECK_CLOSE(convert(&f, 850.0, "mb", "Pa"), 85000.0, 1e-14);
    CHECK_CLOSE(convert(&f, 850.0, "millibars", "hPa"), 850.0, 1e-14);
    CHECK_CLOSE(convert(&f, 5.0, "gpdm", "m"), 50.0, 1e-14);
    CHECK_CLOSE(convert(&f, 5.0, "gpm", "m"), 5.0, 1e-15);
    CHECK_CLOSE(convert(&f, 1.0, "m**2 s**-2", "J/kg"), 1.0, 1e-15);
    CHECK_CLOSE(convert(&f, 90.0, "degrees_north", "radian"), acos(0.0), 1e-14);
    CHECK_NEAR(convert(&f, -40.0, "degC", "degF"), -40.0, 1e-12);
    end(&f);
}

TEST(conflicts_name_both_units)
{
    (void)state_;
    if (!sfi_units_available())
        skip();
    fixture f = begin();
    const sfi_unit k = unit(&f, "K"), m = unit(&f, "m"), none = unit(&f, NULL);
    sfi_conversion c;
    CHECK_FAILS(f.ctx, sfi_unit_convert(f.units, &k, &m, &c), SF_E_ARG,
                "units: \"K\" cannot be converted to \"m\"");
    CHECK_OK(f.ctx, sfi_unit_convert(f.units, &none, &m, &c));
    CHECK(c.slope == 1.0 && c.offset == 0.0);
    const sfi_unit level = unit(&f, "dBZ"), linear = unit(&f, "mm^6 m^-3");
    CHECK_FAILS(f.ctx, sfi_unit_convert(f.units, &level, &linear, &c),
                SF_E_UNSUPPORTED, "is not a straight line");
    sfi_unit bad;
    CHECK(!sfi_unit_read(f.units, "warm feelings", &bad));
    CHECK(!bad.is_known);
    CHECK(sfi_unit_read(f.units, "  ", &bad) && !bad.is_known);
    end(&f);
}

TEST(products_and_powers_join_equal_symbols)
{
    (void)state_;
    fixture f = begin();
    static const struct {
        const char *a;
        int p;
        const char *b;
        int q;
        const char *want;
    } cases[] = {{"K", 1, "m", -1, "K m-1"},
                 {"m s-1", 1, "m", -1, "s-1"},
                 {"m**2 s**-2", 1, "m", -1, "m s-2"},
                 {"m2 s-2", 1, "m2/s2", -1, "1"},
                 {"hPa", 1, "m", -2, "hPa m-2"},
                 {"kg.m^-2", 2, "1", 1, "kg2 m-4"},
                 {"W/m2", 1, "0.5 s", 1, "0.5 W m-2 s"},
                 {"gpm", 1, "m", -1, "1"},
                 {"(kg m-2) s-1", 1, "s", 1, "(kg m-2)"},
                 {"(kg m-2)", -1, "1", 1, "(kg m-2)^-1"},
                 {"\xc2\xb0"
                  "C",
                  1, "km", -1,
                  "\xc2\xb0"
                  "C km-1"}};
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        const sfi_unit a = unit(&f, cases[i].a), b = unit(&f, cases[i].b);
        const sfi_unit c = sfi_unit_product(&a, cases[i].p, &b, cases[i].q);
        CHECK(c.is_known);
        assert_string_equal(c.text, cases[i].want);
        /* What was put together is a unit again. */
        sfi_unit again;
        CHECK(sfi_unit_read(f.units, c.text, &again));
        assert_string_equal(again.text, c.text);
    }
    const sfi_unit k = unit(&f, "K"), none = unit(&f, NULL);
    CHECK(!sfi_unit_product(&k, 1, &none, 1).is_known);
    end(&f);
}

TEST(roots_want_multiples)
{
    (void)state_;
    fixture f = begin();
    const sfi_unit a = unit(&f, "m2 s-2"), b = unit(&f, "m s-2");
    sfi_unit root;
    CHECK(sfi_unit_root(&a, 2, &root));
    assert_string_equal(root.text, "m s-1");
    CHECK(!sfi_unit_root(&b, 2, &root) && !root.is_known);
    CHECK(sfi_unit_root(&(sfi_unit){0}, 2, &root) && !root.is_known);
    end(&f);
}

/* A difference of two temperatures in degF is 5/9 as many kelvins; 0 degF is
 * 459.67 * 5/9 K. */
TEST(offset_units_have_an_absolute_one)
{
    (void)state_;
    if (!sfi_units_available())
        skip();
    fixture f = begin();
    sfi_unit absolute;
    sfi_conversion c;
    const sfi_unit fahrenheit = unit(&f, "degF"), celsius = unit(&f, "degC"),
                   kelvin = unit(&f, "K"),
                   time = unit(&f, "days since 1970-01-01");
    CHECK(sfi_unit_has_offset(f.units, &fahrenheit, &absolute, &c));
    assert_string_equal(absolute.text, "K");
    CHECK_CLOSE(c.slope, 5.0 / 9.0, 1e-14);
    CHECK_CLOSE(c.offset, 459.67 * 5.0 / 9.0, 1e-14);
    CHECK(sfi_unit_has_offset(f.units, &celsius, &absolute, &c));
    assert_string_equal(absolute.text, "K");
    CHECK_NEAR(c.slope, 1.0, 1e-15);
    CHECK_NEAR(c.offset, 273.15, 1e-12);
    CHECK(!sfi_unit_has_offset(f.units, &kelvin, &absolute, &c));
    CHECK(c.slope == 1.0 && c.offset == 0.0);
    CHECK(!sfi_unit_has_offset(f.units, &time, &absolute, &c));
    end(&f);
}

TEST(functions_want_plain_numbers_or_angles)
{
    (void)state_;
    if (!sfi_units_available())
        skip();
    fixture f = begin();
    double factor = 0.0;
    const sfi_unit percent = unit(&f, "%"), degree = unit(&f, "degree"),
                   none = unit(&f, NULL), salt = unit(&f, "psu"),
                   metre = unit(&f, "m"), celsius = unit(&f, "degC");
    CHECK(sfi_unit_is_plain(f.units, &percent, &factor));
    CHECK_CLOSE(factor, 0.01, 1e-14);
    CHECK(sfi_unit_is_plain(f.units, &degree, &factor));
    CHECK_CLOSE(factor, acos(0.0) / 90.0, 1e-14);
    CHECK(sfi_unit_is_plain(f.units, &none, &factor) && factor == 1.0);
    CHECK(sfi_unit_is_plain(f.units, &salt, &factor) && factor == 1.0);
    CHECK(!sfi_unit_is_plain(f.units, &metre, &factor));
    CHECK(!sfi_unit_is_plain(f.units, &celsius, &factor));
    end(&f);
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sfi_unit_base *units = NULL;
        status = sfi_units_open(ctx, &units);
        sfi_units_close(units);
    }
    sf_context_free(ctx);
}

TESTS(CASE(numbers_are_converted_by_definitions),
      CASE(conflicts_name_both_units),
      CASE(products_and_powers_join_equal_symbols), CASE(roots_want_multiples),
      CASE(offset_units_have_an_absolute_one),
      CASE(functions_want_plain_numbers_or_angles),
      CASE(every_allocation_may_fail))
