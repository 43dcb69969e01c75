/* SPDX-License-Identifier: Apache-2.0 */
/* units_absent.c - what takes the place of units_udunits.c where udunits2 is not
 * wanted (cmake -DSCOREFIELD_UDUNITS=OFF): units are compared as texts. */
#include "field/units.h"

#include <string.h>

bool sfi_units_available(void)
{
    return false;
}

sf_status sfi_units_open(sf_context *ctx, sfi_unit_base **out)
{
    *out = sfi_alloc_zero(ctx, 1, sizeof **out);
    if (*out == NULL)
        return SF_E_NOMEM;
    (*out)->ctx = ctx;
    return SF_OK;
}

void sfi_units_close(sfi_unit_base *u)
{
    if (u != NULL)
        sfi_free(u->ctx, u, 1, sizeof *u);
}

bool sfi_units_parse(sfi_unit_base *u, const char *text)
{
    (void)u;
    (void)text;
    return true;
}

sf_status sfi_units_convert(sfi_unit_base *u, const char *from, const char *to,
                            sfi_conversion *out)
{
    (void)out;
    return SFI_FAIL(u->ctx, SF_E_UNSUPPORTED,
                    "units: \"%s\" to \"%s\": this build converts no units; "
                    "build with libudunits2-dev and -DSCOREFIELD_UDUNITS=ON",
                    from, to);
}

bool sfi_units_offset(sfi_unit_base *u, const char *text,
                      char absolute[SFI_UNIT_SIZE])
{
    (void)u;
    (void)text;
    (void)absolute;
    return false;
}
