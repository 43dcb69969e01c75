/* SPDX-License-Identifier: Apache-2.0 */
/* colour.c - colour maps whose lightness is a faithful picture of the number.
 *
 * Viridis is given by every fifteenth entry of its published table of 256
 * (N. J. Smith and S. van der Walt, 2015, released under CC0), interpolated
 * linearly in sRGB.  The light and the signed map are straight lines in Oklab
 * (B. Ottosson, "A perceptual color space for image processing", 2020), in
 * which equal steps look equal; their end points keep inside the sRGB gamut.
 *
 * The palette is that of M. Okabe and K. Ito, "Color Universal Design" (2008),
 * which people with any common colour vision tell apart; its yellow is left
 * out because it can not be seen as a thin line on white. */
#include "plot/colour.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

const sfi_rgba sfi_ink = {0.13, 0.14, 0.16, 1.0};
const sfi_rgba sfi_soft_ink = {0.36, 0.38, 0.41, 1.0};
const sfi_rgba sfi_hairline = {0.90, 0.91, 0.92, 1.0};
const sfi_rgba sfi_paper = {1.0, 1.0, 1.0, 1.0};
const sfi_rgba sfi_no_number = {0.86, 0.86, 0.86, 1.0};
const sfi_rgba sfi_real = {0.0, 114.0 / 255.0, 178.0 / 255.0, 1.0};
const sfi_rgba sfi_synthetic = {213.0 / 255.0, 94.0 / 255.0, 0.0, 1.0};

static const uint32_t viridis[] = {
    0x440154, 0x481769, 0x472A7A, 0x433D84, 0x3D4E8A, 0x355E8D,
    0x2E6D8E, 0x297B8E, 0x23898E, 0x1F978B, 0x21A585, 0x2EB37C,
    0x46C06F, 0x65CB5E, 0x89D548, 0xB0DD2F, 0xD8E219, 0xFDE725};

static const uint32_t palette[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7,
                                   0x56B4E9, 0xE69F00, 0x000000};

/* Oklab: lightness 0 to 1, green-red, blue-yellow. */
typedef struct oklab {
    double l, a, b;
} oklab;

static sfi_rgba from_hex(uint32_t hex)
{
    const sfi_rgba c = {(hex >> 16) / 255.0, (hex >> 8 & 255) / 255.0,
                        (hex & 255) / 255.0, 1.0};
    return c;
}

static double clamp01(double t)
{
    return t > 0.0 ? (t < 1.0 ? t : 1.0) : 0.0; /* NaN gives 0 */
}

static double mix(double a, double b, double t)
{
    return a + (b - a) * t;
}

/* The transfer curve of IEC 61966-2-1, both ways. */
static double to_srgb(double linear)
{
    const double v = clamp01(linear);
    return v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1.0 / 2.4) - 0.055;
}

static double from_srgb(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static sfi_rgba from_oklab(oklab c)
{
    const double l0 = c.l + 0.3963377774 * c.a + 0.2158037573 * c.b;
    const double m0 = c.l - 0.1055613458 * c.a - 0.0638541728 * c.b;
    const double s0 = c.l - 0.0894841775 * c.a - 1.2914855480 * c.b;
    const double l = l0 * l0 * l0, m = m0 * m0 * m0, s = s0 * s0 * s0;
    const sfi_rgba out = {
        to_srgb(+4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
        to_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
        to_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s), 1.0};
    return out;
}

static sfi_rgba between(oklab from, oklab to, double t)
{
    const oklab c = {mix(from.l, to.l, t), mix(from.a, to.a, t),
                     mix(from.b, to.b, t)};
    return from_oklab(c);
}

static sfi_rgba viridis_at(double t)
{
    const int last = (int)SFI_COUNT(viridis) - 1;
    const double u = t * last;
    const int i = u < last ? (int)u : last - 1;
    const sfi_rgba a = from_hex(viridis[i]), b = from_hex(viridis[i + 1]);
    const sfi_rgba c = {mix(a.r, b.r, u - i), mix(a.g, b.g, u - i),
                        mix(a.b, b.b, u - i), 1.0};
    return c;
}

/* A circle of one lightness around grey, in the sRGB gamut all the way. */
static sfi_rgba hue_at(double t)
{
    const double angle = 6.283185307179586 * t, chroma = 0.115;
    const oklab c = {0.72, chroma * cos(angle), chroma * sin(angle)};
    return from_oklab(c);
}

static const oklab white = {1.0, 0.0, 0.0};
static const oklab mid_blue = {0.66, -0.045, -0.100};
static const oklab deep_blue = {0.45, -0.040, -0.130};
static const oklab deep_red = {0.45, 0.140, 0.070};

sfi_rgba sfi_map_at(sfi_map map, double t)
{
    const double u = clamp01(t);
    switch (map) {
    case SFI_MAP_VIRIDIS:
        return viridis_at(u);
    case SFI_MAP_LIGHT:
        return between(white, mid_blue, u);
    case SFI_MAP_CYCLIC:
        return hue_at(u);
    case SFI_MAP_SIGNED:
        break;
    }
    return u < 0.5 ? between(deep_blue, white, 2.0 * u)
                   : between(white, deep_red, 2.0 * u - 1.0);
}

double sfi_lightness(sfi_rgba c)
{
    const double y = 0.2126 * from_srgb(c.r) + 0.7152 * from_srgb(c.g) +
                     0.0722 * from_srgb(c.b);
    return y > 216.0 / 24389.0 ? 116.0 * cbrt(y) - 16.0 : y * 24389.0 / 27.0;
}

sfi_rgba sfi_palette(int i)
{
    const int n = (int)SFI_COUNT(palette);
    return from_hex(palette[((i % n) + n) % n]);
}

sfi_rgba sfi_faded(sfi_rgba colour, double alpha)
{
    colour.a = alpha;
    return colour;
}
