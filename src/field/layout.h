/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - fields in memory as the library's own code sees them. */
#ifndef SFI_FIELD_LAYOUT_H
#define SFI_FIELD_LAYOUT_H

#include "field/grid.h"
#include "io/netcdf.h"
#include "num/array.h"

/* What a field owns; sf_field.owner points to it. */
typedef struct sfi_field_owner {
    sf_grid *grid; /* or NULL                                               */
    void *block;   /* all components                                        */
    size_t block_count;
    char *name, *unit;
    sfi_nc_attrs attrs;
} sfi_field_owner;

static inline sfi_field_owner *sfi_owner(const sf_field *f)
{
    return f->owner;
}

/* Walk over the rows of component c, in order: *at is the element that a row
 * begins with, relative to data[c].
 *
 *     sfi_row_walk w = sfi_walk(f, c);
 *     do use(w.at, w.count); while (sfi_walk_on(&w)); */
typedef struct sfi_row_walk {
    int rank;
    int64_t extent[SF_MAX_AXES], step[SF_MAX_AXES], index[SF_MAX_AXES];
    int64_t at;
    int64_t count; /* elements of a row; 0 where there is no point at all   */
} sfi_row_walk;

sfi_row_walk sfi_walk(const sf_field *f, int c);
bool sfi_walk_on(sfi_row_walk *w);

/* A field of one component that has a grid, a name and attributes, but no values: what
 * a file is to hold. */
sf_status sfi_field_outline(sf_context *ctx, sf_field *out, const sf_grid *grid,
                            sf_dtype dtype);

/* As sf_field_new() of one component without halo, but its values mean nothing until they
 * are written, all of them, and then sfi_field_clear_margins() is called: so the threads
 * that write them are the first that touch them. */
sf_status sfi_field_room(sf_context *ctx, sf_field *out, const sf_grid *grid,
                         sf_dtype dtype);
void sfi_field_clear_margins(sf_field *f);

/* Hand a grid over to a field, which frees it. */
void sfi_field_adopt(sf_field *f, sf_grid *grid);

/* Fill the halo beyond periodic sides with what is there a period away; what lies
 * beyond other sides stays. */
void sfi_field_fill_halo(sf_field *f);

#endif
