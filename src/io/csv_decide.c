/* SPDX-License-Identifier: Apache-2.0 */
/* csv_decide.c - what a column holds, once all its cells were seen.
 *
 * Missing cells say nothing.  Of the others the majority decides: more texts than
 * numbers make text.  Numbers among them are levels, spelled as they are, and are
 * said.  Texts among numbers are an error, since one mistyped cell must not change
 * what a column means, and neither may it be lost; the message counts them and says
 * how to have it either way. */
#include "io/csv_reader.h"

#include "io/cell.h"

#include <string.h>

/* Cells of all columns that are warned of together. */
typedef struct remarks {
    int64_t cells, columns;
    const sfi_csv_note *first;
    size_t column; /* of the first */
} remarks;

static void add_remark(remarks *all, const sfi_csv_note *n, size_t column)
{
    if (n->count == 0)
        return;
    all->cells += n->count;
    all->columns++;
    if (all->first != NULL && all->first->line <= n->line)
        return;
    all->first = n;
    all->column = column;
}

static void say(const sfi_csv_reader *r, const remarks *all, const char *what)
{
    if (all->cells > 0)
        sfi_warn(r->scan.ctx,
                 "%s:%lld: column \"%.200s\": \"%s\" %s; so in %lld cell%s of "
                 "%lld column%s",
                 r->scan.name, (long long)all->first->line,
                 r->head->columns[all->column].name, all->first->shown, what,
                 (long long)all->cells, all->cells == 1 ? "" : "s",
                 (long long)all->columns, all->columns == 1 ? "" : "s");
}

static sf_status fail_text(sfi_csv_reader *r, size_t col, const sfi_csv_note *n,
                           int64_t texts, int64_t present)
{
    const char *name = r->head->columns[col].name;
    const bool comma = r->scan.dialect.point == '.' &&
                       sfi_cell_has_decimal_comma(n->shown, strlen(n->shown));
    (void)SFI_CSV_FAIL(
        &r->scan, n->line,
        "column \"%.200s\": \"%s\" is not a number, and %lld of %lld cells are "
        "not; %s--na \"%s\" takes it for missing, --kind \"%.200s=category\" "
        "the column for text",
        name, n->shown, (long long)texts, (long long)present,
        comma ? "--decimal , reads it as one, " : "", n->shown, name);
    return r->scan.status;
}

static sf_status fail_infinite(sfi_csv_reader *r, size_t col)
{
    const sfi_csv_note *n = &r->columns[col].notes->infinite;
    (void)SFI_CSV_FAIL(
        &r->scan, n->line,
        "column \"%.200s\": \"%s\" is not a finite number; if it is "
        "missing, leave it empty or write NA",
        r->head->columns[col].name, n->shown);
    return r->scan.status;
}

/* Whether all levels are numbers but for their comma. */
static bool all_have_decimal_commas(const sfi_dictionary *levels)
{
    for (size_t k = 0; k < levels->count; k++) {
        double value = 0.0;
        const char *text = levels->texts[k];
        const size_t size = strlen(text);
        if (!sfi_cell_has_decimal_comma(text, size) &&
            sfi_cell_number(text, size, ',', &value) == SFI_NO_NUMBER)
            return false;
    }
    return levels->count > 0;
}

/* The column holds text, `numbers` among them, the first at `line`. */
static void say_text(const sfi_csv_reader *r, size_t col, int64_t numbers,
                     int64_t line, int64_t present)
{
    sfi_warn(r->scan.ctx,
             "%s:%lld: column \"%.200s\" holds text, though %lld of %lld cells "
             "are numbers, the first of them here",
             r->scan.name, (long long)line, r->head->columns[col].name,
             (long long)numbers, (long long)present);
}

/* A column whose first cell that is not missing is a text. */
static sf_status decide_texts(sfi_csv_reader *r, size_t col)
{
    const sfi_csv_column *c = &r->columns[col];
    const int64_t present = r->row - c->absent;
    const sfi_csv_note *numbers = &c->notes->numbers;
    const int64_t texts = present - numbers->count;
    if (numbers->count >= texts)
        return fail_text(r, col, &c->notes->texts, texts, present);
    if (r->scan.dialect.point == '.' && all_have_decimal_commas(&c->levels))
        return fail_text(r, col, &c->notes->texts, texts, present);
    if (numbers->count > 0)
        say_text(r, col, numbers->count, numbers->line, present);
    return SF_OK;
}

/* A column that begins with a number, or has none; *texts if it holds texts all the
 * same. */
static sf_status decide_numbers(sfi_csv_reader *r, size_t col, bool *texts)
{
    const sfi_csv_column *c = &r->columns[col];
    const sfi_csv_notes *n = c->notes;
    if (n == NULL)
        return SF_OK;
    const int64_t present = r->row - c->absent;
    const int64_t others = n->texts.count + n->infinite.count;
    if (n->texts.count > 0 && (c->is_told || 2 * others <= present))
        return fail_text(r, col, &n->texts, n->texts.count, present);
    if (n->texts.count == 0 && n->infinite.count > 0)
        return fail_infinite(r, col);
    *texts = n->texts.count > 0;
    if (*texts && c->state == SFI_CSV_NUMBERS)
        say_text(r, col, present - others, c->decided, present);
    return SF_OK;
}

static void say_what_was_read(sfi_csv_reader *r)
{
    remarks words = {0}, thousands = {0};
    for (size_t j = 0; j < r->column_count; j++) {
        const sfi_csv_notes *n = r->columns[j].notes;
        if (n == NULL)
            continue;
        add_remark(&words, &n->words, j);
        add_remark(&thousands, &n->thousands, j);
    }
    say(r, &words, "is taken for a missing cell");
    say(r, &thousands, "is read with commas between thousands");
}

sf_status sfi_csv_decide(sfi_csv_reader *r, bool *again)
{
    *again = r->must_reread && !r->is_second;
    for (size_t j = 0; j < r->column_count; j++) {
        sfi_csv_column *c = &r->columns[j];
        bool texts = false;
        if (c->state == SFI_CSV_TEXTS && !c->is_told)
            SFI_TRY(decide_texts(r, j));
        else if (c->state != SFI_CSV_TEXTS)
            SFI_TRY(decide_numbers(r, j, &texts));
        if (texts)
            c->state = SFI_CSV_TEXTS;
        *again |= texts;
    }
    if (!*again)
        say_what_was_read(r);
    return SF_OK;
}
