/* SPDX-License-Identifier: Apache-2.0 */
/* metadata.c - the texts that our files keep beside their arrays. */
#include "store/metadata.h"

#include "base/text.h"
#include "scorefield/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *sfi_metadata_source(const sfi_tensors *t)
{
    return t->source != NULL ? t->source : "model file";
}

sf_status sfi_metadata_begin(sf_context *ctx, sfi_tensors *t,
                             const char *content, const char *version)
{
    SFI_TRY(sfi_tensors_set(ctx, t, SFI_KEY_FORMAT, "scorefield"));
    SFI_TRY(sfi_metadata_set_format(ctx, t, 1));
    SFI_TRY(sfi_tensors_set(ctx, t, SFI_KEY_CONTENT, content));
    return sfi_metadata_set(ctx, t, SFI_KEY_WRITER,
                            version != NULL ? version : sf_version());
}

sf_status sfi_metadata_set_format(sf_context *ctx, sfi_tensors *t, int format)
{
    char number[16];
    snprintf(number, sizeof number, "%d", format);
    return sfi_tensors_set(ctx, t, SFI_KEY_VERSION, number);
}

/* A whole number > 0 that is the text's all; 0 if it is none. */
static long format_version(const char *text)
{
    char *end = NULL;
    if (text == NULL || text[0] < '1' || text[0] > '9')
        return 0;
    errno = 0;
    const long version = strtol(text, &end, 10);
    return *end == '\0' && errno == 0 ? version : 0;
}

sf_status sfi_metadata_check(sf_context *ctx, const sfi_tensors *t,
                             const char *content)
{
    char shown[SFI_SHOW_SIZE];
    const char *source = sfi_metadata_source(t);
    const char *format = sfi_tensors_get(t, SFI_KEY_FORMAT);
    const char *version = sfi_tensors_get(t, SFI_KEY_VERSION);
    const char *found = sfi_tensors_get(t, SFI_KEY_CONTENT);
    if (format == NULL || strcmp(format, "scorefield") != 0)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: a safetensors file, but not one of scorefield's",
                        source);
    const long number = format_version(version);
    if (number == 0)
        return SFI_FAIL(
            ctx, SF_E_FORMAT, "%s: \"%s\" is \"%s\", want a whole number",
            source, SFI_KEY_VERSION,
            version != NULL ? sfi_show(shown, version, strlen(version)) : "");
    if (number > SF_MODEL_FORMAT_VERSION) {
        const char *writer = sfi_tensors_get(t, SFI_KEY_WRITER);
        return SFI_FAIL(
            ctx, SF_E_FORMAT,
            "%s: written by scorefield %s in format %ld, and scorefield %s "
            "reads formats up to %d; use a newer scorefield",
            source,
            writer != NULL ? sfi_show(shown, writer, strlen(writer)) : "?",
            number, sf_version(), (int)SF_MODEL_FORMAT_VERSION);
    }
    if (found != NULL && strcmp(found, "density") == 0)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: a typed density in a form that scorefield %s no "
                        "longer reads; fit it again",
                        source, sf_version());
    if (found == NULL || strcmp(found, content) != 0)
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: holds a %s, want a %s", source,
                        found != NULL ? sfi_show(shown, found, strlen(found))
                                      : "file without \"content\"",
                        content);
    return SF_OK;
}

sf_status sfi_metadata_want(sf_context *ctx, const sfi_tensors *t,
                            const char *key, const char **out)
{
    *out = sfi_tensors_get(t, key);
    if (*out == NULL)
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: there is no text \"%s\"",
                        sfi_metadata_source(t), key);
    return SF_OK;
}

sf_status sfi_metadata_set(sf_context *ctx, sfi_tensors *t, const char *key,
                           const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    size_t left = strlen(text);
    const size_t room = 3 * left + 1;
    char *clean = sfi_alloc(ctx, room, 1);
    if (clean == NULL)
        return SF_E_NOMEM;
    size_t n = 0;
    while (left > 0) {
        const size_t good = sfi_utf8_prefix(text, left);
        memcpy(clean + n, text, good);
        n += good;
        text += good;
        left -= good;
        if (left > 0) {
            memcpy(clean + n, replacement, sizeof replacement - 1);
            n += sizeof replacement - 1;
            text++;
            left--;
        }
    }
    clean[n] = '\0';
    const sf_status status = sfi_tensors_set(ctx, t, key, clean);
    sfi_free(ctx, clean, room, 1);
    return status;
}

sf_status sfi_metadata_set_seed(sf_context *ctx, sfi_tensors *t, uint64_t seed)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    return sfi_tensors_set(ctx, t, SFI_KEY_SEED, text);
}

sf_status sfi_metadata_seed(sf_context *ctx, const sfi_tensors *t,
                            uint64_t *seed)
{
    const char *text = NULL;
    char *end = NULL;
    SFI_TRY(sfi_metadata_want(ctx, t, SFI_KEY_SEED, &text));
    errno = 0;
    *seed = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
        char shown[SFI_SHOW_SIZE];
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: \"seed\" is \"%s\", want an integer of 64 bits",
                        sfi_metadata_source(t),
                        sfi_show(shown, text, strlen(text)));
    }
    return SF_OK;
}

sf_status sfi_metadata_set_json(sf_context *ctx, sfi_tensors *t,
                                const char *key, json_t *value)
{
    /* 17 digits give back every double. */
    char *text = value != NULL
                     ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(17))
                     : NULL;
    json_decref(value);
    if (text == NULL)
        return SFI_FAIL(ctx, SF_E_NOMEM, "out of memory for \"%s\"", key);
    const sf_status status = sfi_tensors_set(ctx, t, key, text);
    free(text);
    return status;
}

sf_status sfi_metadata_parse(sf_context *ctx, json_t **out, const char *text,
                             size_t most, const char *source, const char *key)
{
    json_error_t error;
    const size_t size = strlen(text);
    *out = NULL;
    if (size > most)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: \"%s\" has %zu bytes, want at most %zu", source,
                        key, size, most);
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL && json_error_code(&error) == json_error_out_of_memory)
        return SFI_FAIL(ctx, SF_E_NOMEM, "%s: out of memory for \"%s\"", source,
                        key);
    if (value == NULL)
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: byte %d of \"%s\": %s", source,
                        error.position, key, error.text);
    if (!json_is_object(value)) {
        json_decref(value);
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: \"%s\" is no JSON object",
                        source, key);
    }
    *out = value;
    return SF_OK;
}

sf_status sfi_metadata_set_report(sf_context *ctx, sfi_tensors *t,
                                  const char *report)
{
    json_t *value = NULL;
    const sf_status status = sfi_metadata_parse(ctx, &value, report, 1 << 20,
                                                "save", SFI_KEY_REPORT);
    json_decref(value);
    if (status == SF_E_FORMAT) /* of an argument, not of a file */
        return SF_E_ARG;
    SFI_TRY(status);
    return sfi_tensors_set(ctx, t, SFI_KEY_REPORT, report);
}
