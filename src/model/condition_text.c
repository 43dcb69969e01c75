/* SPDX-License-Identifier: Apache-2.0 */
/* condition_text.c - conditions on columns as text: NAME=VALUE, NAME<VALUE,
 * NAME>VALUE, NAME in LOW:HIGH. */
#include "scorefield/condition.h"

#include "base/context.h"
#include "base/text.h"
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

sf_status sf_condition_parse(sf_context *ctx, double *lower, double *upper,
                             const sf_model *m, const char *text)
{
    const char *name = NULL;
    size_t size = 0;
    int64_t j = 0;
    double low = 0.0, high = 0.0;
    char shown[SFI_SHOW_SIZE], column[SFI_SHOW_SIZE];
    const char *p = take_name(text, &name, &size);
    p = p != NULL ? take_bounds(p, &low, &high) : NULL;
    sfi_show(shown, text, strlen(text));
    if (p == NULL || *p != '\0')
        return SFI_FAIL(ctx, SF_E_ARG,
                        "condition: \"%s\": want NAME=VALUE, NAME<VALUE, "
                        "NAME>VALUE or NAME in LOW:HIGH, with numbers",
                        shown);
    SFI_TRY(find(ctx, m, name, size, &j));
    low = fmax(low, lower[j]);
    high = fmin(high, upper[j]);
    if (!(low <= high))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "condition: \"%s\": column \"%s\" would have to be at "
                        "least %g and at most %g",
                        shown, sfi_show(column, name, size), low, high);
    lower[j] = low;
    upper[j] = high;
    return SF_OK;
}
