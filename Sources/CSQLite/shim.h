#pragma once
#include <sqlite3.h>
/// `SQLITE_TRANSIENT` is a cast that does not come over: the bytes are copied.
static inline int tc_bind_blob(sqlite3_stmt *_Nonnull statement, int place, const void *_Nullable bytes, int count) {
  return sqlite3_bind_blob(statement, place, bytes == 0 ? "" : bytes, count, SQLITE_TRANSIENT);
}
static inline int tc_bind_text(sqlite3_stmt *_Nonnull statement, int place, const char *_Nullable bytes, int count) {
  return sqlite3_bind_text(statement, place, bytes == 0 ? "" : bytes, count, SQLITE_TRANSIENT);
}
