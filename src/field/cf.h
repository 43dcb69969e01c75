/* SPDX-License-Identifier: Apache-2.0 */
/* cf.h - what a variable of a NetCDF file means, by the CF conventions (1.8) and,
 * where a file does not keep to them, by what is usual.
 *
 * Everything that had to be guessed is noted as a remark.  Nothing here knows
 * libnetcdf: a source is a header and a way to read a variable as doubles. */
#ifndef SFI_CF_H
#define SFI_CF_H

#include "field/calendar.h"
#include "field/packing.h"
#include "scorefield/field.h"

enum { SFI_CF_MOST_AXES = 6, SFI_CF_MOST_REMARKS = 24 };

/* Where a variable is. */
typedef struct sfi_cf_source {
    const char *name; /* of the file, for messages                           */
    const sfi_nc_header *header;
    /* All values of a variable, unpacked as numbers of its type. */
    sf_status (*read)(void *user, int var, double *values);
    void *user;
} sfi_cf_source;

typedef struct sfi_cf_axis {
    int dim;              /* of the header                                   */
    int var, bounds;      /* coordinate variable and its bounds, or -1       */
    const char *name;     /* the header's, as are unit and calendar          */
    const char *unit;     /* or NULL                                         */
    const char *calendar; /* or NULL                                         */
    sf_role role;
    const char *why; /* "standard_name", "units", "axis", "name"; NULL       */
    int64_t count;   /* of the points in the file, `repeats` not counted     */
    bool is_open;    /* unlimited                                            */
    double *coords;  /* [count]                                              */
    double *edges;   /* [count + 1], from contiguous bounds, or NULL         */
    double turn;     /* of an angle around an axis, else 0                   */
    double period;   /* 0: has ends                                          */
    bool repeats;    /* one more point follows in the file: the first again  */
    bool is_dated;   /* then `clock` tells dates                             */
    sfi_clock_unit clock;
} sfi_cf_axis;

typedef struct sfi_cf {
    sf_context *ctx;
    const sfi_cf_source *source;
    int var;
    int rank;
    sfi_cf_axis axis[SFI_CF_MOST_AXES];
    sfi_packing packing;
    const char *unit, *standard_name, *long_name; /* the header's, or NULL    */
    sf_geometry geometry; /* AUTO: by the roles; NONE: see `obstacle`       */
    char obstacle[200];   /* why there is no geometry                       */
    double radius;
    const char *radius_from; /* where the radius is from                      */
    bool is_rotated;
    double pole_lat, pole_lon;
    int mapping; /* the grid mapping variable, or -1                         */
    int remark_count;
    char *remarks[SFI_CF_MOST_REMARKS];
} sfi_cf;

/* Understand a variable.  `radius` is taken where the file names none; 0 is
 * SF_EARTH_RADIUS.  The source must outlive *out.
 * Returns SF_OK; SF_E_FORMAT (a variable of text), SF_E_SHAPE (more than six
 * dimensions), SF_E_NOMEM, or what reading gave; on failure *out is NULL. */
sf_status sfi_cf_read(sf_context *ctx, sfi_cf **out,
                      const sfi_cf_source *source, int var, double radius);

/* NULL is allowed. */
void sfi_cf_free(sfi_cf *cf);

/* Which variables [var_count] are fields, and not coordinates, bounds, grid mappings,
 * parts of other variables, single numbers or texts. */
void sfi_cf_fields(const sfi_nc_header *header, bool *is_field);

/* Find the variable called `name`; NULL: the only field.
 * Returns SF_OK, or SF_E_FORMAT: the message names the nearest one, or those
 * there are. */
sf_status sfi_cf_find(sf_context *ctx, const sfi_cf_source *source,
                      const char *name, int *var);

/* ---- within the CF layer ---------------------------------------------------- */

/* Note something that was guessed. */
void sfi_cf_remark(sfi_cf *cf, const char *format, ...) SFI_PRINTF(2, 3);

/* The variable that `reference`, in an attribute of `var`, means: in the same group
 * or one around it; -1. */
int sfi_cf_lookup(const sfi_nc_header *h, int var, const char *reference,
                  size_t size);

/* Call use(user, word, size) for each word of a list that blanks separate. */
void sfi_cf_words(const char *list,
                  void (*use)(void *user, const char *word, size_t size),
                  void *user);

/* Fill axis k, whose `dim` is set (cf_axis.c). */
sf_status sfi_cf_read_axis(sfi_cf *cf, sfi_cf_axis *axis);

#endif
