/* SPDX-License-Identifier: Apache-2.0 */
/* problem.c - problems as text files: what their sections and keys mean. */
#include "action/action.h"
#include "base/assign.h"
#include "field/layout.h"
#include "io/ini.h"
#include "num/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct reading {
    sf_context *ctx;
    const char *path;
    sfi_ini *ini;
    sf_problem *p;
} reading;

/* ---- errors ------------------------------------------------------------------------ */

/* The message that is there, with the place of an entry in front. */
static sf_status blame(const reading *r, const sfi_ini_entry *e,
                       sf_status status)
{
    if (status == SF_E_NOMEM)
        return status;
    sfi_message_prefix(r->ctx, "%s: ", e->key);
    sfi_ini_blame(r->ini, e, 0);
    return SF_E_FORMAT;
}

#define REFUSE(r, e, ...)                                                      \
    blame(r, e, SFI_FAIL((r)->ctx, SF_E_FORMAT, __VA_ARGS__))

/* ---- sections and keys --------------------------------------------------------------- */

static const struct {
    const char *section, *keys; /* NULL: any */
} known[] = {
    {"grid", NULL},
    {"field", NULL},
    {"constants", NULL},
    {"source", NULL},
    {"action", " energy lagrangian "},
    {"motion", " until step every damping conductivity tolerance method absorb "
               "temperature "},
    {"solver", " tolerance project "},
};

static sf_status check_keys(const reading *r)
{
    for (size_t i = 0; i < sfi_ini_count(r->ini); i++) {
        const sfi_ini_entry *e = sfi_ini_entry_at(r->ini, i);
        size_t k = 0;
        while (k < SFI_COUNT(known) &&
               strcmp(known[k].section, e->section) != 0)
            k++;
        if (k == SFI_COUNT(known))
            return REFUSE(r, e,
                          "section [%s] is none of grid, field, constants, "
                          "source, action, motion, solver",
                          e->section);
        char word[80];
        snprintf(word, sizeof word, " %.70s ", e->key);
        if (known[k].keys != NULL && strstr(known[k].keys, word) == NULL)
            return REFUSE(r, e, "[%s] has no key \"%s\"; known:%s", e->section,
                          e->key, known[k].keys);
    }
    return SF_OK;
}

static sf_status number_of(const reading *r, const char *section,
                           const char *key, double least, double *out)
{
    const sfi_ini_entry *e = sfi_ini_find(r->ini, section, key);
    if (e == NULL)
        return SF_OK;
    double value = 0.0;
    const char *end = sfi_number_parse(e->value, &value);
    if (end == NULL || *end != '\0' || !(value >= least) || !isfinite(value))
        return REFUSE(r, e, "want a number >= %g, found \"%s\"", least,
                      e->value);
    *out = value;
    return SF_OK;
}

/* ---- the grid -------------------------------------------------------------------------- */

static sf_status read_grid(const reading *r)
{
    const sfi_ini_entry *first = NULL;
    size_t size = 1;
    for (size_t i = 0; i < sfi_ini_count(r->ini); i++) {
        const sfi_ini_entry *e = sfi_ini_entry_at(r->ini, i);
        if (strcmp(e->section, "grid") != 0)
            continue;
        first = first == NULL ? e : first;
        size += strlen(e->key) + e->size + 4;
    }
    if (first == NULL)
        return SFI_FAIL(r->ctx, SF_E_FORMAT, "%s: the problem has no [grid]",
                        r->path);
    char *text = sfi_alloc_zero(r->ctx, size, 1);
    if (text == NULL)
        return SF_E_NOMEM;
    size_t used = 0;
    for (size_t i = 0; i < sfi_ini_count(r->ini); i++) {
        const sfi_ini_entry *e = sfi_ini_entry_at(r->ini, i);
        if (strcmp(e->section, "grid") == 0)
            used += (size_t)snprintf(text + used, size - used, "%s = %s\n",
                                     e->key, e->value);
    }
    sf_status status = sf_grid_parse(r->ctx, &r->p->grid, text);
    if (status != SF_OK)
        status = blame(r, first, status);
    sfi_free(r->ctx, text, size, 1);
    return status;
}

/* ---- values ------------------------------------------------------------------------------ */

/* "file.nc:variable" and "file.nc" are files; expressions are not. */
static bool is_file(const char *value, char *path, size_t size,
                    const char **variable)
{
    static const char *const endings[] = {".nc", ".nc4", ".cdf", ".npy"};
    for (size_t i = 0; i < SFI_COUNT(endings); i++) {
        const char *at = strstr(value, endings[i]);
        const size_t length = strlen(endings[i]);
        if (at == NULL || (at[length] != '\0' && at[length] != ':'))
            continue;
        snprintf(path, size, "%.*s", (int)(at - value + (long)length), value);
        *variable = at[length] == ':' ? at + length + 1 : NULL;
        return true;
    }
    return false;
}

static sf_status read_file(const reading *r, const sfi_ini_entry *e,
                           const char *path, const char *variable,
                           sf_field *out)
{
    const sf_grid *g = r->p->grid;
    const sf_status status = sf_field_read(r->ctx, out, path, variable, NULL);
    if (status != SF_OK)
        return blame(r, e, status);
    bool same = sf_grid_rank(out->grid) == sf_grid_rank(g);
    for (int k = 0; same && k < sf_grid_rank(g); k++) {
        int64_t first;
        same = sfi_axis_same(sf_grid_axis(g, k), sf_grid_axis(out->grid, k),
                             1e-6, &first);
    }
    if (same)
        return SF_OK;
    sf_field_free(r->ctx, out);
    return REFUSE(r, e, "%s: its grid is not that of the problem", path);
}

/* Constants first: sources and sides may use them. */
static sf_status read_names(const reading *r, const char *section)
{
    for (size_t i = 0; i < sfi_ini_count(r->ini); i++) {
        const sfi_ini_entry *e = sfi_ini_entry_at(r->ini, i);
        char path[1024];
        const char *variable = NULL;
        if (strcmp(e->section, section) != 0)
            continue;
        if (!is_file(e->value, path, sizeof path, &variable)) {
            const sf_status status =
                sf_action_set(r->p->action, e->key, e->value);
            if (status != SF_OK && status != SF_E_NOMEM)
                sfi_ini_blame(r->ini, e, 0); /* the message has the name */
            if (status != SF_OK)
                return status == SF_E_NOMEM ? status : SF_E_FORMAT;
            continue;
        }
        sf_field f;
        SFI_TRY(read_file(r, e, path, variable, &f));
        const sf_status status = sf_action_source(r->p->action, e->key, &f);
        sf_field_free(r->ctx, &f);
        if (status != SF_OK)
            return blame(r, e, status);
    }
    return SF_OK;
}

/* "deposit(FILE, x=COLUMN, ...)": a density of the rows of a table.  Columns that are not said
 * have the axes' names. */
static bool is_deposit(const char *value, char *path, size_t size,
                       const char **columns)
{
    const char *from = value + strlen("deposit("), *end = strrchr(value, ')');
    if (strncmp(value, "deposit(", strlen("deposit(")) != 0 || end == NULL ||
        end[1] != '\0')
        return false;
    const size_t length = strcspn(from, ",)");
    const sfi_piece file = sfi_trimmed(from, length);
    snprintf(path, size, "%.*s", (int)file.size, file.at);
    *columns = from + length;
    return true;
}

static bool is_name(sfi_piece piece, const char *name)
{
    return piece.size == strlen(name) &&
           memcmp(piece.at, name, piece.size) == 0;
}

/* The column of each axis: of "AXIS=COLUMN" among ", ...)", else of its own name. */
static sf_status find_columns(const reading *r, const sfi_ini_entry *e,
                              const char *pairs, sfi_piece *out)
{
    const int rank = sf_grid_rank(r->p->grid);
    for (int k = 0; k < rank; k++) {
        const char *name = sf_grid_axis(r->p->grid, k)->name;
        out[k] = sfi_trimmed(name, strlen(name));
    }
    while (*pairs == ',') {
        const size_t length = strcspn(++pairs, ",)");
        const char *equal = memchr(pairs, '=', length);
        const size_t left = equal != NULL ? (size_t)(equal - pairs) : 0;
        const sfi_piece axis = sfi_trimmed(pairs, left);
        int k = 0;
        while (k < rank && !is_name(axis, sf_grid_axis(r->p->grid, k)->name))
            k++;
        if (equal == NULL || k == rank)
            return REFUSE(r, e, "\"%.*s\" is not AXIS=COLUMN", (int)length,
                          pairs);
        out[k] = sfi_trimmed(equal + 1, length - left - 1);
        pairs += length;
    }
    return SF_OK;
}

static sf_status take_columns(const reading *r, const sfi_ini_entry *e,
                              const char *pairs, const sf_table *t,
                              double *points)
{
    const int rank = sf_grid_rank(r->p->grid);
    sfi_piece columns[SF_MAX_AXES];
    SFI_TRY(find_columns(r, e, pairs, columns));
    for (int k = 0; k < rank; k++) {
        int64_t j = 0;
        while (j < t->cols && !is_name(columns[k], t->columns[j].name))
            j++;
        if (j == t->cols)
            return REFUSE(r, e,
                          "the table has no column \"%.*s\" for axis \"%s\"",
                          (int)columns[k].size, columns[k].at,
                          sf_grid_axis(r->p->grid, k)->name);
        for (int64_t i = 0; i < t->rows; i++)
            points[i * rank + k] = t->data[i * t->cols + j];
    }
    return SF_OK;
}

static sf_status deposit(const reading *r, const sfi_ini_entry *e,
                         const char *path, const char *columns, sf_field *out)
{
    sf_table t = {0};
    const int rank = sf_grid_rank(r->p->grid);
    sf_status status = sf_table_read(r->ctx, &t, path);
    if (status != SF_OK)
        return blame(r, e, status);
    const size_t n = (size_t)(t.rows * rank);
    double *points = sfi_alloc(r->ctx, n, sizeof *points);
    status =
        points != NULL ? take_columns(r, e, columns, &t, points) : SF_E_NOMEM;
    if (status == SF_OK) {
        status = sf_field_deposit(r->ctx, out, 0,
                                  (sf_cmat){points, t.rows, rank, rank}, NULL);
        if (status != SF_OK)
            status = blame(r, e, status);
    }
    sfi_free(r->ctx, points, n, sizeof *points);
    sf_table_free(r->ctx, &t);
    return status;
}

/* Values of unknown u, or (-1) of the points of the grid. */
static sf_status set_values(const reading *r, const sfi_ini_entry *e, int u,
                            sf_field *out)
{
    sf_action *a = r->p->action;
    const size_t n = (size_t)sf_grid_points(r->p->grid);
    const bool is_between = u >= 0 && a->half[u] >= 0;
    char path[1024];
    const char *variable = NULL;
    double *values = sfi_alloc(r->ctx, n, sizeof *values);
    if (values == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    const char *columns = NULL;
    if (is_between && (is_deposit(e->value, path, sizeof path, &columns) ||
                       is_file(e->value, path, sizeof path, &variable))) {
        sfi_free(r->ctx, values, n, sizeof *values);
        return REFUSE(r, e, "lies between points; want an expression");
    }
    if (is_deposit(e->value, path, sizeof path, &columns)) {
        sfi_free(r->ctx, values, n, sizeof *values);
        return deposit(r, e, path, columns, out);
    }
    if (is_file(e->value, path, sizeof path, &variable)) {
        sf_field f;
        status = read_file(r, e, path, variable, &f);
        if (status == SF_OK) {
            sf_field_get(&f, 0, values);
            sf_field_free(r->ctx, &f);
        }
    } else {
        status = sfi_action_evaluate(a, u, e->value, values);
        if (status != SF_OK)
            status = blame(r, e, status);
    }
    if (status == SF_OK)
        sfi_action_put(a, values, out);
    sfi_free(r->ctx, values, n, sizeof *values);
    return status;
}

/* ---- fields ------------------------------------------------------------------------------- */

static int unknown_of(const reading *r, const char *name)
{
    for (int u = 0; u < r->p->unknowns; u++)
        if (strcmp(r->p->action->names[u], name) == 0)
            return u;
    return -1;
}

/* The name of "form NAME", or NULL. */
static const char *form_of(const char *key)
{
    if (strncmp(key, "form", 4) != 0 || (key[4] != ' ' && key[4] != '\t'))
        return NULL;
    return key + 4 + strspn(key + 4, " \t");
}

/* The unknowns are what [field] names, but for their rates; or the components of the one
 * form that it has. */
static sf_status find_unknowns(const reading *r, const char **names, int *count,
                               const char **form)
{
    *count = 0;
    *form = NULL;
    for (size_t i = 0; i < sfi_ini_count(r->ini); i++) {
        const sfi_ini_entry *e = sfi_ini_entry_at(r->ini, i);
        if (strcmp(e->section, "field") != 0 || form_of(e->key) == NULL ||
            strcmp(e->value, "0") == 0)
            continue;
        if (*form != NULL || strcmp(e->value, "1") != 0)
            return REFUSE(r, e,
                          "want form NAME = 1, a one-form, once; found \"%s\"",
                          e->value);
        *form = form_of(e->key);
    }
    for (size_t i = 0; i < sfi_ini_count(r->ini) && *form == NULL; i++) {
        const sfi_ini_entry *e = sfi_ini_entry_at(r->ini, i);
        if (strcmp(e->section, "field") != 0 ||
            strncmp(e->key, "dt_", 3) == 0 || form_of(e->key) != NULL)
            continue;
        if (*count == SF_MOST_UNKNOWNS)
            return REFUSE(r, e, "more than %d fields", (int)SF_MOST_UNKNOWNS);
        names[(*count)++] = e->key;
    }
    if (*count == 0 && *form == NULL)
        return SFI_FAIL(r->ctx, SF_E_FORMAT,
                        "%s: the problem has no [field]; want for instance phi "
                        "= 0",
                        r->path);
    return SF_OK;
}

/* Which component of E = -dA/dt "E_x" is; -1. */
static int electric_of(const sf_action *a, const char *key)
{
    return a->form != NULL && key[0] == 'E' && key[1] == '_' && key[2] >= 'x' &&
                   key[2] <= 'z' && key[3] == '\0'
               ? key[2] - 'x'
               : -1;
}

static void negate(sf_field *f)
{
    sfi_row_walk w = sfi_walk(f, 0);
    do {
        for (int64_t i = 0; i < w.count; i++)
            ((double *)f->data[0])[w.at + i] *= -1.0;
    } while (sfi_walk_on(&w));
}

/* A text of values at points. */
static sf_status read_nodal(const reading *r, const char *section,
                            const char *key, sf_field *out, bool *is_there)
{
    const sfi_ini_entry *e = sfi_ini_find(r->ini, section, key);
    *is_there = e != NULL;
    if (e == NULL)
        return SF_OK;
    SFI_TRY(sf_field_new(r->ctx, out, r->p->grid, 1, NULL, SF_F64, 0));
    return set_values(r, e, -1, out);
}

static sf_status read_fields(const reading *r)
{
    sf_problem *p = r->p;
    for (int u = 0; u < p->unknowns; u++) {
        SFI_TRY(sf_action_field(p->action, &p->fields[u], u));
        SFI_TRY(sf_field_new(r->ctx, &p->rates[u], p->grid, 1,
                             p->fields[u].place, SF_F64, 0));
    }
    for (size_t i = 0; i < sfi_ini_count(r->ini); i++) {
        const sfi_ini_entry *e = sfi_ini_entry_at(r->ini, i);
        bool is_electric = false;
        if (strcmp(e->section, "field") != 0 || form_of(e->key) != NULL)
            continue;
        if (p->action->form != NULL && strcmp(e->key, "charge") == 0)
            continue; /* no component */
        const bool is_rate = strncmp(e->key, "dt_", 3) == 0;
        int u = unknown_of(r, e->key + (is_rate ? 3 : 0));
        if (u < 0) {
            u = electric_of(p->action, e->key);
            is_electric = u >= 0;
        }
        if (u < 0)
            return p->action->form != NULL
                       ? REFUSE(r, e,
                                "the form %s has components %s, %s and %s; "
                                "known beside them: E_x, E_y, E_z, charge",
                                p->action->form, p->action->names[0],
                                p->action->names[1], p->action->names[2])
                       : REFUSE(r, e, "is the rate of no field");
        const bool is_second = is_rate || is_electric;
        SFI_TRY(set_values(r, e, u, is_second ? &p->rates[u] : &p->fields[u]));
        if (is_electric)
            negate(&p->rates[u]);
        p->has_rates |= is_second;
    }
    return SF_OK;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static sf_status read_action(const reading *r)
{
    const sfi_ini_entry *energy = sfi_ini_find(r->ini, "action", "energy");
    const sfi_ini_entry *motion = sfi_ini_find(r->ini, "action", "lagrangian");
    const char *names[SF_MOST_UNKNOWNS];
    if ((energy == NULL) == (motion == NULL))
        return SFI_FAIL(
            r->ctx, SF_E_FORMAT,
            "%s: the problem wants energy = ... or lagrangian = ... "
            "in [action], one of them",
            r->path);
    const sfi_ini_entry *e = energy != NULL ? energy : motion;
    sf_problem *p = r->p;
    p->kind = energy != NULL ? SF_ENERGY : SF_LAGRANGIAN;
    const char *form = NULL;
    SFI_TRY(find_unknowns(r, names, &p->unknowns, &form));
    sf_status status =
        form != NULL ? sf_action_new_form(r->ctx, &p->action, p->grid, e->value,
                                          p->kind, form)
                     : sf_action_new(r->ctx, &p->action, p->grid, e->value,
                                     p->kind, p->unknowns, names);
    p->is_form = form != NULL;
    p->unknowns = form != NULL ? SF_FORM_COMPONENTS : p->unknowns;
    if (status != SF_OK)
        p->unknowns = 0;
    if (status != SF_OK)
        return status == SF_E_NOMEM ? status : SF_E_FORMAT;
    SFI_TRY(read_names(r, "constants"));
    SFI_TRY(read_names(r, "source"));
    sf_action_info info;
    status = sf_action_describe(p->action, &info);
    return status == SF_OK ? SF_OK : blame(r, e, status);
}

static sf_status read_method(const reading *r)
{
    static const char *const names[] = {"leapfrog", "yoshida4", "midpoint"};
    const sfi_ini_entry *e = sfi_ini_find(r->ini, "motion", "method");
    for (size_t i = 0; i < SFI_COUNT(names) && e != NULL; i++)
        if (strcmp(e->value, names[i]) == 0) {
            r->p->method = (sf_motion_method)i;
            return SF_OK;
        }
    return e == NULL ? SF_OK
                     : REFUSE(r, e,
                              "want leapfrog, yoshida4 or midpoint, found "
                              "\"%s\"",
                              e->value);
}

static sf_status read_numbers(const reading *r)
{
    sf_problem *p = r->p;
    const sfi_ini_entry *step = sfi_ini_find(r->ini, "motion", "step");
    const sfi_ini_entry *project = sfi_ini_find(r->ini, "solver", "project");
    double absorb = 0.0;
    p->tolerance = 1e-8;
    p->motion_tolerance = 1e-5;
    SFI_TRY(number_of(r, "motion", "until", 0.0, &p->until));
    SFI_TRY(number_of(r, "motion", "every", 0.0, &p->every));
    SFI_TRY(number_of(r, "motion", "damping", 0.0, &p->damping));
    SFI_TRY(number_of(r, "motion", "tolerance", 0.0, &p->motion_tolerance));
    SFI_TRY(number_of(r, "motion", "temperature", 0.0, &p->temperature));
    SFI_TRY(number_of(r, "motion", "absorb", 2.0, &absorb));
    p->absorb = (int)fmin(absorb, 1e6);
    SFI_TRY(number_of(r, "solver", "tolerance", 0.0, &p->tolerance));
    if (step != NULL && strcmp(step->value, "auto") != 0)
        SFI_TRY(number_of(r, "motion", "step", 0.0, &p->step));
    if (project != NULL && strcmp(project->value, "mean") != 0)
        return REFUSE(r, project, "want mean, found \"%s\"", project->value);
    p->project = project != NULL;
    return read_method(r);
}

static sf_status read_all(const reading *r)
{
    SFI_TRY(check_keys(r));
    SFI_TRY(read_grid(r));
    SFI_TRY(read_numbers(r));
    SFI_TRY(read_action(r));
    SFI_TRY(read_fields(r));
    sf_problem *p = r->p;
    if (p->action->form != NULL)
        SFI_TRY(read_nodal(r, "field", "charge", &p->charge, &p->has_charge));
    return read_nodal(r, "motion", "conductivity", &p->conductivity,
                      &p->has_conductivity);
}

void sf_problem_free(sf_context *ctx, sf_problem *p)
{
    for (int u = 0; u < SF_MOST_UNKNOWNS; u++) {
        sf_field_free(ctx, &p->fields[u]);
        sf_field_free(ctx, &p->rates[u]);
    }
    sf_field_free(ctx, &p->charge);
    sf_field_free(ctx, &p->conductivity);
    sf_action_free(p->action);
    sf_grid_free(p->grid);
    memset(p, 0, sizeof *p);
}

static sf_status finish(reading *r, sf_status status)
{
    if (status == SF_OK)
        status = read_all(r);
    sfi_ini_free(r->ini);
    if (status != SF_OK)
        sf_problem_free(r->ctx, r->p);
    return status;
}

sf_status sf_problem_read(sf_context *ctx, sf_problem *out, const char *path)
{
    memset(out, 0, sizeof *out);
    reading r = {.ctx = ctx, .path = path, .p = out};
    return finish(&r, sfi_ini_read(ctx, &r.ini, path));
}

sf_status sf_problem_read_bytes(sf_context *ctx, sf_problem *out,
                                const char *path, const void *bytes,
                                size_t size)
{
    memset(out, 0, sizeof *out);
    reading r = {.ctx = ctx, .path = path, .p = out};
    return finish(&r, sfi_ini_read_bytes(ctx, &r.ini, path, bytes, size));
}
