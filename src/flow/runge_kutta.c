/* SPDX-License-Identifier: Apache-2.0 */
/* runge_kutta.c - rounds of one attempted step for every path under way.
 *
 *     k_s = f(t + c_s h, y + h sum_r a_sr k_r),      s = 1 ... 7
 *     y'  = y + h sum_s b_s k_s = the place of stage 7,
 *     e   = h sum_s (b_s - b*_s) k_s
 *
 * where b* is of order 4.  Stage 7 of a step that is kept is stage 1 of the next.
 * Stage 2 is in neither sum, so that integrals along the path need no slope there.
 *
 * The next step is h times 0.9 E^-0.14 E_0^0.08, within 1/5 and 5, E being the error
 * of this step and E_0 that of the one kept before (K. Gustafsson, ACM TOMS 17
 * (1991) 533-554, with the numbers of Hairer, Norsett and Wanner, Solving ordinary
 * differential equations I, section II.4); it does not grow after a failure. */
#include "flow/runge_kutta.h"

#include "base/parallel.h"

#include <math.h>
#include <string.h>

enum { STAGES = 7 };

static const double places[STAGES] = {
    0.0, 1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0, 1.0};

static const double weights[STAGES][STAGES - 1] = {
    {0.0},
    {1.0 / 5.0},
    {3.0 / 40.0, 9.0 / 40.0},
    {44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0},
    {19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0},
    {9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0,
     -5103.0 / 18656.0},
    {35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0,
     11.0 / 84.0}};

static const double errors[STAGES] = {
    71.0 / 57600.0,      0.0,          -71.0 / 16695.0, 71.0 / 1920.0,
    -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0};

/* Steps of a path at a tolerance of 1e-5, at most, and of all of them on average;
 * a smooth flow of a model takes 30 to 100.  Numbers of an array, nearly. */
enum { MOST_STEPS = 4000, MEAN_STEPS = 500, MOST_CELLS = 1 << 20 };

/* Steps shorter than this part of the way do not move the time any more. */
static const double least_part = 1e-14;

/* Where a path is.  Aligned paths know their time and step as multiples of the way
 * over 2^GRID. */
enum { GRID = 46 };

typedef struct path_lane {
    int64_t path, steps;
    double t, h, kept_error;
    int64_t tick, ticks; /* of t and of h */
    bool fresh;          /* k_1 is not known yet   */
    bool failed;         /* the step before was too long */
} path_lane;

typedef struct walk {
    sf_context *ctx;
    const sfi_paths *p;
    int64_t room, size;    /* lanes, numbers of a state */
    int64_t active, next;  /* lanes in use, the next path to begin */
    int64_t arrived, most; /* paths, steps of a path at most */
    double tried, budget;  /* steps of all paths */
    double begun;
    path_lane *lanes;  /* [room] */
    double *y;         /* [room, size] */
    double *k[STAGES]; /* [room, size] each */
    double *place;     /* [room, size] states that slopes are asked at */
    double *slope;     /* [room, size] of fresh lanes */
    double *times;     /* [room] */
    int64_t *path;     /* [room] */
} walk;

/* ---- steps ------------------------------------------------------------------- */

/* Whether a step ends where the path does. */
static bool is_last(const walk *w, const path_lane *l)
{
    return w->p->aligned ? l->tick + l->ticks == (int64_t)1 << GRID
                         : l->h == w->p->to - l->t;
}

/* A step of this length, or the part of the way that is allowed. */
static void set_step(const walk *w, path_lane *l, double h)
{
    const double way = w->p->to - w->p->from;
    if (!w->p->aligned) {
        const double left = w->p->to - l->t;
        l->h = fabs(h) < fabs(left) ? h : left;
        return;
    }
    const int64_t all = (int64_t)1 << GRID;
    int64_t ticks = all;
    while (ticks > 1 && (l->tick % ticks != 0 || l->tick + ticks > all ||
                         (double)ticks * fabs(way) > ldexp(fabs(h), GRID)))
        ticks /= 2;
    l->ticks = ticks;
    l->h = way * ldexp((double)ticks, -GRID);
}

static void advance(const walk *w, path_lane *l)
{
    const sfi_paths *p = w->p;
    const bool last = is_last(w, l);
    l->tick += l->ticks;
    l->t = last ? p->to
           : p->aligned
               ? p->from + (p->to - p->from) * ldexp((double)l->tick, -GRID)
               : l->t + l->h;
}

/* Root mean square of v in units of the tolerance at y and at y2. */
static double size_of(const walk *w, const double *v, const double *y,
                      const double *y2)
{
    double sum = 0.0;
    for (int64_t j = 0; j < w->size; j++) {
        const double r =
            v[j] / (w->p->rtol * fmax(fabs(y[j]), fabs(y2[j])) + w->p->atol);
        sum += r * r;
    }
    return sqrt(sum / (double)w->size);
}

/* The first step: as far as brings a change of 1/100 of the state, and no more
 * than 1/100 of the way. */
static void first_step(const walk *w, path_lane *l, const double *y,
                       const double *slope)
{
    const double way = w->p->to - w->p->from;
    const double change = size_of(w, slope, y, y);
    const double state = fmax(size_of(w, y, y, y), 1.0);
    const double most = 0.01 * fabs(way);
    double h = change > 0.0 ? 0.01 * state / change : most;
    h = h < most ? h : most;
    set_step(w, l, way > 0.0 ? h : -h);
}

static bool finite(const double *v, int64_t n)
{
    double bad = 0.0;
    for (int64_t j = 0; j < n; j++)
        bad += v[j] * 0.0; /* inf*0 and nan*0 are nan */
    return bad == 0.0;
}

/* ---- rounds ------------------------------------------------------------------ */

typedef struct combination {
    walk *w;
    int stage;
} combination;

/* The places of a stage.  Sums are not part of them until the last. */
static void combine(void *user, int64_t part, int64_t first, int64_t count)
{
    const combination *c = user;
    walk *w = c->w;
    const int64_t size = w->size;
    const int64_t used = c->stage == STAGES - 1 ? size : size - w->p->sums;
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        const double h = w->lanes[i].h;
        double *to = w->place + i * size;
        memcpy(to, w->y + i * size, (size_t)size * sizeof *to);
        for (int r = 0; r < c->stage; r++) {
            const double a = h * weights[c->stage][r];
            const double *k = w->k[r] + i * size;
            for (int64_t j = 0; j < used && a != 0.0; j++)
                to[j] += a * k[j];
        }
        w->times[i] = places[c->stage] == 1.0 && is_last(w, &w->lanes[i])
                          ? w->p->to
                          : w->lanes[i].t + places[c->stage] * h;
    }
}

/* Slopes at the beginning of lanes that have just been taken. */
static sf_status begin_fresh(walk *w)
{
    const int64_t size = w->size;
    int64_t n = 0;
    for (int64_t i = 0; i < w->active; i++) {
        if (!w->lanes[i].fresh)
            continue;
        memcpy(w->place + n * size, w->y + i * size,
               (size_t)size * sizeof *w->y);
        w->times[n] = w->lanes[i].t;
        w->path[n++] = w->lanes[i].path;
    }
    if (n == 0)
        return SF_OK;
    SFI_TRY(w->p->slopes(w->p->user, n, w->path, w->times, w->place, true,
                         w->slope));
    n = 0;
    for (int64_t i = 0; i < w->active; i++) {
        if (!w->lanes[i].fresh)
            continue;
        w->lanes[i].fresh = false;
        memcpy(w->k[0] + i * size, w->slope + n * size,
               (size_t)size * sizeof *w->y);
        first_step(w, &w->lanes[i], w->y + i * size, w->slope + n * size);
        n++;
    }
    return SF_OK;
}

static sf_status take_stages(walk *w)
{
    const int64_t chunk = 1 + (1 << 12) / w->size;
    for (int64_t i = 0; i < w->active; i++)
        w->path[i] = w->lanes[i].path;
    for (int stage = 1; stage < STAGES; stage++) {
        combination c = {w, stage};
        sfi_parallel(w->ctx, w->active, chunk, combine, &c);
        SFI_TRY(w->p->slopes(w->p->user, w->active, w->path, w->times, w->place,
                             stage != 1, w->k[stage]));
    }
    return SF_OK;
}

static sf_status give_up(const walk *w, const path_lane *l, const char *why)
{
    return SFI_FAIL(w->ctx, SF_E_CONVERGE,
                    "row %lld: the flow cannot be integrated beyond time %.4g "
                    "(%s after %lld steps); the model may be badly trained "
                    "there, or the tolerance too small",
                    (long long)l->path + 1, l->t, why, (long long)l->steps);
}

/* By how much a step of error e may grow.  Aligned ones can double or halve only, and
 * what they were before says nothing. */
static double growth(const walk *w, const path_lane *l, double e, bool kept)
{
    const double most = kept && !l->failed ? 5.0 : 1.0;
    const double along = kept && !w->p->aligned
                             ? pow(e, -0.14) * pow(l->kept_error, 0.08)
                             : pow(e, -0.2);
    return fmin(fmax(0.9 * along, 0.2), most);
}

/* Keep the step of lane i or not, and say how long the next one is. */
static sf_status judge(walk *w, int64_t i)
{
    path_lane *l = &w->lanes[i];
    const int64_t size = w->size;
    double *error = w->slope; /* not in use now */
    double *y = w->y + i * size, *after = w->place + i * size;
    for (int64_t j = 0; j < size; j++) {
        double sum = 0.0;
        for (int s = 0; s < STAGES; s++)
            sum += errors[s] == 0.0 ? 0.0 : errors[s] * w->k[s][i * size + j];
        error[j] = l->h * sum;
    }
    const double e = size_of(w, error, y, after);
    const bool kept = e <= 1.0 && finite(after, size) &&
                      finite(w->k[STAGES - 1] + i * size, size);
    l->steps++;
    w->tried += 1.0;
    double h = 0.2 * l->h;
    if (isfinite(e)) {
        h = l->h * growth(w, l, e, kept);
        l->kept_error = kept ? fmax(e, 1e-4) : l->kept_error;
    }
    l->failed = !kept;
    if (kept) {
        memcpy(y, after, (size_t)size * sizeof *y);
        memcpy(w->k[0] + i * size, w->k[STAGES - 1] + i * size,
               (size_t)size * sizeof *y);
        advance(w, l);
        if (l->t == w->p->to)
            return SF_OK;
    } else if (fabs(h) <= least_part * fabs(w->p->to - w->p->from)) {
        return give_up(w, l, "steps became too short");
    }
    if (l->steps >= w->most)
        return give_up(w, l, "no end");
    if (w->tried >= w->budget)
        return give_up(w, l, "too much work for all rows");
    set_step(w, l, h);
    return SF_OK;
}

/* ---- lanes ------------------------------------------------------------------- */

static bool take_path(walk *w, int64_t i)
{
    if (w->next == w->p->count)
        return false;
    w->lanes[i] = (path_lane){
        .path = w->next++, .t = w->p->from, .kept_error = 1.0, .fresh = true};
    w->p->begin(w->p->user, w->lanes[i].path, w->y + i * w->size);
    return true;
}

/* Lanes whose paths have arrived take others, or the last lane's. */
static void settle(walk *w)
{
    const size_t bytes = (size_t)w->size * sizeof *w->y;
    for (int64_t i = 0; i < w->active;) {
        if (w->lanes[i].t != w->p->to) {
            i++;
            continue;
        }
        w->p->end(w->p->user, w->lanes[i].path, w->y + i * w->size);
        w->arrived++;
        if (take_path(w, i)) {
            i++;
            continue;
        }
        const int64_t last = --w->active;
        if (i == last)
            continue;
        w->lanes[i] = w->lanes[last];
        memcpy(w->y + i * w->size, w->y + last * w->size, bytes);
        memcpy(w->k[0] + i * w->size, w->k[0] + last * w->size, bytes);
    }
}

/* Paths under way count by how far they are. */
static sf_status report(const walk *w)
{
    double done = (double)w->arrived;
    for (int64_t i = 0; i < w->active; i++)
        done += (w->lanes[i].t - w->p->from) / (w->p->to - w->p->from);
    const sf_progress p = {.stage = w->p->stage,
                           .step = (int64_t)done,
                           .steps = w->p->count,
                           .loss = NAN,
                           .held_out = NAN,
                           .seconds = sfi_clock() - w->begun};
    if (!sfi_progress(w->ctx, &p, w->arrived == w->p->count))
        return SFI_FAIL(w->ctx, SF_E_CANCELLED, "%s: stopped", w->p->stage);
    return SF_OK;
}

static sf_status follow(walk *w)
{
    while (w->active < w->room && take_path(w, w->active))
        w->active++;
    while (w->active > 0) {
        SFI_TRY(begin_fresh(w));
        SFI_TRY(take_stages(w));
        for (int64_t i = 0; i < w->active; i++)
            SFI_TRY(judge(w, i));
        settle(w);
        SFI_TRY(report(w));
    }
    return SF_OK;
}

static bool allocate(walk *w)
{
    const size_t room = (size_t)w->room, cells = room * (size_t)w->size;
    bool enough = true;
    w->lanes = sfi_alloc(w->ctx, room, sizeof *w->lanes);
    w->times = sfi_alloc(w->ctx, room, sizeof *w->times);
    w->path = sfi_alloc(w->ctx, room, sizeof *w->path);
    w->y = sfi_alloc(w->ctx, cells, sizeof *w->y);
    w->place = sfi_alloc(w->ctx, cells, sizeof *w->place);
    w->slope = sfi_alloc(w->ctx, cells, sizeof *w->slope);
    for (int s = 0; s < STAGES; s++) {
        w->k[s] = sfi_alloc(w->ctx, cells, sizeof *w->k[s]);
        enough = enough && w->k[s] != NULL;
    }
    return enough && w->lanes != NULL && w->times != NULL && w->path != NULL &&
           w->y != NULL && w->place != NULL && w->slope != NULL;
}

static void release(walk *w)
{
    const size_t room = (size_t)w->room, cells = room * (size_t)w->size;
    for (int s = 0; s < STAGES; s++)
        sfi_free(w->ctx, w->k[s], cells, sizeof *w->k[s]);
    sfi_free(w->ctx, w->slope, cells, sizeof *w->slope);
    sfi_free(w->ctx, w->place, cells, sizeof *w->place);
    sfi_free(w->ctx, w->y, cells, sizeof *w->y);
    sfi_free(w->ctx, w->path, room, sizeof *w->path);
    sfi_free(w->ctx, w->times, room, sizeof *w->times);
    sfi_free(w->ctx, w->lanes, room, sizeof *w->lanes);
}

sf_status sfi_follow_paths(sf_context *ctx, const sfi_paths *p)
{
    const int64_t fit = 1 + MOST_CELLS / p->size;
    const int64_t lanes = fit < SFI_LANES ? fit : SFI_LANES;
    /* The steps of a method of order 5 grow as the fifth root of 1/tolerance. */
    const double tolerance = fmin(p->rtol, p->atol);
    const double more = fmax(1.0, pow(1e-5 / tolerance, 0.2));
    walk w = {.ctx = ctx,
              .p = p,
              .room = p->count < lanes ? p->count : lanes,
              .size = p->size,
              .most = (int64_t)(MOST_STEPS * more),
              .budget = fmax((double)p->count * MEAN_STEPS, MOST_STEPS) * more,
              .begun = sfi_clock()};
    sf_status status = allocate(&w) ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK && p->from == p->to) {
        for (int64_t i = 0; i < p->count; i++) {
            p->begin(p->user, i, w.y);
            p->end(p->user, i, w.y);
        }
    } else if (status == SF_OK) {
        status = follow(&w);
    }
    release(&w);
    return status;
}
