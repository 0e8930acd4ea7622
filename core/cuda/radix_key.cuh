/* radix_key.cuh - the order of a dtype's values as that of unsigned numbers, and back. See radix.cuh. */

CNI_INLINE BITS key_of(BITS bits)
{
    const BITS sign = (BITS)((BITS)1 << (8 * sizeof(BITS) - 1));
#if FLOATING && INDICES
    const BITS size = (BITS)(bits & (BITS)(sign - 1)), whole = size == 0 ? 0 : bits;
    const BITS flip = (whole & sign) != 0 ? (BITS)-1 : sign, below = (BITS)(sign - 1 - INFINITY_BITS);
    return size > INFINITY_BITS ? (BITS)-1 : (BITS)((BITS)(whole ^ flip) - below);
#elif FLOATING
    const BITS flip = (bits & sign) != 0 ? (BITS)-1 : sign, below = (BITS)(sign - 1 - INFINITY_BITS);
    return (BITS)((BITS)(bits ^ flip) - below);
#else
    return SIGNED ? (BITS)(bits ^ sign) : bits;
#endif
}

CNI_INLINE BITS bits_of(BITS key)
{
    const BITS sign = (BITS)((BITS)1 << (8 * sizeof(BITS) - 1));
#if FLOATING
    const BITS turned = (BITS)(key + (BITS)(sign - 1 - INFINITY_BITS)), flip = (turned & sign) != 0 ? sign : (BITS)-1;
    return (BITS)(turned ^ flip);
#else
    return SIGNED ? (BITS)(key ^ sign) : key;
#endif
}
