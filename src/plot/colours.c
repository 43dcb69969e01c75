/* SPDX-License-Identifier: Apache-2.0 */
/* colours.c - at most 256 colours for an animation.
 *
 * Bins that hold pixels are points with a weight; a box is a run of them in an
 * array that is sorted, within the box, along the channel of its largest
 * variance when it is split.  Every split cuts the box with the largest total
 * variance at its mean. */
#include "plot/movie.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct colour_point {
    double rgb[3], weight;
} colour_point;

typedef struct colour_box {
    int from, to; /* points [from, to) */
    int channel;  /* of the largest variance */
    double cut;   /* the mean there */
    double badness;
    double mean[3];
} colour_box;

static int bin_of(uint32_t pixel)
{
    const int drop = 8 - SFI_COLOUR_BITS;
    const uint32_t r = (pixel >> 16 & 255) >> drop;
    const uint32_t g = (pixel >> 8 & 255) >> drop;
    const uint32_t b = (pixel & 255) >> drop;
    return (int)((r << SFI_COLOUR_BITS | g) << SFI_COLOUR_BITS | b);
}

sf_status sfi_colours_new(sf_context *ctx, sfi_colours *c)
{
    memset(c, 0, sizeof *c);
    c->ctx = ctx;
    bool good = true;
    for (int k = 0; k < 3; k++) {
        c->sum[k] = sfi_alloc_zero(ctx, SFI_COLOUR_BINS, sizeof *c->sum[k]);
        good = good && c->sum[k] != NULL;
    }
    c->number = sfi_alloc_zero(ctx, SFI_COLOUR_BINS, sizeof *c->number);
    c->nearest = sfi_alloc_zero(ctx, SFI_COLOUR_BINS, sizeof *c->nearest);
    c->known = sfi_alloc_zero(ctx, SFI_COLOUR_BINS, sizeof *c->known);
    good = good && c->number != NULL && c->nearest != NULL && c->known != NULL;
    return good ? SF_OK : SF_E_NOMEM;
}

void sfi_colours_free(sfi_colours *c)
{
    if (c->ctx == NULL)
        return;
    for (int k = 0; k < 3; k++)
        sfi_free(c->ctx, c->sum[k], SFI_COLOUR_BINS, sizeof *c->sum[k]);
    sfi_free(c->ctx, c->number, SFI_COLOUR_BINS, sizeof *c->number);
    sfi_free(c->ctx, c->nearest, SFI_COLOUR_BINS, sizeof *c->nearest);
    sfi_free(c->ctx, c->known, SFI_COLOUR_BINS, sizeof *c->known);
    memset(c, 0, sizeof *c);
}

void sfi_colours_count(sfi_colours *c, const uint32_t *pixels, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const int bin = bin_of(pixels[i]);
        c->number[bin] += c->number[bin] < UINT32_MAX;
        c->sum[0][bin] += pixels[i] >> 16 & 255;
        c->sum[1][bin] += pixels[i] >> 8 & 255;
        c->sum[2][bin] += pixels[i] & 255;
    }
}

static colour_box measure(const colour_point *points, int from, int to)
{
    colour_box box = {.from = from, .to = to};
    double weight = 0.0, squares[3] = {0.0, 0.0, 0.0};
    for (int i = from; i < to; i++) {
        weight += points[i].weight;
        for (int k = 0; k < 3; k++) {
            const double d = points[i].rgb[k] - box.mean[k];
            box.mean[k] += d * points[i].weight / weight;
            squares[k] +=
                points[i].weight * d * (points[i].rgb[k] - box.mean[k]);
        }
    }
    for (int k = 1; k < 3; k++)
        if (squares[k] > squares[box.channel])
            box.channel = k;
    box.cut = box.mean[box.channel];
    box.badness = to - from > 1 ? squares[box.channel] : 0.0;
    return box;
}

/* Move the points below the cut to the front; returns where the others begin.
 * Not stable, but always the same. */
static int partition(colour_point *points, const colour_box *box)
{
    int below = box->from;
    for (int i = box->from; i < box->to; i++)
        if (points[i].rgb[box->channel] < box->cut) {
            const colour_point kept = points[below];
            points[below++] = points[i];
            points[i] = kept;
        }
    return below;
}

sf_status sfi_colours_choose(sfi_colours *c, int most)
{
    int count = 0;
    for (int bin = 0; bin < SFI_COLOUR_BINS; bin++)
        count += c->number[bin] > 0;
    colour_point *points = sfi_alloc(c->ctx, (size_t)count, sizeof *points);
    if (points == NULL)
        return SF_E_NOMEM;
    int n = 0;
    for (int bin = 0; bin < SFI_COLOUR_BINS; bin++) {
        if (c->number[bin] == 0)
            continue;
        const double weight = c->number[bin];
        colour_point *p = &points[n++];
        p->weight = sqrt(weight); /* rare colours matter to the eye as well */
        for (int k = 0; k < 3; k++)
            p->rgb[k] = (double)c->sum[k][bin] / weight;
    }
    colour_box box[256];
    int boxes = 0;
    if (count > 0)
        box[boxes++] = measure(points, 0, count);
    while (boxes > 0 && boxes < most) {
        int worst = 0;
        for (int b = 1; b < boxes; b++)
            if (box[b].badness > box[worst].badness)
                worst = b;
        if (!(box[worst].badness > 0.0))
            break;
        const int from = box[worst].from, to = box[worst].to;
        const int middle = partition(points, &box[worst]);
        if (middle == from || middle == to) { /* rounding: one colour */
            box[worst].badness = 0.0;
            continue;
        }
        box[worst] = measure(points, from, middle);
        box[boxes++] = measure(points, middle, to);
    }
    c->count = boxes;
    for (int b = 0; b < boxes; b++)
        for (int k = 0; k < 3; k++)
            c->rgb[b][k] = (uint8_t)(box[b].mean[k] + 0.5);
    sfi_free(c->ctx, points, (size_t)count, sizeof *points);
    return SF_OK;
}

int sfi_colours_nearest(sfi_colours *c, uint32_t pixel)
{
    const int bin = bin_of(pixel);
    if (c->known[bin])
        return c->nearest[bin];
    double colour[3] = {(double)(pixel >> 16 & 255), (double)(pixel >> 8 & 255),
                        (double)(pixel & 255)};
    for (int k = 0; k < 3 && c->number[bin] > 0; k++)
        colour[k] = (double)c->sum[k][bin] / c->number[bin];
    double least = INFINITY;
    for (int b = 0; b < c->count; b++) {
        double far = 0.0;
        for (int k = 0; k < 3; k++) {
            const double d = colour[k] - c->rgb[b][k];
            far += d * d;
        }
        if (far < least) {
            least = far;
            c->nearest[bin] = (uint8_t)b;
        }
    }
    c->known[bin] = true;
    return c->nearest[bin];
}
