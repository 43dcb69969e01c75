/* SPDX-License-Identifier: Apache-2.0 */
/* matching_parameters.c - which parameters of a density are free, and the numbers that
 * stand for them.
 *
 * A free parameter has a form: a region in which its elements lie, or a symmetric
 * matrix, whose numbers are its lower triangle.  So numbers may be fewer than
 * elements, and a gradient by elements is folded into one by numbers. */
#include "fit/matching.h"

#include "base/assign.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static sf_status take(sfi_match *m, int index, const sfi_region *form,
                      bool symmetric)
{
    const sfi_density_parameter *p = &m->density->parameters[index];
    for (int k = 0; k < m->free_count; k++)
        if (m->free[k].index == index)
            return SFI_FAIL(m->ctx, SF_E_ARG,
                            "fit: parameter \"%s\" is named twice", p->name);
    if (symmetric && (p->rank != 2 || p->shape[0] != p->shape[1]))
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "fit: parameter \"%s\" is no square matrix, which "
                        "symmetric wants",
                        p->name);
    sfi_free_parameter *f = &m->free[m->free_count++];
    const int64_t n = symmetric ? p->shape[0] : 0;
    *f = (sfi_free_parameter){index, symmetric, *form};
    f->form.first = f->form.at = m->count;
    f->form.count = f->form.inner = symmetric ? n * (n + 1) / 2 : p->count;
    m->bounded |= form->form != SFI_REAL;
    m->count += f->form.count;
    return SF_OK;
}

/* "NAME" or "NAME=FORM". */
static sf_status take_piece(sfi_match *m, sfi_piece piece)
{
    const char *equals = memchr(piece.at, '=', piece.size);
    const size_t before =
        equals != NULL ? (size_t)(equals - piece.at) : piece.size;
    const sfi_piece name = sfi_trimmed(piece.at, before);
    const sfi_piece form =
        equals != NULL ? sfi_trimmed(equals + 1, piece.size - before - 1)
                       : (sfi_piece){"real", 4};
    const bool symmetric =
        form.size == 9 && memcmp(form.at, "symmetric", 9) == 0;
    sfi_region region = {.form = SFI_REAL};
    char shown[SFI_SHOW_SIZE];
    if (!symmetric && (!sfi_form_parse(form.at, form.size, &region) ||
                       region.form == SFI_CIRCLE || region.form == SFI_SIMPLEX))
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "fit: \"%s\", want real, positive, LO:HI or symmetric",
                        sfi_show(shown, piece.at, piece.size));
    for (int k = 0; k < m->density->parameter_count; k++) {
        const char *known = m->density->parameters[k].name;
        if (strlen(known) == name.size &&
            memcmp(known, name.at, name.size) == 0)
            return take(m, k, &region, symmetric);
    }
    return SFI_FAIL(m->ctx, SF_E_ARG,
                    "fit: \"%s\" is no parameter of the density",
                    sfi_show(shown, name.at, name.size));
}

static sf_status gather_forms(sfi_match *m)
{
    const size_t count = (size_t)m->free_count;
    sfi_region *regions = sfi_alloc(m->ctx, count, sizeof *regions);
    if (regions == NULL)
        return SF_E_NOMEM;
    for (size_t k = 0; k < count; k++)
        regions[k] = m->free[k].form;
    const sf_status status =
        sfi_domain_of_regions(m->ctx, &m->forms, m->free_count, regions);
    sfi_free(m->ctx, regions, count, sizeof *regions);
    return status;
}

/* Which number each element of the free parameters is. */
static sf_status number_elements(sfi_match *m)
{
    for (int k = 0; k < m->free_count; k++)
        m->cell_count += m->density->parameters[m->free[k].index].count;
    const size_t cells = (size_t)m->cell_count;
    m->number = sfi_alloc(m->ctx, cells, sizeof *m->number);
    m->cells = sfi_alloc(m->ctx, cells, sizeof *m->cells);
    m->slopes = sfi_alloc(m->ctx, cells, sizeof *m->slopes);
    if (m->number == NULL || m->cells == NULL || m->slopes == NULL)
        return SF_E_NOMEM;
    int64_t *to = m->number;
    for (int k = 0; k < m->free_count; k++) {
        const sfi_free_parameter *f = &m->free[k];
        const sfi_density_parameter *p = &m->density->parameters[f->index];
        for (int64_t e = 0; e < p->count; e++) {
            const int64_t n = f->symmetric ? p->shape[0] : 1;
            const int64_t i = e / n, j = e % n, most = i > j ? i : j;
            *to++ = f->form.first +
                    (f->symmetric ? most * (most + 1) / 2 + i + j - most : e);
        }
    }
    return SF_OK;
}

sf_status sfi_match_free_parameters(sfi_match *m, const char *text)
{
    const int all = m->density->parameter_count;
    const sfi_region real = {.form = SFI_REAL};
    if (all == 0)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "fit: the density has no parameters to estimate");
    m->free = sfi_alloc(m->ctx, (size_t)all, sizeof *m->free);
    if (m->free == NULL)
        return SF_E_NOMEM;
    for (int k = 0; k < all && text == NULL; k++)
        SFI_TRY(take(m, k, &real, false));
    while (text != NULL && *text != '\0') {
        const size_t size = strcspn(text, ";");
        const sfi_piece piece = sfi_trimmed(text, size);
        text += size + (text[size] == ';');
        if (piece.size > 0)
            SFI_TRY(take_piece(m, piece));
    }
    if (m->free_count == 0)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "fit: no parameter is to be estimated");
    SFI_TRY(number_elements(m));
    return gather_forms(m);
}

void sfi_match_read(const sfi_match *m, double *numbers)
{
    for (int k = 0; k < m->free_count; k++) {
        const sfi_free_parameter *f = &m->free[k];
        const sfi_density_parameter *p = &m->density->parameters[f->index];
        double *to = numbers + f->form.first;
        if (!f->symmetric)
            memcpy(to, p->value, (size_t)p->count * sizeof *to);
        for (int64_t i = 0; i < p->shape[0] && f->symmetric; i++)
            for (int64_t j = 0; j <= i; j++)
                *to++ = 0.5 * (p->value[i * p->shape[0] + j] +
                               p->value[j * p->shape[0] + i]);
    }
}

void sfi_match_write(const sfi_match *m, const double *numbers)
{
    for (int k = 0; k < m->free_count; k++) {
        const sfi_free_parameter *f = &m->free[k];
        sfi_density_parameter *p = &m->density->parameters[f->index];
        const double *from = numbers + f->form.first;
        if (!f->symmetric)
            memcpy(p->value, from, (size_t)p->count * sizeof *from);
        for (int64_t i = 0; i < p->shape[0] && f->symmetric; i++)
            for (int64_t j = 0; j <= i; j++, from++)
                p->value[i * p->shape[0] + j] = p->value[j * p->shape[0] + i] =
                    *from;
    }
}

void sfi_match_fold(const sfi_match *m, const double *cells, double *numbers)
{
    memset(numbers, 0, (size_t)m->count * sizeof *numbers);
    for (int64_t c = 0; c < m->cell_count; c++)
        numbers[m->number[c]] += cells[c];
}

/* SF_E_NUMERIC where the log density is not finite at a row of x.  SF_E_NOMEM. */
static sf_status check_rows(const sfi_match *m, sf_cmat x)
{
    const size_t rows = (size_t)x.rows;
    double *logp = sfi_alloc(m->ctx, rows, sizeof *logp);
    if (logp == NULL)
        return SF_E_NOMEM;
    sf_evaluator *e = NULL;
    const sf_model_values values = {.logpdf = {logp, x.rows, 1, 1}};
    sfi_evaluator_count count;
    sf_status status = sf_evaluator_new(m->ctx, &e, m->model, SF_WANT_LOGPDF);
    if (status == SF_OK)
        status = sfi_evaluator_rows(e, x, 0.0, &values, &count);
    sf_evaluator_free(e);
    for (int64_t i = 0; i < x.rows && status == SF_OK; i++)
        if (!isfinite(logp[i]))
            status = SFI_FAIL(m->ctx, SF_E_NUMERIC,
                              "fit: at row %lld the fitted log density is %g: "
                              "want one that is finite at all rows",
                              (long long)i + 1,
                              isnan(logp[i]) ? (double)NAN : logp[i]);
    sfi_free(m->ctx, logp, rows, sizeof *logp);
    return status;
}

sf_status sfi_match_adopt(sfi_match *m, const double *numbers, sf_cmat x,
                          double *room)
{
    sfi_match_read(m, room);
    sfi_match_write(m, numbers);
    const sf_status status = check_rows(m, x);
    if (status != SF_OK)
        sfi_match_write(m, room);
    return status;
}

void sfi_match_name(const sfi_match *m, int64_t k, char *text, size_t size)
{
    const sfi_free_parameter *f = m->free;
    while (k >= f->form.first + f->form.count)
        f++;
    const sfi_density_parameter *p = &m->density->parameters[f->index];
    int64_t index = k - f->form.first;
    size_t used = (size_t)snprintf(text, size, "%.200s", p->name);
    if (f->symmetric) {
        int64_t i = 0;
        while (index > i)
            index -= ++i;
        snprintf(text + used, size - used, "[%lld,%lld]", (long long)i,
                 (long long)index);
        return;
    }
    int64_t left = p->count;
    for (int i = 0; i < p->rank && used < size; i++) {
        left /= p->shape[i];
        used += (size_t)snprintf(text + used, size - used, "%s%lld",
                                 i == 0 ? "[" : ",", (long long)(index / left));
        index %= left;
    }
    if (p->rank > 0 && used < size)
        snprintf(text + used, size - used, "]");
}
