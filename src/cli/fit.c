/* SPDX-License-Identifier: Apache-2.0 */
/* fit.c - scorefield fit: learn a model from a table.
 *
 * The table is read and shown (fit_data.c), the candidates are fitted and one is
 * kept (fit_candidates.c, fit_train.c), the model is written with a report of how
 * it came about, and the same report is told. */
#include "cli/fit.h"

#include "io/input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- options -------------------------------------------------------------- */

#define OPTION(kind_, letter_, name_, argument_, member, initial_, range_,     \
               choices_, help_)                                                \
    {                                                                          \
        .kind = kind_, .letter = letter_, .name = name_,                       \
        .argument = argument_, .offset = offsetof(fit_options, member),        \
        .initial = initial_, .range = range_, .choices = choices_,             \
        .help = help_                                                          \
    }

#define SHOWN(...) CLI_SHOWN(fit_options, __VA_ARGS__)
#define RARE(...)  CLI_RARE(fit_options, __VA_ARGS__)

/* In the order of FIT_AUTO ... */
static const char models[] =
    "auto|gaussian|mixture|network|empirical|pca|fa|flow|vae|manifold|decoder";

/* In the order of FIT_METRIC_STANDARD ..., and of sf_coupling. */
static const char metrics[] = "standard|data", couplings[] = "spline|affine";

/* Of networks in the order of sf_objective, then of densities. */
static const char objectives[] =
    "dsm|flow|implicit|sliced|likelihood|elbo|manifold|injective|general";

static const cli_option options[] = {
    OPTION(CLI_TEXT, 'o', "output", "FILE", output, NULL, NULL, NULL,
           "The model, a .safetensors file"),
    OPTION(CLI_CHOICE, 0, "model", "M", model, "auto", NULL, models,
           "auto, gaussian, mixture, empirical, flow, ..."),
    RARE(CLI_WHOLE, "components", "K", components, NULL, "[1, 256]"),
    RARE(CLI_NUMBER, "prior-rows", "N", prior_rows, NULL, ">= 0"),
    RARE(CLI_TEXT, "latent", "K", latent, "auto", NULL),
    RARE(CLI_FLAG, "standardise", NULL, standardise, NULL, NULL),
    {.kind = CLI_CHOICE,
     .name = "noise",
     .argument = "N",
     .offset = offsetof(fit_options, noise),
     .initial = "isotropic",
     .choices = "isotropic|diagonal",
     .rare = true},
    RARE(CLI_NUMBER, "kl-warmup", "F", kl_warmup, "0", "[0, 1]"),
    {.kind = CLI_CHOICE,
     .name = "encoder",
     .argument = "E",
     .offset = offsetof(fit_options, encoder),
     .initial = "network",
     .choices = "network|none",
     .rare = true},
    RARE(CLI_FLAG, "no-dequantise", NULL, no_dequantise, NULL, NULL),
    RARE(CLI_NUMBER, "principal", "A", principal, "0", "[0, 1e6]"),
    {.kind = CLI_CHOICE,
     .name = "metric",
     .argument = "M",
     .offset = offsetof(fit_options, metric),
     .initial = "standard",
     .choices = metrics,
     .rare = true},
    {.kind = CLI_CHOICE,
     .name = "coupling",
     .argument = "C",
     .offset = offsetof(fit_options, coupling),
     .initial = "spline",
     .choices = couplings,
     .rare = true},
    RARE(CLI_WHOLE, "bins", "K", bins, "8", "[2, 64]"),
    SHOWN(CLI_TEXT, "kernel", "K", kernel, "by column", NULL,
          "FAMILY[:NAME=VALUE,...] or \"A=K; B,C=K\""),
    SHOWN(CLI_TEXT, "bandwidth", "B", bandwidth, "loo", NULL,
          "Noise time: loo, adaptive, a number; or local"),
    {.kind = CLI_CHOICE,
     .name = "for",
     .argument = "WHAT",
     .offset = offsetof(fit_options, purpose),
     .initial = "auto",
     .choices = "auto|rows|density",
     .rare = true},
    RARE(CLI_TEXT, "target", "COLUMN", target, NULL, NULL),
    RARE(CLI_WHOLE, "neighbours", "K", neighbours, "3", "[1, 512]"),
    RARE(CLI_NUMBER, "privacy-ratio", "R", privacy_ratio, NULL, "(0, 10]"),
    RARE(CLI_FLAG, "no-agree", NULL, no_agree, NULL, NULL),
    RARE(CLI_TEXT, "floor", "E", floor, "0", NULL),
    RARE(CLI_FLAG, "complete-rows", NULL, complete_rows, NULL, NULL),
    RARE(CLI_TEXT, "weights", "COLUMN", weights, NULL, NULL),
    SHOWN(CLI_TEXT, "columns", "LIST", columns, "all of numbers", NULL,
          "Use these columns: a,\"b, c\""),
    OPTION(CLI_NUMBER, 0, "validation", "F", validation, "0.1", "[0, 0.9]",
           NULL, "Fraction of rows held out"),
    OPTION(CLI_CHOICE, 0, "objective", "O", objective, "dsm", NULL, objectives,
           "dsm, flow, implicit, sliced; general"),
    RARE(CLI_FLAG, "energy", NULL, energy, NULL, NULL),
    OPTION(CLI_PAIR, 0, "hidden", "WxL", hidden, "128x4", NULL, NULL,
           "Width and number of hidden layers"),
    SHOWN(CLI_WHOLE, "steps", "N", steps, "from rows", "[1, 1e9]", "Updates"),
    RARE(CLI_NUMBER, "epochs", "E", epochs, NULL, "> 0"),
    SHOWN(CLI_WHOLE, "batch", "B", batch, "from rows", "[1, 1048576]",
          "Rows of an update"),
    RARE(CLI_WHOLE, "target-rows", "R", target_rows, "1", "[1, 65536]"),
    OPTION(CLI_NUMBER, 0, "lr", "R", lr, "0.002", "(0, 10]", NULL,
           "Peak learning rate"),
    RARE(CLI_NUMBER, "ema", "E", ema, "0.05", "(0, 1]"),
    RARE(CLI_NUMBER, "decay", "D", decay, "0.0001", "[0, 10]"),
    RARE(CLI_NUMBER, "sigma-min", "S", sigma_min, NULL, "[1e-6, 10]"),
    RARE(CLI_NUMBER, "sigma-max", "S", sigma_max, "80", "[1, 1e5]"),
    RARE(CLI_NUMBER, "noise-level", "S", noise_level, "0.05", "[0, 100]"),
    OPTION(CLI_NUMBER, 0, "time-limit", "SEC", time_limit, NULL, "> 0", NULL,
           "Train no longer; Ctrl-C ends it too"),
    OPTION(CLI_TEXT, 0, "checkpoint", "FILE", checkpoint, NULL, NULL, NULL,
           "Keep the run there, for --resume"),
    RARE(CLI_NUMBER, "checkpoint-every", "S", checkpoint_every, "60", "> 0"),
    OPTION(CLI_TEXT, 0, "resume", "FILE", resume, NULL, NULL, NULL,
           "Go on with the run of a checkpoint"),
    OPTION(CLI_TEXT, 0, "curve", "FILE", curve, NULL, NULL, NULL,
           "Training curve: .csv, .png, .svg, .pdf"),
    OPTION(CLI_TEXT, 0, "density", "EXPR", density, NULL, NULL, NULL,
           "Instead of --model: a log density's parameters"),
    OPTION(CLI_TEXTS, 0, "param", "P", params, NULL, NULL, NULL,
           "k, s>0, mu[2], M[2,2]=symmetric, ...; many times"),
    RARE(CLI_TEXT, "domain", "F", domain, NULL, NULL),
    RARE(CLI_TEXT, "boundary-weight", "EXPR", weight, NULL, NULL),
    RARE(CLI_WHOLE, "starts", "N", starts, "8", "[1, 1048576]"),
    RARE(CLI_WHOLE, "slices", "K", slices, "0", "[0, 256]"),
    OPTION(CLI_TEXT, 0, "sparse", "NAMES", sparse, NULL, NULL, NULL,
           "Parameters with many zeros: a path of penalties"),
    RARE(CLI_WHOLE, "lambdas", "L", lambdas, "100", "[1, 10000]"),
    RARE(CLI_NUMBER, "lambda-ratio", "R", lambda_ratio, "0.001", "(0, 1)"),
    RARE(CLI_NUMBER, "gamma", "G", gamma, "0.5", "[0, 1]"),
    CLI_READ_OPTIONS(fit_options, read),
    {0}};

/* Options that mean nothing without a network, up to NULL. */
static const char *const network_only[] = {
    "validation", /* first: the number of latent variables is chosen by it too */
    "objective",
    "energy",
    "hidden",
    "steps",
    "epochs",
    "batch",
    "lr",
    "ema",
    "decay",
    "sigma-min",
    "sigma-max",
    "noise-level",
    "time-limit",
    "checkpoint",
    "resume",
    "curve",
    "checkpoint-every",
    "target-rows",
    NULL};

/* Of those, what means nothing for flows. */
static const char *const score_only[] = {"objective", "energy", "sigma-min",
                                         "sigma-max", "noise-level"};

static const char *const flow_only[] = {"principal", "metric", "coupling",
                                        "bins"};

static const char *const vae_only[] = {"kl-warmup", "encoder"};

static const char *const empirical_only[] = {
    "bandwidth",  "floor",    "weights",       "target",
    "neighbours", "no-agree", "privacy-ratio", "complete-rows"};
static const char *const local_only[] = {"target", "neighbours", "no-agree",
                                         "privacy-ratio"};
static const char *const not_local[] = {"kernel", "floor", "weights"};

/* Options that go with --bandwidth local, or do not. */
static sf_status check_local(cli *c, const fit_options *o)
{
    const bool local =
        o->bandwidth != NULL && strcmp(o->bandwidth, "local") == 0;
    for (size_t i = 0; i < SFI_COUNT(local_only) && !local; i++)
        if (cli_given(c, local_only[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to --bandwidth local",
                            local_only[i]);
    for (size_t i = 0; i < SFI_COUNT(not_local) && local; i++)
        if (cli_given(c, not_local[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s does not apply to --bandwidth local",
                            not_local[i]);
    if (o->privacy_ratio > 0.0 && cli_given(c, "neighbours"))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--privacy-ratio finds the number of neighbours, and "
                        "--neighbours gives it; want one of them");
    return SF_OK;
}

/* Options that are about another model than the one that is fitted. */
static sf_status check_about(cli *c, const fit_options *o)
{
    char name[32];
    cli_choice(models, o->model, name, sizeof name);
    const bool vae = o->model == FIT_VAE, manifold = o->model == FIT_MANIFOLD;
    const bool decodes = vae || manifold;
    const bool trains = o->model == FIT_AUTO || o->model == FIT_NETWORK ||
                        o->model == FIT_FLOW || decodes;
    const bool latent = o->model == FIT_PCA || o->model == FIT_FA;
    for (size_t i = 0; network_only[i] != NULL && !trains; i++)
        if (cli_given(c, network_only[i]) && (i > 0 || !latent))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to networks, and --model is %s",
                            network_only[i], name);
    for (size_t i = 0; i < SFI_COUNT(empirical_only); i++)
        if (o->model != FIT_EMPIRICAL && cli_given(c, empirical_only[i]) &&
            !(o->model == FIT_AUTO && o->complete_rows &&
              strcmp(empirical_only[i], "complete-rows") == 0))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to empirical models, and "
                            "--model is %s",
                            empirical_only[i], name);
    SFI_TRY(check_local(c, o));
    if (o->model != FIT_AUTO && cli_given(c, "for"))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--for applies only to --model auto, and --model is %s",
                        name);
    if (cli_given(c, "components") && o->model != FIT_MIXTURE)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--components applies only to --model mixture, and "
                        "--model is %s",
                        name);
    if (cli_given(c, "prior-rows") && o->model != FIT_GAUSSIAN)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--prior-rows applies only to --model gaussian, and "
                        "--model is %s",
                        name);
    for (size_t i = 0; i < SFI_COUNT(score_only); i++)
        if ((o->model == FIT_FLOW || decodes) && cli_given(c, score_only[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to networks, and --model is %s",
                            score_only[i], name);
    for (size_t i = 0; i < SFI_COUNT(flow_only); i++)
        if (o->model != FIT_FLOW && !(manifold && i == 0) &&
            cli_given(c, flow_only[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to --model flow, and --model is "
                            "%s",
                            flow_only[i], name);
    for (size_t i = 0; i < SFI_COUNT(vae_only); i++)
        if (!vae && cli_given(c, vae_only[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to --model vae, and --model is "
                            "%s",
                            vae_only[i], name);
    if (o->encoder == FIT_ENCODER_NONE && cli_given(c, "kl-warmup"))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--kl-warmup applies only to an encoder, and --encoder "
                        "is none");
    if (o->no_dequantise && o->model != FIT_FLOW && o->model != FIT_AUTO &&
        !(decodes && o->noise == FIT_NOISE_DIAGONAL))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--no-dequantise applies only to --model flow, auto "
                        "and vae with --noise diagonal, and --model is %s",
                        name);
    if (cli_given(c, "noise") && !decodes)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--noise applies only to --model vae and manifold, and "
                        "--model is %s",
                        name);
    if (cli_given(c, "latent") && !latent && !decodes && o->model != FIT_FLOW)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--latent applies only to --model pca, fa, flow, vae "
                        "and manifold, and --model is %s",
                        name);
    if (o->standardise && o->model != FIT_PCA && !decodes)
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "--standardise applies only to --model pca, vae and "
            "manifold (factor analysis does not depend on units), and "
            "--model is %s",
            name);
    if ((latent || vae) && o->validation == 0.0 &&
        strcmp(o->latent, "auto") == 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--latent auto compares on held-out rows; want "
                        "--validation > 0");
    if (o->target_rows > 1 && !cli_given(c, "kernel") && o->resume == NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--target-rows applies only to networks with "
                        "--kernel");
    if (cli_given(c, "kernel") && o->model != FIT_EMPIRICAL &&
        o->model != FIT_NETWORK)
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "--kernel applies only to empirical models and networks, and "
            "--model is %s",
            name);
    return SF_OK;
}

static sf_status check_output(cli *c, const fit_options *o)
{
    const cli_file files[] = {{.option = "-o",
                               .path = o->output,
                               .is_output = true,
                               .is_binary = true,
                               .endings = ".safetensors",
                               .want = "a .safetensors file"},
                              {.option = "--curve",
                               .path = o->curve,
                               .is_output = true,
                               .optional = true,
                               .endings = ".csv|.npy|.png|.svg|.pdf",
                               .want = ".csv, .png, .svg or .pdf"},
                              CLI_CHECKPOINT_FILES(o)};
    SFI_TRY(cli_check_files(c, files, (int)SFI_COUNT(files)));
    return o->curve != NULL && !fit_curve_is_table(o->curve)
               ? cli_need_pictures(c->ctx)
               : SF_OK;
}

static const char *const density_only[] = {
    "param",  "domain",  "boundary-weight", "starts", "slices",
    "sparse", "lambdas", "lambda-ratio",    "gamma"};
static const char *const sparse_only[] = {"lambdas", "lambda-ratio", "gamma"};

/* Options that are about models while a density is fitted. */
static sf_status check_density(cli *c, const fit_options *o)
{
    static const char *const others[] = {"model", "kernel"};
    for (size_t i = 0; i < SFI_COUNT(others); i++)
        if (cli_given(c, others[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s and --density: want one of them", others[i]);
    for (size_t i = 0; network_only[i] != NULL; i++)
        if (cli_given(c, network_only[i]) &&
            strcmp(network_only[i], "objective") != 0)
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to networks, not to --density",
                            network_only[i]);
    for (size_t i = 0; i < SFI_COUNT(empirical_only); i++)
        if (cli_given(c, empirical_only[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to empirical models, not to "
                            "--density",
                            empirical_only[i]);
    for (size_t i = 0; i < SFI_COUNT(sparse_only); i++)
        if (o->sparse == NULL && cli_given(c, sparse_only[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG, "--%s applies only to --sparse",
                            sparse_only[i]);
    if (o->sparse != NULL && cli_given(c, "starts"))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--sparse wants an objective that is a quadratic, "
                        "which needs no --starts");
    if (cli_given(c, "objective") && o->objective != SF_OBJECTIVE_IMPLICIT &&
        o->objective != FIT_GENERAL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--density has the objectives implicit and general");
    return SF_OK;
}

static sf_status check_options(cli *c, const fit_options *o)
{
    char name[32];
    if (o->model >= FIT_LATER) {
        cli_choice(models, o->model, name, sizeof name);
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "--model %s is not in this version, scorefield %s; "
            "want auto, gaussian, mixture, network, empirical, pca, fa, flow, "
            "vae or manifold",
            name, sf_version());
    }
    SFI_TRY(check_about(c, o));
    for (size_t i = 0; i < SFI_COUNT(density_only); i++)
        if (cli_given(c, density_only[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG, "--%s applies only to --density",
                            density_only[i]);
    static const char *const whose[] = {[SF_OBJECTIVE_LIKELIHOOD] = "flow",
                                        [SF_OBJECTIVE_ELBO] = "vae",
                                        [SF_OBJECTIVE_MANIFOLD] = "manifold",
                                        [SF_OBJECTIVE_INJECTIVE] =
                                            "flow --latent K"};
    if (o->objective >= SF_OBJECTIVE_LIKELIHOOD && o->objective < FIT_GENERAL) {
        cli_choice(objectives, o->objective, name, sizeof name);
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--objective %s is that of --model %s, which needs no "
                        "--objective",
                        name, whose[o->objective]);
    }
    if (o->objective == FIT_GENERAL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--objective general (generalized score matching) "
                        "applies only to --density");
    const bool one_level = o->objective == SF_OBJECTIVE_IMPLICIT ||
                           o->objective == SF_OBJECTIVE_SLICED;
    if (o->model == FIT_AUTO && one_level)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--model auto compares likelihoods, which a network "
                        "of one noise level does not have; use --model "
                        "network");
    if (o->model == FIT_AUTO && o->validation == 0.0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--model auto compares on held-out rows; want "
                        "--validation > 0");
    if (cli_given(c, "noise-level") && !one_level && o->resume == NULL)
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "--noise-level applies only to the objectives implicit and "
            "sliced");
    if (cli_given(c, "steps") && cli_given(c, "epochs"))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--steps and --epochs say the same; want one of them");
    if (cli_given(c, "checkpoint-every") && o->checkpoint == NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--checkpoint-every wants --checkpoint FILE");
    if (o->sigma_max <= o->sigma_min)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--sigma-max is %g and --sigma-min %g, want more",
                        o->sigma_max, o->sigma_min);
    return check_output(c, o);
}

/* ---- the report ----------------------------------------------------------- */

static const char *stop_text(sf_stop stop)
{
    switch (stop) {
    case SF_STOP_STEPS:
        return "all steps done";
    case SF_STOP_PATIENCE:
        return "the held-out loss stopped improving";
    case SF_STOP_TIME:
        return "time limit";
    case SF_STOP_CANCELLED:
        break;
    }
    return "interrupted";
}

static void report_candidate(const fit_job *j, json_t *list, const candidate *k,
                             const char *family)
{
    if (k->model == NULL)
        return;
    json_t *row = cli_add_object(j->c, list);
    cli_put_text(j->c, row, "family", family);
    cli_put_number(j->c, row, "held_out_log_likelihood",
                   k->logpdf != NULL ? k->mean : NAN);
    cli_put_number(j->c, row, "held_out_log_likelihood_se",
                   k->logpdf != NULL ? k->se : NAN);
}

/* The columns that were spread over the gaps between their values, and what the densities
 * are then. */
static void report_spread(const fit_job *j, const sf_trainer *t, json_t *report)
{
    cli *c = j->c;
    json_t *list = NULL;
    const double *share = sf_trainer_dequantised(t);
    for (int64_t i = 0; share != NULL && i < j->data.dim; i++) {
        if (!(share[i] > 0.0))
            continue;
        if (list == NULL)
            list = cli_put_list(c, report, "dequantised");
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "column", j->data.names[i]);
        cli_put_number(c, row, "share_of_repeated_values", share[i]);
    }
    if (list != NULL)
        cli_note(c, "columns with repeated values were dequantised: densities "
                    "are of cells spread evenly over the gaps between values");
}

static void report_training(const fit_job *j, json_t *report)
{
    cli *c = j->c;
    sf_fit_report r;
    const sf_trainer *t = j->kept == &j->flow ? j->flow_trainer : j->trainer;
    sf_trainer_report(t, &r);
    cli_put_count(c, report, "steps", r.steps);
    cli_put_count(c, report, "planned_steps", r.planned);
    cli_put_count(c, report, "best_step", r.best_step);
    cli_put_number(c, report, "best_loss", r.best_loss);
    cli_put_count(c, report, "batch", r.batch);
    cli_put_number(c, report, "training_seconds", r.seconds);
    cli_put_text(c, report, "stopped_by", stop_text(r.stop));
    report_spread(j, t, report);
}

static void report_local(const fit_job *j, json_t *report)
{
    cli *c = j->c;
    const sf_closeness *r = &j->closeness;
    cli_put_count(c, report, "neighbours",
                  r->count > 0 ? r->neighbours : j->o->neighbours);
    if (r->count > 0) {
        cli_put_count(c, report, "closeness_folds", r->folds);
        cli_put_count(c, report, "closeness_held_out_rows", r->held_out);
        cli_put_count(c, report, "closeness_draws", r->drawn);
    }
    json_t *list = r->count > 0 ? cli_put_list(c, report, "closeness") : NULL;
    for (int64_t p = 0; p < r->count; p++) {
        json_t *row = cli_add_object(c, list);
        cli_put_count(c, row, "neighbours", r->point[p].neighbours);
        cli_put_number(c, row, "ratio", r->point[p].ratio);
        cli_put_number(c, row, "ratio_se", r->point[p].ratio_se);
        cli_put_number(c, row, "near", r->point[p].near);
    }
    if (j->o->target == NULL)
        return;
    cli_put_text(c, report, "target", j->o->target);
    cli_put_text(c, report, "agreement",
                 j->o->no_agree ? "off"
                                : "draws nearest to a row of another class are "
                                  "drawn again; densities are without it");
}

static void report_noise(const fit_job *j, json_t *report)
{
    cli *c = j->c;
    const sf_empirical_report *r = &j->noise;
    json_t *columns = cli_put_list(c, report, "kernels");
    for (int64_t k = 0; k < j->data.dim; k++) {
        json_t *row = cli_add_object(c, columns);
        double mean, scale;
        sf_model_unit(j->kept->model, k, &mean, &scale);
        cli_put_text(c, row, "column", j->data.names[k]);
        cli_put_kernel(c, row, j->kept->model, k);
        cli_put_number(c, row, "offset", mean);
        cli_put_number(c, row, "scale", scale);
    }
    cli_put_number(c, report, "bandwidth", r->time_least);
    if (r->neighbours > 0) {
        cli_put_number(c, report, "largest_bandwidth", r->time_most);
        cli_put_count(c, report, "neighbours", r->neighbours);
    }
    if (r->floor > 0.0)
        cli_put_number(c, report, "floor", r->floor);
    if (r->loo_rows > 0) {
        cli_put_number(c, report, "leave_one_out_log_likelihood", r->loo);
        cli_put_number(c, report, "leave_one_out_log_likelihood_se", r->loo_se);
        cli_put_count(c, report, "left_out_rows", r->loo_rows);
        cli_put_text(c, report, "unit", "nats a row");
    }
    cli_put_count(c, report, "copies", r->copies);
}

static void make_report(const fit_job *j, double seconds)
{
    cli *c = j->c;
    json_t *report = c->report;
    const candidate *k = j->kept;
    const bool is_network = k == &j->network || k == &j->flow || k == &j->vae;
    const bool is_empirical = k == &j->empirical;
    const fit_data *d = &j->data;
    cli_put_text(c, report, "family", sf_model_family(k->model));
    cli_put_count(c, report, "columns", d->dim);
    cli_put_count(c, report, "rows",
                  d->complete - (is_network ? j->held.count : 0));
    cli_put_count(c, report, "held_out_rows", j->held.count);
    cli_put_count(c, report, "dropped_rows", d->rows - d->complete);
    if (d->missing > 0)
        cli_put_count(c, report, "missing_cells", d->missing);
    if (k == &j->gaussian && j->gaussian_fit.iterations > 0) {
        cli_put_count(c, report, "iterations", j->gaussian_fit.iterations);
        cli_put_number(c, report, "prior_rows", j->gaussian_fit.prior_rows);
    }
    if (k == &j->mixture) {
        cli_put_count(c, report, "components", j->mixture_fit.components);
        cli_put_number(c, report, "bic", j->mixture_fit.bic);
    }
    if (k->logpdf != NULL) {
        cli_put_number(c, report, "held_out_log_likelihood", k->mean);
        cli_put_number(c, report, "held_out_log_likelihood_se", k->se);
        cli_put_count(c, report, "likelihood_rows", j->held.rows);
        cli_put_text(c, report, "unit", "nats a row");
    } else if (k == &j->latent) {
        cli_put_count(c, report, "latent", j->low_rank_fit.latent);
        cli_put_number(c, report, "log_likelihood", k->mean);
        cli_put_text(c, report, "unit", "nats a row");
        cli_put_loadings(c, report, k->model);
    } else if (is_empirical && j->is_local) {
        report_local(j, report);
    } else if (is_empirical) {
        report_noise(j, report);
    } else if (!is_network) {
        cli_put_number(c, report, "log_likelihood", k->mean);
        cli_put_text(c, report, "unit", "nats a row");
    }
    if (k == &j->vae && j->o->model != FIT_VAE)
        fit_manifold_report(j, report);
    else if (k == &j->vae)
        fit_vae_report(j, report);
    if (is_network)
        report_training(j, report);
    if (k == &j->flow) {
        cli_put_number(c, report, "principal", j->flow_options.principal);
        cli_put_number(c, report, "mean_information", j->information);
    }
    cli_put_number(c, report, "seconds", seconds);
    if (j->o->model != FIT_AUTO)
        return;
    json_t *list = cli_put_list(c, report, "candidates");
    if (j->by_rows) {
        fit_report_scores(j, list);
        cli_put_text(c, report, "chosen_because", j->why);
        return;
    }
    report_candidate(j, list, &j->gaussian, "gaussian");
    report_candidate(j, list, &j->mixture, "mixture");
    report_candidate(j, list, &j->empirical, "empirical");
    report_candidate(j, list, &j->flow, "flow");
    report_candidate(j, list, &j->network, "network");
    cli_put_text(c, report, "chosen_because", j->why);
}

/* ---- the command ---------------------------------------------------------- */

static sf_status save(const fit_job *j)
{
    sf_run_record record = SF_RUN_RECORD_INIT;
    record.seed = j->network_options.seed;
    record.dropped = j->data.dropped;
    record.dropped_count = j->data.dropped_count;
    record.dropped_rows = j->data.dropped_rows;
    record.dropped_row_count = j->data.dropped_row_count;
    SFI_TRY(sf_model_describe(j->kept->model, j->data.all));
    return fit_save(j->c, j->o, j->kept->model, &record);
}

static void warn_of_options(const fit_job *j)
{
    for (size_t i = 0; network_only[i] != NULL; i++)
        if (cli_given(j->c, network_only[i]) &&
            strcmp(network_only[i], "validation") != 0 &&
            strcmp(network_only[i], "time-limit") != 0)
            cli_warn(j->c,
                     "warning: --%s is not used: networks are no candidates "
                     "where rows that are drawn are judged",
                     network_only[i]);
}

static sf_status fit(fit_job *j)
{
    cli *c = j->c;
    const fit_options *o = j->o;
    const char *path = c->operands[0];
    j->begun = sfi_clock();
    const sf_checkpoint *resumed = o->resume != NULL ? &j->checkpoint : NULL;
    if (resumed != NULL)
        SFI_TRY(sf_checkpoint_load(c->ctx, &j->checkpoint, o->resume));
    const bool flow = o->model == FIT_FLOW;
    const int trained = flow || o->model >= FIT_VAE ? o->model : FIT_NETWORK;
    SFI_TRY(fit_network_options(c, o, trained, resumed,
                                flow ? &j->flow_options : &j->network_options));
    if (flow)
        j->network_options = j->flow_options;
    else
        SFI_TRY(fit_network_options(c, o, FIT_FLOW, NULL, &j->flow_options));
    /* Of a run that is resumed too: they hold out the same rows. */
    j->flow_options.seed = j->network_options.seed;
    j->flow_options.validation = j->network_options.validation;
    /* A pipe passes by only once. */
    const bool streams = o->model == FIT_GAUSSIAN &&
                         !sfi_path_is_device(path) &&
                         !cli_given(c, "prior-rows");
    const fit_rows rows = streams ? FIT_ROWS_STREAM
                          : fit_takes_any(o, resumed) && !o->complete_rows
                              ? FIT_ROWS_WITH_CELLS
                          : o->model == FIT_GAUSSIAN || o->model == FIT_MIXTURE
                              ? FIT_ROWS_WITH_MISSING
                              : FIT_ROWS_COMPLETE;
    SFI_TRY(fit_data_open(&j->data, c, path, o, resumed, rows));
    j->by_rows = fit_takes_any(o, resumed) && !j->data.is_empirical &&
                 (o->purpose == FIT_FOR_ROWS || j->data.has_levels ||
                  j->data.missing > 0);
    if (j->by_rows)
        warn_of_options(j);
    if (o->kernel == NULL)
        cli_give_hints(c, j->data.all);
    for (size_t i = 0; network_only[i] != NULL && o->model == FIT_AUTO &&
                       j->data.is_empirical;
         i++)
        if (cli_given(c, network_only[i]))
            cli_warn(c, "--%s is not used: there is nothing to compare",
                     network_only[i]);
    SFI_TRY(fit_candidates(j));
    make_report(j, sfi_clock() - j->begun);
    SFI_TRY(save(j));
    const sf_trainer *trainer = j->trainer != NULL && j->kept != &j->flow
                                    ? j->trainer
                                    : j->flow_trainer;
    if (o->curve != NULL && trainer != NULL)
        SFI_TRY(fit_write_curve(c, trainer, o->curve));
    if (trainer != NULL && cli_stop_wanted())
        cli_warn(c, "interrupted; the best model so far is in %s", o->output);
    if (c->common.json || !c->common.quiet)
        SFI_TRY(cli_report(c, stderr));
    return SF_OK;
}

static sf_status run(cli *c, const void *values)
{
    fit_options meant = *(const fit_options *)values;
    const fit_options *o = &meant;
    /* The ratio is that of local distributions. */
    if (o->privacy_ratio > 0.0 && o->density == NULL) {
        if (!cli_given(c, "model"))
            meant.model = FIT_EMPIRICAL;
        if (!cli_given(c, "bandwidth"))
            meant.bandwidth = "local";
    }
    if (o->density != NULL) {
        SFI_TRY(check_density(c, o));
        SFI_TRY(check_output(c, o));
        cli_catch_signals();
        return fit_density(c, o);
    }
    SFI_TRY(check_options(c, o));
    if (o->model == FIT_FLOW && cli_given(c, "latent"))
        meant.model = FIT_INJECTIVE;
    cli_catch_signals();
    fit_job job = {.c = c, .o = o};
    job.checkpoint = (sf_checkpoint)SF_CHECKPOINT_INIT;
    const sf_status status = fit(&job);
    fit_job_free(&job);
    return status;
}

const cli_command cli_fit = {
    .name = "fit",
    .summary = "Learn a model of a table",
    .usage = "[OPTIONS] DATA -o MODEL",
    .operands =
        "  DATA                     A table, .csv or .npy; - is CSV from "
        "stdin\n",
    .least = 1,
    .most = 1,
    .size = sizeof(fit_options),
    .options = options,
    .later = " categorical integer ",
    .example = "  scorefield fit data/faithful.csv --time-limit 60 "
               "-o faithful.safetensors\n",
    .run = run};
