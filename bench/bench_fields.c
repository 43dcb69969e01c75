/* SPDX-License-Identifier: Apache-2.0 */
/* bench_fields.c - operators on a plane of 4096 x 4096 doubles, larger than the caches,
 * to a new array: points a second.
 *
 *     build/bench_fields [--seconds S] [--threads N] [CASE...]
 *
 *   box_laplacian   a program over a box, from array to array: the five-point formula
 *   calc_laplacian  sf_calc(), with units, slabs and what it reports
 *   calc_grad       the same of both slopes, as numpy.gradient() gives them
 *   into_laplacian, into_grad   sf_calc_into(): into arrays that are there
 *
 * peers/numpy_gradient.py does the last one. */
#include "bench.h"

#include "base/context.h"
#include "scorefield/calc.h"
#include "scorefield/program.h"

enum { SIDE = 4096, STRIDE = SIDE + 16, ROWS = 5 };

typedef struct box_task {
    sf_program *program;
    sf_box box;
    sf_source sources[ROWS];
    sf_box_sink sink;
} box_task;

static void run_box(void *user)
{
    box_task *t = user;
    (void)sf_program_run_box(t->program, &t->box, t->sources, NULL, &t->sink);
}

static sf_status bench_box(sf_context *ctx, const bench_args *args)
{
    static const int64_t at[ROWS] = {0, -1, 1, -STRIDE, STRIDE};
    const size_t count = (size_t)STRIDE * (SIDE + 2);
    double *from = sfi_alloc_zero(ctx, count, sizeof *from);
    double *to = sfi_alloc_zero(ctx, count, sizeof *to);
    sf_graph *g = NULL;
    box_task t = {.box = {.rank = 2, .extent = {SIDE, SIDE}}};
    sf_status status =
        from != NULL && to != NULL ? sf_graph_new(ctx, &g) : SF_E_NOMEM;
    if (status == SF_OK) {
        sf_node in[ROWS];
        for (int k = 0; k < ROWS; k++) {
            in[k] = sf_input(g, "f", 0, NULL);
            t.sources[k] = (sf_source){.kind = SF_GRID,
                                       .data = from + STRIDE + 16 + at[k],
                                       .dtype = SF_F64,
                                       .steps = {STRIDE, 1}};
        }
        const sf_node sum =
            sf_add(g, sf_add(g, in[1], in[2]), sf_add(g, in[3], in[4]));
        const sf_output out = {
            sf_sub(g, sum, sf_mul(g, sf_const(g, 4.0), in[0])), SF_EACH};
        t.sink = (sf_box_sink){.to = {to + STRIDE + 16, SF_F64, 0},
                               .steps = {STRIDE, 1}};
        status = sf_program_new(ctx, &t.program, g, SF_F64, 1, &out);
    }
    if (status == SF_OK)
        bench_print("box_laplacian", "points_per_s",
                    bench_windows(args, run_box, &t), (double)SIDE * SIDE, 0.0);
    sf_program_free(t.program);
    sf_graph_free(g);
    sfi_free(ctx, from, count, sizeof *from);
    sfi_free(ctx, to, count, sizeof *to);
    return status;
}

typedef struct calc_task {
    sf_context *ctx;
    const sf_field *field;
    const char *text;
    int count;
    sf_field *out; /* NULL: new ones */
    sf_status status;
} calc_task;

static void run_calc(void *user)
{
    calc_task *t = user;
    sf_field out[2];
    int count = 0;
    if (t->out != NULL) {
        t->status =
            sf_calc_into(t->ctx, t->count, t->out, t->text, 1, t->field, NULL);
        return;
    }
    t->status = sf_calc(t->ctx, 2, out, &count, t->text, 1, t->field, NULL);
    for (int i = 0; i < count; i++)
        sf_field_free(t->ctx, &out[i]);
}

static sf_status bench_calc(sf_context *ctx, const bench_args *args)
{
    sf_grid *g = NULL;
    sf_field f;
    SFI_TRY(sf_grid_parse(ctx, &g, "y = 0:1:4096; x = 0:1:4096"));
    SFI_TRY(sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 0));
    SFI_TRY(sf_field_set_name(ctx, &f, "f"));
    SFI_TRY(sf_field_set(ctx, &f, 0, "sin(9*x)*y"));
    calc_task t = {.ctx = ctx, .field = &f};
    static const char *const cases[][2] = {
        {"calc_laplacian", "r = laplacian(f)"},
        {"calc_grad", "r = grad(f)"},
        {"into_laplacian", "r = laplacian(f)"},
        {"into_grad", "r = grad(f)"}};
    sf_field room[2] = {{0}};
    for (int k = 0; k < 2; k++)
        SFI_TRY(sf_field_new(ctx, &room[k], g, 1, NULL, SF_F64, 0));
    for (int i = 0; i < 4 && t.status == SF_OK; i++) {
        t.text = cases[i][1];
        t.out = i < 2 ? NULL : room;
        t.count = i % 2 + 1;
        if (bench_wanted(args, cases[i][0]))
            bench_print(cases[i][0], "points_per_s",
                        bench_windows(args, run_calc, &t), (double)SIDE * SIDE,
                        0.0);
    }
    for (int k = 0; k < 2; k++)
        sf_field_free(ctx, &room[k]);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    return t.status;
}

int main(int argc, char **argv)
{
    bench_args args;
    sf_context *ctx = NULL;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    sf_status status = sf_context_new(&ctx, NULL);
    if (status == SF_OK)
        status = sf_context_set_threads(ctx, args.threads);
    if (status == SF_OK && bench_wanted(&args, "box_laplacian"))
        status = bench_box(ctx, &args);
    if (status == SF_OK)
        status = bench_calc(ctx, &args);
    if (status != SF_OK)
        fprintf(stderr, "bench_fields: %s\n", sf_context_message(ctx));
    sf_context_free(ctx);
    return status == SF_OK ? 0 : 1;
}
