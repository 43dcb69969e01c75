/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors.h - named arrays and a map of texts in one file.
 *
 * Models are kept in this format; docs/FORMATS.md has the rules.
 * The format: https://github.com/huggingface/safetensors
 *
 * Writing:
 *     sfi_tensors t = {0};
 *     SFI_CHECK(sfi_tensors_add(ctx, &t, "weight", SFI_TENSOR_F32, 2, shape,
 *                               weights));
 *     SFI_CHECK(sfi_tensors_set(ctx, &t, "seed", "7"));
 *     SFI_CHECK(sfi_tensors_write(ctx, &t, path));
 * done:
 *     sfi_tensors_free(ctx, &t);
 *
 * Reading:
 *     sfi_tensors t = {0};
 *     const sfi_tensor *weight = NULL;
 *     SFI_CHECK(sfi_tensors_read(ctx, &t, path));
 *     SFI_CHECK(sfi_tensors_want(ctx, &t, "weight", SFI_TENSOR_F32, 2,
 *                                (const int64_t[]){-1, 16}, &weight)); */
#ifndef SFI_SAFETENSORS_H
#define SFI_SAFETENSORS_H

#include "base/dictionary.h"
#include "io/output.h"
#include "num/array.h"

/*   TENSOR(NAME, bytes): the element types that are read and written */
#define SFI_TENSOR_LIST(TENSOR)                                                \
    TENSOR(F32, 4)                                                             \
    TENSOR(F64, 8)                                                             \
    TENSOR(I64, 8)                                                             \
    TENSOR(I32, 4)                                                             \
    TENSOR(U8, 1)

typedef enum sfi_tensor_type {
#define SFI_TENSOR_ENUM(name, bytes) SFI_TENSOR_##name,
    SFI_TENSOR_LIST(SFI_TENSOR_ENUM)
#undef SFI_TENSOR_ENUM
} sfi_tensor_type;

/* Bytes of one element. */
size_t sfi_tensor_size(sfi_tensor_type type);

/* "F32"; and back: false if there is no such type. */
const char *sfi_tensor_type_name(sfi_tensor_type type);
bool sfi_tensor_type_of(const char *name, sfi_tensor_type *type);

/* What bounds a file's memory before it is known to be sound. */
enum {
    SFI_TENSORS_MOST = 1 << 16,       /* arrays; and texts                   */
    SFI_TENSORS_MOST_HEADER = 1 << 24 /* bytes                               */
};

/* The key of the map of texts in the header. */
#define SFI_TENSORS_METADATA "__metadata__"

typedef struct sfi_tensor {
    const char *name; /* UTF-8, not "__metadata__"                           */
    sfi_tensor_type type;
    int rank; /* 0 to SF_MAX_RANK                                            */
    int64_t shape[SF_MAX_RANK];
    int64_t count;    /* of elements                                         */
    const void *data; /* row-major; aligned to 64 bytes if it was read       */
} sfi_tensor;

/* Zeroed is empty. */
typedef struct sfi_tensors {
    sfi_tensor *list; /* [names.count]: in the order of adding, or as they   */
                      /* lie in the file                                     */
    sfi_dictionary names;
    sfi_dictionary keys; /* of the map of texts                              */
    char **values;       /* [keys.count]                                     */
    char *source;        /* the file's name if read, else NULL               */
    size_t list_capacity, value_capacity;
    bool is_owner; /* the data was read and is freed with the rest           */
} sfi_tensors;

/* Append an array.  The name is copied; `data` stays the caller's and must live
 * until the tensors are written or freed.
 * Returns SF_OK; SF_E_ARG (a name that is empty, taken, "__metadata__" or not
 * UTF-8; a rank or an extent out of range; too many), SF_E_NOMEM. */
sf_status sfi_tensors_add(sf_context *ctx, sfi_tensors *t, const char *name,
                          sfi_tensor_type type, int rank, const int64_t *shape,
                          const void *data);

/* Put a text into the map; both are copied, and a key that is there keeps its
 * place and gets the new value.
 * Returns SF_OK; SF_E_ARG (not UTF-8, too many), SF_E_NOMEM. */
sf_status sfi_tensors_set(sf_context *ctx, sfi_tensors *t, const char *key,
                          const char *value);

/* Find an array by its name; NULL. */
const sfi_tensor *sfi_tensors_find(const sfi_tensors *t, const char *name);

/* Find a text by its key; NULL. */
const char *sfi_tensors_get(const sfi_tensors *t, const char *key);

/* Find an array that must have this type and shape; an extent of -1 stands for
 * any.  Returns SF_OK, or SF_E_FORMAT: the message says what is there. */
sf_status sfi_tensors_want(sf_context *ctx, const sfi_tensors *t,
                           const char *name, sfi_tensor_type type, int rank,
                           const int64_t *shape, const sfi_tensor **out);

/* Read a file, or bytes in memory, into an empty *t.
 * Returns SF_OK; SF_E_IO, SF_E_FORMAT (the message says what is wrong where),
 * SF_E_NOMEM; on failure *t is empty. */
sf_status sfi_tensors_read(sf_context *ctx, sfi_tensors *t, const char *path);
sf_status sfi_tensors_read_memory(sf_context *ctx, sfi_tensors *t,
                                  const void *bytes, size_t size);

/* Write a file.  The same arrays and texts give the same bytes, in whatever
 * order they were added.
 * Returns SF_OK; SF_E_ARG (a header too large to be read back), SF_E_IO,
 * SF_E_NOMEM. */
sf_status sfi_tensors_write(sf_context *ctx, const sfi_tensors *t,
                            const char *path);
sf_status sfi_tensors_write_to(sf_context *ctx, const sfi_tensors *t,
                               sfi_output *out);

/* Free the memory of *t and zero it; NULL is allowed. */
void sfi_tensors_free(sf_context *ctx, sfi_tensors *t);

#endif
