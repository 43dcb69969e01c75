/* SPDX-License-Identifier: Apache-2.0 */
/* trainer.c - stochastic gradient training of a network.
 *
 * One update is
 *
 *     g      = mean over the batch of d loss / d w          (one program)
 *     g     <- g min(1, clip / |g|)
 *     w, m, v <- Adam with decoupled weight decay (num/loops.h)
 *     ema   <- moving average of w
 *
 * Batch number k holds the next rows of an order that is shuffled anew for each
 * epoch; its noise is addressed by (seed, place in the batch, k).  So the run is
 * a function of the data, the options and the step counter, and the whole state
 * is five arrays and a few numbers: that is what a checkpoint holds (trainer_state.c).
 *
 * The averaged weights are judged on the held-out rows, each repeated with
 * different noise but the same noise every time, so that two judgements differ
 * by the weights alone.  The best ones are kept. */
#include "fit/trainer.h"

#include "base/parallel.h"
#include "base/random.h"
#include "fit/autoencoder_start.h"
#include "fit/kernels.h"
#include "fit/repeats.h"
#include "model/autoencoder.h"
#include "model/coupling_flow.h"
#include "model/injective.h"
#include "model/manifold.h"
#include "model/network.h"
#include "model/network_options.h"
#include "num/linalg.h"
#include "num/loops.h"

#include <math.h>
#include <string.h>

enum {
    JUDGED_POINTS = 4096,   /* held-out rows times repetitions, at least    */
    JUDGEMENTS = 100,       /* held-out evaluations of a whole run          */
    UPDATE_CHUNK = 4096,    /* weights that one thread updates at a time    */
    JUDGE_STEP = 0x7fffffff /* the noise of held-out evaluations: no update
                                has this number                           */
};

/* Of the objectives of decoders that begin as principal components. */
static bool is_decoder(const sf_network_options *o)
{
    return o->objective == SF_OBJECTIVE_ELBO ||
           o->objective == SF_OBJECTIVE_MANIFOLD;
}

/* And of those of coupling flows. */
static bool is_flow(const sf_network_options *o)
{
    return o->objective == SF_OBJECTIVE_LIKELIHOOD ||
           o->objective == SF_OBJECTIVE_INJECTIVE;
}

/* ---- options ---------------------------------------------------------------- */

static sf_status check_options(sf_context *ctx, const sf_network_options *o)
{
    SFI_TRY(sfi_option_check(ctx, "fit", sfi_network_options, o));
    const bool flow = is_flow(o);
    const bool decoder = is_decoder(o);
    SFI_TRY(sfi_option_check(ctx, "fit", sfi_flow_options, o));
    SFI_TRY(sfi_option_check(ctx, "fit", sfi_autoencoder_options, o));
    if (!flow && o->width < 1)
        return SFI_FAIL(ctx, SF_E_ARG, "fit: width is 0, want 1 to 16384");
    if (!decoder && o->layers < 1)
        return SFI_FAIL(ctx, SF_E_ARG, "fit: layers is 0, want 1 to 64");
    if ((flow || decoder) && o->energy)
        return SFI_FAIL(ctx, SF_E_ARG, "fit: %s has no energy",
                        flow ? "a flow" : "an autoencoder");
    if (o->objective == SF_OBJECTIVE_MANIFOLD &&
        (o->no_encoder || o->kl_warmup > 0.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "fit: a manifold has an encoder and no divergence: "
                        "no_encoder and kl_warmup are of autoencoders");
    if (o->objective >= SF_OBJECTIVE_MANIFOLD &&
        o->latent > SFI_HADAMARD_COLUMNS)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "fit: %lld latent variables, want at most %d of a "
                        "manifold or an injective flow",
                        (long long)o->latent, (int)SFI_HADAMARD_COLUMNS);
    if (o->no_encoder && o->kl_warmup > 0.0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "fit: kl_warmup is of an encoder, and there is none");
    if (o->target_rows > 1 && o->kernel == NULL)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "fit: targets are means over rows only with kernels");
    if (o->kernel != NULL && (o->objective != SF_OBJECTIVE_DSM || o->energy))
        return SFI_FAIL(
            ctx, SF_E_ARG,
            "fit: with kernels the objective is DSM, and no energy");
    return SF_OK;
}

/* What the user left open.  Small tables get smaller and fewer batches, and
 * patience: their held-out loss turns long before the end.  On large ones it
 * only wavers, and the falling learning rate of the last steps is worth most.
 * Noise that is small beside the gaps between n points shows only where these
 * happen to lie: five splits of Old Faithful, four seeds each, have a mean log
 * likelihood of -4.156 with noise down to 0.002 and -4.140 down to 0.05. */
static void choose_budget(sf_network_options *o, int64_t rows, int64_t columns)
{
    const bool flow = is_flow(o);
    const bool decoder = is_decoder(o);
    if (o->batch == 0)
        o->batch = decoder ? 256 : rows < 1000 || flow ? 512 : 1024;
    if (o->steps == 0 && (flow || decoder))
        o->steps = 3000;
    if (o->width == 0)
        o->width = columns <= 4 ? 32 : 96;
    if (o->target_rows > o->batch)
        o->target_rows = o->batch;
    if (o->steps == 0)
        o->steps = rows < 1000 ? 4000 : 10000;
    if (o->patience == 0.0)
        o->patience = rows < 1000 ? 0.25 : 1.0;
    if (o->sigma_min == 0.0)
        o->sigma_min = fmin(fmax(20.0 / (double)rows, 0.002), 0.05);
}

/* ---- data ------------------------------------------------------------------- */

/* With kernels: what these see of the columns, in both precisions. */
static sf_status take_exact(sf_trainer *t, sf_cmat data, const int64_t *index)
{
    sf_model *m = t->model;
    const int64_t d = data.cols;
    memcpy(m->mean, t->unit, (size_t)d * sizeof *m->mean);
    memcpy(m->scale, t->unit + d, (size_t)d * sizeof *m->scale);
    SFI_TRY(sfi_check_support(m, data, "fit"));
    for (int64_t i = 0; i < data.rows; i++)
        for (int64_t j = 0; j < d; j++) {
            const double x = data.data[index[i] * data.stride + j];
            t->exact[i * d + j] = (x - m->mean[j]) / m->scale[j];
            t->data[i * d + j] = (float)t->exact[i * d + j];
        }
    return SF_OK;
}

/* Mean and standard deviation of the training rows become the model's
 * standardisation; the copy is held-out rows first. */
static sf_status take_data(sf_trainer *t, sf_cmat data, const int64_t *index)
{
    sf_model *m = t->model;
    if (t->noise.dim > 0)
        return take_exact(t, data, index);
    const int64_t d = data.cols;
    double total = 0.0;
    for (int64_t j = 0; j < d; j++) {
        double mean = 0.0, squares = 0.0;
        for (int64_t i = t->held; i < data.rows; i++)
            mean += data.data[index[i] * data.stride + j];
        mean /= (double)t->rows;
        for (int64_t i = t->held; i < data.rows; i++) {
            const double x = data.data[index[i] * data.stride + j] - mean;
            squares += x * x;
        }
        const double scale = sqrt(squares / (double)t->rows);
        total += squares / (double)t->rows;
        const bool allowed = is_decoder(&t->o) && t->o.one_scale;
        if (!(allowed || scale > 1e-14 * fabs(mean)) || !isfinite(scale))
            return SFI_FAIL(
                t->ctx, SF_E_NUMERIC,
                "fit: column \"%s\" is constant (%g) in the training "
                "rows; a constant has no density: leave it out",
                m->names[j], mean);
        m->mean[j] = mean;
        m->scale[j] = scale;
    }
    if (!(total > 0.0))
        return SFI_FAIL(t->ctx, SF_E_NUMERIC,
                        "fit: every column is constant in the training rows");
    for (int64_t j = 0; j < d && t->o.one_scale; j++)
        m->scale[j] = sqrt(total / (double)d);
    for (int64_t i = 0; i < data.rows; i++)
        for (int64_t j = 0; j < d; j++)
            t->data[i * d + j] =
                (float)((data.data[index[i] * data.stride + j] - m->mean[j]) /
                        m->scale[j]);
    return SF_OK;
}

static uint64_t fnv(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ b[i]) * 0x100000001B3u;
    return hash;
}

/* What a checkpoint must agree on.  The time limit may change. */
static uint64_t identify(const sf_trainer *t)
{
    const sf_network_options *o = &t->o;
    const double numbers[] = {(double)o->objective,
                              o->energy,
                              (double)o->width,
                              (double)o->layers,
                              (double)o->steps,
                              (double)o->batch,
                              o->rate,
                              o->decay,
                              o->clip,
                              o->warmup,
                              o->ema,
                              o->validation,
                              o->patience,
                              o->sigma_min,
                              o->sigma_max,
                              o->noise_level,
                              (double)o->target_rows,
                              o->principal,
                              (double)o->bins,
                              o->coupling,
                              o->one_scale,
                              (double)o->latent,
                              o->diagonal,
                              o->kl_warmup,
                              o->no_encoder,
                              (double)t->rows,
                              (double)t->held};
    uint64_t hash = fnv(0xCBF29CE484222325u, numbers, sizeof numbers);
    if (o->kernel != NULL)
        hash = fnv(hash, o->kernel, strlen(o->kernel));
    hash = fnv(hash, &o->seed, sizeof o->seed);
    return fnv(hash, t->data, t->cells * sizeof *t->data);
}

void sfi_trainer_shuffle(sf_trainer *t)
{
    for (int64_t i = 0; i < t->rows; i++)
        t->order[i] = t->held + i;
    sfi_shuffle(t->o.seed, (uint32_t)t->s.epoch, t->order, t->rows);
}

/* The next rows in shuffled order, over the ends of epochs. */
static void next_batch(sf_trainer *t)
{
    for (int64_t i = 0; i < t->o.batch; i++) {
        if (t->s.position == t->rows) {
            t->s.position = 0;
            t->s.epoch++;
            sfi_trainer_shuffle(t);
        }
        t->batch_rows[i] = t->order[t->s.position++];
    }
}

/* The share of an autoencoder's divergence at this step. */
static double share_now(const sf_trainer *t)
{
    const double least = 0.01;
    const double steps = t->o.kl_warmup * (double)t->o.steps;
    return (double)t->s.step < steps
               ? least + (1.0 - least) * (double)t->s.step / steps
               : 1.0;
}

sf_status sfi_trainer_infer(sf_trainer *t)
{
    return sfi_inferred_find(&t->inferred, t->asked, t->held, t->rows);
}

static sf_status batch_of(sf_trainer *t, const int64_t *rows, int64_t count,
                          uint32_t step, sfi_batch *out)
{
    *out = (sfi_batch){.data = t->data,
                       .rows = rows,
                       .count = count,
                       .seed = t->o.seed,
                       .step = step,
                       .share = step == JUDGE_STEP ? 1.0 : share_now(t)};
    if (t->inferred.ctx != NULL) {
        sfi_inferred_draw(&t->inferred, rows, count, t->o.seed, step);
        out->noised = t->inferred.z;
        out->times = t->inferred.divergence;
    }
    if (t->noise.dim == 0)
        return SF_OK;
    SFI_TRY(sfi_noised_draw(&t->noised, rows, count, t->o.seed, step));
    out->noised = t->noised.rows;
    out->times = t->noised.rows + count * t->model->inner;
    return SF_OK;
}

/* ---- one update ------------------------------------------------------------- */

static void chunk_norm(void *user, int64_t part, int64_t first, int64_t count)
{
    const sf_trainer *t = user;
    t->norms[part] =
        sfi_loops_for(SF_F32)->sum_squares(t->gradient + first, count);
}

typedef struct update_job {
    sf_trainer *t;
    sfi_adam adam;
} update_job;

static void chunk_update(void *user, int64_t part, int64_t first, int64_t count)
{
    (void)part;
    const update_job *job = user;
    sf_trainer *t = job->t;
    sfi_loops_for(SF_F32)->adam(t->weights + first, t->moment1 + first,
                                t->moment2 + first, t->average + first,
                                t->gradient + first, count, &job->adam);
}

/* How much of the run is over, by steps or by the time limit. */
static double fraction_done(const sf_trainer *t)
{
    const double by_steps = (double)t->s.step / (double)t->o.steps;
    if (t->o.time_limit <= 0.0)
        return by_steps;
    return fmin(fmax(by_steps, t->s.seconds / t->o.time_limit), 1.0);
}

/* Linear warm-up, then half a cosine down to 0. */
static double learning_rate(const sf_trainer *t)
{
    const double done = fraction_done(t);
    if (done < t->o.warmup)
        return t->o.rate *
               fmin(1.0, (done + 1.0 / (double)t->o.steps) / t->o.warmup);
    const double past = (done - t->o.warmup) / (1.0 - t->o.warmup);
    return t->o.rate * 0.5 * (1.0 + cos(3.14159265358979324 * past));
}

static void apply_gradient(sf_trainer *t)
{
    const int64_t parts = sfi_parallel_parts(t->trained, UPDATE_CHUNK);
    sfi_parallel(t->ctx, t->trained, UPDATE_CHUNK, chunk_norm, t);
    double squares = 0.0;
    for (int64_t i = 0; i < parts; i++)
        squares += t->norms[i];
    const double norm = sqrt(squares) / (double)t->o.batch;
    double gscale = 1.0 / (double)t->o.batch;
    if (t->o.clip > 0.0 && norm > t->o.clip)
        gscale *= t->o.clip / norm;
    const double n = (double)t->s.step + 1.0;
    const double beta1 = 0.9;
    const double beta2 =
        t->o.objective >= SF_OBJECTIVE_LIKELIHOOD ? 0.999 : 0.99;
    update_job job = {t,
                      {.gscale = gscale,
                       .rate = learning_rate(t),
                       .decay = t->o.decay,
                       .beta1 = beta1,
                       .beta2 = beta2,
                       .c1 = 1.0 - pow(beta1, n),
                       .c2 = 1.0 - pow(beta2, n),
                       .eps = 1e-8,
                       .ema_keep = exp2(-1.0 / fmax(1.0, t->o.ema * n))}};
    sfi_parallel(t->ctx, t->trained, UPDATE_CHUNK, chunk_update, &job);
}

static sf_status update(sf_trainer *t)
{
    float sum;
    if (t->asked != NULL && t->s.step % SFI_INFERRED_EVERY == 0) {
        memcpy(t->asked, t->weights, (size_t)t->count * sizeof *t->asked);
        SFI_TRY(sfi_trainer_infer(t));
    }
    next_batch(t);
    sfi_batch batch;
    SFI_TRY(
        batch_of(t, t->batch_rows, t->o.batch, (uint32_t)t->s.step, &batch));
    sfi_loss *loss_of = &t->loss;
    if (t->o.target_rows > 1) {
        loss_of = &t->averaged;
        SFI_TRY(sfi_noised_targets(&t->noised, t->batch_rows, t->o.batch));
        batch.targets = t->noised.targets;
    }
    SFI_TRY(sfi_loss_gradient(loss_of, &batch, t->weights, &sum, t->gradient));
    const double loss = (double)sum / (double)t->o.batch;
    if (!isfinite(loss))
        return SFI_FAIL(t->ctx, SF_E_NUMERIC,
                        "fit: the loss is not finite at step %lld; a smaller "
                        "learning rate than %g may help",
                        (long long)t->s.step, t->o.rate);
    apply_gradient(t);
    t->s.step++;
    t->s.recent_loss += loss;
    t->s.recent_count++;
    return SF_OK;
}

/* ---- judging ---------------------------------------------------------------- */

static sf_status held_out_loss(sf_trainer *t, double *loss)
{
    float sum;
    sfi_batch batch;
    if (t->asked != NULL)
        SFI_TRY(sfi_inferred_find(&t->inferred, t->average, 0, t->held));
    SFI_TRY(batch_of(t, t->judged_rows, t->judged, JUDGE_STEP, &batch));
    SFI_TRY(sfi_loss_value(&t->loss, &batch, t->average, &sum));
    *loss = (double)sum / (double)t->judged;
    return SF_OK;
}

static sf_status judge(sf_trainer *t)
{
    const double train = t->s.recent_count > 0
                             ? t->s.recent_loss / (double)t->s.recent_count
                             : NAN;
    double loss = train, held_out = NAN;
    if (t->held > 0) {
        SFI_TRY(held_out_loss(t, &held_out));
        loss = held_out;
    }
    sf_curve_point *grown =
        sfi_grow(t->ctx, t->curve, &t->curve_capacity,
                 (size_t)t->s.curve_count + 1, sizeof *grown);
    if (grown == NULL)
        return SF_E_NOMEM;
    t->curve = grown;
    grown[t->s.curve_count++] = (sf_curve_point){t->s.step, train, held_out};
    t->s.recent_loss = 0.0;
    t->s.recent_count = 0;
    /* Without held-out rows the last weights are the ones to keep. */
    if (t->held == 0 || loss < t->s.best_loss) {
        t->s.best_loss = loss;
        t->s.best_step = t->s.step;
        memcpy(t->best, t->average, (size_t)t->count * sizeof *t->best);
    }
    return SF_OK;
}

static int64_t judge_every(const sf_trainer *t)
{
    const int64_t every = t->o.steps / JUDGEMENTS;
    return every > 0 ? every : 1;
}

static bool impatient(const sf_trainer *t)
{
    return t->held > 0 && (double)(t->s.step - t->s.best_step) >
                              t->o.patience * (double)t->o.steps;
}

/* ---- running ---------------------------------------------------------------- */

static bool report(sf_trainer *t, bool force)
{
    const sf_curve_point *last =
        t->s.curve_count > 0 ? &t->curve[t->s.curve_count - 1] : NULL;
    const sf_progress p = {.stage = "fit",
                           .step = t->s.step,
                           .steps = t->o.steps,
                           .loss = t->s.recent_count > 0
                                       ? t->s.recent_loss /
                                             (double)t->s.recent_count
                                   : last != NULL ? last->train
                                                  : NAN,
                           .held_out = last != NULL ? last->held_out : NAN,
                           .seconds = t->s.seconds};
    return sfi_progress(t->ctx, &p, force);
}

sf_status sf_trainer_run(sf_trainer *t, int64_t steps, bool *finished)
{
    const int64_t until = steps > 0 && steps < t->o.steps - t->s.step
                              ? t->s.step + steps
                              : t->o.steps;
    const double begun = sfi_clock() - t->s.seconds;
    bool over = t->s.step >= t->o.steps;
    bool going = true;
    /* An autoencoder is to be better than where it begins. */
    if (t->start != NULL && t->held > 0 && t->s.curve_count == 0)
        SFI_TRY(judge(t));
    while (!over && t->s.step < until) {
        SFI_TRY(update(t));
        t->s.seconds = sfi_clock() - begun;
        const bool out_of_time =
            t->o.time_limit > 0.0 && t->s.seconds >= t->o.time_limit;
        going = report(t, t->s.step == t->o.steps);
        over = t->s.step >= t->o.steps || out_of_time || !going;
        if (t->s.step % judge_every(t) == 0 || over) {
            SFI_TRY(judge(t));
            t->s.seconds = sfi_clock() - begun;
        }
        t->s.stop = !going                    ? SF_STOP_CANCELLED
                    : t->s.step >= t->o.steps ? SF_STOP_STEPS
                    : out_of_time             ? SF_STOP_TIME
                                              : SF_STOP_PATIENCE;
        over = over || impatient(t);
    }
    *finished = over;
    return SF_OK;
}

/* ---- making ----------------------------------------------------------------- */

static bool allocate(sf_trainer *t)
{
    sf_context *ctx = t->ctx;
    const size_t n = (size_t)t->count;
    float **const arrays[] = {&t->weights, &t->moment1, &t->moment2,
                              &t->average, &t->best,    &t->gradient};
    for (size_t k = 0; k < SFI_COUNT(arrays); k++)
        if ((*arrays[k] = sfi_alloc_zero(ctx, n, sizeof(float))) == NULL)
            return false;
    const size_t parts = (size_t)sfi_parallel_parts(t->count, UPDATE_CHUNK);
    t->norms = sfi_alloc(ctx, parts, sizeof *t->norms);
    t->batch_rows = sfi_alloc(ctx, (size_t)t->o.batch, sizeof *t->batch_rows);
    t->judged_rows = sfi_alloc(ctx, (size_t)t->judged, sizeof *t->judged_rows);
    t->order = sfi_alloc(ctx, (size_t)t->rows, sizeof *t->order);
    if (t->o.no_encoder &&
        (t->asked = sfi_alloc_zero(ctx, n, sizeof *t->asked)) == NULL)
        return false;
    return t->norms != NULL && t->batch_rows != NULL &&
           t->judged_rows != NULL && t->order != NULL;
}

/* What the inputs are standardised by: rows as training will see them. */
static sf_status fix_scales(sf_trainer *t)
{
    const int64_t d = t->model->inner, columns = t->model->dim;
    const int64_t count = t->o.batch;
    for (int64_t i = 0; i < count; i++)
        t->batch_rows[i] = t->held + i % t->rows;
    SFI_TRY(sfi_noised_draw(&t->noised, t->batch_rows, count, t->o.seed,
                            JUDGE_STEP - 1));
    return sfi_kernel_network_fix(
        t->model, (sf_cmat){t->noised.y, count, d, d},
        (sf_cmat){t->exact + t->held * columns, t->rows, columns, columns});
}

static sf_status initialise(sf_trainer *t)
{
    if (is_flow(&t->o))
        SFI_TRY(sfi_flow_initialise(t->model, t->o.seed));
    else if (is_decoder(&t->o))
        SFI_TRY(sfi_autoencoder_start(t->model, t->data + t->held * t->columns,
                                      t->rows, t->o.seed, &t->start));
    else
        sfi_network_initialise(t->model, t->o.seed);
    for (int64_t i = 0; i < t->count; i++)
        t->weights[i] = t->average[i] = t->best[i] =
            (float)t->model->weights[i];
    for (int64_t i = 0; i < t->judged; i++)
        t->judged_rows[i] = i % t->held;
    t->s = (progress_state){.best_loss = INFINITY};
    sfi_trainer_shuffle(t);
    t->fingerprint = identify(t);
    return SF_OK;
}

static sf_status make_model(sf_trainer *t, int64_t dim,
                            const char *const *names)
{
    const sf_network_options *o = &t->o;
    const bool levels =
        o->objective == SF_OBJECTIVE_DSM || o->objective == SF_OBJECTIVE_FLOW;
    sfi_number numbers[SFI_MAX_NUMBERS];
    const bool kernels = t->noise.dim > 0;
    const bool flow = is_flow(o);
    const sfi_flow_shape shape = {o->layers,    o->width,
                                  o->bins,      (sfi_coupling)o->coupling,
                                  o->principal, o->one_scale};
    const bool decoder = is_decoder(o);
    const sfi_autoencoder_shape autoencoder = {
        o->latent,    o->width,      o->layers, o->diagonal,
        o->one_scale, o->no_encoder, 0};
    const bool manifold = o->objective == SF_OBJECTIVE_MANIFOLD;
    const bool injective = o->objective == SF_OBJECTIVE_INJECTIVE;
    if ((decoder || injective) && o->latent >= dim)
        return SFI_FAIL(t->ctx, SF_E_ARG,
                        "fit: %lld latent variables of %lld columns, want "
                        "fewer than those",
                        (long long)o->latent, (long long)dim);
    const int number_count =
        manifold    ? sfi_manifold_numbers(numbers, &autoencoder, o->principal)
        : decoder   ? sfi_autoencoder_numbers(numbers, &autoencoder)
        : injective ? sfi_injective_numbers(numbers, &shape, o->latent)
        : flow      ? sfi_flow_numbers(numbers, &shape)
        : kernels   ? sfi_kernel_network_numbers(numbers, o->width, o->layers,
                                                 o->sigma_min)
                  : sfi_network_numbers(numbers, o->width, o->layers, o->energy,
                                        o->sigma_min, o->sigma_max,
                                        levels ? -1.0 : o->noise_level);
    SFI_TRY(sfi_model_new(t->ctx, &t->model,
                          injective  ? &sfi_injective_ops
                          : flow     ? &sfi_flow_ops
                          : manifold ? &sfi_manifold_ops
                          : decoder  ? &sfi_vae_ops
                                     : &sfi_network_ops,
                          dim, names, kernels ? &t->noise : NULL, number_count,
                          numbers));
    t->count = t->model->weight_count;
    t->trained = sfi_trained_weights(t->model);
    return SF_OK;
}

/* Which kernels, and what draws from them. */
static sf_status prepare_kernels(sf_trainer *t, sf_cmat data,
                                 const char *const *names)
{
    sf_context *ctx = t->ctx;
    const size_t d = (size_t)data.cols;
    char **shown = sfi_copy_names(ctx, data.cols, names);
    t->unit = sfi_alloc(ctx, 2 * d, sizeof *t->unit);
    t->exact = sfi_alloc(ctx, t->cells, sizeof *t->exact);
    sf_status status =
        shown != NULL && t->unit != NULL && t->exact != NULL
            ? sfi_choose_kernels(
                  ctx, &t->noise,
                  &(sfi_kernel_table){.data = data,
                                      .names = (const char *const *)shown},
                  t->o.kernel, t->unit, t->unit + d)
            : SF_E_NOMEM;
    sfi_free_names(ctx, data.cols, shown);
    SFI_TRY(status);
    const int64_t counts = sfi_noise_find(&t->noise, true);
    if (counts >= 0)
        return SFI_FAIL(
            ctx, SF_E_ARG,
            "fit: kernel %s is for counts or levels, which have no score for a "
            "network to learn; fit an empirical model",
            sfi_noise_block(&t->noise, counts)->kernel.ops->family);
    for (int64_t j = 0; j < data.cols; j++)
        if (sfi_kernel_remembers(&sfi_noise_block(&t->noise, j)->kernel))
            return SFI_FAIL(
                ctx, SF_E_ARG,
                "fit: on the path \"ve\" the distribution at t = 1 depends "
                "on the data, and a network has none; want "
                "\"linear\" or \"vp\"");
    return SF_OK;
}

/* The losses, and what is drawn for them. */
static sf_status prepare_losses(sf_trainer *t)
{
    const sf_network_options *o = &t->o;
    const bool averaged = o->target_rows > 1;
    const unsigned value = SFI_LOSS_VALUE, gradient = SFI_LOSS_GRADIENT;
    const int64_t most = o->batch > t->judged ? o->batch : t->judged;
    SFI_TRY(sfi_loss_new(&t->loss, t->model, o->objective, SF_F32,
                         averaged ? value : value | gradient));
    if (averaged)
        SFI_TRY(sfi_loss_new(&t->averaged, t->model, o->objective, SF_F32,
                             gradient | SFI_LOSS_AVERAGED));
    if (t->noise.dim == 0)
        return SF_OK;
    SFI_TRY(sfi_noised_new(
        &t->noised, t->model,
        (sf_cmat){t->exact, t->held + t->rows, t->columns, t->columns}, most,
        o->target_rows));
    return fix_scales(t);
}

static sf_status make(sf_trainer *t, sf_cmat data, const char *const *names)
{
    sf_context *ctx = t->ctx;
    sf_network_options *o = &t->o;
    const size_t rows = (size_t)data.rows;
    t->columns = data.cols;
    int64_t *index = sfi_alloc(ctx, rows, sizeof *index);
    t->cells = rows * (size_t)data.cols;
    t->data = sfi_alloc(ctx, t->cells, sizeof *t->data);
    sf_status status = SF_E_NOMEM;
    if (index != NULL && t->data != NULL) {
        t->held = sf_split_rows(o->seed, data.rows, o->validation, index);
        t->rows = data.rows - t->held;
        choose_budget(o, t->rows, data.cols);
        status = o->kernel != NULL ? prepare_kernels(t, data, names) : SF_OK;
    }
    if (status == SF_OK)
        status = make_model(t, data.cols, names);
    if (status == SF_OK)
        status = take_data(t, data, index);
    sfi_free(ctx, index, rows, sizeof *index);
    SFI_TRY(status);
    if (t->held > 0)
        t->judged = (JUDGED_POINTS + t->held - 1) / t->held * t->held;
    if (!allocate(t))
        return SF_E_NOMEM;
    SFI_TRY(prepare_losses(t));
    if (o->no_encoder)
        SFI_TRY(sfi_inferred_new(&t->inferred, t->model, t->data, data.rows,
                                 o->batch > t->judged ? o->batch : t->judged));
    return initialise(t);
}

/* Of rows whose repeated values are spread, or as they are. */
static sf_status prepare(sf_trainer *t, sf_cmat data, const char *const *names)
{
    sf_context *ctx = t->ctx;
    const int64_t n = data.rows, d = data.cols;
    const bool unbounded =
        is_flow(&t->o) || (is_decoder(&t->o) && t->o.diagonal);
    if (unbounded && !t->o.dequantise)
        SFI_TRY(sfi_warn_of_repeats(ctx, data, names));
    if (!unbounded || !t->o.dequantise)
        return make(t, data, names);
    t->columns = d;
    t->share = sfi_alloc(ctx, (size_t)d, sizeof *t->share);
    double *spread = sfi_alloc(ctx, (size_t)(n * d), sizeof *spread);
    sf_status status = SF_E_NOMEM;
    if (t->share != NULL && spread != NULL)
        status = sf_dequantise(ctx, (sf_mat){spread, n, d, d}, data, t->o.seed,
                               t->share);
    if (status == SF_OK)
        status = make(t, (sf_cmat){spread, n, d, d}, names);
    sfi_free(ctx, spread, (size_t)(n * d), sizeof *spread);
    return status;
}

sf_status sf_trainer_new(sf_context *ctx, sf_trainer **out, sf_cmat data,
                         const char *const *names,
                         const sf_network_options *options)
{
    *out = NULL;
    sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check_options(ctx, &o));
    SFI_TRY(sfi_check_finite(ctx, data, 0, names, "fit"));
    if (data.rows < 4 ||
        data.rows - (int64_t)floor(o.validation * (double)data.rows + 0.5) < 2)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "fit: %lld rows, want at least 4 (and 2 of them not "
                        "held out)",
                        (long long)data.rows);
    if (o.no_encoder && data.rows > SFI_INFERRED_ROWS)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "fit: %lld rows, want at most %d without an encoder, "
                        "since all of them are inferred again and again",
                        (long long)data.rows, (int)SFI_INFERRED_ROWS);
    sf_trainer *t = sfi_alloc_zero(ctx, 1, sizeof *t);
    if (t == NULL)
        return SF_E_NOMEM;
    t->ctx = ctx;
    t->o = o;
    const sf_status status = prepare(t, data, names);
    if (status != SF_OK) {
        sf_trainer_free(t);
        return status;
    }
    *out = t;
    return SF_OK;
}

void sf_trainer_free(sf_trainer *t)
{
    if (t == NULL)
        return;
    sf_context *ctx = t->ctx;
    const size_t n = (size_t)t->count;
    float *const arrays[] = {t->weights, t->moment1, t->moment2,
                             t->average, t->best,    t->gradient};
    for (size_t k = 0; k < SFI_COUNT(arrays); k++)
        sfi_free(ctx, arrays[k], n, sizeof(float));
    sfi_free(ctx, t->data, t->cells, sizeof *t->data);
    sfi_free(ctx, t->norms, (size_t)sfi_parallel_parts(t->count, UPDATE_CHUNK),
             sizeof *t->norms);
    sfi_free(ctx, t->batch_rows, (size_t)t->o.batch, sizeof *t->batch_rows);
    sfi_free(ctx, t->judged_rows, (size_t)t->judged, sizeof *t->judged_rows);
    sfi_free(ctx, t->order, (size_t)t->rows, sizeof *t->order);
    sfi_free(ctx, t->curve, t->curve_capacity, sizeof *t->curve);
    sfi_loss_free(&t->loss);
    sfi_loss_free(&t->averaged);
    sfi_noised_free(&t->noised);
    if (t->unit != NULL)
        sfi_free(ctx, t->unit, 2 * (size_t)t->columns, sizeof *t->unit);
    sfi_free(ctx, t->exact, t->cells, sizeof *t->exact);
    sfi_inferred_free(&t->inferred);
    sfi_free(ctx, t->asked, n, sizeof *t->asked);
    sfi_free(ctx, t->share, (size_t)t->columns, sizeof *t->share);
    sfi_noise_free(ctx, &t->noise);
    sf_model_free(t->start);
    sf_model_free(t->model);
    sfi_free(ctx, t, 1, sizeof *t);
}

/* ---- results ---------------------------------------------------------------- */

sf_status sf_trainer_model(const sf_trainer *t, sf_model **out)
{
    /* Never better than where it began, it is what it began as. */
    const bool began = t->o.objective == SF_OBJECTIVE_ELBO && t->held > 0 &&
                       t->s.best_step == 0;
    SFI_TRY(sfi_model_like(began ? t->start : t->model, out));
    if (began) {
        memcpy((*out)->weights, t->start->weights,
               (size_t)t->start->weight_count * sizeof *t->start->weights);
        return SF_OK;
    }
    for (int64_t i = 0; i < t->count; i++)
        (*out)->weights[i] = t->best[i];
    return t->o.objective == SF_OBJECTIVE_ELBO ? sfi_trainer_keep_codes(t, out)
           : t->o.objective >= SF_OBJECTIVE_MANIFOLD
               ? sfi_trainer_finish_manifold(t, *out)
               : SF_OK;
}

const double *sf_trainer_dequantised(const sf_trainer *t)
{
    return t->share;
}

void sf_trainer_report(const sf_trainer *t, sf_fit_report *out)
{
    *out = (sf_fit_report){.rows = t->rows,
                           .held_out = t->held,
                           .steps = t->s.step,
                           .planned = t->o.steps,
                           .batch = t->o.batch,
                           .best_step = t->s.best_step,
                           .best_loss = t->s.best_loss,
                           .seconds = t->s.seconds,
                           .stop = (sf_stop)t->s.stop};
}

int64_t sf_trainer_curve(const sf_trainer *t, const sf_curve_point **points)
{
    *points = t->curve;
    return t->s.curve_count;
}

sf_status sf_fit_network(sf_context *ctx, sf_model **out, sf_cmat data,
                         const char *const *names,
                         const sf_network_options *options,
                         sf_fit_report *report_out)
{
    *out = NULL;
    sf_trainer *t = NULL;
    SFI_TRY(sf_trainer_new(ctx, &t, data, names, options));
    bool finished = false;
    sf_status status = sf_trainer_run(t, 0, &finished);
    if (status == SF_OK)
        status = sf_trainer_model(t, out);
    if (report_out != NULL)
        sf_trainer_report(t, report_out);
    sf_trainer_free(t);
    return status;
}
