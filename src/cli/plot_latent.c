/* SPDX-License-Identifier: Apache-2.0 */
/* plot_latent.c - what a model does with its latent variables: lines along which one of
 * them alone changes, carried to the columns, among the rows; at some rows the principal
 * axes, as ellipses; rows whose latent point is ambiguous; a geodesic.  Or, of models of
 * pixels, the picture that each latent point decodes to.
 *
 * A decoder's latent points are inferred, a flow's are its codes. */
#include "cli/plot.h"

#include "num/decimal.h"
#include "scorefield/geodesic.h"
#include "scorefield/latent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINES = 9,        /* of each latent variable, from -2 to 2               */
    POINTS = 64,      /* of a line                                           */
    ELLIPSES = 12,    /* rows that have one                                  */
    ROUND = 49,       /* points of an ellipse                                */
    MOST_ROWS = 2000, /* that are inferred                                 */
    SEGMENTS = 64     /* of a geodesic                                       */
};

/* Latent lines reach this far, and axes are of this many latent units. */
static const double reach = 2.0, axis_length = 0.3;

/* Points of the plane with gaps. */
typedef struct stroke_list {
    double *xy;
    int64_t count, room;
} stroke_list;

typedef struct latent_picture {
    plot_job *j;
    const sf_model *m;
    sf_decoder *decoder; /* or NULL, of a flow                             */
    int64_t dim, latent;
    int64_t column[2]; /* of the plane                                     */
    sf_cmat rows;      /* of the table, MOST_ROWS at most                  */
    double *table;     /* [rows, dim]                                      */
    double *z;         /* [rows, K]                                        */
    double *ambiguous; /* [rows]                                           */
    stroke_list lines[2], ellipses, curve;
} latent_picture;

/* ---- what is asked --------------------------------------------------------------- */

static sf_status check(latent_picture *p)
{
    cli *c = p->j->c;
    const sf_model *m = p->m;
    if (m == NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG, "--latent: want a model to draw");
    if (!sf_model_can(m, SF_CAN_DECODE) && !sf_model_can(m, SF_CAN_PRINCIPAL))
        return SFI_FAIL(c->ctx, SF_E_UNSUPPORTED, "--latent: the model %s",
                        sf_model_why_not(m, SF_CAN_DECODE));
    if (p->dim < 2)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--latent: the model has one column, want 2 or more");
    if (p->j->o->between != NULL && p->decoder == NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--between: the model is an invertible flow, which has "
                        "no manifold of less than its columns");
    return SF_OK;
}

/* --columns A,B, or the first two. */
static sf_status choose_plane(latent_picture *p)
{
    cli *c = p->j->c;
    const char *list = p->j->o->density.columns;
    p->column[0] = 0;
    p->column[1] = 1;
    if (list == NULL)
        return SF_OK;
    const char *comma = strchr(list, ',');
    for (int k = 0; k < 2 && comma != NULL; k++) {
        const char *name = k == 0 ? list : comma + 1;
        const size_t size = k == 0 ? (size_t)(comma - list) : strlen(name);
        int64_t at = 0;
        while (at < p->dim && (strlen(p->j->names[at]) != size ||
                               strncmp(p->j->names[at], name, size) != 0))
            at++;
        if (at == p->dim)
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--columns: \"%s\" is no column of the model",
                            name);
        p->column[k] = at;
    }
    if (comma == NULL || p->column[0] == p->column[1])
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--columns is \"%s\", want two columns A,B, the plane "
                        "of the picture",
                        list);
    return SF_OK;
}

/* ---- rows ---------------------------------------------------------------------------- */

/* At most MOST_ROWS of the table, evenly. */
static sf_status take_rows(latent_picture *p)
{
    const sf_cmat x = p->j->data.x;
    const int64_t n = x.rows < MOST_ROWS ? x.rows : MOST_ROWS;
    p->table = sfi_alloc(p->j->c->ctx, (size_t)(n * p->dim), sizeof *p->table);
    p->z = sfi_alloc(p->j->c->ctx, (size_t)(n * p->latent), sizeof *p->z);
    p->ambiguous =
        sfi_alloc_zero(p->j->c->ctx, (size_t)n, sizeof *p->ambiguous);
    p->rows = (sf_cmat){p->table, n, p->dim, p->dim};
    if (p->table == NULL || p->z == NULL || p->ambiguous == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < n; i++)
        memcpy(p->table + i * p->dim, x.data + i * x.rows / n * x.stride,
               (size_t)p->dim * sizeof *p->table);
    return SF_OK;
}

static sf_status find_codes(latent_picture *p)
{
    const int64_t n = p->rows.rows, k = p->latent;
    const sf_mat z = {p->z, n, k, k};
    if (n == 0)
        return SF_OK;
    if (p->decoder == NULL)
        return sf_model_code(p->m, p->rows, z);
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    if (!sf_model_can(p->m, SF_CAN_NORMALISED))
        o.prior = SF_LATENT_NONE;
    o.seed = p->j->c->common.seed;
    v.z = z;
    v.ambiguous = (sf_mat){p->ambiguous, n, 1, 1};
    cli_progress_begin(p->j->c);
    const sf_status status =
        sf_latent_infer(p->j->c->ctx, p->decoder, p->rows, &v, NULL, &o);
    cli_progress_end(p->j->c);
    return status == SF_E_CONVERGE ? SF_OK : status;
}

/* ---- strokes ---------------------------------------------------------------------------- */

static sf_status make_room(latent_picture *p, stroke_list *s, int64_t room)
{
    s->xy = sfi_alloc(p->j->c->ctx, (size_t)(2 * room), sizeof *s->xy);
    s->room = room;
    return s->xy != NULL ? SF_OK : SF_E_NOMEM;
}

static void put(stroke_list *s, double x, double y)
{
    s->xy[2 * s->count] = x;
    s->xy[2 * s->count++ + 1] = y;
}

static void lift(stroke_list *s)
{
    put(s, (double)NAN, (double)NAN);
}

/* Images of latent points z [n, K] as a stroke. */
static sf_status put_images(latent_picture *p, stroke_list *s, const double *z,
                            int64_t n)
{
    const size_t cells = (size_t)(n * p->dim);
    double *x = sfi_alloc(p->j->c->ctx, cells, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        sf_model_decode(p->m, (sf_cmat){z, n, p->latent, p->latent},
                        (sf_mat){x, n, p->dim, p->dim});
    for (int64_t i = 0; i < n && status == SF_OK; i++) {
        put(s, x[i * p->dim + p->column[0]], x[i * p->dim + p->column[1]]);
        if ((i + 1) % POINTS == 0)
            lift(s);
    }
    sfi_free(p->j->c->ctx, x, cells, sizeof *x);
    return status;
}

/* Along latent variable `along`, at LINES values of the other of the first two. */
static sf_status make_lines(latent_picture *p, int along)
{
    const int64_t lines = p->latent > 1 ? LINES : 1, n = lines * POINTS;
    const size_t cells = (size_t)(n * p->latent);
    SFI_TRY(make_room(p, &p->lines[along], n + lines));
    double *z = sfi_alloc_zero(p->j->c->ctx, cells, sizeof *z);
    if (z == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < n; i++) {
        const double there = (double)(i % POINTS) / (POINTS - 1);
        z[i * p->latent + along] =
            (lines > 1 ? reach : 1.5 * reach) * (2.0 * there - 1.0);
        if (lines > 1)
            z[i * p->latent + 1 - along] =
                reach * (2.0 * (double)(i / POINTS) / (LINES - 1) - 1.0);
    }
    const sf_status status = put_images(p, &p->lines[along], z, n);
    sfi_free(p->j->c->ctx, z, cells, sizeof *z);
    return status;
}

/* The projection of an ellipsoid with the axes a_k [K, 2] about a point: C = sum a a', whose
 * factor carries the circle; and the first two axes themselves. */
static void put_ellipse(stroke_list *s, const double *centre, const double *a,
                        int64_t latent)
{
    double c[3] = {0};
    for (int64_t k = 0; k < latent; k++) {
        c[0] += a[2 * k] * a[2 * k];
        c[1] += a[2 * k] * a[2 * k + 1];
        c[2] += a[2 * k + 1] * a[2 * k + 1];
    }
    const double l00 = sqrt(c[0]), l10 = c[0] > 0.0 ? c[1] / l00 : 0.0;
    const double l11 = sqrt(fmax(0.0, c[2] - l10 * l10));
    for (int i = 0; i < ROUND && latent > 1; i++) {
        const double t = 6.283185307179586 * i / (ROUND - 1);
        put(s, centre[0] + l00 * cos(t),
            centre[1] + l10 * cos(t) + l11 * sin(t));
    }
    lift(s);
    for (int64_t k = 0; k < latent && k < 2; k++) {
        put(s, centre[0] - a[2 * k], centre[1] - a[2 * k + 1]);
        put(s, centre[0] + a[2 * k], centre[1] + a[2 * k + 1]);
        lift(s);
    }
}

/* Standard deviations and directions of the principal axes at ELLIPSES rows [n, K + K d],
 * and where they are. */
static sf_status find_axes(latent_picture *p, sf_cmat x, sf_cmat z, double *sd,
                           double *directions, double *centre)
{
    const int64_t n = x.rows, k = p->latent, d = p->dim;
    if (p->decoder == NULL) {
        const sf_principal out = {.sd = {sd, n, k, k},
                                  .directions = {directions, n, k * d, k * d}};
        memcpy(centre, x.data, (size_t)(n * d) * sizeof *centre);
        return sf_model_principal(p->m, x, 0, &out);
    }
    const int64_t each = k * (2 + d);
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    double *both = sfi_alloc(p->j->c->ctx, (size_t)(n * each), sizeof *both);
    if (both == NULL)
        return SF_E_NOMEM;
    o.prior = SF_LATENT_NONE;
    v.reconstruction = (sf_mat){centre, n, d, d};
    v.principal = (sf_mat){both, n, each, each};
    sf_context_set_warning(p->j->c->ctx, NULL, NULL);
    const sf_status status =
        sf_latent_at(p->j->c->ctx, p->decoder, x, z, &v, NULL, &o);
    sf_context_set_warning(p->j->c->ctx, cli_on_warning, p->j->c);
    for (int64_t i = 0; i < n * k && status == SF_OK; i++) {
        sd[i] = both[i * (2 + d)];
        memcpy(directions + i * d, both + i * (2 + d) + 2,
               (size_t)d * sizeof *directions);
    }
    sfi_free(p->j->c->ctx, both, (size_t)(n * each), sizeof *both);
    return status;
}

static sf_status make_ellipses(latent_picture *p)
{
    const int64_t k = p->latent, d = p->dim;
    const int64_t n = p->rows.rows < ELLIPSES ? p->rows.rows : ELLIPSES;
    const int64_t each = 2 * d + k + k + k * d;
    const size_t room = (size_t)(n * each + 2 * k);
    if (n == 0)
        return SF_OK;
    SFI_TRY(make_room(p, &p->ellipses, n * (ROUND + 1 + 6)));
    double *x = sfi_alloc(p->j->c->ctx, room, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    double *centre = x + n * d, *z = centre + n * d, *sd = z + n * k;
    double *directions = sd + n * k, *axes = directions + n * k * d;
    for (int64_t i = 0; i < n; i++) {
        const int64_t row = (2 * i + 1) * p->rows.rows / (2 * n);
        memcpy(x + i * d, p->table + row * d, (size_t)d * sizeof *x);
        memcpy(z + i * k, p->z + row * k, (size_t)k * sizeof *z);
    }
    const sf_status status =
        find_axes(p, (sf_cmat){x, n, d, d}, (sf_cmat){z, n, k, k}, sd,
                  directions, centre);
    for (int64_t i = 0; i < n && status == SF_OK; i++) {
        double at[2];
        for (int b = 0; b < 2; b++) {
            at[b] = centre[i * d + p->column[b]];
            for (int64_t a = 0; a < k; a++)
                axes[2 * a + b] = axis_length * sd[i * k + a] *
                                  directions[(i * k + a) * d + p->column[b]];
        }
        put_ellipse(&p->ellipses, at, axes, k);
    }
    sfi_free(p->j->c->ctx, x, room, sizeof *x);
    return status;
}

/* --between I,J: rows of the table, from 1. */
static sf_status make_geodesic(latent_picture *p)
{
    cli *c = p->j->c;
    const int64_t n = p->rows.rows, k = p->latent;
    const char *text = p->j->o->between;
    char *end = NULL;
    int64_t row[2] = {0, 0};
    if (text == NULL)
        return SF_OK;
    row[0] = strtoll(text, &end, 10);
    if (*end == ',')
        row[1] = strtoll(end + 1, &end, 10);
    if (*end != '\0' || row[0] < 1 || row[1] < 1 || row[0] > n || row[1] > n ||
        p->j->data.x.rows > n)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--between is \"%s\", want two rows I,J of a table of "
                        "at most %d, from 1 to %lld",
                        text, (int)MOST_ROWS, (long long)n);
    const int64_t points = SEGMENTS + 1;
    const size_t room = (size_t)(points * (k + p->dim));
    SFI_TRY(make_room(p, &p->curve, points));
    double *z = sfi_alloc(c->ctx, room, sizeof *z);
    if (z == NULL)
        return SF_E_NOMEM;
    double *x = z + points * k;
    const sf_status status =
        sf_geodesic(c->ctx, p->decoder, (sf_mat){z, points, k, k},
                    (sf_mat){x, points, p->dim, p->dim}, NULL, NULL,
                    p->z + (row[0] - 1) * k, p->z + (row[1] - 1) * k, NULL);
    for (int64_t i = 0; i < points && status == SF_OK; i++)
        put(&p->curve, x[i * p->dim + p->column[0]],
            x[i * p->dim + p->column[1]]);
    sfi_free(c->ctx, z, room, sizeof *z);
    return status;
}

/* ---- the picture ---------------------------------------------------------------------------- */

static sf_cmat points_of(const stroke_list *s)
{
    return (sf_cmat){s->xy, s->count, 2, 2};
}

/* Two columns of rows, all of them or the ambiguous ones. */
static int64_t take_plane(const latent_picture *p, bool ambiguous, double *to)
{
    int64_t n = 0;
    for (int64_t i = 0; i < p->rows.rows; i++) {
        if (ambiguous && p->ambiguous[i] == 0.0)
            continue;
        for (int b = 0; b < 2; b++)
            to[2 * n + b] = p->table[i * p->dim + p->column[b]];
        n++;
    }
    return n;
}

static sf_status draw(latent_picture *p)
{
    plot_job *j = p->j;
    sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
    bool has_density = false;
    const size_t room = 4 * (size_t)p->rows.rows;
    sf_plot_curve curves[4] = {
        {"along z0", points_of(&p->lines[0]), 0, 0},
        {"along z1", points_of(&p->lines[1]), 1, 0},
        {"principal axes", points_of(&p->ellipses), 3, 0},
        {"geodesic", points_of(&p->curve), 2, 0}};
    int64_t count = 0;
    for (int k = 0; k < 4; k++)
        if (curves[k].points.rows > 0)
            curves[count++] = curves[k];
    if (p->dim == 2 && plot_has_map(j)) {
        SFI_TRY(plot_choose_range(j, 0));
        SFI_TRY(plot_choose_range(j, 1));
        SFI_TRY(plot_density_plane(j, &has_density));
    }
    double *xy = sfi_alloc(j->c->ctx, room, sizeof *xy);
    if (xy == NULL)
        return SF_E_NOMEM;
    const int64_t n = take_plane(p, false, xy);
    const int64_t ambiguous = take_plane(p, true, xy + 2 * n);
    o.width = j->o->width;
    o.height = j->o->height;
    o.scale = j->o->scale;
    o.title = j->o->title;
    o.x_label = j->names[p->column[0]];
    o.y_label = j->names[p->column[1]];
    if (has_density)
        o.grid = plot_plane_grid(j);
    o.mass_count = -1;
    o.samples = (sf_cmat){xy + 2 * n, ambiguous, 2, 2};
    o.samples_label = "ambiguous rows";
    o.curves = curves;
    o.curve_count = count;
    const sf_status status =
        sf_plot_plane(j->c->ctx, j->o->output, (sf_cmat){xy, n, 2, 2}, &o);
    sfi_free(j->c->ctx, xy, room, sizeof *xy);
    return status;
}

static sf_status make(latent_picture *p)
{
    SFI_TRY(choose_plane(p));
    SFI_TRY(take_rows(p));
    SFI_TRY(find_codes(p));
    SFI_TRY(make_lines(p, 0));
    if (p->latent > 1)
        SFI_TRY(make_lines(p, 1));
    SFI_TRY(make_ellipses(p));
    SFI_TRY(make_geodesic(p));
    return draw(p);
}

/* ---- pictures of pixels ------------------------------------------------------------------------ */

/* "8x8" of as many columns as the model has. */
static sf_status read_pixels(const latent_picture *p, int64_t *w, int64_t *h)
{
    const char *text = p->j->o->pixels;
    char *end = NULL;
    *w = strtoll(text, &end, 10);
    *h = *end == 'x' ? strtoll(end + 1, &end, 10) : 0;
    if (*end == '\0' && *w >= 1 && *h >= 1 && *w <= p->dim &&
        *w * *h == p->dim && p->latent == 2)
        return SF_OK;
    return SFI_FAIL(
        p->j->c->ctx, SF_E_ARG,
        "--pixels is \"%s\", want WxH whose product is the number "
        "of columns, %lld, of a model of 2 latent variables (it has "
        "%lld)",
        text, (long long)p->dim, (long long)p->latent);
}

/* A grid of decoded pictures, each where its latent point is, with a cell of the least value
 * around it; row 0 of a picture is at its top.  values [ny, nx] from the bottom. */
static void lay_out(const double *x, int64_t w, int64_t h, int64_t nx,
                    int64_t ny, double *values)
{
    double least = x[0];
    for (int64_t i = 1; i < LINES * LINES * w * h; i++)
        least = fmin(least, x[i]);
    for (int64_t i = 0; i < nx * ny; i++)
        values[i] = least;
    for (int64_t i = 0; i < LINES * LINES * w * h; i++) {
        const int64_t tile = i / (w * h), row = i / w % h, k = i % w;
        const int64_t below = tile / LINES * (h + 1) + h - row;
        values[below * nx + tile % LINES * (w + 1) + 1 + k] = x[i];
    }
}

/* LINES pictures of `each` cells, one step of the latent variable each, and a cell between. */
static void set_edges(double *edges, int64_t each)
{
    const double step = 2.0 * reach / (LINES - 1);
    const int64_t n = LINES * (each + 1) + 1;
    for (int64_t i = 0; i <= n; i++)
        edges[i] =
            -reach - 0.5 * step + step * ((double)i - 0.5) / (double)(each + 1);
}

static sf_status draw_tiles(const latent_picture *p, int64_t w, int64_t h,
                            double *x)
{
    const plot_job *j = p->j;
    const int64_t nx = LINES * (w + 1) + 1, ny = LINES * (h + 1) + 1;
    const size_t room = (size_t)(nx * ny + nx + ny + 2);
    double *values = sfi_alloc(j->c->ctx, room, sizeof *values);
    if (values == NULL)
        return SF_E_NOMEM;
    double *x_edges = values + nx * ny, *y_edges = x_edges + nx + 1;
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    lay_out(x, w, h, nx, ny, values);
    set_edges(x_edges, w);
    set_edges(y_edges, h);
    o.width = j->o->width;
    o.height = j->o->height;
    o.scale = j->o->scale;
    o.title = j->o->title;
    o.x_label = "z0";
    o.y_label = "z1";
    o.bar_label = "what the latent variables decode to";
    o.colours = SF_PLOT_SEQUENTIAL;
    o.is_equal = true;
    const sf_status status = sf_plot_map(j->c->ctx, j->o->output, values, ny,
                                         nx, y_edges, x_edges, &o);
    sfi_free(j->c->ctx, values, room, sizeof *values);
    return status;
}

static sf_status draw_pixels(latent_picture *p)
{
    plot_job *j = p->j;
    int64_t w, h;
    SFI_TRY(read_pixels(p, &w, &h));
    const int64_t tiles = LINES * LINES;
    const size_t room = (size_t)(tiles * (p->dim + 2));
    double *x = sfi_alloc(j->c->ctx, room, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    double *z = x + tiles * p->dim;
    for (int64_t i = 0; i < tiles; i++) {
        z[2 * i] = reach * (2.0 * (double)(i % LINES) / (LINES - 1) - 1.0);
        z[2 * i + 1] = reach * (2.0 * (double)(i / LINES) / (LINES - 1) - 1.0);
    }
    sf_status status = sf_model_decode(p->m, (sf_cmat){z, tiles, 2, 2},
                                       (sf_mat){x, tiles, p->dim, p->dim});
    if (status == SF_OK)
        status = draw_tiles(p, w, h, x);
    sfi_free(j->c->ctx, x, room, sizeof *x);
    return status;
}

/* ---- all of it ---------------------------------------------------------------------------------- */

static void release(latent_picture *p)
{
    sf_context *ctx = p->j->c->ctx;
    stroke_list *const lists[] = {&p->lines[0], &p->lines[1], &p->ellipses,
                                  &p->curve};
    for (size_t k = 0; k < SFI_COUNT(lists); k++)
        sfi_free(ctx, lists[k]->xy, 2 * (size_t)lists[k]->room, sizeof(double));
    sfi_free(ctx, p->table, (size_t)(p->rows.rows * p->dim), sizeof(double));
    sfi_free(ctx, p->z, (size_t)(p->rows.rows * p->latent), sizeof(double));
    sfi_free(ctx, p->ambiguous, (size_t)p->rows.rows, sizeof(double));
    sf_decoder_free(p->decoder);
}

sf_status plot_draw_latent(plot_job *j)
{
    latent_picture p = {.j = j, .m = j->model, .dim = j->dim};
    sf_status status = SF_OK;
    if (p.m != NULL && sf_model_can(p.m, SF_CAN_DECODE))
        status = sf_decoder_from_model(j->c->ctx, &p.decoder, p.m);
    if (status == SF_OK)
        status = check(&p);
    if (status == SF_OK) {
        p.latent = sf_model_latents(p.m);
        status = j->o->pixels != NULL ? draw_pixels(&p) : make(&p);
    }
    release(&p);
    return status;
}
