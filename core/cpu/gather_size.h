/* gather_size.h - the loops of gather.c for elements of type T; F(name) is name for it. Undefines both. */

static void F(pick)(const char *from, int64_t stride, const int64_t *index, int64_t n, void *to)
{
    T *out = to;
    if (stride == (int64_t)sizeof(T)) {
        const T *in = (const T *)(const void *)from;
        for (int64_t i = 0; i < n; i++) {
            out[i] = in[index[i]];
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        out[i] = *(const T *)(const void *)(from + index[i] * stride);
    }
}

static void F(put)(char *to, int64_t stride, const int64_t *index, int64_t n, const char *from, int64_t from_stride)
{
    for (int64_t i = 0; i < n; i++) {
        *(T *)(void *)(to + index[i] * stride) = *(const T *)(const void *)(from + i * from_stride);
    }
}

#undef T
#undef F
