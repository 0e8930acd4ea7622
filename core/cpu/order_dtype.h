/*
 * order_dtype.h - the kernels of order.h for one dtype. Included with T (in memory), KIND, F(name); for all but complex
 * ones BITS (unsigned, of T's size) and KEY; floats have INFINITY_BITS, complex ones REAL_RANK (their parts') and
 * NAN_RANK. Undefines them all.
 */

/* ---- Keys ---- */

#if KIND == KIND_COMPLEX

/* NumPy's order: all finite or infinite; imaginary part NaN, by the real; real part NaN, by the imaginary; both NaN. */
static inline void F(rank)(T x, uint64_t *high, uint64_t *low)
{
    uint64_t re = REAL_RANK(x.re), im = REAL_RANK(x.im), whole = NAN_RANK - 1;
    bool re_nan = re > whole, im_nan = im > whole;
    *high = re_nan ? NAN_RANK + (im_nan ? 2 : 1) : im_nan ? NAN_RANK : re;
    *low = re_nan ? (im_nan ? 0 : im) : im_nan ? re : im;
}

static void F(ranks)(int64_t n, const void *values, void *keys, uint64_t *second)
{
    const T *from = values;
    uint64_t *to = keys;
    for (int64_t i = 0; i < n; i++) {
        uint64_t high, low;
        F(rank)(from[i], &high, &low);
        if (sizeof(T) == 8) {
            to[i] = high << 32 | low;
        } else {
            to[i] = high;
            second[i] = low;
        }
    }
}

static inline bool F(less)(T a, T b)
{
    uint64_t a_high, a_low, b_high, b_low;
    F(rank)(a, &a_high, &a_low);
    F(rank)(b, &b_high, &b_low);
    return a_high < b_high || (a_high == b_high && a_low < b_low);
}

#define IS_NAN(x) ((x).re != (x).re || (x).im != (x).im)
#define LESS(a, b) ((a).re < (b).re || ((a).re == (b).re && (a).im < (b).im))

#else

#if KIND == KIND_FLOAT

/* Bits in order, negative NaNs moved from the lower end to the upper one. */
static inline BITS F(key)(BITS bits)
{
    const BITS sign = (BITS)((BITS)1 << (8 * sizeof(BITS) - 1)), below = (BITS)(sign - 1 - INFINITY_BITS);
    BITS flip = (bits & sign) != 0 ? (BITS)-1 : sign;
    return (BITS)((bits ^ flip) - below);
}

static inline BITS F(bits)(BITS key)
{
    const BITS sign = (BITS)((BITS)1 << (8 * sizeof(BITS) - 1)), below = (BITS)(sign - 1 - INFINITY_BITS);
    BITS turned = (BITS)(key + below);
    BITS flip = (turned & sign) != 0 ? sign : (BITS)-1;
    return (BITS)(turned ^ flip);
}

static inline BITS F(rank_bits)(BITS bits)
{
    const BITS sign = (BITS)((BITS)1 << (8 * sizeof(BITS) - 1));
    BITS magnitude = (BITS)(bits & (BITS)(sign - 1)), whole = magnitude == 0 ? 0 : bits;
    BITS key = F(key)(whole);
    return magnitude > INFINITY_BITS ? (BITS)-1 : key;
}

/* The rank of +infinity: NaNs have more. */
#define LIMIT                                                                                                          \
    ((BITS)((BITS)((BITS)1 << (8 * sizeof(BITS) - 1)) + INFINITY_BITS -                                                \
            (BITS)((BITS)((BITS)1 << (8 * sizeof(BITS) - 1)) - 1 - INFINITY_BITS)))
static const BITS F(rank_limit) = LIMIT;
#undef LIMIT

static inline uint64_t F(rank)(T x)
{
    BITS bits;
    memcpy(&bits, &x, sizeof bits);
    return F(rank_bits)(bits);
}

#else

static inline BITS F(key)(BITS bits)
{
    return KIND == KIND_SIGNED ? (BITS)(bits ^ (BITS)((BITS)1 << (8 * sizeof(BITS) - 1))) : bits;
}

static inline BITS F(bits)(BITS key)
{
    return F(key)(key);
}

static inline BITS F(rank_bits)(BITS bits)
{
    return F(key)(bits);
}

#endif

static void F(keys)(int64_t n, const void *values, void *keys)
{
    const BITS *from = values;
    KEY *to = keys;
    CNI_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        to[i] = F(key)(from[i]);
    }
}

static void F(values)(int64_t n, const void *keys, void *values)
{
    const KEY *from = keys;
    BITS *to = values;
    CNI_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        to[i] = F(bits)((BITS)from[i]);
    }
}

static void F(ranks)(int64_t n, const void *values, void *keys, uint64_t *low)
{
    const BITS *from = values;
    KEY *to = keys;
    (void)low;
    CNI_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        to[i] = F(rank_bits)(from[i]);
    }
}

#ifdef IS_HALF
#define IS_NAN(x) (((x) & 0x7FFF) > 0x7C00)
#define LESS(a, b) (F(rank_bits)(a) < F(rank_bits)(b))
#elif KIND == KIND_FLOAT
#define IS_NAN(x) ((x) != (x))
#define LESS(a, b) ((a) < (b))
#else
#define IS_NAN(x) false
#define LESS(a, b) ((a) < (b))
#endif

#ifdef IS_HALF
static inline bool F(less)(T a, T b)
{
    return F(rank_bits)(a) < F(rank_bits)(b);
}
#elif KIND == KIND_FLOAT
static inline bool F(less)(T a, T b)
{
    return (a < b) | ((b != b) & (a == a));
}
#else
static inline bool F(less)(T a, T b)
{
    return a < b;
}
#endif

#endif

/* ---- Search ---- */

/* Many searches together: the loads of one hide behind those of the others. */
static void F(search_some)(const T *sorted, int64_t n, const T *values, int count, bool right, int64_t *out)
{
    enum { TOGETHER = 32 };
    int64_t base[TOGETHER] = {0};
    for (int64_t size = n; size > 1;) {
        int64_t half = size / 2;
        size -= half;
        const T *middle = sorted + half - 1;
        if (right) {
            for (int k = 0; k < count; k++) {
                base[k] += F(less)(values[k], middle[base[k]]) ? 0 : half;
            }
        } else {
            for (int k = 0; k < count; k++) {
                base[k] += F(less)(middle[base[k]], values[k]) ? half : 0;
            }
        }
    }
    for (int k = 0; k < count; k++) {
        T at = sorted[base[k]];
        out[k] = base[k] + (right ? !F(less)(values[k], at) : F(less)(at, values[k]));
    }
}

static void F(search)(const void *sorted, int64_t n, const void *values, int64_t count, bool right, int64_t *out)
{
    const T *from = values;
    if (n == 0) {
        memset(out, 0, (size_t)count * sizeof *out);
        return;
    }
    for (int64_t i = 0; i < count; i += 32) {
        F(search_some)(sorted, n, from + i, count - i < 32 ? (int)(count - i) : 32, right, out + i);
    }
}

/* ---- Extremes ---- */

static inline bool F(beats)(T a, T b, bool maximum)
{
    if (IS_NAN(a) || IS_NAN(b)) {
        return !IS_NAN(b);
    }
    return maximum ? LESS(b, a) : LESS(a, b);
}

static bool F(better)(const void *a, const void *b, bool maximum)
{
    return F(beats)(*(const T *)a, *(const T *)b, maximum);
}

#if KIND == KIND_COMPLEX || defined(IS_HALF)

static int64_t F(extreme)(const void *values, int64_t n, bool maximum)
{
    const T *from = values;
    int64_t best = 0;
    for (int64_t i = 1; i < n && !IS_NAN(from[best]); i++) {
        best = F(beats)(from[i], from[best], maximum) ? i : best;
    }
    return best;
}

#else

enum { F(WIDE) = 256 / sizeof(T) }; /* elements side by side: some vectors */

/* The extreme of `rows` rows of WIDE elements; *nan: one of them is NaN. */
static inline T F(extreme_of)(const T *from, int64_t rows, bool maximum, bool *nan)
{
    T best[F(WIDE)], odd[F(WIDE)];
    memcpy(best, from, sizeof best);
    memset(odd, 0, sizeof odd);
    if (maximum) {
        for (int64_t r = 0; r < rows; r++, from += F(WIDE)) {
            for (int k = 0; k < F(WIDE); k++) {
                best[k] = from[k] > best[k] ? from[k] : best[k];
                odd[k] = IS_NAN(from[k]) ? 1 : odd[k];
            }
        }
    } else {
        for (int64_t r = 0; r < rows; r++, from += F(WIDE)) {
            for (int k = 0; k < F(WIDE); k++) {
                best[k] = from[k] < best[k] ? from[k] : best[k];
                odd[k] = IS_NAN(from[k]) ? 1 : odd[k];
            }
        }
    }
    for (int half = F(WIDE) / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; k++) {
            best[k] = (maximum ? best[k + half] > best[k] : best[k + half] < best[k]) ? best[k + half] : best[k];
            odd[k] = odd[k + half] != 0 ? 1 : odd[k];
        }
    }
    *nan = odd[0] != 0;
    return best[0];
}

/* The first index from i on where the value is: it is there. */
static int64_t F(find)(const T *from, int64_t i, int64_t n, T value)
{
    for (; i + F(WIDE) <= n; i += F(WIDE)) {
        T hit = 0;
        for (int k = 0; k < F(WIDE); k++) {
            hit = from[i + k] == value ? 1 : hit;
        }
        if (hit != 0) {
            break;
        }
    }
    while (from[i] != value) {
        i++;
    }
    return i;
}

/* Lanes of best elements, and of the rows that they are in. */
typedef T F(lanes) __attribute__((vector_size(64), aligned(sizeof(T)), may_alias));
typedef BITS F(marks) __attribute__((vector_size(64)));
enum { F(LANES) = 64 / sizeof(T), F(FEW) = 64 * F(LANES) };
#if KIND == KIND_FLOAT
#define ODD(x) (F(marks))((x) != (x))
#else
#define ODD(x) ((F(marks)){0})
#endif
#define CHOSEN(mask, yes, no) (((mask) & (F(marks))(yes)) | (~(mask) & (F(marks))(no)))

/* Two of them, which take rows in turn: their steps do not wait for each other. */
typedef struct F(leading) {
    F(lanes) best;
    F(marks) row, odd;
} F(leading);

static inline void F(take_row)(F(leading) * l, const T *from, BITS number, bool maximum)
{
    const F(lanes) x = *(const F(lanes) *)(const void *)from;
    const F(marks) take = (F(marks))(maximum ? x > l->best : x < l->best);
    l->best = (F(lanes))CHOSEN(take, x, l->best);
    l->row = CHOSEN(take, (F(marks)){0} + number, l->row);
    l->odd |= ODD(x);
}

/* What the other has is taken where it is the extreme, or the same in a row before. */
static inline void F(take_other)(F(leading) * l, const F(leading) * other, bool maximum)
{
    const F(marks) beats = (F(marks))(maximum ? other->best > l->best : other->best < l->best);
    const F(marks) before = (F(marks))(other->best == l->best) & (F(marks))(other->row < l->row);
    l->best = (F(lanes))CHOSEN(beats | before, other->best, l->best);
    l->row = CHOSEN(beats | before, other->row, l->row);
    l->odd |= other->odd;
}

/* The first place of the extreme, if there is no NaN: rows of LANES, the last of which ends with the last element. */
static inline __attribute__((always_inline)) int64_t F(first_place)(const F(leading) * l, bool maximum, BITS rows,
                                                                    int64_t last)
{
    T best[F(LANES)], tree[F(LANES)];
    BITS row[F(LANES)];
    int64_t place = INT64_MAX;
    memcpy(best, &l->best, sizeof best);
    memcpy(tree, &l->best, sizeof tree);
    memcpy(row, &l->row, sizeof row);
    for (int half = F(LANES) / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; k++) {
            tree[k] = (maximum ? tree[k + half] > tree[k] : tree[k + half] < tree[k]) ? tree[k + half] : tree[k];
        }
    }
    for (int k = 0; k < F(LANES); k++) {
        int64_t own = (row[k] == rows ? last : (int64_t)row[k] * F(LANES)) + k;
        own = best[k] == tree[0] ? own : INT64_MAX;
        place = own < place ? own : place;
    }
    return place;
}

static inline __attribute__((always_inline)) int64_t F(extreme_few)(const T *from, int64_t n, bool maximum)
{
    const BITS rows = (BITS)(n / F(LANES));
    const F(lanes) first = *(const F(lanes) *)(const void *)from;
    F(leading) one = {first, {0}, ODD(first)}, two = one;
    int64_t last = n - F(LANES), i = 0;
    BITS r = 1, any = 0;
    for (; r + 1 < rows; r += 2) {
        F(take_row)(&one, from + (int64_t)r * F(LANES), r, maximum);
        F(take_row)(&two, from + (int64_t)(r + 1) * F(LANES), r + 1, maximum);
    }
    for (; r <= rows; r++) {
        F(take_row)(&one, from + (r < rows ? (int64_t)r * F(LANES) : last), r, maximum);
    }
    F(take_other)(&one, &two, maximum);
    const F(leading) all = one; /* a copy: what has an address is not kept in registers above */
    for (int k = 0; k < F(LANES); k++) {
        any |= all.odd[k];
    }
    if (any == 0) {
        return F(first_place)(&all, maximum, rows, last);
    }
    while (!IS_NAN(from[i])) {
        i++;
    }
    return i;
}

#undef CHOSEN
#undef ODD

/* Block by block: only the first block with the extreme is searched for it. */
static int64_t F(extreme)(const void *values, int64_t n, bool maximum)
{
    enum { ROWS = 64, ONE_BY_ONE = 16 };
    const T *from = values;
    int64_t block = 0, i = 0;
    bool nan = false, found = false;
    T best = from[0];
    if (n < F(LANES) || n < ONE_BY_ONE) { /* no branches on values */
        for (i = 1; i < n; i++) {
            bool take = ((maximum ? from[i] > best : from[i] < best) | IS_NAN(from[i])) & !IS_NAN(best);
            best = take ? from[i] : best;
            block = take ? i : block;
        }
        return block;
    }
    if (n < F(FEW)) {
        return maximum ? F(extreme_few)(from, n, true) : F(extreme_few)(from, n, false);
    }
    if (IS_NAN(best)) {
        return 0;
    }
    for (; i + F(WIDE) <= n && !nan;) {
        int64_t rows = (n - i) / F(WIDE) < ROWS ? (n - i) / F(WIDE) : ROWS;
        T here = F(extreme_of)(from + i, rows, maximum, &nan);
        if (nan || (maximum ? here > best : here < best)) {
            best = here;
            block = i;
            found = true;
        }
        i += rows * F(WIDE);
    }
    for (; nan; block++) {
        if (IS_NAN(from[block])) {
            return block;
        }
    }
    for (; i < n; i++) {
        if (IS_NAN(from[i])) {
            return i;
        }
        if (maximum ? from[i] > best : from[i] < best) {
            best = from[i];
            block = i;
            found = true;
        }
    }
    return found ? F(find)(from, block, n, best) : 0;
}

#endif

#if KIND == KIND_COMPLEX || defined(IS_HALF)
#define TAKES(a, b, maximum) F(beats)(a, b, maximum)
#else
#define TAKES(a, b, maximum) ((((maximum) ? (a) > (b) : (a) < (b)) | IS_NAN(a)) & !IS_NAN(b))
#endif

static void F(extreme_row)(const void *values, int64_t n, bool maximum, int64_t at, void *best, int64_t *index)
{
    const T *from = values;
    T *kept = best;
    if (maximum) {
        CNI_INDEPENDENT for (int64_t i = 0; i < n; i++)
        {
            bool take = TAKES(from[i], kept[i], true);
            kept[i] = take ? from[i] : kept[i];
            index[i] = take ? at : index[i];
        }
    } else {
        CNI_INDEPENDENT for (int64_t i = 0; i < n; i++)
        {
            bool take = TAKES(from[i], kept[i], false);
            kept[i] = take ? from[i] : kept[i];
            index[i] = take ? at : index[i];
        }
    }
}

#undef TAKES
#undef IS_NAN
#undef LESS
#undef T
#undef BITS
#undef KEY
#undef KIND
#undef F
#undef INFINITY_BITS
#undef REAL_RANK
#undef NAN_RANK
#ifdef IS_HALF
#undef IS_HALF
#endif
