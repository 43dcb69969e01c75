/* SPDX-License-Identifier: Apache-2.0 */
/* domain.h - where the numbers of a point may be, and charts onto the real line
 * (scorefield/density.h has the maps). */
#ifndef SFI_DOMAIN_H
#define SFI_DOMAIN_H

#include "base/context.h"
#include "scorefield/graph.h"

typedef enum sfi_form {
    SFI_REAL = 0,
    SFI_ABOVE,   /* lo:   */
    SFI_BELOW,   /* :hi   */
    SFI_BETWEEN, /* lo:hi */
    SFI_CIRCLE,
    SFI_SIMPLEX
} sfi_form;

/* Most shares of one group. */
enum { SFI_SHARES = 64 };

/* Numbers of x that have one chart: any number of one form, or a group of shares. */
typedef struct sfi_region {
    sfi_form form;
    double lo, hi;
    int64_t first, count; /* its numbers of x: columns[first], ... */
    int64_t at, inner;    /* its numbers of y                      */
} sfi_region;

typedef struct sfi_domain {
    int64_t dim, unknowns;
    int64_t count;
    sfi_region *regions; /* [count <= dim]                   */
    int64_t *columns;    /* [dim] of region 0, of region 1, ... */
    int64_t *place;      /* [dim] where column j is in `columns` */
} sfi_domain;

/* From the text of sf_density_options.domain (NULL: "real").  On failure *out is
 * empty.  Returns SF_OK, SF_E_NOMEM or SF_E_ARG. */
sf_status sfi_domain_parse(sf_context *ctx, sfi_domain *out, const char *text,
                           int64_t dim, const char *const *names);

/* One of the forms, without its numbers.  False if the text is none. */
bool sfi_form_parse(const char *text, size_t size, sfi_region *out);

/* Of regions whose numbers are one after the other, none of them shares.  SF_OK or
 * SF_E_NOMEM. */
sf_status sfi_domain_of_regions(sf_context *ctx, sfi_domain *out, int64_t count,
                                const sfi_region *regions);
void sfi_domain_free(sf_context *ctx, sfi_domain *d);

/* x [dim] to y [unknowns] and back. */
void sfi_domain_to_line(const sfi_domain *d, const double *x, double *y);
void sfi_domain_from_line(const sfi_domain *d, const double *y, double *x);

/* The first number of x that is outside, or -1; *want receives what it should be
 * (at most SFI_DOMAIN_WANT bytes).  Shares may sum to 1 within 1e-6. */
enum { SFI_DOMAIN_WANT = 96 };
int64_t sfi_domain_outside(const sfi_domain *d, const double *x, char *want);

/* x [dim] of y [unknowns], and ln |dx/dy|, as nodes. */
sf_node sfi_domain_node(const sfi_domain *d, sf_graph *g, sf_node y,
                        sf_node *log_volume);

#endif
