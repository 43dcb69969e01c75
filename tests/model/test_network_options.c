/* SPDX-License-Identifier: Apache-2.0 */
/* test_network_options.c - the list of the options holds all of them, and callers that
 * know fewer options than the library get the defaults of the others. */
#include "model/network_options.h"
#include "check.h"
#include "scorefield/flow.h"

/* Bytes of the struct that no row is about, nor the three members that are kept by
 * themselves, are padding: nowhere as many as a member has. */
TEST(every_option_is_listed)
{
    static const size_t sizes[] = {sizeof(bool), sizeof(sf_objective),
                                   sizeof(int64_t), sizeof(double)};
    bool known[sizeof(sf_network_options)] = {false};
    const sfi_option *const lists[] = {sfi_network_options, sfi_flow_options,
                                       sfi_autoencoder_options};
    for (size_t k = 0; k < SFI_COUNT(lists); k++)
        for (const sfi_option *row = lists[k]; row->name != NULL; row++)
            memset(known + row->offset, 1, sizes[row->type]);
    memset(known + offsetof(sf_network_options, size), 1, sizeof(size_t));
    memset(known + offsetof(sf_network_options, seed), 1, sizeof(uint64_t));
    memset(known + offsetof(sf_network_options, kernel), 1, sizeof(char *));
    size_t run = 0;
    for (size_t i = 0; i < sizeof known; i++) {
        run = known[i] ? 0 : run + 1;
        CHECK(run < sizeof(sf_objective));
    }
}

TEST(the_defaults_are_allowed)
{
    sf_context *ctx = new_context();
    const sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    CHECK_OK(ctx, sfi_option_check(ctx, "fit", sfi_network_options, &o));
    sf_context_free(ctx);
}

/* ---- callers of an older header ------------------------------------------------ */

/* sf_network_options before it had kernels, and sf_sample_options before samples had
 * numbers.  What stands behind is not theirs, and would be refused. */
typedef struct older_network_options {
    size_t size;
    sf_objective objective;
    bool energy;
    int64_t width, layers, steps, batch;
    double rate, decay, clip, warmup, ema, validation, patience, sigma_min,
        sigma_max, noise_level, time_limit;
    uint64_t seed;
    uint64_t other[4];
} older_network_options;

typedef struct older_sample_options {
    size_t size;
    sf_sampler method;
    int64_t steps, corrections;
    double step, churn;
    uint64_t seed;
    uint64_t other[4];
} older_sample_options;

_Static_assert(offsetof(older_network_options, other) ==
                   offsetof(sf_network_options, kernel),
               "the struct only grew at its end");
_Static_assert(offsetof(older_sample_options, other) ==
                   offsetof(sf_sample_options, first),
               "the struct only grew at its end");

enum { ROWS = 40, DIM = 2 };

static void fill_rows(double *x)
{
    for (int i = 0; i < ROWS * DIM; i++)
        x[i] = sin(1.7 * i) + 0.3 * cos(0.1 * i * i);
}

/* Train with these options, draw with those. */
static void train_and_draw(const sf_network_options *network,
                           const sf_sample_options *draw, double *out)
{
    double x[ROWS * DIM];
    sf_context *ctx = new_context();
    sf_trainer *trainer = NULL;
    sf_model *model = NULL;
    bool finished = false;
    fill_rows(x);
    CHECK_OK(ctx, sf_trainer_new(ctx, &trainer, (sf_cmat){x, ROWS, DIM, DIM},
                                 NULL, network));
    CHECK_OK(ctx, sf_trainer_run(trainer, 0, &finished));
    CHECK_OK(ctx, sf_trainer_model(trainer, &model));
    CHECK_OK(ctx, sf_sample(model, (sf_mat){out, ROWS, DIM, DIM}, draw));
    sf_model_free(model);
    sf_trainer_free(trainer);
    sf_context_free(ctx);
}

TEST(shorter_structs_of_options_are_taken)
{
    double want[ROWS * DIM], got[ROWS * DIM];
    sf_network_options network = SF_NETWORK_OPTIONS_INIT;
    sf_sample_options draw = SF_SAMPLE_OPTIONS_INIT;
    network.width = 5;
    network.layers = 2;
    network.steps = 8;
    network.seed = 3;
    draw.method = SF_SAMPLER_FLOW;
    draw.steps = 5;
    draw.seed = 4;
    train_and_draw(&network, &draw, want);

    older_network_options older;
    older_sample_options older_draw;
    memset(&older, 0xff, sizeof older);
    memset(&older_draw, 0xff, sizeof older_draw);
    memcpy(&older, &network, offsetof(older_network_options, other));
    memcpy(&older_draw, &draw, offsetof(older_sample_options, other));
    older.size = offsetof(older_network_options, other);
    older_draw.size = offsetof(older_sample_options, other);
    train_and_draw((const sf_network_options *)(const void *)&older,
                   (const sf_sample_options *)(const void *)&older_draw, got);
    CHECK(memcmp(got, want, sizeof got) == 0);
}

TESTS(CASE(every_option_is_listed), CASE(the_defaults_are_allowed),
      CASE(shorter_structs_of_options_are_taken))
