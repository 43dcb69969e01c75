/* SPDX-License-Identifier: Apache-2.0 */
/* columns.c - the columns of a table on the terminal, and how tables are read. */
#include "cli/cli.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

/* ---- how tables are read -------------------------------------------------- */

sf_read_options cli_read_options(const cli_read *r)
{
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.sep = r->sep;
    o.header = (sf_header)r->header;
    o.comment = r->comment;
    o.na = r->na;
    o.decimal = r->decimal;
    o.kinds = r->kinds;
    return o;
}

/* ---- on the terminal ------------------------------------------------------ */

enum { NAME_WIDTH = 24 };

/* A name for a table of fixed width: what is too long loses its end. */
static void print_name(FILE *to, const char *name, int width)
{
    char shown[SFI_SHOW_SIZE];
    sfi_show(shown, name, strlen(name));
    int n = cli_width(shown);
    if (n <= width) {
        fprintf(to, "%s%*s", shown, width - n, "");
        return;
    }
    char *end = shown;
    for (n = 0; n < width - 3 || ((unsigned char)*end & 0xc0) == 0x80; end++)
        n += ((unsigned char)*end & 0xc0) != 0x80;
    fprintf(to, "%.*s%*s", (int)(end - shown), shown, 3 + width - 3 - n, "...");
}

static int name_width(const sf_frame *f)
{
    int width = 6;
    for (int64_t j = 0; j < sf_frame_cols(f); j++) {
        char shown[SFI_SHOW_SIZE];
        const char *name = sf_frame_name(f, j);
        const int n = cli_width(sfi_show(shown, name, strlen(name)));
        width = n > width ? n : width;
    }
    return width < NAME_WIDTH ? width : NAME_WIDTH;
}

/* The part of the cells that are there which is x. */
static double share_of(const sf_frame *f, int64_t j, double x)
{
    int64_t same = 0, present = 0;
    for (int64_t i = 0; i < sf_frame_rows(f); i++) {
        const double cell = sf_frame_cell(f, i, j);
        present += !isnan(cell);
        same += cell == x;
    }
    return (double)same / (double)present;
}

const char *cli_why(const sf_frame *f, int64_t j, char text[CLI_WHY_SIZE])
{
    const int64_t count = sf_frame_atom_count(f, j);
    int n = snprintf(text, CLI_WHY_SIZE, "%s", sf_frame_why(f, j));
    for (int64_t k = 0; k < count && n + 48 < CLI_WHY_SIZE; k++) {
        const double x = sf_frame_atom(f, j, k);
        const char *before = k > 0 ? ", " : count > 1 ? "; atoms " : "; atom ";
        n += snprintf(text + n, (size_t)(CLI_WHY_SIZE - n), "%s%g (%.3g %%)",
                      before, x, 100.0 * share_of(f, j, x));
    }
    return text;
}

sf_status cli_show_columns(cli *c, const sf_frame *f, const bool *used)
{
    if (c->common.quiet)
        return SF_OK;
    const int width = name_width(f);
    fprintf(stderr, "%-*s  kind       %9s %8s %10s %10s %10s\n", width,
            "column", "rows", "missing", "min", "mean", "max");
    for (int64_t j = 0; j < sf_frame_cols(f); j++) {
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        char why[CLI_WHY_SIZE];
        SFI_TRY(sf_frame_summarise(c->ctx, &s, f, j));
        print_name(stderr, sf_frame_name(f, j), width);
        fprintf(stderr, "  %-10s %9lld %8lld",
                sf_kind_name(sf_frame_kind(f, j)), (long long)s.present,
                (long long)s.missing);
        if (!isnan(s.mean))
            fprintf(stderr, " %10.5g %10.5g %10.5g", s.min, s.mean, s.max);
        else if (!isnan(s.min))
            fprintf(stderr, " %10.5g %10s %10.5g", s.min, "", s.max);
        else if (s.present == 0)
            fprintf(stderr, " %10s %10s %10s", "-", "-", "-");
        else
            fprintf(stderr, " %10s %10s %10s", "", "", "");
        fprintf(stderr, "  %s%s\n", cli_why(f, j, why),
                used[j] ? "" : "; left out");
    }
    return SF_OK;
}

void cli_give_hints(cli *c, const sf_frame *f)
{
    char text[SF_HINT_SIZE];
    for (int64_t j = 0; j < sf_frame_cols(f); j++)
        if (sf_frame_hint(f, j, text))
            cli_note(c,
                     "hint: column \"%.200s\" may be more than a number; "
                     "fit --model empirical --kernel '%s' makes it that",
                     sf_frame_name(f, j), text);
}
