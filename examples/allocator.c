/* SPDX-License-Identifier: Apache-2.0 */
/* allocator.c - give the library an allocator and read its messages.
 *
 * Everything scorefield allocates comes from the context's allocator.  This one
 * counts bytes and refuses to go beyond a budget, which is how a host program
 * keeps a computation within its means. */
#include <stdio.h>
#include <stdlib.h>

#include <scorefield/base.h>

typedef struct budget {
    size_t used;
    size_t limit;
} budget;

static void *take(void *user, size_t bytes)
{
    budget *b = user;
    if (bytes > b->limit - b->used)
        return NULL;
    const size_t rounded = (bytes + 63) / 64 * 64; /* aligned_alloc's rule */
    void *memory = aligned_alloc(64, rounded > 0 ? rounded : 64);
    if (memory != NULL)
        b->used += bytes;
    return memory;
}

static void give_back(void *user, void *memory, size_t bytes)
{
    budget *b = user;
    if (memory != NULL)
        b->used -= bytes;
    free(memory);
}

int main(void)
{
    budget small = {0, 16};
    budget large = {0, 1 << 20};
    sf_allocator allocator = {take, give_back, &small};
    sf_context *ctx = NULL;

    printf("scorefield %s\n", sf_version());
    sf_status status = sf_context_new(&ctx, &allocator);
    printf("with %zu bytes: %s\n", small.limit, sf_status_text(status));

    allocator.user = &large;
    status = sf_context_new(&ctx, &allocator);
    printf("with %zu bytes: %s\n", large.limit, sf_status_text(status));
    if (status != SF_OK)
        return EXIT_FAILURE;

    status = sf_context_set_threads(ctx, -1);
    printf("-1 threads: %s: %s\n", sf_status_text(status),
           sf_context_message(ctx));

    sf_context_free(ctx);
    printf("%zu bytes are still in use\n", large.used);
    return large.used == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
