/* SPDX-License-Identifier: Apache-2.0 */
/* language.c - a list of definitions, "name = expression; ...", as outputs of terms. */
#include "calc/operators.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool is_word(const char *word, const char *name, size_t length)
{
    return strlen(word) == length && memcmp(word, name, length) == 0;
}

/* ---- lists ----------------------------------------------------------------------------- */

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_char(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c);
}

/* The end of an assignment that begins at *at: ';' or a line end outside quotes and
 * brackets. */
static size_t end_of(const char *list, size_t at)
{
    int depth = 0, selections = 0;
    bool in_quotes = false;
    for (; list[at] != '\0'; at++) {
        const char c = list[at];
        if (c == '"')
            in_quotes = !in_quotes;
        else if (!in_quotes && (c == '(' || c == '['))
            depth++;
        else if (!in_quotes && (c == ')' || c == ']'))
            depth--;
        else if (!in_quotes &&
                 ((c == ';' && selections <= 0) || (c == '\n' && depth <= 0)))
            break;
        selections += in_quotes ? 0 : c == '[' ? 1 : c == ']' ? -1 : 0;
    }
    return at;
}

sf_status sfi_definition_next(sf_context *ctx, const char *list, size_t *at,
                              sfi_definition *out, bool *found)
{
    while (isspace((unsigned char)list[*at]) || list[*at] == ';')
        (*at)++;
    *found = list[*at] != '\0';
    if (!*found)
        return SF_OK;
    const size_t first = *at, end = end_of(list, first);
    size_t i = first;
    while (i < end && is_name_char(list[i]))
        i++;
    out->name = list + first;
    out->name_length = is_name_start(list[first]) ? i - first : 0;
    while (i < end && isspace((unsigned char)list[i]))
        i++;
    if (out->name_length == 0 || i >= end || list[i] != '=' ||
        list[i + 1] == '=')
        return SFI_FAIL(
            ctx, SF_E_PARSE, "calc: expected NAME = EXPRESSION, found \"%.*s\"",
            end - first < 60 ? (int)(end - first) : 60, list + first);
    i++;
    while (i < end && isspace((unsigned char)list[i]))
        i++;
    size_t last = end;
    while (last > i && isspace((unsigned char)list[last - 1]))
        last--;
    out->text = list + i;
    out->text_length = last - i;
    *at = end;
    return SF_OK;
}

/* ---- outputs ---------------------------------------------------------------------------- */

/* A vorticity and the Coriolis parameter are an absolute one. */
static const char *name_of_sum(const sfi_calc *c, sf_node node)
{
    const sfi_node *n = sfi_at(c->terms_graph, node);
    if (n->op != SFI_OP_ADD)
        return NULL;
    const char *a = sfi_mark_of(c, sfi_arg(c->terms_graph, node, 0));
    const char *b = sfi_mark_of(c, sfi_arg(c->terms_graph, node, 1));
    static const char curl_name[] = "atmosphere_upward_relative_vorticity";
    static const char turn_name[] = "coriolis_parameter";
    if (a == NULL || b == NULL)
        return NULL;
    const bool both =
        (strcmp(a, curl_name) == 0 && strcmp(b, turn_name) == 0) ||
        (strcmp(b, curl_name) == 0 && strcmp(a, turn_name) == 0);
    return both ? "atmosphere_upward_absolute_vorticity" : NULL;
}

/* What stays what it was: a field in other units, its mean. */
static const char *inherited(const sfi_calc *c, sf_node node)
{
    const sfi_field_term *t = sfi_term_of(c, node);
    if (t == NULL)
        return NULL;
    if (t->kind == SFI_TERM_FIELD)
        return c->inputs[t->index].standard_name;
    if (t->kind == SFI_TERM_CONVERT || t->kind == SFI_TERM_SHIFT ||
        (t->kind == SFI_TERM_REDUCE &&
         (t->reduction == SFI_REDUCE_MEAN || t->reduction == SFI_REDUCE_MIN ||
          t->reduction == SFI_REDUCE_MAX)))
        return inherited(c, t->arg[0]);
    return NULL;
}

/* "time: mean area: mean" of the reductions at the root. */
static void cell_methods(const sfi_calc *c, sf_node node, char *text,
                         size_t size)
{
    static const char *const words[] = {
        [SFI_REDUCE_MEAN] = "mean",    [SFI_REDUCE_SUM] = "sum",
        [SFI_REDUCE_MIN] = "minimum",  [SFI_REDUCE_MAX] = "maximum",
        [SFI_REDUCE_VAR] = "variance", [SFI_REDUCE_INTEGRAL] = "sum",
        [SFI_REDUCE_MONTH] = "mean"};
    const sfi_field_term *t = sfi_term_of(c, node);
    if (t == NULL ||
        (t->kind != SFI_TERM_REDUCE && t->kind != SFI_TERM_CONVERT))
        return;
    cell_methods(c, t->arg[0], text, size);
    if (t->kind != SFI_TERM_REDUCE)
        return;
    const int lat = sf_grid_find_role(c->grid, SF_ROLE_LAT);
    const int lon = sf_grid_find_role(c->grid, SF_ROLE_LON);
    unsigned rest = t->mask;
    if (lat >= 0 && lon >= 0 && rest >> lat & 1u && rest >> lon & 1u) {
        snprintf(text + strlen(text), size - strlen(text), "%sarea: %s",
                 *text != '\0' ? " " : "", words[t->reduction]);
        rest &= ~(1u << lat | 1u << lon);
    }
    for (int k = 0; k < sf_grid_rank(c->grid); k++)
        if (rest >> k & 1u)
            snprintf(text + strlen(text), size - strlen(text), "%s%s: %s",
                     *text != '\0' ? " " : "", sf_grid_axis(c->grid, k)->name,
                     words[t->reduction]);
}

static sf_status add_output(sfi_calc *c, const sfi_definition *s,
                            const char *text, sf_node node)
{
    sf_graph *g = c->terms_graph;
    const sfi_field_term *root = sfi_term_of(c, node);
    sfi_regrid *regrid = NULL;
    if (root != NULL && root->kind == SFI_TERM_REGRID) {
        SFI_TRY(
            sfi_regrid_new(c->ctx, &regrid, c->grid, root->text, root->m != 0));
        node = root->arg[0];
        for (int k = 0; k < sf_grid_rank(c->grid); k++)
            if (sfi_regrid_axis(regrid, k) != NULL)
                c->whole |= 1u << k;
    }
    const int rank = sf_node_rank(g, node);
    sfi_calc_output *o = &c->outputs[c->output_count];
    memset(o, 0, sizeof *o);
    o->regrid = regrid;
    c->output_count++; /* it is freed with the others */
    o->components = rank == 0 ? 1 : (int)sf_node_count(g, node);
    if (rank > 1 || o->components > SFI_CALC_MOST_COMPONENTS)
        return SFI_FAIL(c->ctx, SF_E_SHAPE,
                        "calc: \"%.*s\" is neither a number nor a vector of up "
                        "to %d components",
                        (int)s->name_length, s->name,
                        (int)SFI_CALC_MOST_COMPONENTS);
    const char *name = sfi_mark_of(c, node);
    if (name == NULL)
        name = name_of_sum(c, node);
    if (name == NULL)
        name = inherited(c, node);
    for (int k = 0; k < o->components; k++) {
        o->node[k] = rank == 0 ? node : sfi_component(c, node, k);
        o->standard_name[k] = name;
        if (name != NULL && rank > 0) /* a list */
            name = k == 0 ? name + strlen(name) + 1 : NULL;
        o->mask |= sfi_term_mask(c, o->node[k]);
    }
    cell_methods(c, node, o->cell_methods, sizeof o->cell_methods);
    SFI_TRY(sf_graph_status(g));
    o->expression = sfi_copy_text(c->ctx, text);
    o->name = sfi_alloc_zero(c->ctx, s->name_length + 1, 1);
    if (o->name != NULL)
        memcpy(o->name, s->name, s->name_length);
    return o->name != NULL && o->expression != NULL ? SF_OK : SF_E_NOMEM;
}

/* What a text may name, those that win first. */
static int symbols_of(const sfi_calc *c, const sf_node *outputs, sf_symbol *out)
{
    int n = 0;
    for (int i = 0; i < c->output_count; i++)
        out[n++] = (sf_symbol){c->outputs[i].name, outputs[i]};
    for (int i = 0; i < c->input_count; i++)
        out[n++] = (sf_symbol){c->inputs[i].name, c->inputs[i].node};
    for (size_t i = 0; i < c->term_count; i++) {
        const sfi_field_term *t = &c->terms[i];
        if (t->kind == SFI_TERM_AXIS || t->kind == SFI_TERM_WORD)
            out[n++] = (sf_symbol){t->text, t->node};
    }
    return n;
}

static sf_status name_axis(sfi_calc *c, int axis, const char *name)
{
    char *text = sfi_copy_text(c->ctx, name);
    if (text == NULL)
        return SF_E_NOMEM;
    (void)sfi_term_new(
        c,
        &(sfi_field_term){.kind = SFI_TERM_AXIS, .axis = axis, .text = text});
    return SF_OK;
}

/* Axes by their names, and by their roles where nothing else is called so; x and y are
 * also to the east and north. */
static sf_status name_axes(sfi_calc *c)
{
    for (int k = 0; k < sf_grid_rank(c->grid); k++) {
        const sf_axis *axis = sf_grid_axis(c->grid, k);
        const char *role = sf_role_name(axis->role);
        const char *other = axis->role == SF_ROLE_LON   ? "x"
                            : axis->role == SF_ROLE_LAT ? "y"
                                                        : "";
        SFI_TRY(name_axis(c, k, axis->name));
        if (*role != '\0' && sf_grid_find(c->grid, role) < 0)
            SFI_TRY(name_axis(c, k, role));
        if (*other != '\0' && sf_grid_find(c->grid, other) < 0)
            SFI_TRY(name_axis(c, k, other));
    }
    static const char *const words[] = {"month", "bilinear", "conservative"};
    for (size_t i = 0; i < SFI_COUNT(words); i++) {
        char *word = sfi_copy_text(c->ctx, words[i]);
        if (word == NULL)
            return SF_E_NOMEM;
        (void)sfi_term_new(
            c, &(sfi_field_term){.kind = SFI_TERM_WORD, .text = word});
    }
    return sf_graph_status(c->terms_graph);
}

static sf_status read_one(sfi_calc *c, const sfi_definition *s,
                          sf_node *outputs)
{
    enum {
        MOST =
            SFI_CALC_MOST_OUTPUTS + SFI_CALC_MOST_INPUTS + 3 * SF_MAX_AXES + 3
    };
    sf_symbol symbols[MOST];
    sfi_asker a = {.c = c};
    const sfi_parse_hooks hooks = {.call = sfi_operator_call,
                                   .text = sfi_operator_text,
                                   .functions = sfi_operator_names,
                                   .user = &a};
    for (int i = 0; i < c->output_count; i++)
        if (is_word(c->outputs[i].name, s->name, s->name_length))
            return SFI_FAIL(c->ctx, SF_E_PARSE,
                            "calc: \"%.*s\" is defined twice",
                            (int)s->name_length, s->name);
    if (c->output_count == SFI_CALC_MOST_OUTPUTS)
        return SFI_FAIL(c->ctx, SF_E_PARSE, "calc: more than %d results",
                        (int)SFI_CALC_MOST_OUTPUTS);
    char *text = sfi_alloc(c->ctx, s->text_length + 1, 1);
    if (text == NULL)
        return SF_E_NOMEM;
    memcpy(text, s->text, s->text_length);
    text[s->text_length] = '\0';
    sf_node node = {0};
    sf_status status =
        sfi_parse_open(c->terms_graph, text, symbols_of(c, outputs, symbols),
                       symbols, &hooks, &node);
    if (status != SF_OK)
        sfi_message_prefix(c->ctx, "%.*s: ", (int)s->name_length, s->name);
    else
        status = add_output(c, s, text, node);
    if (status == SF_OK)
        outputs[c->output_count - 1] = node;
    sfi_free(c->ctx, text, s->text_length + 1, 1);
    return status;
}

sf_status sfi_calc_read(sfi_calc *c, const char *text)
{
    sf_node outputs[SFI_CALC_MOST_OUTPUTS];
    size_t at = 0;
    SFI_TRY(name_axes(c));
    for (;;) {
        sfi_definition s;
        bool found = false;
        SFI_TRY(sfi_definition_next(c->ctx, text, &at, &s, &found));
        if (!found)
            break;
        SFI_TRY(read_one(c, &s, outputs));
    }
    if (c->output_count == 0)
        return SFI_FAIL(
            c->ctx, SF_E_PARSE,
            "calc: nothing to compute; want NAME = EXPRESSION; ...");
    return SF_OK;
}
