/* SPDX-License-Identifier: Apache-2.0 */
/* units_udunits.c - what units mean, by udunits2.
 *
 * udunits2 prints its complaints unless it is told not to, which is a setting of
 * the whole process; nobody else here talks to it.  An offset unit is recognised
 * by how udunits2 writes it: "0.5556 K @ 459.67". */
#include "field/units.h"

#include "io/foreign.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <udunits2.h>

bool sfi_units_available(void)
{
    return true;
}

static void free_system(void *system)
{
    sfi_foreign_lock();
    ut_free_system(system);
    sfi_foreign_unlock();
}

/* Reading the data base takes 3 ms, more than most calculations of fields in memory: a
 * context does it once. */
static ut_system *system_of(sf_context *ctx)
{
    ut_system *system = sfi_context_kept(ctx);
    if (system != NULL)
        return system;
    sfi_foreign_lock();
    (void)ut_set_error_message_handler(ut_ignore);
    system = ut_read_xml(NULL);
    sfi_foreign_unlock();
    if (system != NULL)
        sfi_context_keep(ctx, system, free_system);
    return system;
}

sf_status sfi_units_open(sf_context *ctx, sfi_unit_base **out)
{
    *out = NULL;
    sfi_unit_base *u = sfi_alloc_zero(ctx, 1, sizeof *u);
    if (u == NULL)
        return SF_E_NOMEM;
    u->ctx = ctx;
    u->system = system_of(ctx);
    if (u->system == NULL) {
        sfi_free(ctx, u, 1, sizeof *u);
        return SFI_FAIL(ctx, SF_E_INTERNAL,
                        "units: udunits2 cannot read its data base (is the "
                        "package libudunits2-data there?)");
    }
    *out = u;
    return SF_OK;
}

void sfi_units_close(sfi_unit_base *u)
{
    if (u != NULL)
        sfi_free(u->ctx, u, 1, sizeof *u);
}

bool sfi_units_parse(sfi_unit_base *u, const char *text)
{
    sfi_foreign_lock();
    ut_unit *unit = ut_parse(u->system, text, UT_UTF8);
    ut_free(unit);
    sfi_foreign_unlock();
    return unit != NULL;
}

/* A straight line through the converter's values at +-2^20: the rounding of an
 * offset is divided by 2^20 in the slope. */
static bool line_of(cv_converter *c, sfi_conversion *out)
{
    const double at = 0x1p20;
    const double up = cv_convert_double(c, at),
                 down = cv_convert_double(c, -at),
                 zero = cv_convert_double(c, 0.0);
    out->slope = (up - down) / (2.0 * at);
    out->offset = zero;
    return isfinite(up) && isfinite(down) && isfinite(zero) &&
           fabs(up + down - 2.0 * zero) <=
               8.0 * DBL_EPSILON * (fabs(up) + fabs(down));
}

sf_status sfi_units_convert(sfi_unit_base *u, const char *from, const char *to,
                            sfi_conversion *out)
{
    sfi_foreign_lock();
    ut_unit *a = ut_parse(u->system, from, UT_UTF8);
    ut_unit *b = ut_parse(u->system, to, UT_UTF8);
    cv_converter *c = a != NULL && b != NULL ? ut_get_converter(a, b) : NULL;
    const bool is_line = c != NULL && line_of(c, out);
    cv_free(c);
    ut_free(a);
    ut_free(b);
    sfi_foreign_unlock();
    if (c == NULL)
        return SFI_FAIL(u->ctx, SF_E_ARG,
                        "units: \"%s\" cannot be converted to \"%s\"", from,
                        to);
    if (!is_line)
        return SFI_FAIL(u->ctx, SF_E_UNSUPPORTED,
                        "units: \"%s\" to \"%s\" is not a straight line", from,
                        to);
    return SF_OK;
}

bool sfi_units_offset(sfi_unit_base *u, const char *text,
                      char absolute[SFI_UNIT_SIZE])
{
    char written[SFI_UNIT_SIZE] = "";
    sfi_foreign_lock();
    ut_unit *unit = ut_parse(u->system, text, UT_UTF8);
    const int size =
        unit != NULL ? ut_format(unit, written, sizeof written, UT_ASCII) : 0;
    ut_free(unit);
    sfi_foreign_unlock();
    char *at = strstr(written, " @ ");
    if (size <= 0 || at == NULL || strstr(at, "UTC") != NULL)
        return false;
    *at = '\0';
    const char *blank = strrchr(written, ' ');
    memset(absolute, 0, SFI_UNIT_SIZE);
    snprintf(absolute, SFI_UNIT_SIZE, "%s",
             blank != NULL ? blank + 1 : written);
    return true;
}
