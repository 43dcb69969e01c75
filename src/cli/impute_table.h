/* SPDX-License-Identifier: Apache-2.0 */
/* impute_table.h - the table of `scorefield impute`: its cells as they are spelled, and
 * the columns that are imputed as numbers and levels. */
#ifndef SFI_CLI_IMPUTE_TABLE_H
#define SFI_CLI_IMPUTE_TABLE_H

#include "cli/cli.h"
#include "io/kinds.h"
#include "scorefield/frame.h"
#include "table/date.h"

/* What the cells of a column are to the imputer, where they are not those of the
 * table: days or seconds of dates, or numbers of classes. */
typedef struct impute_recoded {
    double *cells; /* [rows], or NULL: those of the table              */
    double *value; /* [value_count] of classes, rising; or NULL        */
    int64_t value_count;
    sfi_date_style style; /* of dates                                         */
} impute_recoded;

typedef struct impute_table {
    cli *c;
    const char *path;
    const sf_model *model; /* whose levels are its columns', or NULL          */
    sf_table table;
    impute_recoded *recoded; /* [cols]                                        */
    sfi_told_kind *told;     /* [cols] by --kind                              */
    sf_frame *frame;         /* over both: what the columns are               */
    int64_t target;          /* the column of classes, or -1                  */
    int64_t *index;          /* [dim] columns that are imputed                */
    const char **names;      /* [dim]                                         */
    int64_t dim, room;       /* room of both                                  */
    sf_frame *chosen;        /* the frame of these                            */
    double *x;               /* [rows, dim] their cells                       */
    int64_t missing;         /* of these                                      */
} impute_table;

/* Read the table at `path`; `target` names the column of classes, or is NULL.
 * impute_table_free() frees *t, also after a failure. */
sf_status impute_table_read(impute_table *t, cli *c, const char *path,
                            const cli_read *how, const char *target);
void impute_table_free(impute_table *t);

/* Choose columns: those of a model, by their names; of a list; or all that differ, and
 * what is left out of those with missing cells is said.  Constants are filled. */
sf_status impute_choose_model(impute_table *t, const sf_model *model);
sf_status impute_choose_list(impute_table *t, const char *list);
sf_status impute_choose_all(impute_table *t);

/* Set t->x, t->missing and t->chosen of the chosen columns. */
sf_status impute_take_cells(impute_table *t);

/* Write the cells of filled [rows, dim] that t->x lacks into the table. */
sf_status impute_put_back(impute_table *t, const double *filled);

/* The place of the target among the chosen columns, or -1. */
int64_t impute_target_place(const impute_table *t);

/* How level `level` of chosen column k is spelled. */
const char *impute_level(const impute_table *t, int64_t k, int64_t level,
                         char number[32]);

#endif
