/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - the table of functions behind a model.
 *
 * All models of this floor are graphs: given nodes for the standardised point y
 * and the noise level sigma, they give nodes for the score and its companions.
 * Everything that is asked of a model is then a program made from these. */
#ifndef SFI_MODEL_H
#define SFI_MODEL_H

#include "base/context.h"
#include "scorefield/model.h"
#include "scorefield/program.h"

/* One array of weights. */
typedef struct sfi_weight {
    char name[48];
    int rank;
    int64_t shape[SF_MAX_RANK];
    int64_t offset, count; /* into sf_model.weights */
} sfi_weight;

/* What a model is beyond its weights, by name ("width", "sigma_max", ...): the
 * numbers that a file must hold to make the model again. */
typedef struct sfi_number {
    char key[24];
    double value;
} sfi_number;

enum { SFI_MAX_NUMBERS = 24 };

/* Nodes that a model gives for y [d] and sigma.
 *   drift    dy/dsigma of the probability flow, = -sigma score, without the
 *            cancellation that this formula would have
 *   denoised E[y_0 | y] = y - sigma drift */
typedef struct sfi_answer {
    sf_node score, drift, denoised;
} sfi_answer;

typedef struct sfi_model_ops {
    const char *family;

    /* REQUIRED.  Check m->numbers and declare the weights with sfi_add_weight.
     * Returns SF_OK, SF_E_FORMAT or SF_E_NOMEM. */
    sf_status (*declare)(sf_model *m);

    /* REQUIRED.  `weights` holds one parameter node for each weight. */
    sfi_answer (*answer)(const sf_model *m, sf_graph *g, sf_node y,
                         sf_node sigma, const sf_node *weights);

    /* OPTIONAL.  Check the weights, which came from a file and are finite.
     * Returns SF_OK or SF_E_FORMAT. */
    sf_status (*check)(const sf_model *m);

    /* OPTIONAL.  ln p_sigma(y) in closed form, for standardised y [n, d]. */
    sf_status (*logpdf)(const sf_model *m, sf_cmat y, double sigma,
                        double *out);
} sfi_model_ops;

struct sf_model {
    sf_context *ctx;
    const sfi_model_ops *ops;
    int64_t dim;
    char **names;  /* [dim]                    */
    double *mean;  /* [dim], standardisation   */
    double *scale; /* [dim]                    */
    int number_count;
    sfi_number numbers[SFI_MAX_NUMBERS];
    sfi_weight *layout;
    size_t layout_count, layout_capacity;
    double *weights; /* network weights are f32 numbers held in f64 */
    int64_t weight_count;
    sf_dtype weight_dtype; /* how a file holds them */
};

/* Families: NULL-terminated. */
extern const sfi_model_ops sfi_gaussian_ops, sfi_network_ops;
const sfi_model_ops *sfi_model_family(const char *name);

/* A model with zero weights, mean 0 and scale 1.  `names` may be NULL: c0, c1,
 * ...  On failure *out is NULL; SF_E_FORMAT if a number is missing or out of
 * its range (files come through here). */
sf_status sfi_model_new(sf_context *ctx, sf_model **out,
                        const sfi_model_ops *ops, int64_t dim,
                        const char *const *names, int number_count,
                        const sfi_number *numbers);

/* Another model of the same family, columns, numbers and standardisation, with
 * zero weights. */
sf_status sfi_model_like(const sf_model *m, sf_model **out);

/* The same as sfi_model_new() in two steps, for files: the first gives the layout and no memory for
 * weights, so that a file can be held against it before it costs any. */
sf_status sfi_model_declare(sf_context *ctx, sf_model **out,
                            const sfi_model_ops *ops, int64_t dim,
                            const char *const *names, int number_count,
                            const sfi_number *numbers);
sf_status sfi_model_allocate(sf_model *m);

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

/* Whether the model knows one noise level only. */
bool sfi_single_level(const sf_model *m);

double sfi_sigma(const sf_model *m, double time);
/* d sigma / dt */
double sfi_sigma_slope(const sf_model *m, double time);

/* One parameter node for each weight, in order. */
sf_status sfi_weight_nodes(const sf_model *m, sf_graph *g, sf_node *out);

/* ---- fields: programs that evaluate a model -------------------------------- */

/* What a field computes at y for one sigma; columns follow in this order. */
enum {
    SFI_WANT_SCORE = 1,       /* d   */
    SFI_WANT_DRIFT = 2,       /* d   */
    SFI_WANT_DENOISED = 4,    /* d   */
    SFI_WANT_JACOBIAN = 8,    /* d*d, of the score */
    SFI_WANT_DIVERGENCE = 16, /* 1, of the drift */
    SFI_WANT_PROBE = 32 /* 1, v' (d drift/dy) v for the row's own probe v */
};

typedef struct sfi_field sfi_field;

/* A program for these wants in dtype; on failure *out is NULL. */
sf_status sfi_field_new(const sf_model *m, sfi_field **out, sf_dtype dtype,
                        unsigned wants);
void sfi_field_free(sfi_field *f);

/* Evaluate.  y and the outputs are rows of `dtype` numbers with their own
 * strides; outputs in the order of the wants' bits.  probe [n, d] is read for
 * SFI_WANT_PROBE only. */
sf_status sfi_field_run(sfi_field *f, int64_t n, const void *y,
                        int64_t y_stride, double sigma, const void *probe,
                        void *const *outputs, const int64_t *strides);

/* x -> y and back, for rows in f64. */
void sfi_standardise(const sf_model *m, sf_cmat x, sf_mat y);

#endif
