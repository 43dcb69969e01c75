/* SPDX-License-Identifier: Apache-2.0 */
/* local_fit.h - local normal distributions, fitted where nobody is to be warned. */
#ifndef SFI_LOCAL_FIT_H
#define SFI_LOCAL_FIT_H

#include "base/context.h"
#include "scorefield/fit.h"

/* sf_fit_local() without its warning; the options are complete. */
sf_status sfi_fit_local(sf_context *ctx, sf_model **out, sf_cmat data,
                        const char *const *names, const sf_local_options *o,
                        sf_local_report *report);

#endif
