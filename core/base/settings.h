/*
 * settings.h - the one table of settings: read from the environment once, printed by `cnumeric info`.
 */
#ifndef CNI_SETTINGS_H
#define CNI_SETTINGS_H

#include <stdint.h>

typedef enum cni_setting_id {
#define CN_SETTING(id, name, value, doc) CNI_SETTING_##id,
#define CN_TEXT_SETTING(id, name, doc)
#include "base/settings.def"
#undef CN_SETTING
#undef CN_TEXT_SETTING
    CNI_SETTING_COUNT
} cni_setting_id;

typedef enum cni_text_setting_id {
#define CN_SETTING(id, name, value, doc)
#define CN_TEXT_SETTING(id, name, doc) CNI_TEXT_SETTING_##id,
#include "base/settings.def"
#undef CN_SETTING
#undef CN_TEXT_SETTING
    CNI_TEXT_SETTING_COUNT
} cni_text_setting_id;

extern int64_t cni_settings[CNI_SETTING_COUNT];
extern const char *cni_text_settings[CNI_TEXT_SETTING_COUNT]; /* never NULL */

#endif
