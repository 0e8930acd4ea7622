/*
 * random_integers.h - bounded integers from units UNIT into ITEM, twice: by multiplication (Lemire) and by mask; the
 * including file names UNIT, its double width WIDE, ITEM, and the functions MULTIPLY and MASK.
 *
 * Every unit is taken or refused by itself, so a batch of as many units as draws are wanted cannot give too many.
 */

static int64_t MULTIPLY(const cni_draw *draw, cni_parse *p)
{
    ITEM *out = (ITEM *)(void *)p->out, low = (ITEM)draw->low;
    UNIT most = (UNIT) ~(UNIT)0, count = (UNIT)(draw->range + 1),
         threshold = (UNIT)((UNIT)(most - (UNIT)draw->range) % count);
    int64_t k = 0, n;
    while ((n = batch(p, k, (int64_t)sizeof(UNIT))) > 0) {
        const unsigned char *raw = p->raw + p->at;
        for (int64_t i = 0; i < n; i++) {
            UNIT unit;
            memcpy(&unit, raw + i * (int64_t)sizeof unit, sizeof unit);
            WIDE product = (WIDE)((WIDE)unit * count);
            out[k] = (ITEM)(low + (ITEM)(product >> 8 * sizeof(UNIT)));
            k += (UNIT)product >= threshold;
        }
        p->at += n * (int64_t)sizeof(UNIT);
    }
    return k;
}

static int64_t MASK(const cni_draw *draw, cni_parse *p)
{
    ITEM *out = (ITEM *)(void *)p->out, low = (ITEM)draw->low;
    UNIT mask = (UNIT)draw->mask, range = (UNIT)draw->range;
    int64_t k = 0, n;
    while ((n = batch(p, k, (int64_t)sizeof(UNIT))) > 0) {
        const unsigned char *raw = p->raw + p->at;
        for (int64_t i = 0; i < n; i++) {
            UNIT unit;
            memcpy(&unit, raw + i * (int64_t)sizeof unit, sizeof unit);
            unit = (UNIT)(unit & mask);
            out[k] = (ITEM)(low + unit);
            k += unit <= range;
        }
        p->at += n * (int64_t)sizeof(UNIT);
    }
    return k;
}

#undef UNIT
#undef WIDE
#undef ITEM
#undef MULTIPLY
#undef MASK
