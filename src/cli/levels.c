/* SPDX-License-Identifier: Apache-2.0 */
/* levels.c - the levels of a category as pictures show them. */
#include "cli/levels.h"

#include "scorefield/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER = 40 };

/* ---- seeing ------------------------------------------------------------------ */

static sf_status add(sf_context *ctx, cli_levels *l, const char *text,
                     double share)
{
    int64_t at = 0;
    SFI_TRY(sfi_dictionary_number(ctx, &l->texts, text, &at));
    if ((size_t)at >= l->share_room) {
        const size_t before = l->share_room;
        void *grown = sfi_grow(ctx, l->share, &l->share_room, (size_t)at + 1,
                               sizeof *l->share);
        if (grown == NULL)
            return SF_E_NOMEM;
        l->share = grown;
        memset(l->share + before, 0,
               (l->share_room - before) * sizeof *l->share);
    }
    l->share[at] += share;
    return SF_OK;
}

static const char *number_text(double cell, char text[NUMBER])
{
    snprintf(text, NUMBER, "%.15g", cell);
    return text;
}

static sf_status see_numbers(sf_context *ctx, cli_levels *l, const sf_frame *f,
                             int64_t col, int64_t present)
{
    char text[NUMBER];
    for (int64_t i = 0; i < sf_frame_rows(f); i++) {
        const double cell = sf_frame_cell(f, i, col);
        if (!isnan(cell))
            SFI_TRY(
                add(ctx, l, number_text(cell, text), 1.0 / (double)present));
    }
    return SF_OK;
}

sf_status cli_levels_see(sf_context *ctx, cli_levels *l, const sf_frame *f,
                         int64_t col)
{
    const int64_t count = sf_frame_level_count(f, col);
    int64_t present = 0;
    if (count == 0) {
        for (int64_t i = 0; i < sf_frame_rows(f); i++)
            present += !isnan(sf_frame_cell(f, i, col));
        return see_numbers(ctx, l, f, col, present);
    }
    int64_t *counts = sfi_alloc(ctx, (size_t)count, sizeof *counts);
    if (counts == NULL)
        return SF_E_NOMEM;
    sf_status status = sf_frame_count_levels(ctx, counts, f, col);
    for (int64_t k = 0; k < count; k++)
        present += counts[k];
    for (int64_t k = 0; k < count && status == SF_OK; k++)
        status = add(ctx, l, sf_frame_level(f, col, k),
                     (double)counts[k] / fmax((double)present, 1.0));
    sfi_free(ctx, counts, (size_t)count, sizeof *counts);
    return status;
}

sf_status cli_levels_see_model(sf_context *ctx, cli_levels *l,
                               const sf_model *model, int64_t col)
{
    for (int64_t k = 0; k < sf_model_level_count(model, col); k++)
        SFI_TRY(add(ctx, l, sf_model_level(model, col, k), 0.0));
    return SF_OK;
}

/* ---- choosing ------------------------------------------------------------------ */

static bool is_number(const char *text, double *x)
{
    char *end = NULL;
    *x = strtod(text, &end);
    return end > text && *end == '\0';
}

/* Put what is shown in the order of its numbers, if all are such. */
static void order_numbers(const cli_levels *l, int64_t *shown, int64_t count)
{
    double x[CLI_LEVELS_SHOWN];
    for (int64_t k = 0; k < count; k++)
        if (!is_number(l->texts.texts[shown[k]], &x[k]))
            return;
    for (int64_t k = 1; k < count; k++)
        for (int64_t i = k; i > 0 && x[i - 1] > x[i]; i--) {
            const double number = x[i];
            const int64_t text = shown[i];
            x[i] = x[i - 1];
            shown[i] = shown[i - 1];
            x[i - 1] = number;
            shown[i - 1] = text;
        }
}

sf_status cli_levels_choose(sf_context *ctx, cli_levels *l, int most)
{
    const int64_t levels = (int64_t)l->texts.count;
    const bool rest = levels > most;
    const int64_t own = rest ? most - 1 : levels;
    int64_t shown[CLI_LEVELS_SHOWN];
    l->place = sfi_alloc(ctx, (size_t)levels, sizeof *l->place);
    if (l->place == NULL && levels > 0)
        return SF_E_NOMEM;
    for (int64_t t = 0; t < levels; t++)
        l->place[t] = -1;
    for (int64_t k = 0; k < own; k++) {
        int64_t best = -1;
        for (int64_t t = 0; t < levels; t++)
            if (l->place[t] < 0 && (best < 0 || l->share[t] > l->share[best]))
                best = t;
        l->place[best] = 0;
        shown[k] = best;
    }
    order_numbers(l, shown, own);
    for (int64_t t = 0; t < levels; t++)
        l->place[t] = own; /* the others */
    for (int64_t k = 0; k < own; k++) {
        l->place[shown[k]] = k;
        l->names[k] = l->texts.texts[shown[k]];
    }
    if (rest)
        l->names[own] = "(others)";
    l->count = own + rest;
    return SF_OK;
}

/* ---- placing ------------------------------------------------------------------- */

static double place_of(const cli_levels *l, const char *text)
{
    const int64_t at =
        text == NULL ? -1 : sfi_dictionary_find(&l->texts, text, strlen(text));
    return at < 0 ? (double)NAN : (double)l->place[at];
}

/* Look `count` numbers of levels up. */
static void look_up(const double *places, int64_t count, double *cells,
                    int64_t rows, int64_t stride)
{
    for (int64_t i = 0; i < rows; i++) {
        const double level = rint(cells[i * stride]);
        cells[i * stride] = level >= 0.0 && level < (double)count
                                ? places[(int64_t)level]
                                : (double)NAN;
    }
}

sf_status cli_levels_place(sf_context *ctx, const cli_levels *l,
                           const sf_frame *f, int64_t col, double *out,
                           int64_t stride)
{
    const int64_t count = sf_frame_level_count(f, col), rows = sf_frame_rows(f);
    char text[NUMBER];
    for (int64_t i = 0; i < rows; i++) {
        const double cell = sf_frame_cell(f, i, col);
        out[i * stride] = count > 0 || isnan(cell)
                              ? cell
                              : place_of(l, number_text(cell, text));
    }
    if (count == 0)
        return SF_OK;
    double *places = sfi_alloc(ctx, (size_t)count, sizeof *places);
    if (places == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < count; k++)
        places[k] = place_of(l, sf_frame_level(f, col, k));
    look_up(places, count, out, rows, stride);
    sfi_free(ctx, places, (size_t)count, sizeof *places);
    return SF_OK;
}

sf_status cli_levels_place_model(sf_context *ctx, const cli_levels *l,
                                 const sf_model *model, int64_t col,
                                 double *cells, int64_t rows, int64_t stride)
{
    const int64_t count = sf_model_level_count(model, col);
    double *places = sfi_alloc(ctx, (size_t)count, sizeof *places);
    if (places == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < count; k++)
        places[k] = place_of(l, sf_model_level(model, col, k));
    look_up(places, count, cells, rows, stride);
    sfi_free(ctx, places, (size_t)count, sizeof *places);
    return SF_OK;
}

void cli_levels_free(sf_context *ctx, cli_levels *l)
{
    sfi_free(ctx, l->share, l->share_room, sizeof *l->share);
    sfi_free(ctx, l->place, l->texts.count, sizeof *l->place);
    sfi_dictionary_free(ctx, &l->texts);
    memset(l, 0, sizeof *l);
}
