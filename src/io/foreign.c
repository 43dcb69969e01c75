/* SPDX-License-Identifier: Apache-2.0 */
/* foreign.c - one lock for libraries that are not made for several threads. */
#define _POSIX_C_SOURCE 200809L
#include "io/foreign.h"

#include <pthread.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

void sfi_foreign_lock(void)
{
    (void)pthread_mutex_lock(&turn);
}

void sfi_foreign_unlock(void)
{
    (void)pthread_mutex_unlock(&turn);
}
