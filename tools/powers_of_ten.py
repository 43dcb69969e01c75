#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print src/num/powers.def: the 128 leading bits of 10^q, cut, for every q
that reading and writing doubles can ask for."""

FIRST, LAST = -342, 324

print("""/* SPDX-License-Identifier: Apache-2.0 */
/* powers.def - POWER(high, low): the 128 leading bits of 10^q, cut and not
 * rounded, for q = %d to %d in order:
 *
 *     floor(10^q / 2^(floor(log2(10^q)) - 127)) = high * 2^64 + low
 *
 * Printed by tools/powers_of_ten.py; tests/num/test_decimal.c checks every
 * line with exact integers. */""" % (FIRST, LAST))
for q in range(FIRST, LAST + 1):
    if q >= 0:
        spare = (10**q).bit_length() - 128
        bits = 10**q >> spare if spare > 0 else 10**q << -spare
    else:
        bits = (1 << (127 + (10**-q).bit_length())) // 10**-q
    print("POWER(0x%016X, 0x%016X)" % (bits >> 64, bits & (1 << 64) - 1))
