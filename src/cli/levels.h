/* SPDX-License-Identifier: Apache-2.0 */
/* levels.h - the levels of a category as pictures show them: the commonest of one or
 * two tables and of a model, matched by their spelling, the rest as one. */
#ifndef SFI_CLI_LEVELS_H
#define SFI_CLI_LEVELS_H

#include "cli/cli.h"

#include "base/dictionary.h"

/* With the missing cells as many as an axis has names. */
enum { CLI_LEVELS_SHOWN = 23 };

/* Zeroed is empty. */
typedef struct cli_levels {
    sfi_dictionary texts;
    double *share; /* [share_room] of each text: the sum over the tables     */
    size_t share_room;
    int64_t *place; /* [texts.count] where each is shown                     */
    const char *names[CLI_LEVELS_SHOWN]; /* [count] what is shown            */
    int64_t count;
} cli_levels;

/* Add the levels of a column of a frame, or the spellings of its numbers, and how
 * common they are; and those of a model's column.  Returns SF_OK or SF_E_NOMEM, as
 * the others. */
sf_status cli_levels_see(sf_context *ctx, cli_levels *levels,
                         const sf_frame *frame, int64_t col);
sf_status cli_levels_see_model(sf_context *ctx, cli_levels *levels,
                               const sf_model *model, int64_t col);

/* After all were seen, decide which to show, at most `most` (2 to CLI_LEVELS_SHOWN):
 * the commonest, numbers by their size, and as the last one the others. */
sf_status cli_levels_choose(sf_context *ctx, cli_levels *levels, int most);

/* The place of each cell of a column, NaN of missing ones, to out[i * stride]. */
sf_status cli_levels_place(sf_context *ctx, const cli_levels *levels,
                           const sf_frame *frame, int64_t col, double *out,
                           int64_t stride);

/* Turn the model's numbers of levels into places, cells[i * stride], i < rows. */
sf_status cli_levels_place_model(sf_context *ctx, const cli_levels *levels,
                                 const sf_model *model, int64_t col,
                                 double *cells, int64_t rows, int64_t stride);

void cli_levels_free(sf_context *ctx, cli_levels *levels);

#endif
