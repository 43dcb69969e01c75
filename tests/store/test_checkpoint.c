/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint comes back as it was, and a run that is taken up from one ends
 * with the same bits as a run that was never interrupted. */
#include "store_check.h"

#include "faults.h"

static const char *const columns[] = {"a", "b, \"c\""};

static sf_checkpoint some_checkpoint(const void *state, size_t size)
{
    sf_checkpoint c = SF_CHECKPOINT_INIT;
    c.options.objective = SF_OBJECTIVE_FLOW;
    c.options.energy = true;
    c.options.width = 17;
    c.options.target_rows = 3;
    c.options.rate = 1.0 / 3.0;
    c.options.time_limit = 1e9 / 3.0;
    c.options.seed = UINT64_MAX - 1;
    c.rows = 272;
    c.dim = 2;
    c.fingerprint = 0xfedcba9876543210u;
    c.columns = columns;
    c.command = "scorefield fit";
    c.state = state;
    c.state_size = size;
    return c;
}

static unsigned char *checkpoint_bytes(sf_context *ctx, const sf_checkpoint *c,
                                       size_t *size)
{
    sfi_output *out = NULL;
    CHECK_OK(ctx, sfi_output_memory(ctx, &out));
    CHECK_OK(ctx, sfi_checkpoint_save_to(ctx, out, c));
    const void *bytes = sfi_output_bytes(out, size);
    unsigned char *copy = malloc(*size);
    CHECK(copy != NULL);
    memcpy(copy, bytes, *size);
    sfi_output_abort(out);
    return copy;
}

TEST(everything_comes_back)
{
    (void)state_;
    const unsigned char state[] = {0, 255, 7, 0, 13};
    sf_context *ctx = new_context();
    const sf_checkpoint c = some_checkpoint(state, sizeof state);
    size_t size = 0;
    unsigned char *bytes = checkpoint_bytes(ctx, &c, &size);
    sf_checkpoint back;
    CHECK_OK(ctx, sfi_checkpoint_load_memory(ctx, &back, bytes, size));
    const sf_network_options *o = &c.options, *p = &back.options;
    CHECK(o->size == p->size && o->objective == p->objective);
    CHECK(o->energy == p->energy && o->width == p->width);
    CHECK(o->layers == p->layers && o->steps == p->steps);
    CHECK(o->batch == p->batch && o->seed == p->seed);
    CHECK(o->target_rows == p->target_rows);
    const double was[] = {o->rate,       o->decay,      o->clip,
                          o->warmup,     o->ema,        o->validation,
                          o->patience,   o->sigma_min,  o->sigma_max,
                          o->time_limit, o->noise_level};
    const double is[] = {p->rate,       p->decay,      p->clip,
                         p->warmup,     p->ema,        p->validation,
                         p->patience,   p->sigma_min,  p->sigma_max,
                         p->time_limit, p->noise_level};
    CHECK(memcmp(was, is, sizeof was) == 0);
    CHECK(back.rows == 272 && back.dim == 2);
    CHECK(back.fingerprint == c.fingerprint);
    assert_string_equal(back.columns[1], columns[1]);
    assert_string_equal(back.command, "scorefield fit");
    CHECK(back.state_size == sizeof state);
    CHECK(memcmp(back.state, state, sizeof state) == 0);
    sf_checkpoint_free(ctx, &back);
    CHECK(back.state == NULL);
    free(bytes);
    sf_context_free(ctx);
}

TEST(a_model_is_no_checkpoint)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = small_gaussian(ctx);
    size_t size = 0;
    unsigned char *bytes = save_bytes(ctx, m, NULL, &size);
    sf_checkpoint none;
    CHECK_FAILS(ctx, sfi_checkpoint_load_memory(ctx, &none, bytes, size),
                SF_E_FORMAT, "holds a model, want a checkpoint");
    CHECK(none.owner == NULL);
    free(bytes);
    sf_model_free(m);
    sf_context_free(ctx);
}

static void check_text(const char *key, const char *value, const char *part)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    const sf_checkpoint c = some_checkpoint("abc", 3);
    size_t size = 0, spoiled_size = 0;
    unsigned char *bytes = checkpoint_bytes(ctx, &c, &size);
    sfi_tensors t;
    sf_checkpoint none;
    CHECK_OK(ctx, sfi_tensors_read_memory(ctx, &t, bytes, size));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, key, value));
    unsigned char *spoiled = tensor_bytes(ctx, &t, &spoiled_size);
    CHECK_FAILS(ctx,
                sfi_checkpoint_load_memory(ctx, &none, spoiled, spoiled_size),
                SF_E_FORMAT, part);
    free(spoiled);
    free(bytes);
    sfi_tensors_free(ctx, &t);
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

TEST(every_text_is_checked)
{
    (void)state_;
    check_text("format_version", "3", "use a newer scorefield");
    check_text("numbers", "{}", "\"objective\" is no whole number");
    check_text("numbers", "{\"objective\":9007199254740993}",
               "\"objective\" is no whole number");
    check_text("numbers", "{\"objective\":1.5}", "no whole number");
    check_text("numbers", "{\"objective\":-1}", "no whole number");
    check_text("numbers",
               "{\"objective\":9,\"energy\":0,\"width\":1,\"layers\":1,"
               "\"steps\":1,\"batch\":1,\"target_rows\":1,\"rate\":1,\"decay\":"
               "1,\"clip\":1,"
               "\"warmup\":1,\"ema\":1,\"validation\":1,\"patience\":1,"
               "\"sigma_min\":1,\"sigma_max\":1,\"noise_level\":1,"
               "\"time_limit\":1}",
               "\"objective\" is 9, and this version knows 0 to 7");
    check_text("schema", "{}", "\"rows\"");
    check_text("schema", "{\"rows\":1}", "16 hexadecimal digits");
    check_text("schema", "{\"rows\":1,\"fingerprint\":\"000000000000000g\"}",
               "16 hexadecimal digits");
    check_text("schema", "{\"rows\":1,\"fingerprint\":\"0000000000000000\"}",
               "no \"columns\"");
    check_text("schema",
               "{\"rows\":1,\"fingerprint\":\"0000000000000000\","
               "\"columns\":[7]}",
               "no list of names");
    check_text("seed", "x", "\"seed\"");
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    const sf_checkpoint c = some_checkpoint("abc", 3);
    size_t size = 0;
    unsigned char *bytes = checkpoint_bytes(ctx, &c, &size);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sf_checkpoint back;
        status = sfi_checkpoint_load_memory(ctx, &back, bytes, size);
        sf_checkpoint_free(ctx, &back);
    }
    free(bytes);
    sf_context_free(ctx);
}

/* ---- fingerprints --------------------------------------------------------- */

TEST(a_fingerprint_sees_every_bit_and_the_shape)
{
    (void)state_;
    double cells[6] = {0.0, 1.0, 2.0, 3.0, 4.0, 5.0};
    const sf_cmat x = {cells, 2, 3, 3};
    const uint64_t first = sf_data_fingerprint(x);
    CHECK(sf_data_fingerprint((sf_cmat){cells, 3, 2, 2}) != first);
    for (int i = 0; i < 6; i++)
        for (int b = 0; b < 64; b++) {
            uint64_t bits;
            const double was = cells[i];
            memcpy(&bits, &cells[i], sizeof bits);
            bits ^= (uint64_t)1 << b;
            memcpy(&cells[i], &bits, sizeof bits);
            CHECK(sf_data_fingerprint(x) != first);
            cells[i] = was;
        }
    /* Two cells that change places are other data. */
    cells[0] = 1.0;
    cells[1] = 0.0;
    CHECK(sf_data_fingerprint(x) != first);
    CHECK(sf_data_fingerprint((sf_cmat){cells, 2, 3, 3}) ==
          sf_data_fingerprint(x));
}

/* ---- runs ----------------------------------------------------------------- */

enum { ROWS = 60, STEPS = 24 };

static void fill_rows(double cells[2 * ROWS])
{
    for (int i = 0; i < ROWS; i++) {
        cells[2 * i] = sin(1.7 * i);
        cells[2 * i + 1] = 100.0 + 0.3 * cells[2 * i] + cos(0.9 * i * i);
    }
}

static sf_trainer *new_trainer(sf_context *ctx, sf_network_options *o)
{
    static double cells[2 * ROWS];
    fill_rows(cells);
    *o = (sf_network_options)SF_NETWORK_OPTIONS_INIT;
    o->width = 8;
    o->layers = 2;
    o->steps = STEPS;
    o->batch = 16;
    o->seed = 3;
    sf_trainer *t = NULL;
    CHECK_OK(ctx,
             sf_trainer_new(ctx, &t, (sf_cmat){cells, ROWS, 2, 2}, columns, o));
    return t;
}

static sf_model *best_model(sf_context *ctx, sf_trainer *t)
{
    sf_model *m = NULL;
    bool finished = false;
    CHECK_OK(ctx, sf_trainer_run(t, 0, &finished));
    CHECK(finished);
    CHECK_OK(ctx, sf_trainer_model(t, &m));
    sf_trainer_free(t);
    return m;
}

TEST(a_run_goes_on_from_a_checkpoint_with_the_same_bits)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_network_options o;
    sf_model *whole = best_model(ctx, new_trainer(ctx, &o));

    sf_trainer *t = new_trainer(ctx, &o);
    bool finished = false;
    CHECK_OK(ctx, sf_trainer_run(t, STEPS / 3, &finished));
    CHECK(!finished);
    const size_t state_size = sf_trainer_state_size(t);
    void *state = malloc(state_size);
    CHECK(state != NULL);
    sf_trainer_state(t, state);
    sf_trainer_free(t);
    sf_checkpoint c = SF_CHECKPOINT_INIT;
    c.options = o;
    c.rows = ROWS;
    c.dim = 2;
    c.columns = columns;
    c.state = state;
    c.state_size = state_size;
    size_t size = 0;
    unsigned char *bytes = checkpoint_bytes(ctx, &c, &size);
    free(state);

    sf_checkpoint back;
    CHECK_OK(ctx, sfi_checkpoint_load_memory(ctx, &back, bytes, size));
    t = new_trainer(ctx, &o);
    CHECK_OK(ctx, sf_trainer_restore(t, back.state, back.state_size));
    sf_model *resumed = best_model(ctx, t);
    check_same_model(whole, resumed);
    sf_checkpoint_free(ctx, &back);
    free(bytes);
    sf_model_free(whole);
    sf_model_free(resumed);
    sf_context_free(ctx);
}

TESTS(CASE(everything_comes_back), CASE(a_model_is_no_checkpoint),
      CASE(every_text_is_checked), CASE(every_allocation_may_fail),
      CASE(a_fingerprint_sees_every_bit_and_the_shape),
      CASE(a_run_goes_on_from_a_checkpoint_with_the_same_bits))
