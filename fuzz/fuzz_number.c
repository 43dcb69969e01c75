/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_number.c - decimal numbers: read as the C library reads them in the C
 * locale, and written so that the same is read back. */
#include "fuzz.h"

#include "num/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double value = 0.0, back = 0.0;
    char *text = malloc(size + 1), shortest[SFI_NUMBER_SIZE];
    REQUIRE(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    const char *end = sfi_number_parse(text, &value);
    if (end != NULL) {
        REQUIRE(end > text && end <= text + size);
        /* strtod knows hexadecimal numbers too, so it gets only ours. */
        text[end - text] = '\0';
        char *their_end = NULL;
        const double want = strtod(text, &their_end);
        REQUIRE(their_end == end);
        REQUIRE(memcmp(&want, &value, sizeof want) == 0);
        if (isfinite(value)) {
            const int length = sfi_number_format(value, shortest);
            REQUIRE(length > 0 && length <= 24 && shortest[length] == '\0');
            REQUIRE(sfi_number_parse(shortest, &back) == shortest + length);
            REQUIRE(memcmp(&back, &value, sizeof back) == 0);
        }
    }
    free(text);
    return 0;
}
