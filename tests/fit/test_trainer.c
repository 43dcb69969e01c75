/* SPDX-License-Identifier: Apache-2.0 */
/* test_trainer.c - one update of training against its formulas, and what is kept of
 * a run.
 *
 * The gradient of a batch comes from fit/loss.h, which has tests of its own; what
 * the trainer does with it is done here again, in double, from the formulas at the
 * head of fit/trainer.c and of sf_network_options. */
#include "base/random.h"
#include "check.h"
#include "fit/loss.h"
#include "model/network.h"
#include "scorefield/fit.h"

enum { ROWS = 40, DIM = 2, BATCH = 16, STEPS = 6 };

static double rows[ROWS * DIM];

static void fill_rows(void)
{
    for (int i = 0; i < ROWS * DIM; i++) {
        const sfi_where where = {8, (uint64_t)i, 0, SFI_STREAM_USER};
        rows[i] = 3.0 * sfi_normal_at(where, 0) + (i % DIM == 0 ? 50.0 : 0.0);
    }
}

static const sf_cmat table = {rows, ROWS, DIM, DIM};

/* Small, with everything that an update has: a gradient that is clipped, decay, a
 * warm-up of half the run, and an average that has begun to look back. */
static sf_network_options options(double validation)
{
    sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    o.width = 5;
    o.layers = 2;
    o.steps = STEPS;
    o.batch = BATCH;
    o.rate = 0.02;
    o.decay = 0.3;
    o.clip = 0.1;
    o.warmup = 0.5;
    o.ema = 0.4;
    o.validation = validation;
    o.patience = 1.0;
    o.sigma_min = 0.02;
    o.seed = 17;
    return o;
}

/* A run, as the formulas have it. */
typedef struct replay {
    sf_network_options o;
    sf_model *model;
    sfi_loss loss;
    float data[ROWS * DIM];
    int64_t order[ROWS], batch[BATCH];
    int64_t position, epoch, step, count;
    float *weights, *gradient;
    double *m, *v, *average;
} replay;

static void begin(sf_context *ctx, replay *r, const sf_model *like)
{
    CHECK_OK(ctx, sfi_model_like(like, &r->model));
    sfi_network_initialise(r->model, r->o.seed);
    CHECK_OK(ctx, sfi_loss_new(&r->loss, r->model, r->o.objective, SF_F32,
                               SFI_LOSS_GRADIENT));
    const size_t n = (size_t)(r->count = r->model->weight_count);
    r->weights = calloc(n, sizeof *r->weights);
    r->gradient = calloc(n, sizeof *r->gradient);
    r->m = calloc(n, sizeof *r->m);
    r->v = calloc(n, sizeof *r->v);
    r->average = calloc(n, sizeof *r->average);
    for (size_t k = 0; k < n; k++) {
        r->weights[k] = (float)r->model->weights[k];
        r->average[k] = r->weights[k];
    }
    /* The trainer's rows are in the order in which it split them: held-out ones,
     * of which there are none here, first. */
    int64_t index[ROWS];
    CHECK(sf_split_rows(r->o.seed, ROWS, 0.0, index) == 0);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < DIM; j++)
            r->data[i * DIM + j] =
                (float)((rows[index[i] * DIM + j] - r->model->mean[j]) /
                        r->model->scale[j]);
    for (int i = 0; i < ROWS; i++)
        r->order[i] = i;
    sfi_shuffle(r->o.seed, 0, r->order, ROWS);
}

static void end(replay *r)
{
    free(r->average);
    free(r->v);
    free(r->m);
    free(r->gradient);
    free(r->weights);
    sfi_loss_free(&r->loss);
    sf_model_free(r->model);
}

/* Rows in shuffled order, over the ends of epochs. */
static void take_batch(replay *r)
{
    for (int i = 0; i < BATCH; i++) {
        if (r->position == ROWS) {
            r->position = 0;
            for (int k = 0; k < ROWS; k++)
                r->order[k] = k;
            sfi_shuffle(r->o.seed, (uint32_t)++r->epoch, r->order, ROWS);
        }
        r->batch[i] = r->order[r->position++];
    }
}

/* Up to the end of the warm-up the rate rises from rate/(warm-up steps); then it
 * falls along half a cosine. */
static double rate_at(const replay *r)
{
    const double done = (double)r->step / STEPS, warm = r->o.warmup;
    if (done < warm)
        return r->o.rate * fmin(1.0, (done + 1.0 / STEPS) / warm);
    return r->o.rate * 0.5 *
           (1.0 + cos(acos(-1.0) * (done - warm) / (1.0 - warm)));
}

static void update(sf_context *ctx, replay *r)
{
    float sum;
    take_batch(r);
    const sfi_batch batch = {.data = r->data,
                             .rows = r->batch,
                             .count = BATCH,
                             .seed = r->o.seed,
                             .step = (uint32_t)r->step};
    CHECK_OK(ctx, sfi_loss_gradient(&r->loss, &batch, r->weights, &sum,
                                    r->gradient));
    const double beta1 = 0.9, beta2 = 0.99, t = (double)r->step + 1.0;
    double norm = 0.0;
    for (int64_t k = 0; k < r->count; k++)
        norm += pow(r->gradient[k] / (double)BATCH, 2.0);
    norm = sqrt(norm);
    CHECK(norm > 1.5 * r->o.clip); /* or clipping would go unseen */
    const double rate = rate_at(r);
    const double keep = exp2(-1.0 / fmax(1.0, r->o.ema * t));
    for (int64_t k = 0; k < r->count; k++) {
        const double g = r->gradient[k] / (double)BATCH * r->o.clip / norm;
        r->m[k] = beta1 * r->m[k] + (1.0 - beta1) * g;
        r->v[k] = beta2 * r->v[k] + (1.0 - beta2) * g * g;
        const double m = r->m[k] / (1.0 - pow(beta1, t));
        const double v = r->v[k] / (1.0 - pow(beta2, t));
        const double w = r->weights[k];
        r->weights[k] =
            (float)(w - rate * r->o.decay * w - rate * m / (sqrt(v) + 1e-8));
        r->average[k] =
            keep * r->average[k] + (1.0 - keep) * (double)r->weights[k];
    }
    r->step++;
}

/* Without held-out rows the average after the last update is what is kept.  Both
 * sides hold weights in single precision: 2^-24 of a weight of size 1 each update,
 * and the square root of a small v magnifies the gradient's rounding.  A wrong
 * factor moves weights by parts of the rate, 0.02. */
TEST(updates_are_those_of_the_formulas)
{
    sf_context *ctx = new_context();
    fill_rows();
    replay r = {.o = options(0.0)};
    sf_trainer *t = NULL;
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_trainer_new(ctx, &t, table, NULL, &r.o));
    CHECK_OK(ctx, sf_trainer_model(t, &m));
    begin(ctx, &r, m);
    for (int step = 0; step < STEPS; step++) {
        bool finished = false;
        CHECK_OK(ctx, sf_trainer_run(t, 1, &finished));
        CHECK(finished == (step + 1 == STEPS));
        update(ctx, &r);
        sf_model_free(m);
        CHECK_OK(ctx, sf_trainer_model(t, &m));
        for (int64_t k = 0; k < r.count; k++)
            CHECK_NEAR(m->weights[k], r.average[k], 2e-5);
    }
    CHECK(r.epoch > 0); /* the order was shuffled anew */
    end(&r);
    sf_model_free(m);
    sf_trainer_free(t);
    sf_context_free(ctx);
}

/* The units are those of the rows that are trained on. */
TEST(held_out_rows_have_no_part_in_the_units)
{
    sf_context *ctx = new_context();
    fill_rows();
    const sf_network_options o = options(0.25);
    sf_trainer *t = NULL;
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_trainer_new(ctx, &t, table, NULL, &o));
    CHECK_OK(ctx, sf_trainer_model(t, &m));
    int64_t index[ROWS];
    const int64_t held = sf_split_rows(o.seed, ROWS, o.validation, index);
    CHECK(held == ROWS / 4);
    for (int j = 0; j < DIM; j++) {
        double want_mean = 0.0, squares = 0.0, mean, scale;
        const double n = (double)(ROWS - held);
        for (int64_t i = held; i < ROWS; i++)
            want_mean += rows[index[i] * DIM + j] / n;
        for (int64_t i = held; i < ROWS; i++)
            squares += pow(rows[index[i] * DIM + j] - want_mean, 2.0) / n;
        sf_model_unit(m, j, &mean, &scale);
        CHECK_CLOSE(mean, want_mean, 1e-13);
        CHECK_CLOSE(scale, sqrt(squares), 1e-13);
    }
    sf_model_free(m);
    sf_trainer_free(t);
    sf_context_free(ctx);
}

/* A rate that is too large makes the held-out loss rise again.  What is kept is of
 * the step where it was lowest: a run that ends there keeps the same weights. */
TEST(the_weights_of_the_lowest_held_out_loss_are_kept)
{
    sf_context *ctx = new_context();
    fill_rows();
    sf_network_options o = options(0.25);
    o.rate = 0.5;
    o.clip = 0.0;
    o.steps = 60;
    sf_trainer *t = NULL, *shorter = NULL;
    sf_model *best = NULL, *last = NULL;
    bool finished = false;
    CHECK_OK(ctx, sf_trainer_new(ctx, &t, table, NULL, &o));
    CHECK_OK(ctx, sf_trainer_run(t, 0, &finished));
    const sf_curve_point *curve = NULL;
    const int64_t points = sf_trainer_curve(t, &curve);
    int64_t lowest = 0;
    for (int64_t i = 1; i < points; i++)
        if (curve[i].held_out < curve[lowest].held_out)
            lowest = i;
    CHECK(lowest + 1 < points); /* or there would be nothing to see */
    sf_fit_report report;
    sf_trainer_report(t, &report);
    CHECK(report.best_step == curve[lowest].step);
    CHECK(report.best_loss == curve[lowest].held_out);

    CHECK_OK(ctx, sf_trainer_new(ctx, &shorter, table, NULL, &o));
    CHECK_OK(ctx, sf_trainer_run(shorter, report.best_step, &finished));
    CHECK_OK(ctx, sf_trainer_model(t, &best));
    CHECK_OK(ctx, sf_trainer_model(shorter, &last));
    for (int64_t k = 0; k < best->weight_count; k++)
        CHECK(best->weights[k] == last->weights[k]);
    sf_model_free(last);
    sf_model_free(best);
    sf_trainer_free(shorter);
    sf_trainer_free(t);
    sf_context_free(ctx);
}

TESTS(CASE(updates_are_those_of_the_formulas),
      CASE(held_out_rows_have_no_part_in_the_units),
      CASE(the_weights_of_the_lowest_held_out_loss_are_kept))
