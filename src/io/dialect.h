/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.h - which of the many forms of a text table a file has: what stands
 * between its fields, whether names come first, what a comment is. */
#ifndef SFI_DIALECT_H
#define SFI_DIALECT_H

#include "base/context.h"
#include "scorefield/array.h"

typedef struct sfi_dialect {
    char sep;     /* between fields; ' ': blanks, one or more                 */
    char sep_too; /* tab where blanks separate, else sep                      */
    char blank;   /* does not belong to a field at its ends, as a space does:
                     tab, or a space again where tabs separate                */
    char quote;   /* of fields, besides "; ' in ARFF, else " again            */
    char escape;  /* in quotes, before any byte; 0: a quote is written twice  */
    char point;   /* of numbers                                               */
    char comment; /* begins a line that is skipped; 0: none does              */
    bool only_leading_comments;
    bool has_header;
    bool has_row_names; /* a first column, which the header does not name     */
    bool found_sep, found_header; /* not told by the options                  */
} sfi_dialect;

/* Comma, header line, leading # lines. */
#define SFI_DIALECT_INIT                                                       \
    {                                                                          \
        ',', ',', '\t', '"', 0, '.', '#', true, true, false, false, false      \
    }

/* Set what the options say.  Returns SF_OK; SF_E_ARG. */
sf_status sfi_dialect_set(sf_context *ctx, sfi_dialect *dialect,
                          const sf_read_options *options);

/* SF_E_ARG if they say anything of the form of a text, and the file called `name`
 * has only one form. */
sf_status sfi_dialect_refuse(sf_context *ctx, const sf_read_options *options,
                             const char *name);

/* Find what they leave open by the first bytes of the file, `is_all` if these are
 * all.  Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_dialect_find(sf_context *ctx, sfi_dialect *dialect,
                           const sf_read_options *options, const char *bytes,
                           size_t size, bool is_all);

#endif
