/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - run files through a fuzz target without a fuzzer.
 *
 *     replay_csv PATH...        files, or directories of files
 *
 * Exits with 0 when every file has passed, 2 if there was none. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t size = 0, capacity = 0;
    if (f == NULL) {
        perror(path);
        return 0;
    }
    for (int c = getc(f); c != EOF; c = getc(f)) {
        if (size == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 4096;
            bytes = realloc(bytes, capacity);
            REQUIRE(bytes != NULL);
        }
        bytes[size++] = (uint8_t)c;
    }
    fclose(f);
    /* A copy of just this size lets a sanitizer see a read behind its end. */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    REQUIRE(exact != NULL);
    if (size > 0)
        memcpy(exact, bytes, size);
    free(bytes);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

static int replay(const char *path)
{
    struct stat what;
    if (stat(path, &what) != 0 || !S_ISDIR(what.st_mode))
        return replay_file(path);
    int count = 0;
    DIR *d = opendir(path);
    if (d == NULL) {
        perror(path);
        return 0;
    }
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char file[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        count += replay_file(file);
    }
    closedir(d);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%d files\n", count);
    return count > 0 ? 0 : 2;
}
