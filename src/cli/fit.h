/* SPDX-License-Identifier: Apache-2.0 */
/* fit.h - the parts of the command `fit`: its data, and the training of a
 * network with checkpoints. */
#ifndef SFI_CLI_FIT_H
#define SFI_CLI_FIT_H

#include "cli/cli.h"
#include "scorefield/autoencoder.h"
#include "scorefield/fit.h"
#include "scorefield/low_rank.h"
#include "scorefield/mixture.h"
#include "scorefield/store.h"

/* Order of the choices of --model; FIT_LATER and beyond are not there yet. */
enum {
    FIT_AUTO = 0,
    FIT_GAUSSIAN,
    FIT_MIXTURE,
    FIT_NETWORK,
    FIT_EMPIRICAL,
    FIT_PCA,
    FIT_FA,
    FIT_FLOW,
    FIT_VAE,
    FIT_MANIFOLD,
    FIT_LATER,
    FIT_INJECTIVE /* no choice of its own: a flow with --latent */
};

typedef struct fit_options {
    const char *output;
    int model;
    int objective;
    bool energy;
    const char *columns;
    cli_read read;
    const char *kernel, *bandwidth, *floor, *weights;
    const char *target;
    int64_t neighbours;
    double privacy_ratio; /* 0: not given */
    bool no_agree;
    bool complete_rows;
    int purpose; /* of --model auto: FIT_FOR_AUTO ... */
    double validation;
    cli_pair hidden; /* width x layers */
    double epochs;
    int64_t steps, batch, target_rows;
    int64_t components; /* of a mixture; 0: found */
    double prior_rows;  /* of a gaussian, if it was given */
    const char *latent; /* a number of latent variables, or auto */
    bool standardise;
    int noise;        /* of an autoencoder */
    double kl_warmup; /* likewise */
    int encoder;      /* likewise */
    bool no_dequantise;
    double principal; /* of a flow */
    int metric, coupling;
    int64_t bins;
    double lr, ema, decay;
    double sigma_min, sigma_max, noise_level;
    double time_limit;
    const char *checkpoint;
    double checkpoint_every;
    const char *resume;
    const char *curve;
    const char *density, *domain, *weight;
    cli_texts params;
    int64_t starts, slices;
    const char *sparse;
    int64_t lambdas;
    double lambda_ratio, gamma;
} fit_options;

/* Choices of --for. */
enum { FIT_FOR_AUTO, FIT_FOR_ROWS, FIT_FOR_DENSITY };

/* Choices of --noise. */
enum { FIT_NOISE_ISOTROPIC, FIT_NOISE_DIAGONAL };

/* Choices of --encoder. */
enum { FIT_ENCODER_NETWORK, FIT_ENCODER_NONE };

/* Choices of --metric. */
enum { FIT_METRIC_STANDARD, FIT_METRIC_DATA };

/* The objective of densities that follows those of networks. */
enum { FIT_GENERAL = SF_OBJECTIVE_INJECTIVE + 1 };

/* Fit the density of the options to DATA, write it, and report. */
sf_status fit_density(cli *c, const fit_options *o);

/* The same with --sparse, of a density whose parameters have these forms. */
sf_status fit_sparse(cli *c, const fit_options *o, const cli_data *d,
                     sf_model *density, const char *domain, const char *forms);

/* Write what was fitted, with the command line, the report, and what else is known
 * of the run (NULL: the seed of the options). */
sf_status fit_save(cli *c, const fit_options *o, const sf_model *model,
                   const sf_run_record *known);

/* ---- data ------------------------------------------------------------------ */

/* Which rows a model is fitted to. */
typedef enum fit_rows {
    FIT_ROWS_COMPLETE, /* those without a missing cell                     */
    FIT_ROWS_WITH_CELLS, /* those with a cell, of empirical models that take them */
    FIT_ROWS_WITH_MISSING, /* all: who is asked drops those without a cell     */
    FIT_ROWS_STREAM        /* the same; where none is missing they are not kept
                              in memory                                        */
} fit_rows;

/* The rows of a table that a model is fitted to: the columns that are used, and
 * of those the rows without a missing cell, or with any cell. */
typedef struct fit_data {
    cli *c;
    const char *path;
    sf_frame *all, *some, *whole; /* all columns; those that are used, with the
                                     weights; of those the complete rows, not of a
                                     stream                                    */
    sf_frame_reader *stream; /* a file that passes by, or NULL            */
    int64_t rows, cols;      /* in the file */
    bool *used;              /* [cols] */
    int64_t *index;          /* [cols], the first `dim` are used */
    int64_t dim;
    const char **names;   /* [cols], likewise */
    const char **dropped; /* [cols], the first `dropped_count` */
    int64_t dropped_count;
    int64_t *dropped_rows; /* [dropped_row_count, 2]: as sf_run_record has them,
                              not of a stream */
    int64_t dropped_row_count;
    int64_t weight;       /* the column --weights names, -1 without; its cells
                         follow the used ones in a row of `matrix` */
    bool takes_levels;    /* the model has a place for texts */
    bool has_levels;      /* and a used column holds some */
    bool takes_constants; /* and for columns of one value, if they are named */
    bool is_empirical;    /* it is one, or `auto` and a column has atoms */
    int64_t atoms;        /* the first used column with atoms, or -1 */
    int64_t complete; /* rows without a missing cell among the used columns, or
                          with a cell; of a stream, when fit_stream() has passed */
    int64_t missing;  /* cells of these rows */
    sf_cmat matrix;   /* [complete, dim], or of all rows with missing cells; not
                          of a stream */
} fit_data;

/* Read DATA, show its columns, choose those that are used (--columns; without it
 * those of the run that is resumed; without one all that the model takes and that
 * differ but --weights) and check that each can have a density.  A stream is read
 * again by fit_stream().  fit_data_free() frees *d, also after a failure. */
sf_status fit_data_open(fit_data *d, cli *c, const char *path,
                        const fit_options *o, const sf_checkpoint *resumed,
                        fit_rows rows);
void fit_data_free(fit_data *d);

/* Whether there is a candidate for any columns and rows: of `auto`, but for a network's
 * run that is resumed. */
bool fit_takes_any(const fit_options *o, const sf_checkpoint *resumed);

/* As cli_data_error(). */
sf_status fit_data_error(const fit_data *d, sf_status status);

/* An sf_rows_fn over the complete rows of a stream; `user` is the fit_data.
 * Begin each pass with fit_rewind(). */
sf_status fit_rewind(fit_data *d);
int64_t fit_stream(void *user, double *block, int64_t capacity);

/* Say how many rows were dropped. */
void fit_say_dropped(const fit_data *d);

/* ---- candidates ------------------------------------------------------------- */

/* What was fitted, and how good it is. */
typedef struct candidate {
    sf_model *model; /* NULL: it was not fitted                            */
    double *logpdf;  /* [held.room] of held-out rows; NULL: not known      */
    double mean, se; /* of those; the mean of a gaussian's own rows where
                        there are none                                     */
} candidate;

/* Rows that likelihoods are taken of. */
typedef struct held_out {
    int64_t *index; /* [n] all rows, held-out ones first                   */
    int64_t n, count;
    double *points; /* [room, dim]                                         */
    int64_t room;   /* of the `count`, the ones whose likelihood is wanted */
    int64_t rows;   /* those that the time limit left time for             */
} held_out;

/* Candidates that are judged by the rows they draw, from the simplest on. */
enum {
    FIT_ROWS_GAUSSIAN,
    FIT_ROWS_MIXTURE,
    FIT_ROWS_EMPIRICAL,
    FIT_ROWS_ADAPTIVE,
    FIT_ROWS_LOCAL,
    FIT_ROWS_KINDS
};

/* How good one is: means over tables that it drew. */
enum { FIT_TABLES = 5 };
typedef struct fit_score {
    const char *name;
    sf_model *model; /* of a part of the rows; NULL: not fitted              */
    bool failed;     /* to be fitted or judged                               */
    int tables;      /* that were judged                                     */
    double energies[FIT_TABLES]; /* distances to held-out rows               */
    double energy, energy_se;    /* their mean                               */
    double p;                    /* of the first table                       */
    double ratio;                /* closeness: 1 if nothing was copied       */
    double copies;               /* share of copies, less that by chance     */
    double *logpdf;              /* [room] of held-out rows; NULL: not known */
    int64_t rows;                /* of these                                 */
    size_t room;
    double mean, se;     /* of those                                         */
    const char *verdict; /* "kept", why not, or NULL                         */
} fit_score;

typedef struct fit_job {
    cli *c;
    double begun; /* by sfi_clock() */
    const fit_options *o;
    fit_data data;
    sf_network_options network_options, flow_options;
    sf_checkpoint checkpoint; /* of --resume                               */
    held_out held;
    candidate gaussian, mixture, network, empirical, latent, flow, vae;
    sf_gaussian_fit gaussian_fit;
    sf_mixture_fit mixture_fit;
    sf_low_rank_fit low_rank_fit;
    char flow_warning[800];      /* to be said if the flow is kept */
    sf_autoencoder_report bound; /* of the vae at held-out rows, or of 0 rows */
    double kl[SF_LATENT_MAX];    /* of each of its latent variables */
    double information; /* mean of the flow's or the manifold's at held-out
                                  rows, or NaN */
    double logpdf;      /* of an injective flow there, by samples */
    double rms,
        noise_sd; /* of a manifold at held-out rows: of what reconstruction
                             misses, and of its noise */
    sf_empirical_report noise; /* of the empirical model */
    bool is_local;             /* which it is, of local distributions */
    sf_closeness closeness;    /* of --privacy-ratio */
    fit_score scores[FIT_ROWS_KINDS];
    bool by_rows; /* `auto` judges rows that are drawn               */
    const candidate *kept;
    char why[300]; /* `auto` kept it                                 */
    sf_trainer *trainer,
        *flow_trainer; /* of the network and the flow, or NULL */
} fit_job;

/* Fit what --model says; j->kept is what is to be written. */
sf_status fit_candidates(fit_job *j);

/* `auto` on tables with categories or missing cells (fit_rows.c): fit the candidates
 * and keep one; put their scores into a report. */
sf_status fit_auto_rows(fit_job *j);
void fit_report_scores(const fit_job *j, json_t *list);
void fit_free_scores(fit_job *j);

/* ---- likelihoods (fit_likelihoods.c) ---- */

/* Mean of n values, and its standard error, NaN of one. */
void fit_mean_and_error(const double *values, int64_t n, double *mean,
                        double *se);

/* Whether rows are likelier under one density than under another, by more than the
 * standard error of the gain. */
bool fit_is_likelier(const double *logpdf, const double *than, int64_t rows,
                     double *gain, double *se);

/* Where the candidate `flow` was judged, the mean information of the held-out rows. */
sf_status fit_flow_information(fit_job *j);

/* Fit principal components or factors to all rows, as the candidate `latent`. */
sf_status fit_low_rank(fit_job *j);

/* Train an autoencoder, as the candidate `vae`, in a part of the time that is left; and
 * judge it on the held-out rows. */
sf_status fit_vae(fit_job *j, double part);
sf_status fit_vae_judge(fit_job *j);
/* Likewise a manifold, as the same candidate. */
sf_status fit_manifold(fit_job *j, double part);
sf_status fit_manifold_judge(fit_job *j);
void fit_manifold_report(const fit_job *j, json_t *report);
/* What came of it, and what to do where latent variables are not used. */
void fit_vae_report(const fit_job *j, json_t *report);

/* Seconds of the time limit that are left; infinitely many without one. */
double fit_time_left(const fit_job *j);

/* Train a candidate in a part of them. */
sf_status fit_train_candidate(fit_job *j, candidate *k, const fit_options *o,
                              sf_network_options options, double part,
                              sf_trainer **trainer);

/* Free all parts of a job. */
void fit_job_free(fit_job *j);

/* ---- networks --------------------------------------------------------------- */

/* What the options mean for the library, of FIT_NETWORK, FIT_FLOW or FIT_VAE; of a run
 * that is resumed, what its checkpoint says.  SF_E_ARG if the two disagree. */
sf_status fit_network_options(cli *c, const fit_options *o, int model,
                              const sf_checkpoint *resumed,
                              sf_network_options *out);

/* Train, writing checkpoints; *trainer is freed by the caller. */
sf_status fit_train(cli *c, const fit_options *o, const fit_data *d,
                    const sf_network_options *options,
                    const sf_checkpoint *resumed, sf_trainer **trainer);

/* Whether a training curve of this name is a table, else a picture; and write it. */
bool fit_curve_is_table(const char *path);
sf_status fit_write_curve(cli *c, const sf_trainer *trainer, const char *path);

#endif
