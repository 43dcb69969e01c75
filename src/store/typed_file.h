/* SPDX-License-Identifier: Apache-2.0 */
/* typed_file.h - typed densities in the schema of a model's file. */
#ifndef SFI_TYPED_FILE_H
#define SFI_TYPED_FILE_H

#include "model/model.h"
#include "store/metadata.h"

/* SF_OK, or SF_E_ARG for a text that is not UTF-8; of other models nothing. */
sf_status sfi_typed_check(const sf_model *m);

/* Put what a typed density has into the schema; false without memory. */
bool sfi_typed_put(const sf_model *m, json_t *schema);

/* Declare the model of a schema (sfi_density_declare()), whose parameters' shapes are
 * those of the file's arrays.  SF_OK, SF_E_FORMAT, SF_E_NOMEM. */
sf_status sfi_typed_read(sf_context *ctx, const sfi_tensors *t,
                         const json_t *schema, int64_t dim,
                         const char *const *names, sf_model **out);

#endif
