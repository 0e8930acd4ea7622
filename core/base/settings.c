/* settings.c - see settings.h. The environment is read before main. */
#include "base/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/debug.h"
#include "base/status.h"

int64_t cni_settings[CNI_SETTING_COUNT];

static const struct {
    const char *name;
    int64_t value;
    const char *doc;
} rows[CNI_SETTING_COUNT] = {
#define CN_SETTING(id, name, value, doc) [CNI_SETTING_##id] = {name, value, doc},
#define CN_TEXT_SETTING(id, name, doc)
#include "base/settings.def"
#undef CN_SETTING
#undef CN_TEXT_SETTING
};

const char *cni_text_settings[CNI_TEXT_SETTING_COUNT];

static const struct {
    const char *name, *doc;
} text_rows[CNI_TEXT_SETTING_COUNT] = {
#define CN_SETTING(id, name, value, doc)
#define CN_TEXT_SETTING(id, name, doc) [CNI_TEXT_SETTING_##id] = {name, doc},
#include "base/settings.def"
#undef CN_SETTING
#undef CN_TEXT_SETTING
};

static const char *from_environment(const char *name)
{
    char variable[64];
    size_t used = (size_t)snprintf(variable, sizeof variable, "CNUMERIC_%s", name);
    for (size_t k = 0; k < used && k < sizeof variable; k++) {
        variable[k] = (char)toupper((unsigned char)variable[k]);
    }
    return getenv(variable);
}

__attribute__((constructor)) static void settings_read(void)
{
    for (int i = 0; i < CNI_SETTING_COUNT; i++) {
        const char *text = from_environment(rows[i].name);
        char *end = NULL;
        long long value = text != NULL ? strtoll(text, &end, 10) : 0;
        bool given = text != NULL && end != text && *end == '\0';
        cni_settings[i] = given ? (int64_t)value : rows[i].value;
    }
    for (int i = 0; i < CNI_TEXT_SETTING_COUNT; i++) {
        const char *text = from_environment(text_rows[i].name);
        cni_text_settings[i] = text != NULL ? text : "";
    }
    cni_debug_choose(cni_text_settings[CNI_TEXT_SETTING_DEBUG]);
}

int cn_setting_count(void)
{
    return CNI_SETTING_COUNT;
}

void cn_setting_get(int i, cn_setting *out)
{
    *out = (cn_setting){rows[i].name, cni_settings[i], rows[i].value, rows[i].doc};
}

int cn_text_setting_count(void)
{
    return CNI_TEXT_SETTING_COUNT;
}

void cn_text_setting_get(int i, cn_text_setting *out)
{
    *out = (cn_text_setting){text_rows[i].name, cni_text_settings[i], text_rows[i].doc};
}

cn_status cn_setting_set(const char *name, int64_t value)
{
    for (int i = 0; i < CNI_SETTING_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            cni_settings[i] = value;
            return CN_OK;
        }
    }
    return cni_fail(CN_ERROR_VALUE, "unknown setting '%s'", name);
}
