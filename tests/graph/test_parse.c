/* SPDX-License-Identifier: Apache-2.0 */
/* test_parse.c - typed expressions: every example of docs/EXPRESSIONS.md, the
 * structure that the grammar gives, names, and every error with its place. */
#include "faults.h"
#include "graph/interpret.h"

#include <locale.h>

enum { SYMBOLS = 7, LINE = 1024 };

/* The names that the examples of docs/EXPRESSIONS.md use. */
struct names {
    sf_graph *g;
    sf_symbol symbol[SYMBOLS];
    const double *inputs[SYMBOLS];
};

static void define(sf_context *ctx, struct names *n)
{
    static const double x = 2, y = -3, v[] = {1, 2, 3}, w[] = {0.5, -1, 2},
                        a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 0, 2, 1, 1},
                        wind = 7;
    static const struct {
        const char *name;
        int rank;
        int64_t shape[2];
        const double *value;
    } leaves[SYMBOLS] = {
        {"x", 0, {0}, &x},
        {"y", 0, {0}, &y},
        {"v", 1, {3}, v},
        {"w", 1, {3}, w},
        {"A", 2, {2, 3}, a},
        {"B", 2, {3, 2}, b},
        {"wind speed", 0, {0}, &wind},
    };
    CHECK_OK(ctx, sf_graph_new(ctx, &n->g));
    for (int i = 0; i < SYMBOLS; i++) {
        n->inputs[i] = leaves[i].value;
        n->symbol[i].name = leaves[i].name;
        n->symbol[i].node =
            sf_input(n->g, leaves[i].name, leaves[i].rank, leaves[i].shape);
    }
}

static sf_status parse(struct names *n, const char *text, sf_node *out)
{
    return sf_parse(n->g, text, SYMBOLS, n->symbol, out);
}

/* ---- docs/EXPRESSIONS.md ------------------------------------------------------- */

/* Compare with "4", "(1, 2)" or "(1, 2; 3, 4)": shape and numbers. */
static void check_value(struct names *n, const char *text, sf_node node,
                        const char *want)
{
    struct values all = {0};
    interpret(n->g, &all, n->inputs, NULL);
    const double *value = all.of[node.id];
    int64_t numbers = 0, rows = 1;
    bool same = true;
    const char *at = want + (*want == '(');
    for (;;) {
        char *end = NULL;
        const double number = strtod(at, &end);
        assert_true(end != at);
        same = same && numbers < sf_node_count(n->g, node) &&
               fabs(value[numbers] - number) <= 1e-14 * (1.0 + fabs(number));
        numbers++;
        if (*end == ';')
            rows++;
        if (*end != ',' && *end != ';')
            break;
        at = end + 1;
    }
    const int rank = *want != '(' ? 0 : rows == 1 ? 1 : 2;
    same = same && numbers == sf_node_count(n->g, node) &&
           sf_node_rank(n->g, node) == rank &&
           (rank < 2 || sf_node_extent(n->g, node, 0) == rows);
    if (!same) {
        fprintf(stderr, "%s is", text);
        for (int64_t i = 0; i < sf_node_count(n->g, node); i++)
            fprintf(stderr, " %.17g", value[i]);
        fprintf(stderr, " (rank %d), want %s\n", sf_node_rank(n->g, node),
                want);
        fail();
    }
    values_free(&all);
}

static void check_message(sf_context *ctx, struct names *n, const char *text,
                          const char *want)
{
    sf_node out = {99};
    const sf_status status = parse(n, text, &out);
    const char *message = sf_context_message(ctx);
    char all[LINE];
    snprintf(all, sizeof all, "expression: %s", want);
    if ((status != SF_E_PARSE && status != SF_E_SHAPE) ||
        strncmp(message, all, strlen(all)) != 0) {
        fprintf(stderr, "%s: message is\n%s\nwant\n%s\n", text, message, all);
        fail();
    }
    assert_int_equal(out.id, 0);
}

/* Split "| `a` | b |" into a and b; false if the line is no such row. */
static bool table_row(char *line, char **left, char **right)
{
    if (strncmp(line, "| `", 3) != 0)
        return false;
    *left = line + 3;
    char *end = strstr(*left, "` | ");
    char *last = strrchr(line, '|');
    assert_true(end != NULL && last > end + 3);
    *end = '\0';
    *right = end + 4;
    last[-1] = '\0';
    return true;
}

TEST(the_documented_examples_are_true)
{
    sf_context *ctx = new_context();
    struct names n;
    define(ctx, &n);
    FILE *f = fopen("docs/EXPRESSIONS.md", "r");
    assert_non_null(f);
    char line[LINE], *text, *want;
    enum { OTHER, VALUES, MESSAGES } table = OTHER;
    int values = 0, messages = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        if (line[0] != '|')
            table = OTHER;
        else if (strcmp(line, "| expression | value |\n") == 0)
            table = VALUES;
        else if (strcmp(line, "| text | message |\n") == 0)
            table = MESSAGES;
        if (table == OTHER || !table_row(line, &text, &want))
            continue;
        if (table == MESSAGES) {
            check_message(ctx, &n, text, want);
            messages++;
            continue;
        }
        sf_node node;
        CHECK_OK(ctx, parse(&n, text, &node));
        check_value(&n, text, node, want);
        values++;
    }
    fclose(f);
    CHECK(values >= 40);
    CHECK(messages >= 20);
    sf_graph_free(n.g);
    sf_context_free(ctx);
}

/* Every function that a message lists stands on the page, and the other way
 * round: each name before a '(' in the table of functions. */
TEST(the_documented_functions_are_those_that_exist)
{
    sf_context *ctx = new_context();
    struct names n;
    define(ctx, &n);
    FILE *f = fopen("docs/EXPRESSIONS.md", "r");
    assert_non_null(f);
    static char page[1 << 16];
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    char *table = strstr(page, "| function | value |");
    assert_non_null(table);
    *strstr(table, "\n\n") = '\0';

    sf_node out;
    CHECK(parse(&n, "nothing(x)", &out) == SF_E_PARSE);
    char message[LINE];
    snprintf(message, sizeof message, "%s", sf_context_message(ctx));
    *strchr(message, '\n') = '\0';
    int listed = 0, documented = 0;
    for (char *name = strtok(strstr(message, "known:") + 6, ", "); name != NULL;
         name = strtok(NULL, ", ")) {
        char call[80];
        snprintf(call, sizeof call, "`%s(", name);
        if (strstr(table, call) == NULL) {
            fprintf(stderr, "%s is not documented\n", name);
            fail();
        }
        listed++;
    }
    for (char *at = table; (at = strchr(at, '`')) != NULL; at++) {
        const size_t length = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_012");
        documented += length > 1 && at[1 + length] == '(';
    }
    CHECK(listed > 20);
    assert_int_equal(listed, documented);
    sf_graph_free(n.g);
    sf_context_free(ctx);
}

/* ---- structure -------------------------------------------------------------------- */

/* Texts that must give the same node. */
TEST(texts_that_mean_the_same_are_one_node)
{
    static const char *const pairs[][2] = {
        {"x+y*x", "x+(y*x)"},
        {"x*y+x", "(x*y)+x"},
        {"x-y-x", "(x-y)-x"},
        {"x/y/x", "(x/y)/x"},
        {"x/y*x", "(x/y)*x"},
        {"x^y^x", "x^(y^x)"},
        {"-x^y", "-(x^y)"},
        {"x^-y", "x^(-y)"},
        {"x^-y^x", "x^(-(y^x))"},
        {"-x*y", "(-x)*y"},
        {"x*-y", "x*(-y)"},
        {"--x", "x"},
        {"+x", "x"},
        {"- + - x", "x"},
        {"x+y<x*y", "(x+y)<(x*y)"},
        {"x>y", "y<x"},
        {"x>=y", "y<=x"},
        {"x!=y", "1-(x==y)"},
        {"v[1]^2", "(v[1])^2"},
        {"v[:]", "v"},
        {"v [ : 2 ]", "v[0:2]"},
        {"x < y or x and y", "(x < y) or (x and y)"},
        {"x < y and y < 1 or x > 3", "((x < y) and (y < 1)) or (x > 3)"},
        {"not x < y", "not (x < y)"},
        {"not x and y", "(not x) and y"},
        {"not not x", "not (not x)"},
        {"x and y", "(not not x)*(not not y)"},
        {"x<y and y<1", "(x<y)*(y<1)"},
        {"cumsum(x)", "x"},
        {"-v[1]", "-(v[1])"},
        {"A[1][2]", "(A[1])[2]"},
        {"A[0]*v", "dot(A[0],v)"},
        {" x\t+\n y ", "x+y"},
        {"exp ( x )", "exp(x)"},
        {"v [ 1 ]", "v[1]"},
        {"((((x))))", "x"},
        {"\"x\"", "x"},
        {"pow(x,y)", "x^y"},
        {"x^0.5", "sqrt(x)"},
        {"2.*x", "2*x"},
        {".5*x", "0.5*x"},
        {"5e-1*x", "0.5*x"},
        {"0.05E+1*x", "0.5*x"},
        {"x*0", "0"},
        {"dot(v,w)", "v*w"},
        {"norm(v)", "sqrt(v*v)"},
    };
    sf_context *ctx = new_context();
    struct names n;
    define(ctx, &n);
    for (size_t i = 0; i < SFI_COUNT(pairs); i++) {
        sf_node a, b;
        CHECK_OK(ctx, parse(&n, pairs[i][0], &a));
        CHECK_OK(ctx, parse(&n, pairs[i][1], &b));
        if (a.id != b.id) {
            fprintf(stderr, "%s is not %s\n", pairs[i][0], pairs[i][1]);
            fail();
        }
    }
    sf_graph_free(n.g);
    sf_context_free(ctx);
}

/* A name of the caller's comes before constants and functions. */
TEST(names_shadow_constants_and_functions)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node a = sf_input(g, "a", 0, NULL), b = sf_input(g, "b", 0, NULL);
    const sf_symbol symbols[] = {{"e", a}, {"exp", b}, {"pi2", a}, {"e", b}};
    sf_node out;
    CHECK_OK(ctx, sf_parse(g, "e", 4, symbols, &out));
    CHECK(out.id == a.id); /* the first of two */
    CHECK_OK(ctx, sf_parse(g, "exp*2", 4, symbols, &out));
    CHECK(out.id == sf_mul(g, sf_const(g, 2.0), b).id);
    CHECK_FAILS(ctx, sf_parse(g, "exp(2)", 4, symbols, &out), SF_E_PARSE,
                "column 4: expected an operator or the end, found '('");
    CHECK_OK(ctx, sf_parse(g, "pi2", 4, symbols, &out));
    CHECK(out.id == a.id);
    CHECK_OK(ctx, sf_parse(g, "pi", 4, symbols, &out));
    CHECK(out.id == sf_const(g, 3.14159265358979323846).id);
    CHECK_OK(ctx, sf_parse(g, "e", 0, NULL, &out));
    CHECK(out.id == sf_const(g, 2.71828182845904523536).id);
    const sf_symbol words[] = {{"not", a}, {"and", b}, {"android", b}};
    CHECK_OK(ctx, sf_parse(g, "not + and", 3, words, &out));
    CHECK(out.id == sf_add(g, a, b).id);
    CHECK_OK(ctx, sf_parse(g, "android and android", 3, words, &out));
    CHECK(out.id == sf_and(g, b, b).id);
    CHECK_FAILS(ctx, sf_parse(g, "q", 0, NULL, &out), SF_E_PARSE,
                "unknown name \"q\"; known: pi, e and the functions");
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* Letters beyond ASCII are letters, and a column is a character. */
TEST(names_and_columns_know_utf8)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node phi = sf_input(g, "φ", 0, NULL);
    const sf_symbol symbols[] = {{"φ", phi}, {"naïve_2", phi}};
    sf_node out;
    CHECK_OK(ctx, sf_parse(g, "φ*2 - naïve_2", 2, symbols, &out));
    CHECK(out.id == sf_sub(g, sf_mul(g, sf_const(g, 2.0), phi), phi).id);
    CHECK_FAILS(ctx, sf_parse(g, "φ + φ ; φ", 2, symbols, &out), SF_E_PARSE,
                "column 7: expected an operator or the end, found ';'\n"
                "  φ + φ ; φ\n"
                "        ^");
    CHECK_FAILS(ctx, sf_parse(g, "2 φ", 2, symbols, &out), SF_E_PARSE,
                "column 3: expected an operator or the end, found 'φ'");
    CHECK_FAILS(ctx, sf_parse(g, "2 + \x01", 2, symbols, &out), SF_E_PARSE,
                "column 5: expected a number, a name or '(', found the byte 1");
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* "0.5" is a half also where people write "0,5". */
TEST(numbers_do_not_depend_on_the_locale)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR",
                                        "de_DE"};
    sf_context *ctx = new_context();
    struct names n;
    define(ctx, &n);
    for (size_t i = 0; i < SFI_COUNT(names); i++)
        (void)setlocale(LC_NUMERIC, names[i]);
    sf_node out;
    CHECK_OK(ctx, parse(&n, "min(0.5,1.5)", &out));
    CHECK(out.id == sf_const(n.g, 0.5).id);
    setlocale(LC_NUMERIC, "C");
    /* Nor are there hexadecimal or spelled-out ones. */
    CHECK_FAILS(ctx, parse(&n, "0x10", &out), SF_E_PARSE,
                "column 2: a number runs into a name");
    CHECK_FAILS(ctx, parse(&n, "inf", &out), SF_E_PARSE, "unknown name");
    CHECK_FAILS(ctx, parse(&n, "nan", &out), SF_E_PARSE, "unknown name");
    CHECK_FAILS(ctx, parse(&n, "2e", &out), SF_E_PARSE, "runs into a name");
    sf_graph_free(n.g);
    sf_context_free(ctx);
}

/* ---- errors ------------------------------------------------------------------------ */

/* The mark stands under the column, also where only a part of a long text is
 * shown, and tabs and line breaks do not move it. */
TEST(the_mark_stands_under_the_place)
{
    sf_context *ctx = new_context();
    struct names n;
    define(ctx, &n);
    char text[400];
    for (int before = 0; before < 150; before += 7)
        for (int after = 0; after < 150; after += 31) {
            int used = 0;
            for (int i = 0; i < before; i++)
                text[used++] = i % 2 ? '\n' : i % 3 ? '\t' : ' ';
            text[used++] = '$';
            for (int i = 0; i < after; i++)
                text[used++] = 'y';
            text[used] = '\0';
            sf_node out;
            char want[80];
            snprintf(want, sizeof want, "column %d: ", before + 1);
            CHECK_FAILS(ctx, parse(&n, text, &out), SF_E_PARSE, want);
            const char *message = sf_context_message(ctx);
            const char *shown = strchr(message, '\n') + 1;
            const char *mark = strchr(shown, '\n') + 1;
            const size_t column = strspn(mark, " ");
            CHECK(strcmp(mark + column, "^") == 0);
            CHECK(shown[column] == '$');
            CHECK((size_t)(mark - shown) <= 64);
        }
    sf_graph_free(n.g);
    sf_context_free(ctx);
}

TEST(nesting_and_length_have_limits)
{
    enum { LONG = 70000 };
    sf_context *ctx = new_context();
    struct names n;
    define(ctx, &n);
    static char text[LONG + 1];
    static const char *const nests[] = {"(",    "-",      "2^",
                                        "exp(", "min(1,", "not "};
    sf_node out;
    for (size_t k = 0; k < SFI_COUNT(nests); k++) {
        text[0] = '\0';
        for (int i = 0; i < 5000; i++)
            strcat(text + i * (int)strlen(nests[k]), nests[k]);
        CHECK_FAILS(ctx, parse(&n, text, &out), SF_E_PARSE,
                    "nested too deeply");
    }
    /* 190 deep is fine. */
    memset(text, '(', 190);
    text[190] = 'x';
    memset(text + 191, ')', 190);
    text[381] = '\0';
    CHECK_OK(ctx, parse(&n, text, &out));
    CHECK(out.id == n.symbol[0].node.id);

    /* Long is fine as well, up to a limit. */
    for (int i = 0; i < LONG; i++)
        text[i] = i % 2 ? '+' : 'x';
    text[65535] = '\0';
    CHECK_OK(ctx, parse(&n, text, &out));
    text[65535] = '+';
    text[LONG] = '\0';
    CHECK_FAILS(ctx, parse(&n, text, &out), SF_E_PARSE,
                "expression: 70000 characters, want at most 65536");

    /* Names and texts of any length fit into a message. */
    memset(text, 'q', 1000);
    text[1000] = '\0';
    CHECK_FAILS(ctx, parse(&n, text, &out), SF_E_PARSE, "unknown name \"qqq");
    text[1000] = '(';
    text[1001] = '\0';
    CHECK_FAILS(ctx, parse(&n, text, &out), SF_E_PARSE,
                "unknown function \"qqq");
    sf_symbol many[40];
    char spelled[40][60];
    for (int i = 0; i < 40; i++) {
        snprintf(spelled[i], sizeof spelled[i], "a_rather_long_name_%d", i);
        many[i] = (sf_symbol){spelled[i], n.symbol[0].node};
    }
    CHECK_FAILS(ctx, sf_parse(n.g, "z", 40, many, &out), SF_E_PARSE,
                "a_rather_long_name_11");
    CHECK(strstr(sf_context_message(ctx), "e, ...\n") != NULL);
    CHECK_FAILS(
        ctx, sf_parse(n.g, "x[99999999999999999999]", SYMBOLS, n.symbol, &out),
        SF_E_PARSE, "a single number has no elements");
    CHECK_FAILS(
        ctx, sf_parse(n.g, "v[99999999999999999999]", SYMBOLS, n.symbol, &out),
        SF_E_PARSE, "want 0 to 2");
    CHECK_FAILS(ctx, parse(&n, "v[-1]", &out), SF_E_PARSE,
                "index is -1, want 0 to 2");
    sf_graph_free(n.g);
    sf_context_free(ctx);
}

/* After an error the graph builds, parses and compiles as before. */
TEST(the_graph_stays_usable_after_an_error)
{
    static const struct {
        const char *text;
        sf_status status;
    } bad[] = {
        {"", SF_E_PARSE},       {"x +", SF_E_PARSE},
        {"v + B", SF_E_SHAPE},  {"B*v*2", SF_E_SHAPE},
        {"-(B*v)", SF_E_SHAPE}, {"exp(v + B)", SF_E_SHAPE},
        {"A^v^B", SF_E_SHAPE},  {"v < B", SF_E_SHAPE},
        {"v == B", SF_E_SHAPE}, {"where(v, B, x)", SF_E_SHAPE},
    };
    sf_context *ctx = new_context();
    struct names n;
    define(ctx, &n);
    for (size_t i = 0; i < SFI_COUNT(bad); i++) {
        sf_node out = {5};
        assert_int_equal(parse(&n, bad[i].text, &out), bad[i].status);
        CHECK(out.id == 0);
        CHECK_OK(ctx, sf_graph_status(n.g));
        CHECK_OK(ctx, parse(&n, "x*y", &out));
        CHECK(out.id == sf_mul(n.g, n.symbol[0].node, n.symbol[1].node).id);
    }
    sf_graph_free(n.g);
    sf_context_free(ctx);
}

/* Whichever allocation fails, the status is the one for it. */
TEST(every_allocation_of_the_parser_may_fail)
{
    static const char *const texts[] = {
        "(-v)[1] + (-A)[0]*w - pi*v[0]^2.5 + where(x > e, norm(v*A*B), -1.5e3)",
        "e[0]", "(-A)[9]", "B*(-v)"};
    for (size_t i = 0; i < SFI_COUNT(texts); i++)
        for (int others = 0; others < 70; others++) {
            struct faults faults;
            sf_context *ctx = faulty_context(&faults);
            struct names n;
            define(ctx, &n);
            if (i == 0)
                n.symbol[4].node = sf_transpose(n.g, n.symbol[4].node);
            for (int k = 0; k < others; k++)
                (void)sf_const(n.g, 1000.0 + k);
            CHECK_OK(ctx, sf_graph_status(n.g));
            faults.left = 0;
            sf_node out = {5};
            const sf_status status = parse(&n, texts[i], &out);
            const bool asked = faults.left < 0;
            faults.left = INT64_MAX;
            CHECK(asked == (status == SF_E_NOMEM));
            if (asked)
                assert_int_equal(sf_graph_status(n.g), SF_E_NOMEM);
            sf_graph_free(n.g);
            CHECK(faults.bytes == faults.own);
            sf_context_free(ctx);
        }
}

TESTS(CASE(the_documented_examples_are_true),
      CASE(the_documented_functions_are_those_that_exist),
      CASE(texts_that_mean_the_same_are_one_node),
      CASE(names_shadow_constants_and_functions),
      CASE(names_and_columns_know_utf8),
      CASE(numbers_do_not_depend_on_the_locale),
      CASE(the_mark_stands_under_the_place),
      CASE(nesting_and_length_have_limits),
      CASE(the_graph_stays_usable_after_an_error),
      CASE(every_allocation_of_the_parser_may_fail))
