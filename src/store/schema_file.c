/* SPDX-License-Identifier: Apache-2.0 */
/* schema_file.c - what a model's file keeps of a column of its table:
 *
 *     {"name": "sex", "kind": "boolean", "levels": ["male", "female"]}
 *     {"name": "day", "kind": "date", "unit": "d", "spelling": "YYYY-MM-DD"}
 *     {"name": "mass", "kind": "positive", "decimals": 1}
 *     {"name": "rain", "kind": "positive", "atoms": [0], "between": [false, true]}
 *
 * Levels are texts, since their numbers are those of one file's order.  Reals and
 * integers are what format 1 knows; it ignores their decimals. */
#include "store/schema_file.h"

#include "base/dictionary.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* ---- writing ----------------------------------------------------------------- */

sf_status sfi_column_check(sf_context *ctx, const sfi_schema_column *c)
{
    sfi_dictionary levels = {0};
    sf_status status = SF_OK;
    for (int64_t k = 0; k < c->level_count && status == SF_OK; k++) {
        char shown[SFI_SHOW_SIZE];
        const char *level = c->levels[k];
        const size_t size = strlen(level);
        if (size == 0 || sfi_utf8_prefix(level, size) < size ||
            sfi_dictionary_find(&levels, level, size) >= 0)
            status = SFI_FAIL(ctx, SF_E_ARG,
                              "save: the level \"%s\" of column \"%.200s\" is "
                              "empty, twice there or not UTF-8",
                              sfi_show(shown, level, size), c->name);
        else
            status = sfi_dictionary_add(ctx, &levels, level, size);
    }
    sfi_dictionary_free(ctx, &levels);
    return status;
}

int sfi_column_format(const sfi_schema_column *c)
{
    const bool is_old = c->kind == SF_KIND_REAL || c->kind == SF_KIND_INTEGER;
    return is_old && c->atoms.count == 0 ? 1 : 2;
}

static bool put_levels(const sfi_schema_column *c, json_t *object)
{
    if (c->level_count == 0)
        return true;
    json_t *levels = json_array();
    bool failed = levels == NULL;
    for (int64_t k = 0; k < c->level_count; k++)
        failed |= json_array_append_new(levels, json_string(c->levels[k])) != 0;
    failed |= json_object_set_new(object, "levels", levels) != 0;
    return !failed;
}

static bool put_atoms(const sfi_atoms *a, json_t *object)
{
    if (a->count == 0)
        return true;
    json_t *at = json_array(), *between = json_array();
    bool failed = at == NULL || between == NULL;
    for (int64_t k = 0; k < a->count; k++)
        failed |= json_array_append_new(at, json_real(a->at[k])) != 0;
    for (int64_t k = 0; k <= a->count; k++)
        failed |=
            json_array_append_new(between, json_boolean(a->between[k])) != 0;
    failed |= json_object_set_new(object, "atoms", at) != 0;
    failed |= json_object_set_new(object, "between", between) != 0;
    return !failed;
}

bool sfi_column_put(const sfi_schema_column *c, json_t *object)
{
    char style[SFI_DATE_SPELLING];
    bool failed = json_object_set_new(object, "kind",
                                      json_string(sf_kind_name(c->kind))) != 0;
    if (c->decimals >= 0)
        failed |= json_object_set_new(object, "decimals",
                                      json_integer(c->decimals)) != 0;
    if (c->unit != NULL)
        failed |=
            json_object_set_new(object, "unit", json_string(c->unit)) != 0;
    sfi_date_style_write(&c->date, style);
    if (c->kind == SF_KIND_DATE && c->date.is_known)
        failed |=
            json_object_set_new(object, "spelling", json_string(style)) != 0;
    return !failed && put_atoms(&c->atoms, object) && put_levels(c, object);
}

/* ---- reading ----------------------------------------------------------------- */

static sf_status fail(sf_context *ctx, const char *source, const char *name,
                      const char *what)
{
    char shown[SFI_SHOW_SIZE];
    return SFI_FAIL(ctx, SF_E_FORMAT, "%s: column \"%s\" of the schema %s",
                    source, sfi_show(shown, name, strlen(name)), what);
}

/* A kind by its name, or SF_KIND_COUNT. */
static sf_kind kind_named(const char *name)
{
    int kind = 0;
    while (name != NULL && kind < SF_KIND_COUNT &&
           strcmp(name, sf_kind_name((sf_kind)kind)) != 0)
        kind++;
    return name != NULL ? (sf_kind)kind : SF_KIND_COUNT;
}

/* Texts that differ, as a schema keeps them. */
static sf_status read_levels(sf_context *ctx, const char *source,
                             const json_t *list, const char *name,
                             const char **levels)
{
    sfi_dictionary texts = {0};
    sf_status status = SF_OK;
    for (size_t k = 0; k < json_array_size(list) && status == SF_OK; k++) {
        int64_t place = (int64_t)k;
        levels[k] = json_string_value(json_array_get(list, k));
        if (levels[k] != NULL && levels[k][0] != '\0')
            status = sfi_dictionary_number(ctx, &texts, levels[k], &place);
        else
            place = -1;
        if (status == SF_OK && place != (int64_t)k)
            status = fail(ctx, source, name,
                          "has \"levels\" that are no list of distinct texts");
    }
    sfi_dictionary_free(ctx, &texts);
    return status;
}

static sf_status read_style(sf_context *ctx, const char *source,
                            const json_t *object, const char *name,
                            sfi_schema_column *c)
{
    const json_t *spelling = json_object_get(object, "spelling");
    if (spelling == NULL)
        return SF_OK;
    const char *text = json_string_value(spelling);
    return text != NULL && sfi_date_style_read(text, &c->date)
               ? SF_OK
               : fail(ctx, source, name,
                      "has a \"spelling\" that is not like YYYY-MM-DD or "
                      "YYYY-MM-DDThh:mm:ss.fffZ");
}

/* Numbers that rise, and what lies between them. */
static sf_status read_atoms(sf_context *ctx, const char *source,
                            const json_t *object, const char *name,
                            sfi_atoms *atoms)
{
    double at[SF_MOST_ATOMS];
    bool between[SF_MOST_ATOMS + 1];
    const json_t *list = json_object_get(object, "atoms");
    const json_t *gaps = json_object_get(object, "between");
    const size_t count = json_array_size(list);
    bool right = count > 0 && count <= SF_MOST_ATOMS &&
                 json_array_size(gaps) == count + 1;
    if (list == NULL && gaps == NULL)
        return SF_OK;
    for (size_t k = 0; k < count && right; k++) {
        const json_t *x = json_array_get(list, k);
        at[k] = json_number_value(x);
        right = json_is_number(x) && isfinite(at[k]) &&
                (k == 0 || at[k] > at[k - 1]);
    }
    for (size_t k = 0; k <= count && right; k++) {
        right = json_is_boolean(json_array_get(gaps, k));
        between[k] = json_is_true(json_array_get(gaps, k));
    }
    return right ? sfi_atoms_set(ctx, atoms, (int64_t)count, at, between)
                 : fail(ctx, source, name,
                        "has \"atoms\" that are no rising numbers, or "
                        "\"between\" that does not say what lies below, "
                        "between and above them");
}

sf_status sfi_column_read(sf_context *ctx, const char *source,
                          const json_t *object, const char *name,
                          sfi_schema_column *c)
{
    const json_t *decimals = json_object_get(object, "decimals");
    const json_t *list = json_object_get(object, "levels");
    const json_t *unit = json_object_get(object, "unit");
    const size_t count = json_array_size(list); /* 0 if there is none */
    const json_int_t most = json_integer_value(decimals);
    c->kind = kind_named(json_string_value(json_object_get(object, "kind")));
    if (c->kind == SF_KIND_COUNT)
        return fail(ctx, source, name,
                    "has no \"kind\" that this program knows");
    if (decimals != NULL &&
        (!json_is_integer(decimals) || most < 0 || most > SF_MOST_DECIMALS))
        return fail(ctx, source, name, "has \"decimals\" that are not 0 to 6");
    if (unit != NULL && !json_is_string(unit))
        return fail(ctx, source, name, "has a \"unit\" that is no text");
    if ((list != NULL && count == 0) ||
        (c->kind == SF_KIND_CATEGORY && count == 0))
        return fail(ctx, source, name, "has no \"levels\"");
    c->decimals = decimals != NULL ? (int)most : -1;
    SFI_TRY(read_style(ctx, source, object, name, c));
    SFI_TRY(read_atoms(ctx, source, object, name, &c->atoms));
    const char **levels = sfi_alloc(ctx, count, sizeof *levels);
    if (levels == NULL)
        return SF_E_NOMEM;
    sf_status status = read_levels(ctx, source, list, name, levels);
    if (status == SF_OK)
        status = sfi_schema_set(ctx, c, name, json_string_value(unit), levels,
                                (int64_t)count);
    sfi_free(ctx, levels, count, sizeof *levels);
    return status;
}
