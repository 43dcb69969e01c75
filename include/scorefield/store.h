/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - models and training runs in files.
 *
 * Both are safetensors files, which any reader of that format can open; the
 * names of the arrays and texts are in docs/FORMATS.md.  A file appears under
 * its name only when it is complete.  A file that is read may come from anyone:
 * everything in it is checked before it is used. */
#ifndef SCOREFIELD_STORE_H
#define SCOREFIELD_STORE_H

#include "scorefield/fit.h"
#include "scorefield/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- models -------------------------------------------------------------- */

/* The largest "format_version" that is read.  It grows when an older reader could
 * no longer understand a file, and a file has the smallest that says it all: 2
 * where columns have other kinds than real and integer. */
enum { SF_MODEL_FORMAT_VERSION = 2 };

/* How a model came about; a file keeps it beside the model.  Texts are UTF-8,
 * NULL where nothing is known. */
typedef struct sf_run_record {
    size_t size;                 /* set by _INIT                              */
    uint64_t seed;               /* of the run                                */
    const char *command;         /* command line                              */
    const char *created_by;      /* program; when saved, NULL: "scorefield"   */
    const char *version;         /* of it; when saved, NULL: sf_version()     */
    const char *report;          /* a JSON object: rows, losses, ...          */
    const sf_column_kind *kinds; /* [d] what the columns held; NULL: reals.  A
                                    model that knows better
                                    (sf_model_describe()) does not ask        */
    const char *const *dropped;  /* columns of the table that were left out   */
    int64_t dropped_count;
    const int64_t *dropped_rows; /* [dropped_row_count, 2]: rows of the table
                                    that were left out for a missing cell, in
                                    their order: the first of a run, from 0,
                                    and how many; NULL: none                  */
    int64_t dropped_row_count;
} sf_run_record;

#define SF_RUN_RECORD_INIT                                                     \
    {                                                                          \
        sizeof(sf_run_record), 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, \
            0                                                                  \
    }

/* Write a model to `path`; `record` may be NULL.  Texts of the record that are
 * not UTF-8 are made so by replacing their wrong bytes.
 *
 * Returns SF_OK; SF_E_ARG (the report is no JSON object; two columns have the
 * same name; weights that are not finite), SF_E_IO, SF_E_NOMEM. */
SF_API sf_status sf_model_save(const sf_model *model, const char *path,
                               const sf_run_record *record);

/* Read a model.  Loading gives bit for bit what was saved.
 *
 * Returns SF_OK; SF_E_IO; SF_E_FORMAT (the message names the file, what is wrong
 * in it, and for a newer format both versions); SF_E_NOMEM.  On failure *out is
 * NULL. */
SF_API sf_status sf_model_load(sf_context *ctx, sf_model **out,
                               const char *path);

/* The same, and how the model came about.  sf_run_record_free() frees *record;
 * on failure it is NULL. */
SF_API sf_status sf_model_load_record(sf_context *ctx, sf_model **out,
                                      sf_run_record **record, const char *path);

/* The same from bytes in memory; `record` may be NULL. */
SF_API sf_status sf_model_load_memory(sf_context *ctx, sf_model **out,
                                      sf_run_record **record, const void *bytes,
                                      size_t size);

/* The row of the table, from 0, that row `row` of the data was; the same without a
 * record. */
SF_API int64_t sf_run_record_row(const sf_run_record *record, int64_t row);

/* Free a record that was loaded; NULL is allowed. */
SF_API void sf_run_record_free(sf_context *ctx, sf_run_record *record);

/* ---- training runs --------------------------------------------------------- */

/* A run that can be taken up again: its options, what it is about, and its
 * state (sf_trainer_state). */
typedef struct sf_checkpoint {
    size_t size;                /* set by _INIT                              */
    sf_network_options options; /* of the run                                */
    int64_t rows, dim;          /* of its data                               */
    uint64_t fingerprint;       /* sf_data_fingerprint() of its data         */
    const char *const *columns; /* [dim] their names                         */
    const char *command;        /* command line; NULL: unknown               */
    const void *state;          /* [state_size]                              */
    size_t state_size;
    void *owner; /* NULL; what a loaded checkpoint must free                 */
} sf_checkpoint;

#define SF_CHECKPOINT_INIT                                                     \
    {                                                                          \
        sizeof(sf_checkpoint), SF_NETWORK_OPTIONS_INIT, 0, 0, 0, NULL, NULL,   \
            NULL, 0, NULL                                                      \
    }

/* A number that two tables share if and, for all purposes but malice, only if
 * their numbers are equal bit for bit. */
SF_API uint64_t sf_data_fingerprint(sf_cmat data);

/* Write a checkpoint.  Returns SF_OK; SF_E_ARG (a column's name is not UTF-8,
 * or an option not finite), SF_E_IO, SF_E_NOMEM. */
SF_API sf_status sf_checkpoint_save(sf_context *ctx,
                                    const sf_checkpoint *checkpoint,
                                    const char *path);

/* Read a checkpoint; sf_checkpoint_free() frees what it holds.  The state is
 * handed to sf_trainer_restore(), which checks it.
 * Returns SF_OK; SF_E_IO, SF_E_FORMAT (message as for models), SF_E_NOMEM; on
 * failure *out is as SF_CHECKPOINT_INIT. */
SF_API sf_status sf_checkpoint_load(sf_context *ctx, sf_checkpoint *out,
                                    const char *path);

/* Free what sf_checkpoint_load() filled in, and reset it. */
SF_API void sf_checkpoint_free(sf_context *ctx, sf_checkpoint *checkpoint);

#ifdef __cplusplus
}
#endif
#endif
