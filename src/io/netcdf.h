/* SPDX-License-Identifier: Apache-2.0 */
/* netcdf.h - NetCDF files as they are: dimensions, variables, attributes, and
 * boxes of numbers.  What they mean is decided elsewhere (field/cf.h).
 *
 * A *header* says what a file holds or is to hold.  It is plain memory: files are
 * opened into one, new files are made from one, and one can be put together
 * without any file.  Names of variables and dimensions of groups are paths
 * ("/forecast/t"); those of the root group have no slash.
 *
 * The format: https://docs.unidata.ucar.edu/nug/current/file_format_specifications.html */
#ifndef SFI_NETCDF_H
#define SFI_NETCDF_H

#include "base/dictionary.h"

/*   TYPE(NAME, bytes, C type, fill): the types of the format, and the value that
 * libnetcdf puts where nothing was written */
#define SFI_NC_TYPE_LIST(TYPE)                                                 \
    TYPE(BYTE, 1, int8_t, -127)                                                \
    TYPE(CHAR, 1, char, 0)                                                     \
    TYPE(SHORT, 2, int16_t, -32767)                                            \
    TYPE(INT, 4, int32_t, -2147483647.0)                                       \
    TYPE(FLOAT, 4, float, 9.9692099683868690e+36)                              \
    TYPE(DOUBLE, 8, double, 9.9692099683868690e+36)                            \
    TYPE(UBYTE, 1, uint8_t, 255)                                               \
    TYPE(USHORT, 2, uint16_t, 65535)                                           \
    TYPE(UINT, 4, uint32_t, 4294967295.0)                                      \
    TYPE(INT64, 8, int64_t, -9223372036854775806.0)                            \
    TYPE(UINT64, 8, uint64_t, 18446744073709551614.0)

/* SFI_NC_OTHER: texts of NetCDF-4 and types that a file defines itself. */
typedef enum sfi_nc_type {
#define SFI_NC_ENUM(name, bytes, type, fill) SFI_NC_##name,
    SFI_NC_TYPE_LIST(SFI_NC_ENUM)
#undef SFI_NC_ENUM
        SFI_NC_OTHER
} sfi_nc_type;

/* Bytes of a value (0: SFI_NC_OTHER), its fill value, and "short". */
size_t sfi_nc_size(sfi_nc_type type);
double sfi_nc_fill(sfi_nc_type type);
const char *sfi_nc_type_name(sfi_nc_type type);

/* Value i of an array of this type as a double; 64-bit integers are rounded. */
double sfi_nc_number(sfi_nc_type type, const void *values, size_t i);

/* The same for `count` values; SFI_NC_OTHER gives NaN. */
void sfi_nc_numbers(sfi_nc_type type, const void *values, size_t count,
                    double *out);

/* What bounds the memory that a header takes before the file is known to be
 * sound. */
enum {
    SFI_NC_MOST_RANK = 32,
    SFI_NC_MOST = 1 << 16,            /* dimensions; variables                */
    SFI_NC_MOST_ATTRIBUTES = 1 << 13, /* of one variable                     */
    SFI_NC_MOST_ATTRIBUTE = 1 << 24,  /* bytes of one                         */
    SFI_NC_NAME = 256                 /* of a name, its NUL included          */
};

typedef struct sfi_nc_attr {
    char *name;
    sfi_nc_type type; /* texts of NetCDF-4 are SFI_NC_CHAR, the first of many */
    size_t count;     /* values, or bytes of a text                          */
    void *values;     /* a NUL follows them                                  */
} sfi_nc_attr;

typedef struct sfi_nc_attrs {
    sfi_nc_attr *list;
    size_t count, capacity;
} sfi_nc_attrs;

typedef struct sfi_nc_dim {
    const char *name; /* the header's dictionary has it                      */
    int64_t size;
    bool is_unlimited;
} sfi_nc_dim;

typedef struct sfi_nc_var {
    const char *name; /* likewise                                            */
    sfi_nc_type type;
    int rank;
    int dims[SFI_NC_MOST_RANK]; /* indices into the header's dimensions      */
    sfi_nc_attrs attrs;
    int group, id; /* what libnetcdf calls it                                */
    int deflate;   /* 0 to 9                                                 */
} sfi_nc_var;

typedef enum sfi_nc_format {
    SFI_NC_CLASSIC = 0,
    SFI_NC_64BIT_OFFSET,
    SFI_NC_CDF5,
    SFI_NC_NETCDF4
} sfi_nc_format;

const char *sfi_nc_format_name(sfi_nc_format format);

/* Zeroed is empty. */
typedef struct sfi_nc_header {
    sfi_nc_format format;
    sfi_nc_dim *dims;
    size_t dim_count, dim_capacity;
    sfi_nc_var *vars;
    size_t var_count, var_capacity;
    sfi_nc_attrs attrs; /* of the whole file                                 */
    sfi_dictionary dim_names, var_names;
} sfi_nc_header;

/* Free the memory of a header and zero it. */
void sfi_nc_header_free(sf_context *ctx, sfi_nc_header *h);

/* Append a dimension or a variable with no attributes; *index says which.
 * Returns SF_OK; SF_E_ARG (a name that is empty, too long or taken, a size, a
 * rank or a dimension out of range), SF_E_NOMEM. */
sf_status sfi_nc_add_dim(sf_context *ctx, sfi_nc_header *h, const char *name,
                         int64_t size, bool is_unlimited, int *index);
sf_status sfi_nc_add_var(sf_context *ctx, sfi_nc_header *h, const char *name,
                         sfi_nc_type type, int rank, const int *dims,
                         int *index);

/* Set an attribute to `count` values of `type`, a text, or a number; it replaces
 * one of the same name.  Returns SF_OK; SF_E_ARG (name, SFI_NC_OTHER),
 * SF_E_NOMEM (nothing has changed). */
sf_status sfi_nc_set(sf_context *ctx, sfi_nc_attrs *attrs, const char *name,
                     sfi_nc_type type, size_t count, const void *values);
sf_status sfi_nc_set_text(sf_context *ctx, sfi_nc_attrs *attrs,
                          const char *name, const char *text);
sf_status sfi_nc_set_number(sf_context *ctx, sfi_nc_attrs *attrs,
                            const char *name, double value);

/* Remove an attribute, if it is there. */
void sfi_nc_unset(sf_context *ctx, sfi_nc_attrs *attrs, const char *name);

void sfi_nc_attrs_free(sf_context *ctx, sfi_nc_attrs *attrs);

/* Find: NULL or -1.  A text must be of characters, a number the first one of an
 * attribute that holds numbers (NaN if there is none). */
const sfi_nc_attr *sfi_nc_attr_find(const sfi_nc_attrs *attrs,
                                    const char *name);
const char *sfi_nc_text(const sfi_nc_attrs *attrs, const char *name);
double sfi_nc_value(const sfi_nc_attrs *attrs, const char *name);
int sfi_nc_find_dim(const sfi_nc_header *h, const char *name);
int sfi_nc_find_var(const sfi_nc_header *h, const char *name);

/* Number of values of a variable. */
int64_t sfi_nc_var_count(const sfi_nc_header *h, int var);

/* ---- files ----------------------------------------------------------------- */

typedef struct sfi_nc sfi_nc;

/* Whether this build reads NetCDF. */
bool sfi_nc_available(void);

/* Open a file, or a classic image in memory, for reading.  `name` is what messages
 * call the bytes, which must outlive the file.
 * Returns SF_OK; SF_E_IO; SF_E_FORMAT (no NetCDF file, or one that ends too
 * soon); SF_E_UNSUPPORTED (built without libnetcdf); SF_E_NOMEM.  On failure
 * *out is NULL. */
sf_status sfi_nc_open(sf_context *ctx, sfi_nc **out, const char *path);
sf_status sfi_nc_open_memory(sf_context *ctx, sfi_nc **out, const char *name,
                             const void *bytes, size_t size);

/* NULL is allowed. */
void sfi_nc_close(sfi_nc *file);

const sfi_nc_header *sfi_nc_header_of(const sfi_nc *file);
const char *sfi_nc_name_of(const sfi_nc *file);

/* Read the box of `count` [rank] values from `start` on, packed row-major, in the
 * variable's own type.
 * Returns SF_OK; SF_E_SHAPE (the box is not within the variable), SF_E_IO (the
 * file ends, or cannot be read), SF_E_UNSUPPORTED (SFI_NC_OTHER). */
sf_status sfi_nc_read(sfi_nc *file, int var, const int64_t *start,
                      const int64_t *count, void *values);

/* ---- writing ---------------------------------------------------------------- */

typedef struct sfi_nc_writer sfi_nc_writer;

/* Make a file of this header, which must outlive the writer, under a temporary
 * name.  Unlimited dimensions grow as their boxes are written.
 * Returns SF_OK; SF_E_IO, SF_E_ARG (what the format cannot hold: the message of
 * libnetcdf), SF_E_UNSUPPORTED, SF_E_NOMEM; on failure *out is NULL. */
sf_status sfi_nc_create(sf_context *ctx, sfi_nc_writer **out, const char *path,
                        const sfi_nc_header *header);

/* Write a box of values of the variable's own type.  Errors stick.
 * Returns SF_OK; SF_E_SHAPE, SF_E_IO. */
sf_status sfi_nc_write(sfi_nc_writer *w, int var, const int64_t *start,
                       const int64_t *count, const void *values);

/* Finish and free: the file takes its name if `status` is SF_OK and every write
 * succeeded, and is removed otherwise.  NULL is allowed.  Returns `status`, or
 * the first error. */
sf_status sfi_nc_writer_close(sfi_nc_writer *w, sf_status status);

#endif
