/*
 * cuda_trial.h - groups whose kernels are cold.
 *
 * The part of a text that asks ops for floating-point events (cuda_watch.h) takes the compiler longer than all the rest, and
 * hardly ever runs. So a text has a cold form without it (CNI_COLD), which is all that is waited for; the whole form is
 * compiled behind. Until it is there, a group runs twice: a trial, which stores nothing and says whether anything is odd, and
 * the same again to store. Where something was odd, nothing has changed yet: the whole form is waited for, and asks.
 */
#ifndef CNI_CUDA_TRIAL_H
#define CNI_CUDA_TRIAL_H

#include "cuda/cuda_kernel.h"

/* The cold form of the text, which is then all that a binding waits for. NULL: the whole form is there, or to be waited for. */
const cni_cuda_module *cni_cuda_trial_module(const cni_cuda_module *whole);

/* What a trial is given for a table of events: an address; 0: no memory. What was said there before is forgotten. */
int64_t cni_cuda_trial_begin(void);

/* Waits for the trial: was anything odd? */
bool cni_cuda_trial_end(void);

#endif
