/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - what tests and fuzzers need beyond files. */
#ifndef SFI_STORE_H
#define SFI_STORE_H

#include "io/output.h"
#include "scorefield/store.h"

/* As sf_model_save(), to an output that the caller closes. */
sf_status sfi_model_save_to(const sf_model *model, sfi_output *out,
                            const sf_run_record *record);

/* As sf_checkpoint_save() and _load(), to an output and from memory. */
sf_status sfi_checkpoint_save_to(sf_context *ctx, sfi_output *out,
                                 const sf_checkpoint *checkpoint);
sf_status sfi_checkpoint_load_memory(sf_context *ctx, sf_checkpoint *out,
                                     const void *bytes, size_t size);

#endif
