/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - the table of functions behind a model.
 *
 * A model is asked at an inner point y and a level.  With Gaussian noise on
 * standardised columns y = (x - mean)/scale and the level is sigma; with noise of
 * kernels y is the chart of that and the level is the kernels' time t.
 *
 * Most models are graphs: given nodes for y and the level, they give nodes for
 * the score and its companions, and what is asked of them is a program made from
 * these.  The law of a data set is asked through its own reduction. */
#ifndef SFI_MODEL_H
#define SFI_MODEL_H

#include "base/context.h"
#include "density/density.h"
#include "kernel/noise.h"
#include "model/mixture.h"
#include "model/parts.h"
#include "scorefield/model.h"
#include "scorefield/program.h"
#include "table/frame.h"

/* One array of weights. */
typedef struct sfi_weight {
    char name[48];
    int rank;
    int64_t shape[SF_MAX_RANK];
    int64_t offset, count; /* into sf_model.weights */
    bool fixed;            /* not trained; such weights come last */
} sfi_weight;

/* What a model is beyond its weights, by name ("width", "sigma_max", ...): the
 * numbers that a file must hold to make the model again. */
typedef struct sfi_number {
    char key[24];
    double value;
} sfi_number;

enum { SFI_MAX_NUMBERS = 24 };

/* Nodes that a model gives for y [inner] and a level.
 *   drift    dy/dlevel of the probability flow; for sigma it is -sigma score,
 *            without the cancellation that this formula would have
 *   denoised E[x_0 | y] in units of y; of kernels [dim], in the coordinates of
 *            the kernels, not the chart's
 *   logp     ln p(y), a number
 * A node of id -1 is what the model does not have. */
typedef struct sfi_answer {
    sf_node score, drift, denoised, logp;
} sfi_answer;

typedef struct sfi_model_ops {
    const char *family;
    bool
        noiseless; /* there is time 0 alone: a typed density, a flow, local ones */
    bool closed;  /* ln p has a closed form: `answer` gives it, or `mixture` */
    bool trained; /* by an objective */
    bool invertible; /* `code` has an inverse and a volume: it is the model */
    bool inferred; /* ln p is an integral over latent variables, which is above
                      this floor */
    bool no_prior; /* nothing is said of where its latent variables are */
    bool no_kernels; /* it has the noise of levels sigma, or none */
    bool local; /* densities and draws are those of local.h, nothing else */

    /* REQUIRED.  Check m->numbers and declare the weights with sfi_add_weight.
     * Returns SF_OK, SF_E_FORMAT or SF_E_NOMEM. */
    sf_status (*declare)(sf_model *m);

    /* One of these two, unless it is local or inferred.  `weights` holds one parameter node for each weight. */
    sfi_answer (*answer)(const sf_model *m, sf_graph *g, sf_node y,
                         sf_node level, const sf_node *weights);
    /* The law of the data that m holds, which must outlive it. */
    sf_status (*mixture)(const sf_model *m, sfi_mixture **out, sfi_velocity how,
                         bool spread);

    /* OPTIONAL.  The model at time 0 as a mixture of normal distributions in the data's
     * units: arrays that the caller frees.  SF_OK or SF_E_NOMEM. */
    sf_status (*parts)(sf_context *ctx, const sf_model *m, sfi_parts *out);

    /* OPTIONAL, of models with latent variables z ~ N(0, I), sf_model_latents() of
     * them; code.c makes programs of these.  The code of y, E[z | y], and y of a code
     * and of noise N(0, I) [dim], without it where its id is -1; SF_OK or SF_E_NOMEM. */
    sf_node (*code)(const sf_model *m, sf_graph *g, sf_node y,
                    const sf_node *weights);
    sf_status (*decode)(const sf_model *m, sf_graph *g, sf_node z,
                        sf_node noise, const sf_node *weights, sf_node *out);

    /* OPTIONAL, beside `decode`: the standard deviations [dim] of its noise in y. */
    void (*spread)(const sf_model *m, double *sd);

    /* OPTIONAL.  Check the weights, which came from a file and are finite.
     * Returns SF_OK or SF_E_FORMAT. */
    sf_status (*check)(const sf_model *m);
} sfi_model_ops;

struct sf_model {
    sf_context *ctx;
    const sfi_model_ops *ops;
    int64_t dim;
    int64_t inner;        /* numbers of an inner point, dim without kernels */
    char **names;         /* [dim]                    */
    sfi_schema schema;    /* of dim columns, or empty */
    double *mean;         /* [dim], standardisation   */
    double *scale;        /* [dim]                    */
    sfi_noise noise;      /* of dim 0: Gaussian noise of the levels sigma */
    sfi_density *density; /* of a typed one, else NULL                */
    int number_count;
    sfi_number numbers[SFI_MAX_NUMBERS];
    sfi_weight *layout;
    size_t layout_count, layout_capacity;
    double *weights; /* network weights are f32 numbers held in f64 */
    int64_t weight_count;
    sf_dtype weight_dtype; /* how a file holds them */
};

/* Families: NULL-terminated. */
extern const sfi_model_ops sfi_density_ops, sfi_gaussian_ops, sfi_network_ops,
    sfi_empirical_ops, sfi_gaussian_mixture_ops, sfi_pca_ops, sfi_fa_ops,
    sfi_flow_ops, sfi_local_ops, sfi_vae_ops, sfi_manifold_ops,
    sfi_injective_ops;
const sfi_model_ops *sfi_model_family(const char *name);

/* A model with zero weights, mean 0 and scale 1.  `names` may be NULL: c0, c1,
 * ...; `noise`, which is copied, NULL: levels sigma.  On failure *out is NULL;
 * SF_E_FORMAT if a number is missing or out of its range (files come through
 * here). */
sf_status sfi_model_new(sf_context *ctx, sf_model **out,
                        const sfi_model_ops *ops, int64_t dim,
                        const char *const *names, const sfi_noise *noise,
                        int number_count, const sfi_number *numbers);

/* Another model of the same family, columns, noise, numbers and
 * standardisation, with zero weights. */
sf_status sfi_model_like(const sf_model *m, sf_model **out);

/* The same as sfi_model_new() in two steps, for files: the first gives the layout and no memory for
 * weights, so that a file can be held against it before it costs any. */
sf_status sfi_model_declare(sf_context *ctx, sf_model **out,
                            const sfi_model_ops *ops, int64_t dim,
                            const char *const *names, const sfi_noise *noise,
                            int number_count, const sfi_number *numbers);
sf_status sfi_model_allocate(sf_model *m);

/* SF_OK, or SF_E_UNSUPPORTED with the sentence of sf_model_why_not(); `what` begins
 * the message. */
sf_status sfi_want_ability(sf_context *ctx, const sf_model *m,
                           sf_ability ability, const char *what);

/* A typed density as a model (typed.c), which takes it over, also where it fails; in
 * two steps as above.  SF_OK or SF_E_NOMEM. */
sf_status sfi_density_declare(sf_context *ctx, sf_model **out, sfi_density *d);

/* Copies of `dim` names, or, where `names` is NULL, c0, c1, ...; NULL without
 * memory. */
char **sfi_copy_names(sf_context *ctx, int64_t dim, const char *const *names);
void sfi_free_names(sf_context *ctx, int64_t dim, char **names);

/* A number by name; sets *missing if it is not there. */
double sfi_model_number(const sf_model *m, const char *key, bool *missing);
/* The same where it is known to be there. */
double sfi_number_of(const sf_model *m, const char *key);

/* A number that must be whole and in [lo, hi]. */
sf_status sfi_whole_number(sf_model *m, const char *key, int64_t lo, int64_t hi,
                           int64_t *out);

/* For declare(): append a weight; the name is copied. */
sf_status sfi_add_weight(sf_model *m, const char *name, int rank,
                         const int64_t *shape);

/* The same for one that training leaves alone; after all others. */
sf_status sfi_add_fixed_weight(sf_model *m, const char *name, int rank,
                               const int64_t *shape);
/* The number of weights that are trained. */
int64_t sfi_trained_weights(const sf_model *m);

/* What is known of a column of the model's table, which may be nothing. */
const sfi_schema_column *sfi_model_about(const sf_model *m, int64_t column);

/* x rounded to decimals, and inside bounds that it is strictly inside. */
double sfi_on_grid(double x, int decimals, sf_support s);

/* ---- levels (level.c) -------------------------------------------------------- */

/* Whether the model knows one noise level only. */
bool sfi_single_level(const sf_model *m);
/* Whether its noise is of kernels. */
bool sfi_has_kernels(const sf_model *m);

/* Levels are (low + range time)^rho.  Whoever asks often does it through this. */
typedef struct sfi_levels {
    double low, range, rho;
} sfi_levels;

sfi_levels sfi_levels_of(const sf_model *m);
/* The level at a time in [0, 1], and, unless it is NULL, its slope there. */
double sfi_levels_at(const sfi_levels *l, double time, double *slope);

/* The same by the model; of a model of one level 1, and a slope of 0. */
double sfi_level(const sf_model *m, double time);
double sfi_level_slope(const sf_model *m, double time);

/* The time before which nothing changes: 0, or what a data set's points have at
 * least. */
double sfi_first_time(const sf_model *m);

/* Level i of `steps`, from the highest (i = 0) down on the grid of model.h: sigma
 * to the lowest (i = steps - 1) and then, i = steps, to no noise; t of kernels to
 * the lowest (i = steps), where they end. */
double sfi_grid_level(const sf_model *m, int64_t i, int64_t steps);
/* The lowest. */
double sfi_lowest_level(const sf_model *m);

/* The standard deviation of the noise of each number of y [inner] over the level,
 * as the level goes to 0: 1 for levels sigma; of a kernel in its chart, by the
 * curvature of its log density, the least over x0.  SF_OK or SF_E_NOMEM. */
sf_status sfi_level_spread(const sf_model *m, double *spread);

/* x [n, dim] -> y [n, inner], and a row back; they do not overlap. */
void sfi_to_inner(const sf_model *m, sf_cmat x, sf_mat y);
void sfi_from_inner(const sf_model *m, const double *y, double *x);

/* ln |dx/dy| at y [inner]: a density of y is one of x times its exponential. */
double sfi_log_volume(const sf_model *m, const double *y);

/* How the kernels see the model's columns. */
sfi_units sfi_units_of(const sf_model *m);

/* ---- the support (support.c) ---------------------------------------------------- */

/* The first column of a row that is outside the model's support, -1 if it is inside;
 * *want (SFI_SUPPORT_WANT bytes) receives what it should be. */
enum { SFI_SUPPORT_WANT = 256 };
int64_t sfi_outside_support(const sf_model *m, const double *x, char *want);
/* Say that `count` rows of x are outside, the first of them row `first` from 0. */
void sfi_warn_of_outside(const sf_model *m, sf_cmat x, int64_t count,
                         int64_t first);
/* Whether there is an outside. */
bool sfi_has_support(const sf_model *m);
/* A row that every kernel can be asked at. */
void sfi_middle(const sf_model *m, double *x);

/* SF_OK, or SF_E_NUMERIC if a row of x is outside the model's support: row,
 * column and what was expected; `what` begins the message. */
sf_status sfi_check_support(const sf_model *m, sf_cmat x, const char *what);
/* The same of clean rows, which kernels start from; missing cells are as good as any
 * where the model's data may have some.  Also SF_E_NOMEM. */
sf_status sfi_check_clean(const sf_model *m, sf_cmat x0, const char *what);

/* ---- the law at time 1 (prior.c) ---------------------------------------------- */

/* y [n, inner]: point i is a function of the seed and of first + i.  SF_OK or
 * SF_E_NOMEM. */
sf_status sfi_prior_draw(const sf_model *m, uint64_t seed, int64_t first,
                         sf_mat y);
/* ln p of y. */
sf_status sfi_prior_logpdf(const sf_model *m, sf_cmat y, double *out);

/* Rows x [n, dim] of a model with latent variables (code.c), with its noise or without:
 * row i is a function of the seed and of first + i.  SF_OK or SF_E_NOMEM. */
sf_status sfi_draw_decoded(const sf_model *m, uint64_t seed, int64_t first,
                           bool noisy, sf_mat x);
/* The same with latent variables drawn from those of the rows it was trained on (codes.h),
 * of a model that can SF_CAN_FITTED. */
sf_status sfi_draw_fitted(const sf_model *m, uint64_t seed, int64_t first,
                          bool noisy, sf_mat x);

/* The codes z [n, dim] of rows x [n, dim] of a flow, and dz/dy [n, dim, dim], in one program
 * that is compiled once.  SF_OK or SF_E_NOMEM. */
typedef struct sfi_code_program sfi_code_program;
sf_status sfi_code_program_new(const sf_model *m, sfi_code_program **out);
void sfi_code_program_free(sfi_code_program *c);
sf_status sfi_code_program_run(sfi_code_program *c, sf_cmat x, double *z,
                               double *jacobian);

/* ---- the law of a data set (empirical.c) --------------------------------------- */

/* What an empirical model is made of, in the coordinates of its kernels. */
typedef struct sfi_empirical {
    sf_cmat data;
    const double *log_weights; /* [n] or NULL */
    const double *least;       /* [n] or NULL: all least_all */
    double least_all;
    double floor; /* the weight of the prior in the law, 0 for none */
} sfi_empirical;

sfi_empirical sfi_empirical_of(const sf_model *m);

/* Whether the data has missing cells, which are NaN; whether columns of it have the
 * atoms that the schema says; and whether either is true: its law is product.h's then,
 * at its one bandwidth, and there is none under more noise. */
bool sfi_has_holes(const sf_model *m);
bool sfi_has_atoms(const sf_model *m);
bool sfi_is_product(const sf_model *m);
/* Whether a value of a column is an atom of such a model. */
bool sfi_is_atom(const sf_model *m, int64_t column, double x);

/* It as a mixture of normal distributions (empirical_parts.c), where its noise is
 * normal. */
sf_status sfi_empirical_parts(sf_context *ctx, const sf_model *m,
                              const sfi_empirical *e, sfi_parts *out);
/* Whether it is: all kernels are gaussian or mvgaussian. */
bool sfi_noise_is_normal(const sfi_noise *noise);

/* Ask the data's distribution at points x [n, dim] inside the support (clean.c).
 * SF_OK or SF_E_NOMEM. */
sf_status sfi_ask_data(const sf_model *m, sf_cmat x, double time,
                       const sfi_mixture_want *want);

/* SF_OK, or `status` with a message if the noise has no law to be a floor: counts,
 * and the path "ve". */
sf_status sfi_check_floor(const sf_model *m, sf_status status);

/* Data drawn by their weights, or SFI_FLOOR_DATUM: index[i] is a function of the
 * seed and of first + i.  SF_OK or SF_E_NOMEM. */
sf_status sfi_empirical_choose(const sf_model *m, uint64_t seed, int64_t first,
                               int64_t n, int64_t *index);

/* One parameter node for each weight, in order. */
sf_status sfi_weight_nodes(const sf_model *m, sf_graph *g, sf_node *out);
/* One constant instead, of what the model has now. */
void sfi_weight_constants(const sf_model *m, sf_graph *g, sf_node *out);

/* ---- evaluating in inner coordinates (inner.c) ------------------------------ */

/* What is computed at y for one level; columns follow in this order. */
enum {
    SFI_WANT_SCORE = 1,       /* inner   */
    SFI_WANT_DRIFT = 2,       /* inner   */
    SFI_WANT_DENOISED = 4,    /* dim     */
    SFI_WANT_JACOBIAN = 8,    /* inner^2, of the score */
    SFI_WANT_DIVERGENCE = 16, /* 1, of the drift */
    SFI_WANT_LOGPDF = 32,     /* 1, ln p(y) where it has a closed form */
    SFI_WANT_PROBE = 64, /* 1, v' (d drift/dy) v for the row's own probe v */
    SFI_ROW_LEVELS = 128 /* not an output: each row has its own level, which is
                            an input of the program like the row itself */
};

typedef struct sfi_inner sfi_inner;

/* A program for these wants in dtype; on failure *out is NULL.  SF_E_UNSUPPORTED
 * where sf_model_can() says so. */
sf_status sfi_inner_new(const sf_model *m, sfi_inner **out, sf_dtype dtype,
                        unsigned wants);
void sfi_inner_free(sfi_inner *f);

/* Evaluate, without SFI_ROW_LEVELS.  y and the outputs are rows of `dtype` numbers
 * with their own strides; outputs in the order of the wants' bits.  probe [n, inner]
 * is read for SFI_WANT_PROBE only.  What a row gets does not depend on the others. */
sf_status sfi_inner_run(sfi_inner *f, int64_t n, const void *y,
                        int64_t y_stride, double level, const void *probe,
                        void *const *outputs, const int64_t *strides);

/* The same with SFI_ROW_LEVELS, where rows, outputs, probes and levels [n] are
 * doubles whatever the program computes in.  A data set is asked once for each
 * level that is among them. */
sf_status sfi_inner_run_levels(sfi_inner *f, int64_t n, const double *y,
                               int64_t y_stride, const double *levels,
                               const double *probe, double *const *outputs,
                               const int64_t *strides);

#endif
