/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_parse.c - typed expressions.
 *
 * What is accepted must be a node like any other: the same one when parsed
 * again or when printed and parsed, differentiable, and a program whose value at
 * one point is the same alone and among others.  What is refused must say so with a message, and
 * leave the graph as usable as it was. */
#include "fuzz.h"

#include "graph/print.h"
#include "scorefield/graph.h"
#include "scorefield/program.h"

enum { SYMBOLS = 6, POINTS = 3, STRIDE = 2 + 3 + 4 + 6 };

static sf_source rows(const double *data)
{
    const sf_source s = {
        .kind = SF_ROWS, .data = data, .dtype = SF_F64, .stride = STRIDE};
    return s;
}

/* The value and its gradient by x and v, at three points and at each alone. */
static void run(sf_context *ctx, sf_graph *g, sf_node y, const sf_symbol *s)
{
    const sf_node wrt[2] = {s[0].node, s[2].node};
    sf_node slope[2];
    sf_gradients(g, sf_sum_all(g, y), 2, wrt, slope);
    REQUIRE(sf_graph_status(g) == SF_OK);
    const sf_output outputs[3] = {
        {y, SF_EACH}, {slope[0], SF_EACH}, {slope[1], SF_EACH}};
    sf_program *p = NULL;
    REQUIRE(sf_program_new(ctx, &p, g, SF_F64, 3, outputs) == SF_OK);

    double table[POINTS * STRIDE];
    for (int i = 0; i < POINTS * STRIDE; i++)
        table[i] = (i * 37 % 41 - 20) / 8.0;
    const double param = 0.75;
    const void *params[1] = {&param};
    const int64_t size[3] = {sf_node_count(g, y), 1, 3};
    double *all[3], *one[3];
    for (int k = 0; k < 3; k++) {
        all[k] = malloc((size_t)(POINTS * size[k]) * sizeof(double));
        one[k] = malloc((size_t)size[k] * sizeof(double));
        REQUIRE(all[k] != NULL && one[k] != NULL);
    }
    for (int from = -1; from < POINTS; from++) {
        const double *t = table + (from < 0 ? 0 : from) * STRIDE;
        const sf_source sources[5] = {rows(t), rows(t + 1), rows(t + 2),
                                      rows(t + 5), rows(t + 9)};
        sf_sink sinks[3];
        for (int k = 0; k < 3; k++)
            sinks[k] = (sf_sink){from < 0 ? all[k] : one[k], SF_F64, size[k]};
        REQUIRE(sf_program_run(p, from < 0 ? POINTS : 1, sources, params,
                               sinks) == SF_OK);
        for (int k = 0; k < 3 && from >= 0; k++)
            REQUIRE(same_cells(all[k] + from * size[k], one[k], size[k]));
    }
    for (int k = 0; k < 3; k++) {
        free(all[k]);
        free(one[k]);
    }
    sf_program_free(p);
}

/* What is printed and can be typed is this node. */
static void print_and_parse(sf_graph *g, sf_node n, const sf_symbol *symbols)
{
    char *text = NULL, *tex = NULL;
    bool is_typed = false;
    const sf_status status = sfi_print(g, n, SFI_PRINT_TEXT, &text, &is_typed);
    REQUIRE(status == SF_OK || status == SF_E_UNSUPPORTED);
    sf_node again = {-1};
    if (is_typed) {
        REQUIRE(sf_parse(g, text, SYMBOLS, symbols, &again) == SF_OK);
        REQUIRE(again.id == n.id);
    }
    const sf_status as_tex = sfi_print(g, n, SFI_PRINT_TEX, &tex, &is_typed);
    REQUIRE((as_tex == SF_OK || as_tex == SF_E_UNSUPPORTED) && !is_typed);
    sfi_free_text(g->ctx, text);
    sfi_free_text(g->ctx, tex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_context *ctx = NULL;
    sf_graph *g = NULL;
    char *text = malloc(size + 1);
    REQUIRE(text != NULL && sf_context_new(&ctx, NULL) == SF_OK);
    REQUIRE(sf_context_set_threads(ctx, 1) == SF_OK);
    REQUIRE(sf_graph_new(ctx, &g) == SF_OK);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';

    const int64_t e2[2] = {2, 2}, e3[2] = {3, 2}, three = 3;
    const sf_symbol symbols[SYMBOLS] = {
        {"x", sf_input(g, "x", 0, NULL)},
        {"y", sf_input(g, "y", 0, NULL)},
        {"v", sf_input(g, "v", 1, &three)},
        {"A", sf_input(g, "A", 2, e2)},
        {"B", sf_input(g, "B", 2, e3)},
        {"wind speed", sf_param(g, "wind speed", 0, NULL)}};
    sf_node first = {-1}, again = {-1};
    const sf_status status = sf_parse(g, text, SYMBOLS, symbols, &first);
    REQUIRE(sf_graph_status(g) == SF_OK);
    if (status == SF_OK) {
        REQUIRE(sf_parse(g, text, SYMBOLS, symbols, &again) == SF_OK);
        REQUIRE(first.id == again.id);
        print_and_parse(g, first, symbols);
        run(ctx, g, first, symbols);
    } else {
        REQUIRE(status == SF_E_PARSE || status == SF_E_SHAPE);
        REQUIRE(first.id == 0);
        REQUIRE(strncmp(sf_context_message(ctx), "expression: ", 12) == 0);
        REQUIRE(sf_parse(g, "x + 1", SYMBOLS, symbols, &again) == SF_OK);
        run(ctx, g, again, symbols);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
    free(text);
    return 0;
}
