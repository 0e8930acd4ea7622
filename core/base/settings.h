/*
 * settings.h - the one table of settings: read from the environment once, printed by `cnumeric info`.
 */
#ifndef CNI_SETTINGS_H
#define CNI_SETTINGS_H

#include <stdint.h>

typedef enum cni_setting_id {
#define CN_SETTING(id, name, value, doc) CNI_SETTING_##id,
#include "base/settings.def"
#undef CN_SETTING
    CNI_SETTING_COUNT
} cni_setting_id;

extern int64_t cni_settings[CNI_SETTING_COUNT];

#endif
