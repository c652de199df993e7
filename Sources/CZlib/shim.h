#pragma once
#include <zlib.h>
/// `inflateInit2` is a macro; windowBits 47 reads gzip and zlib alike.
static inline int tc_inflate_init(z_stream *_Nonnull stream, int window_bits) { return inflateInit2(stream, window_bits); }
/// `deflateInit2` is a macro; windowBits 31 writes gzip.
static inline int tc_deflate_init(z_stream *_Nonnull stream, int level, int window_bits) {
  return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}
