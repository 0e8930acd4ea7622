/*
 * copies_size.h - included by loops_body.h: strided copies of elements of type T, whatever they mean; F(name) is name
 * for it. Undefines both.
 *
 * Rows and columns are the caller's; what lies along them decides which way memory is walked.
 */
enum { F(UNIT) = sizeof(T), F(TURN) = sizeof(T) == 8 ? 4 : 1 };

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

/* A block of TURN columns by lines of the cache: from is a run along rows, to along columns. */
static inline __attribute__((always_inline)) void F(turn_block)(int64_t rows, char *to, int64_t to_row,
                                                                const char *from, int64_t from_column)
{
    int64_t r = 0;
#if defined(BY_FOUR)
    for (; r + 4 <= rows; r += 4) {
        four_by_four(to + r * to_row, to_row, from + r * F(UNIT), from_column);
    }
#endif
    for (; r < rows; r++) {
        for (int c = 0; c < F(TURN); c++) {
            ((T *)(void *)(to + r * to_row))[c] = *(const T *)(const void *)(from + c * from_column + r * F(UNIT));
        }
    }
}

/* What lies along rows goes along columns: lines of the cache at a time, so that they serve all their rows. */
static void F(turn)(int64_t rows, int64_t columns, char *to, int64_t to_row, const char *from, int64_t from_column)
{
    enum { LINE = 64 / sizeof(T), AHEAD = 32, NEAR = 1 << 20 /* bytes that level 2 of the cache holds */ };
    const bool far = columns * (from_column < 0 ? -from_column : from_column) > NEAR;
    for (int64_t r = 0; r < rows; r += LINE) {
        int64_t some = rows - r < LINE ? rows - r : LINE, c = 0;
        char *out = to + r * to_row;
        const char *in = from + r * F(UNIT);
        for (; c + F(TURN) <= columns; c += F(TURN)) {
            for (int k = 0; far && k < F(TURN); k++) { /* no processor foresees such steps */
                __builtin_prefetch(in + (c + AHEAD + k) * from_column, 0, 2);
            }
            F(turn_block)(some, out + c * F(UNIT), to_row, in + c * from_column, from_column);
        }
        for (; c < columns; c++) {
            F(copy)(some, out + c * F(UNIT), to_row, in + c * from_column, F(UNIT));
        }
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
