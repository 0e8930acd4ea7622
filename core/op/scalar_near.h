/*
 * scalar_near.h - included by scalar_real.h and scalar_integer.h: divisions by the names that rows of kind G ask for. FAR:
 * what tells that a near form is no answer, FAR_T its type. Undefines both.
 */
static inline T FN(near_FMOD)(T a, T b)
{
    return FN(near_cmod)(a, b);
}

static inline T FN(near_REMAINDER)(T a, T b)
{
    return FN(near_mod)(a, b);
}

static inline T FN(near_FLOOR_DIVIDE)(T a, T b)
{
    return FN(near_floordiv)(a, b);
}

static inline T FN(near_DIVMOD)(T a, T b, T *rest)
{
    return FN(near_divmod)(a, b, rest);
}

static inline FAR_T FN(far_FMOD)(T a, T b)
{
    return FAR(a, b);
}

static inline FAR_T FN(far_REMAINDER)(T a, T b)
{
    return FAR(a, b);
}

static inline FAR_T FN(far_FLOOR_DIVIDE)(T a, T b)
{
    return FAR(a, b);
}

static inline FAR_T FN(far_DIVMOD)(T a, T b)
{
    return FAR(a, b);
}

#undef FAR
#undef FAR_T
