/* SPDX-License-Identifier: Apache-2.0 */
/* arff.h - tables in Weka's attribute-relation file format:
 * https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/ */
#ifndef SFI_ARFF_H
#define SFI_ARFF_H

#include "io/rows.h"

extern const sfi_table_format sfi_arff_format;

/* Whether these first bytes of a file are of this format: comments, then
 * "@relation". */
bool sfi_arff_begins(const char *bytes, size_t size);

#endif
