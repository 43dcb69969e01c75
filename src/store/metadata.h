/* SPDX-License-Identifier: Apache-2.0 */
/* metadata.h - the texts that our files keep beside their arrays. */
#ifndef SFI_METADATA_H
#define SFI_METADATA_H

#include "io/safetensors.h"

#include <jansson.h>

/* Keys of the map of texts. */
#define SFI_KEY_FORMAT     "format"         /* "scorefield"                   */
#define SFI_KEY_VERSION    "format_version" /* "1" or "2"                     */
#define SFI_KEY_CONTENT    "content"        /* "model" or "checkpoint" */
#define SFI_KEY_SCHEMA     "schema"         /* JSON: columns, units           */
#define SFI_KEY_NUMBERS    "numbers"        /* JSON: what the weights lack    */
#define SFI_KEY_SEED       "seed"
#define SFI_KEY_COMMAND    "command"
#define SFI_KEY_CREATED_BY "created_by"
#define SFI_KEY_WRITER     "version" /* of the program that wrote it          */
#define SFI_KEY_KERNEL     "kernel"  /* of a run, as it was given             */
#define SFI_KEY_REPORT     "report"  /* JSON                                  */

/* Put the keys that say what a file is. */
sf_status sfi_metadata_begin(sf_context *ctx, sfi_tensors *t,
                             const char *content, const char *version);

/* The format that a reader has to know; 1 until something else is said. */
sf_status sfi_metadata_set_format(sf_context *ctx, sfi_tensors *t, int format);

/* Check them: SF_E_FORMAT for another format, a newer version (the message names
 * both and the remedy) or other content. */
sf_status sfi_metadata_check(sf_context *ctx, const sfi_tensors *t,
                             const char *content);

/* A text that must be there. */
sf_status sfi_metadata_want(sf_context *ctx, const sfi_tensors *t,
                            const char *key, const char **out);

/* Put a text of any bytes: those that are not UTF-8 become U+FFFD. */
sf_status sfi_metadata_set(sf_context *ctx, sfi_tensors *t, const char *key,
                           const char *text);

/* A seed as decimal digits, and back. */
sf_status sfi_metadata_set_seed(sf_context *ctx, sfi_tensors *t, uint64_t seed);
sf_status sfi_metadata_seed(sf_context *ctx, const sfi_tensors *t,
                            uint64_t *seed);

/* Put a JSON value, which is taken over; NULL means that there was no memory
 * for it. */
sf_status sfi_metadata_set_json(sf_context *ctx, sfi_tensors *t,
                                const char *key, json_t *value);

/* Put a report, a JSON object.  SF_OK, SF_E_ARG (it is none), SF_E_NOMEM. */
sf_status sfi_metadata_set_report(sf_context *ctx, sfi_tensors *t,
                                  const char *report);

/* Parse a JSON object of at most `most` bytes; json_decref() frees *out, which
 * is NULL on failure.  `source` and `key` are what messages call it. */
sf_status sfi_metadata_parse(sf_context *ctx, json_t **out, const char *text,
                             size_t most, const char *source, const char *key);

/* What messages call the file. */
const char *sfi_metadata_source(const sfi_tensors *t);

#endif
