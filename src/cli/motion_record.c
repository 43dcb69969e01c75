/* SPDX-License-Identifier: Apache-2.0 */
/* motion_record.c - frames, curves and checkpoints of a motion.
 *
 * A checkpoint FILE is the state after the last frame; beside it FILE.1, FILE.2, ... are the
 * frames with the rows of the curves that led there.  A frame is written before the state
 * that needs it, and each file has its name when it is complete, so that whenever the
 * program dies, the state that is there has all of its frames. */
#include "cli/motion_record.h"

#include "io/safetensors.h"
#include "num/decimal.h"
#include "store/metadata.h"

#include <stdio.h>
#include <string.h>

enum { FIXED = 3, MOST_PATH = 4096 }; /* t, energy, fastest */

/* ---- curves --------------------------------------------------------------------------- */

/* Axes in the order of a probe's numbers. */
static int order_of(const sf_grid *g, int *axes)
{
    static const sf_role order[] = {SF_ROLE_X,     SF_ROLE_Y,   SF_ROLE_R,
                                    SF_ROLE_THETA, SF_ROLE_LAT, SF_ROLE_LON,
                                    SF_ROLE_Z};
    int n = 0;
    for (size_t i = 0; i < SFI_COUNT(order); i++) {
        const int axis = sf_grid_find_role(g, order[i]);
        if (axis >= 0)
            axes[n++] = axis;
    }
    return n;
}

static sf_status read_probe(const motion_record *r, const char *text,
                            double *to)
{
    const sf_grid *g = r->p->grid;
    int axes[SF_MAX_AXES];
    const int n = order_of(g, axes);
    const char *at = text;
    for (int i = 0; i < n; i++) {
        const char *end =
            at != NULL ? sfi_number_parse(at, &to[axes[i]]) : NULL;
        if (end == NULL || *end != (i < n - 1 ? ',' : '\0')) {
            char names[200] = "";
            for (int k = 0; k < n; k++)
                snprintf(names + strlen(names), sizeof names - strlen(names),
                         "%s%s", k > 0 ? "," : "",
                         sf_grid_axis(g, axes[k])->name);
            return SFI_FAIL(r->c->ctx, SF_E_ARG,
                            "--probe: want numbers %s, found \"%s\"", names,
                            text);
        }
        at = end + 1;
    }
    double none;
    const sf_cmat point = {to, 1, n, n};
    SFI_TRY(sf_field_at(r->c->ctx, &r->p->fields[0], 0, point, &none));
    return none == none ? SF_OK
                        : SFI_FAIL(r->c->ctx, SF_E_ARG,
                                   "--probe: %s lies outside the points of the "
                                   "grid",
                                   text);
}

static sf_status open_curves(motion_record *r, const problem_options *o)
{
    cli *c = r->c;
    const int rank = sf_grid_rank(r->p->grid);
    if (o->curves == NULL)
        return o->probes.count == 0
                   ? SF_OK
                   : SFI_FAIL(c->ctx, SF_E_ARG, "--probe wants --curves FILE");
    r->probes = o->probes.count;
    r->width = FIXED + r->probes * r->p->unknowns;
    r->points = sfi_alloc_zero(c->ctx, (size_t)(r->probes * rank + 1),
                               sizeof *r->points);
    if (r->points == NULL)
        return SF_E_NOMEM;
    for (int i = 0; i < r->probes; i++)
        SFI_TRY(read_probe(r, o->probes.text[i], r->points + i * rank));
    SFI_TRY(sfi_output_open(c->ctx, &r->curves, o->curves));
    (void)sfi_output_text(r->curves, "t,energy,fastest");
    for (int i = 0; i < r->probes; i++)
        for (int u = 0; u < r->p->unknowns; u++) {
            (void)sfi_output_format(r->curves, ",\"%s(%s)\"",
                                    r->p->fields[u].name, o->probes.text[i]);
        }
    return sfi_output_text(r->curves, "\n");
}

static sf_status put_row(motion_record *r, const double *row)
{
    for (int i = 0; i < r->width; i++) {
        (void)sfi_output_text(r->curves, i > 0 ? "," : "");
        (void)sfi_output_number(r->curves, row[i]);
    }
    return sfi_output_text(r->curves, "\n");
}

static sf_status take_level(void *user, const sf_motion_level *level)
{
    motion_record *r = user;
    const size_t w = (size_t)r->width;
    const int rank = sf_grid_rank(r->p->grid);
    if (r->checkpoint == NULL)
        r->row_count = 0;
    double *grown = sfi_grow(r->c->ctx, r->rows, &r->row_capacity,
                             (r->row_count + 1) * w, sizeof *grown);
    if (grown == NULL)
        return SF_E_NOMEM;
    r->rows = grown;
    double *row = r->rows + r->row_count++ * w;
    row[0] = level->time;
    row[1] = level->energy;
    row[2] = level->fastest;
    for (int i = 0; i < r->probes; i++)
        for (int u = 0; u < r->p->unknowns; u++) {
            const sf_cmat point = {r->points + i * rank, 1, rank, rank};
            SFI_TRY(sf_field_at(r->c->ctx, &level->fields[u], 0, point,
                                &row[FIXED + i * r->p->unknowns + u]));
        }
    return put_row(r, row);
}

/* ---- frames ---------------------------------------------------------------------------- */

static sf_status put_frame(motion_record *r)
{
    return sfi_series_put(r->series, r->shown++, r->put.fields);
}

/* Of a form, the rates of the same time are to come. */
static sf_status take_frame(void *user, double time, const sf_field *fields)
{
    motion_record *r = user;
    (void)time;
    SFI_TRY(shown_fields_take(r->c, &r->put, r->p, fields));
    return r->p->is_form ? SF_OK : put_frame(r);
}

static sf_status take_rates(void *user, double time, const sf_field *rates)
{
    motion_record *r = user;
    (void)time;
    SFI_TRY(shown_fields_take_rates(r->c, &r->put, rates));
    return put_frame(r);
}

static sf_status open_series(motion_record *r, const char *path)
{
    sf_context *ctx = r->c->ctx;
    r->times = sfi_alloc(ctx, (size_t)(r->frames + 1), sizeof *r->times);
    if (r->times == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k <= r->frames; k++)
        r->times[k] = r->p->until * (double)k / (double)r->frames;
    const sf_axis axis = {.name = "t",
                          .role = SF_ROLE_T,
                          .count = r->frames + 1,
                          .coords = r->times};
    char *history = cli_history(r->c);
    const sf_status status =
        history != NULL ? sfi_series_open(ctx, &r->series, path, &axis,
                                          r->put.count, r->put.fields, history)
                        : SF_E_NOMEM;
    sfi_free_text(ctx, history);
    return status == SF_OK ? put_frame(r) : status;
}

/* ---- checkpoints ------------------------------------------------------------------------ */

/* Of frame k; 0: the state. */
static sf_status path_of(const motion_record *r, int64_t k, char *out)
{
    const int used = k == 0 ? snprintf(out, MOST_PATH, "%s", r->checkpoint)
                            : snprintf(out, MOST_PATH, "%s.%lld", r->checkpoint,
                                       (long long)k);
    return used < MOST_PATH ? SF_OK
                            : SFI_FAIL(r->c->ctx, SF_E_ARG,
                                       "--checkpoint: the name is too long");
}

static sf_status write_frame(motion_record *r, int64_t k)
{
    sf_context *ctx = r->c->ctx;
    char path[MOST_PATH];
    const int64_t n = sf_grid_points(r->p->grid);
    const int64_t shape[] = {r->put.count, n};
    const int64_t rows[] = {(int64_t)r->row_count, r->width};
    sfi_tensors t = {0};
    double *all = sfi_alloc_zero(ctx, (size_t)(shape[0] * n), sizeof *all);
    if (all == NULL)
        return SF_E_NOMEM;
    for (int u = 0; u < r->put.count; u++)
        sf_field_get(&r->put.fields[u], 0, all + u * n);
    sf_status status = path_of(r, k, path);
    if (status == SF_OK)
        status = sfi_metadata_begin(ctx, &t, "frame", NULL);
    if (status == SF_OK)
        status =
            sfi_tensors_add(ctx, &t, "frame", SFI_TENSOR_F64, 2, shape, all);
    if (status == SF_OK && r->row_count > 0)
        status =
            sfi_tensors_add(ctx, &t, "rows", SFI_TENSOR_F64, 2, rows, r->rows);
    if (status == SF_OK)
        status = sfi_tensors_write(ctx, &t, path);
    sfi_tensors_free(ctx, &t);
    sfi_free(ctx, all, (size_t)(shape[0] * n), sizeof *all);
    r->row_count = 0;
    return status;
}

static sf_status take_state(void *user, int64_t k, const double *state,
                            size_t count)
{
    motion_record *r = user;
    sf_context *ctx = r->c->ctx;
    const int64_t shape = (int64_t)count, one = 1;
    sfi_tensors t = {0};
    SFI_TRY(write_frame(r, k));
    sf_status status = sfi_metadata_begin(ctx, &t, "motion", NULL);
    if (status == SF_OK)
        status =
            sfi_tensors_add(ctx, &t, "state", SFI_TENSOR_F64, 1, &shape, state);
    if (status == SF_OK)
        status =
            sfi_tensors_add(ctx, &t, "frames", SFI_TENSOR_I64, 1, &one, &k);
    if (status == SF_OK)
        status = sfi_tensors_write(ctx, &t, r->checkpoint);
    sfi_tensors_free(ctx, &t);
    return status;
}

/* Put frame k of the run before, and its rows. */
static sf_status read_frame(motion_record *r, int64_t k)
{
    sf_context *ctx = r->c->ctx;
    char path[MOST_PATH];
    const int64_t n = sf_grid_points(r->p->grid);
    const int64_t shape[] = {r->put.count, n}, rows[] = {-1, r->width};
    const sfi_tensor *frame = NULL, *curve = NULL;
    sfi_tensors t = {0};
    SFI_TRY(path_of(r, k, path));
    SFI_TRY(sfi_tensors_read(ctx, &t, path));
    sf_status status = sfi_metadata_check(ctx, &t, "frame");
    if (status == SF_OK)
        status = sfi_tensors_want(ctx, &t, "frame", SFI_TENSOR_F64, 2, shape,
                                  &frame);
    if (status == SF_OK && r->curves != NULL)
        status =
            sfi_tensors_want(ctx, &t, "rows", SFI_TENSOR_F64, 2, rows, &curve);
    for (int u = 0; u < r->put.count && status == SF_OK; u++)
        sf_field_put(&r->put.fields[u], 0, (const double *)frame->data + u * n);
    if (status == SF_OK)
        status = put_frame(r);
    for (int64_t i = 0; curve != NULL && i < curve->shape[0]; i++)
        if (status == SF_OK)
            status = put_row(r, (const double *)curve->data + i * r->width);
    sfi_tensors_free(ctx, &t);
    return status;
}

/* The frames of the run before; the fields are then as they were. */
static sf_status read_frames(motion_record *r, int64_t count)
{
    sf_context *ctx = r->c->ctx;
    const int64_t n = sf_grid_points(r->p->grid);
    const size_t all = (size_t)(r->p->unknowns * n);
    double *start = sfi_alloc(ctx, all, sizeof *start);
    if (start == NULL)
        return SF_E_NOMEM;
    for (int u = 0; u < r->p->unknowns; u++)
        sf_field_get(&r->p->fields[u], 0, start + u * n);
    sf_status status = SF_OK;
    for (int64_t k = 1; k <= count && status == SF_OK; k++)
        status = read_frame(r, k);
    for (int u = 0; u < r->p->unknowns; u++)
        sf_field_put(&r->p->fields[u], 0, start + u * n);
    sfi_free(ctx, start, all, sizeof *start);
    return status;
}

static sf_status resume(motion_record *r)
{
    sf_context *ctx = r->c->ctx;
    const int64_t any = -1, one = 1;
    const sfi_tensor *state = NULL, *frames = NULL;
    int64_t count = 0;
    sfi_tensors t = {0};
    SFI_TRY(sfi_tensors_read(ctx, &t, r->checkpoint));
    sf_status status = sfi_metadata_check(ctx, &t, "motion");
    if (status == SF_OK)
        status =
            sfi_tensors_want(ctx, &t, "state", SFI_TENSOR_F64, 1, &any, &state);
    if (status == SF_OK)
        status = sfi_tensors_want(ctx, &t, "frames", SFI_TENSOR_I64, 1, &one,
                                  &frames);
    if (status == SF_OK) {
        count = *(const int64_t *)frames->data;
        if (count < 1 || count > r->frames)
            status =
                SFI_FAIL(ctx, SF_E_ARG,
                         "%s: the run had come to frame %lld, and there "
                         "are %lld; want the options of that run",
                         r->checkpoint, (long long)count, (long long)r->frames);
    }
    if (status == SF_OK) {
        r->state_count = (size_t)state->count;
        r->state = sfi_alloc(ctx, r->state_count, sizeof *r->state);
        if (r->state == NULL)
            status = SF_E_NOMEM;
        else
            memcpy(r->state, state->data, r->state_count * sizeof *r->state);
    }
    sfi_tensors_free(ctx, &t);
    return status == SF_OK ? read_frames(r, count) : status;
}

/* ---- the whole ------------------------------------------------------------------------- */

sf_status motion_record_open(motion_record *r, cli *c, const problem_options *o,
                             sf_problem *p, int64_t frames)
{
    *r = (motion_record){.c = c, .p = p, .frames = frames};
    if (o->resume != NULL && o->checkpoint != NULL &&
        strcmp(o->resume, o->checkpoint) != 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--resume goes on to keep the run in its own file, %s",
                        o->resume);
    r->checkpoint = o->resume != NULL ? o->resume : o->checkpoint;
    SFI_TRY(shown_fields_new(c, &r->put, p, true, o->collocate));
    SFI_TRY(open_curves(r, o));
    SFI_TRY(open_series(r, o->output));
    return o->resume != NULL ? resume(r) : SF_OK;
}

sf_motion_told motion_record_told(motion_record *r)
{
    return (sf_motion_told){.user = r,
                            .frame = take_frame,
                            .rates = r->p->is_form ? take_rates : NULL,
                            .level = r->curves != NULL ? take_level : NULL,
                            .save = r->checkpoint != NULL ? take_state : NULL};
}

static void remove_checkpoint(const motion_record *r)
{
    char path[MOST_PATH];
    for (int64_t k = 0; k <= r->frames && r->checkpoint != NULL; k++)
        if (path_of(r, k, path) == SF_OK)
            (void)remove(path);
}

sf_status motion_record_close(motion_record *r, sf_status status)
{
    sf_context *ctx = r->c->ctx;
    status = sfi_series_close(r->series, status);
    status = sfi_output_close(r->curves, status);
    if (status == SF_OK)
        remove_checkpoint(r);
    shown_fields_free(r->c, &r->put);
    if (r->points != NULL)
        sfi_free(ctx, r->points,
                 (size_t)(r->probes * sf_grid_rank(r->p->grid) + 1),
                 sizeof *r->points);
    if (r->times != NULL)
        sfi_free(ctx, r->times, (size_t)(r->frames + 1), sizeof *r->times);
    sfi_free(ctx, r->rows, r->row_capacity, sizeof *r->rows);
    if (r->state != NULL)
        sfi_free(ctx, r->state, r->state_count, sizeof *r->state);
    return status;
}
