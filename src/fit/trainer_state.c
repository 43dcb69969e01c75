/* SPDX-License-Identifier: Apache-2.0 */
/* trainer_state.c - a training run as bytes: its counters, its arrays of weights and its
 * curve.  Data and options are not among them; a fingerprint tells whether they are the
 * same. */
#include "fit/trainer.h"

#include <string.h>

/* ---- state ------------------------------------------------------------------ */

enum { STATE_ARRAYS = 6, STATE_VERSION = 1 };

typedef struct state_header {
    char magic[8];
    uint64_t version, fingerprint;
    int64_t count;
    progress_state s;
} state_header;

static const char state_magic[8] = {'s', 'f', '-', 't', 'r', 'a', 'i', 'n'};

/* Their number: the last is of runs without an encoder. */
static int state_arrays(const sf_trainer *t, float *arrays[STATE_ARRAYS])
{
    arrays[0] = t->weights;
    arrays[1] = t->moment1;
    arrays[2] = t->moment2;
    arrays[3] = t->average;
    arrays[4] = t->best;
    arrays[5] = t->asked;
    return t->asked != NULL ? STATE_ARRAYS : STATE_ARRAYS - 1;
}

static size_t state_bytes(const sf_trainer *t, int64_t curve_count)
{
    float *arrays[STATE_ARRAYS];
    return sizeof(state_header) +
           (size_t)state_arrays(t, arrays) * (size_t)t->count * sizeof(float) +
           (size_t)curve_count * sizeof(sf_curve_point);
}

size_t sf_trainer_state_size(const sf_trainer *t)
{
    return state_bytes(t, t->s.curve_count);
}

void sf_trainer_state(const sf_trainer *t, void *bytes)
{
    char *at = bytes;
    state_header h;
    memset(&h, 0, sizeof h); /* padding is written too */
    memcpy(h.magic, state_magic, sizeof h.magic);
    h.version = STATE_VERSION;
    h.fingerprint = t->fingerprint;
    h.count = t->count;
    h.s = t->s;
    memcpy(at, &h, sizeof h);
    at += sizeof h;
    float *arrays[STATE_ARRAYS];
    const int count = state_arrays(t, arrays);
    const size_t each = (size_t)t->count * sizeof(float);
    for (int k = 0; k < count; k++, at += each)
        memcpy(at, arrays[k], each);
    if (t->s.curve_count > 0)
        memcpy(at, t->curve, (size_t)t->s.curve_count * sizeof *t->curve);
}

sf_status sf_trainer_restore(sf_trainer *t, const void *bytes, size_t size)
{
    state_header h;
    if (size < sizeof h)
        return SFI_FAIL(t->ctx, SF_E_ARG, "checkpoint: %zu bytes are too few",
                        size);
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.magic, state_magic, sizeof h.magic) != 0 ||
        h.version != STATE_VERSION)
        return SFI_FAIL(t->ctx, SF_E_ARG,
                        "checkpoint: not a training state of this version");
    if (h.fingerprint != t->fingerprint || h.count != t->count)
        return SFI_FAIL(t->ctx, SF_E_ARG,
                        "checkpoint: it belongs to other data or other options "
                        "(all but the time limit must be the same)");
    const progress_state *s = &h.s;
    if (s->step < 0 || s->step > t->o.steps || s->position < 0 ||
        s->position > t->rows || s->curve_count < 0 ||
        s->curve_count > t->o.steps + 1 || s->epoch < 0 ||
        size != state_bytes(t, s->curve_count))
        return SFI_FAIL(t->ctx, SF_E_ARG,
                        "checkpoint: its counters or its size do not fit");
    sf_curve_point *curve = sfi_grow(t->ctx, t->curve, &t->curve_capacity,
                                     (size_t)s->curve_count, sizeof *curve);
    if (curve == NULL)
        return SF_E_NOMEM;
    t->curve = curve;
    const char *at = (const char *)bytes + sizeof h;
    float *arrays[STATE_ARRAYS];
    const int count = state_arrays(t, arrays);
    const size_t each = (size_t)t->count * sizeof(float);
    for (int k = 0; k < count; k++, at += each)
        memcpy(arrays[k], at, each);
    if (s->curve_count > 0)
        memcpy(t->curve, at, (size_t)s->curve_count * sizeof *curve);
    t->s = *s;
    sfi_trainer_shuffle(t);
    return t->asked != NULL && t->s.step > 0 ? sfi_trainer_infer(t) : SF_OK;
}
