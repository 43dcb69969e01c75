/* SPDX-License-Identifier: Apache-2.0 */
/* ini.h - assignments in sections, from text that a person typed.
 *
 *     # a comment, to the end of the line
 *     [grid]
 *     x = 0:1:129 pin 0 ; y = 0:1:129 natural     ; separates assignments
 *     [action]
 *     energy = 0.5*grad2(phi)                     a line that begins with blanks
 *            + g*rho*phi                          continues the one before
 *
 * The text is UTF-8; lines end in LF or CR LF.  A key is one or more words of
 * letters, digits and _ - + . (so x- and "form A" are keys; blanks between words
 * count as one); the first = ends it.  A value is what follows, without blanks at its
 * ends, not empty, and a line break in it has become one blank.  Lines without text
 * are skipped wherever they stand.  A section may be opened again; a key that it
 * already has is refused. */
#ifndef SFI_INI_H
#define SFI_INI_H

#include "base/context.h"

enum {
    SFI_INI_MOST_BYTES = 1 << 24,   /* of a text        */
    SFI_INI_MOST_VALUE = 1 << 16,   /* of an assignment */
    SFI_INI_MOST_ENTRIES = 1 << 16, /* in a text        */
};

/* Where a part of an assignment stood, which lines are counted from 1, and columns
 * in characters from 1. */
typedef struct sfi_ini_place {
    size_t
        offset; /* in the value; what follows stands there, to the next place */
    int64_t line, column;
} sfi_ini_place;

typedef struct sfi_ini_entry {
    const char *section, *key, *value; /* end in NUL                    */
    size_t size;                       /* bytes of the value            */
    int64_t line, column;              /* of the key                    */
    const sfi_ini_place *places;       /* of the value, in order        */
    size_t place_count;
} sfi_ini_entry;

typedef struct sfi_ini sfi_ini;

/* Read a file, or "-", or bytes that messages call `name`.
 * Returns SF_OK, or with *out NULL
 *   SF_E_IO      it cannot be read
 *   SF_E_FORMAT  it is no such text, the message begins with NAME:LINE:COLUMN:
 *   SF_E_NOMEM */
sf_status sfi_ini_read(sf_context *ctx, sfi_ini **out, const char *path);
sf_status sfi_ini_read_bytes(sf_context *ctx, sfi_ini **out, const char *name,
                             const void *bytes, size_t size);
void sfi_ini_free(sfi_ini *ini);

/* Its entries, in their order. */
size_t sfi_ini_count(const sfi_ini *ini);
const sfi_ini_entry *sfi_ini_entry_at(const sfi_ini *ini, size_t index);

/* The entry of a key in a section, or NULL. */
const sfi_ini_entry *sfi_ini_find(const sfi_ini *ini, const char *section,
                                  const char *key);

/* The place of byte `offset` <= size of the value. */
sfi_ini_place sfi_ini_locate(const sfi_ini_entry *entry, size_t offset);

/* Put NAME:LINE:COLUMN: of byte `offset` of a value before the message that is
 * there. */
void sfi_ini_blame(const sfi_ini *ini, const sfi_ini_entry *entry,
                   size_t offset);

#endif
