/*
 * vmath_huge.h - reduction of a large float64 by pi/2 (Payne and Hanek), included once. Scalar and slow.
 *
 *     x = M 2**e, M of 53 bits.  x (2/pi) / 4 modulo 1 needs of 2/pi only the bits from place e - 1 on:
 *     192 of them times M, modulo 2**192: two bits of quadrant, then the fraction of a quadrant.
 */

/* x - k pi/2 in [-pi/4, pi/4] as a pair, and k modulo 4, for a finite |x| >= 2**45. */
CNI_SLOW cni_pair_f64 cni_reduce_huge(double x, int *quadrant)
{
    static const uint32_t words[] = {CNI_TWO_OVER_PI_WORDS};
    uint64_t bits = cni_bits_f64(x), mantissa = (bits & 0xFFFFFFFFFFFFFu) | 0x10000000000000u;
    int exponent = (int)(bits >> 52 & 2047) - 1075;
    int skip = exponent - 2 + 32, word = skip / 32, shift = skip % 32; /* the table begins with 32 zeros */
    uint32_t product[6] = {0};                                         /* lowest word first */
    uint64_t factor[2] = {mantissa & 0xFFFFFFFFu, mantissa >> 32};
    for (int i = 0; i < 6; i++) {
        uint64_t two = (uint64_t)words[word + 5 - i] << 32 | words[word + 6 - i];
        uint64_t window = two >> (32 - shift) & 0xFFFFFFFFu, carry = 0;
        for (int j = 0; j < 2 && i + j < 6; j++) {
            uint64_t sum = window * factor[j] + product[i + j] + carry;
            product[i + j] = (uint32_t)sum;
            carry = sum >> 32;
        }
        for (int j = i + 2; j < 6; j++) {
            uint64_t sum = product[j] + carry;
            product[j] = (uint32_t)sum;
            carry = sum >> 32;
        }
    }
    int k = (int)(product[5] >> 30);
    product[5] <<= 2; /* the fraction of a quadrant, scaled to fill the words; two low bits of it do not matter */
    for (int i = 5; i > 0; i--) {
        product[i] |= product[i - 1] >> 30;
        product[i - 1] <<= 2;
    }
    bool upper = product[5] >> 31 != 0;
    cni_pair_f64 sum = {0, 0};
    double scale = 0x1p-32;
    for (int i = 5; i >= 0; i--, scale *= 0x1p-32) {
        uint32_t digits = upper ? ~product[i] : product[i]; /* 1 - fraction, less 2**-192 */
        cni_pair_f64 next = cni_two_sum_f64(sum.hi, (double)digits * scale);
        sum.hi = next.hi;
        sum.lo += next.lo;
    }
    bool negative = upper != (bits >> 63 != 0);
    k = upper ? k + 1 : k;
    *quadrant = (bits >> 63 != 0 ? -k : k) & 3;
    double r = sum.hi * CNI_HALF_PI_f64;
    double low = CNI_FMA(sum.hi, CNI_HALF_PI_f64, -r) + (sum.hi * CNI_HALF_PI_LO_f64 + sum.lo * CNI_HALF_PI_f64);
    return negative ? cni_pair_of_f64(-r, -low) : cni_pair_of_f64(r, low);
}
