/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - command lines, taken apart as a table of options says.
 *
 *     --name VALUE   --name=VALUE   -n VALUE   -nVALUE   -qv   --   -
 *
 * Options and operands may be mixed.  Names are written out: an abbreviation
 * would change its meaning when an option is added. */
#include "cli/cli.h"

#include "base/text.h"
#include "num/decimal.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COMMON(kind_, letter_, name_, argument_, member, initial_, range_,     \
               help_)                                                          \
    {                                                                          \
        .kind = kind_, .letter = letter_, .name = name_,                       \
        .argument = argument_, .offset = offsetof(cli_common, member),         \
        .initial = initial_, .range = range_, .help = help_                    \
    }

const cli_option cli_common_options[] = {
    COMMON(CLI_SEED, 0, "seed", "S", seed, "0", NULL, "Any 64-bit integer"),
    {.kind = CLI_WHOLE,
     .letter = 'j',
     .name = "threads",
     .argument = "N",
     .offset = offsetof(cli_common, threads),
     .shown = "cores",
     .range = "[1, 256]",
     .help = "Results do not depend on it"},
    COMMON(CLI_FLAG, 'q', "quiet", NULL, quiet, NULL, NULL,
           "Say nothing but warnings and errors"),
    COMMON(CLI_FLAG, 0, "json", NULL, json, NULL, NULL,
           "Report as one JSON object on stdout"),
    COMMON(CLI_FLAG, 'h', "help", NULL, help, NULL, NULL, "Print this text"),
    COMMON(CLI_FLAG, 0, "version", NULL, version, NULL, NULL,
           "Print the version"),
    {0}};

/* ---- choices ------------------------------------------------------------- */

void cli_choice(const char *choices, int i, char *text, size_t size)
{
    while (i-- > 0 && choices != NULL) {
        choices = strchr(choices, '|');
        choices += choices != NULL;
    }
    const char *from = choices != NULL ? choices : "";
    snprintf(text, size, "%.*s", (int)strcspn(from, "|"), from);
}

/* ---- values --------------------------------------------------------------- */

static bool in_range(double value, const char *range)
{
    if (range == NULL)
        return isfinite(value);
    double lo = 0.0, hi = INFINITY;
    if (range[0] == '>') {
        const bool or_equal = range[1] == '=';
        lo = strtod(range + 1 + or_equal, NULL);
        return isfinite(value) && (or_equal ? value >= lo : value > lo);
    }
    char *comma = NULL;
    lo = strtod(range + 1, &comma);
    hi = strtod(comma + 1, NULL);
    return (range[0] == '[' ? value >= lo : value > lo) &&
           (range[strlen(range) - 1] == ']' ? value <= hi : value < hi);
}

/* A number that is the whole text. */
static bool whole_text(const char *text, double *value)
{
    const char *end = sfi_number_parse(text, value);
    return end != NULL && *end == '\0';
}

static bool parse_seed(const char *text, uint64_t *value)
{
    char *end = NULL;
    const bool is_negative = text[0] == '-';
    if (!isdigit((unsigned char)text[is_negative]))
        return false;
    errno = 0;
    *value = is_negative ? (uint64_t)strtoll(text, &end, 0)
                         : strtoull(text, &end, 0);
    return errno == 0 && *end == '\0';
}

static bool parse_pair(const char *text, cli_pair *value)
{
    char *end = NULL;
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    value->first = strtoll(text, &end, 10);
    if (*end != 'x' || !isdigit((unsigned char)end[1]))
        return false;
    value->second = strtoll(end + 1, &end, 10);
    return errno == 0 && *end == '\0' && value->first >= 1;
}

/* How messages call an option: as the user wrote it. */
static const char *shown_name(const cli_option *o, char text[64])
{
    if (o->name != NULL)
        snprintf(text, 64, "--%s", o->name);
    else
        snprintf(text, 64, "-%c", o->letter);
    return text;
}

static sf_status bad_value(cli *c, const cli_option *o, const char *text,
                           const char *want)
{
    char name[64], shown[SFI_SHOW_SIZE];
    return SFI_FAIL(c->ctx, SF_E_ARG, "%s is \"%s\", want %s",
                    shown_name(o, name), sfi_show(shown, text, strlen(text)),
                    want);
}

static sf_status set_number(cli *c, const cli_option *o, const char *text,
                            void *member)
{
    double value = 0.0;
    if (!whole_text(text, &value))
        return bad_value(c, o, text, "a number");
    const bool is_whole = o->kind == CLI_WHOLE;
    /* Beyond 2^53 a double may not be the number that was typed. */
    if (is_whole && (floor(value) != value || fabs(value) > 9007199254740992.0))
        return bad_value(c, o, text, "a whole number");
    if (!in_range(value, o->range)) {
        char want[80];
        const char *range = o->range != NULL ? o->range : "a finite number";
        snprintf(want, sizeof want, "%s%s%s", is_whole ? "a whole number " : "",
                 range[0] == '[' || range[0] == '(' ? "in " : "", range);
        return bad_value(c, o, text, want);
    }
    if (is_whole)
        *(int64_t *)member = (int64_t)value;
    else
        *(double *)member = value;
    return SF_OK;
}

static sf_status set_value(cli *c, const cli_option *o, const char *text,
                           void *values)
{
    void *member = (char *)values + o->offset;
    switch (o->kind) {
    case CLI_END:
        break;
    case CLI_FLAG:
        *(bool *)member = true;
        break;
    case CLI_WHOLE:
    case CLI_NUMBER:
        return set_number(c, o, text, member);
    case CLI_SEED:
        if (!parse_seed(text, member))
            return bad_value(c, o, text, "an integer of 64 bits");
        break;
    case CLI_PAIR:
        if (!parse_pair(text, member))
            return bad_value(c, o, text, "two whole numbers, e.g. 128x4");
        break;
    case CLI_TEXT:
        *(const char **)member = text;
        break;
    case CLI_TEXTS: {
        cli_texts *all = member;
        if (all->count == CLI_MOST_TEXTS) {
            char name[64];
            return SFI_FAIL(c->ctx, SF_E_ARG, "%s is given more than %d times",
                            shown_name(o, name), (int)CLI_MOST_TEXTS);
        }
        all->text[all->count++] = text;
        break;
    }
    case CLI_CHOICE:
        *(int *)member = sfi_find_choice(o->choices, text, strlen(text));
        if (*(int *)member < 0) {
            char want[160];
            snprintf(want, sizeof want, "one of %s", o->choices);
            return bad_value(c, o, text, want);
        }
        break;
    }
    return SF_OK;
}

static sf_status set_defaults(cli *c, const cli_option *options, void *values)
{
    for (const cli_option *o = options; o->kind != CLI_END; o++)
        if (o->initial != NULL)
            SFI_TRY(set_value(c, o, o->initial, values));
    return SF_OK;
}

/* ---- names ---------------------------------------------------------------- */

typedef struct place {
    const cli_option *option;
    void *values;
    bool *given; /* NULL for the common ones */
} place;

static bool has_name(const cli_option *o, const char *name, size_t size,
                     char letter)
{
    if (letter != 0)
        return o->letter == letter;
    return o->name != NULL && strlen(o->name) == size &&
           memcmp(o->name, name, size) == 0;
}

static bool find(cli *c, void *values, const char *name, size_t size,
                 char letter, place *found)
{
    const cli_option *own = c->command->options;
    for (int i = 0; own[i].kind != CLI_END; i++)
        if (has_name(&own[i], name, size, letter)) {
            *found = (place){&own[i], values, &c->given[i]};
            return true;
        }
    for (const cli_option *o = cli_common_options; o->kind != CLI_END; o++)
        if (has_name(o, name, size, letter)) {
            *found = (place){o, &c->common, NULL};
            return true;
        }
    return false;
}

static const char *option_name(const void *user, int i)
{
    const cli *c = user;
    const cli_option *lists[] = {c->command->options, cli_common_options};
    for (size_t k = 0; k < SFI_COUNT(lists); k++)
        for (const cli_option *o = lists[k]; o->kind != CLI_END; o++)
            if (o->name != NULL && i-- == 0)
                return o->name;
    return NULL;
}

static sf_status unknown(cli *c, const char *argument)
{
    char name[SFI_LONGEST_WORD + 1], shown[SFI_SHOW_SIZE];
    const char *word = argument + strspn(argument, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    sfi_show(shown, argument, strcspn(argument, "="));
    if (c->command->later != NULL) {
        char padded[SFI_LONGEST_WORD + 3];
        snprintf(padded, sizeof padded, " %s ", name);
        if (strstr(c->command->later, padded) != NULL)
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "%s is not in this version, scorefield %s", shown,
                            sf_version());
    }
    const char *nearest =
        argument[1] == '-' ? sfi_nearest_word(name, option_name, c) : NULL;
    if (nearest != NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "unknown option %s; did you mean --%s?", shown,
                        nearest);
    return SFI_FAIL(c->ctx, SF_E_ARG,
                    "unknown option %s; `scorefield help %s` lists them", shown,
                    c->command->name);
}

static sf_status set_option(cli *c, const place *at, const char *value)
{
    char name[64];
    if (value == NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG, "%s wants a value: %s",
                        shown_name(at->option, name), at->option->argument);
    if (at->given != NULL)
        *at->given = true;
    if (at->option->kind == CLI_SEED)
        c->seed_given = true;
    return set_value(c, at->option, value, at->values);
}

/* "--name", "--name=VALUE"; `next` is the following argument or NULL, and
 * *used says whether it was needed. */
static sf_status parse_long(cli *c, void *values, const char *argument,
                            const char *next, bool *used)
{
    const char *name = argument + 2;
    const size_t size = strcspn(name, "=");
    const bool has_value = name[size] == '=';
    place at;
    if (!find(c, values, name, size, 0, &at))
        return unknown(c, argument);
    const bool is_flag = at.option->kind == CLI_FLAG;
    if (is_flag && has_value)
        return SFI_FAIL(c->ctx, SF_E_ARG, "--%s takes no value",
                        at.option->name);
    *used = !is_flag && !has_value;
    return set_option(c, &at,
                      is_flag     ? ""
                      : has_value ? name + size + 1
                                  : next);
}

/* "-n", "-n5", "-qn5". */
static sf_status parse_short(cli *c, void *values, const char *argument,
                             const char *next, bool *used)
{
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        place at;
        if (!find(c, values, NULL, 0, *letter, &at))
            return unknown(c, argument);
        if (at.option->kind == CLI_FLAG) {
            SFI_TRY(set_option(c, &at, ""));
            continue;
        }
        *used = letter[1] == '\0';
        return set_option(c, &at, *used ? next : letter + 1);
    }
    return SF_OK;
}

sf_status cli_parse(cli *c, void *values, int argc, char **argv)
{
    SFI_TRY(set_defaults(c, c->command->options, values));
    SFI_TRY(set_defaults(c, cli_common_options, &c->common));
    c->operands = argv;
    bool only_operands = false;
    for (int i = 0; i < argc; i++) {
        char *argument = argv[i];
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        bool used = false;
        if (only_operands || argument[0] != '-' || argument[1] == '\0')
            argv[c->operand_count++] = argument;
        else if (strcmp(argument, "--") == 0)
            only_operands = true;
        else if (argument[1] == '-')
            SFI_TRY(parse_long(c, values, argument, next, &used));
        else
            SFI_TRY(parse_short(c, values, argument, next, &used));
        i += used;
    }
    return SF_OK;
}

bool cli_given(const cli *c, const char *name)
{
    const cli_option *own = c->command->options;
    for (int i = 0; own[i].kind != CLI_END; i++)
        if (has_name(&own[i], name, strlen(name), 0))
            return c->given[i];
    /* Of the common ones, only --seed is asked for. */
    return strcmp(name, "seed") == 0 && c->seed_given;
}
