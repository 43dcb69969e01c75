/* SPDX-License-Identifier: Apache-2.0 */
/* kernel.c - families by name, charts as nodes and numbers, and what follows from a
 * kernel's expression: score, Hessian and rate by differentiation, the velocity from
 * those of its parameters. */
#include "kernel/kernel.h"

#include "base/text.h"
#include "kernel/families.h"
#include "num/decimal.h"
#include "num/special.h"

#include <math.h>
#include <string.h>

const sfi_kernel_ops *const sfi_kernel_families[] = {&sfi_kernel_gaussian,
                                                     &sfi_kernel_laplace,
                                                     &sfi_kernel_student,
                                                     &sfi_kernel_lognormal,
                                                     &sfi_kernel_gamma,
                                                     &sfi_kernel_beta,
                                                     &sfi_kernel_vonmises,
                                                     &sfi_kernel_cauchy,
                                                     &sfi_kernel_wrapped_normal,
                                                     &sfi_kernel_cir,
                                                     &sfi_kernel_poisson,
                                                     &sfi_kernel_binomial,
                                                     &sfi_kernel_vmf,
                                                     &sfi_kernel_mvgaussian,
                                                     &sfi_kernel_mvstudent,
                                                     &sfi_kernel_dirichlet,
                                                     &sfi_kernel_category,
                                                     &sfi_kernel_integer,
                                                     NULL};

double sfi_kernel_number_of(const sfi_kernel *k, const char *name)
{
    for (int i = 0; i < k->ops->number_count; i++)
        if (strcmp(k->ops->numbers[i].name, name) == 0)
            return k->numbers[i];
    return NAN;
}

/* ---- text ------------------------------------------------------------------- */

static const sfi_kernel_ops *family_of(const char *text, size_t length)
{
    for (int i = 0; sfi_kernel_families[i] != NULL; i++) {
        const char *name = sfi_kernel_families[i]->family;
        if (strlen(name) == length && memcmp(name, text, length) == 0)
            return sfi_kernel_families[i];
    }
    return NULL;
}

/* "a, b, c" of what there is. */
static const char *names_of(const sfi_kernel_ops *ops, char *buffer,
                            size_t size)
{
    size_t used = 0;
    const int count = ops != NULL ? ops->number_count : INT32_MAX;
    buffer[0] = '\0';
    for (int i = 0; i < count; i++) {
        if (ops == NULL && sfi_kernel_families[i] == NULL)
            break;
        const char *name =
            ops != NULL ? ops->numbers[i].name : sfi_kernel_families[i]->family;
        const size_t need = strlen(name) + 2;
        if (used + need >= size)
            break;
        if (i > 0) {
            memcpy(buffer + used, ", ", 3);
            used += 2;
        }
        memcpy(buffer + used, name, need - 1);
        used += need - 2;
    }
    return buffer;
}

/* One "NAME=VALUE" of `length` characters. */
static sf_status take_number(sf_context *ctx, sfi_kernel *k, const char *text,
                             size_t length)
{
    const sfi_kernel_ops *ops = k->ops;
    const char *equals = memchr(text, '=', length);
    const size_t name = equals != NULL ? (size_t)(equals - text) : length;
    char buffer[128], shown[SFI_SHOW_SIZE];
    int which = 0;
    while (which < ops->number_count &&
           (strlen(ops->numbers[which].name) != name ||
            memcmp(ops->numbers[which].name, text, name) != 0))
        which++;
    if (equals == NULL || which == ops->number_count)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "kernel %s: \"%s\", want NAME=VALUE "
                        "with a NAME among: %s",
                        ops->family, sfi_show(shown, text, length),
                        names_of(ops, buffer, sizeof buffer));
    const sfi_kernel_number *n = &ops->numbers[which];
    const char *value = equals + 1;
    const size_t size = length - name - 1;
    if (n->words != NULL) {
        const int word = sfi_find_choice(n->words, value, size);
        if (word < 0)
            return SFI_FAIL(ctx, SF_E_ARG, "kernel %s: %s is \"%s\", want %s",
                            ops->family, n->name, sfi_show(shown, value, size),
                            n->words);
        k->numbers[which] = word;
        return SF_OK;
    }
    double x = NAN;
    if (sfi_number_parse(value, &x) != value + size || !(x > n->above) ||
        !(x < n->below))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "kernel %s: %s is \"%s\", want a number between %g "
                        "and %g",
                        ops->family, n->name, sfi_show(shown, value, size),
                        n->above, n->below);
    k->numbers[which] = x;
    return SF_OK;
}

sf_status sfi_kernel_parse(sf_context *ctx, sfi_kernel *out, const char *text)
{
    const size_t family = strcspn(text, ":");
    char buffer[256], shown[SFI_SHOW_SIZE];
    sfi_kernel k = {.ops = family_of(text, family)};
    if (k.ops == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "kernel \"%s\", want one of: %s",
                        sfi_show(shown, text, family),
                        names_of(NULL, buffer, sizeof buffer));
    for (int i = 0; i < k.ops->number_count; i++)
        k.numbers[i] = k.ops->numbers[i].value;
    const char *at = text + family;
    while (*at != '\0') {
        at++;
        const size_t length = strcspn(at, ",");
        SFI_TRY(take_number(ctx, &k, at, length));
        at += length;
    }
    *out = k;
    return SF_OK;
}

/* ---- charts ----------------------------------------------------------------- */

sf_node sfi_chart_to(sf_graph *g, sfi_chart chart, sf_node x)
{
    switch (chart) {
    case SFI_CHART_LOG:
        return sf_log(g, x);
    case SFI_CHART_LOGIT:
        return sf_sub(g, sf_log(g, x), sf_log1p(g, sf_neg(g, x)));
    case SFI_CHART_REAL:
    case SFI_CHART_ANGLE:
        break;
    }
    return x;
}

sf_node sfi_chart_from(sf_graph *g, sfi_chart chart, sf_node y)
{
    switch (chart) {
    case SFI_CHART_LOG:
        return sf_exp(g, y);
    case SFI_CHART_LOGIT:
        return sf_sigmoid(g, y);
    case SFI_CHART_REAL:
    case SFI_CHART_ANGLE:
        break;
    }
    return y;
}

sf_node sfi_chart_log_slope(sf_graph *g, sfi_chart chart, sf_node y)
{
    switch (chart) {
    case SFI_CHART_LOG:
        return y;
    case SFI_CHART_LOGIT: /* ln x + ln(1 - x) */
        return sf_neg(
            g, sf_add(g, sf_softplus(g, y), sf_softplus(g, sf_neg(g, y))));
    case SFI_CHART_REAL:
    case SFI_CHART_ANGLE:
        break;
    }
    return sf_const(g, 0.0);
}

double sfi_chart_to_number(sfi_chart chart, double x)
{
    return chart == SFI_CHART_LOG     ? log(x)
           : chart == SFI_CHART_LOGIT ? log(x) - log1p(-x)
                                      : x;
}

double sfi_chart_from_number(sfi_chart chart, double y)
{
    return chart == SFI_CHART_LOG     ? exp(y)
           : chart == SFI_CHART_LOGIT ? sfi_sigmoid(y)
                                      : y;
}

/* ---- what follows ------------------------------------------------------------ */

static sf_node velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                        const sf_node *theta, sf_node t, sfi_velocity how)
{
    sf_node u[SFI_KERNEL_THETA];
    const bool rest = how == SFI_VELOCITY_REST;
    k->ops->velocity(k, g, y, theta, rest ? SFI_VELOCITY_TRAINING : how, u);
    sf_node total = sf_const(g, 0.0);
    const sf_node one = sf_const(g, 1.0);
    for (int i = 0; i < k->ops->theta_count; i++)
        if (!rest || k->ops->reduced == NULL || i != k->ops->costly)
            total =
                sf_add(g, total, sf_mul(g, sf_jvp(g, theta[i], t, one), u[i]));
    return total;
}

/* At `at`, which is x or its y; `slope` is ln d at/dy, so that
 * ln p = ln p_y - slope, and velocities are multiplied by exp(slope). */
static sfi_kernel_nodes nodes_at(const sfi_kernel *k, sf_graph *g, sf_node at,
                                 sf_node y, sf_node slope, sf_node x0,
                                 sf_node t, sfi_velocity how)
{
    sf_node theta[SFI_KERNEL_THETA];
    k->ops->theta(k, g, x0, t, theta);
    sfi_kernel_nodes n;
    n.logp = sf_sub(g, k->ops->logp(k, g, y, theta), slope);
    if (k->ops->discrete) {
        n.score = n.hessian = n.rate = n.velocity = sf_const(g, NAN);
        return n;
    }
    n.score = sf_gradient(g, n.logp, at);
    n.hessian = sf_gradient(g, n.score, at);
    n.rate = sf_gradient(g, n.logp, t);
    n.velocity = sf_mul(g, sf_exp(g, slope), velocity(k, g, y, theta, t, how));
    return n;
}

sfi_kernel_nodes sfi_kernel_at(const sfi_kernel *k, sf_graph *g, sf_node x,
                               sf_node x0, sf_node t, sfi_velocity how)
{
    const sf_node y = sfi_chart_to(g, k->ops->chart, x);
    const sf_node slope = sfi_chart_log_slope(g, k->ops->chart, y);
    return nodes_at(k, g, x, y, slope, x0, t, how);
}

sfi_kernel_nodes sfi_kernel_at_chart(const sfi_kernel *k, sf_graph *g,
                                     sf_node y, sf_node x0, sf_node t,
                                     sfi_velocity how)
{
    return nodes_at(k, g, y, y, sf_const(g, 0.0), x0, t, how);
}

sf_node sfi_kernel_reduced(const sfi_kernel *k, sf_graph *g, sf_node y,
                           sf_node x0, sf_node t)
{
    sf_node theta[SFI_KERNEL_THETA];
    k->ops->theta(k, g, x0, t, theta);
    return k->ops->reduced(k, g, y, theta);
}

sf_node sfi_kernel_costly(const sfi_kernel *k, sf_graph *g, sf_node r,
                          sf_node t, sfi_velocity how)
{
    sf_node theta[SFI_KERNEL_THETA], u[SFI_KERNEL_THETA];
    const int c = k->ops->costly;
    /* Any x0 of the support: theta_c does not depend on it. */
    k->ops->theta(k, g, sf_const(g, sfi_chart_from_number(k->ops->chart, 0.0)),
                  t, theta);
    const sf_node value = theta[c];
    const sf_node slope = sf_jvp(g, value, t, sf_const(g, 1.0));
    k->ops->canonical(k, g, value, theta);
    k->ops->velocity(k, g, r, theta, how, u);
    return sf_mul(g, slope, u[c]);
}
