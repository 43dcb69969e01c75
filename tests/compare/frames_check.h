/* SPDX-License-Identifier: Apache-2.0 */
/* frames_check.h - what tests of sf_compare_frames() share: frames of arrays. */
#ifndef SFI_TESTS_FRAMES_CHECK_H
#define SFI_TESTS_FRAMES_CHECK_H

#include "faults.h"
#include "base/random.h"
#include "compare/gower.h"

enum { MOST = 600 };

SFI_UNUSED static double uniform(uint64_t seed, int64_t i)
{
    const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
    return sfi_uniform_at(where, 0);
}

SFI_UNUSED static sf_frame_column numbers(const char *name, const double *x)
{
    sf_frame_column c = SF_FRAME_COLUMN_INIT;
    c.name = name;
    c.data = x;
    return c;
}

SFI_UNUSED static sf_frame_column texts(const char *name, const double *x,
                                        int64_t count,
                                        const char *const *levels)
{
    sf_frame_column c = numbers(name, x);
    c.kind = SF_KIND_CATEGORY;
    c.levels = levels;
    c.level_count = count;
    return c;
}

SFI_UNUSED static sf_frame *frame(sf_context *ctx, int64_t rows, int64_t cols,
                                  const sf_frame_column *columns)
{
    sf_frame *f = NULL;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, rows, cols, columns));
    return f;
}

SFI_UNUSED static sf_frames_report *compare(sf_context *ctx,
                                            const sf_frame *real,
                                            const sf_frame *synthetic,
                                            const sf_frames_options *o)
{
    sf_frames_report *r = NULL;
    CHECK_OK(ctx, sf_compare_frames(ctx, &r, real, synthetic, o));
    return r;
}

SFI_UNUSED static const char *const abcd[] = {"a", "b", "c", "d"};

#endif
