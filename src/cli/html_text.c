/* SPDX-License-Identifier: Apache-2.0 */
/* html_text.c - text in a page: what comes from a user's file is no markup, in
 * elements and in quoted attributes. */
#include "cli/compare_job.h"

void compare_html_text(sfi_output *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *as = *text == '&'    ? "&amp;"
                         : *text == '<'  ? "&lt;"
                         : *text == '>'  ? "&gt;"
                         : *text == '"'  ? "&quot;"
                         : *text == '\'' ? "&#39;"
                                         : NULL;
        if (as != NULL)
            sfi_output_text(out, as);
        else
            sfi_output_byte(out, *text);
    }
}
