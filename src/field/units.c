/* SPDX-License-Identifier: Apache-2.0 */
/* units.c - products, powers and roots of units in their texts.
 *
 *     unit    =  factor { [blank . * / ·] factor }
 *     factor  =  symbol [ [^ | **] [+ | -] digits ]  |  number
 *
 * A factor in parentheses counts as one symbol.  Two factors are the same if their
 * symbols are spelled the same: hPa and Pa stay side by side, which is right,
 * if not short.  '/' turns the sign of the one factor behind it, as in udunits2. */
#include "field/units.h"

#include "num/decimal.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FACTORS = 24, MOST_POWER = 99 };

typedef struct factor {
    char symbol[SFI_UNIT_SIZE];
    int power;
} factor;

typedef struct factors {
    double number;
    int count;
    factor list[MOST_FACTORS];
} factors;

static const sfi_unit unknown = {false, ""};

/* ---- texts to factors and back ---------------------------------------------- */

static bool is_separator(const char *p)
{
    return *p == ' ' || *p == '\t' || *p == '.' || *p == '*' ||
           (p[0] == '\xc2' && p[1] == '\xb7');
}

/* Whether a byte may stand in a symbol: letters, %, signs of degrees, UTF-8. */
static bool in_symbol(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '%' || c == '\'' ||
           c == '"' || ((unsigned char)c >= 0x80 && c != '\xc2');
}

/* The end of the symbol at p: letters, or what is within parentheses. */
static const char *symbol_end(const char *p)
{
    if (*p != '(') {
        while (in_symbol(*p) || (p[0] == '\xc2' && p[1] != '\xb7'))
            p++;
        return p;
    }
    int depth = 0;
    for (; *p != '\0'; p++) {
        depth += (*p == '(') - (*p == ')');
        if (depth == 0)
            return p + 1;
    }
    return NULL;
}

/* The power behind a symbol, 1 if there is none; *p moves behind it. */
static bool read_power(const char **p, int *power)
{
    const char *at = *p;
    if (*at == '^')
        at++;
    else if (at[0] == '*' && at[1] == '*')
        at += 2;
    const bool is_marked = at > *p;
    const char *digits = at + (*at == '+' || *at == '-');
    *power = 1;
    if (!isdigit((unsigned char)*digits))
        return !is_marked;
    char *end = NULL;
    const long n = strtol(at, &end, 10);
    *p = end;
    *power = (int)n;
    return labs(n) <= MOST_POWER;
}

static bool add_factor(factors *f, const char *symbol, size_t size, int power)
{
    if (size == 0 || size >= SFI_UNIT_SIZE)
        return false;
    for (int i = 0; i < f->count; i++)
        if (strlen(f->list[i].symbol) == size &&
            memcmp(f->list[i].symbol, symbol, size) == 0) {
            f->list[i].power += power;
            return true;
        }
    if (f->count == MOST_FACTORS)
        return false;
    factor *new = &f->list[f->count++];
    memcpy(new->symbol, symbol, size);
    new->symbol[size] = '\0';
    new->power = power;
    return true;
}

/* Take a text apart; false if it is not of that form. */
static bool read_factors(const char *text, factors *f)
{
    int sign = 1;
    f->number = 1.0;
    f->count = 0;
    for (const char *p = text;;) {
        while (is_separator(p))
            p += *p == '\xc2' ? 2 : 1;
        if (*p == '\0')
            return sign == 1;
        if (*p == '/') {
            if (sign < 0)
                return false;
            sign = -1;
            p++;
            continue;
        }
        double number = 1.0;
        const char *end = sfi_number_parse(p, &number);
        int power = 1;
        if (end != NULL) {
            f->number *= sign > 0 ? number : 1.0 / number;
        } else {
            const char *symbol = p;
            end = symbol_end(p);
            if (end == NULL || end == symbol)
                return false;
            const size_t size = (size_t)(end - symbol);
            if (!read_power(&end, &power) ||
                !add_factor(f, symbol, size, sign * power))
                return false;
        }
        p = end;
        sign = 1;
    }
}

static sfi_unit from_factors(const factors *f)
{
    sfi_unit out = {true, ""};
    size_t used = 0;
    if (f->number != 1.0) {
        char number[SFI_NUMBER_SIZE];
        (void)sfi_number_format(f->number, number);
        used = (size_t)snprintf(out.text, sizeof out.text, "%s", number);
    }
    for (int i = 0; i < f->count && used < sizeof out.text; i++) {
        const factor *a = &f->list[i];
        const char *blank = used > 0 ? " " : "";
        if (a->power == 1)
            used += (size_t)snprintf(out.text + used, sizeof out.text - used,
                                     "%s%s", blank, a->symbol);
        else if (a->power != 0)
            used += (size_t)snprintf(out.text + used, sizeof out.text - used,
                                     "%s%s%s%d", blank, a->symbol,
                                     a->symbol[0] == '(' ? "^" : "", a->power);
    }
    if (used >= sizeof out.text || !isfinite(f->number))
        return unknown;
    if (used == 0)
        strcpy(out.text, "1");
    return out;
}

/* The factors of a unit: a text of another form is one symbol. */
static bool factors_of(const sfi_unit *unit, factors *f)
{
    if (read_factors(unit->text, f))
        return true;
    char whole[SFI_UNIT_SIZE + 2];
    snprintf(whole, sizeof whole, "(%s)", unit->text);
    f->number = 1.0;
    f->count = 0;
    return add_factor(f, whole, strlen(whole), 1);
}

/* ---- reading ---------------------------------------------------------------- */

/* What files write and udunits2 does not know, or takes for something else. */
static const struct {
    const char *symbol, *meant;
} table[] = {{"gpm", "m"},  {"gpdm", "dam"}, {"psu", ""},   {"PSU", ""},
             {"mb", "hPa"}, {"mbar", "hPa"}, {"hpa", "hPa"}};

/* Replace symbols by the table; false if there was none of them. */
static bool apply_table(factors *f)
{
    bool found = false;
    for (int i = 0; i < f->count; i++)
        for (size_t k = 0; k < SFI_COUNT(table); k++)
            if (strcmp(f->list[i].symbol, table[k].symbol) == 0) {
                strcpy(f->list[i].symbol, table[k].meant);
                if (table[k].meant[0] == '\0')
                    f->list[i].power = 0;
                found = true;
                break;
            }
    return found;
}

bool sfi_unit_read(sfi_unit_base *units, const char *text, sfi_unit *out)
{
    *out = unknown;
    if (text == NULL)
        return true;
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        size--;
    if (size == 0)
        return true;
    if (size >= SFI_UNIT_SIZE)
        return false;
    sfi_unit found = {.is_known = true};
    memcpy(found.text, text, size);
    found.text[size] = '\0';
    factors f;
    if (read_factors(found.text, &f) && apply_table(&f))
        found = from_factors(&f);
    if (!found.is_known || !sfi_units_parse(units, found.text))
        return false;
    *out = found;
    return true;
}

/* ---- algebra ---------------------------------------------------------------- */

static bool same_text(const sfi_unit *a, const sfi_unit *b)
{
    return strcmp(a->text, b->text) == 0;
}

sf_status sfi_unit_convert(sfi_unit_base *units, const sfi_unit *from,
                           const sfi_unit *to, sfi_conversion *out)
{
    *out = (sfi_conversion){1.0, 0.0};
    if (!from->is_known || !to->is_known || same_text(from, to))
        return SF_OK;
    return sfi_units_convert(units, from->text, to->text, out);
}

sfi_unit sfi_unit_product(const sfi_unit *a, int p, const sfi_unit *b, int q)
{
    factors f, g;
    if (!a->is_known || !b->is_known || !factors_of(a, &f) ||
        !factors_of(b, &g))
        return unknown;
    f.number = pow(f.number, p) * pow(g.number, q);
    for (int i = 0; i < f.count; i++)
        f.list[i].power *= p;
    for (int i = 0; i < g.count; i++)
        if (!add_factor(&f, g.list[i].symbol, strlen(g.list[i].symbol),
                        g.list[i].power * q))
            return unknown;
    return from_factors(&f);
}

bool sfi_unit_root(const sfi_unit *a, int n, sfi_unit *out)
{
    factors f;
    *out = unknown;
    if (!a->is_known)
        return true;
    if (!factors_of(a, &f))
        return false;
    for (int i = 0; i < f.count; i++) {
        if (f.list[i].power % n != 0)
            return false;
        f.list[i].power /= n;
    }
    f.number = pow(f.number, 1.0 / n);
    *out = from_factors(&f);
    return out->is_known;
}

bool sfi_unit_has_offset(sfi_unit_base *units, const sfi_unit *unit,
                         sfi_unit *absolute, sfi_conversion *to_absolute)
{
    *absolute = *unit;
    *to_absolute = (sfi_conversion){1.0, 0.0};
    char text[SFI_UNIT_SIZE];
    if (!unit->is_known || !sfi_units_offset(units, unit->text, text) ||
        sfi_units_convert(units, unit->text, text, to_absolute) != SF_OK)
        return false;
    memcpy(absolute->text, text, sizeof text);
    return true;
}

bool sfi_unit_is_plain(sfi_unit_base *units, const sfi_unit *unit,
                       double *to_plain)
{
    static const sfi_unit one = {true, "1"};
    sfi_conversion c;
    *to_plain = 1.0;
    if (!unit->is_known || same_text(unit, &one))
        return true;
    if (sfi_units_convert(units, unit->text, "1", &c) != SF_OK ||
        c.offset != 0.0)
        return false;
    *to_plain = c.slope;
    return true;
}
