/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cf.c - the CF layer by itself: headers that no library has looked at, from
 * lines of text
 *
 *     d NAME SIZE            a dimension
 *     v NAME TYPE DIM...     a variable of type 0 to 11
 *     a KEY TEXT             an attribute of the last variable
 *     n KEY NUMBER           likewise
 *     x NUMBER...            its values, in place of 0, 1, 2, ...
 *     s SELECTION            tried on every variable
 *
 * Every variable is understood, selected from, and made a grid. */
#include "fuzz.h"

#include "field/grid.h"
#include "field/reader.h"
#include "num/decimal.h"

enum { MOST_VARS = 32, MOST_VALUES = 64, MOST_LINE = 512 };

typedef struct world {
    sf_context *ctx;
    sfi_nc_header h;
    double values[MOST_VARS][MOST_VALUES];
    int count[MOST_VARS];
    char selection[MOST_LINE];
} world;

static sf_status read_values(void *user, int var, double *values)
{
    const world *w = user;
    for (int64_t i = 0; i < sfi_nc_var_count(&w->h, var); i++)
        values[i] = i < w->count[var] ? w->values[var][i] : (double)i;
    return SF_OK;
}

static const char *next_word(char **p)
{
    *p += strspn(*p, " ");
    char *const word = *p;
    *p += strcspn(*p, " ");
    if (**p != '\0')
        *(*p)++ = '\0';
    return word;
}

static int64_t small_number(const char *text, int64_t most)
{
    double x = 0.0;
    if (sfi_number_parse(text, &x) == NULL || !(x >= 0.0))
        return 0;
    return x < (double)most ? (int64_t)x : most;
}

static void add_variable(world *w, char *p)
{
    int dims[SFI_NC_MOST_RANK], rank = 0, index = 0;
    const char *name = next_word(&p);
    const sfi_nc_type type =
        (sfi_nc_type)small_number(next_word(&p), SFI_NC_OTHER);
    if (w->h.var_count == MOST_VARS)
        return;
    while (*p != '\0' && rank < 8) {
        const int d = sfi_nc_find_dim(&w->h, next_word(&p));
        if (d >= 0)
            dims[rank++] = d;
    }
    (void)sfi_nc_add_var(w->ctx, &w->h, name, type, rank, dims, &index);
}

static void add_values(world *w, char *p)
{
    if (w->h.var_count == 0)
        return;
    const size_t v = w->h.var_count - 1;
    while (*p != '\0' && w->count[v] < MOST_VALUES) {
        double x = NAN;
        (void)sfi_number_parse(next_word(&p), &x);
        w->values[v][w->count[v]++] = x;
    }
}

static void run_line(world *w, char *line)
{
    char *p = line + (line[0] != '\0');
    int index = 0;
    double x = NAN;
    sfi_nc_attrs *attrs =
        w->h.var_count > 0 ? &w->h.vars[w->h.var_count - 1].attrs : &w->h.attrs;
    const char *name = NULL;
    switch (line[0]) {
    case 'd':
        name = next_word(&p);
        if (w->h.dim_count < 32)
            (void)sfi_nc_add_dim(w->ctx, &w->h, name,
                                 small_number(next_word(&p), MOST_VALUES),
                                 false, &index);
        break;
    case 'v':
        add_variable(w, p);
        break;
    case 'a':
        name = next_word(&p);
        (void)sfi_nc_set_text(w->ctx, attrs, name, p);
        break;
    case 'n':
        name = next_word(&p);
        (void)sfi_number_parse(next_word(&p), &x);
        (void)sfi_nc_set_number(w->ctx, attrs, name, x);
        break;
    case 'x':
        add_values(w, p);
        break;
    case 's':
        snprintf(w->selection, sizeof w->selection, "%s", p);
        break;
    default:
        break;
    }
}

/* A reader without a file: all but its values. */
static void make_grid(world *w, const sfi_cf_source *source, sfi_cf *cf,
                      const char *selection)
{
    const sfi_field_file file = {.ctx = w->ctx, .source = *source};
    sfi_field_reader r = {.ctx = w->ctx, .file = &file, .cf = cf};
    sf_grid *grid = NULL;
    if (sfi_select(cf, selection, r.spans) != SF_OK)
        return;
    for (int k = 0; k < cf->rank; k++) {
        REQUIRE(r.spans[k].first >= 0 && r.spans[k].count >= 0);
        REQUIRE(r.spans[k].count <= cf->axis[k].count);
        if (!r.spans[k].is_single) {
            r.shape[r.rank] = r.spans[k].count;
            r.kept[r.rank++] = k;
        }
    }
    if (sfi_field_reader_grid(&r, &grid) == SF_OK)
        for (int k = 0; k < sf_grid_rank(grid); k++) {
            const sf_axis *a = sf_grid_axis(grid, k);
            const double sign = a->edges[a->count] < a->edges[0] ? -1.0 : 1.0;
            for (int64_t i = 0; i < a->count; i++)
                REQUIRE(sign * (a->edges[i + 1] - a->edges[i]) >= 0.0);
        }
    sf_grid_free(grid);
}

static void understand_all(world *w)
{
    const sfi_cf_source source = {"<lines>", &w->h, read_values, w};
    bool is_field[MOST_VARS];
    sfi_cf_fields(&w->h, is_field);
    for (size_t i = 0; i < w->h.var_count; i++) {
        sfi_cf *cf = NULL;
        bool too_large = false;
        for (int k = 0; k < w->h.vars[i].rank; k++) {
            const int other =
                sfi_nc_find_var(&w->h, w->h.dims[w->h.vars[i].dims[k]].name);
            too_large = too_large || (other >= 0 &&
                                      sfi_nc_var_count(&w->h, other) > 1 << 16);
        }
        if (too_large ||
            sfi_cf_read(w->ctx, &cf, &source, (int)i, 0.0) != SF_OK)
            continue;
        make_grid(w, &source, cf, NULL);
        make_grid(w, &source, cf, w->selection);
        sfi_cf_free(cf);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w;
    memset(&w, 0, sizeof w);
    REQUIRE(sf_context_new(&w.ctx, NULL) == SF_OK);
    for (size_t at = 0; at < size;) {
        char line[MOST_LINE];
        size_t n = 0;
        while (at < size && data[at] != '\n') {
            if (n < sizeof line - 1 && data[at] != '\0')
                line[n++] = (char)data[at];
            at++;
        }
        at++;
        line[n] = '\0';
        run_line(&w, line);
    }
    understand_all(&w);
    sfi_nc_header_free(w.ctx, &w.h);
    sf_context_free(w.ctx);
    return 0;
}
