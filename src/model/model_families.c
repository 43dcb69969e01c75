/* SPDX-License-Identifier: Apache-2.0 */
/* model_families.c - the families of model, found by their names. */
#include "model/model.h"

#include <string.h>

const sfi_model_ops *sfi_model_family(const char *name)
{
    static const sfi_model_ops *const families[] = {&sfi_density_ops,
                                                    &sfi_gaussian_ops,
                                                    &sfi_network_ops,
                                                    &sfi_empirical_ops,
                                                    &sfi_gaussian_mixture_ops,
                                                    &sfi_pca_ops,
                                                    &sfi_fa_ops,
                                                    &sfi_flow_ops,
                                                    &sfi_local_ops,
                                                    &sfi_vae_ops,
                                                    &sfi_manifold_ops,
                                                    &sfi_injective_ops};
    for (size_t i = 0; i < SFI_COUNT(families); i++)
        if (strcmp(families[i]->family, name) == 0)
            return families[i];
    return NULL;
}
