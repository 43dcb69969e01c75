/* SPDX-License-Identifier: Apache-2.0 */
/* convert.c - a field's values in another unit. */
#include "field/layout.h"
#include "field/units.h"

#include <string.h>

static void apply(sf_field *f, sfi_conversion by)
{
    for (int c = 0; c < f->components; c++) {
        sfi_row_walk w = sfi_walk(f, c);
        do
            for (int64_t i = 0; i < w.count; i++)
                sfi_number_put(
                    f->dtype, f->data[c], w.at + i,
                    by.slope * sfi_number_get(f->dtype, f->data[c], w.at + i) +
                        by.offset);
        while (sfi_walk_on(&w));
    }
}

static sf_status find(sf_context *ctx, sfi_unit_base *units, const sf_field *f,
                      const char *unit, sfi_conversion *by)
{
    sfi_unit from, to;
    if (!sfi_unit_read(units, unit, &to) || !to.is_known)
        return SFI_FAIL(ctx, SF_E_ARG, "field: \"%s\" is not a unit", unit);
    if (!sfi_unit_read(units, f->unit, &from) || !from.is_known)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "field: the unit of \"%s\" is unknown, so it cannot be "
                        "converted to \"%s\"",
                        f->name != NULL ? f->name : "", unit);
    return sfi_unit_convert(units, &from, &to, by);
}

sf_status sf_field_units(sf_context *ctx, sf_field *f, const char *unit)
{
    sfi_unit_base *units = NULL;
    sfi_conversion by = {1.0, 0.0};
    SFI_TRY(sfi_units_open(ctx, &units));
    sf_status status = find(ctx, units, f, unit, &by);
    sfi_units_close(units);
    SFI_TRY(status);
    SFI_TRY(sf_field_set_unit(ctx, f, unit));
    apply(f, by);
    return SF_OK;
}
