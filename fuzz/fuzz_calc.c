/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_calc.c - lists of expressions of fields.
 *
 * What is accepted is computed, the same bit for bit when computed again and by two
 * threads, with a name for each output; what is refused says why and leaves nothing to free. */
#include "fuzz.h"

#include "scorefield/calc.h"

enum { MOST = 8, LONGEST = 400 };

/* A field with a missing value, whose numbers are of either sign. */
static void make_field(sf_context *ctx, sf_field *f, const sf_grid *grid,
                       const char *name, const char *unit, int seed)
{
    REQUIRE(sf_field_new(ctx, f, grid, 1, NULL, SF_F64, 0) == SF_OK);
    const int64_t n = sf_grid_points(grid);
    double *values = malloc((size_t)n * sizeof *values);
    REQUIRE(values != NULL);
    for (int64_t i = 0; i < n; i++)
        values[i] = (double)((i * seed) % 41 - 20) / 4.0;
    values[n / 3] = NAN;
    sf_field_put(f, 0, values);
    free(values);
    REQUIRE(sf_field_set_name(ctx, f, name) == SF_OK);
    REQUIRE(sf_field_set_unit(ctx, f, unit) == SF_OK);
}

/* Compute `text` with a number of threads; the number of outputs, or -1. */
static int compute(const char *text, int threads, sf_context **ctx,
                   sf_grid **grid, sf_field *out)
{
    sf_field in[3];
    int count = -1;
    REQUIRE(sf_context_new(ctx, NULL) == SF_OK);
    REQUIRE(sf_context_set_threads(*ctx, threads) == SF_OK);
    REQUIRE(sf_grid_parse(*ctx, grid,
                          "t = 0:3:4 nodes; lat = -60:60:7 nodes; "
                          "lon = 0:360:8 periodic") == SF_OK);
    make_field(*ctx, &in[0], *grid, "u", "m s-1", 7);
    make_field(*ctx, &in[1], *grid, "v", "m s-1", 11);
    make_field(*ctx, &in[2], *grid, "temp", "K", 13);
    const sf_status status =
        sf_calc(*ctx, MOST, out, &count, text, 3, in, NULL);
    if (status == SF_OK) {
        REQUIRE(count > 0 && count <= MOST);
    } else {
        REQUIRE(status != SF_E_INTERNAL && count == 0);
        REQUIRE(sf_context_message(*ctx)[0] != '\0');
        count = -1;
    }
    for (int i = 0; i < 3; i++)
        sf_field_free(*ctx, &in[i]);
    return count;
}

/* Points of a field, densely. */
static double *values_of(const sf_field *f, int64_t *n)
{
    *n = sf_field_points(f, 0);
    double *values = malloc((size_t)*n * sizeof *values);
    REQUIRE(values != NULL);
    sf_field_get(f, 0, values);
    return values;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LONGEST)
        return 0;
    char text[LONGEST + 1];
    memcpy(text, data, size);
    text[size] = '\0';
    sf_context *ctx[2];
    sf_grid *grid[2];
    sf_field out[2][MOST] = {0};
    int count[2];
    for (int k = 0; k < 2; k++)
        count[k] = compute(text, k + 1, &ctx[k], &grid[k], out[k]);
    REQUIRE(count[0] == count[1]);
    for (int i = 0; i < count[0]; i++) {
        const sf_field *a = &out[0][i], *b = &out[1][i];
        int64_t n[2];
        double *values[2] = {values_of(a, &n[0]), values_of(b, &n[1])};
        REQUIRE(a->name != NULL && strcmp(a->name, b->name) == 0);
        REQUIRE((a->unit == NULL) == (b->unit == NULL));
        REQUIRE(a->unit == NULL || strcmp(a->unit, b->unit) == 0);
        REQUIRE(n[0] == n[1] && same_cells(values[0], values[1], n[0]));
        free(values[0]);
        free(values[1]);
    }
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < count[k]; i++)
            sf_field_free(ctx[k], &out[k][i]);
        sf_grid_free(grid[k]);
        sf_context_free(ctx[k]);
    }
    return 0;
}
