/* SPDX-License-Identifier: Apache-2.0 */
/* calc_files.c - calculations from file to file.
 *
 * The names in the text say which variables are read: each is looked for in the files in
 * order.  `f[lev=500]` is the variable with a selection of its own, and becomes the name
 * "f[lev=500]" of a field. */
#include "calc/calculation.h"

#include "calc/nested.h"
#include "field/reader.h"
#include "field/write.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_FILES = 32 };

/* A file, or an array that was read whole. */
typedef struct source_file {
    const char *path;
    bool is_array;
    sfi_field_file nc;
    sf_field array;
} source_file;

typedef struct file_job {
    sf_context *ctx;
    sfi_calc *c;
    int path_count;
    const char *const *paths;
    const sf_calc_options *opts;
    int nested_count;
    sf_field nested[SFI_CALC_MOST_INPUTS]; /* made for this calculation */
    sfi_growing list;                      /* the text with their names */
    int file_count;
    source_file files[MOST_FILES];
    int reader_count;
    sfi_field_reader readers[SFI_CALC_MOST_INPUTS];
    sf_grid *grids[SFI_CALC_MOST_INPUTS];
    bool is_double;    /* an input is neither float nor packed */
    char unknown[256]; /* the first name that no file has, "": none */
    uint64_t selected; /* parts of the selection that are of some variable */
    sfi_growing text;  /* with the names of selections in quotes */
    sfi_sheet *sheet;
    sf_field outlines[SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS];
    int vars[SFI_CALC_MOST_OUTPUTS][SFI_CALC_MOST_COMPONENTS];
} file_job;

/* ---- files ------------------------------------------------------------------------- */

static bool is_same_file(const char *a, const char *b)
{
    struct stat s, t;
    return strcmp(a, b) == 0 || (stat(a, &s) == 0 && stat(b, &t) == 0 &&
                                 s.st_dev == t.st_dev && s.st_ino == t.st_ino);
}

/* "wind" of "dir/wind.npy". */
static void stem_of(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash != NULL ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot != NULL)
        *dot = '\0';
}

static sf_status open_files(file_job *j, const char *out, int count,
                            const char *const *paths)
{
    if (count < 1 || count > MOST_FILES)
        return SFI_FAIL(j->ctx, SF_E_ARG, "calc: %d files, want 1 to %d", count,
                        (int)MOST_FILES);
    for (int i = 0; i < count; i++) {
        source_file *f = &j->files[i];
        if (out != NULL && is_same_file(out, paths[i]))
            return SFI_FAIL(j->ctx, SF_E_ARG,
                            "%s: is read, and can not be written at the same "
                            "time",
                            out);
        f->path = paths[i];
        f->is_array = sfi_path_ends(paths[i], ".npy");
        if (f->is_array) {
            char name[128];
            sf_field_read_options o = SF_FIELD_READ_OPTIONS_INIT;
            o.grid = j->c->o.grid;
            SFI_TRY(sf_field_read(j->ctx, &f->array, paths[i], NULL, &o));
            stem_of(paths[i], name, sizeof name);
            j->file_count++;
            SFI_TRY(sf_field_set_name(j->ctx, &f->array, name));
        } else {
            SFI_TRY(sfi_field_file_open(j->ctx, &f->nc, paths[i]));
            j->file_count++;
        }
    }
    return SF_OK;
}

/* ---- variables ---------------------------------------------------------------------- */

static sf_status read_box(void *user, const int64_t *start,
                          const int64_t *count, double *out,
                          const int64_t *step)
{
    return sfi_field_reader_box(user, start, count, out, step);
}

static int find_variable(const sfi_nc_header *h, const char *name)
{
    for (size_t v = 0; v < h->var_count; v++) {
        const char *slash = strrchr(h->vars[v].name, '/');
        if (strcmp(h->vars[v].name, name) == 0 ||
            (slash != NULL && strcmp(slash + 1, name) == 0))
            return (int)v;
    }
    return -1;
}

static bool has_axis(const sfi_field_reader *r, const char *name)
{
    for (int k = 0; k < r->cf->rank; k++)
        if (strcmp(r->cf->axis[k].name, name) == 0)
            return true;
    return false;
}

/* The next part "NAME=..." of a selection, and the name; false behind the last one. */
static bool next_part(const char **select, char *part, size_t size, char *name)
{
    while (*select != NULL && **select != '\0') {
        const size_t length = strcspn(*select, ";,");
        snprintf(part, size, "%.*s", (int)length, *select);
        *select += length + ((*select)[length] != '\0');
        if (sscanf(part, " %127[^= ]", name) == 1)
            return true;
    }
    return false;
}

/* Selections of axes that a variable lacks are not meant for it: a file may hold a map
 * beside fields of several levels.  `used` gets a bit for each that is. */
static void own_selection(const sfi_cf *cf, const char *select, char *out,
                          size_t size, uint64_t *used)
{
    char part[256], name[128];
    *out = '\0';
    for (int i = 0; next_part(&select, part, sizeof part, name); i++)
        if (sfi_select_axis(cf, name) >= 0) {
            snprintf(out + strlen(out), size - strlen(out), "%s%s",
                     *out != '\0' ? "; " : "", part);
            *used |= 1ull << (i & 63);
        }
}

/* A part that is of no variable at all is an error. */
static sf_status check_selection(const file_job *j)
{
    char part[256], name[128];
    const char *select = j->c->o.select;
    for (int i = 0; next_part(&select, part, sizeof part, name); i++)
        if (!(j->selected >> (i & 63) & 1u) && j->reader_count > 0) {
            sfi_span spans[SFI_CF_MOST_AXES];
            return sfi_select(j->readers[0].cf, part, spans);
        }
    return SF_OK;
}

/* The remarks on the last reader, but for those that were told of another one: files of one
 * series have the same axes. */
static void warn_once(const file_job *j)
{
    const sfi_field_reader *r = &j->readers[j->reader_count - 1];
    for (int k = 0; k < r->cf->remark_count; k++) {
        bool is_known = false;
        for (int i = 0; i < j->reader_count - 1; i++)
            for (int n = 0; n < j->readers[i].cf->remark_count; n++)
                is_known = is_known || strcmp(j->readers[i].cf->remarks[n],
                                              r->cf->remarks[k]) == 0;
        if (!is_known)
            sfi_warn(j->ctx, "%s: %s", r->file->source.name, r->cf->remarks[k]);
    }
}

static sf_status add_reader(file_job *j, const sfi_field_file *file, int var,
                            const char *name, const char *select)
{
    sfi_field_reader *r = &j->readers[j->reader_count];
    const sfi_nc_var *v = &file->source.header->vars[var];
    char own[512];
    if (j->reader_count == SFI_CALC_MOST_INPUTS)
        return SFI_FAIL(j->ctx, SF_E_ARG, "calc: more than %d fields",
                        (int)SFI_CALC_MOST_INPUTS);
    SFI_TRY(
        sfi_field_reader_open(j->ctx, r, file, v->name, NULL, j->c->o.radius));
    own_selection(r->cf, j->c->o.select, own, sizeof own, &j->selected);
    if (*own != '\0' || select != NULL) {
        if (select != NULL)
            snprintf(own + strlen(own), sizeof own - strlen(own), "%s%s",
                     *own != '\0' ? "; " : "", select);
        sfi_field_reader_close(r);
        SFI_TRY(sfi_field_reader_open(j->ctx, r, file, v->name, own,
                                      j->c->o.radius));
    }
    j->reader_count++;
    SFI_TRY(sfi_field_reader_grid(r, &j->grids[j->reader_count - 1]));
    warn_once(j);
    SFI_TRY(sfi_calc_add(j->c, name, j->grids[j->reader_count - 1], r->cf->unit,
                         read_box, r));
    sfi_calc_input *in = &j->c->inputs[j->c->input_count - 1];
    in->standard_name = r->cf->standard_name;
    in->grid_mapping = sfi_nc_text(&v->attrs, "grid_mapping");
    in->coordinates = sfi_nc_text(&v->attrs, "coordinates");
    j->is_double |= !sfi_packing_is_float(&r->cf->packing);
    return SF_OK;
}

static bool is_added(const file_job *j, const char *name)
{
    for (int i = 0; i < j->c->input_count; i++)
        if (strcmp(j->c->inputs[i].name, name) == 0)
            return true;
    return false;
}

/* Whether a name is an axis of a field that is read; then it is that. */
static bool is_axis(const file_job *j, const char *name)
{
    for (int i = 0; i < j->reader_count; i++)
        if (has_axis(&j->readers[i], name))
            return true;
    for (int i = 0; i < j->nested_count; i++)
        if (sf_grid_find(j->nested[i].grid, name) >= 0)
            return true;
    return false;
}

/* Read the variable `base` under `name` if a file has it. */
static sf_status add_name(file_job *j, const char *name, const char *base,
                          const char *select, bool *found)
{
    *found = is_added(j, name);
    for (int i = 0; i < j->file_count && !*found; i++) {
        source_file *f = &j->files[i];
        if (f->is_array) {
            *found = strcmp(f->array.name, base) == 0;
            if (*found && select != NULL)
                return SFI_FAIL(j->ctx, SF_E_UNSUPPORTED,
                                "%s: selections are of NetCDF files", f->path);
            if (*found)
                SFI_TRY(sfi_calc_add_field(j->c, name, NULL, &f->array));
            j->is_double |= *found;
            continue;
        }
        const int var = find_variable(f->nc.source.header, base);
        if (var < 0)
            continue;
        *found = true;
        SFI_TRY(add_reader(j, &f->nc, var, name, select));
    }
    return SF_OK;
}

/* ---- the text ------------------------------------------------------------------------ */

static sf_status emit(file_job *j, const char *text, size_t length)
{
    return sfi_growing_add(j->ctx, &j->text, text, length);
}

static bool starts_name(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* A name of the text at *at, with a selection behind it or not. */
static sf_status take_name(file_job *j, const char *text, size_t *at,
                           bool is_axes)
{
    char base[256], name[600], select[300] = "";
    bool found = false;
    size_t end = *at;
    const bool in_quotes = text[end] == '"';
    size_t first = end + in_quotes;
    end = first;
    while (text[end] != '\0' &&
           (in_quotes
                ? text[end] != '"'
                : starts_name(text[end]) || isdigit((unsigned char)text[end])))
        end++;
    if (end - first >= sizeof base)
        return SFI_FAIL(j->ctx, SF_E_PARSE,
                        "calc: a name of %zu bytes, want less than %zu",
                        end - first, sizeof base);
    snprintf(base, sizeof base, "%.*s", (int)(end - first), text + first);
    end += in_quotes && text[end] == '"';
    const size_t inner = strcspn(text + end, "=];");
    const bool selects = text[end] == '[' && text[end + inner] == '=';
    if (selects) {
        const size_t length = strcspn(text + end, "]");
        if (length > sizeof select)
            return SFI_FAIL(j->ctx, SF_E_PARSE,
                            "calc: %s: a selection of %zu bytes, want less "
                            "than %zu",
                            base, length - 1, sizeof select);
        snprintf(select, sizeof select, "%.*s", (int)length - 1,
                 text + end + 1);
        snprintf(name, sizeof name, "%s[%s]", base, select);
        end += length + (text[end + length] == ']');
    } else {
        snprintf(name, sizeof name, "%s", base);
    }
    const size_t from = *at;
    *at = end;
    /* Functions, and in a first round axes, are no variables. */
    size_t next = end;
    while (isspace((unsigned char)text[next]))
        next++;
    const bool is_call = !in_quotes && text[next] == '(';
    if (!is_call && !is_axes && !(is_axis(j, base) && !selects))
        SFI_TRY(add_name(j, name, base, selects ? select : NULL, &found));
    if (!is_call && !is_axes && !found && !in_quotes && *j->unknown == '\0' &&
        !is_axis(j, base))
        snprintf(j->unknown, sizeof j->unknown, "%s", base);
    if (!selects)
        return is_axes ? emit(j, text + from, end - from) : SF_OK;
    if (!is_axes)
        return SF_OK;
    SFI_TRY(emit(j, "\"", 1));
    SFI_TRY(emit(j, name, strlen(name)));
    return emit(j, "\"", 1);
}

/* Round 0 opens what the text names; round 1 writes the text anew. */
static sf_status scan_text(file_job *j, const char *text, bool is_second)
{
    size_t at = 0;
    while (text[at] != '\0') {
        sfi_definition s;
        bool found = false;
        SFI_TRY(sfi_definition_next(j->ctx, text, &at, &s, &found));
        if (!found)
            break;
        if (is_second) {
            SFI_TRY(emit(j, s.name, s.name_length));
            SFI_TRY(emit(j, " = ", 3));
        }
        size_t i = (size_t)(s.text - text);
        const size_t end = i + s.text_length;
        while (i < end) {
            if (starts_name(text[i]) || text[i] == '"') {
                SFI_TRY(take_name(j, text, &i, is_second));
                continue;
            }
            /* "1e3" has no name in it. */
            const size_t from = i++;
            if (isdigit((unsigned char)text[from]) || text[from] == '.')
                while (i < end &&
                       (starts_name(text[i]) ||
                        isdigit((unsigned char)text[i]) || text[i] == '.'))
                    i++;
            if (is_second)
                SFI_TRY(emit(j, text + from, i - from));
        }
        if (is_second)
            SFI_TRY(emit(j, ";", 1));
    }
    return SF_OK;
}

/* Where nothing at all is found, a name is misspelt. */
static sf_status name_unknown(const file_job *j)
{
    int var = 0;
    if (j->c->input_count > 0 || *j->unknown == '\0' || j->files[0].is_array)
        return SF_OK;
    return sfi_cf_find(j->ctx, &j->files[0].nc.source, j->unknown, &var);
}

/* ---- writing --------------------------------------------------------------------------- */

static sf_status put_box(void *user, int output, int component,
                         const int64_t *first, const int64_t *count,
                         const double *values)
{
    const file_job *j = user;
    static const int64_t zero = 0, one = 1;
    const bool is_number = j->c->outputs[output].mask == 0;
    return sfi_sheet_put(j->sheet, j->vars[output][component],
                         is_number ? &zero : first, is_number ? &one : count,
                         values);
}

/* In a file, an axis is a variable too. */
static sf_status check_name(const sfi_calc *c, const sfi_calc_output *o, int k)
{
    char name[160];
    sfi_calc_name(c, o, k, name, sizeof name);
    return sf_grid_find(c->grid, name) < 0
               ? SF_OK
               : SFI_FAIL(c->ctx, SF_E_ARG,
                          "calc: \"%s\" is an axis, which is written under "
                          "that name; want another one for the result",
                          name);
}

static sf_status make_sheet(file_job *j, const char *path)
{
    sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    sfi_calc *c = j->c;
    int made = 0;
    o.format = c->o.format;
    o.deflate = c->o.deflate;
    o.history = c->o.history;
    o.like = j->files[0].is_array ? NULL : j->files[0].path;
    SFI_TRY(sfi_sheet_new(j->ctx, &j->sheet, &o));
    for (int i = 0; i < c->output_count; i++)
        for (int k = 0; k < c->outputs[i].components; k++) {
            sf_grid *grid = NULL;
            sf_field *f = &j->outlines[made];
            SFI_TRY(check_name(c, &c->outputs[i], k));
            SFI_TRY(sfi_calc_grid(c, &c->outputs[i], &grid));
            const sf_status status = sfi_field_outline(
                j->ctx, f, grid, j->is_double ? SF_F64 : SF_F32);
            if (status != SF_OK) {
                sf_grid_free(grid);
                return status;
            }
            sfi_field_adopt(f, grid);
            made++;
            SFI_TRY(sfi_calc_describe(c, &c->outputs[i], k, f));
            SFI_TRY(sfi_sheet_add(j->sheet, f, 0, &j->vars[i][k]));
        }
    return sfi_sheet_create(j->sheet, path);
}

static sf_status write_slabs(file_job *j, const char *path)
{
    sf_status status = make_sheet(j, path);
    if (status == SF_OK)
        status = sfi_calc_results(j->c, NULL, true, put_box, j);
    return j->sheet != NULL ? sfi_sheet_close(j->sheet, status) : status;
}

static sf_status write_whole(file_job *j, const char *path)
{
    enum { MOST = SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS };
    sf_field *fields = sfi_alloc_zero(j->ctx, MOST, sizeof *fields);
    if (fields == NULL)
        return SF_E_NOMEM;
    int count = 0;
    sf_status status = sfi_calc_fields(j->c, MOST, fields, &count, true);
    if (status == SF_OK)
        status = sf_field_write(j->ctx, path, count, fields, NULL);
    for (int i = 0; i < count; i++)
        sf_field_free(j->ctx, &fields[i]);
    sfi_free(j->ctx, fields, MOST, sizeof *fields);
    return status;
}

static void tell(const file_job *j, int most, sf_calc_result *results,
                 int *count)
{
    const sfi_calc *c = j->c;
    *count = 0;
    for (int i = 0; i < c->output_count; i++)
        for (int k = 0; k < c->outputs[i].components && *count < most; k++) {
            sf_calc_result *r = &results[(*count)++];
            const sfi_calc_output *o = &c->outputs[i];
            sfi_calc_name(c, o, k, r->name, sizeof r->name);
            snprintf(r->unit, sizeof r->unit, "%s",
                     o->unit[k].is_known ? o->unit[k].text : "");
            sfi_calc_scheme(c, r->scheme, sizeof r->scheme);
            r->stats = o->stats[k];
        }
}

static void free_job(file_job *j)
{
    sf_context *ctx = j->ctx;
    sfi_calc_free(j->c);
    for (size_t i = 0; i < SFI_COUNT(j->outlines); i++)
        sf_field_free(ctx, &j->outlines[i]);
    sfi_sheet_free(j->sheet);
    for (int i = 0; i < j->reader_count; i++) {
        sf_grid_free(j->grids[i]);
        sfi_field_reader_close(&j->readers[i]);
    }
    for (int i = 0; i < j->file_count; i++) {
        if (j->files[i].is_array)
            sf_field_free(ctx, &j->files[i].array);
        else
            sfi_field_file_close(&j->files[i].nc);
    }
    for (int i = 0; i < j->nested_count; i++)
        sf_field_free(ctx, &j->nested[i]);
    sfi_growing_free(ctx, &j->list);
    sfi_growing_free(ctx, &j->text);
    sfi_free(ctx, j, 1, sizeof *j);
}

static file_job *new_job(sf_context *ctx, int path_count,
                         const char *const *paths, const sf_calc_options *opts)
{
    file_job *j = sfi_alloc_zero(ctx, 1, sizeof *j);
    if (j == NULL)
        return NULL;
    j->ctx = ctx;
    j->path_count = path_count;
    j->paths = paths;
    j->opts = opts;
    return j;
}

static sf_status understand(file_job *j, const char *path, const char *text);

/* A field of the files that is regridded first. */
static sf_status add_nested(void *user, const char *name,
                            const char *definition)
{
    file_job *j = user;
    int count = 0;
    if (is_added(j, name))
        return SF_OK;
    if (j->nested_count == SFI_CALC_MOST_INPUTS)
        return SFI_FAIL(j->ctx, SF_E_ARG, "calc: more than %d fields",
                        (int)SFI_CALC_MOST_INPUTS);
    file_job *own = new_job(j->ctx, j->path_count, j->paths, j->opts);
    if (own == NULL)
        return SF_E_NOMEM;
    sf_field *f = &j->nested[j->nested_count];
    sf_status status = understand(own, NULL, definition);
    if (status == SF_OK)
        status = sfi_calc_fields(own->c, 1, f, &count, false);
    j->nested_count += count;
    j->is_double |= own->is_double;
    j->selected |= own->selected;
    if (status == SF_OK)
        status = sf_field_set_name(j->ctx, f, name);
    if (status == SF_OK)
        status = sfi_calc_add_field(j->c, name, f->unit, f);
    if (status == SF_OK)
        j->c->inputs[j->c->input_count - 1].standard_name =
            sf_field_description(f, "standard_name");
    free_job(own);
    return status;
}

/* A name that nothing has was perhaps meant for a variable, which the expression, made of
 * those that are read, does not know. */
static sf_status misspelt(const file_job *j, sf_status status)
{
    char wanted[300], old[1024];
    int var = 0;
    snprintf(wanted, sizeof wanted, "unknown name \"%s\"", j->unknown);
    if (status != SF_E_PARSE || *j->unknown == '\0' ||
        strstr(sf_context_message(j->ctx), wanted) == NULL)
        return status;
    snprintf(old, sizeof old, "%s", sf_context_message(j->ctx));
    for (int i = 0; i < j->file_count; i++)
        if (!j->files[i].is_array &&
            sfi_cf_find(j->ctx, &j->files[i].nc.source, j->unknown, &var) !=
                SF_OK &&
            strstr(sf_context_message(j->ctx), "did you mean") != NULL)
            return SF_E_FORMAT;
    return SFI_FAIL(j->ctx, status, "%s", old);
}

/* Everything before values; `path` is what will be written, or NULL. */
static sf_status understand(file_job *j, const char *path, const char *text)
{
    bool is_nested = false;
    SFI_TRY(sfi_calc_new(j->ctx, &j->c, j->opts));
    SFI_TRY(open_files(j, path, j->path_count, j->paths));
    SFI_TRY(
        sfi_nested_replace(j->ctx, text, &j->list, add_nested, j, &is_nested));
    SFI_TRY(scan_text(j, j->list.text, false));
    SFI_TRY(name_unknown(j));
    SFI_TRY(scan_text(j, j->list.text, true));
    return misspelt(
        j, sfi_calc_understand(j->c, j->text.text != NULL ? j->text.text : ""));
}

static sf_status run_job(file_job *j, const char *path, const char *text)
{
    SFI_TRY(understand(j, path, text));
    SFI_TRY(check_selection(j));
    return sfi_path_ends(path, ".nc") || sfi_path_ends(path, ".nc4") ||
                   sfi_path_ends(path, ".cdf")
               ? write_slabs(j, path)
               : write_whole(j, path);
}

sf_status sf_calc_files(sf_context *ctx, const char *path, const char *text,
                        int path_count, const char *const *paths,
                        const sf_calc_options *opts, int most,
                        sf_calc_result *results, int *count)
{
    file_job *j = new_job(ctx, path_count, paths, opts);
    if (j == NULL)
        return SF_E_NOMEM;
    const sf_status status = run_job(j, path, text);
    if (results != NULL && status == SF_OK)
        tell(j, most, results, count);
    else if (count != NULL)
        *count = 0;
    free_job(j);
    return status;
}
