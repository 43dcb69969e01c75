/* SPDX-License-Identifier: Apache-2.0 */
/* test_many_names.c - names are looked up in a table, however many there are.
 *
 * The program's strcmp() and memcmp() are those of this file, which count how often
 * they are called: a look-up by comparing names in turn needs N^2/2 comparisons for
 * N names, and a table about one for each. */
#include "faults.h"

#include "graph/graph.h"
#include "scorefield/density.h"

static int64_t compared;

int strcmp(const char *a, const char *b)
{
    compared++;
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *p = a, *q = b;
    compared++;
    for (size_t i = 0; i < size; i++)
        if (p[i] != q[i])
            return p[i] - q[i];
    return 0;
}

enum { NAMES = 20000, EACH = 10, LENGTH = 16 };

static char names[NAMES][LENGTH];
static const char *list[NAMES];

static void make_names(void)
{
    for (int i = 0; i < NAMES; i++) {
        snprintf(names[i], LENGTH, "column_%d", i);
        list[i] = names[i];
    }
}

TEST(a_density_of_many_numbers_looks_its_names_up)
{
    sf_context *ctx = new_context();
    sf_model *d = NULL;
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    make_names();
    o.names = list;
    compared = 0;
    CHECK_OK(ctx, sf_density_new(ctx, &d, "-column_0^2 - column_19999^2", NAMES,
                                 &o));
    CHECK(compared > 0 && compared < EACH * NAMES);
    sf_model_free(d);

    static char domain[NAMES * (LENGTH + 10)];
    size_t used = 0;
    for (int i = 0; i < NAMES; i++)
        used += (size_t)snprintf(domain + used, sizeof domain - used,
                                 i % 2 ? " , %s =positive;" : "%s", names[i]);
    o.domain = domain;
    compared = 0;
    CHECK_OK(ctx, sf_density_new(ctx, &d, "-column_0^2", NAMES, &o));
    CHECK(compared > 0 && compared < EACH * NAMES);
    sf_model_free(d);
    o.domain = NULL;

    list[NAMES - 1] = names[7];
    CHECK_FAILS(ctx, sf_density_new(ctx, &d, "-column_0^2", NAMES, &o),
                SF_E_ARG, "the name \"column_7\" is used twice");
    sf_context_free(ctx);
}

/* A thousand names of twenty thousand symbols, the first of two that are equal. */
TEST(an_expression_of_many_symbols_looks_its_names_up)
{
    enum { USED = 1000 };
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    make_names();
    static sf_symbol symbols[NAMES];
    const sf_node first = sf_input(g, "a", 0, NULL);
    const sf_node other = sf_input(g, "b", 0, NULL);
    for (int i = 0; i < NAMES; i++)
        symbols[i] = (sf_symbol){names[i], i < NAMES / 2 ? first : other};
    symbols[NAMES - 1].name = names[3];
    static char text[USED * (LENGTH + 3)];
    size_t used = 0;
    for (int i = 0; i < USED; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                 i > 0 ? " + " : "", names[i * 17]);
    sf_node out;
    compared = 0;
    CHECK_OK(ctx, sf_parse(g, text, NAMES, symbols, &out));
    CHECK(compared > 0 && compared < EACH * NAMES);
    CHECK_OK(ctx, sf_parse(g, names[3], NAMES, symbols, &out));
    CHECK(out.id == first.id);
    CHECK_OK(ctx, sf_parse(g, names[NAMES - 2], NAMES, symbols, &out));
    CHECK(out.id == other.id);
    CHECK_FAILS(ctx, sf_parse(g, "column_20000", NAMES, symbols, &out),
                SF_E_PARSE, "unknown name \"column_20000\"");
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* The table itself may not fit; then the graph is as it was. */
TEST(every_allocation_of_the_table_may_fail)
{
    enum { FEW = 40 };
    make_names();
    for (int k = 0;; k++) {
        struct faults faults;
        sf_context *ctx = faulty_context(&faults);
        sf_graph *g = NULL;
        CHECK_OK(ctx, sf_graph_new(ctx, &g));
        sf_symbol symbols[FEW];
        for (int i = 0; i < FEW; i++)
            symbols[i] = (sf_symbol){names[i], sf_const(g, i)};
        faults.left = k;
        sf_node out;
        const sf_status status =
            sf_parse(g, "column_39 + 1", FEW, symbols, &out);
        const bool failed = faults.left < 0;
        faults.left = INT64_MAX;
        CHECK(status == (failed ? SF_E_NOMEM : SF_OK));
        sf_graph_free(g);
        CHECK(faults.bytes == faults.own);
        sf_context_free(ctx);
        if (!failed)
            break;
        CHECK(k < 1000);
    }
}

TESTS(CASE(a_density_of_many_numbers_looks_its_names_up),
      CASE(an_expression_of_many_symbols_looks_its_names_up),
      CASE(every_allocation_of_the_table_may_fail))
