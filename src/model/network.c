/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - a perceptron F with preconditioning, as a model.
 *
 * With all noise levels (T. Karras et al. 2022, table 1, sigma_data = 1):
 *
 *     D = c_skip y + c_out F,  c_skip = 1/(1+sigma^2),
 *     c_out = sigma/sqrt(1+sigma^2),  c_in = 1/sqrt(1+sigma^2)
 *
 * from which, without the cancellation of D - y at small sigma,
 *
 *     score = -y/(1+sigma^2) + F/(sigma sqrt(1+sigma^2))
 *     drift =  sigma y/(1+sigma^2) - F/sqrt(1+sigma^2)
 *
 * With one noise level there is no f(sigma) and score = -y + F.
 *
 * An energy model replaces F by the gradient of the scalar <u, F(u)> with
 * respect to u = c_in y: then the score is a gradient by construction. */
#include "model/network.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

static sf_status network_declare(sf_model *m)
{
    int64_t energy;
    if (sfi_has_kernels(m))
        return sfi_kernel_network_declare(m);
    SFI_TRY(sfi_whole_number(m, "energy", 0, 1, &energy));
    if (sfi_single_level(m) && !(sfi_number_of(m, "noise_level") >= 0.0))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: \"noise_level\" is %g, want >= 0",
                        sfi_number_of(m, "noise_level"));
    return sfi_perceptron_declare(m, "", m->dim, m->dim);
}

static sf_node head(const sf_model *m, sf_graph *g, sf_node u, sf_node sigma,
                    const sf_node *w)
{
    const sf_node f = sfi_perceptron(m, g, u, sigma, w);
    if (sfi_number_of(m, "energy") == 0.0)
        return f;
    return sf_gradient(g, sf_dot(g, u, f), u);
}

static sfi_answer network_answer(const sf_model *m, sf_graph *g, sf_node y,
                                 sf_node sigma, const sf_node *weights)
{
    sfi_answer a = {{-1}, {-1}, {-1}, {-1}};
    if (sfi_has_kernels(m))
        return sfi_kernel_network_answer(m, g, y, sigma, weights);
    if (sfi_single_level(m)) {
        a.score = sf_sub(g, head(m, g, y, sigma, weights), y);
        return a;
    }
    const sf_node total =
        sf_add(g, sf_const(g, 1.0), sf_square(g, sigma)); /* 1 + sigma^2 */
    const sf_node root = sf_sqrt(g, total);
    const sf_node f = head(m, g, sf_div(g, y, root), sigma, weights);
    const sf_node shrunk = sf_div(g, y, total);
    const sf_node f_scaled = sf_div(g, f, root);
    a.score = sf_sub(g, sf_div(g, f_scaled, sigma), shrunk);
    a.drift = sf_sub(g, sf_mul(g, sigma, shrunk), f_scaled);
    a.denoised = sf_add(g, shrunk, sf_mul(g, sigma, f_scaled));
    return a;
}

const sfi_model_ops sfi_network_ops = {.family = "network",
                                       .trained = true,
                                       .declare = network_declare,
                                       .answer = network_answer};

void sfi_network_initialise(sf_model *m, uint64_t seed)
{
    for (size_t k = 0; k < m->layout_count; k++) {
        const sfi_weight *w = &m->layout[k];
        double *values = m->weights + w->offset;
        const bool last = strncmp(w->name, "output.", 7) == 0;
        if (w->fixed)
            continue;
        const double spread =
            w->rank == 2 && !last ? 1.0 / sqrt((double)w->shape[1]) : 0.0;
        for (int64_t i = 0; i < w->count; i++) {
            const sfi_where where = {seed, (uint64_t)i, (uint32_t)k,
                                     SFI_STREAM_WEIGHTS};
            values[i] = (float)(spread * sfi_normal_at(where, 0));
        }
    }
}

int sfi_network_numbers(sfi_number *out, int64_t width, int64_t layers,
                        bool energy, double sigma_min, double sigma_max,
                        double noise_level)
{
    const sfi_number numbers[] = {
        {"width", (double)width},    {"layers", (double)layers},
        {"energy", energy},          {"sigma_min", sigma_min},
        {"sigma_max", sigma_max},    {"rho", 7.0},
        {"noise_level", noise_level}};
    const int count = (int)SFI_COUNT(numbers) - (noise_level < 0.0 ? 1 : 0);
    memcpy(out, numbers, (size_t)count * sizeof *out);
    return count;
}

int sfi_kernel_network_numbers(sfi_number *out, int64_t width, int64_t layers,
                               double t_min)
{
    const sfi_number numbers[] = {
        {"width", (double)width}, {"layers", (double)layers}, {"t_min", t_min}};
    memcpy(out, numbers, sizeof numbers);
    return (int)SFI_COUNT(numbers);
}
