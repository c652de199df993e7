#pragma once
#include <curl/curl.h>

// Swift sees no variadic functions and no macros: one function per type of argument.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

typedef size_t (*tc_bytes_callback)(char *_Nonnull bytes, size_t size, size_t count, void *_Nonnull context);

static inline CURLcode tc_easy_set_long(CURL *_Nonnull easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode tc_easy_set_offset(CURL *_Nonnull easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode tc_easy_set_string(CURL *_Nonnull easy, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode tc_easy_set_pointer(CURL *_Nonnull easy, CURLoption option, const void *_Nullable value) {
    return curl_easy_setopt(easy, option, value);
}
/// The bytes are copied.
static inline CURLcode tc_easy_set_blob(CURL *_Nonnull easy, CURLoption option, const void *_Nonnull bytes, size_t count) {
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(easy, option, &blob);
}
static inline CURLcode tc_easy_set_bytes_callback(CURL *_Nonnull easy, CURLoption option, tc_bytes_callback _Nonnull callback) {
    return curl_easy_setopt(easy, option, callback);
}
static inline CURLcode tc_easy_get_long(CURL *_Nonnull easy, CURLINFO info, long *_Nonnull value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline void *_Nullable tc_easy_get_private(CURL *_Nonnull easy) {
    void *value = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value);
    return value;
}
static inline CURLMcode tc_multi_set_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode tc_multi_set_callbacks(
    CURLM *_Nonnull multi, curl_socket_callback _Nonnull on_socket, curl_multi_timer_callback _Nonnull on_timer,
    void *_Nonnull context) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    return curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}
static inline CURLcode tc_message_result(const CURLMsg *_Nonnull message) { return message->data.result; }
