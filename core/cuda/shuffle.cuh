/* shuffle.cuh - result = the value that another thread of the warp has; all threads of the mask take part. */
#define CNI_SHUFFLE(type, result, mask, value, lane)                                   \
    do {                                                                               \
        unsigned words_[(sizeof(type) + 3) / 4] = {0};                                 \
        const type value_ = (value);                                                   \
        memcpy(words_, &value_, sizeof(type));                                         \
        CNI_UNROLL                                                                     \
        for (unsigned word_ = 0; word_ < (sizeof(type) + 3) / 4; word_++) {            \
            words_[word_] = cni_shuffle_word(mask, words_[word_], lane);               \
        }                                                                              \
        memcpy(&(result), words_, sizeof(type));                                       \
    } while (0)
