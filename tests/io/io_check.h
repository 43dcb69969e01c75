/* SPDX-License-Identifier: Apache-2.0 */
/* io_check.h - for tests of files: a directory that goes away, whole files as
 * bytes, and an allocator whose k-th allocation fails. */
#ifndef SFI_TESTS_IO_CHECK_H
#define SFI_TESTS_IO_CHECK_H

#define _XOPEN_SOURCE 700
#include "check.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a directory for a test's files ---------------------------------------- */

enum { PATH_SIZE = 600 };
static char folder[256];

SFI_UNUSED static int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/scorefield-test-XXXXXX",
             base != NULL && strlen(base) < 200 ? base : "/tmp");
    return mkdtemp(folder) == NULL;
}

/* Counts the entries of the folder; hidden ones too. */
SFI_UNUSED static int count_files(void)
{
    DIR *d = opendir(folder);
    int n = 0;
    CHECK(d != NULL);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

SFI_UNUSED static int empty_folder(void **state)
{
    (void)state;
    DIR *d = opendir(folder);
    if (d == NULL)
        return 1;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        unlink(path);
    }
    closedir(d);
    return 0;
}

SFI_UNUSED static int remove_folder(void **state)
{
    empty_folder(state);
    return rmdir(folder);
}

/* The path of a file there; valid until the eighth next call. */
SFI_UNUSED static const char *in_folder(const char *name)
{
    static char paths[8][PATH_SIZE];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

SFI_UNUSED static void put_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL);
    CHECK(fwrite(bytes, 1, n, f) == n);
    CHECK(fclose(f) == 0);
}

/* The bytes of a file, followed by a NUL; the caller frees them. */
SFI_UNUSED static char *get_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    CHECK(fseek(f, 0, SEEK_END) == 0);
    const long n = ftell(f);
    CHECK(n >= 0);
    rewind(f);
    char *bytes = malloc((size_t)n + 1);
    CHECK(bytes != NULL);
    CHECK(fread(bytes, 1, (size_t)n, f) == (size_t)n);
    bytes[n] = '\0';
    fclose(f);
    *size = (size_t)n;
    return bytes;
}

#define IO_TESTS(...)                                                          \
    int main(void)                                                             \
    {                                                                          \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                       \
        return cmocka_run_group_tests(tests, make_folder, remove_folder);      \
    }

#define IO_CASE(name) cmocka_unit_test_setup(name, empty_folder)

/* ---- an allocator whose k-th allocation fails ------------------------------- */

typedef struct faulty {
    long countdown; /* allocations until one fails; negative: never        */
    bool failed;
    int64_t live;       /* allocations that were not released              */
    int64_t live_bytes; /* and their size                                  */
    int64_t peak_bytes;
} faulty;

SFI_UNUSED static void *faulty_allocate(void *user, size_t bytes)
{
    faulty *f = user;
    if (f->countdown == 0) {
        f->failed = true;
        return NULL;
    }
    if (f->countdown > 0)
        f->countdown--;
    void *pointer = aligned_alloc(64, (bytes / 64 + 1) * 64);
    if (pointer == NULL)
        return NULL;
    f->live++;
    f->live_bytes += (int64_t)bytes;
    if (f->live_bytes > f->peak_bytes)
        f->peak_bytes = f->live_bytes;
    return pointer;
}

SFI_UNUSED static void faulty_release(void *user, void *pointer, size_t bytes)
{
    faulty *f = user;
    f->live--;
    f->live_bytes -= (int64_t)bytes;
    free(pointer);
}

/* Run `work` with the k-th allocation failing for k = 0, 1, ... until it
 * succeeds: every failure must be SF_E_NOMEM and leave nothing allocated, and
 * every release must name the size that was allocated. */
SFI_UNUSED static void check_every_allocation(sf_status (*work)(sf_context *ctx,
                                                                void *user),
                                              void *user)
{
    int failures = 0;
    for (long k = 0;; k++) {
        faulty f = {.countdown = -1};
        const sf_allocator allocator = {faulty_allocate, faulty_release, &f};
        sf_context *ctx = NULL;
        assert_int_equal(sf_context_new(&ctx, &allocator), SF_OK);
        f.countdown = k;
        const sf_status status = work(ctx, user);
        f.countdown = -1;
        check_status(ctx, status, f.failed ? SF_E_NOMEM : SF_OK,
                     "work with a failing allocation", __FILE__, __LINE__);
        sf_context_free(ctx);
        assert_int_equal(f.live, 0);
        assert_int_equal(f.live_bytes, 0);
        if (!f.failed)
            break;
        failures++;
    }
    CHECK(failures > 0);
}

#endif
