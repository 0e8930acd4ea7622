/*
 * prelude.cuh - what kernels take from their compiler. The run-time compiler has no standard headers; tests/cuda has a
 * file of this name for the host's compiler, which gives the same words another meaning.
 */
#ifndef CNI_PRELUDE
#define CNI_PRELUDE

typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
#define INT64_C(x) x##L
#define UINT64_C(x) x##UL
#define INFINITY __int_as_float(0x7F800000)
#define NAN __int_as_float(0x7FC00000)

/* Flags are not kept on the device (events.cuh). */
#define FE_DIVBYZERO 0
#define feraiseexcept(kinds) ((void)0)

/* Mixed calls that C converts and C++ finds ambiguous. */
static inline double copysign(int a, double b)
{
    return copysign((double)a, b);
}

#define __builtin_fabs fabs
#define __builtin_fabsf fabsf
#define __builtin_sqrt sqrt
#define __builtin_sqrtf sqrtf
#define __builtin_rint rint
#define __builtin_rintf rintf
#define __builtin_floor floor
#define __builtin_floorf floorf
#define __builtin_ceil ceil
#define __builtin_ceilf ceilf
#define __builtin_trunc trunc
#define __builtin_truncf truncf
#define __builtin_copysign copysign
#define __builtin_copysignf copysignf
#define __builtin_fma fma
#define __builtin_fmaf fmaf
#define __builtin_isless(a, b) ((a) < (b))
#define __builtin_islessequal(a, b) ((a) <= (b))
#define __builtin_isgreater(a, b) ((a) > (b))
#define __builtin_isgreaterequal(a, b) ((a) >= (b))
#define __builtin_isinf(a) isinf(a)
#define __builtin_isnan(a) isnan(a)
#define __builtin_isfinite(a) isfinite(a)
#define __builtin_signbit(a) signbit(a)
#define __builtin_popcountll(a) __popcll(a)
#define __builtin_clzll(a) __clzll((long long)(a))

/* A text that has much on its way in each thread says __launch_bounds__(256, 2): 128 registers, not as few as will do. */
#define CNI_BOUNDS __launch_bounds__(256)
#define CNI_KERNEL(name, parameters) extern "C" __global__ void CNI_BOUNDS name(const __grid_constant__ parameters p)
#define CNI_INLINE static __forceinline__ __device__
#define CNI_CALLED static __noinline__ __device__
#define CNI_ALIGN(n) __align__(n)
#define CNI_UNROLL _Pragma("unroll")
#define CNI_UNROLL_4 _Pragma("unroll 4")
#define CNI_UNROLL_16 _Pragma("unroll 16")
#define CNI_ROLLED _Pragma("unroll 1")
#define CNI_SHARED __shared__
/* An array in what the launch gives the block; one a kernel. */
#define CNI_SHARED_MORE(type, name, count) \
    extern __shared__ double2 cni_more[]; \
    type *const name = (type *)cni_more
#define CNI_BARRIER() __syncthreads()
#define CNI_WARP_BARRIER() __syncwarp()

/* Order does not matter to sums of integers. */
CNI_INLINE void cni_atomic_add(int64_t *to, int64_t value)
{
    atomicAdd((unsigned long long *)to, (unsigned long long)value);
}

CNI_INLINE void cni_atomic_or(int64_t *to, int64_t value)
{
    atomicOr((unsigned long long *)to, (unsigned long long)value);
}

/* By any of several GPUs. */
CNI_INLINE void cni_word_or(unsigned *to, unsigned bits)
{
    atomicOr_system(to, bits);
}

/* By any of several GPUs. */
CNI_INLINE void cni_atomic_max(int64_t *to, int64_t value)
{
    atomicMax_system((long long *)to, (long long)value);
}

CNI_INLINE unsigned cni_shuffle_word(unsigned mask, unsigned word, int lane)
{
    return __shfl_sync(mask, word, lane);
}

/* Bits of the lanes of a whole warp at which the word is not 0. */
CNI_INLINE unsigned cni_ballot(int word)
{
    return __ballot_sync(0xFFFFFFFFu, word);
}

/* Lanes of a whole warp whose word has the bit as this lane's has it. */
CNI_INLINE unsigned cni_alike(unsigned word, unsigned bit)
{
    unsigned lanes;
    asm volatile("{\n"
                 "    .reg .pred set;\n"
                 "    and.b32 %0, %1, %2;\n"
                 "    setp.ne.u32 set, %0, 0;\n"
                 "    vote.sync.ballot.b32 %0, set, 0xffffffff;\n"
                 "    @!set not.b32 %0, %0;\n"
                 "}"
                 : "=r"(lanes)
                 : "r"(word), "r"(bit));
    return lanes;
}

CNI_INLINE void cni_shared_add(unsigned *to, unsigned value)
{
    atomicAdd(to, value);
}

/* What the counter was, before one was added. */
CNI_INLINE unsigned cni_ticket(unsigned *counter)
{
    return atomicAdd(counter, 1u);
}

/* The same, before so many were added. */
CNI_INLINE unsigned cni_take(unsigned *counter, unsigned count)
{
    return atomicAdd(counter, count);
}

/* Two words of memory, aligned to both, that other blocks see change as one, in time. */
CNI_INLINE void cni_publish(void *to, uint64_t first, uint64_t second)
{
    asm volatile("st.relaxed.gpu.v2.u64 [%0], {%1, %2};" ::"l"(to), "l"(first), "l"(second) : "memory");
}

CNI_INLINE uint64_t cni_observe(const void *from, uint64_t *second)
{
    uint64_t first;
    asm volatile("ld.relaxed.gpu.v2.u64 {%0, %1}, [%2];" : "=l"(first), "=l"(*second) : "l"(from) : "memory");
    return first;
}

/* The same of one word of 32 bits. */
CNI_INLINE void cni_publish_word(unsigned *to, unsigned word)
{
    asm volatile("st.relaxed.gpu.u32 [%0], %1;" ::"l"(to), "r"(word) : "memory");
}

CNI_INLINE unsigned cni_observe_word(const unsigned *from)
{
    unsigned word;
    asm volatile("ld.relaxed.gpu.u32 %0, [%1];" : "=r"(word) : "l"(from) : "memory");
    return word;
}

/* 0, which the compiler does not know: what is computed with it is not computed before. */
CNI_INLINE int64_t cni_nothing(void)
{
    int64_t nothing;
    asm volatile("mov.u64 %0, 0;" : "=l"(nothing));
    return nothing;
}

/* Lets others of the processor go on. */
CNI_INLINE void cni_pause(void)
{
    __nanosleep(100);
}

#define __builtin_popcount(x) __popc(x)
#define __builtin_ctz(x) (__ffs((int)(x)) - 1)
#define __builtin_clz(x) __clz((int)(x))

#include "cuda/shuffle.cuh"
#endif
