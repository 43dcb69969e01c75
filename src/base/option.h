/* SPDX-License-Identifier: Apache-2.0 */
/* option.h - the numbers among a struct of options, as a list: what each is called,
 * where it is, and what it may be.
 *
 * A struct is written for who sets it, with a sentence for each member.  What is done to
 * all members alike - look whether they are in their ranges, keep them in a file, read
 * them again - goes along its list, so that a new member is one row more:
 *
 *     const sfi_option list[] = {SFI_OPTION(sf_x_options, rate, 1e-12, 10),
 *                                SFI_OPTION(sf_x_options, steps, 0, 1e9), {0}};
 *     SFI_TRY(sfi_option_check(ctx, "fit", list, &o));
 */
#ifndef SFI_OPTION_H
#define SFI_OPTION_H

#include "base/context.h"

typedef enum sfi_option_type {
    SFI_OPTION_FLAG,   /* bool               */
    SFI_OPTION_CHOICE, /* an enum            */
    SFI_OPTION_WHOLE,  /* int64_t            */
    SFI_OPTION_REAL    /* double             */
} sfi_option_type;

typedef struct sfi_option {
    const char *name; /* the member's; NULL ends a list                  */
    sfi_option_type type;
    size_t offset;
    double least, most; /* both are allowed; of whole numbers within 2^53 */
} sfi_option;

#define SFI_OPTION_TYPE(member)                                                \
    _Generic((member), bool                                                    \
             : SFI_OPTION_FLAG, int64_t                                        \
             : SFI_OPTION_WHOLE, double                                        \
             : SFI_OPTION_REAL, default                                        \
             : SFI_OPTION_CHOICE)

#define SFI_OPTION(struct_, member, least_, most_)                             \
    {                                                                          \
        .name = #member, .type = SFI_OPTION_TYPE(((struct_ *)NULL)->member),   \
        .offset = offsetof(struct_, member), .least = least_, .most = most_    \
    }

/* A member as a double, and back. */
double sfi_option_get(const sfi_option *row, const void *options);
void sfi_option_set(const sfi_option *row, void *options, double value);

/* SF_OK, or SF_E_ARG: "WHAT: rate is 20, want 1e-12 to 10". */
sf_status sfi_option_check(sf_context *ctx, const char *what,
                           const sfi_option *list, const void *options);

#endif
