/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_model.c - models and checkpoints from anyone.  What was loaded can be
 * saved and loaded again, is the same then, and saved once more has the same
 * bytes.  A model that was loaded answers: its score at its mean is asked for,
 * if it is not too large for a fuzzer, and what can be asked of some of its columns: of
 * rows with missing cells, and of categories, whose levels stay levels. */
#include "fuzz.h"

#include "model/model.h"
#include "scorefield/condition.h"
#include "store/store.h"

#include <math.h>

static const void *save(sf_context *ctx, const sf_model *m,
                        const sf_run_record *record, sfi_output **out,
                        size_t *size)
{
    REQUIRE(sfi_output_memory(ctx, out) == SF_OK);
    REQUIRE(sfi_model_save_to(m, *out, record) == SF_OK);
    return sfi_output_bytes(*out, size);
}

static void require_same(const sf_model *a, const sf_model *b)
{
    REQUIRE(a->ops == b->ops && a->dim == b->dim);
    REQUIRE(a->weight_count == b->weight_count);
    REQUIRE(same_cells(a->mean, b->mean, a->dim));
    REQUIRE(same_cells(a->scale, b->scale, a->dim));
    REQUIRE(same_cells(a->weights, b->weights, a->weight_count));
    for (int64_t j = 0; j < a->dim; j++)
        REQUIRE(strcmp(a->names[j], b->names[j]) == 0);
}

/* Without and with the first half of its columns known as a row has them: densities of
 * what is there, and rows given it. */
static void ask_parts(sf_context *ctx, const sf_model *m)
{
    double row[2][16], drawn[2][16], logpdf[2], lower[16], upper[16];
    const int64_t d = m->dim;
    if (!sf_model_can(m, SF_CAN_CONDITION))
        return;
    sf_condition_clear(d, lower, upper);
    for (int64_t j = 0; j < d; j++) {
        row[0][j] = row[1][j] =
            sf_model_categories(m, j) > 0 ? 0.0 : m->mean[j];
        if (2 * j >= d)
            row[1][j] = (double)NAN;
        else
            lower[j] = upper[j] = row[0][j];
    }
    const sf_cmat x = {&row[0][0], 2, d, 16};
    sf_status status = sf_logpdf_marginal(ctx, logpdf, m, x);
    REQUIRE(status == SF_OK || status == SF_E_NUMERIC);
    sf_conditional *c = NULL;
    status = sf_conditional_new(ctx, &c, m, lower, upper);
    REQUIRE((status == SF_OK) == (c != NULL));
    REQUIRE(status == SF_OK || status == SF_E_NUMERIC || status == SF_E_ARG);
    if (c != NULL)
        REQUIRE(sf_conditional_draw(c, 1, 0,
                                    (sf_mat){&drawn[0][0], 2, d, 16}) == SF_OK);
    for (int64_t j = 0; j < d && c != NULL; j++) /* levels are levels */
        for (int i = 0; i < 2 && sf_model_categories(m, j) > 0; i++)
            REQUIRE(drawn[i][j] >= 0.0 &&
                    drawn[i][j] < (double)sf_model_categories(m, j) &&
                    drawn[i][j] == floor(drawn[i][j]));
    sf_conditional_free(c);
}

/* What a table's own cells are spelled as. */
static void ask_cells(sf_context *ctx, const sf_model *m)
{
    sf_table table = {0};
    const char *names[16];
    for (int64_t j = 0; j < m->dim; j++)
        names[j] = m->names[j];
    REQUIRE(sf_table_new(ctx, &table, 1, m->dim, names) == SF_OK);
    for (int64_t j = 0; j < m->dim; j++)
        table.data[j] = sf_model_level_count(m, j) > 0 ? 0.0 : m->mean[j];
    REQUIRE(sf_model_cells(m, &table) == SF_OK);
    sf_table_free(ctx, &table);
}

static void ask(sf_context *ctx, const sf_model *m)
{
    if (m->dim > 16 || m->weight_count > 10000)
        return;
    double score[16];
    const sf_model_values values = {.score = {score, 1, m->dim, m->dim}};
    const sf_status status =
        sf_model_eval(m, (sf_cmat){m->mean, 1, m->dim, m->dim},
                      sf_model_can(m, SF_CAN_NOISE) ? 0.5 : 0.0, &values);
    REQUIRE(status == SF_OK || status == SF_E_NUMERIC ||
            (status == SF_E_UNSUPPORTED && /* counts */
             (sfi_has_kernels(m) || !sf_model_can(m, SF_CAN_SCORE))));
    ask_parts(ctx, m);
    ask_cells(ctx, m);
    if (!sf_model_can(m, SF_CAN_CODE))
        return;
    double z[16];
    const int64_t latents = sf_model_latents(m);
    REQUIRE(sf_model_code(m, (sf_cmat){m->mean, 1, m->dim, m->dim},
                          (sf_mat){z, 1, latents, latents}) == SF_OK);
    (void)ctx;
}

static void try_model(sf_context *ctx, const uint8_t *data, size_t size)
{
    sf_model *m = NULL, *back = NULL;
    sf_run_record *record = NULL, *back_record = NULL;
    if (sf_model_load_memory(ctx, &m, &record, data, size) != SF_OK) {
        REQUIRE(m == NULL && record == NULL);
        REQUIRE(strncmp(sf_context_message(ctx), "<memory>: ", 10) == 0);
        return;
    }
    sfi_output *first = NULL, *second = NULL;
    size_t first_size = 0, second_size = 0;
    const void *a = save(ctx, m, record, &first, &first_size);
    REQUIRE(sf_model_load_memory(ctx, &back, &back_record, a, first_size) ==
            SF_OK);
    require_same(m, back);
    const void *b = save(ctx, back, back_record, &second, &second_size);
    REQUIRE(first_size == second_size && memcmp(a, b, first_size) == 0);
    ask(ctx, m);
    sfi_output_abort(first);
    sfi_output_abort(second);
    sf_run_record_free(ctx, record);
    sf_run_record_free(ctx, back_record);
    sf_model_free(m);
    sf_model_free(back);
}

static void try_checkpoint(sf_context *ctx, const uint8_t *data, size_t size)
{
    sf_checkpoint c, back;
    if (sfi_checkpoint_load_memory(ctx, &c, data, size) != SF_OK) {
        REQUIRE(c.owner == NULL && c.state == NULL);
        return;
    }
    sfi_output *out = NULL;
    size_t out_size = 0;
    REQUIRE(sfi_output_memory(ctx, &out) == SF_OK);
    REQUIRE(sfi_checkpoint_save_to(ctx, out, &c) == SF_OK);
    const void *bytes = sfi_output_bytes(out, &out_size);
    REQUIRE(sfi_checkpoint_load_memory(ctx, &back, bytes, out_size) == SF_OK);
    REQUIRE(back.rows == c.rows && back.dim == c.dim);
    REQUIRE(back.fingerprint == c.fingerprint);
    REQUIRE(back.state_size == c.state_size);
    REQUIRE(memcmp(back.state, c.state, c.state_size) == 0);
    sfi_output_abort(out);
    sf_checkpoint_free(ctx, &back);
    sf_checkpoint_free(ctx, &c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_context *ctx = NULL;
    REQUIRE(sf_context_new(&ctx, NULL) == SF_OK);
    try_model(ctx, data, size);
    try_checkpoint(ctx, data, size);
    sf_context_free(ctx);
    return 0;
}
