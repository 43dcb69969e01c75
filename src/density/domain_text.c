/* SPDX-License-Identifier: Apache-2.0 */
/* domain_text.c - domains as text. */
#include "base/assign.h"
#include "base/text.h"
#include "density/domain.h"
#include "num/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_word(sfi_piece p, const char *word)
{
    return p.size == strlen(word) && memcmp(p.at, word, p.size) == 0;
}

/* A bound, or nothing; whether it is one of these. */
static bool bound(const char *at, size_t size, double *value, bool *given)
{
    const sfi_piece p = sfi_trimmed(at, size);
    *given = p.size > 0;
    return !*given ||
           (sfi_number_parse(p.at, value) == p.at + p.size && isfinite(*value));
}

bool sfi_form_parse(const char *text, size_t size, sfi_region *out)
{
    const sfi_piece p = {text, size};
    *out = (sfi_region){.form = SFI_REAL};
    if (is_word(p, "real"))
        return true;
    if (is_word(p, "circle")) {
        out->form = SFI_CIRCLE;
        return true;
    }
    if (is_word(p, "simplex")) {
        out->form = SFI_SIMPLEX;
        return true;
    }
    if (is_word(p, "positive")) {
        out->form = SFI_ABOVE;
        return true;
    }
    const char *colon = memchr(p.at, ':', p.size);
    if (colon == NULL)
        return false;
    const size_t before = (size_t)(colon - p.at);
    bool low, high;
    if (!bound(p.at, before, &out->lo, &low) ||
        !bound(colon + 1, p.size - before - 1, &out->hi, &high))
        return false;
    out->form = low && high ? SFI_BETWEEN
                : low       ? SFI_ABOVE
                : high      ? SFI_BELOW
                            : SFI_REAL;
    return !(low && high) || out->lo < out->hi;
}

static sf_status no_form(sf_context *ctx, sfi_piece p)
{
    char shown[SFI_SHOW_SIZE];
    return SFI_FAIL(ctx, SF_E_ARG,
                    "domain: \"%s\", want FORM for all numbers or NAME=FORM; "
                    "..., FORM being real, positive, LO:HI (one of them may be "
                    "left out), circle or simplex",
                    sfi_show(shown, p.at, p.size));
}

/* "LO:HI" whose bounds are the wrong way round. */
static bool is_reversed(sfi_piece p)
{
    const char *colon = memchr(p.at, ':', p.size);
    double lo, hi;
    bool low, high;
    if (colon == NULL)
        return false;
    const size_t before = (size_t)(colon - p.at);
    return bound(p.at, before, &lo, &low) &&
           bound(colon + 1, p.size - before - 1, &hi, &high) && low && high;
}

static sf_status bad_form(sf_context *ctx, sfi_piece said, sfi_piece form)
{
    char shown[SFI_SHOW_SIZE];
    if (is_reversed(form))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "domain: \"%s\": the lower bound is not below the "
                        "upper one",
                        sfi_show(shown, said.at, said.size));
    return no_form(ctx, said);
}

/* What is gathered: a region's number for each column, -1 for none yet. */
typedef struct gathered {
    sfi_domain *d;
    int64_t *region; /* [dim] */
    const char *const *names;
} gathered;

static sf_status add(sf_context *ctx, gathered *a, const sfi_region *form,
                     int64_t count, const int64_t *columns)
{
    sfi_domain *d = a->d;
    if (form->form == SFI_SIMPLEX && (count < 2 || count > SFI_SHARES))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "domain: simplex of %lld numbers, want 2 to %d",
                        (long long)count, (int)SFI_SHARES);
    for (int64_t i = 0; i < count; i++) {
        if (a->region[columns[i]] >= 0)
            return SFI_FAIL(ctx, SF_E_ARG, "domain: \"%s\" is named twice",
                            a->names[columns[i]]);
        a->region[columns[i]] = d->count;
        d->columns[d->regions[d->count].first + i] = columns[i];
    }
    sfi_region *r = &d->regions[d->count++];
    const int64_t first = r->first;
    *r = *form;
    r->first = first;
    r->count = count;
    r->at = d->unknowns;
    r->inner = count - (form->form == SFI_SIMPLEX);
    d->unknowns += r->inner;
    if (d->count < d->dim)
        d->regions[d->count].first = first + count;
    return SF_OK;
}

static sf_status unknown_name(sf_context *ctx, const gathered *a,
                              sfi_piece said)
{
    char shown[SFI_SHOW_SIZE], names[200];
    if (memchr(said.at, '=', said.size) == NULL)
        return no_form(ctx, said);
    size_t used = 0;
    for (int64_t j = 0; j < a->d->dim && used < sizeof names; j++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                 j > 0 ? ", " : "", a->names[j]);
    return SFI_FAIL(ctx, SF_E_ARG,
                    "domain: \"%s\" is of no name of the density; known: "
                    "%s%s",
                    sfi_show(shown, said.at, said.size), names,
                    used < sizeof names ? "" : "...");
}

static sf_status add_named(sf_context *ctx, gathered *a, const char *text,
                           const sfi_dictionary *names, int64_t *columns)
{
    sfi_assignment said;
    while (sfi_next_assignment(&text, names, a->d->dim, columns, &said)) {
        sfi_region form;
        if (said.count > a->d->dim)
            return SFI_FAIL(ctx, SF_E_ARG, "domain: a name is given twice");
        if (said.count < 0)
            return unknown_name(ctx, a, said.text);
        if (!sfi_form_parse(said.value.at, said.value.size, &form))
            return bad_form(ctx, said.text, said.value);
        SFI_TRY(add(ctx, a, &form, said.count, columns));
    }
    return SF_OK;
}

static sf_status gather(sf_context *ctx, gathered *a, const char *text,
                        int64_t *columns)
{
    sfi_domain *d = a->d;
    sfi_region form = {.form = SFI_REAL};
    if (strchr(text, '=') != NULL) {
        sfi_dictionary names = {0};
        SFI_TRY(sfi_dictionary_fill(ctx, &names, d->dim, a->names));
        const sf_status status = add_named(ctx, a, text, &names, columns);
        sfi_dictionary_free(ctx, &names);
        SFI_TRY(status);
    } else {
        const sfi_piece p = sfi_trimmed(text, strlen(text));
        if (!sfi_form_parse(p.at, p.size, &form))
            return bad_form(ctx, p, p);
    }
    int64_t left = 0;
    for (int64_t j = 0; j < d->dim; j++)
        if (a->region[j] < 0)
            columns[left++] = j;
    return left > 0 ? add(ctx, a, &form, left, columns) : SF_OK;
}

sf_status sfi_domain_parse(sf_context *ctx, sfi_domain *out, const char *text,
                           int64_t dim, const char *const *names)
{
    const size_t n = (size_t)dim;
    *out = (sfi_domain){.dim = dim};
    out->regions = sfi_alloc_zero(ctx, n, sizeof *out->regions);
    out->columns = sfi_alloc(ctx, n, sizeof *out->columns);
    out->place = sfi_alloc(ctx, n, sizeof *out->place);
    int64_t *region = sfi_alloc(ctx, n, sizeof *region);
    int64_t *columns = sfi_alloc(ctx, n, sizeof *columns);
    sf_status status = SF_E_NOMEM;
    if (out->regions != NULL && out->columns != NULL && out->place != NULL &&
        region != NULL && columns != NULL) {
        for (int64_t j = 0; j < dim; j++)
            region[j] = -1;
        gathered a = {out, region, names};
        status = gather(ctx, &a, text != NULL ? text : "real", columns);
    }
    for (int64_t i = 0; i < dim && status == SF_OK; i++)
        out->place[out->columns[i]] = i;
    sfi_free(ctx, region, n, sizeof *region);
    sfi_free(ctx, columns, n, sizeof *columns);
    if (status != SF_OK)
        sfi_domain_free(ctx, out);
    return status;
}

sf_status sfi_domain_of_regions(sf_context *ctx, sfi_domain *out, int64_t count,
                                const sfi_region *regions)
{
    *out = (sfi_domain){0};
    for (int64_t k = 0; k < count; k++)
        out->dim += regions[k].count;
    const size_t n = (size_t)out->dim;
    out->unknowns = out->dim;
    out->count = count;
    out->regions = sfi_alloc(ctx, n, sizeof *out->regions);
    out->columns = sfi_alloc(ctx, n, sizeof *out->columns);
    out->place = sfi_alloc(ctx, n, sizeof *out->place);
    if (out->regions == NULL || out->columns == NULL || out->place == NULL) {
        sfi_domain_free(ctx, out);
        return SF_E_NOMEM;
    }
    memcpy(out->regions, regions, (size_t)count * sizeof *regions);
    for (int64_t j = 0; j < out->dim; j++)
        out->columns[j] = out->place[j] = j;
    return SF_OK;
}

void sfi_domain_free(sf_context *ctx, sfi_domain *d)
{
    const size_t n = (size_t)d->dim;
    sfi_free(ctx, d->regions, n, sizeof *d->regions);
    sfi_free(ctx, d->columns, n, sizeof *d->columns);
    sfi_free(ctx, d->place, n, sizeof *d->place);
    *d = (sfi_domain){0};
}
