/* superacc.c - see superacc.h. */
#include "cpu/superacc.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define DIGIT_MASK INT64_C(0xFFFFFFFF)

void cni_superacc_init(cni_superacc *acc)
{
    memset(acc, 0, sizeof *acc);
}

/* Every digit but the last into [0, 2^32); the last has the sign. */
static void pass_carries(cni_superacc *acc)
{
    int64_t carry = 0;
    for (int k = 0; k < CNI_SUPERACC_DIGITS - 1; k++) {
        int64_t digit = acc->digits[k] + carry;
        acc->digits[k] = digit & DIGIT_MASK;
        carry = digit >> 32;
    }
    acc->digits[CNI_SUPERACC_DIGITS - 1] += carry;
    acc->terms = 0;
}

void cni_superacc_add(cni_superacc *acc, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7FF);
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    acc->any_finite |= bits != UINT64_C(1) << 63;
    if (exponent == 0x7FF) {
        acc->special += x;
        acc->any_special = true;
        return;
    }
    if (exponent == 0) {
        exponent = 1;
    } else {
        mantissa |= UINT64_C(1) << 52;
    }
    int place = exponent - 1, digit = place >> 5, shift = place & 31;
    unsigned __int128 wide = (unsigned __int128)mantissa << shift; /* 84 bits at the most */
    int64_t low = (int64_t)(uint64_t)(wide & 0xFFFFFFFF), middle = (int64_t)(uint64_t)(wide >> 32 & 0xFFFFFFFF);
    int64_t high = (int64_t)(uint64_t)(wide >> 64);
    int64_t sign = (int64_t)bits < 0 ? -1 : 1;
    acc->digits[digit] += sign * low;
    acc->digits[digit + 1] += sign * middle;
    acc->digits[digit + 2] += sign * high;
    if (++acc->terms >= CNI_SUPERACC_TERMS) {
        pass_carries(acc);
    }
}

void cni_superacc_merge(cni_superacc *acc, const cni_superacc *other)
{
    cni_superacc theirs = *other;
    pass_carries(acc);
    pass_carries(&theirs);
    for (int k = 0; k < CNI_SUPERACC_DIGITS; k++) {
        acc->digits[k] += theirs.digits[k];
    }
    acc->terms = 1;
    acc->special += theirs.special;
    acc->any_special |= theirs.any_special;
    acc->any_finite |= theirs.any_finite;
}

void cni_superacc_set(cni_superacc *acc, const int64_t *words)
{
    int64_t flags = words[CNI_SUPERACC_DIGITS];
    cni_superacc_init(acc);
    memcpy(acc->digits, words, sizeof acc->digits);
    acc->terms = CNI_SUPERACC_TERMS - 1; /* nobody counted them */
    acc->any_finite = (flags & 8) != 0;
    acc->any_special = (flags & 7) != 0;
    acc->special += (flags & 1) != 0 ? (double)INFINITY : 0;
    acc->special += (flags & 2) != 0 ? -(double)INFINITY : 0;
    acc->special += (flags & 4) != 0 ? (double)NAN : 0;
}

/* Bit `place` of the digits, which are not negative. */
static bool bit_at(const int64_t *digits, int place)
{
    return (digits[place >> 5] >> (place & 31) & 1) != 0;
}

static bool any_below(const int64_t *digits, int place)
{
    for (int k = 0; k < place >> 5; k++) {
        if (digits[k] != 0) {
            return true;
        }
    }
    return (digits[place >> 5] & ((INT64_C(1) << (place & 31)) - 1)) != 0;
}

double cni_superacc_round(cni_superacc *acc)
{
    if (acc->any_special) {
        return acc->special;
    }
    pass_carries(acc);
    int64_t digits[CNI_SUPERACC_DIGITS];
    bool negative = acc->digits[CNI_SUPERACC_DIGITS - 1] < 0;
    int64_t carry = 0;
    for (int k = 0; k < CNI_SUPERACC_DIGITS; k++) {
        int64_t digit = (negative ? -acc->digits[k] : acc->digits[k]) + carry;
        bool last = k == CNI_SUPERACC_DIGITS - 1;
        digits[k] = last ? digit : digit & DIGIT_MASK;
        carry = digit >> 32;
    }
    int top = CNI_SUPERACC_DIGITS - 1;
    while (top >= 0 && digits[top] == 0) {
        top--;
    }
    if (top < 0) {
        return acc->any_finite ? 0.0 : -0.0;
    }
    int highest = 32 * top + 63 - __builtin_clzll((uint64_t)digits[top]);
    int lowest = highest > 52 ? highest - 52 : 0; /* place of the mantissa's last bit */
    uint64_t mantissa = 0;
    for (int place = highest; place >= lowest; place--) {
        mantissa = mantissa << 1 | bit_at(digits, place);
    }
    if (lowest > 0 && bit_at(digits, lowest - 1)) {
        mantissa += (mantissa & 1) != 0 || any_below(digits, lowest - 1);
    }
    double value = ldexp((double)mantissa, lowest - 1074);
    return negative ? -value : value;
}
