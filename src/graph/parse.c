/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c - typed expressions.
 *
 *   expression = both { 'or' both }
 *   both       = condition { 'and' condition }
 *   condition  = 'not' condition | comparison
 *   comparison = sum [ ('<' | '<=' | '>' | '>=' | '==' | '!=') sum ]
 *   sum        = product { ('+' | '-') product }
 *   product    = sign { ('*' | '/') sign }
 *   sign       = ('-' | '+') sign | power
 *   power      = item [ '^' sign ]                       right-associative
 *   item       = primary { '[' integer ']' | '[' [integer] ':' [integer] ']' }
 *   primary    = number | name | "quoted name" | name '(' list ')'
 *              | '(' expression ')'
 *
 * A product of two vectors is their dot product, of a matrix and a vector (or
 * matrix) the matrix product; anything else is element by element.  Names that
 * the caller defines come before the constants pi and e, and before 'not'. */
#include "graph/graph.h"

#include "base/dictionary.h"
#include "num/decimal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 200, MAX_TEXT = 1 << 16, SHOWN = 60 };

typedef struct parser {
    sf_graph *g;
    const char *text;
    size_t at;
    int depth;
    int symbol_count;
    const sf_symbol *symbols;
    int *first_of; /* with a dictionary: number of a name -> its first symbol */
    sfi_dictionary names;
    sfi_parse_hooks hooks;
    sf_status status;
} parser;

static sf_node expression(parser *p);

/* ---- errors ----------------------------------------------------------------- */

/* Whether a byte continues a character of UTF-8. */
static bool inside_character(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

static size_t characters(const char *text, size_t from, size_t to)
{
    size_t count = 0;
    for (size_t i = from; i < to; i++)
        count += !inside_character(text[i]);
    return count;
}

/* "column 7: expected ')'", the text around it, and a mark below.  Columns
 * count characters. */
static sf_node fail_at(parser *p, sf_status status, size_t at,
                       const char *problem)
{
    if (p->status != SF_OK)
        return (sf_node){0};
    p->status = status;
    const size_t length = strlen(p->text);
    size_t from = at > SHOWN / 2 ? at - SHOWN / 2 : 0;
    size_t to = length - from > SHOWN ? from + SHOWN : length;
    while (from < at && inside_character(p->text[from]))
        from++;
    while (to > at && inside_character(p->text[to]))
        to--;
    char shown[SHOWN + 1];
    for (size_t i = from; i < to; i++) /* newlines would break the mark */
        shown[i - from] = iscntrl((unsigned char)p->text[i]) ? ' ' : p->text[i];
    shown[to - from] = '\0';
    (void)SFI_FAIL(p->g->ctx, status,
                   "expression: column %zu: %s\n  %s\n  %*s^",
                   characters(p->text, 0, at) + 1, problem, shown,
                   (int)characters(p->text, from, at), "");
    return (sf_node){0};
}

/* What stands at the cursor, for "found ..." */
static const char *found(const parser *p, char text[32])
{
    const char *c = p->text + p->at;
    if (*c == '\0')
        return "the end";
    int length = 1;
    while (length < 4 && inside_character(c[length]))
        length++;
    if (iscntrl((unsigned char)*c))
        snprintf(text, 32, "the byte %d", (unsigned char)*c);
    else
        snprintf(text, 32, "'%.*s'", length, c);
    return text;
}

static sf_node expected(parser *p, const char *what)
{
    char buffer[32], problem[160];
    snprintf(problem, sizeof problem, "expected %s, found %s", what,
             found(p, buffer));
    return fail_at(p, SF_E_PARSE, p->at, problem);
}

/* An operation of the graph that did not accept its operands is an error at
 * the operator's place; the graph itself stays usable. */
static sf_node checked(parser *p, sf_node n, size_t at)
{
    if (p->g->status == SF_OK)
        return n;
    const sf_status status = p->g->status;
    char problem[sizeof p->g->message];
    memcpy(problem, p->g->message, sizeof problem);
    if (status != SF_E_NOMEM)
        sfi_graph_clear(p->g);
    return fail_at(p, status, at, problem);
}

/* ---- tokens ----------------------------------------------------------------- */

static void skip_space(parser *p)
{
    while (isspace((unsigned char)p->text[p->at]))
        p->at++;
}

static bool accept(parser *p, const char *token)
{
    skip_space(p);
    const size_t n = strlen(token);
    if (strncmp(p->text + p->at, token, n) != 0)
        return false;
    p->at += n;
    return true;
}

static bool starts_name(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool continues_name(char c)
{
    return starts_name(c) || isdigit((unsigned char)c);
}

static sf_node number(parser *p)
{
    double value = 0.0;
    const size_t start = p->at;
    const char *end = sfi_number_parse(p->text + start, &value);
    if (end == NULL)
        return expected(p, "a digit before or after '.'");
    p->at = (size_t)(end - p->text);
    if (starts_name(p->text[p->at]))
        return fail_at(p, SF_E_PARSE, p->at,
                       "a number runs into a name; write * between them");
    if (isinf(value))
        return fail_at(p, SF_E_PARSE, start,
                       "the number is larger than any double");
    return checked(p, sf_const(p->g, value), start);
}

/* ---- functions -------------------------------------------------------------- */

static sf_node f_norm(sf_graph *g, sf_node a)
{
    return sf_sqrt(g, sf_dot(g, a, a));
}

/* Finite wherever one of the two is. */
static sf_node f_logaddexp(sf_graph *g, sf_node a, sf_node b)
{
    return sf_add(g, b, sf_softplus(g, sf_sub(g, a, b)));
}

typedef struct function {
    const char *name;
    int arity;
    sf_node (*one)(sf_graph *, sf_node);
    sf_node (*two)(sf_graph *, sf_node, sf_node);
    sf_node (*three)(sf_graph *, sf_node, sf_node, sf_node);
} function;

#define ROW_1(name, make)         {name, 1, make, NULL, NULL},
#define ROW_2(name, make)         {name, 2, NULL, make, NULL},
#define ROW_3(name, make)         {name, 3, NULL, NULL, make},
#define ROW_OF_TYPED(name, arity) ROW_##arity(#name, sf_##name)
#define ROW_OF_PUBLIC(name, arity)
#define ROW_OF_ORDERED(name, arity)
#define ROW_OF_INNER(name, arity)

static const function functions[] = {
#define EW(NAME, name, arity, scope, ...) ROW_OF_##scope(name, arity)
#include "num/elementwise.def"
#undef EW
    /* clang-format off */
    ROW_1("tan", sf_tan)
    ROW_1("norm", f_norm)
    ROW_1("sum", sf_sum_all)
    ROW_1("cumsum", sf_cumsum)
    ROW_2("dot", sf_dot)
    ROW_2("logaddexp", f_logaddexp)
    ROW_3("where", sf_select)
    /* clang-format on */
};

/* What stands between the brackets of a function; how many there are, those behind
 * the first SFI_MOST_ARGUMENTS being dropped, or -1. */
static int arguments(parser *p, sf_node *args)
{
    int count = 0;
    if (p->hooks.call != NULL && accept(p, ")"))
        return 0;
    do {
        const sf_node arg = expression(p);
        if (p->status != SF_OK)
            return -1;
        if (count < SFI_MOST_ARGUMENTS)
            args[count] = arg;
        count++;
    } while (accept(p, ","));
    if (accept(p, ")"))
        return count;
    (void)expected(p, "',' or ')'");
    return -1;
}

static sf_node call(parser *p, const function *f, size_t at, int count,
                    const sf_node *args)
{
    if (count != f->arity) {
        char problem[96];
        snprintf(problem, sizeof problem, "%s takes %d argument%s, found %d",
                 f->name, f->arity, f->arity == 1 ? "" : "s", count);
        return fail_at(p, SF_E_PARSE, at, problem);
    }
    const sf_node result = f->arity == 1 ? f->one(p->g, args[0])
                           : f->arity == 2
                               ? f->two(p->g, args[0], args[1])
                               : f->three(p->g, args[0], args[1], args[2]);
    return checked(p, result, at);
}

/* ---- names ------------------------------------------------------------------ */

/* From this many symbols on, names are looked up in a dictionary. */
enum { MANY = 32 };

static sf_status index_names(parser *p)
{
    sf_context *ctx = p->g->ctx;
    if (p->symbol_count < MANY)
        return SF_OK;
    p->first_of = sfi_alloc(ctx, (size_t)p->symbol_count, sizeof *p->first_of);
    if (p->first_of == NULL)
        return SF_E_NOMEM;
    for (int i = 0; i < p->symbol_count; i++) {
        const int64_t known = (int64_t)p->names.count;
        int64_t number;
        SFI_TRY(
            sfi_dictionary_number(ctx, &p->names, p->symbols[i].name, &number));
        if (number == known)
            p->first_of[number] = i;
    }
    return SF_OK;
}

static void free_names(parser *p)
{
    sf_context *ctx = p->g->ctx;
    sfi_dictionary_free(ctx, &p->names);
    sfi_free(ctx, p->first_of, (size_t)p->symbol_count, sizeof *p->first_of);
}

static bool lookup(const parser *p, const char *name, size_t length,
                   sf_node *out)
{
    if (p->first_of != NULL) {
        const int64_t number = sfi_dictionary_find(&p->names, name, length);
        if (number >= 0)
            *out = p->symbols[p->first_of[number]].node;
        return number >= 0;
    }
    for (int i = 0; i < p->symbol_count; i++)
        if (strlen(p->symbols[i].name) == length &&
            memcmp(p->symbols[i].name, name, length) == 0) {
            *out = p->symbols[i].node;
            return true;
        }
    return false;
}

static sf_node unknown(parser *p, size_t at, const char *name, size_t length)
{
    char problem[400];
    int used = snprintf(
        problem, sizeof problem,
        "unknown name \"%.*s\"; known:", length > 60 ? 60 : (int)length, name);
    for (int i = 0; i < p->symbol_count && used < 300; i++)
        used += snprintf(problem + used, sizeof problem - (size_t)used,
                         "%s %.40s", i > 0 ? "," : "", p->symbols[i].name);
    snprintf(problem + used, sizeof problem - (size_t)used, "%s pi, e%s",
             p->symbol_count > 0 ? "," : "",
             used >= 300 ? ", ..."
                         : " and the functions of docs/EXPRESSIONS.md");
    return fail_at(p, SF_E_PARSE, at, problem);
}

static sf_node unknown_function(parser *p, size_t at, const char *name,
                                size_t length)
{
    char problem[900];
    int used =
        snprintf(problem, sizeof problem, "unknown function \"%.*s\"; known:",
                 length > 60 ? 60 : (int)length, name);
    if (p->hooks.functions != NULL)
        used += snprintf(problem + used, sizeof problem - (size_t)used, " %s",
                         p->hooks.functions);
    for (size_t i = 0; i < SFI_COUNT(functions) && used < 880; i++)
        used += snprintf(problem + used, sizeof problem - (size_t)used, "%s %s",
                         i > 0 || p->hooks.functions != NULL ? "," : "",
                         functions[i].name);
    return fail_at(p, SF_E_PARSE, at, problem);
}

static sf_node named(parser *p, const char *name, size_t length, size_t at)
{
    sf_node node;
    if (lookup(p, name, length, &node))
        return node;
    if (length == 2 && memcmp(name, "pi", 2) == 0)
        return checked(p, sf_const(p->g, 3.14159265358979323846), at);
    if (length == 1 && name[0] == 'e')
        return checked(p, sf_const(p->g, 2.71828182845904523536), at);
    if (p->hooks.name != NULL &&
        p->hooks.name(p->hooks.user, name, length, &node))
        return checked(p, node, at);
    return unknown(p, at, name, length);
}

static const function *find_function(const char *name, size_t length)
{
    for (size_t i = 0; i < SFI_COUNT(functions); i++)
        if (strlen(functions[i].name) == length &&
            memcmp(functions[i].name, name, length) == 0)
            return &functions[i];
    return NULL;
}

/* Behind the bracket that opens. */
static sf_node call_by_name(parser *p, const char *name, size_t length,
                            size_t at)
{
    const function *f = find_function(name, length);
    if (f == NULL && p->hooks.call == NULL)
        return unknown_function(p, at, name, length);
    sf_node args[SFI_MOST_ARGUMENTS], node;
    const int count = arguments(p, args);
    if (count < 0)
        return (sf_node){0};
    if (p->hooks.call != NULL && count <= SFI_MOST_ARGUMENTS &&
        p->hooks.call(p->hooks.user, name, length, count, args, &node))
        return checked(p, node, at);
    return f != NULL ? call(p, f, at, count, args)
                     : unknown_function(p, at, name, length);
}

static sf_node name_or_call(parser *p)
{
    const size_t at = p->at;
    while (continues_name(p->text[p->at]))
        p->at++;
    const char *name = p->text + at;
    const size_t length = p->at - at;
    sf_node node;
    if (!lookup(p, name, length, &node) && accept(p, "("))
        return call_by_name(p, name, length, at);
    return named(p, name, length, at);
}

static sf_node quoted_name(parser *p)
{
    const size_t at = p->at++;
    const char *end = strchr(p->text + p->at, '"');
    if (end == NULL)
        return fail_at(p, SF_E_PARSE, at, "a quoted name has no closing \"");
    const char *name = p->text + p->at;
    const size_t length = (size_t)(end - name);
    p->at += length + 1;
    sf_node node;
    if (p->hooks.text != NULL && !lookup(p, name, length, &node) &&
        p->hooks.text(p->hooks.user, name, length, &node))
        return checked(p, node, at);
    return named(p, name, length, at);
}

/* ---- the grammar ------------------------------------------------------------ */

static sf_node primary(parser *p)
{
    skip_space(p);
    const char c = p->text[p->at];
    if (isdigit((unsigned char)c) || c == '.')
        return number(p);
    if (starts_name(c))
        return name_or_call(p);
    if (c == '"')
        return quoted_name(p);
    if (accept(p, "(")) {
        const sf_node inner = expression(p);
        if (p->status == SF_OK && !accept(p, ")"))
            return expected(p, "')'");
        return inner;
    }
    return expected(p, "a number, a name or '('");
}

/* A whole number, or what it is when left out; false after an error. */
static bool bound(parser *p, int64_t *value, bool may_be_missing)
{
    skip_space(p);
    char *end = NULL;
    const long long given = strtoll(p->text + p->at, &end, 10);
    const bool there = end != p->text + p->at;
    if (there)
        *value = given;
    p->at = (size_t)(end - p->text);
    if (!there && !may_be_missing)
        (void)expected(p, "a whole number");
    return there || may_be_missing;
}

/* After '[': an element of a vector or a row of a matrix, or with ':' those from
 * one to before another. */
static sf_node subscript(parser *p, sf_node a)
{
    skip_space(p);
    const size_t at = p->at;
    const sfi_shape s = sfi_at(p->g, a)->shape;
    const int64_t extent = s.rank > 0 ? s.extent[0] : 0;
    int64_t first = 0, end = extent;
    const bool from_start = accept(p, ":");
    if (!from_start && !bound(p, &first, false))
        return a;
    const bool slice = from_start || accept(p, ":");
    if (slice && !bound(p, &end, true))
        return a;
    if (!accept(p, "]"))
        return expected(p, slice ? "']'" : "':' or ']'");
    if (s.rank == 0)
        return fail_at(p, SF_E_PARSE, at, "a single number has no elements");
    char problem[128];
    if (!slice && (first < 0 || first >= extent)) {
        snprintf(problem, sizeof problem, "index is %lld, want 0 to %lld",
                 (long long)first, (long long)extent - 1);
        return fail_at(p, SF_E_PARSE, at, problem);
    }
    if (slice && !(first >= 0 && first < end && end <= extent)) {
        snprintf(problem, sizeof problem,
                 "slice is %lld:%lld, want 0 <= first < end <= %lld",
                 (long long)first, (long long)end, (long long)extent);
        return fail_at(p, SF_E_PARSE, at, problem);
    }
    if (slice)
        return checked(p, sf_slice(p->g, a, 0, first, end - first, 1), at);
    const sf_node one = sf_slice(p->g, a, 0, first, 1, 1);
    return checked(p, sf_reshape(p->g, one, s.rank - 1, s.extent + 1), at);
}

static sf_node item(parser *p)
{
    sf_node a = primary(p);
    while (p->status == SF_OK && accept(p, "["))
        a = subscript(p, a);
    return a;
}

static sf_node sign(parser *p);

static sf_node power(parser *p)
{
    const sf_node base = item(p);
    skip_space(p);
    const size_t at = p->at;
    if (p->status != SF_OK || !accept(p, "^"))
        return base;
    const sf_node exponent = sign(p);
    double two = 0.0;
    if (p->status != SF_OK)
        return base;
    if (p->hooks.squares_vectors && sf_node_rank(p->g, base) == 1)
        return sfi_is_const(p->g, exponent, &two) && two == 2.0
                   ? sf_dot(p->g, base, base)
                   : fail_at(p, SF_E_PARSE, at,
                             "of a vector, the square is the only power");
    return checked(p, sf_pow(p->g, base, exponent), at);
}

static sf_node sign(parser *p)
{
    if (++p->depth > MAX_DEPTH)
        return fail_at(p, SF_E_PARSE, p->at, "nested too deeply");
    skip_space(p);
    const size_t at = p->at;
    sf_node a;
    if (accept(p, "-"))
        a = checked(p, sf_neg(p->g, sign(p)), at);
    else if (accept(p, "+"))
        a = sign(p);
    else
        a = power(p);
    p->depth--;
    return a;
}

static sf_node multiply(sf_graph *g, sf_node a, sf_node b)
{
    const int ra = sf_node_rank(g, a), rb = sf_node_rank(g, b);
    if (ra == 1 && rb == 1)
        return sf_dot(g, a, b);
    if (ra == 2 && (rb == 1 || rb == 2))
        return sf_matmul(g, a, b);
    if (ra == 1 && rb == 2)
        return sf_matmul(g, sf_transpose(g, b), a);
    return sf_mul(g, a, b);
}

static sf_node product(parser *p)
{
    sf_node a = sign(p);
    while (p->status == SF_OK) {
        skip_space(p);
        const size_t at = p->at;
        const bool times = accept(p, "*");
        if (!times && !accept(p, "/"))
            return a;
        if (times && p->text[p->at] == '*')
            return fail_at(p, SF_E_PARSE, at, "a power is written with ^");
        const sf_node b = sign(p);
        if (p->status != SF_OK)
            return a;
        a = checked(p, times ? multiply(p->g, a, b) : sf_div(p->g, a, b), at);
    }
    return a;
}

static sf_node sum(parser *p)
{
    sf_node a = product(p);
    while (p->status == SF_OK) {
        skip_space(p);
        const size_t at = p->at;
        const bool plus = accept(p, "+");
        if (!plus && !accept(p, "-"))
            return a;
        const sf_node b = product(p);
        if (p->status != SF_OK)
            return a;
        a = checked(p, plus ? sf_add(p->g, a, b) : sf_sub(p->g, a, b), at);
    }
    return a;
}

static sf_node not_equal(sf_graph *g, sf_node a, sf_node b)
{
    return sf_sub(g, sf_const(g, 1.0), sf_equal(g, a, b));
}

static sf_node greater(sf_graph *g, sf_node a, sf_node b)
{
    return sf_less(g, b, a);
}

static sf_node greater_equal(sf_graph *g, sf_node a, sf_node b)
{
    return sf_less_equal(g, b, a);
}

typedef sf_node (*comparison)(sf_graph *, sf_node, sf_node);

/* The comparison that stands at the cursor, NULL if there is none. */
static comparison accept_comparison(parser *p)
{
    static const struct {
        const char *token;
        comparison make;
    } comparisons[] = {{"<=", sf_less_equal}, {">=", greater_equal},
                       {"==", sf_equal},      {"!=", not_equal},
                       {"<", sf_less},        {">", greater}};
    for (size_t i = 0; i < SFI_COUNT(comparisons); i++)
        if (accept(p, comparisons[i].token))
            return comparisons[i].make;
    return NULL;
}

static sf_node compare(parser *p)
{
    const sf_node a = sum(p);
    skip_space(p);
    const size_t at = p->at;
    const comparison make = p->status == SF_OK ? accept_comparison(p) : NULL;
    if (make == NULL)
        return a;
    const sf_node b = sum(p);
    if (p->status != SF_OK)
        return a;
    skip_space(p);
    const size_t again = p->at;
    if (accept_comparison(p) != NULL)
        return fail_at(p, SF_E_PARSE, again,
                       "comparisons do not chain; write a < b and b < c");
    return checked(p, make(p->g, a, b), at);
}

/* The word if it stands at the cursor and goes on as no name. */
static bool accept_word(parser *p, const char *word)
{
    skip_space(p);
    const size_t at = p->at;
    if (accept(p, word) && !continues_name(p->text[p->at]))
        return true;
    p->at = at;
    return false;
}

static sf_node condition(parser *p)
{
    skip_space(p);
    const size_t at = p->at;
    sf_node name;
    if (lookup(p, "not", 3, &name) || !accept_word(p, "not"))
        return compare(p);
    if (++p->depth > MAX_DEPTH)
        return fail_at(p, SF_E_PARSE, p->at, "nested too deeply");
    const sf_node a = condition(p);
    p->depth--;
    return p->status == SF_OK ? checked(p, sf_not(p->g, a), at) : a;
}

/* Operands of one kind, joined from the left. */
static sf_node joined(parser *p, const char *word, sf_node (*operand)(parser *),
                      comparison make)
{
    sf_node a = operand(p);
    while (p->status == SF_OK) {
        skip_space(p);
        const size_t at = p->at;
        if (!accept_word(p, word))
            return a;
        const sf_node b = operand(p);
        if (p->status == SF_OK)
            a = checked(p, make(p->g, a, b), at);
    }
    return a;
}

static sf_node both(parser *p)
{
    return joined(p, "and", condition, sf_and);
}

static sf_node expression(parser *p)
{
    return joined(p, "or", both, sf_or);
}

sf_status sfi_parse_open(sf_graph *g, const char *text, int symbol_count,
                         const sf_symbol *symbols, const sfi_parse_hooks *hooks,
                         sf_node *out)
{
    *out = (sf_node){0};
    SFI_TRY(sf_graph_status(g));
    if (strlen(text) > MAX_TEXT)
        return SFI_FAIL(g->ctx, SF_E_PARSE,
                        "expression: %zu characters, want at most %d",
                        strlen(text), (int)MAX_TEXT);
    parser p = {
        .g = g, .text = text, .symbol_count = symbol_count, .symbols = symbols};
    if (hooks != NULL)
        p.hooks = *hooks;
    sf_node node = {0};
    p.status = index_names(&p);
    if (p.status == SF_OK)
        node = expression(&p);
    skip_space(&p);
    if (p.status == SF_OK && text[p.at] != '\0')
        (void)expected(&p, "an operator or the end");
    free_names(&p);
    if (p.status != SF_OK)
        return p.status;
    SFI_TRY(sf_graph_status(g));
    *out = node;
    return SF_OK;
}

sf_status sf_parse(sf_graph *g, const char *text, int symbol_count,
                   const sf_symbol *symbols, sf_node *out)
{
    return sfi_parse_open(g, text, symbol_count, symbols, NULL, out);
}
