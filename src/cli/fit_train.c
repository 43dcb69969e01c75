/* SPDX-License-Identifier: Apache-2.0 */
/* fit_train.c - train a network, with checkpoints, and take a run up again. */
#include "cli/fit.h"

#include "scorefield/plot.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Updates between two looks at the clock, where checkpoints are written: well
 * below a second's work. */
enum { SLICE = 16 };

/* ---- options -------------------------------------------------------------- */

/* An option that a checkpoint fixes: what it was, as text, and whether what is
 * asked for now is something else. */
static sf_status check_same(cli *c, const char *name, bool differs,
                            const char *format, ...) SFI_PRINTF(4, 5);

static sf_status check_same(cli *c, const char *name, bool differs,
                            const char *format, ...)
{
    char was[64];
    va_list args;
    va_start(args, format);
    vsnprintf(was, sizeof was, format, args);
    va_end(args);
    if (!cli_given(c, name) || !differs)
        return SF_OK;
    return SFI_FAIL(c->ctx, SF_E_ARG,
                    "--%s was %s when the run of --resume began and must stay "
                    "so; leave it out, or begin a new run",
                    name, was);
}

static sf_status check_resumed(cli *c, const sf_network_options *was,
                               const sf_network_options *now)
{
#define SAME(name, member)                                                     \
    SFI_TRY(check_same(c, name, now->member != was->member, "%g",              \
                       (double)was->member))
    SAME("steps", steps);
    SAME("batch", batch);
    SAME("target-rows", target_rows);
    SAME("lr", rate);
    SAME("ema", ema);
    SAME("decay", decay);
    SAME("validation", validation);
    SAME("sigma-min", sigma_min);
    SAME("sigma-max", sigma_max);
    SAME("noise-level", noise_level);
    SAME("principal", principal);
    SAME("bins", bins);
    SAME("coupling", coupling);
    SAME("metric", one_scale);
    SAME("standardise", one_scale);
    SAME("noise", diagonal);
    SAME("kl-warmup", kl_warmup);
#undef SAME
    SFI_TRY(check_same(c, "objective", now->objective != was->objective,
                       "another"));
    SFI_TRY(check_same(c, "no-dequantise", now->dequantise != was->dequantise,
                       "not given"));
    SFI_TRY(check_same(c, "encoder", now->no_encoder != was->no_encoder,
                       was->no_encoder ? "none" : "network"));
    SFI_TRY(check_same(c, "energy", now->energy != was->energy, "not given"));
    SFI_TRY(check_same(
        c, "hidden", now->width != was->width || now->layers != was->layers,
        "%lldx%lld", (long long)was->width, (long long)was->layers));
    SFI_TRY(check_same(c, "kernel",
                       was->kernel == NULL || now->kernel == NULL ||
                           strcmp(was->kernel, now->kernel) != 0,
                       "%s", was->kernel != NULL ? was->kernel : "not given"));
    SFI_TRY(check_same(c, "epochs", true, "counted"));
    return check_same(c, "seed", now->seed != was->seed, "%llu",
                      (unsigned long long)was->seed);
}

static int model_of(sf_objective objective)
{
    return objective == SF_OBJECTIVE_LIKELIHOOD  ? FIT_FLOW
           : objective == SF_OBJECTIVE_ELBO      ? FIT_VAE
           : objective == SF_OBJECTIVE_MANIFOLD  ? FIT_MANIFOLD
           : objective == SF_OBJECTIVE_INJECTIVE ? FIT_INJECTIVE
                                                 : FIT_NETWORK;
}

/* The options that have another default for each model. */
static sf_network_options usual(const cli *c, const fit_options *o, int model)
{
    const sf_network_options of_network = SF_NETWORK_OPTIONS_INIT,
                             of_flow = SF_FLOW_OPTIONS_INIT,
                             of_vae = SF_VAE_OPTIONS_INIT,
                             of_manifold = SF_MANIFOLD_OPTIONS_INIT,
                             of_injective = SF_INJECTIVE_OPTIONS_INIT;
    const bool network = model == FIT_NETWORK, own = o->model == model;
    sf_network_options n = network                  ? of_network
                           : model == FIT_FLOW      ? of_flow
                           : model == FIT_MANIFOLD  ? of_manifold
                           : model == FIT_INJECTIVE ? of_injective
                                                    : of_vae;
    if (network)
        n.objective = (sf_objective)o->objective;
    n.energy = o->energy && network;
    if (network || (cli_given(c, "hidden") && own)) {
        n.width = o->hidden.first;
        n.layers = o->hidden.second;
    }
    if (network || (cli_given(c, "lr") && own))
        n.rate = o->lr;
    if (network || (cli_given(c, "decay") && own))
        n.decay = o->decay;
    return n;
}

sf_status fit_network_options(cli *c, const fit_options *o, int model,
                              const sf_checkpoint *resumed,
                              sf_network_options *out)
{
    static const char *const names[] = {[FIT_NETWORK] = "network",
                                        [FIT_FLOW] = "flow",
                                        [FIT_VAE] = "vae",
                                        [FIT_MANIFOLD] = "manifold",
                                        [FIT_INJECTIVE] = "flow --latent K"};
    sf_network_options n = usual(c, o, model);
    if (model < FIT_MANIFOLD || cli_given(c, "principal"))
        n.principal = o->principal;
    n.one_scale = o->metric == FIT_METRIC_DATA;
    n.coupling = (sf_coupling)o->coupling;
    n.bins = o->bins;
    n.diagonal = o->noise == FIT_NOISE_DIAGONAL;
    n.kl_warmup = o->kl_warmup;
    n.no_encoder = o->encoder == FIT_ENCODER_NONE;
    n.dequantise = n.dequantise && !o->no_dequantise;
    if (model == FIT_VAE || model == FIT_MANIFOLD)
        n.one_scale = !n.diagonal && !o->standardise;
    n.steps = o->steps;
    n.batch = o->batch;
    n.target_rows = o->target_rows;
    n.ema = o->ema;
    n.validation = o->validation;
    n.sigma_min = o->sigma_min;
    n.sigma_max = o->sigma_max;
    n.noise_level = o->noise_level;
    n.time_limit = o->time_limit;
    n.seed = c->common.seed;
    n.kernel = o->kernel;
    const int was =
        resumed != NULL ? model_of(resumed->options.objective) : model;
    if (was != model)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--resume: the run was of a %s; want --model %s",
                        names[was], names[was]);
    if (resumed != NULL) {
        SFI_TRY(check_resumed(c, &resumed->options, &n));
        n = resumed->options;
        n.time_limit = o->time_limit;
    }
    *out = n;
    return SF_OK;
}

/* ---- training ------------------------------------------------------------- */

/* The trainer, which copies the data; with --epochs, made twice, since only the
 * first knows how many rows and which batch an epoch has. */
static sf_status new_trainer(cli *c, const fit_options *o, const fit_data *d,
                             sf_network_options options, sf_trainer **out)
{
    const sf_status status =
        sf_trainer_new(c->ctx, out, d->matrix, d->names, &options);
    /* With kernels what is no argument is most often their text. */
    if (status == SF_E_ARG && options.kernel != NULL)
        return status;
    SFI_TRY(fit_data_error(d, status));
    if (!cli_given(c, "epochs"))
        return SF_OK;
    sf_fit_report report;
    sf_trainer_report(*out, &report);
    sf_trainer_free(*out);
    *out = NULL;
    options.steps =
        (int64_t)ceil(o->epochs * (double)report.rows / (double)report.batch);
    return fit_data_error(
        d, sf_trainer_new(c->ctx, out, d->matrix, d->names, &options));
}

static sf_status restore(cli *c, const fit_options *o, const fit_data *d,
                         const sf_checkpoint *resumed, uint64_t fingerprint,
                         sf_trainer *trainer)
{
    if (resumed->rows != d->complete || resumed->dim != d->dim ||
        resumed->fingerprint != fingerprint)
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: the run was on other data: %lld rows of %lld "
                        "columns, and %s has %lld of %lld%s",
                        o->resume, (long long)resumed->rows,
                        (long long)resumed->dim, d->path,
                        (long long)d->complete, (long long)d->dim,
                        resumed->rows == d->complete && resumed->dim == d->dim
                            ? " with other cells"
                            : "");
    sf_status status =
        sf_trainer_restore(trainer, resumed->state, resumed->state_size);
    if (status == SF_E_ARG) {
        sfi_message_prefix(c->ctx, "%s: ", o->resume);
        status = SF_E_FORMAT;
    }
    return status;
}

static sf_status write_checkpoint(cli *c, const fit_options *o,
                                  const fit_data *d,
                                  const sf_network_options *options,
                                  uint64_t fingerprint,
                                  const sf_trainer *trainer)
{
    const size_t size = sf_trainer_state_size(trainer);
    void *state = sfi_alloc(c->ctx, size, 1);
    if (state == NULL)
        return SF_E_NOMEM;
    sf_trainer_state(trainer, state);
    sf_checkpoint k = SF_CHECKPOINT_INIT;
    k.options = *options;
    k.rows = d->complete;
    k.dim = d->dim;
    k.fingerprint = fingerprint;
    k.columns = d->names;
    k.command = c->command_line;
    k.state = state;
    k.state_size = size;
    const sf_status status = sf_checkpoint_save(c->ctx, &k, o->checkpoint);
    sfi_free(c->ctx, state, size, 1);
    return status;
}

/* Train to the end, in slices between which a checkpoint may be written. */
static sf_status run(cli *c, const fit_options *o, const fit_data *d,
                     const sf_network_options *options, uint64_t fingerprint,
                     sf_trainer *trainer)
{
    if (o->checkpoint == NULL) {
        bool finished = false;
        return sf_trainer_run(trainer, 0, &finished);
    }
    bool finished = false;
    double written = sfi_clock();
    while (!finished) {
        SFI_TRY(sf_trainer_run(trainer, SLICE, &finished));
        const double now = sfi_clock();
        if (!finished && now - written < o->checkpoint_every)
            continue;
        /* A full disk there is no reason to lose the model, which goes elsewhere. */
        const sf_status kept =
            write_checkpoint(c, o, d, options, fingerprint, trainer);
        if (kept == SF_E_IO)
            sfi_warn(c->ctx, "%s: no checkpoint is kept: %s", o->checkpoint,
                     sf_context_message(c->ctx));
        else
            SFI_TRY(kept);
        written = now;
    }
    return SF_OK;
}

sf_status fit_train(cli *c, const fit_options *o, const fit_data *d,
                    const sf_network_options *options,
                    const sf_checkpoint *resumed, sf_trainer **trainer)
{
    *trainer = NULL;
    SFI_TRY(new_trainer(c, o, d, *options, trainer));
    /* What an epoch or the size of the data decided is fixed from here on. */
    sf_network_options fixed = *options;
    sf_fit_report report;
    sf_trainer_report(*trainer, &report);
    fixed.steps = report.planned;
    fixed.batch = report.batch;
    const uint64_t fingerprint = o->checkpoint != NULL || resumed != NULL
                                     ? sf_data_fingerprint(d->matrix)
                                     : 0;
    if (resumed != NULL) {
        SFI_TRY(restore(c, o, d, resumed, fingerprint, *trainer));
        sf_trainer_report(*trainer, &report);
        cli_note(c, "goes on at step %lld of %lld", (long long)report.steps,
                 (long long)report.planned);
    }
    c->time_limit = o->time_limit;
    cli_progress_begin(c);
    const sf_status status = run(c, o, d, &fixed, fingerprint, *trainer);
    cli_progress_end(c);
    return status;
}

/* ---- candidates ----------------------------------------------------------- */

double fit_time_left(const fit_job *j)
{
    return j->o->time_limit > 0.0 ? j->o->time_limit - (sfi_clock() - j->begun)
                                  : INFINITY;
}

sf_status fit_train_candidate(fit_job *j, candidate *k, const fit_options *o,
                              sf_network_options options, double part,
                              sf_trainer **trainer)
{
    const sf_checkpoint *resumed = o->resume != NULL ? &j->checkpoint : NULL;
    if (o->time_limit > 0.0)
        options.time_limit = fmax(0.001, part * fit_time_left(j));
    SFI_TRY(fit_train(j->c, o, &j->data, &options, resumed, trainer));
    return sf_trainer_model(*trainer, &k->model);
}

/* ---- the curve ------------------------------------------------------------ */

static sf_status draw_curve(cli *c, const sf_table *table, const char *path)
{
    /* Views with a stride: columns 0 and 1, and, moved, 0 and 2. */
    const int64_t n = table->rows;
    double *held = sfi_alloc(c->ctx, (size_t)n * 2, sizeof *held);
    if (held == NULL)
        return SF_E_NOMEM;
    int64_t held_rows = 0;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(table->data[i * 3 + 2])) {
            held[2 * held_rows] = table->data[i * 3];
            held[2 * held_rows++ + 1] = table->data[i * 3 + 2];
        }
    const sf_cmat train = {table->data, n, 2, 3};
    const sf_cmat judged = {held, held_rows, 2, 2};
    const sf_status status =
        sf_plot_training(c->ctx, path, train, judged, NULL);
    sfi_free(c->ctx, held, (size_t)n * 2, sizeof *held);
    return status;
}

bool fit_curve_is_table(const char *path)
{
    return cli_has_extension(path, ".csv") || cli_has_extension(path, ".npy");
}

sf_status fit_write_curve(cli *c, const sf_trainer *trainer, const char *path)
{
    static const char *const names[] = {"step", "train", "held_out"};
    const sf_curve_point *points = NULL;
    const int64_t n = sf_trainer_curve(trainer, &points);
    sf_table table;
    SFI_TRY(sf_table_new(c->ctx, &table, n, 3, names));
    for (int64_t i = 0; i < n; i++) {
        table.data[i * 3] = (double)points[i].step;
        table.data[i * 3 + 1] = points[i].train;
        table.data[i * 3 + 2] = points[i].held_out;
    }
    const sf_status status = fit_curve_is_table(path)
                                 ? sf_table_write(c->ctx, &table, path)
                                 : draw_curve(c, &table, path);
    sf_table_free(c->ctx, &table);
    return status;
}
