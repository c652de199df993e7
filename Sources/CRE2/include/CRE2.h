#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled RE2 expression. Immutable, safe to share between threads.
typedef struct tc_re2 tc_re2;

/// Compiles `pattern` (UTF-8, `length` bytes) with `.` matching newlines and no logging. Never null; ask `tc_re2_error`.
tc_re2 *_Nonnull tc_re2_compile(const char *_Nonnull pattern, size_t length);
void tc_re2_free(tc_re2 *_Nonnull expression);
/// Null when the expression compiled; else a message owned by the expression.
const char *_Nullable tc_re2_error(const tc_re2 *_Nonnull expression);
/// Capture groups, the whole match not counted.
int tc_re2_group_count(const tc_re2 *_Nonnull expression);
/// The index of the named group, or -1.
int tc_re2_group_index(const tc_re2 *_Nonnull expression, const char *_Nonnull name, size_t length);
/// Whether the whole text matches.
bool tc_re2_full_match(const tc_re2 *_Nonnull expression, const char *_Nullable text, size_t length);
/// Finds the leftmost match at or after `start`, unanchored, or the whole text when `anchored`. Writes start and end
/// byte offsets of `count` groups (0 is the whole match; -1, -1 for a group that took no part) into `bounds`.
bool tc_re2_match(
    const tc_re2 *_Nonnull expression, const char *_Nullable text, size_t length, size_t start, bool anchored,
    ptrdiff_t *_Nonnull bounds, int count);

#ifdef __cplusplus
}
#endif
