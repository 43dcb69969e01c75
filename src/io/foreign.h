/* SPDX-License-Identifier: Apache-2.0 */
/* foreign.h - one lock for libraries that are not made for several threads.
 *
 * libnetcdf, the HDF5 under it, and udunits2 have state of their own that no two
 * threads may change at once, whichever file or unit they are at.  Every call of
 * theirs is made between these two; nothing else is done meanwhile that could
 * wait for another thread. */
#ifndef SFI_FOREIGN_H
#define SFI_FOREIGN_H

void sfi_foreign_lock(void);
void sfi_foreign_unlock(void);

#endif
