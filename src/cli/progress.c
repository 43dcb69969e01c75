/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - a line about long work, on terminals only, and the wish to stop.
 *
 * The only state that is not in an object: whether a signal arrived, since a
 * signal handler can reach nothing else. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number)
{
    (void)number;
    stop_wanted = 1;
}

void cli_catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    /* Once: who asks twice does not want to wait. */
    action.sa_flags = (int)(SA_RESETHAND | SA_RESTART);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_stop_wanted(void)
{
    return stop_wanted != 0;
}

static void put_duration(char text[32], double seconds)
{
    const long s = seconds < 1e7 ? (long)(seconds + 0.5) : 9999999L;
    if (s < 60)
        snprintf(text, 32, "%ld s", s);
    else if (s < 3600)
        snprintf(text, 32, "%ld:%02ld min", s / 60, s % 60);
    else
        snprintf(text, 32, "%ld:%02ld h", s / 3600, s / 60 % 60);
}

/* fit: 1200 of 8000, loss 0.4183, held out 0.4276, 310/s, 22 s left */
static void show(const cli *c, const sf_progress *p)
{
    char line[160];
    size_t n = (size_t)snprintf(line, sizeof line, "%s: %lld",
                                p->stage != NULL ? p->stage : "work",
                                (long long)p->step);
#define ADD(...) (n += (size_t)snprintf(line + n, sizeof line - n, __VA_ARGS__))
    if (p->steps > 0)
        ADD(" of %lld", (long long)p->steps);
    if (!isnan(p->loss))
        ADD(", loss %.4g", p->loss);
    if (!isnan(p->held_out))
        ADD(", held out %.4g", p->held_out);
    if (p->seconds > 0.0 && p->step > 0)
        ADD(", %.3g/s", (double)p->step / p->seconds);
    if (p->seconds > 1.0 && p->step > 0 && p->steps >= p->step) {
        double left =
            (double)(p->steps - p->step) * p->seconds / (double)p->step;
        if (c->time_limit > 0.0)
            left = fmin(left, fmax(c->time_limit - p->seconds, 0.0));
        char text[32];
        put_duration(text, left);
        ADD(", %s left", text);
    }
#undef ADD
    /* Back to the first column, the line, and nothing to its right. */
    fprintf(stderr, "\r%.79s\033[K", line);
    fflush(stderr);
}

static bool on_progress(void *user, const sf_progress *progress)
{
    const cli *c = user;
    if (c->shows_progress)
        show(c, progress);
    return !cli_stop_wanted() &&
           (c->deadline <= 0.0 || sfi_clock() < c->deadline);
}

void cli_progress_begin(cli *c)
{
    c->shows_progress = !c->common.quiet && isatty(STDERR_FILENO);
    sf_context_set_progress(c->ctx, on_progress, c);
}

void cli_progress_end(cli *c)
{
    sf_context_set_progress(c->ctx, NULL, NULL);
    if (c->shows_progress)
        fprintf(stderr, "\r\033[K");
    c->shows_progress = false;
}
