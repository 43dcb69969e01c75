/* SPDX-License-Identifier: Apache-2.0 */
/* can.c - what a model can answer, and why not.
 *
 * This is the one place where it is decided; verbs ask, and know no families. */
#include "model/autoencoder.h"
#include "model/codes.h"
#include "model/model.h"
#include "model/product.h"

static const char *ability_text(sf_ability ability)
{
    switch (ability) {
#define SFI_ABILITY_CASE(name, text)                                           \
    case name:                                                                 \
        return text;
        SF_ABILITY_LIST(SFI_ABILITY_CASE)
#undef SFI_ABILITY_CASE
    }
    return "something unknown";
}

static bool is_discrete(const sf_model *m)
{
    return sfi_has_kernels(m) && sfi_noise_find(&m->noise, true) >= 0;
}

static bool holds_counts(const sf_model *m)
{
    return sfi_has_kernels(m) && sfi_noise_find_counts(&m->noise, true) >= 0;
}

static bool holds_counts_alone(const sf_model *m)
{
    return sfi_has_kernels(m) && sfi_noise_find_counts(&m->noise, false) < 0;
}

static const char *const lacks_cells =
    "holds rows with missing cells, which have log densities, distributions of "
    "columns given others and samples, but no score, no flow and no noise";

static const char *const no_prior =
    "is a principal manifold, which says nothing of how its latent variables "
    "are "
    "distributed: it has no density and no samples";

static const char *const has_atoms =
    "has columns with atoms, which have log densities, distributions of "
    "columns "
    "given others and samples, but no score, no flow and no noise";

/* Why a data set whose law is product.h's is asked for nothing else, or NULL. */
static const char *is_product(const sf_model *m)
{
    return sfi_has_holes(m) ? lacks_cells : sfi_has_atoms(m) ? has_atoms : NULL;
}

static const char *no_noise(const sf_model *m)
{
    if (m->ops->no_prior)
        return no_prior;
    if (sfi_is_product(m))
        return is_product(m);
    if (m->ops->local)
        return "is made of local normal distributions, which have no noise";
    if (m->ops->inferred)
        return "is a decoder of latent variables, which has no noise times";
    if (m->ops->noiseless)
        return m->density != NULL
                   ? "is a typed density, which has no noise"
                   : "is an invertible flow, which has no noise times";
    if (sfi_single_level(m))
        return "was trained at one noise level: it has a score but no flow";
    return NULL;
}

static const char *no_flow(const sf_model *m)
{
    if (sfi_is_product(m))
        return is_product(m);
    if (is_discrete(m))
        return "has a column of counts or categories, which jump: it has no "
               "score and no velocity, but rates, denoised values and log "
               "probabilities";
    return no_noise(m);
}

/* What is an integral over latent variables is estimated where these are inferred. */
static const char *integral(const sf_model *m)
{
    return m->ops->no_prior ? no_prior
           : m->ops->inferred
               ? "is a decoder of latent variables: its log density "
                 "is an integral over these, which latent "
                 "inference estimates (sf_latent_infer())"
               : NULL;
}

static const char *no_parts(const sf_model *m)
{
    if (m->ops->parts == NULL)
        return "is no mixture of normal distributions and no data set under "
               "kernels, whose columns have exact distributions given others";
    return sfi_product_is_needed(m) ? sfi_product_why_not(m) : NULL;
}

const char *sf_model_why_not(const sf_model *m, sf_ability ability)
{
    const bool no_rows = m->ops->mixture == NULL;
    switch (ability) {
    case SF_CAN_SCORE:
        return m->ops->local ? "is made of local normal distributions, which "
                               "have log densities and samples"
               : is_discrete(m) || sfi_is_product(m) ? no_flow(m)
                                                     : integral(m);
    case SF_CAN_NOISE:
        return no_noise(m);
    case SF_CAN_FLOW:
        return no_flow(m);
    case SF_CAN_LOGPDF:
        return m->ops->closed     ? NULL
               : m->ops->inferred ? integral(m)
                                  : no_flow(m);
    case SF_CAN_LOGPDF_CLOSED:
        return m->ops->closed ? NULL
               : m->ops->inferred
                   ? integral(m)
                   : "has log densities that are integrals along the "
                     "flow, and none in closed form";
    case SF_CAN_NORMALISED:
        return m->density != NULL ? "is a typed density, known up to a constant"
               : m->ops->no_prior ? no_prior
               : m->ops->inferred ? NULL
                                  : sf_model_why_not(m, SF_CAN_LOGPDF);
    case SF_CAN_RATES:
        return sfi_is_product(m) ? is_product(m)
               : no_rows         ? "holds no rows of data"
               : holds_counts(m) ? NULL
                                 : "has no column of counts (kernels poisson "
                                   "and binomial)";
    case SF_CAN_JUMP:
        return sfi_is_product(m) ? is_product(m)
               : no_rows         ? "holds no rows of data"
               : holds_counts_alone(m)
                   ? NULL
                   : "has a column that does not hold counts";
    case SF_CAN_ROWS:
        return no_rows ? "holds no rows of data" : NULL;
    case SF_CAN_TRAIN:
        return m->ops->trained ? NULL : "has no weights that are trained";
    case SF_CAN_MATCH:
        return m->density != NULL ? NULL : "was not typed";
    case SF_CAN_CONDITION:
        return no_parts(m);
    case SF_CAN_CODE:
        return m->ops->code == NULL ? "has no latent variables"
               : m->ops == &sfi_vae_ops && !sfi_autoencoder_encodes(m)
                   ? "was trained without an encoder: its codes are inferred "
                     "(sf_latent_infer(), the command latent)"
                   : NULL;
    case SF_CAN_DRAW:
        return m->ops->no_prior ? no_prior
               : m->ops->code != NULL || !no_rows
                   ? NULL
                   : "has no latent variables and holds no rows of data";
    case SF_CAN_FITTED:
        return m->ops != &sfi_vae_ops ? "is no autoencoder"
               : sfi_codes_count(m) == 0
                   ? "does not hold the codes of the rows it was trained on"
                   : NULL;
    case SF_CAN_PRINCIPAL:
        return m->ops->invertible ? NULL
               : m->ops->spread != NULL
                   ? "is a decoder: its contours and principal directions are "
                     "those of sf_latent_at(), the command latent"
                   : "is no invertible flow";
    case SF_CAN_DECODE:
        return m->ops->spread != NULL ? NULL
               : m->ops->code == NULL
                   ? "has no latent variables"
                   : "is an invertible flow, whose codes are exact: there is "
                     "nothing to infer";
    }
    return "knows no such ability";
}

bool sf_model_can(const sf_model *m, sf_ability ability)
{
    return sf_model_why_not(m, ability) == NULL;
}

sf_status sfi_want_ability(sf_context *ctx, const sf_model *m,
                           sf_ability ability, const char *what)
{
    const char *why = sf_model_why_not(m, ability);
    if (why == NULL)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_UNSUPPORTED, "%s: wants %s; the model (%s) %s",
                    what, ability_text(ability), m->ops->family, why);
}
