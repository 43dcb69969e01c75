/* SPDX-License-Identifier: Apache-2.0 */
/* npy_header.h - what an NPY file holds. */
#ifndef SFI_NPY_HEADER_H
#define SFI_NPY_HEADER_H

#include "io/input.h"
#include "scorefield/array.h"

typedef enum sfi_npy_element {
    SFI_NPY_U1,
    SFI_NPY_I4,
    SFI_NPY_I8,
    SFI_NPY_F4,
    SFI_NPY_F8
} sfi_npy_element;

/* Bytes of one element, and its type as the header names it. */
size_t sfi_npy_size(sfi_npy_element type);
const char *sfi_npy_name(sfi_npy_element type);

typedef struct sfi_npy_header {
    sfi_npy_element type;
    bool is_fortran;
    int rank; /* 0 to SF_MAX_RANK */
    int64_t shape[SF_MAX_RANK];
    int64_t count;   /* of elements; count doubles fit the address space    */
    uint64_t offset; /* of the first one                                    */
} sfi_npy_header;

/* Read the header.  The elements that it promises are what follows it.
 * Returns SF_OK; SF_E_IO, SF_E_FORMAT, SF_E_NOMEM, SF_E_UNSUPPORTED (an input
 * of unknown size). */
sf_status sfi_npy_read_header(sf_context *ctx, sfi_input *input,
                              sfi_npy_header *h);

#endif
