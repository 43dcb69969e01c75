/* SPDX-License-Identifier: Apache-2.0 */
/* about.c - what a model knows of the cells of its columns. */
#include "model/model.h"

#include <math.h>

const sfi_schema_column *sfi_model_about(const sf_model *m, int64_t column)
{
    static const sfi_schema_column unknown = {.kind = SF_KIND_REAL,
                                              .decimals = -1};
    return column >= 0 && column < m->schema.count ? &m->schema.columns[column]
                                                   : &unknown;
}

sf_kind sf_model_kind(const sf_model *m, int64_t column)
{
    return sfi_model_about(m, column)->kind;
}

int64_t sf_model_atom_count(const sf_model *m, int64_t column)
{
    return sfi_model_about(m, column)->atoms.count;
}

double sf_model_atom(const sf_model *m, int64_t column, int64_t atom)
{
    const sfi_atoms *a = &sfi_model_about(m, column)->atoms;
    return atom >= 0 && atom < a->count ? a->at[atom] : (double)NAN;
}

int sf_model_decimals(const sf_model *m, int64_t column)
{
    return sfi_model_about(m, column)->decimals;
}

int64_t sf_model_level_count(const sf_model *m, int64_t column)
{
    return sfi_model_about(m, column)->level_count;
}

const char *sf_model_level(const sf_model *m, int64_t column, int64_t level)
{
    const sfi_schema_column *about = sfi_model_about(m, column);
    return level >= 0 && level < about->level_count ? about->levels[level]
                                                    : NULL;
}
