/*
 * exact.cuh - sums of doubles without rounding, as core/cpu/superacc.c has them: digits of 32 bits kept in 64, digit k
 * counts 2^(32 k - 1074); the last word has flags. Whatever order the terms come in, the sum has the same bits.
 */
enum { DIGITS = 68, EXACT_WORDS = DIGITS + 1, PLUS_INFINITY = 1, MINUS_INFINITY = 2, HAS_NAN = 4, HAS_FINITE = 8 };

CNI_INLINE void exact_add(int64_t *digits, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7FF);
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    const int negative = (int)(bits >> 63);
    int flags = bits != UINT64_C(1) << 63 ? HAS_FINITE : 0;
    if (exponent == 0x7FF) {
        flags |= mantissa != 0 ? HAS_NAN : negative != 0 ? MINUS_INFINITY : PLUS_INFINITY;
        mantissa = 0;
        exponent = 1;
    } else if (exponent == 0) {
        exponent = 1;
    } else {
        mantissa |= UINT64_C(1) << 52;
    }
    const int place = exponent - 1, digit = place >> 5, shift = place & 31;
    const uint64_t low = mantissa << shift, high = shift == 0 ? 0 : mantissa >> (64 - shift); /* of 84 bits */
    const int64_t parts[3] = {(int64_t)(low & 0xFFFFFFFF), (int64_t)(low >> 32), (int64_t)high};
    for (int k = 0; k < 3; k++) {
        digits[digit + k] += negative != 0 ? -parts[k] : parts[k];
    }
    digits[DIGITS] |= flags;
}

/* The sum, rounded once to nearest, ties to even; changes the digits, of which those outside [low, high] are 0. */
CNI_INLINE double exact_round(int64_t *digits, int low, int high)
{
    const int64_t flags = digits[DIGITS];
    if ((flags & HAS_NAN) != 0 || (flags & (PLUS_INFINITY | MINUS_INFINITY)) == (PLUS_INFINITY | MINUS_INFINITY)) {
        return (double)NAN;
    }
    if ((flags & (PLUS_INFINITY | MINUS_INFINITY)) != 0) {
        return (flags & PLUS_INFINITY) != 0 ? (double)INFINITY : -(double)INFINITY;
    }
    const int last = high + 2 < DIGITS ? high + 2 : DIGITS - 1; /* a digit of 64 bits carries so far, and then the sign */
    int64_t carry = 0;
    CNI_ROLLED
    for (int k = low; k < last; k++) {
        const int64_t digit = digits[k] + carry;
        digits[k] = digit & INT64_C(0xFFFFFFFF);
        carry = digit >> 32;
    }
    digits[last] += carry;
    const int negative = digits[last] < 0;
    int top = -1;
    carry = 0;
    CNI_ROLLED
    for (int k = low; k <= last; k++) {
        const int64_t digit = (negative != 0 ? -digits[k] : digits[k]) + carry;
        digits[k] = k == last ? digit : digit & INT64_C(0xFFFFFFFF);
        carry = digit >> 32;
        top = digits[k] != 0 ? k : top;
    }
    if (top < 0) {
        return (flags & HAS_FINITE) != 0 ? 0.0 : -0.0;
    }
    /* the highest digits as 128 bits: high, low, and whether anything is below */
    const uint64_t first = (uint64_t)digits[top], second = top >= 1 ? (uint64_t)digits[top - 1] : 0, third = top >= 2 ? (uint64_t)digits[top - 2] : 0;
    const int highest = 32 * top + 63 - __builtin_clzll(first), lowest = highest > 52 ? highest - 52 : 0;
    int sticky = 0;
    CNI_ROLLED
    for (int k = low; k < top - 2; k++) {
        sticky |= digits[k] != 0;
    }
    /* three digits are 96 bits from place 32 (top - 2); the mantissa takes 53 of them from `lowest` */
    const int base = 32 * (top - 2);
    unsigned __int128 wide = (unsigned __int128)first << 64 | (unsigned __int128)second << 32 | third;
    const int drop = lowest - base; /* at least 12 */
    uint64_t mantissa = (uint64_t)(wide >> drop);
    const unsigned __int128 rest = wide & (((unsigned __int128)1 << drop) - 1), half = (unsigned __int128)1 << (drop - 1);
    if (rest > half || (rest == half && (sticky != 0 || (mantissa & 1) != 0))) {
        mantissa++;
    }
    const double value = ldexp((double)mantissa, lowest - 1074);
    return negative != 0 ? -value : value;
}
