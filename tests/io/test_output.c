/* SPDX-License-Identifier: Apache-2.0 */
/* Files appear under their name only when they are complete; and what is read
 * from and written to pipes, devices and standard streams. */
#include "io_check.h"

#include "io/output.h"
#include "io/rows.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* A child that dies of a signal, instead of going on with the next test. */
static pid_t start_child(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    fflush(NULL);
    const pid_t child = fork();
    for (size_t i = 0; i < SFI_COUNT(signals) && child == 0; i++)
        signal(signals[i], SIG_DFL);
    return child;
}

/* Wait for a child that must exit with 0. */
static void check_child(pid_t child)
{
    int status = 1;
    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void check_file(const char *path, const char *want)
{
    size_t size = 0;
    char *got = get_file(path, &size);
    assert_string_equal(got, want);
    free(got);
}

TEST(links_to_nothing_yet_are_followed)
{
    (void)state_;
    sf_context *ctx = new_context();
    size_t size = 0;
    sfi_output *out = NULL;
    CHECK(symlink("b", in_folder("a")) == 0);
    CHECK(symlink(in_folder("c"), in_folder("b")) == 0);
    CHECK(symlink("d.csv", in_folder("c")) == 0);
    CHECK_OK(ctx, sfi_output_try(ctx, in_folder("a")));
    CHECK(count_files() == 3);
    CHECK_OK(ctx, sfi_output_open(ctx, &out, in_folder("a")));
    sfi_output_text(out, "x");
    CHECK_OK(ctx, sfi_output_commit(out));
    CHECK(count_files() == 4);
    char *bytes = get_file(in_folder("d.csv"), &size);
    CHECK(size == 1 && bytes[0] == 'x');
    free(bytes);
    char *places[] = {sfi_output_target(ctx, in_folder("a")),
                      sfi_output_target(ctx, in_folder("d.csv"))};
    assert_string_equal(places[0], places[1]);
    sfi_free_text(ctx, places[0]);
    sfi_free_text(ctx, places[1]);
    sf_context_free(ctx);
}

TEST(everything_that_is_written_arrives)
{
    (void)state_;
    enum { LARGE = 200000 };
    sf_context *ctx = new_context();
    const char *path = in_folder("a.txt");
    char *large = malloc(LARGE + 1);
    CHECK(large != NULL);
    for (int i = 0; i < LARGE; i++)
        large[i] = (char)('a' + i % 26);
    large[LARGE] = '\0';
    sfi_output *outputs[2] = {NULL, NULL};
    CHECK_OK(ctx, sfi_output_open(ctx, &outputs[0], path));
    CHECK_OK(ctx, sfi_output_memory(ctx, &outputs[1]));
    for (int i = 0; i < 2; i++) {
        sfi_output *out = outputs[i];
        CHECK_OK(ctx, sfi_output_text(out, "begin "));
        CHECK_OK(ctx, sfi_output_format(out, "%d %s", 7, "x"));
        CHECK_OK(ctx, sfi_output_byte(out, ' '));
        CHECK_OK(ctx, sfi_output_number(out, 0.1));
        CHECK_OK(ctx, sfi_output_write(out, large, LARGE));
        for (int k = 0; k < LARGE; k += 4)
            CHECK_OK(ctx, sfi_output_write(out, large + k, 4));
        char *room = sfi_output_room(out, 10);
        CHECK(room != NULL);
        memcpy(room, "end", 3);
        sfi_output_advance(out, 3);
        CHECK(sfi_output_status(out) == SF_OK);
    }
    size_t file_size = 0, memory_size = 0;
    CHECK(access(path, F_OK) != 0);
    CHECK_OK(ctx, sfi_output_commit(outputs[0]));
    char *got = get_file(path, &file_size);
    const char *bytes = sfi_output_bytes(outputs[1], &memory_size);
    CHECK(file_size == 13 + 2 * LARGE + 3 && memory_size == file_size);
    CHECK(memcmp(got, bytes, file_size) == 0);
    CHECK(memcmp(got, "begin 7 x 0.1", 13) == 0);
    CHECK(memcmp(got + 13, large, LARGE) == 0);
    CHECK(memcmp(got + 13 + LARGE, large, LARGE) == 0);
    CHECK(memcmp(got + 13 + 2 * LARGE, "end", 3) == 0);
    CHECK_OK(ctx, sfi_output_commit(outputs[1]));
    free(got);
    free(large);
    CHECK(count_files() == 1);
    sf_context_free(ctx);
}

TEST(the_old_file_stays_whole_until_the_new_one_is)
{
    (void)state_;
    sf_context *ctx = new_context();
    const char *path = in_folder("a.txt");
    put_file(path, "old", 3);
    sfi_output *out = NULL;
    CHECK_OK(ctx, sfi_output_open(ctx, &out, path));
    CHECK_OK(ctx, sfi_output_text(out, "new"));
    check_file(path, "old");
    sfi_output_abort(out);
    check_file(path, "old");
    CHECK(count_files() == 1);

    CHECK_OK(ctx, sfi_output_open(ctx, &out, path));
    CHECK_OK(ctx, sfi_output_text(out, "new"));
    CHECK(sfi_output_close(out, SF_E_NUMERIC) == SF_E_NUMERIC);
    check_file(path, "old");
    CHECK(count_files() == 1);

    CHECK_OK(ctx, sfi_output_open(ctx, &out, path));
    CHECK_OK(ctx, sfi_output_text(out, "new"));
    CHECK_OK(ctx, sfi_output_close(out, SF_OK));
    check_file(path, "new");
    CHECK(count_files() == 1);
    CHECK_OK(ctx, sfi_output_commit(NULL));
    CHECK(sfi_output_close(NULL, SF_E_IO) == SF_E_IO);
    sfi_output_abort(NULL);
    sf_context_free(ctx);
}

TEST(a_program_that_dies_while_writing_leaves_the_old_file)
{
    (void)state_;
    const char *path = in_folder("a.csv");
    put_file(path, "x\n1\n", 4);
    const pid_t child = start_child();
    if (child == 0) {
        sf_context *ctx = NULL;
        sfi_output *out = NULL;
        char bytes[70000] = {0};
        if (sf_context_new(&ctx, NULL) != SF_OK ||
            sfi_output_open(ctx, &out, path) != SF_OK ||
            sfi_output_write(out, bytes, sizeof bytes) != SF_OK)
            _exit(1);
        raise(SIGKILL);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    check_file(path, "x\n1\n");
    CHECK(count_files() == 2); /* the temporary one is left behind */
}

/* A file-size limit is how a full disk looks to a regular file. */
TEST(a_disk_that_fills_up_leaves_the_old_file_and_no_other)
{
    (void)state_;
    const char *path = in_folder("a.csv");
    put_file(path, "x\n1\n", 4);
    for (int rows = 100; rows <= 100000; rows *= 1000) {
        const pid_t child = start_child();
        if (child == 0) {
            signal(SIGXFSZ, SIG_IGN);
            const struct rlimit limit = {50, 50};
            sf_context *ctx = NULL;
            sf_table t;
            if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
                sf_context_new(&ctx, NULL) != SF_OK ||
                sf_table_new(ctx, &t, rows, 2, NULL) != SF_OK)
                _exit(1);
            const sf_status status = sf_table_write(ctx, &t, path);
            const char *message = sf_context_message(ctx);
            _exit(status != SF_E_IO ||
                  strstr(message, "a.csv: cannot be written: File too large") ==
                      NULL);
        }
        check_child(child);
        check_file(path, "x\n1\n");
        CHECK(count_files() == 1);
    }
}

TEST(a_full_device_is_reported_with_its_path)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const char *const names[] = {"full.csv", "full.npy"};
    for (int i = 0; i < 2; i++) {
        const char *path = in_folder(names[i]);
        CHECK(symlink("/dev/full", path) == 0);
        for (int64_t rows = 3; rows <= 30000; rows *= 10000) {
            sf_table t;
            CHECK_OK(ctx, sf_table_new(ctx, &t, rows, 5, NULL));
            char want[PATH_SIZE + 64];
            snprintf(want, sizeof want,
                     "%s: cannot be written: No space left on device", path);
            CHECK_FAILS(ctx, sf_table_write(ctx, &t, path), SF_E_IO, want);
            sf_table_free(ctx, &t);
        }
    }
    sfi_output *out = NULL;
    CHECK_OK(ctx, sfi_output_open(ctx, &out, "/dev/full"));
    char bytes[100000] = {0};
    CHECK(sfi_output_write(out, bytes, sizeof bytes) == SF_E_IO);
    CHECK(sfi_output_status(out) == SF_E_IO);
    CHECK(sfi_output_text(out, "x") == SF_E_IO);
    CHECK(sfi_output_format(out, "x") == SF_E_IO);
    CHECK(sfi_output_number(out, 1.0) == SF_E_IO);
    CHECK(sfi_output_byte(out, 'x') == SF_E_IO);
    CHECK(sfi_output_room(out, 1) == NULL);
    CHECK_FAILS(ctx, sfi_output_commit(out), SF_E_IO,
                "/dev/full: cannot be written: No space left");
    sf_context_free(ctx);
}

TEST(what_cannot_be_opened_is_named)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_output *out = NULL;
    sf_table t;
    CHECK_FAILS(ctx, sfi_output_open(ctx, &out, in_folder("no/a.csv")), SF_E_IO,
                "no/a.csv: cannot be written: No such file or directory");
    CHECK(out == NULL);
    CHECK_FAILS(ctx, sfi_output_open(ctx, &out, folder), SF_E_IO,
                "is a directory, want a file's name");
    CHECK(mkdir(in_folder("d.csv"), 0777) == 0);
    CHECK_FAILS(ctx, sf_table_read(ctx, &t, in_folder("d.csv")), SF_E_IO,
                "d.csv: is a directory, want a file");
    CHECK(rmdir(in_folder("d.csv")) == 0);
    CHECK(count_files() == 0);
    if (geteuid() != 0) {
        put_file(in_folder("a.csv"), "x\n1\n", 4);
        CHECK(chmod(in_folder("a.csv"), 0444) == 0);
        CHECK_FAILS(ctx, sfi_output_open(ctx, &out, in_folder("a.csv")),
                    SF_E_IO, "a.csv: cannot be written: Permission denied");
        CHECK(chmod(in_folder("a.csv"), 0) == 0);
        CHECK_FAILS(ctx, sf_table_read(ctx, &t, in_folder("a.csv")), SF_E_IO,
                    "a.csv: cannot be opened: Permission denied");
    }
    sf_context_free(ctx);
}

TEST(links_are_followed_and_permissions_kept)
{
    (void)state_;
    sf_context *ctx = new_context();
    const char *path = in_folder("a.txt"), *link = in_folder("link");
    struct stat what;
    sfi_output *out = NULL;
    const mode_t old_mask = umask(027);
    CHECK_OK(ctx, sfi_output_open(ctx, &out, path));
    CHECK_OK(ctx, sfi_output_commit(out));
    umask(old_mask);
    CHECK(stat(path, &what) == 0 && (what.st_mode & 0777) == 0640);
    CHECK(chmod(path, 0751) == 0);
    CHECK(symlink("a.txt", link) == 0);
    CHECK_OK(ctx, sfi_output_open(ctx, &out, link));
    CHECK_OK(ctx, sfi_output_text(out, "new"));
    CHECK_OK(ctx, sfi_output_commit(out));
    CHECK(lstat(link, &what) == 0 && S_ISLNK(what.st_mode));
    CHECK(lstat(path, &what) == 0 && S_ISREG(what.st_mode));
    CHECK((what.st_mode & 0777) == 0751);
    check_file(path, "new");
    CHECK(count_files() == 2);
    sf_context_free(ctx);
}

TEST(names_may_be_as_long_as_the_system_allows)
{
    (void)state_;
    sf_context *ctx = new_context();
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    sfi_output *out = NULL;
    CHECK_OK(ctx, sfi_output_open(ctx, &out, in_folder(name)));
    CHECK_OK(ctx, sfi_output_commit(out));
    CHECK(access(in_folder(name), F_OK) == 0);
    /* A name without a directory lies in the current one. */
    char here[1024];
    CHECK(getcwd(here, sizeof here) != NULL);
    CHECK(chdir(folder) == 0);
    const sf_status opened = sfi_output_open(ctx, &out, "b");
    const int files = count_files();
    const sf_status closed = sfi_output_close(out, opened);
    CHECK(chdir(here) == 0);
    CHECK(opened == SF_OK && closed == SF_OK && files == 2);
    CHECK(access(in_folder("b"), F_OK) == 0);
    sf_context_free(ctx);
}

TEST(a_formatted_text_that_is_too_long_is_an_error)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_output *out = NULL;
    CHECK_OK(ctx, sfi_output_open(ctx, &out, in_folder("a")));
    CHECK_OK(ctx, sfi_output_format(out, "%1023d", 1));
    CHECK_FAILS(ctx, sfi_output_format(out, "%1024d", 1), SF_E_INTERNAL,
                "a formatted text exceeds 1023 bytes");
    CHECK(sfi_output_commit(out) == SF_E_INTERNAL);
    CHECK(count_files() == 0);
    sf_context_free(ctx);
}

/* Run `work` in a child whose standard input and output are these files. */
static void with_standard_files(int in, int out, int (*work)(void))
{
    const pid_t child = start_child();
    if (child == 0) {
        if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
            _exit(100);
        _exit(work());
    }
    check_child(child);
}

static int copy_standard_table(void)
{
    sf_context *ctx = NULL;
    sf_table t;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    if (sf_table_read(ctx, &t, "-") != SF_OK)
        return 2;
    if (sf_table_write(ctx, &t, "-") != SF_OK)
        return 3;
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
    return 0;
}

TEST(a_dash_is_standard_input_and_output)
{
    (void)state_;
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], "x,y\n1,a\n\"2\",\n", 13) == 13);
    close(ends[1]);
    const int file = open(in_folder("out"), O_RDWR | O_CREAT, 0600);
    CHECK(file >= 0);
    with_standard_files(ends[0], file, copy_standard_table);
    close(ends[0]);
    close(file);
    check_file(in_folder("out"), "x,y\n1,a\n2,\n");
}

/* What comes through a pipe is gathered in pieces of 8192 cells and more. */
TEST(a_large_table_comes_through_a_pipe)
{
    (void)state_;
    enum { ROWS = 100000 };
    sf_context *ctx = new_context();
    sf_table t;
    CHECK_OK(ctx, sf_table_new(ctx, &t, ROWS, 3, NULL));
    for (int i = 0; i < ROWS * 3; i++)
        t.data[i] = i;
    CHECK_OK(ctx, sf_table_write(ctx, &t, in_folder("in.csv")));
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t writer = start_child();
    if (writer == 0) {
        size_t size = 0;
        const char *text = get_file(in_folder("in.csv"), &size);
        close(ends[0]);
        for (size_t at = 0; at < size;) {
            const ssize_t n = write(ends[1], text + at, size - at);
            if (n <= 0)
                _exit(1);
            at += (size_t)n;
        }
        _exit(0);
    }
    close(ends[1]);
    const int file = open(in_folder("out.csv"), O_RDWR | O_CREAT, 0600);
    CHECK(file >= 0);
    with_standard_files(ends[0], file, copy_standard_table);
    close(ends[0]);
    close(file);
    check_child(writer);
    size_t in_size = 0, out_size = 0;
    char *in = get_file(in_folder("in.csv"), &in_size);
    char *out = get_file(in_folder("out.csv"), &out_size);
    CHECK(in_size == out_size && memcmp(in, out, in_size) == 0);
    free(in);
    free(out);
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

/* 0 if a second reading works, 1 if it is refused as documented. */
static int read_standard_input_twice(void)
{
    sf_context *ctx = NULL;
    sfi_rows *rows = NULL;
    double cells[2];
    int64_t got = 0;
    if (sf_context_new(&ctx, NULL) != SF_OK ||
        sfi_rows_open(ctx, &rows, "-", NULL) != SF_OK)
        return 10;
    for (int pass = 0; pass < 2; pass++) {
        if (sfi_rows_next(rows, cells, 1, &got) != SF_OK || got != 1 ||
            cells[0] != 1.0)
            return 11;
        const sf_status status = sfi_rows_rewind(rows);
        if (status == SF_E_UNSUPPORTED &&
            strstr(sf_context_message(ctx),
                   "<stdin>: can be read only once; save it to a file first"))
            return 1;
        if (status != SF_OK)
            return 12;
    }
    sfi_rows_close(rows);
    sf_context_free(ctx);
    return 0;
}

static int pipes_cannot_be_read_twice(void)
{
    return read_standard_input_twice() != 1;
}

/* A file on standard input begins where it stands. */
TEST(only_files_can_be_read_twice)
{
    (void)state_;
    put_file(in_folder("in"), "skipped x,y\n1,2\n3,4\n", 20);
    const int file = open(in_folder("in"), O_RDONLY);
    CHECK(file >= 0 && lseek(file, 8, SEEK_SET) == 8);
    with_standard_files(file, STDOUT_FILENO, read_standard_input_twice);
    close(file);
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], "x,y\n1,2\n", 8) == 8);
    close(ends[1]);
    with_standard_files(ends[0], STDOUT_FILENO, pipes_cannot_be_read_twice);
    close(ends[0]);
}

/* Peak memory in a child that reads the table, less what it has before. */
static int64_t bytes_to_read(const char *path)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t child = start_child();
    if (child == 0) {
        struct rusage before, after;
        sf_context *ctx = NULL;
        sf_table t;
        getrusage(RUSAGE_SELF, &before);
        if (sf_context_new(&ctx, NULL) != SF_OK ||
            sf_table_read(ctx, &t, path) != SF_OK)
            _exit(1);
        getrusage(RUSAGE_SELF, &after);
        const int64_t used = (after.ru_maxrss - before.ru_maxrss) * 1024L;
        _exit(write(ends[1], &used, sizeof used) != sizeof used);
    }
    int64_t used = 0;
    check_child(child);
    CHECK(read(ends[0], &used, sizeof used) == sizeof used);
    close(ends[0]);
    close(ends[1]);
    return used;
}

/* The table takes 24 MB.  Kept in pieces and put together it must not take
 * twice that; half as much again is the bound that we promise. */
TEST(reading_takes_less_than_half_as_much_again_as_the_table)
{
    (void)state_;
    enum { ROWS = 300000, COLS = 10 };
    static const char *const files[] = {"a.csv", "a.npy"};
    sf_context *ctx = new_context();
    sf_table t;
    CHECK_OK(ctx, sf_table_new(ctx, &t, ROWS, COLS, NULL));
    for (int64_t i = 0; i < ROWS * COLS; i++)
        t.data[i] = (double)(i % 1000);
    for (int i = 0; i < 2; i++)
        CHECK_OK(ctx, sf_table_write(ctx, &t, in_folder(files[i])));
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
#if !defined(__SANITIZE_ADDRESS__)
    for (int i = 0; i < 2; i++)
        CHECK(bytes_to_read(in_folder(files[i])) < ROWS * COLS * 8 * 3 / 2);
#else
    (void)bytes_to_read;
#endif
}

static sf_status write_to(sf_context *ctx, void *user)
{
    sfi_output *out = NULL;
    char bytes[100000] = {0};
    SFI_TRY(user != NULL ? sfi_output_open(ctx, &out, user)
                         : sfi_output_memory(ctx, &out));
    sfi_output_write(out, bytes, sizeof bytes);
    sfi_output_number(out, 1.0);
    return sfi_output_commit(out);
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s", in_folder("a"));
    check_every_allocation(write_to, path);
    CHECK(count_files() == 1);
    check_every_allocation(write_to, NULL);
}

IO_TESTS(IO_CASE(links_to_nothing_yet_are_followed),
         IO_CASE(everything_that_is_written_arrives),
         IO_CASE(the_old_file_stays_whole_until_the_new_one_is),
         IO_CASE(a_program_that_dies_while_writing_leaves_the_old_file),
         IO_CASE(a_disk_that_fills_up_leaves_the_old_file_and_no_other),
         IO_CASE(a_full_device_is_reported_with_its_path),
         IO_CASE(what_cannot_be_opened_is_named),
         IO_CASE(links_are_followed_and_permissions_kept),
         IO_CASE(names_may_be_as_long_as_the_system_allows),
         IO_CASE(a_formatted_text_that_is_too_long_is_an_error),
         IO_CASE(a_dash_is_standard_input_and_output),
         IO_CASE(a_large_table_comes_through_a_pipe),
         IO_CASE(only_files_can_be_read_twice),
         IO_CASE(reading_takes_less_than_half_as_much_again_as_the_table),
         IO_CASE(every_allocation_may_fail))
