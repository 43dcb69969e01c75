/* SPDX-License-Identifier: Apache-2.0 */
/* condition_text.c - conditions on columns as text: NAME=VALUE, NAME<VALUE,
 * NAME>VALUE, NAME in LOW:HIGH, NAME=LEVEL, NAME in LEVEL,LEVEL. */
#include "scorefield/condition.h"

#include "base/context.h"
#include "base/text.h"
#include "model/conditional.h"
#include "model/model.h"
#include "num/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void sf_condition_clear(int64_t dim, double *lower, double *upper)
{
    for (int64_t j = 0; j < dim; j++) {
        lower[j] = -INFINITY;
        upper[j] = INFINITY;
    }
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* The name that a text begins with, in quotes or up to what no name of a condition
 * holds.  Returns where the text goes on, NULL if there is no name. */
static const char *take_name(const char *p, const char **name, size_t *size)
{
    p = skip_blanks(p);
    if (*p == '"') {
        const char *end = strchr(p + 1, '"');
        *name = p + 1;
        *size = end != NULL ? (size_t)(end - p - 1) : 0;
        return *size > 0 ? end + 1 : NULL;
    }
    *name = p;
    *size = strcspn(p, "=<> \t");
    return *size > 0 ? p + *size : NULL;
}

static const char *name_at(const void *user, int i)
{
    return sf_model_column(user, i);
}

static sf_status find(sf_context *ctx, const sf_model *m, const char *name,
                      size_t size, int64_t *found)
{
    char word[256], shown[SFI_SHOW_SIZE], other[SFI_SHOW_SIZE];
    for (int64_t j = 0; j < sf_model_dim(m); j++) {
        const char *column = sf_model_column(m, j);
        *found = j;
        if (strlen(column) == size && memcmp(column, name, size) == 0)
            return SF_OK;
    }
    snprintf(word, sizeof word, "%.*s", (int)(size < 255 ? size : 255), name);
    const char *nearest = sfi_nearest_word(word, name_at, m);
    sfi_show(shown, name, size);
    if (nearest == NULL)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "condition: the model has no column \"%s\"", shown);
    return SFI_FAIL(ctx, SF_E_ARG,
                    "condition: the model has no column \"%s\"; did you mean "
                    "\"%s\"?",
                    shown, sfi_show(other, nearest, strlen(nearest)));
}

/* A number, and where the text goes on after blanks; NULL if it is none. */
static const char *take_number(const char *p, double *value)
{
    const char *end = sfi_number_parse(skip_blanks(p), value);
    return end != NULL && isfinite(*value) ? skip_blanks(end) : NULL;
}

/* What follows the name: bounds.  NULL if it is no condition. */
static const char *take_bounds(const char *p, double *low, double *high)
{
    double value = 0.0;
    p = skip_blanks(p);
    const char sign = *p;
    if (strncmp(p, "in", 2) == 0 && strchr(" \t", p[2]) != NULL &&
        p[2] != '\0') {
        p = take_number(p + 2, low);
        return p != NULL && *p == ':' ? take_number(p + 1, high) : NULL;
    }
    if (sign != '=' && sign != '<' && sign != '>')
        return NULL;
    p = take_number(p + (sign != '=' && p[1] == '=' ? 2 : 1), &value);
    *low = sign == '<' ? -INFINITY : value;
    *high = sign == '>' ? INFINITY : value;
    return p;
}

/* ---- bounds -------------------------------------------------------------------- */

static sf_status say_syntax(sf_context *ctx, const char *text)
{
    char shown[SFI_SHOW_SIZE];
    return SFI_FAIL(
        ctx, SF_E_ARG,
        "condition: \"%s\": want NAME=VALUE, NAME<VALUE, "
        "NAME>VALUE or NAME in LOW:HIGH, with numbers, or NAME=LEVEL "
        "or NAME in LEVEL,LEVEL",
        sfi_show(shown, text, strlen(text)));
}

/* How far from an atom a bound is that it is beyond, in the units of the kernel: no mass
 * of numbers to speak of is between. */
static const double beside_atom = 1e-9;

/* What follows the name of a column of numbers, into *lower and *upper. */
static sf_status add_bounds(sf_context *ctx, const sf_model *m, int64_t j,
                            const char *text, const char *after, double *lower,
                            double *upper)
{
    char shown[SFI_SHOW_SIZE], column[SFI_SHOW_SIZE];
    const char *name = sf_model_column(m, j);
    const char *sign = skip_blanks(after);
    double low = 0.0, high = 0.0;
    const char *p = take_bounds(after, &low, &high);
    if (p == NULL || *p != '\0')
        return say_syntax(ctx, text);
    if (sf_model_is_discrete(m, j) && sign[1] != '=') {
        low = *sign == '>' ? floor(low) + 1.0 : low;
        high = *sign == '<' ? ceil(high) - 1.0 : high;
    }
    if (sign[0] == '>' && sign[1] != '=' && sfi_is_atom(m, j, low))
        low += beside_atom * m->scale[j];
    if (sign[0] == '<' && sign[1] != '=' && sfi_is_atom(m, j, high))
        high -= beside_atom * m->scale[j];
    low = fmax(low, *lower);
    high = fmin(high, *upper);
    if (!(low <= high))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "condition: \"%s\": column \"%s\" would have to be at "
                        "least %g and at most %g",
                        sfi_show(shown, text, strlen(text)),
                        sfi_show(column, name, strlen(name)), low, high);
    *lower = low;
    *upper = high;
    return SF_OK;
}

/* The column that a text is about, and what follows its name. */
static sf_status find_column(sf_context *ctx, const sf_model *m,
                             const char *text, int64_t *j, const char **after)
{
    const char *name = NULL;
    size_t size = 0;
    *after = take_name(text, &name, &size);
    if (*after == NULL)
        return say_syntax(ctx, text);
    const char *p = skip_blanks(*after);
    const bool in = strncmp(p, "in", 2) == 0 && (p[2] == ' ' || p[2] == '\t');
    if (!in && *p != '=' && *p != '<' && *p != '>')
        return say_syntax(ctx, text);
    return find(ctx, m, name, size, j);
}

sf_status sf_condition_parse(sf_context *ctx, double *lower, double *upper,
                             const sf_model *m, const char *text)
{
    const char *after = NULL;
    int64_t j = 0;
    SFI_TRY(find_column(ctx, m, text, &j, &after));
    if (sf_model_categories(m, j) > 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "condition: column \"%s\" holds categories, which have "
                        "no bounds",
                        sf_model_column(m, j));
    return add_bounds(ctx, m, j, text, after, &lower[j], &upper[j]);
}

/* ---- levels -------------------------------------------------------------------- */

struct sf_condition {
    sf_context *ctx;
    const sf_model *model;
    int64_t dim;
    double *lower, *upper; /* [dim] */
    unsigned char **level; /* [dim] [levels] of what is allowed, or NULL: all */
};

static size_t count_of(const sf_condition *c, int64_t j)
{
    return (size_t)sf_model_categories(c->model, j);
}

void sf_condition_free(sf_condition *c)
{
    if (c == NULL)
        return;
    const size_t d = (size_t)c->dim;
    for (int64_t j = 0; j < c->dim && c->level != NULL; j++)
        sfi_free(c->ctx, c->level[j], count_of(c, j), 1);
    sfi_free(c->ctx, c->level, d, sizeof *c->level);
    sfi_free(c->ctx, c->upper, d, sizeof *c->upper);
    sfi_free(c->ctx, c->lower, d, sizeof *c->lower);
    sfi_free(c->ctx, c, 1, sizeof *c);
}

sf_status sf_condition_new(sf_context *ctx, sf_condition **out,
                           const sf_model *model)
{
    *out = NULL;
    sf_condition *c = sfi_alloc_zero(ctx, 1, sizeof *c);
    if (c == NULL)
        return SF_E_NOMEM;
    c->ctx = ctx;
    c->model = model;
    c->dim = sf_model_dim(model);
    const size_t d = (size_t)c->dim;
    c->lower = sfi_alloc(ctx, d, sizeof *c->lower);
    c->upper = sfi_alloc(ctx, d, sizeof *c->upper);
    c->level = sfi_alloc_zero(ctx, d, sizeof *c->level);
    if (c->lower == NULL || c->upper == NULL || c->level == NULL) {
        sf_condition_free(c);
        return SF_E_NOMEM;
    }
    sf_condition_clear(c->dim, c->lower, c->upper);
    *out = c;
    return SF_OK;
}

/* A column whose levels are looked for. */
typedef struct searched {
    const sf_model *m;
    int64_t column;
} searched;

static const char *level_at(const void *user, int i)
{
    const searched *s = user;
    return i < sf_model_categories(s->m, s->column)
               ? sf_model_level(s->m, s->column, i)
               : NULL;
}

/* The number of a level by its text; of a column without texts the number itself. */
static sf_status find_level(const sf_condition *c, int64_t j, const char *text,
                            size_t size, int64_t *level)
{
    const int64_t count = sf_model_categories(c->model, j);
    char shown[SFI_SHOW_SIZE], list[300] = "", word[256];
    double number = 0.0;
    snprintf(word, sizeof word, "%.*s", (int)(size < 255 ? size : 255), text);
    const char *end = sfi_number_parse(word, &number);
    for (int64_t k = 0; k < count; k++) {
        const char *known = sf_model_level(c->model, j, k);
        *level = k;
        if (known != NULL
                ? strlen(known) == size && memcmp(known, text, size) == 0
                : end != NULL && *end == '\0' && number == (double)k)
            return SF_OK;
        const size_t used = strlen(list);
        if (used < sizeof list - 80)
            snprintf(list + used, sizeof list - used, "%s%.60s",
                     k > 0 ? ", " : "", known != NULL ? known : "a number");
        else if (used < sizeof list - 8)
            snprintf(list + used, sizeof list - used, ", ...");
    }
    const searched in = {c->model, j};
    const char *nearest = sfi_nearest_word(word, level_at, &in);
    return SFI_FAIL(
        c->ctx, SF_E_ARG,
        "condition: column \"%.80s\" has no level \"%s\", but %s%s%s%s",
        sf_model_column(c->model, j), sfi_show(shown, text, size), list,
        nearest != NULL ? "; did you mean \"" : "",
        nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

/* The next level of a list, in quotes or up to a comma; *text moves on, and is NULL
 * where there is none. */
static void take_level(const char **text, const char **level, size_t *size)
{
    const char *p = skip_blanks(*text);
    const bool quoted = *p == '"';
    const char *end = quoted ? strchr(p + 1, '"') : p + strcspn(p, ",");
    *level = p + quoted;
    *size = end != NULL ? (size_t)(end - *level) : 0;
    while (!quoted && *size > 0 && strchr(" \t", (*level)[*size - 1]) != NULL)
        --*size;
    *text = *size > 0 ? skip_blanks(end + quoted) : NULL;
}

/* Levels that `after` lists are marked in `found` [levels]. */
static sf_status read_levels(const sf_condition *c, int64_t j, const char *text,
                             const char *after, unsigned char *found)
{
    const char *p = skip_blanks(after);
    const bool list = *p == 'i';
    if (*p != '=' && !list)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "condition: \"%.80s\": column \"%.80s\" holds "
                        "categories, which have no order; want NAME=LEVEL or "
                        "NAME in LEVEL,LEVEL",
                        text, sf_model_column(c->model, j));
    for (p += list ? 2 : 1;; p++) {
        const char *level = NULL;
        size_t size = 0;
        int64_t k = 0;
        take_level(&p, &level, &size);
        if (p == NULL || (*p != '\0' && (*p != ',' || !list)))
            return say_syntax(c->ctx, text);
        SFI_TRY(find_level(c, j, level, size, &k));
        found[k] = 1;
        if (*p == '\0')
            return SF_OK;
    }
}

static sf_status add_levels(sf_condition *c, int64_t j, const char *text,
                            const char *after)
{
    const size_t count = count_of(c, j);
    unsigned char *found = sfi_alloc_zero(c->ctx, count, 1);
    bool any = false;
    if (found == NULL)
        return SF_E_NOMEM;
    sf_status status = read_levels(c, j, text, after, found);
    for (size_t k = 0; k < count; k++) {
        found[k] =
            found[k] != 0 && (c->level[j] == NULL || c->level[j][k] != 0);
        any = any || found[k] != 0;
    }
    if (status == SF_OK && !any)
        status =
            SFI_FAIL(c->ctx, SF_E_ARG,
                     "condition: \"%.80s\": no level of column \"%.80s\" is "
                     "left",
                     text, sf_model_column(c->model, j));
    if (status != SF_OK) {
        sfi_free(c->ctx, found, count, 1);
        return status;
    }
    sfi_free(c->ctx, c->level[j], count, 1);
    c->level[j] = found;
    return SF_OK;
}

sf_status sf_condition_add(sf_condition *c, const char *text)
{
    const char *after = NULL;
    int64_t j = 0;
    SFI_TRY(find_column(c->ctx, c->model, text, &j, &after));
    return sf_model_categories(c->model, j) > 0
               ? add_levels(c, j, text, after)
               : add_bounds(c->ctx, c->model, j, text, after, &c->lower[j],
                            &c->upper[j]);
}

void sf_condition_bounds(const sf_condition *c, int64_t column, double *lower,
                         double *upper)
{
    *lower = c->lower[column];
    *upper = c->upper[column];
}

bool sf_condition_allows(const sf_condition *c, int64_t column, int64_t level)
{
    return c->level[column] == NULL || c->level[column][level] != 0;
}

sf_status sf_conditional_given(sf_context *ctx, sf_conditional **out,
                               const sf_model *model, const sf_condition *c)
{
    return sfi_conditional_new(ctx, out, model, c->lower, c->upper,
                               (const unsigned char *const *)c->level);
}
