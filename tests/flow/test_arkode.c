/* SPDX-License-Identifier: Apache-2.0 */
/* test_arkode.c - flows against an integrator that others wrote: ARKODE of SUNDIALS,
 * one row at a time, in the coordinates of the model and with the level as a
 * parameter.  Built where SCOREFIELD_SUNDIALS is on. */
#include "base/random.h"
#include "check.h"
#include "model/network.h"
#include "scorefield/flow.h"

#include <arkode/arkode_erkstep.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>

enum { DIM = 3, ROWS = 40 };

static sf_model *some_network(sf_context *ctx)
{
    sfi_number numbers[SFI_MAX_NUMBERS];
    const int count =
        sfi_network_numbers(numbers, 16, 2, false, 0.01, 20.0, -1.0);
    sf_model *m = NULL;
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_network_ops, DIM, NULL, NULL,
                                count, numbers));
    sfi_network_initialise(m, 3);
    for (int64_t i = 0; i < m->weight_count; i++)
        if (m->weights[i] == 0.0)
            m->weights[i] = (float)(0.1 * sin(0.7 * (double)i));
    return m;
}

typedef struct row {
    const sf_model *m;
    sfi_inner *field;
} row;

/* y [DIM], then the integral of the divergence. */
static int slope(realtype t, N_Vector state, N_Vector out, void *user)
{
    const row *r = user;
    double *to = N_VGetArrayPointer(out);
    const double speed = sfi_level_slope(r->m, t);
    void *outputs[] = {to, to + DIM};
    const int64_t strides[] = {DIM, 1};
    if (sfi_inner_run(r->field, 1, N_VGetArrayPointer(state), DIM,
                      sfi_level(r->m, t), NULL, outputs, strides) != SF_OK)
        return -1;
    for (int j = 0; j <= DIM; j++)
        to[j] *= speed;
    return 0;
}

/* state [DIM + 1] from time 0 to 1, with errors of 1e-11 a step. */
static void carry(row *r, double *state)
{
    SUNContext sun = NULL;
    CHECK(SUNContext_Create(NULL, &sun) == 0);
    N_Vector y = N_VMake_Serial(DIM + 1, state, sun);
    void *ark = ERKStepCreate(slope, 0.0, y, sun);
    realtype t = 0.0;
    CHECK(ERKStepSetUserData(ark, r) == ARK_SUCCESS);
    CHECK(ERKStepSStolerances(ark, 1e-11, 1e-11) == ARK_SUCCESS);
    CHECK(ERKStepSetOrder(ark, 5) == ARK_SUCCESS);
    CHECK(ERKStepSetMaxNumSteps(ark, 1000000) == ARK_SUCCESS);
    CHECK(ERKStepSetStopTime(ark, 1.0) == ARK_SUCCESS);
    CHECK(ERKStepEvolve(ark, 1.0, y, &t, ARK_NORMAL) >= 0);
    ERKStepFree(&ark);
    N_VDestroy(y);
    SUNContext_Free(&sun);
}

/* Errors of a few dozen steps of 1e-9 each, and of as many of 1e-11. */
TEST(codes_and_log_densities_are_those_of_arkode)
{
    sf_context *ctx = new_context();
    sf_model *m = some_network(ctx);
    row r = {.m = m};
    CHECK_OK(ctx, sfi_inner_new(m, &r.field, SF_F64,
                                SFI_WANT_DRIFT | SFI_WANT_DIVERGENCE));
    double x[ROWS * DIM], code[ROWS * DIM], logp[ROWS];
    for (int i = 0; i < ROWS * DIM; i++)
        x[i] = 1.5 * sfi_normal_at(
                         (sfi_where){7, (uint64_t)i, 0, SFI_STREAM_USER}, 0);
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    o.rtol = o.atol = 1e-9;
    const sf_cmat points = {x, ROWS, DIM, DIM};
    CHECK_OK(ctx, sf_encode(m, points, (sf_mat){code, ROWS, DIM, DIM}, &o));
    CHECK_OK(ctx, sf_logpdf(m, points, logp, NULL, &o));
    for (int i = 0; i < ROWS; i++) {
        double state[DIM + 1] = {0.0}, squares = 0.0;
        memcpy(state, x + i * DIM, DIM * sizeof *x);
        carry(&r, state);
        const double high = 20.0, variance = 1.0 + high * high;
        for (int j = 0; j < DIM; j++) {
            CHECK_NEAR(code[i * DIM + j], state[j] / sqrt(variance), 2e-7);
            squares += state[j] * state[j];
        }
        CHECK_NEAR(logp[i],
                   state[DIM] - 0.5 * squares / variance -
                       0.5 * DIM * log(6.283185307179586 * variance),
                   2e-7);
    }
    sfi_inner_free(r.field);
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(codes_and_log_densities_are_those_of_arkode))
