/*
 * copies_size.h - included by loops_body.h: strided copies of elements of type T, whatever they mean; F(name) is name
 * for it. Undefines both. BY_FOUR: blocks of four by four elements are vectors.
 *
 * Rows and columns are the caller's; what lies along them decides which way memory is walked.
 */
enum { F(UNIT) = sizeof(T) };

static void F(copy)(int64_t n, void *destination, int64_t to, const void *source, int64_t from)
{
    char *d = destination;
    const char *s = source;
    T *out = destination;
    if (to == F(UNIT) && from == F(UNIT)) {
        if (d != s) {
            memcpy(d, s, (size_t)(n * F(UNIT)));
        }
    } else if (to == F(UNIT) && from == 0) {
        const T value = *(const T *)source;
        CNI_INDEPENDENT for (int64_t i = 0; i < n; i++)
        {
            out[i] = value;
        }
    } else if (to == F(UNIT) && from == -F(UNIT)) {
        const T *in = source;
        CNI_INDEPENDENT for (int64_t i = 0; i < n; i++)
        {
            out[i] = in[-i];
        }
    } else if (to == F(UNIT) && from == 2 * F(UNIT)) {
        const T *in = source;
        CNI_INDEPENDENT for (int64_t i = 0; i < n; i++)
        {
            out[i] = in[2 * i];
        }
    } else if (to == F(UNIT)) {
        int64_t i = 0;
        for (; i + 4 <= n; i += 4, s += 4 * from) { /* compilers would take gathers */
            const T first = *(const T *)(const void *)s, second = *(const T *)(const void *)(s + from),
                    third = *(const T *)(const void *)(s + 2 * from), fourth = *(const T *)(const void *)(s + 3 * from);
            out[i] = first;
            out[i + 1] = second;
            out[i + 2] = third;
            out[i + 3] = fourth;
        }
        for (; i < n; i++, s += from) {
            out[i] = *(const T *)(const void *)s;
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            *(T *)(void *)(d + i * to) = *(const T *)(const void *)(s + i * from);
        }
    }
}

/* Rows that lie as runs on both sides. */
static void F(copy_rows)(int64_t rows, int64_t bytes, char *to, int64_t to_row, const char *from, int64_t from_row)
{
    if (to_row == bytes && from_row == bytes) {
        memcpy(to, from, (size_t)(rows * bytes));
        return;
    }
    for (int64_t r = 0; r < rows; r++, to += to_row, from += from_row) {
        if (bytes <= FEW) {
            copy_few(to, from, (size_t)bytes);
        } else {
            memcpy(to, from, (size_t)bytes);
        }
    }
}

/* Each element `columns` times, one after the other. */
static inline __attribute__((always_inline)) void F(repeat)(int64_t rows, int64_t columns, char *to, int64_t to_row,
                                                            const char *from, int64_t from_row)
{
    for (int64_t r = 0; r < rows; r++) {
        const T value = *(const T *)(const void *)(from + r * from_row);
        T *out = (T *)(void *)(to + r * to_row);
        for (int64_t c = 0; c < columns; c++) {
            out[c] = value;
        }
    }
}

#if defined(BY_FOUR)
typedef T F(four) __attribute__((vector_size(4 * sizeof(T))));

/* Four elements of each of four runs become columns. */
static inline __attribute__((always_inline)) void F(four_by_four)(char *to, int64_t to_row, const char *from,
                                                                  int64_t from_column)
{
    F(four) a, b, c, d;
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + from_column, sizeof b);
    memcpy(&c, from + 2 * from_column, sizeof c);
    memcpy(&d, from + 3 * from_column, sizeof d);
    const F(four) low = __builtin_shufflevector(a, b, 0, 4, 2, 6), high = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    const F(four) low2 = __builtin_shufflevector(c, d, 0, 4, 2, 6), high2 = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    a = __builtin_shufflevector(low, low2, 0, 1, 4, 5);
    b = __builtin_shufflevector(high, high2, 0, 1, 4, 5);
    c = __builtin_shufflevector(low, low2, 2, 3, 6, 7);
    d = __builtin_shufflevector(high, high2, 2, 3, 6, 7);
    memcpy(to, &a, sizeof a);
    memcpy(to + to_row, &b, sizeof b);
    memcpy(to + 2 * to_row, &c, sizeof c);
    memcpy(to + 3 * to_row, &d, sizeof d);
}
#endif

/* So many rows, of all columns: from is a run along rows, to along columns. Constants make the loops inside straight. */
static inline __attribute__((always_inline)) void F(strip)(int rows, int64_t columns, char *to, int64_t to_row,
                                                           const char *from, int64_t from_column, bool far)
{
    enum { AHEAD = 32 };
    int64_t c = 0;
#if defined(BY_FOUR)
    for (; rows % 4 == 0 && c + 4 <= columns; c += 4, to += 4 * F(UNIT), from += 4 * from_column) {
        for (int k = 0; far && k < 4; k++) { /* no processor foresees such steps */
            __builtin_prefetch(from + (AHEAD + k) * from_column, 0, 2);
        }
        for (int r = 0; r < rows; r += 4) {
            F(four_by_four)(to + r * to_row, to_row, from + r * F(UNIT), from_column);
        }
    }
#endif
    for (; c < columns; c++, to += F(UNIT), from += from_column) {
        if (far) {
            __builtin_prefetch(from + AHEAD * from_column, 0, 2);
        }
        for (int r = 0; r < rows; r++) {
            *(T *)(void *)(to + r * to_row) = *(const T *)(const void *)(from + r * F(UNIT));
        }
    }
}

/* What lies along rows goes along columns: lines of the cache at a time, so that they serve all their rows. */
static void F(turn)(int64_t rows, int64_t columns, char *to, int64_t to_row, const char *from, int64_t from_column)
{
    enum { LINE = 64 / sizeof(T), NEAR = 1 << 20 /* bytes that level 2 of the cache holds */ };
    const bool far = columns * (from_column < 0 ? -from_column : from_column) > NEAR;
    int64_t r = 0;
    for (; r + LINE <= rows; r += LINE) {
        if (far) {
            F(strip)(LINE, columns, to + r * to_row, to_row, from + r * F(UNIT), from_column, true);
        } else {
            F(strip)(LINE, columns, to + r * to_row, to_row, from + r * F(UNIT), from_column, false);
        }
    }
    for (; r + 4 <= rows; r += 4) {
        F(strip)(4, columns, to + r * to_row, to_row, from + r * F(UNIT), from_column, false);
    }
    for (; r < rows; r++) {
        F(copy)(columns, to + r * to_row, F(UNIT), from + r * F(UNIT), from_column);
    }
}

static void F(plane)(int64_t rows, int64_t columns, void *destination, int64_t to_row, int64_t to_column,
                     const void *source, int64_t from_row, int64_t from_column)
{
    enum { SHORT = 8 }; /* columns: fewer than a call is worth */
    char *to = destination;
    const char *from = source;
    if (to_column == F(UNIT) && from_column == F(UNIT)) {
        F(copy_rows)(rows, columns * F(UNIT), to, to_row, from, from_row);
    } else if (to_column == F(UNIT) && from_column == 0 && columns == 2) {
        F(repeat)(rows, 2, to, to_row, from, from_row);
    } else if (to_column == F(UNIT) && from_column == 0 && columns == 3) {
        F(repeat)(rows, 3, to, to_row, from, from_row);
    } else if (to_column == F(UNIT) && from_column == 0 && columns < SHORT) {
        F(repeat)(rows, columns, to, to_row, from, from_row);
    } else if (to_column == F(UNIT) && from_row == F(UNIT) && columns >= 4) {
        F(turn)(rows, columns, to, to_row, from, from_column);
    } else if (from_column == F(UNIT) && to_row == F(UNIT) && rows >= 4) {
        F(turn)(columns, rows, to, to_column, from, from_row);
    } else if (columns < SHORT && rows > columns) {
        for (int64_t c = 0; c < columns; c++) {
            F(copy)(rows, to + c * to_column, to_row, from + c * from_column, from_row);
        }
    } else {
        for (int64_t r = 0; r < rows; r++) {
            F(copy)(columns, to + r * to_row, to_column, from + r * from_row, from_column);
        }
    }
}

#undef T
#undef F
