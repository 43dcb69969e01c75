/* SPDX-License-Identifier: Apache-2.0 */
/* local.c - the family "local" (local.h), as a file or a fit makes it. */
#include "model/local.h"

#include "model/model.h"

#include <math.h>

enum { MOST_ROWS = 1 << 28 };

/* Numbers between bounds, both included. */
static const struct {
    const char *key;
    double low, high;
} ranges[] = {{"shrink", 0.0, 1.0},
              {"width", 0.0, 100.0},
              {"rho", 0.0, 1.0},
              {"ridge", 0.0, 1.0},
              {"forget", 0.0, 1.0}};

static sf_status local_declare(sf_model *m)
{
    int64_t rows, kept, k, target, agree;
    SFI_TRY(sfi_whole_number(m, "rows", 1, MOST_ROWS, &rows));
    SFI_TRY(sfi_whole_number(m, "kept", 1, SFI_LOCAL_MOST, &kept));
    SFI_TRY(sfi_whole_number(m, "neighbours", 1, kept, &k));
    SFI_TRY(sfi_whole_number(m, "target", -1, m->dim - 1, &target));
    SFI_TRY(sfi_whole_number(m, "agree", 0, 1, &agree));
    for (size_t i = 0; i < SFI_COUNT(ranges); i++) {
        bool missing = false;
        const double x = sfi_model_number(m, ranges[i].key, &missing);
        if (missing || !(x >= ranges[i].low && x <= ranges[i].high))
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "model: \"%s\" is %g, want %g to %g", ranges[i].key,
                            x, ranges[i].low, ranges[i].high);
    }
    bool none = false;
    const double atoms = sfi_model_number(m, "atoms", &none);
    if (!none && atoms != 1.0)
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: \"atoms\" is %g, want 1 or none", atoms);
    m->weight_dtype = SF_F64;
    SFI_TRY(sfi_add_weight(m, "data", 2, (int64_t[]){rows, m->dim}));
    SFI_TRY(sfi_add_weight(m, "near", 2, (int64_t[]){rows, kept}));
    return sfi_add_weight(m, "levels", 1, &m->dim);
}

sfi_local sfi_local_of(const sf_model *m)
{
    bool none = false;
    const bool atoms = sfi_model_number(m, "atoms", &none) > 0.0;
    return (sfi_local){
        .data = {m->weights, m->layout[0].shape[0], m->dim, m->dim},
        .neighbours = m->weights + m->layout[1].offset,
        .levels = m->weights + m->layout[2].offset,
        .rows = m->layout[0].shape[0],
        .dim = m->dim,
        .kept = m->layout[1].shape[1],
        .k = (int64_t)sfi_number_of(m, "neighbours"),
        .target = (int64_t)sfi_number_of(m, "target"),
        .shrink = sfi_number_of(m, "shrink"),
        .width = sfi_number_of(m, "width"),
        .rho = sfi_number_of(m, "rho"),
        .ridge = sfi_number_of(m, "ridge"),
        .forget = sfi_number_of(m, "forget"),
        .agrees = sfi_number_of(m, "agree") != 0.0,
        .atoms = atoms ? m : NULL};
}

bool sfi_local_has_atoms(const sfi_local *l, int64_t j)
{
    return l->atoms != NULL && l->levels[j] == 0.0 &&
           sfi_model_about(l->atoms, j)->atoms.count > 0;
}

int64_t sfi_local_atom(const sfi_local *l, int64_t j, double z)
{
    if (!sfi_local_has_atoms(l, j))
        return -1;
    const sf_model *m = l->atoms;
    const sfi_atoms *a = &sfi_model_about(m, j)->atoms;
    for (int64_t k = 0; k < a->count; k++)
        if (z == (a->at[k] - m->mean[j]) / m->scale[j])
            return k;
    return -1;
}

double sfi_local_value(const sf_model *m, const sfi_local *l, int64_t j,
                       double z)
{
    const int64_t k = sfi_local_atom(l, j, z);
    return k >= 0 ? sfi_model_about(m, j)->atoms.at[k]
                  : m->mean[j] + m->scale[j] * z;
}

static bool is_whole(double x, double low, double high)
{
    return x >= low && x <= high && x == floor(x);
}

/* What the numbers of rows and levels are used for needs them to be that. */
static sf_status local_check(const sf_model *m)
{
    const sfi_local l = sfi_local_of(m);
    for (int64_t j = 0; j < l.dim; j++)
        if (!is_whole(l.levels[j], 0.0, 0x1p31) ||
            (l.levels[j] > 0.0 && (m->mean[j] != 0.0 || m->scale[j] != 1.0)) ||
            (j == l.target && l.levels[j] == 0.0))
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "local: column \"%s\" has %g levels, mean %g and "
                            "scale %g",
                            m->names[j], l.levels[j], m->mean[j], m->scale[j]);
    for (int64_t i = 0; i < l.rows; i++) {
        for (int64_t j = 0; j < l.dim; j++)
            if (l.levels[j] > 0.0 &&
                !is_whole(l.data.data[i * l.dim + j], 0.0, l.levels[j] - 1.0))
                return SFI_FAIL(
                    m->ctx, SF_E_FORMAT,
                    "local: row %lld has level %g in column \"%s\", "
                    "which has %g",
                    (long long)i, l.data.data[i * l.dim + j], m->names[j],
                    l.levels[j]);
        for (int64_t k = 0; k < l.kept; k++)
            if (!is_whole(l.neighbours[i * l.kept + k], -1.0,
                          (double)l.rows - 1.0))
                return SFI_FAIL(m->ctx, SF_E_FORMAT,
                                "local: neighbour %lld of row %lld is %g",
                                (long long)k, (long long)i,
                                l.neighbours[i * l.kept + k]);
    }
    return SF_OK;
}

int64_t sfi_local_members(const sfi_local *l, int64_t row, int64_t most,
                          int64_t members[SFI_LOCAL_MOST + 1])
{
    int64_t count = 0;
    members[count++] = row;
    for (int64_t k = 0; k < most && k < l->kept; k++) {
        const int64_t near = (int64_t)l->neighbours[row * l->kept + k];
        if (near >= 0)
            members[count++] = near;
    }
    return count;
}

double sfi_local_distance(const sfi_local *l, const double *a, const double *b,
                          double bound)
{
    double sum = 0.0;
    for (int64_t j = 0; j < l->dim && !(sum > bound); j++)
        if (j != l->target)
            sum += l->levels[j] > 0.0 ? (a[j] != b[j] ? 1.0 : 0.0)
                                      : fabs(a[j] - b[j]);
    return sum;
}

const sfi_model_ops sfi_local_ops = {.family = "local",
                                     .noiseless = true,
                                     .closed = true,
                                     .no_kernels = true,
                                     .local = true,
                                     .declare = local_declare,
                                     .check = local_check};
