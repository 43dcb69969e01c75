/* SPDX-License-Identifier: Apache-2.0 */
/* fit_save.c - what was fitted as a file, with how that came about: the command line,
 * and the report. */
#include "cli/fit.h"

#include <stdlib.h>

/* The report as a file keeps it: without what is long, such as the covariance of
 * thousands of numbers. */
static char *stored_report(const cli *c)
{
    enum { LONG = 1 << 18 };
    json_t *stored = json_object();
    const char *key;
    json_t *value;
    json_object_foreach(c->report, key, value)
    {
        if (json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) <= LONG)
            (void)json_object_set(stored, key, value);
    }
    char *text = json_dumps(stored, JSON_COMPACT);
    json_decref(stored);
    return text;
}

sf_status fit_save(cli *c, const fit_options *o, const sf_model *model,
                   const sf_run_record *known)
{
    sf_run_record record = SF_RUN_RECORD_INIT;
    record.seed = c->common.seed;
    if (known != NULL)
        record = *known;
    char *report = stored_report(c);
    if (report == NULL || c->report_failed) {
        free(report);
        return SFI_FAIL(c->ctx, SF_E_NOMEM, "out of memory for the report");
    }
    record.command = c->command_line;
    record.created_by = "scorefield fit";
    record.report = report;
    const sf_status status = sf_model_save(model, o->output, &record);
    free(report);
    return status;
}
