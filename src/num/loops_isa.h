/* SPDX-License-Identifier: Apache-2.0 */
/* loops_isa.h - the tables that each compiled instruction set exports to
 * loops.c; NULL where this build does not have the set. */
#ifndef SFI_LOOPS_ISA_H
#define SFI_LOOPS_ISA_H

#include "num/loops.h"

const sfi_loops *sfi_loops_portable(sf_dtype dtype);
const sfi_loops *sfi_loops_avx2(sf_dtype dtype);
const sfi_loops *sfi_loops_avx512(sf_dtype dtype);

#endif
