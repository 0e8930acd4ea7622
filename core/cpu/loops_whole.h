/* loops_whole.h - included by loops_dtype.h for bools and integers: what products of matrices are made of. */
#if FAMILY == FAMILY_BOOL
#define TIMES &
#define PLUS |
#else
#define TIMES *
#define PLUS +
#endif
#define FACTOR(k) *(const TYPE *)(const void *)(factors + (k) * factor_stride)
#define ROW_OF(k) (const TYPE *)(const void *)(rows + (k) * row_stride)

/* Four rows at a time, so that sums are not stored and loaded for each. */
static void CNI_JOIN(combine, SUFFIX)(int64_t n, int64_t count, const char *factors, int64_t factor_stride,
                                      const char *rows, int64_t row_stride, void *out)
{
    TYPE *to = out;
    int64_t k = 0;
    for (; k + 4 <= count; k += 4) {
        const TYPE f0 = FACTOR(k), f1 = FACTOR(k + 1), f2 = FACTOR(k + 2), f3 = FACTOR(k + 3);
        const TYPE *x0 = ROW_OF(k), *x1 = ROW_OF(k + 1), *x2 = ROW_OF(k + 2), *x3 = ROW_OF(k + 3);
        CNI_INDEPENDENT for (int64_t i = 0; i < n; i++)
        {
            const TYPE low = (TYPE)((f0 TIMES x0[i])PLUS(f1 TIMES x1[i]));
            const TYPE high = (TYPE)((f2 TIMES x2[i])PLUS(f3 TIMES x3[i]));
            to[i] = (TYPE)(to[i] PLUS low PLUS high);
        }
    }
    for (; k < count; k++) {
        const TYPE f = FACTOR(k);
        const TYPE *x = ROW_OF(k);
        CNI_INDEPENDENT for (int64_t i = 0; i < n; i++)
        {
            to[i] = (TYPE)(to[i] PLUS(f TIMES x[i]));
        }
    }
}

static void CNI_JOIN(dot, SUFFIX)(int64_t n, const char *x, int64_t x_stride, const char *y, int64_t y_stride,
                                  void *out)
{
    TYPE sum = 0;
    if (x_stride == sizeof(TYPE) && y_stride == sizeof(TYPE)) {
        const TYPE *a = (const TYPE *)(const void *)x, *b = (const TYPE *)(const void *)y;
        for (int64_t i = 0; i < n; i++) {
            sum = (TYPE)(sum PLUS(a[i] TIMES b[i]));
        }
    } else {
        for (int64_t i = 0; i < n; i++, x += x_stride, y += y_stride) {
            sum = (TYPE)(sum PLUS(*(const TYPE *)(const void *)x TIMES * (const TYPE *)(const void *)y));
        }
    }
    *(TYPE *)out = sum;
}
#undef TIMES
#undef PLUS
#undef FACTOR
#undef ROW_OF
