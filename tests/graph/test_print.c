/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes as text: the parser makes the same node of it, with as few parentheses as
 * it needs; and TeX. */
#include "check.h"
#include "faults.h"

#include "base/random.h"
#include "graph/print.h"

typedef struct world {
    sf_context *ctx;
    sf_graph *g;
    sf_symbol symbols[8];
    int count;
} world;

static world new_world(sf_context *ctx)
{
    static const int64_t three = 3, two_by_three[2] = {2, 3};
    world w = {.ctx = ctx};
    CHECK_OK(ctx, sf_graph_new(ctx, &w.g));
    const sf_symbol symbols[] = {
        {"x", sf_input(w.g, "x", 0, NULL)},
        {"phi", sf_input(w.g, "phi", 0, NULL)},
        {"phi_x", sf_input(w.g, "phi_x", 0, NULL)},
        {"phi[0,-1]", sf_input(w.g, "phi[0,-1]", 0, NULL)},
        {"g", sf_param(w.g, "g", 0, NULL)},
        {"v", sf_input(w.g, "v", 1, &three)},
        {"w", sf_input(w.g, "w", 1, &three)},
        {"A", sf_input(w.g, "A", 2, two_by_three)}};
    w.count = (int)SFI_COUNT(symbols);
    memcpy(w.symbols, symbols, sizeof symbols);
    return w;
}

static sf_node parse(const world *w, const char *text)
{
    sf_node n;
    CHECK_OK(w->ctx, sf_parse(w->g, text, w->count, w->symbols, &n));
    return n;
}

/* Free the result by sfi_free_text(). */
static char *printed(const world *w, sf_node n, sfi_print_style style,
                     bool *is_typed)
{
    char *text = NULL;
    CHECK_OK(w->ctx, sfi_print(w->g, n, style, &text, is_typed));
    return text;
}

/* What is typed, and how it is printed (NULL: the same). */
static const struct {
    const char *typed, *printed;
} texts[] = {
    {"x", NULL},
    {"\"phi[0,-1]\"", NULL},
    {"-0.5", NULL},
    {"1e-7*x", NULL},
    {"x + 1", "1 + x"},
    {"x - 1", NULL},
    {"x - (phi - g)", NULL},
    {"x - phi - g", NULL},
    {"x - (-3)", NULL},
    {"x*x", "x^2"},
    {"x^3", NULL},
    {"(x^2)^2", NULL},
    {"x^4", NULL},
    {"x^-2", NULL},
    {"x^phi^g", NULL},
    {"(x^phi)^g", NULL},
    {"(-x)^phi", NULL},
    {"-x^phi", NULL},
    {"(x + phi)*g", "g*(x + phi)"},
    {"x/(phi/g)", NULL},
    {"x^-(phi*g)", "x^(-phi*g)"},
    {"x/phi/g", NULL},
    {"x/(phi*g)", NULL},
    {"x/-phi", "x/(-phi)"},
    {"-(2*x)", NULL},
    {"-2*x", NULL},
    {"-(x*phi)", "-x*phi"},
    {"-(1/x)", NULL},
    {"-(x + 1)", "-(1 + x)"},
    {"2*(x*phi)", NULL},
    {"x*(phi*g)", "phi*g*x"},
    {"0.5*(phi_x^2 - g*phi^2)", NULL},
    {"sin(x)^2 + cos(2*x)", NULL},
    {"tan(x)", "sin(x)/cos(x)"},
    {"where(x < 0, x, exp(-x))", NULL},
    {"min(x, phi) <= g", NULL},
    {"x >= 1", "1 <= x"},
    {"(x < phi)*g", "g*(x < phi)"},
    {"not x < 1", "0 == (x < 1)"},
    {"atan2(x, phi) - mod(x, 2)", NULL},
    {"v[0]*w[2]", NULL},
    {"v[1:3]", NULL},
    {"sum(v^2)", NULL},
    {"A[1][0]", NULL},
    {"x*v + w/2", "v*x + w/2"},
};

TEST(text_is_as_it_would_be_typed)
{
    sf_context *ctx = new_context();
    world w = new_world(ctx);
    for (size_t i = 0; i < SFI_COUNT(texts); i++) {
        bool is_typed = false;
        const sf_node n = parse(&w, texts[i].typed);
        char *text = printed(&w, n, SFI_PRINT_TEXT, &is_typed);
        const char *want =
            texts[i].printed != NULL ? texts[i].printed : texts[i].typed;
        if (strcmp(want, "A[1][0]") != 0) {
            assert_string_equal(text, want);
            CHECK(is_typed);
        }
        if (is_typed)
            assert_int_equal(parse(&w, text).id, n.id);
        sfi_free_text(ctx, text);
    }
    sf_graph_free(w.g);
    sf_context_free(ctx);
}

TEST(what_cannot_be_typed_is_said)
{
    sf_context *ctx = new_context();
    world w = new_world(ctx);
    sf_graph *g = w.g;
    const sf_node x = w.symbols[0].node, v = w.symbols[5].node;
    const sf_node sine = sf_input(g, "sin", 0, NULL);
    const struct {
        sf_node n;
        const char *text;
    } bad[] = {
        {sf_polygamma(g, 1, x), "polygamma(1, x)"},
        {sf_const(g, NAN), "nan"},
        {sf_const(g, -INFINITY), "-inf"},
        {sf_mul(g, v, w.symbols[6].node), "v*w"},
        {sf_add(g, sine, sf_sin(g, x)), "sin + sin(x)"},
        {sf_permute(g, w.symbols[7].node, (int[]){1, 0}), "permute(A)"},
        {sf_input(g, "a\"b", 0, NULL), "\"a\"b\""},
    };
    for (size_t i = 0; i < SFI_COUNT(bad); i++) {
        bool is_typed = true;
        char *text = printed(&w, bad[i].n, SFI_PRINT_TEXT, &is_typed);
        assert_string_equal(text, bad[i].text);
        CHECK(!is_typed);
        sfi_free_text(ctx, text);
    }
    sf_graph_free(w.g);
    sf_context_free(ctx);
}

TEST(tex_is_for_people)
{
    static const struct {
        const char *typed, *tex;
    } cases[] = {
        {"0.5*(phi_x^2 - g*phi^2)",
         "0.5 \\, \\left(\\phi_{x}^{2} - g \\, \\phi^{2}\\right)"},
        {"-x/(phi + 1)", "-\\frac{x}{1 + \\phi}"},
        {"(x/phi)^2", "\\left(\\frac{x}{\\phi}\\right)^{2}"},
        {"2*(x*phi)", "2 \\, x \\, \\phi"},
        {"x*1.5e-7", "1.5 \\cdot 10^{-7} \\, x"},
        {"sqrt(x) + abs(g)", "\\sqrt{x} + \\left|g\\right|"},
        {"x^phi^g", "{x}^{{\\phi}^{g}}"},
        {"log_ndtr(sin(x))",
         "\\operatorname{log ndtr}\\left(\\sin\\left(x\\right)\\right)"},
        {"where(x <= 0, 1, x)",
         "\\begin{cases} 1 & \\left[x \\le 0\\right] \\\\ x & \\text{else} "
         "\\end{cases}"},
        {"\"phi[0,-1]\"", "\\mathrm{phi[0,-1]}"},
    };
    sf_context *ctx = new_context();
    world w = new_world(ctx);
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        bool is_typed = true;
        char *text =
            printed(&w, parse(&w, cases[i].typed), SFI_PRINT_TEX, &is_typed);
        assert_string_equal(text, cases[i].tex);
        CHECK(!is_typed);
        sfi_free_text(ctx, text);
    }
    sf_graph_free(w.g);
    sf_context_free(ctx);
}

/* ---- random graphs ---------------------------------------------------------------- */

typedef struct draws {
    uint64_t seed, at;
} draws;

static int pick(draws *d, int n)
{
    const uint32_t bits =
        sfi_bits_at((sfi_where){d->seed, d->at++, 0, SFI_STREAM_USER}, 0);
    return (int)((uint64_t)bits * (uint64_t)n >> 32);
}

typedef sf_node (*one_fn)(sf_graph *, sf_node);
typedef sf_node (*two_fn)(sf_graph *, sf_node, sf_node);

/* Numbers that are folded, signs, powers and quotients more often than the rest. */
static sf_node draw(draws *d, sf_graph *g, const sf_node *pool, int count)
{
    static const one_fn ones[] = {sf_neg,  sf_neg,    sf_sin, sf_exp,
                                  sf_sqrt, sf_square, sf_tan, sf_floor};
    static const two_fn twos[] = {
        sf_add, sf_sub, sf_mul, sf_div, sf_pow,  sf_add,   sf_sub,
        sf_mul, sf_div, sf_min, sf_mod, sf_less, sf_equal, sf_less_equal};
    static const double numbers[] = {-2.0, -1.0, 0.0,  0.5,  1.0,
                                     2.0,  3.0,  1e-9, -0.0, 1e300};
    const sf_node a = pool[pick(d, count)];
    const sf_node b = pick(d, 4) > 0
                          ? pool[pick(d, count)]
                          : sf_const(g, numbers[pick(d, SFI_COUNT(numbers))]);
    switch (pick(d, 8)) {
    case 0:
    case 1:
        return ones[pick(d, SFI_COUNT(ones))](g, a);
    case 2:
        return sf_select(g, a, b, pool[pick(d, count)]);
    case 3:
        return pick(d, 2) ? sf_pow(g, a, b) : sf_div(g, b, a);
    default:
        return twos[pick(d, SFI_COUNT(twos))](g, a, b);
    }
}

/* Of any scalar expression of typed operations, unless it is too long. */
TEST(parsing_what_was_printed_gives_the_same_node)
{
    enum { GRAPHS = 400, NODES = 60 };
    sf_context *ctx = new_context();
    int checked = 0;
    for (int trial = 0; trial < GRAPHS; trial++) {
        world w = new_world(ctx);
        draws d = {(uint64_t)trial, 0};
        sf_node pool[NODES];
        int count = 0;
        for (; count < 5; count++)
            pool[count] = w.symbols[count].node;
        for (; count < NODES; count++)
            pool[count] = draw(&d, w.g, pool, count);
        for (int i = 0; i < NODES; i++) {
            char *text = NULL;
            bool is_typed = false;
            const sf_status status =
                sfi_print(w.g, pool[i], SFI_PRINT_TEXT, &text, &is_typed);
            if (status != SF_OK) {
                CHECK(status == SF_E_UNSUPPORTED && text == NULL && !is_typed);
                continue;
            }
            if (strstr(text, "inf") == NULL && strstr(text, "nan") == NULL)
                CHECK(is_typed);
            if (is_typed && parse(&w, text).id != pool[i].id) {
                fprintf(stderr, "graph %d, node %d: %s\n", trial, i, text);
                fail();
            }
            checked += is_typed;
            sfi_free_text(ctx, text);
        }
        sf_graph_free(w.g);
    }
    CHECK(checked > GRAPHS * NODES / 2);
    sf_context_free(ctx);
}

/* ---- bounds ------------------------------------------------------------------------ */

TEST(what_is_too_long_or_too_deep_is_refused)
{
    sf_context *ctx = new_context();
    world w = new_world(ctx);
    char *text = NULL;
    bool is_typed = true;
    sf_node n = w.symbols[0].node;
    for (int i = 0; i < 20; i++) /* 2^20 leaves */
        n = sf_add(w.g, sf_sin(w.g, n), sf_cos(w.g, n));
    CHECK_FAILS(ctx, sfi_print(w.g, n, SFI_PRINT_TEXT, &text, &is_typed),
                SF_E_UNSUPPORTED, "longer than 65536 bytes");
    CHECK(text == NULL && !is_typed);
    n = w.symbols[0].node;
    for (int i = 0; i < 181; i++)
        n = sf_sin(w.g, n);
    CHECK_FAILS(ctx, sfi_print(w.g, n, SFI_PRINT_TEXT, &text, NULL),
                SF_E_UNSUPPORTED, "nested more than 180 deep");
    n = w.symbols[0].node;
    for (int i = 0; i < 5000; i++)
        n = sf_sub(w.g, n, w.symbols[1].node);
    CHECK_FAILS(ctx, sfi_print(w.g, n, SFI_PRINT_TEXT, &text, NULL),
                SF_E_UNSUPPORTED, "chain of more than");
    sf_graph_free(w.g);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    world w = new_world(ctx);
    const sf_node n = parse(&w, "0.5*(phi_x^2 - g*phi^2)*exp(-x^2/2)");
    const int64_t before = faults.bytes;
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        char *text = NULL;
        faults.left = k;
        status = sfi_print(w.g, n, SFI_PRINT_TEXT, &text, NULL);
        CHECK(status == SF_OK || (status == SF_E_NOMEM && text == NULL));
        sfi_free_text(ctx, text);
        CHECK(faults.bytes == before);
    }
    faults.left = INT64_MAX;
    sf_graph_free(w.g);
    sf_context_free(ctx);
}

TESTS(CASE(text_is_as_it_would_be_typed), CASE(what_cannot_be_typed_is_said),
      CASE(tex_is_for_people),
      CASE(parsing_what_was_printed_gives_the_same_node),
      CASE(what_is_too_long_or_too_deep_is_refused),
      CASE(every_allocation_may_fail))
