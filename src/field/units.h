/* SPDX-License-Identifier: Apache-2.0 */
/* units.h - units as texts: what they convert to, and what becomes of them in
 * products and powers.
 *
 * A unit is the text that files carry ("m s-1").  Conversions are udunits2's.
 * Products are formed in the text itself, factor by factor, so that "m2 s-2" by
 * "m" is "m s-2" and not what udunits2 calls the same (it writes m2 s-2 as Gy).
 *
 * A unit may be *unknown*: a file gives none, or one that does not parse.  Unknown
 * goes through everything silently and is written as no attribute. */
#ifndef SFI_UNITS_H
#define SFI_UNITS_H

#include "base/context.h"

enum { SFI_UNIT_SIZE = 160 };

typedef struct sfi_unit {
    bool is_known;
    char text[SFI_UNIT_SIZE]; /* "1" where there is no dimension; "" unknown */
} sfi_unit;

/* value in the new unit = slope * value + offset */
typedef struct sfi_conversion {
    double slope, offset;
} sfi_conversion;

/* An open data base of units; what it is belongs to udunits2. */
typedef struct sfi_unit_base {
    sf_context *ctx;
    void *system;
} sfi_unit_base;

/* Whether this build converts units. */
bool sfi_units_available(void);

/* Open the data base of units; it takes a few milliseconds.
 * Returns SF_OK; SF_E_INTERNAL (udunits2 finds no data base), SF_E_NOMEM. */
sf_status sfi_units_open(sf_context *ctx, sfi_unit_base **out);
void sfi_units_close(sfi_unit_base *units);

/* The unit that a text means; NULL, "" and blanks are unknown.  Read by a table
 * before udunits2 sees it, as factors of a product: gpm is m, gpdm is dam, psu
 * is 1, mb is hPa (udunits2 takes it for a millibarn).
 * False, with *out unknown, if the text is no unit: worth a remark. */
bool sfi_unit_read(sfi_unit_base *units, const char *text, sfi_unit *out);

/* How numbers in `from` become numbers in `to`; nothing changes if either is
 * unknown.
 * Returns SF_OK; SF_E_ARG (the message has both units), SF_E_UNSUPPORTED (no
 * udunits2 in this build, and the texts differ; or not a straight line, as from
 * dBZ). */
sf_status sfi_unit_convert(sfi_unit_base *units, const sfi_unit *from,
                           const sfi_unit *to, sfi_conversion *out);

/* a^p b^q, factors of equal symbols joined; unknown if either is, or if the
 * text becomes too long.  Numbers do not change. */
sfi_unit sfi_unit_product(const sfi_unit *a, int p, const sfi_unit *b, int q);

/* The n-th root, n >= 1; false, with *out unknown, if an exponent is not a
 * multiple of n. */
bool sfi_unit_root(const sfi_unit *a, int n, sfi_unit *out);

/* Whether the zero of the unit is not its own (degC, degF).  Then *absolute is the
 * unit without it (K) and *to_absolute takes numbers there.  Numbers of
 * differences and of derivatives are multiplied by the slope alone; before any
 * other product, power or function a value takes the whole conversion.  Times
 * ("days since ...") have no absolute unit and are not meant. */
bool sfi_unit_has_offset(sfi_unit_base *units, const sfi_unit *unit,
                         sfi_unit *absolute, sfi_conversion *to_absolute);

/* What functions such as exp and sin want: no dimension, or an angle.  If so,
 * numbers times *to_plain are plain, or radians. */
bool sfi_unit_is_plain(sfi_unit_base *units, const sfi_unit *unit,
                       double *to_plain);

/* ---- by units_udunits.c or units_absent.c ---------------------------------- */

/* Whether `text` is a unit. */
bool sfi_units_parse(sfi_unit_base *units, const char *text);

/* As sfi_unit_convert(), of texts that differ. */
sf_status sfi_units_convert(sfi_unit_base *units, const char *from,
                            const char *to, sfi_conversion *out);

/* Whether the unit is an offset from another one that is no time; its text. */
bool sfi_units_offset(sfi_unit_base *units, const char *text,
                      char absolute[SFI_UNIT_SIZE]);

#endif
