/* SPDX-License-Identifier: Apache-2.0 */
/* print.c - nodes as text, by the levels of the parser's grammar.
 *
 * Every form has a level, that of the rule of parse.c which reads it, and asks its
 * operands for a least one; an operand below it gets parentheses.  What binds from
 * the left asks one more on the right.  In the graph a sum and a product have an
 * order of their own (build_simplify.c), and so the operand that needs no
 * parentheses on the left may be written there.
 *
 * A product with itself is a power again: the graph has none with exponents 2 and
 * 3.  In front of a sign there is a trap: -2*x is (-2)*x to the parser, another node
 * than -(2*x). */
#include "graph/print.h"

#include "base/growing.h"
#include "graph/build.h"
#include "num/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* As the rules of parse.c are nested. */
typedef enum level {
    ANY, /* or, and, not: none is printed, they are products and comparisons */
    COMPARE, /* a < b    */
    SUM,     /* a + b    */
    PRODUCT, /* a*b      */
    SIGN,    /* -a       */
    POWER,   /* a^b      */
    ITEM,    /* a[i]     */
    PRIMARY  /* a, f(a)  */
} level;

/* Parsers and people lose their way in more. */
enum { MOST_DEPTH = 180, MOST_STEPS = 1 << 12 };

typedef struct printer {
    sf_graph *g;
    bool is_tex, is_typed;
    int depth; /* of parentheses, arguments, signs, exponents */
    int steps; /* of recursion                                */
    sfi_growing text;
    sf_status status;
} printer;

static void print(printer *p, sf_node n, level least);

/* ---- text ------------------------------------------------------------------------ */

static void put_bytes(printer *p, const char *bytes, size_t size)
{
    if (p->status != SF_OK)
        return;
    if (p->text.size + size > SFI_PRINT_MOST) {
        p->status = SFI_FAIL(p->g->ctx, SF_E_UNSUPPORTED,
                             "print: the expression is longer than %d bytes",
                             SFI_PRINT_MOST);
        return;
    }
    p->status = sfi_growing_add(p->g->ctx, &p->text, bytes, size);
}

static void put(printer *p, const char *text)
{
    put_bytes(p, text, strlen(text));
}

/* Text or TeX. */
static void either(printer *p, const char *text, const char *tex)
{
    put(p, p->is_tex ? tex : text);
}

static void deeper(printer *p)
{
    if (++p->depth > MOST_DEPTH && p->status == SF_OK)
        p->status = SFI_FAIL(
            p->g->ctx, SF_E_UNSUPPORTED,
            "print: the expression is nested more than %d deep", MOST_DEPTH);
}

/* ---- leaves ---------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool is_word(const char *name)
{
    if (!is_letter(name[0]))
        return false;
    for (const char *c = name; *c != '\0'; c++)
        if (!is_letter(*c) && !(*c >= '0' && *c <= '9'))
            return false;
    return true;
}

/* Upright, with the characters that TeX reads otherwise escaped. */
static void put_upright(printer *p, const char *name, size_t size)
{
    put(p, "\\mathrm{");
    for (size_t i = 0; i < size; i++) {
        if (strchr("%#&_{}$", name[i]) != NULL)
            put(p, "\\");
        if (strchr("~^\\", name[i]) != NULL || name[i] == ' ')
            put(p, "\\ ");
        else
            put_bytes(p, name + i, 1);
    }
    put(p, "}");
}

static void put_tex_name(printer *p, const char *name)
{
    static const char greek[] = "|alpha|beta|gamma|delta|epsilon|zeta|eta|"
                                "theta|iota|kappa|lambda|mu|nu|"
                                "xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega|"
                                "Gamma|Delta|Theta|Lambda|Xi|"
                                "Pi|Sigma|Upsilon|Phi|Psi|Omega|";
    const char *const end = strchr(name, '_');
    const size_t head = end != NULL ? (size_t)(end - name) : strlen(name);
    char word[16];
    snprintf(word, sizeof word, "|%.*s|", (int)(head < 13 ? head : 0), name);
    if (head == 1) {
        put_bytes(p, name, 1);
    } else if (head > 0 && head < 13 && strstr(greek, word) != NULL) {
        put(p, "\\");
        put_bytes(p, name, head);
    } else {
        put_upright(p, name, head);
    }
    if (end == NULL || end[1] == '\0')
        return;
    const char *const index = end + 1;
    put(p, "_{");
    if (strspn(index, "xyzrt0123456789") == strlen(index))
        put(p, index);
    else
        put_upright(p, index, strlen(index));
    put(p, "}");
}

static void put_name(printer *p, const char *name)
{
    if (p->is_tex) {
        put_tex_name(p, name);
    } else if (is_word(name)) {
        put(p, name);
    } else {
        p->is_typed = p->is_typed && strchr(name, '"') == NULL;
        put(p, "\"");
        put(p, name);
        put(p, "\"");
    }
}

/* 1.5e-7 is 1.5 \cdot 10^{-7}. */
static void put_number(printer *p, double value)
{
    char digits[SFI_NUMBER_SIZE];
    (void)sfi_number_format(value, digits);
    p->is_typed = p->is_typed && isfinite(value);
    char *const power = strchr(digits, 'e');
    if (!p->is_tex || power == NULL) {
        put(p, !p->is_tex || isfinite(value) ? digits
               : isnan(value)                ? "\\mathrm{NaN}"
               : value > 0.0                 ? "\\infty"
                                             : "-\\infty");
        return;
    }
    *power = '\0';
    if (strcmp(digits, "1") != 0) {
        put(p, digits);
        put(p, " \\cdot ");
    }
    put(p, "10^{");
    put(p, power + 1);
    put(p, "}");
}

/* ---- what a node is written as --------------------------------------------------- */

/* The operand of an element-wise operation before it was stretched. */
static sf_node plain(const sf_graph *g, sf_node n)
{
    return sfi_at(g, n)->op == SFI_OP_BROADCAST ? sfi_arg(g, n, 0) : n;
}

/* The exponent 2 or 3 of a product with itself, and its base; else 0. */
static int exponent_of(const sf_graph *g, sf_node n, sf_node *base)
{
    if (sfi_at(g, n)->op != SFI_OP_MUL)
        return 0;
    const sf_node a = sfi_arg(g, n, 0), b = sfi_arg(g, n, 1);
    *base = a;
    if (sfi_same(a, b))
        return 2;
    for (int k = 0; k < 2; k++) {
        const sf_node square = sfi_arg(g, n, k), other = sfi_arg(g, n, 1 - k);
        if (sfi_at(g, square)->op == SFI_OP_MUL &&
            sfi_same(sfi_arg(g, square, 0), other) &&
            sfi_same(sfi_arg(g, square, 1), other)) {
            *base = other;
            return 3;
        }
    }
    return 0;
}

/* a[i]: a row of a vector or matrix, whose axis is gone; a[i:j]: some of them. */
typedef struct subscript {
    bool is_one;
    sf_node of;
    int64_t first, end;
} subscript;

static bool is_tail(const sfi_shape *all, const sfi_shape *tail)
{
    if (all->rank != tail->rank + 1 || all->extent[0] != 1)
        return false;
    for (int i = 0; i < tail->rank; i++)
        if (all->extent[i + 1] != tail->extent[i])
            return false;
    return true;
}

static bool subscript_of(const sf_graph *g, sf_node n, subscript *s)
{
    *s = (subscript){.of = n};
    if (sfi_at(g, n)->op == SFI_OP_RESHAPE) {
        s->of = sfi_arg(g, n, 0);
        if (!is_tail(&sfi_at(g, s->of)->shape, &sfi_at(g, n)->shape))
            return false;
        s->is_one = true;
        s->end = 1;
        if (sfi_at(g, s->of)->op != SFI_OP_SLICE)
            return true;
    }
    const sfi_node *const slice = sfi_at(g, s->of);
    if (slice->op != SFI_OP_SLICE || slice->attr[0] != 0 || slice->attr[2] != 1)
        return s->is_one;
    s->first = slice->attr[1];
    s->end = s->first + slice->shape.extent[0];
    s->of = sfi_arg(g, s->of, 0);
    return true;
}

static bool is_sum_of_all(const sf_graph *g, sf_node n)
{
    const sfi_node *const node = sfi_at(g, n);
    return node->op == SFI_OP_SUM && node->shape.rank == 0;
}

static bool sign_leads_product(const printer *p, sf_node n);

static level level_of(const printer *p, sf_node n)
{
    const sf_graph *const g = p->g;
    double value;
    sf_node base;
    subscript s;
    if (sfi_is_const(g, n, &value)) {
        const bool is_product = p->is_tex &&
                                (fabs(value) >= 1e21 || fabs(value) < 1e-3) &&
                                value != 0.0;
        return is_product ? PRODUCT : signbit(value) ? SIGN : PRIMARY;
    }
    switch (sfi_at(g, n)->op) {
    case SFI_OP_LESS:
    case SFI_OP_LESS_EQUAL:
    case SFI_OP_EQUAL:
        return p->is_tex ? PRIMARY : COMPARE;
    case SFI_OP_ADD:
    case SFI_OP_SUB:
        return SUM;
    case SFI_OP_MUL:
        return exponent_of(g, n, &base) > 0 ? POWER : PRODUCT;
    case SFI_OP_DIV:
        return p->is_tex ? POWER : PRODUCT;
    case SFI_OP_NEG:
        return sign_leads_product(p, n) ? PRODUCT : SIGN;
    case SFI_OP_POW:
        return POWER;
    case SFI_OP_RESHAPE:
    case SFI_OP_SLICE:
        return subscript_of(g, n, &s) ? ITEM : PRIMARY;
    default:
        return PRIMARY;
    }
}

/* The first operand of a sum or product that goes on to the left: the second, where
 * that alone is one. */
static void in_order(const printer *p, sf_node n, level own, sf_node *a,
                     sf_node *b)
{
    double value;
    *a = plain(p->g, sfi_arg(p->g, n, 0));
    *b = plain(p->g, sfi_arg(p->g, n, 1));
    const bool is_factor = own == PRODUCT && sfi_is_const(p->g, *a, &value);
    if (level_of(p, *b) == own && level_of(p, *a) != own && !is_factor) {
        const sf_node first = *a;
        *a = *b;
        *b = first;
    }
}

/* -a*b is (-a)*b to the parser, which is the node of -(a*b) where a is no number and
 * is not stretched; so is -a/b. */
static bool sign_leads_product(const printer *p, sf_node n)
{
    sf_node first = plain(p->g, sfi_arg(p->g, n, 0)), rest;
    if (level_of(p, first) != PRODUCT)
        return false;
    while (level_of(p, first) == PRODUCT &&
           sfi_at(p->g, first)->arg_count == 2) {
        if (sfi_at(p->g, first)->op == SFI_OP_MUL)
            in_order(p, first, PRODUCT, &first, &rest);
        else
            first = plain(p->g, sfi_arg(p->g, first, 0));
    }
    double value;
    return !sfi_is_const(p->g, first, &value) &&
           sfi_at(p->g, first)->op != SFI_OP_NEG &&
           sfi_shape_equal(sfi_shape_of(p->g, first), sfi_shape_of(p->g, n));
}

static bool begins_with_sign(const sf_graph *g, sf_node n)
{
    double value;
    if (sfi_is_const(g, n, &value))
        return signbit(value);
    return sfi_at(g, n)->op == SFI_OP_NEG;
}

/* ---- forms ----------------------------------------------------------------------- */

/* The operands of an element-wise node are written before they were stretched: do
 * they give its shape again? */
static void check_shape(printer *p, sf_node n)
{
    const sf_graph *const g = p->g;
    const sfi_node node = *sfi_at(g, n);
    sfi_shape joint = {0};
    for (int k = 0; k < node.arg_count; k++) {
        const sfi_shape *s = &sfi_at(g, plain(g, sfi_arg(g, n, k)))->shape;
        sfi_shape next = s->rank > joint.rank ? *s : joint;
        for (int i = 1; i <= s->rank && i <= joint.rank; i++) {
            const int64_t a = s->extent[s->rank - i];
            const int64_t b = joint.extent[joint.rank - i];
            next.extent[next.rank - i] = a > b ? a : b;
        }
        joint = next;
    }
    p->is_typed = p->is_typed && sfi_shape_equal(&joint, &node.shape);
}

/* No sign follows another one. */
static void binary(printer *p, const char *sign, sf_node a, level left,
                   sf_node b, level right)
{
    print(p, a, left);
    put(p, sign);
    print(p, b, right > ANY && begins_with_sign(p->g, b) ? POWER : right);
}

static bool begins_with_digit(const printer *p, sf_node n)
{
    double value;
    sf_node base;
    while (sfi_at(p->g, n)->op == SFI_OP_MUL) {
        if (exponent_of(p->g, n, &base) > 0)
            return false;
        sf_node rest;
        in_order(p, n, PRODUCT, &n, &rest);
    }
    return sfi_is_const(p->g, n, &value);
}

static void print_product(printer *p, sf_node n)
{
    const sf_graph *const g = p->g;
    sf_node base, a, b;
    const int exponent = exponent_of(g, n, &base);
    if (exponent > 0) {
        print(p, base, ITEM);
        either(p, exponent == 2 ? "^2" : "^3", exponent == 2 ? "^{2}" : "^{3}");
        return;
    }
    in_order(p, n, PRODUCT, &a, &b);
    const int ranks[2] = {sfi_at(g, a)->shape.rank, sfi_at(g, b)->shape.rank};
    if (ranks[0] > 0 && ranks[1] > 0)
        p->is_typed = false; /* a*b is a product of linear algebra */
    binary(p,
           !p->is_tex                ? "*"
           : begins_with_digit(p, b) ? " \\cdot "
                                     : " \\, ",
           a, PRODUCT, b, p->is_tex ? PRODUCT : SIGN);
}

static void print_quotient(printer *p, sf_node n)
{
    const sf_node a = plain(p->g, sfi_arg(p->g, n, 0));
    const sf_node b = plain(p->g, sfi_arg(p->g, n, 1));
    if (!p->is_tex) {
        binary(p, "/", a, PRODUCT, b, SIGN);
        return;
    }
    put(p, "\\frac{");
    binary(p, "}{", a, ANY, b, ANY);
    put(p, "}");
}

static void print_sign(printer *p, sf_node n)
{
    put(p, "-");
    print(p, plain(p->g, sfi_arg(p->g, n, 0)),
          sign_leads_product(p, n) ? PRODUCT : SIGN);
}

static void print_power(printer *p, sf_node n)
{
    const sf_node a = plain(p->g, sfi_arg(p->g, n, 0));
    const sf_node b = plain(p->g, sfi_arg(p->g, n, 1));
    either(p, "", "{");
    print(p, a, ITEM);
    either(p, "^", "}^{");
    print(p, b, p->is_tex ? ANY : SIGN);
    either(p, "", "}");
}

/* In TeX a bracket that is 1 where the comparison holds, Iverson's. */
static void print_comparison(printer *p, sf_node n)
{
    const sfi_op op = sfi_at(p->g, n)->op;
    either(p, "", "\\left[");
    binary(p,
           op == SFI_OP_LESS    ? " < "
           : op == SFI_OP_EQUAL ? (p->is_tex ? " = " : " == ")
                                : (p->is_tex ? " \\le " : " <= "),
           plain(p->g, sfi_arg(p->g, n, 0)), SUM,
           plain(p->g, sfi_arg(p->g, n, 1)), SUM);
    either(p, "", "\\right]");
}

static void print_cases(printer *p, sf_node n)
{
    const sf_node c = plain(p->g, sfi_arg(p->g, n, 0));
    put(p, "\\begin{cases} ");
    print(p, plain(p->g, sfi_arg(p->g, n, 1)), ANY);
    put(p, " & ");
    print(p, c, ANY);
    put(p, " \\\\ ");
    print(p, plain(p->g, sfi_arg(p->g, n, 2)), ANY);
    put(p, " & \\text{else} \\end{cases}");
}

static void print_subscript(printer *p, const subscript *s)
{
    char text[64];
    print(p, s->of, ITEM);
    if (s->is_one)
        snprintf(text, sizeof text, "[%lld]", (long long)s->first);
    else
        snprintf(text, sizeof text, "[%lld:%lld]", (long long)s->first,
                 (long long)s->end);
    put(p, text);
}

/* Whether the parser has a function of this operation's name. */
static bool has_word(sfi_op op)
{
    static const bool typed[SFI_OP_COUNT] = {
#define WORD_TYPED(NAME) [SFI_OP_##NAME] = true,
#define WORD_PUBLIC(NAME)
#define WORD_ORDERED(NAME)
#define WORD_INNER(NAME)
#define EW(NAME, name, arity, scope, ...) WORD_##scope(NAME)
#include "num/elementwise.def"
#undef EW
        [SFI_OP_SELECT] = true,
    };
    return typed[op];
}

/* Names of the graph come before functions when text is parsed. */
static bool is_hidden(const sf_graph *g, const char *word)
{
    for (size_t i = 0; i < g->input_count; i++)
        if (strcmp(g->inputs[i].name, word) == 0)
            return true;
    for (size_t i = 0; i < g->param_count; i++)
        if (strcmp(g->params[i].name, word) == 0)
            return true;
    return false;
}

static void put_function(printer *p, sf_node n)
{
    static const char known[] = "|exp|log|sin|cos|sinh|cosh|tanh|min|max|";
    const sfi_op op = sfi_at(p->g, n)->op;
    const char *name = op == SFI_OP_SELECT ? "where" : sfi_op_name(op);
    char word[32];
    snprintf(word, sizeof word, "|%s|", name);
    if (!p->is_tex) {
        p->is_typed = p->is_typed && !is_hidden(p->g, name);
        put(p, name);
    } else if (strstr(known, word) != NULL) {
        put(p, "\\");
        put(p, name);
    } else {
        put(p, "\\operatorname{");
        for (const char *c = name; *c != '\0'; c++)
            put_bytes(p, *c == '_' ? " " : c, 1);
        put(p, "}");
    }
}

static void print_call(printer *p, sf_node n)
{
    const int count = sfi_at(p->g, n)->arg_count;
    const bool is_stretched = sfi_is_elementwise(sfi_at(p->g, n)->op);
    put_function(p, n);
    either(p, "(", "\\left(");
    deeper(p);
    for (int k = 0; k < count && p->status == SF_OK; k++) {
        if (k > 0)
            put(p, ", ");
        const sf_node a = sfi_arg(p->g, n, k);
        print(p, is_stretched ? plain(p->g, a) : a, ANY);
    }
    p->depth--;
    either(p, ")", "\\right)");
}

/* What TeX has a form of its own for. */
static bool print_tex_form(printer *p, sf_node n)
{
    const sfi_op op = sfi_at(p->g, n)->op;
    if (!p->is_tex ||
        (op != SFI_OP_SQRT && op != SFI_OP_ABS && op != SFI_OP_SELECT))
        return false;
    if (op == SFI_OP_SELECT) {
        print_cases(p, n);
        return true;
    }
    put(p, op == SFI_OP_SQRT ? "\\sqrt{" : "\\left|");
    print(p, sfi_arg(p->g, n, 0), ANY);
    put(p, op == SFI_OP_SQRT ? "}" : "\\right|");
    return true;
}

static void print_other(printer *p, sf_node n)
{
    const sfi_node node = *sfi_at(p->g, n);
    subscript s;
    if (node.op == SFI_OP_INPUT) {
        put_name(p, p->g->inputs[node.attr[0]].name);
    } else if (node.op == SFI_OP_PARAM) {
        put_name(p, p->g->params[node.attr[0]].name);
    } else if (subscript_of(p->g, n, &s)) {
        print_subscript(p, &s);
    } else if (!print_tex_form(p, n)) {
        p->is_typed =
            p->is_typed && (has_word(node.op) || is_sum_of_all(p->g, n));
        print_call(p, n);
    }
}

static void print_form(printer *p, sf_node n)
{
    const sfi_node node = *sfi_at(p->g, n);
    double value;
    if (sfi_is_const(p->g, n, &value)) {
        p->is_typed = p->is_typed && node.shape.rank == 0;
        put_number(p, value);
        return;
    }
    if (sfi_is_elementwise(node.op))
        check_shape(p, n);
    sf_node a, b;
    switch (node.op) {
    case SFI_OP_ADD:
        in_order(p, n, SUM, &a, &b);
        binary(p, " + ", a, SUM, b, PRODUCT);
        return;
    case SFI_OP_SUB:
        binary(p, " - ", plain(p->g, sfi_arg(p->g, n, 0)), SUM,
               plain(p->g, sfi_arg(p->g, n, 1)), PRODUCT);
        return;
    case SFI_OP_MUL:
        print_product(p, n);
        return;
    case SFI_OP_DIV:
        print_quotient(p, n);
        return;
    case SFI_OP_NEG:
        print_sign(p, n);
        return;
    case SFI_OP_POW:
        print_power(p, n);
        return;
    case SFI_OP_LESS:
    case SFI_OP_LESS_EQUAL:
    case SFI_OP_EQUAL:
        print_comparison(p, n);
        return;
    default:
        print_other(p, n);
    }
}

static void print(printer *p, sf_node n, level least)
{
    if (p->status != SF_OK)
        return;
    if (++p->steps > MOST_STEPS) {
        p->status =
            SFI_FAIL(p->g->ctx, SF_E_UNSUPPORTED,
                     "print: a chain of more than %d operations", MOST_STEPS);
        return;
    }
    const level own = level_of(p, n);
    const bool in_brackets = own < least;
    const bool is_deeper = in_brackets || own == SIGN || own == POWER;
    if (is_deeper)
        deeper(p);
    if (in_brackets)
        either(p, "(", "\\left(");
    print_form(p, n);
    if (in_brackets)
        either(p, ")", "\\right)");
    if (is_deeper)
        p->depth--;
    p->steps--;
}

sf_status sfi_print(sf_graph *g, sf_node node, sfi_print_style style,
                    char **out, bool *is_typed)
{
    *out = NULL;
    SFI_TRY(sf_graph_status(g));
    printer p = {.g = g,
                 .is_tex = style == SFI_PRINT_TEX,
                 .is_typed = style == SFI_PRINT_TEXT};
    print(&p, node, ANY);
    if (p.status == SF_OK) {
        *out = sfi_copy_text(g->ctx, p.text.text);
        p.status = *out != NULL ? SF_OK : SF_E_NOMEM;
    }
    if (is_typed != NULL)
        *is_typed = p.is_typed && p.status == SF_OK;
    sfi_growing_free(g->ctx, &p.text);
    return p.status;
}
